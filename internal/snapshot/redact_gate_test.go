package snapshot

import (
	"regexp"
	"strings"
	"testing"
)

// urlPattern is what replaceURLs finds, as a pattern.
var urlPattern = regexp.MustCompile(`[A-Za-z][A-Za-z0-9+.-]*://[^\s"'<>\\` + "`" + `]+`)

// gateTexts are pieces from which texts near the edges of the patterns are made.
var gateTexts = []string{
	"", "a", "1", "://", "http://", "x-1+y://h", "://h/", "https://u:p@h/x?sig=1&scope=a", "9http://a", " ", "\n", "\t", `"`, "'", `\"`, "<", ">", "`",
	"token", "=", ":", ": ", "abcd1234", "api_key", "api-key", "auth", "sig", "x-amz-date", "--", "-", " -", "pass\u017fword", "to\u212Aen", "password", "{", ",", "é", ".", "Signature",
}

// FuzzGates holds that no gate keeps out a text that its pattern matches, and
// that URLs are found as the pattern finds them.
func FuzzGates(f *testing.F) {
	for _, a := range gateTexts {
		for _, b := range gateTexts {
			f.Add(a + b + "x1")
		}
	}
	f.Add(`{\"client_secret\" : \"hunter2\"}`)
	f.Add("db-password: hunter2, token:\tabcdEF12")
	f.Add("token:  \taB3/+!@#$%^*-_9==x, passwort: a, x_api-key: abcdef0123456789==")
	f.Add(strings.Join(gateTexts, ""))
	f.Fuzz(func(t *testing.T, s string) {
		for _, g := range []struct {
			name    string
			may     func(string) bool
			pattern *regexp.Regexp
		}{
			{"equal", mayHoldPair, equalPair}, {"spaced", mayHoldSpacedPair, spacedPair},
			{"quoted", mayHoldQuotedPair, quotedPair}, {"flag", mayHoldFlag, flagPair},
		} {
			if g.pattern.MatchString(s) && !g.may(s) {
				t.Errorf("%s gate keeps out %q", g.name, s)
			}
		}
		if replaceColonPairs(s) != s && !mayHoldColonPair(s) {
			t.Errorf("colon gate keeps out %q", s)
		}
		mark := func(u string) string { return "{" + u + "}" }
		if got, want := replaceURLs(s, mark), urlPattern.ReplaceAllStringFunc(s, mark); got != want {
			t.Errorf("%q: %q, want %q", s, got, want)
		}
	})
}
