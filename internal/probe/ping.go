package probe

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/unjam-dev/unjam/internal/snapshot"
)

// ping asks for /v2/, as CRI-O does first and containerd does not. An odd
// status is therefore a warning: whether the pull works shows at the manifest.
func ping(ctx context.Context, s *session) result {
	a, err := s.do(ctx, ask{method: http.MethodGet, url: s.base() + "/v2/", limit: maxErrorBody})
	if err != nil {
		return s.unreachable(err)
	}
	s.skew(a)
	switch {
	case a.status == http.StatusUnauthorized:
		return s.challenged(a)
	case a.status == http.StatusOK && isHTML(a):
		return warn("unexpected-media-type", s.host+" answers with a web page, as a login portal or a proxy does")
	case a.status == http.StatusOK:
		s.out.Auth = &snapshot.ProbeAuth{Scheme: "none"}
		return ok("speaks the registry protocol and asks for no login here")
	case s.scheme == "http" && a.status == http.StatusBadRequest && strings.Contains(string(a.body), "HTTP request to an HTTPS server"):
		return fail("http-request-to-https", fmt.Sprintf("%s port %s speaks TLS, and was asked in plain HTTP", s.host, s.port))
	}
	cause, what := s.statusFault(a, false)
	return warn(cause, fmt.Sprintf("%s answers %d to the version check%s", s.host, a.status, what))
}

func isHTML(a *answer) bool {
	return strings.HasPrefix(a.header.Get("Content-Type"), "text/html")
}

// unreachable is a failed request to the registry itself.
func (s *session) unreachable(err error) result {
	cause, what := networkFault(err)
	return fail(cause, s.host+" "+what)
}

func (s *session) challenged(a *answer) result {
	s.challenge = choose(a.header.Values("WWW-Authenticate"))
	c := s.challenge
	s.out.Auth = &snapshot.ProbeAuth{Scheme: s.word(c.scheme)}
	if c.is("bearer") { // elsewhere a realm is free text, which nothing here needs
		s.out.Auth.Realm, s.out.Auth.Service = s.word(realmShown(c.params["realm"])), s.word(c.params["service"])
	}
	switch {
	case c.scheme == "":
		return fail("auth-scheme-unsupported", s.host+" answers 401 without saying how to log in")
	case c.is("basic"):
		return ok("wants a Basic login")
	case c.is("bearer") && c.params["realm"] == "":
		return fail("auth-scheme-unsupported", s.host+" wants a token and does not say where to get it")
	case c.is("bearer"):
		return ok("wants a token from " + s.out.Auth.Realm)
	}
	return fail("auth-scheme-unsupported", fmt.Sprintf("%s wants a login of the kind %s, which runtimes do not speak", s.host, s.word(c.scheme)))
}

// skew compares clocks by the Date header.
func (s *session) skew(a *answer) {
	at, err := http.ParseTime(a.header.Get("Date"))
	if err != nil || s.out.TLS == nil {
		return
	}
	seconds := int64(s.place.Now().Sub(at) / time.Second)
	s.out.TLS.ClockSkewSeconds = &seconds
}
