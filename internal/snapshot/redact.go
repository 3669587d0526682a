package snapshot

import (
	"regexp"
	"strings"
)

// redacted stands where a secret was. Redact leaves it alone, so that redacting
// twice changes nothing.
const redacted = "[redacted]"

// Redact takes credentials out of free text: log lines, event messages, error
// text. It keeps the words of Kubernetes and runtime messages that only speak
// about secrets, and the scope and service of registry token requests, since
// causes are read from them.
func Redact(text string) string {
	if len(text) < 20 && !strings.ContainsAny(text, "=: ") {
		return text
	}
	lower := strings.ToLower(text)
	for _, r := range redactions {
		if containsAny(lower, r.signs) {
			text = outsideMarks(text, r.apply)
		}
	}
	return text
}

func containsAny(text string, signs []string) bool {
	for _, s := range signs {
		if strings.Contains(text, s) {
			return true
		}
	}
	return false
}

// outsideMarks applies f to what lies between marks left by an earlier
// redaction, so that no pattern ever sees a mark.
func outsideMarks(text string, f func(string) string) string {
	if !strings.Contains(text, redacted) {
		return f(text)
	}
	parts := strings.Split(text, redacted)
	for i, p := range parts {
		parts[i] = f(p)
	}
	return strings.Join(parts, redacted)
}

// redactions run in this order. The signs, in lower case, are what a text must
// hold for the patterns to be worth trying: most strings hold none.
var redactions = []struct {
	apply func(string) string
	signs []string
}{
	{redactPEM, []string{"private key-----"}},
	{redactURLs, []string{"://", "@tcp(", "@unix("}},
	{redactTokens, []string{"eyj", "akia", "asia", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "_pat_", "glpat-", "_oat_", "xox", "k_live_", "hf_", "npm_", "pypi-", "aiza"}},
	{redactHeaders, []string{"authorization", "bearer", "basic"}},
	{redactCookies, []string{"cookie"}},
	{redactOwnHeaders, []string{"x-", "private-token", "api-key", "apikey"}},
	{redactQuotedPairs, quotedSigns},
	{redactPairs, pairSigns},
	{redactSpacedPairs, secretSigns},
	{redactColonPairs, secretSigns},
	{redactFlags, secretSigns},
	{redactUserFlags, []string{"-u", "--user", "--proxy-user"}},
}

// secretSigns are in every match of secretWord.
var secretSigns = []string{"passw", "passphrase", "pwd", "secret", "token", "key", "credential", "signature"}

// passwordSigns tell keys whose values need not look random.
var passwordSigns = []string{"pass", "pwd"}

// quotedSigns and pairSigns are in every key of quotedPair and equalPair.
var (
	quotedSigns = append([]string{"auth", "sig"}, secretSigns...)
	pairSigns   = append([]string{"sig", "x-amz"}, secretSigns...)
)

