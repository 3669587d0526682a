package pullerror

import (
	"regexp"
	"strings"
)

const redacted = "redacted"

// secretWord is a bearer or basic credential, a JSON Web Token, or a JSON field
// of a token answer.
var secretWord = regexp.MustCompile(`(?i)\b(bearer|basic) [a-z0-9+/=._~-]{20,}|\beyJ[a-z0-9_-]{10,}(\.[a-z0-9_-]*)*|"(access_token|refresh_token|token|identitytoken|password|auth)" ?: ?"[^"]*"?|<(awsaccesskeyid|stringtosign|stringtosignbytes|signatureprovided)>[^<]*`)

// redact removes what could give access: queries of signed URLs, user
// information of URLs, tokens. Scope and service of a token request and the
// upstream of a mirror request stay, because they carry the diagnosis.
func redact(s string) string {
	if strings.Contains(s, "://") {
		s = redactURLs(s)
	}
	if strings.IndexByte(s, '=') >= 0 {
		s = redactPairs(s)
	}
	if mayHoldToken(s) {
		s = secretWord.ReplaceAllStringFunc(s, redactWord)
	}
	return s
}

// secretKeys are keys of credentials, outside a URL or in one that a line break
// cut; keys that start with x-amz- and x-goog- count too.
var secretKeys = map[string]bool{
	"signature": true, "sig": true, "verify": true, "token": true, "access_token": true, "refresh_token": true, "password": true,
	"passwd": true, "secret": true, "awsaccesskeyid": true, "key-pair-id": true, "policy": true, "expires": true,
}

const longestKey = 40

// redactPairs replaces the values of secret key=value pairs.
func redactPairs(s string) string {
	var b strings.Builder
	from := 0
	for i := 0; i < len(s); i++ {
		if s[i] != '=' || !secretKey(keyBefore(s[from:i])) {
			continue
		}
		end := i + 1
		for end < len(s) && !urlEnd(s[end]) && strings.IndexByte("&,;)", s[end]) < 0 {
			end++
		}
		if end == i+1 || s[i+1:end] == redacted {
			continue
		}
		b.WriteString(s[from : i+1])
		b.WriteString(redacted)
		from, i = end, end-1
	}
	if from == 0 {
		return s
	}
	b.WriteString(s[from:])
	return b.String()
}

func keyBefore(s string) string {
	i := len(s)
	for i > 0 && len(s)-i <= longestKey {
		c := s[i-1]
		if c != '-' && c != '_' && (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z') {
			break
		}
		i--
	}
	return s[i:]
}

func secretKey(key string) bool {
	if key == "" || len(key) > longestKey {
		return false
	}
	key = strings.ToLower(key)
	return secretKeys[key] || strings.HasPrefix(key, "x-amz-") || strings.HasPrefix(key, "x-goog-")
}

// tokenSigns are letters, in lower case, one of which is in every match of
// secretWord.
var tokenSigns = []string{"eyj", "earer ", "asic ", `token"`, `password"`, `auth"`, "accesskeyid", "stringtosign", "signatureprovided"}

// mayHoldToken is a quick way out. Like secretWord it knows no case. Almost no
// message holds a quotation mark after one of these words, a "<" or a token, so
// that the scan for single letters ends it.
func mayHoldToken(s string) bool {
	for _, w := range tokenSigns {
		if containsFold(s, w) {
			return true
		}
	}
	return false
}

// containsFold is strings.Contains for ASCII letters of either case; w is lower case.
func containsFold(s, w string) bool {
	last := w[len(w)-1]
	for from := len(w) - 1; from < len(s); from++ {
		i := indexFold(s[from:], last)
		if i < 0 {
			return false
		}
		from += i
		if strings.EqualFold(s[from-len(w)+1:from+1], w) {
			return true
		}
	}
	return false
}

// indexFold is where a lower-case letter or another byte first stands in s in
// either case.
func indexFold(s string, c byte) int {
	i := strings.IndexByte(s, c)
	if c < 'a' || c > 'z' {
		return i
	}
	if i >= 0 {
		s = s[:i]
	}
	if j := strings.IndexByte(s, c-'a'+'A'); j >= 0 {
		return j
	}
	return i
}

func redactWord(m string) string {
	switch {
	case m[0] == '"':
		key, _, _ := strings.Cut(m[1:], `"`)
		return `"` + key + `":"` + redacted + `"`
	case m[0] == '<':
		return m[:strings.IndexByte(m, '>')+1] + redacted
	case len(m) > 3 && strings.EqualFold(m[:3], "eyj"):
		return redacted
	}
	if word, _, ok := strings.Cut(m, " "); ok {
		return word + " " + redacted
	}
	return redacted
}

func redactURLs(s string) string {
	var b strings.Builder
	for {
		i := strings.Index(s, "://")
		if i < 0 {
			break
		}
		end := i + 3
		for end < len(s) && !urlEnd(s[end]) {
			end++
		}
		b.WriteString(s[:i+3])
		b.WriteString(redactURL(s[i+3 : end]))
		s = s[end:]
	}
	b.WriteString(s)
	return b.String()
}

// urlEnd tells whether a byte cannot be part of a URL in running text.
func urlEnd(c byte) bool {
	return c <= ' ' || c == '"' || c == '<' || c == '>' || c == '\\' || c == '`' || c == '\''
}

// redactURL takes a URL without its scheme.
func redactURL(u string) string {
	rest, query, hasQuery := strings.Cut(u, "?")
	host, path, hasPath := strings.Cut(rest, "/")
	if at := strings.LastIndexByte(host, '@'); at >= 0 && host[:at] != redacted {
		host = redacted + host[at:]
	}
	rest = host
	if hasPath {
		rest += "/" + path
	}
	if !hasQuery {
		return rest
	}
	tail := ""
	for len(query) > 0 && strings.IndexByte(":,;.)]", query[len(query)-1]) >= 0 {
		tail = query[len(query)-1:] + tail
		query = query[:len(query)-1]
	}
	var keep []string
	dropped := false
	for pair := range strings.SplitSeq(query, "&") {
		key, _, _ := strings.Cut(pair, "=")
		switch {
		case key == "scope" || key == "service" || key == "ns":
			keep = append(keep, pair)
		case pair != "":
			dropped = true
		}
	}
	if dropped {
		keep = append(keep, redacted)
	}
	return rest + "?" + strings.Join(keep, "&") + tail
}
