package probe

import (
	"encoding/base64"
	"net/url"
	"strings"
	"unicode"

	"github.com/unjam-dev/unjam/internal/snapshot"
)

const (
	redacted  = "[redacted]"
	maxDetail = 400 // characters of one sentence
	maxWord   = 200 // characters of one name told by a registry
)

// hider takes the secrets of this probe out of text, in every form in which a
// registry could send them back. What it does not know by value is left to
// snapshot.Redact.
type hider struct{ values []string }

// minSecret is the length below which a value is too common a word to hide.
const minSecret = 4

func (h *hider) add(v string) {
	if len(v) < minSecret {
		return
	}
	for _, form := range []string{v, strings.TrimSpace(v), url.QueryEscape(v), url.PathEscape(v),
		base64.StdEncoding.EncodeToString([]byte(v)), base64.RawURLEncoding.EncodeToString([]byte(v))} {
		if len(form) >= minSecret {
			h.values = append(h.values, form, redacted)
		}
	}
}

// basic hides the form of a user and password in a request.
func (h *hider) basic(user, password string) {
	if password != "" {
		h.add(base64.StdEncoding.EncodeToString([]byte(user + ":" + password)))
	}
}

func (h *hider) hide(s string) string {
	if len(h.values) == 0 {
		return s
	}
	return strings.NewReplacer(h.values...).Replace(s)
}

// clean makes text fit to keep: without secrets, without what drives a
// terminal, in one line and bounded.
func (s *session) clean(text string) string { return s.cut(text, maxDetail) }

// word is clean for a short name.
func (s *session) word(text string) string { return s.cut(text, maxWord) }

func (s *session) cut(text string, limit int) string {
	if text == "" {
		return ""
	}
	// A secret must not escape by being cut in two, so the cut comes last; the
	// first one only bounds the work.
	text = strings.ToValidUTF8(text[:min(len(text), 8<<10)], "\uFFFD")
	text = snapshot.Redact(s.hide.hide(text))
	text = strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t' || r == '\r':
			return ' '
		case unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || !unicode.IsPrint(r):
			return -1
		}
		return r
	}, text)
	if len(text) > limit {
		text = strings.ToValidUTF8(text[:limit], "") + "…"
	}
	return text
}

// words cleans a list of at most n names.
func (s *session) words(list []string, n int) []string {
	var out []string
	for _, w := range list[:min(len(list), n)] {
		out = append(out, s.word(w))
	}
	return out
}

// shownURL is a URL without user, password, query and fragment.
func shownURL(u *url.URL) string {
	if u == nil {
		return ""
	}
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
}
