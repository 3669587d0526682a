// Package probe looks at a registry stage by stage, as a pull would meet it:
// name, DNS, TCP, proxy, TLS, login, manifest, platform, content. Every stage
// is judged by itself and names causes of the catalogue.
//
// Registries are not trusted: every read has a bound in bytes and in time, no
// redirect leads to an address that only this machine should reach, and what a
// registry says is cut and cleaned of credentials before it is kept.
package probe

import (
	"context"
	"crypto/x509"
	"net/netip"
	"net/url"
	"time"

	"github.com/unjam-dev/unjam/internal/keyring"
	"github.com/unjam-dev/unjam/internal/snapshot"
)

// Place is where a probe looks from: its resolver, proxy, trust and clock.
type Place struct {
	snapshot.ProbePlace
	// Lookup resolves a host for the network "ip4" or "ip6" and names the
	// resolver that answered. Nil uses the machine's own.
	Lookup func(ctx context.Context, network, host string) (addrs []netip.Addr, resolver string, err error)
	// Proxy returns the proxy for a URL, nil for none. Nil uses no proxy.
	Proxy func(*url.URL) (*url.URL, error)
	// Roots are the authorities to trust, nil for the machine's own; Trust names
	// them for the reader.
	Roots *x509.CertPool
	Trust string
	// Now is the clock of the place. Nil uses time.Now.
	Now func() time.Time
}

func (p Place) withDefaults() Place {
	if p.Now == nil {
		p.Now = time.Now
	}
	if p.Lookup == nil {
		p.Lookup = SystemLookup("")
	}
	if p.Trust == "" {
		p.Trust = "the machine's own"
	}
	return p
}

// Identity is with whose credentials to ask.
type Identity struct {
	snapshot.ProbeIdentity
	// Credentials are tried in this order, as the kubelet does; with none the
	// registry is asked anonymously.
	Credentials []Credential
	// Notes are Secrets and entries that give no credential, with the cause
	// that each would be if the registry refuses to answer without one.
	Notes []Note
}

// Credential is one credential to try.
type Credential struct {
	// Shape is what may be shown of it.
	Shape  snapshot.Credential
	Source string
	User   string
	// Password or, for a docker login only, IdentityToken.
	Password, IdentityToken keyring.Secret
}

// Note is a Secret, or an entry of one, that gives no credential.
type Note struct {
	Source string
	Shape  snapshot.Credential
	// Cause is a code of the catalogue, empty for an entry that is simply for
	// another registry.
	Cause string
	// Text says why it is not used.
	Text string
	// Blocks is true when the kubelet refuses the whole pull for it.
	Blocks bool
}

// Request is one image to look at.
type Request struct {
	Image string
	As    Identity
	// Platforms are wanted, as os/arch or os/arch/variant; PlatformsFrom says
	// where they come from.
	Platforms     []string
	PlatformsFrom string
	// InsecureHTTP speaks plain HTTP to the registry.
	InsecureHTTP bool
	// HeadOnly fetches no manifest and no content, so that nothing counts as a
	// pull; platform and content are skipped then.
	HeadOnly bool
	Limits   Limits
}

// Limits bound a probe in time. Zero fields take the defaults.
type Limits struct {
	Total   time.Duration // all stages together: 30 s
	Step    time.Duration // one DNS question or one connection: 5 s
	Request time.Duration // one request with its answer: 10 s
}

func (l Limits) withDefaults() Limits {
	set := func(d *time.Duration, def time.Duration) {
		if *d <= 0 {
			*d = def
		}
	}
	set(&l.Total, 30*time.Second)
	set(&l.Step, 5*time.Second)
	set(&l.Request, 10*time.Second)
	return l
}

// Run makes one probe. It always returns: what cannot be reached in time is a
// stage that failed or was skipped.
func Run(ctx context.Context, place Place, req Request) snapshot.Probe {
	req.Limits, place = req.Limits.withDefaults(), place.withDefaults()
	ctx, cancel := context.WithTimeout(ctx, req.Limits.Total)
	defer cancel()
	s := newSession(place, req)
	defer s.close()
	start := time.Now()
	for _, st := range stages {
		s.out.Stages = append(s.out.Stages, s.run(ctx, st))
	}
	s.out.TookMS = millis(time.Since(start))
	s.finish()
	return s.out
}

func millis(d time.Duration) float64 {
	return float64(d.Round(100*time.Microsecond)) / float64(time.Millisecond)
}
