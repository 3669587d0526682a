package pullerror

import "strings"

// blank stands for a name in the words that rules match against.
const blank = '~'

// wordsOf returns the text in lower case with every name (image, tag, digest,
// URL, host, path, address) replaced by "~". Rules match against this, so that
// neither a tag "429-not-found" nor a host "timeout.example" can be read as the
// error.
func wordsOf(s string) string {
	var b strings.Builder
	b.Grow(len(s))
	lower := strings.ToLower(s)
	if len(lower) != len(s) {
		s = lower // letters whose lower case has another length
	}
	var prev, prev2 string // the two tokens before, lower case
	for i := 0; i < len(s); {
		switch c := s[i]; {
		case c == ' ':
			b.WriteByte(' ')
			i++
		case c == '"':
			if end := solidQuote(s[i+1:]); end >= 0 {
				b.WriteByte(blank)
				i += end + 2
				prev2, prev = prev, ""
			} else {
				i++
			}
		default:
			j := i
			for j < len(s) && s[j] != ' ' && s[j] != '"' {
				j++
			}
			token := lower[i:j]
			writeToken(&b, token, prev, prev2, s[j:])
			prev2, prev = prev, token
			i = j
		}
	}
	return b.String()
}

// solidQuote returns the length of a quoted string without spaces, or -1.
func solidQuote(s string) int {
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '"':
			return i
		case ' ':
			return -1
		}
	}
	return -1
}

// writeToken writes one token, its name part blanked. Punctuation around it
// stays, because rules use colons.
func writeToken(b *strings.Builder, token, prev, prev2, next string) {
	start, end := 0, len(token)
	for start < end && opens(token[start]) {
		start++
	}
	for end > start && closes(token[end-1]) {
		end--
	}
	core := token[start:end]
	if core == "" || !(nameLike(core) || namePlace(token, prev, prev2, next)) {
		b.WriteString(token)
		return
	}
	b.WriteString(token[:start])
	b.WriteByte(blank)
	tail := token[end:]
	for len(tail) > 1 && tail[0] == '.' { // a name that somebody cut short with dots
		tail = tail[1:]
	}
	b.WriteString(tail)
}

// opens and closes tell the punctuation that may stand before and after a word.
func opens(c byte) bool {
	switch c {
	case '(', '[', '{', '<', '\'', '`':
		return true
	}
	return false
}

func closes(c byte) bool {
	switch c {
	case ':', ',', ';', '.', ')', ']', '}', '>', '\'', '`':
		return true
	}
	return false
}

// plainWords look like names but are words of error texts.
var plainWords = map[string]bool{
	"i/o": true, "input/output": true, "username/password": true, "net/http": true, "archive/tar": true,
	"fork/exec": true, "client.timeout": true, "and/or": true, "read/write": true, "http/1.x": true,
	"compress/gzip": true, "base64(username:password": true, "service.runtime": true,
}

// nameLike tells whether a token is shaped like a name: it holds a slash, an
// at sign, or a dot, colon or equals sign between other characters.
func nameLike(core string) bool {
	for i := 0; i < len(core); i++ {
		switch core[i] {
		case '/', '@', '.', ':', '=':
			return !plainWords[core]
		}
	}
	return false
}

// namePlace tells whether the words around say that a name stands here, for
// names that look like ordinary words.
func namePlace(token, prev, prev2, next string) bool {
	switch prev {
	case "lookup", "verifier", "[manifests", "[blobs", "secrets", "snapshotter":
		return true
	case "manifest": // reading manifest TAG in REPO
		return prev2 == "reading" && strings.HasPrefix(next, " in ")
	case "for": // manifest for X not found; pull access denied for X,; plugin P for image X
		return prev2 == "denied" || prev2 == "manifest"
	case "image": // error execing credential provider plugin P for image X: …
		return (prev2 == "for" || prev2 == "pulling") && strings.HasSuffix(token, ":")
	case "repository":
		return strings.HasPrefix(next, " not found")
	case "host":
		return prev2 == "from" && strings.HasPrefix(next, " failed")
	case "name":
		return prev2 == "image" && (strings.HasPrefix(next, " returns") || strings.HasPrefix(next, " did not"))
	case "registry":
		return prev2 == "container" || prev2 == "docker" || strings.HasPrefix(next, " is blocked")
	case "of":
		return prev2 == "pull"
	case "plugin":
		return strings.HasPrefix(next, " for image")
	}
	return false
}
