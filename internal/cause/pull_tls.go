package cause

import (
	"fmt"
	"strings"
	"time"

	"github.com/unjam-dev/unjam/internal/facts"
	"github.com/unjam-dev/unjam/internal/pullerror"
)

// maxClockGap is how far the node's clock may be off before it, not the
// certificate, is to blame.
const maxClockGap = 5 * time.Minute

// judgeTLS handles connections that fail between TCP and the first request.
func judgeTLS(f *facts.Facts, w *facts.Workload, t *trouble) []Finding {
	s := scopeOf(f, t)
	host, where := t.host(), nodesWords(t.nodes)
	one := func(code, summary string) []Finding {
		return []Finding{s.apply(t.finding(w, code, Certain, summary))}
	}
	switch t.err.Kind {
	case pullerror.TLSUnknownCA:
		return one("tls-unknown-ca", fmt.Sprintf("%s does not trust the certificate of %s: no known authority signed it", where, host))
	case pullerror.TLSName:
		return one("tls-name-mismatch", fmt.Sprintf("the certificate shown for %s is for other names%s", host, namesWords(t.err.Text)))
	case pullerror.TLSCNOnly:
		return one("tls-cn-only", fmt.Sprintf("the certificate of %s names the host only as common name, which is no longer read", host))
	case pullerror.HTTPResponse:
		return one("tls-http-response", fmt.Sprintf("%s speaks plain HTTP, and %s asks it with HTTPS", host, where))
	case pullerror.TLSHandshake:
		return one("tls-handshake-failure", fmt.Sprintf("%s breaks off the TLS handshake with %s: %s", host, where, clip(t.err.Text)))
	}
	clock, limit, detail := certificateTimes(t.err.Text)
	gap := clockGap(t, clock)
	switch {
	case gap.Abs() > maxClockGap:
		fd := t.finding(w, "tls-not-yet-valid-clock-skew", Certain, fmt.Sprintf("the clock of %s is wrong by %s, so it takes the certificate of %s for invalid", where, gap.Abs().Round(time.Minute), host))
		fd.Key = s.Key
		if n := t.node(); n != "" {
			fd.Key = "node " + n
		}
		return []Finding{fd}
	case t.err.Kind == pullerror.TLSNotYetValid:
		fd := t.finding(w, "tls-not-yet-valid-clock-skew", Certain, fmt.Sprintf("the certificate of %s is valid from %s on, and the clock of %s says %s: the clock is behind, or the certificate starts later", host, day(limit), where, day(clock)))
		return []Finding{s.apply(fd)}
	case !detail:
		fd := t.finding(w, "tls-expired", Likely, fmt.Sprintf("%s takes the certificate of %s for expired or not yet valid", where, host),
			rival("tls-not-yet-valid-clock-skew", "compare the node's clock and the certificate's dates (date; openssl s_client -connect "+host+" | openssl x509 -noout -dates)"))
		return []Finding{s.apply(fd)}
	}
	return one("tls-expired", fmt.Sprintf("the certificate of %s expired on %s", host, day(limit)))
}

func day(t time.Time) string {
	if t.IsZero() {
		return "a time not given"
	}
	return t.UTC().Format("2006-01-02 15:04 UTC")
}

// certificateTimes reads "current time T1 is after T2" (crypto/x509 verify.go).
func certificateTimes(text string) (clock, limit time.Time, ok bool) {
	_, rest, found := strings.Cut(text, "current time ")
	first, rest, found2 := strings.Cut(rest, " is ")
	if !found || !found2 {
		return clock, limit, false
	}
	_, second, _ := strings.Cut(rest, " ")
	second, _, _ = strings.Cut(second, " ")
	clock, err := time.Parse(time.RFC3339, first)
	if err != nil {
		return clock, limit, false
	}
	limit, err = time.Parse(time.RFC3339, strings.TrimRight(second, ".,;:\"'"))
	return clock, limit, err == nil
}

// clockGap is how far the node's clock, printed in the error, is from the API
// server's, which stamps the event. It needs the very event and its server-side
// creation time; anything less proves nothing.
func clockGap(t *trouble, clock time.Time) time.Duration {
	if clock.IsZero() {
		return 0
	}
	printed := "current time " + clock.UTC().Format(time.RFC3339)
	for _, e := range t.pod().Events {
		if created := e.Obj.CreationTimestamp.Time; e.Count <= 1 && !created.IsZero() && strings.Contains(e.Message, printed) {
			return clock.Sub(created)
		}
	}
	return 0
}

// namesWords quotes the names that the certificate is for.
func namesWords(text string) string {
	_, rest, ok := strings.Cut(text, "certificate is valid for ")
	names, _, ok2 := strings.Cut(rest, ", not ")
	switch {
	case ok && ok2 && len(names) < 200:
		return ": " + names
	case strings.Contains(text, "any IP SANs"):
		return ": it holds no address, and the image names one"
	}
	return ""
}
