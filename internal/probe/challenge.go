package probe

import "strings"

// challenge is one WWW-Authenticate header (RFC 9110 §11.6.1).
type challenge struct {
	// scheme is as written; empty means that no login was asked for.
	scheme string
	params map[string]string
}

func (c challenge) is(scheme string) bool { return strings.EqualFold(c.scheme, scheme) }

const maxParams = 20

// parseChallenge reads a header. A header may hold several challenges, or be
// repeated; choose takes the one that runtimes understand.
func parseChallenge(header string) challenge {
	header = strings.TrimSpace(header)
	scheme, rest, _ := strings.Cut(header, " ")
	out := challenge{scheme: scheme, params: map[string]string{}}
	for len(out.params) < maxParams {
		rest = strings.TrimLeft(rest, " \t,")
		key, after, found := strings.Cut(rest, "=")
		if !found || strings.ContainsAny(key, " \"") {
			break
		}
		var value string
		value, rest = parseValue(after)
		out.params[strings.ToLower(strings.TrimSpace(key))] = value
	}
	return out
}

// parseValue reads a token or a quoted string and returns what follows.
func parseValue(s string) (value, rest string) {
	s = strings.TrimLeft(s, " \t")
	if !strings.HasPrefix(s, `"`) {
		end := strings.IndexAny(s, ", \t")
		if end < 0 {
			end = len(s)
		}
		return s[:end], s[end:]
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == '\\' && i+1 < len(s):
			i++
			b.WriteByte(s[i])
		case s[i] == '"':
			return b.String(), s[i+1:]
		default:
			b.WriteByte(s[i])
		}
	}
	return b.String(), ""
}

// choose prefers Bearer, then Basic, then the first that was named.
func choose(headers []string) challenge {
	var all []challenge
	for _, h := range headers[:min(len(headers), maxParams)] {
		all = append(all, parseChallenge(h))
	}
	for _, scheme := range []string{"bearer", "basic"} {
		for _, c := range all {
			if c.is(scheme) {
				return c
			}
		}
	}
	if len(all) > 0 {
		return all[0]
	}
	return challenge{}
}