var (
	pemBlock = regexp.MustCompile(`-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z0-9 ]*PRIVATE KEY-----|$)`)
	// pemTail is the rest of a key whose first line a log tail has cut off.
	pemTail  = regexp.MustCompile(`(?:[A-Za-z0-9+/=]+(?:\r?\n|\\n))*-----END [A-Z0-9 ]*PRIVATE KEY-----`)
	mysqlDSN = regexp.MustCompile(`([\w.-]+):[^\s:@/"]+@(tcp|unix)\(`)

	// knownTokens are credentials that tell themselves by their form.
	knownTokens = regexp.MustCompile(`\beyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]{5,}(?:\.[A-Za-z0-9_-]*)?` + // JWT
		`|\beyJ[A-Za-z0-9+/_-]{40,}={0,2}` + // base64 of a JSON object: ECR token, docker config
		`|\b(?:AKIA|ASIA)[0-9A-Z]{16}\b` +
		`|\b(?:gh[pousr]_|github_pat_|glpat-|dckr_pat_|dckr_oat_|xox[abeoprs]-|sk_live_|rk_live_|hf_|npm_|pypi-)[A-Za-z0-9_-]{16,}` +
		`|\bAIza[A-Za-z0-9_-]{35}\b`)

	authHeader = regexp.MustCompile(`(?i)(\b(?:proxy-)?authorization\\?["']?\s*[:=]\s*\[?\\?["']?)((?:bearer|basic|digest|negotiate|token|aws4-hmac-sha256)\s+)?([^\s"'\\\]]+)([^"'\\\]\r\n]*)`)
	schemeWord = regexp.MustCompile(`(?i)\b(bearer|basic)(\s+)([A-Za-z0-9._~+/-]{8,}={0,2})`)

	cookies = regexp.MustCompile(`(?i)(\b(?:set-)?cookie\\?["']?\s*[:=]\s*\[?\\?["']?)([\w.-]+=[^"'\\\]\r\n]+)`)
	// ownHeader is a header that services invent for their keys: X-Api-Key.
	ownHeader = regexp.MustCompile(`(?i)(\b(?:x-[a-z-]*(?:key|token|secret|auth|password)[a-z-]*|private-token|api-?key)\\?["']?\s*:\s*\[?\\?["']?)([^\s"'\\\],]{4,})`)

	secretWord = `[\w.-]*(?:password|passwd|passphrase|pwd|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|account[_-]?key|credential|signature)[\w-]*`
	quotedPair = regexp.MustCompile(`(?i)(\\?["'](` + secretWord + `|auth|sig)\\?["']\s*:\s*\\?["'])([^"'\\]+)`)
	equalPair  = regexp.MustCompile(`(?i)((?:\b|[_-])(` + secretWord + `|sig|x-amz-[a-z-]+)=)("[^"]*"|'[^']*'|[^\s&;,"'\\)\]}]+)`)
	spacedPair = regexp.MustCompile(`(?i)((?:\b|[_-])(` + secretWord + `)(?:[ \t]+=[ \t]*|=[ \t]+))([^\s=&;,"'\\)\]}][^\s&;,"'\\)\]}]*)`)
	colonPair  = regexp.MustCompile(`(?i)((?:^|[\s,{;(])(` + secretWord + `):[ \t]+)([A-Za-z0-9+/_!@#$%^*-]{4,}={0,2})`)
	flagPair   = regexp.MustCompile(`(?i)((?:^|\s)--?(?:[\w-]*-)?(?:password|passwd|token|secret|api-key|access-key|secret-key)\s+)([^\s-]\S*)`)
	// userFlag is curl's -u user:password; runtimes write -u uid:gid as well.
	userFlag = regexp.MustCompile(`((?:^|[\s"'])(?:-u|-U|--user|--proxy-user)[\s=]*["']?([^\s"':@/]+):)([^\s"'@/]+)`)

	// harmlessKey ends the names of things that are about secrets, not secret.
	harmlessKey = regexp.MustCompile(`(?i)(?:secrets|tokens|passwords|credentials|names?|refs?|types?|class|namespace|count|ttl|size|limit|length|policy|provider|version|enabled|required|webhook|mount|url|host|file|path|dir|id|seconds|expir\w*)$`)
	harmlessVal = regexp.MustCompile(`(?i)^["']?(?:true|false|yes|no|null|nil|none|<nil>|<none>|<set[^>]*>|\d+(?:ms|s|m|h|d)|\**|\$\{?\(?\w+\)?\}?)["']?$`)
)

func redactPEM(s string) string {
	if !strings.Contains(s, "PRIVATE KEY-----") {
		return s
	}
	return pemTail.ReplaceAllString(pemBlock.ReplaceAllString(s, redacted), redacted)
}

func redactURLs(s string) string {
	if strings.Contains(s, "@tcp(") || strings.Contains(s, "@unix(") {
		s = mysqlDSN.ReplaceAllString(s, "${1}:"+redacted+"@${2}(")
	}
	return replaceURLs(s, redactURL)
}

