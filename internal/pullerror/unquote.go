package pullerror

import "strings"

// squash turns every run of white space into one space, so that text wrapped
// by a terminal, indented by kubectl or joined by newlines (errors.Join in
// containerd 2.1 and newer) reads alike.
func squash(s string) string {
	s = strings.TrimSpace(s)
	clean := true
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c < ' ' || c == 0x7f || (c == ' ' && i > 0 && s[i-1] == ' ') {
			clean = false
			break
		}
	}
	if clean {
		return s
	}
	var b strings.Builder
	b.Grow(len(s))
	space := false
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c <= ' ' || c == 0x7f {
			space = true
			continue
		}
		if space && b.Len() > 0 {
			b.WriteByte(' ')
		}
		space = false
		b.WriteByte(c)
	}
	return b.String()
}

// unescape undoes the escaping of quotes and newlines at any depth: the kubelet
// log quotes messages that quote messages. Other backslashes (Windows paths,
// byte escapes) stay.
func unescape(s string) string {
	if strings.IndexByte(s, '\\') < 0 {
		return s
	}
	var b strings.Builder
	b.Grow(len(s))
	newlines := !strings.Contains(s, `:\`)
	for i := 0; i < len(s); {
		if s[i] != '\\' {
			b.WriteByte(s[i])
			i++
			continue
		}
		j := i
		for j < len(s) && s[j] == '\\' {
			j++
		}
		switch {
		case j < len(s) && s[j] == '"':
			// The quote itself is written by the next turn.
		case j < len(s) && newlines && (s[j] == 'n' || s[j] == 't' || s[j] == 'r'):
			b.WriteByte(' ')
			j++
		default:
			b.WriteString(s[i:j])
		}
		i = j
	}
	return b.String()
}

// quoted returns the content of the quoted string that starts s. When the
// content was not escaped, the last quote of the text ends it.
func quoted(s string) string {
	body := s[1:]
	end := closing(body)
	if end < 0 {
		return body
	}
	if rest := body[end+1:]; rest == "" || rest[0] == ']' || rest[0] == ',' || logField(rest) {
		return body[:end]
	}
	return body[:strings.LastIndexByte(body, '"')]
}

// closing finds the first quote that is not escaped.
func closing(s string) int {
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return i
		}
	}
	return -1
}

// logField tells whether s starts with ` key=`.
func logField(s string) bool {
	if len(s) < 3 || s[0] != ' ' {
		return false
	}
	for i := 1; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '=':
			return i > 1
		case c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || c == '.':
		default:
			return false
		}
	}
	return false
}

// logValue takes the error out of a structured log line (klog's err="…",
// logrus' error="…").
func logValue(s string) (string, bool) {
	for _, key := range []string{` err="`, ` error="`} {
		i := strings.Index(s, key)
		if i < 0 {
			continue
		}
		body := s[i+len(key):]
		end := closing(body)
		if end <= 0 {
			continue
		}
		if rest := body[end+1:]; rest == "" || logField(rest) {
			return body[:end], true
		}
	}
	return s, false
}
