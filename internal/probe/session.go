package probe

import (
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/unjam-dev/unjam/internal/snapshot"
)

// session is one probe under way: what earlier stages found.
type session struct {
	place Place
	req   Request
	out   snapshot.Probe
	// missing are stages that failed or were not reached.
	missing map[string]bool
	hide    hider

	// Of the reference.
	registry, repository, tag, digest string
	// host and port are where requests go; Docker Hub's differ from its name.
	host, port string
	scheme     string

	proxy    *url.URL
	proxyErr error
	// proxies are the addresses of proxies in use; another scheme may have
	// another one. Dialling happens in goroutines of the transport.
	proxies sync.Map

	addrs []netip.Addr
	open  []netip.AddrPort // addresses that take connections
	guard guard
	http  *http.Client

	challenge challenge
	attempts  []attempt
	// won is the attempt that read the manifest, nil before.
	won *attempt
	// limits are the headers of the newest answer that told a budget.
	limits http.Header

	config blobRef
	layers []blobRef
	// configRead is true when the configuration was read and is right;
	// configFault says why it could not be.
	configRead  bool
	configFault *result
}

// blobRef is a part of the image.
type blobRef struct {
	digest    string
	size      int64
	mediaType string
}

func newSession(place Place, req Request) *session {
	s := &session{place: place, req: req, missing: map[string]bool{}, scheme: "https"}
	if req.InsecureHTTP {
		s.scheme = "http"
	}
	s.out = snapshot.Probe{Place: place.ProbePlace, At: place.Now().UTC(), As: req.As.ProbeIdentity}
	for _, c := range req.As.Credentials {
		s.hide.add(c.Password.Reveal())
		s.hide.add(c.IdentityToken.Reveal())
		s.hide.basic(c.User, c.Password.Reveal())
	}
	s.out.Image = s.clean(req.Image)
	s.http = s.newClient()
	return s
}

func (s *session) close() { s.http.CloseIdleConnections() }

// base is the address of the registry's API.
func (s *session) base() string {
	host := s.host
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if s.port != defaultPort(s.scheme) {
		host += ":" + s.port
	}
	return s.scheme + "://" + host
}

func defaultPort(scheme string) string {
	if scheme == "http" {
		return "80"
	}
	return "443"
}

// withCredentials tells whether credentials are at hand.
func (s *session) withCredentials() bool { return len(s.req.As.Credentials) > 0 }

// finish files what is shown of the credentials.
func (s *session) finish() {
	for i, c := range s.req.As.Credentials {
		out := snapshot.ProbeCredential{Source: c.Source, Credential: c.Shape, Matches: true, Outcome: "not tried"}
		for _, a := range s.attempts {
			if a.credential == i && a.outcome != "" {
				out.Outcome = a.outcome
			}
		}
		s.out.Credentials = append(s.out.Credentials, out)
	}
	for _, n := range s.req.As.Notes {
		s.out.Credentials = append(s.out.Credentials, snapshot.ProbeCredential{Source: n.Source, Credential: n.Shape, Outcome: n.Text})
	}
	s.out.Signatures = slices.Compact(s.out.Signatures)
}