// plainParams are query parameters of registries and API servers that carry
// no credential and help to tell a cause.
var plainParams = map[string]bool{
	"scope": true, "service": true, "ns": true, "n": true, "last": true, "mount": true, "from": true, "digest": true,
	"limit": true, "timeout": true, "timeoutSeconds": true, "resourceVersion": true, "watch": true, "dryRun": true,
	"fieldManager": true, "fieldSelector": true, "labelSelector": true, "allowWatchBookmarks": true, "api-version": true,
	"client_id": true, "offline_token": true, "sslmode": true,
}

// redactURL drops the user part and every query parameter that is not known to
// be harmless. Text after the address (": 401 Unauthorized") is kept.
func redactURL(u string) string {
	tail := len(strings.TrimRight(u, ":,;.)]}"))
	u, rest := u[:tail], u[tail:]
	scheme := strings.Index(u, "://") + 3
	end := len(u)
	if i := strings.IndexAny(u[scheme:], "/?#"); i >= 0 {
		end = scheme + i
	}
	if at := strings.LastIndexByte(u[scheme:end], '@'); at >= 0 {
		u = u[:scheme] + redacted + u[scheme+at:]
	} else if at := strings.LastIndexByte(u, '@'); at >= 0 && strings.Contains(u[scheme:at], ":") && !strings.ContainsAny(u[scheme:at], "?") && !strings.Contains(u[at:], "sha256:") {
		u = u[:scheme] + redacted + u[at:] // a slash inside the password
	}
	path, query, ok := strings.Cut(u, "?")
	if !ok {
		return u + rest
	}
	var keep []string
	dropped := false
	for _, p := range strings.Split(query, "&") {
		name, value, _ := strings.Cut(p, "=")
		if name == "" && value == "" {
			keep = append(keep, p) // "token?..." in shortened texts
			continue
		}
		if plainParams[name] && (value == "" || !knownTokens.MatchString(value)) {
			keep = append(keep, p)
			continue
		}
		dropped = true
	}
	if dropped {
		keep = append(keep, redacted)
	}
	return path + "?" + strings.Join(keep, "&") + rest
}

func redactTokens(s string) string { return knownTokens.ReplaceAllString(s, redacted) }

func redactHeaders(s string) string {
	s = authHeader.ReplaceAllStringFunc(s, func(m string) string {
		g := authHeader.FindStringSubmatch(m)
		// "authorization: server message: …" and "authorization failed" are prose.
		if g[2] == "" && !looksRandom(g[3]) {
			return m
		}
		if g[2] != "" && !looksRandom(g[3]) && isWord(g[3]) && strings.TrimSpace(g[4]) != "" {
			return m
		}
		return g[1] + g[2] + redacted + g[4]
	})
	return schemeWord.ReplaceAllStringFunc(s, func(m string) string {
		g := schemeWord.FindStringSubmatch(m)
		if !looksRandom(g[3]) {
			return m
		}
		return g[1] + g[2] + redacted
	})
}

func redactCookies(s string) string { return cookies.ReplaceAllString(s, "${1}"+redacted) }

func redactOwnHeaders(s string) string {
	return ownHeader.ReplaceAllStringFunc(s, func(m string) string {
		g := ownHeader.FindStringSubmatch(m)
		if harmlessVal.MatchString(g[2]) || isWord(g[2]) && strings.HasSuffix(g[1], " ") {
			return m // prose: "X-Auth-Token: missing"
		}
		return g[1] + redacted
	})
}

func redactQuotedPairs(s string) string {
	if !mayHoldQuotedPair(s) {
		return s
	}
	return quotedPair.ReplaceAllStringFunc(s, func(m string) string {
		g := quotedPair.FindStringSubmatch(m)
		if harmlessKey.MatchString(g[2]) || harmlessVal.MatchString(g[3]) {
			return m
		}
		return g[1] + redacted
	})
}

func redactPairs(s string) string {
	if !mayHoldPair(s) {
		return s
	}
	return equalPair.ReplaceAllStringFunc(s, func(m string) string {
		g := equalPair.FindStringSubmatch(m)
		if harmlessKey.MatchString(g[2]) || harmlessVal.MatchString(g[3]) {
			return m
		}
		return g[1] + redacted
	})
}

