package probe

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/unjam-dev/unjam/internal/snapshot"
)

// noteLimits keeps the newest answer that tells a budget.
func (s *session) noteLimits(resp *http.Response) {
	h := resp.Header
	if h.Get("Ratelimit-Limit") != "" || h.Get("Ratelimit-Remaining") != "" || h.Get("Retry-After") != "" {
		s.limits = h
	}
}

// parseLimits reads Docker Hub's headers ("100;w=21600"), nil when the
// registry tells no budget.
func parseLimits(h http.Header) *snapshot.ProbeRateLimit {
	limit, window := parseLimit(h.Get("Ratelimit-Limit"))
	remaining, w := parseLimit(h.Get("Ratelimit-Remaining"))
	if limit < 0 || remaining < 0 {
		return nil
	}
	return &snapshot.ProbeRateLimit{Limit: limit, Remaining: remaining, WindowSeconds: max(window, w)}
}

func parseLimit(v string) (n, window int) {
	count, rest, _ := strings.Cut(v, ";")
	n, err := strconv.Atoi(strings.TrimSpace(count))
	if err != nil || n < 0 {
		return -1, 0
	}
	if w, found := strings.CutPrefix(strings.TrimSpace(rest), "w="); found {
		window, _ = strconv.Atoi(w)
	}
	return n, max(window, 0)
}

// rateLimit reports the budget that answers so far have told.
func rateLimit(_ context.Context, s *session) result {
	l := parseLimits(s.limits)
	after := s.word(s.limits.Get("Retry-After"))
	if l == nil {
		if after != "" {
			s.out.RateLimit = &snapshot.ProbeRateLimit{RetryAfter: after, Limit: -1, Remaining: -1}
			return warn(s.limitCause(s.withCredentials()), "the registry asks to wait: Retry-After "+after)
		}
		return ok("the registry tells no limit")
	}
	l.RetryAfter = after
	l.Source = s.word(s.limits.Get("Docker-Ratelimit-Source"))
	s.out.RateLimit = l
	detail := fmt.Sprintf("%d of %d pulls left", l.Remaining, l.Limit)
	if l.WindowSeconds > 0 {
		detail += fmt.Sprintf(" in %g h", float64(l.WindowSeconds)/3600)
	}
	if l.Source != "" {
		detail += ", counted for " + l.Source
	}
	if l.Remaining*10 < l.Limit {
		return warn(s.limitCause(s.withCredentials()), detail)
	}
	return ok(detail)
}
