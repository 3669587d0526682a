package pullerror

import (
	"regexp"
	"strings"
)

const redacted = "redacted"

// secretPair is a credential outside a URL, or in one that a line break cut.
var secretPair = regexp.MustCompile(`(?i)\b(x-amz-[a-z-]+|x-goog-[a-z-]+|signature|sig|verify|token|access_token|refresh_token|password|passwd|secret|awsaccesskeyid|key-pair-id|policy|expires)=[^&\s"'<>,;)]+`)

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
		s = secretPair.ReplaceAllStringFunc(s, func(m string) string {
			key, value, _ := strings.Cut(m, "=")
			if value == redacted {
				return m
			}
			return key + "=" + redacted
		})
	}
	if mayHoldToken(s) {
		s = secretWord.ReplaceAllStringFunc(s, redactWord)
	}
	return s
}

func mayHoldToken(s string) bool {
	for _, w := range []string{"eyJ", "earer ", "asic ", `token"`, `password"`, `auth"`, "AccessKeyId", "StringToSign", "SignatureProvided"} {
		if strings.Contains(s, w) {
			return true
		}
	}
	return false
}

func redactWord(m string) string {
	switch {
	case m[0] == '"':
		key, _, _ := strings.Cut(m[1:], `"`)
		return `"` + key + `":"` + redacted + `"`
	case m[0] == '<':
		return m[:strings.IndexByte(m, '>')+1] + redacted
	case strings.HasPrefix(m, "eyJ"):
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