// redactSpacedPairs handles "db.password = hunter2" of settings files.
func redactSpacedPairs(s string) string {
	if !mayHoldSpacedPair(s) {
		return s
	}
	return spacedPair.ReplaceAllStringFunc(s, func(m string) string {
		g := spacedPair.FindStringSubmatch(m)
		key := strings.ToLower(g[2])
		password := strings.Contains(key, "pass") || strings.Contains(key, "pwd")
		if harmlessKey.MatchString(g[2]) || harmlessVal.MatchString(g[3]) || !password && !looksRandom(g[3]) {
			return m
		}
		return g[1] + redacted
	})
}

// redactColonPairs handles "password: hunter2" as a log line or YAML prints it.
// Runtimes write "…token: unexpected status…" in the same form, so the value
// must look like a secret, or stand alone after the name of a password.
func redactColonPairs(s string) string {
	if !mayHoldColonPair(s) {
		return s
	}
	return replaceColonPairs(s)
}

func replaceColonPairs(s string) string {
	idx := colonPair.FindAllStringSubmatchIndex(s, -1)
	if idx == nil {
		return s
	}
	var b strings.Builder
	last := 0
	for _, m := range idx {
		key, value, rest := s[m[4]:m[5]], s[m[6]:m[7]], s[m[7]:]
		alone := rest == "" || strings.ContainsRune(",;}\n\r", rune(rest[0]))
		password := strings.Contains(strings.ToLower(key), "pass") || strings.Contains(strings.ToLower(key), "pwd")
		switch {
		case harmlessKey.MatchString(key), harmlessVal.MatchString(value):
			continue
		case password && (alone || hasDigit(value) && !strings.HasPrefix(rest, ".")):
		case alone && looksRandom(value), len(value) >= 20 && looksRandom(value) && !strings.HasPrefix(rest, "."):
		default:
			continue
		}
		b.WriteString(s[last:m[6]])
		b.WriteString(redacted)
		last = m[7]
	}
	b.WriteString(s[last:])
	return b.String()
}

func redactFlags(s string) string {
	if !mayHoldFlag(s) {
		return s
	}
	return flagPair.ReplaceAllStringFunc(s, func(m string) string {
		g := flagPair.FindStringSubmatch(m)
		if isWord(g[2]) || harmlessVal.MatchString(g[2]) {
			return m // prose: "unknown flag: --token for …"
		}
		return g[1] + redacted
	})
}

func redactUserFlags(s string) string {
	return userFlag.ReplaceAllStringFunc(s, func(m string) string {
		g := userFlag.FindStringSubmatch(m)
		if isNumber(g[2]) || isNumber(g[3]) || harmlessVal.MatchString(g[3]) {
			return m
		}
		return g[1] + redacted
	})
}

func isNumber(s string) bool { return strings.Trim(s, "0123456789") == "" }

func isWord(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i] | 0x20; c < 'a' || c > 'z' {
			return false
		}
	}
	return true
}

func hasDigit(s string) bool { return strings.ContainsAny(s, "0123456789") }

// looksRandom tells a generated string from a word, a name or a number.
func looksRandom(s string) bool {
	if len(s) < 8 {
		return false
	}
	var lower, upper, digit, hex, other int
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c >= '0' && c <= '9':
			digit++
			hex++
		case c >= 'a' && c <= 'f':
			lower++
			hex++
		case c >= 'g' && c <= 'z':
			lower++
		case c >= 'A' && c <= 'Z':
			upper++
		default:
			other++
		}
	}
	switch {
	case hex == len(s) && digit > 0 && lower > 0:
		return len(s) >= 16
	case upper > 0 && lower > 0 && digit > 0:
		return true
	case strings.HasSuffix(s, "=") && other <= 3:
		return true
	}
	return len(s) >= 20 && other == 0 && digit > 0 && (lower > 0 || upper > 0)
}
