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

// mayHoldToken is a quick way out: it tells whether a text holds letters, of
// either case, one of which is in every match of secretWord.
func mayHoldToken(s string) bool {
	for i := 2; i < len(s); i++ {
		switch c := s[i]; {
		case c > '"' && c < 'D' || c > 'n':
		case c|0x20 == 'j':
			if endsFold(s[:i+1], "eyj") {
				return true
			}
		case c == ' ':
			if endsFold(s[:i], "earer") || endsFold(s[:i], "asic") {
				return true
			}
		case c == '"':
			if endsFold(s[:i], "token") || endsFold(s[:i], "password") || endsFold(s[:i], "auth") {
				return true
			}
		case c|0x20 == 'd':
			if endsFold(s[:i+1], "accesskeyid") || endsFold(s[:i+1], "signatureprovided") {
				return true
			}
		case c|0x20 == 'n':
			if endsFold(s[:i+1], "stringtosign") {
				return true
			}
		}
	}
	return false
}

// endsFold is strings.HasSuffix for letters of either case.
func endsFold(s, end string) bool {
	n := len(s) - len(end)
	return n >= 0 && s[len(s)-2]|0x20 == end[len(end)-2] && strings.EqualFold(s[n:], end)
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
