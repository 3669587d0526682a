package probe

import (
	"context"
	"net"
	"net/netip"
	"strings"

	"github.com/distribution/reference"
	"github.com/google/go-containerregistry/pkg/name"
)

// hubHost is where Docker Hub serves its registry.
const hubHost = "registry-1.docker.io"

// parse reads the image's name as the kubelet does (pkg/util/parsers), not
// as registry clients do: those write Docker Hub's host differently.
func parse(s *session) (string, bool) {
	named, err := reference.ParseNormalizedNamed(s.req.Image)
	if err != nil {
		return "the image reference is malformed: " + afterLast(err.Error(), "reference: "), false
	}
	s.registry, s.repository = reference.Domain(named), reference.Path(named)
	if d, has := named.(reference.Digested); has {
		s.digest = d.Digest().String()
	}
	if t, has := named.(reference.Tagged); has {
		s.tag = t.Tag()
	} else if s.digest == "" {
		s.tag = "latest"
	}
	// The registry client must agree that such a host can be asked.
	if _, err := name.NewRegistry(s.registry, name.WeakValidation); err != nil {
		return "the registry's name is malformed: " + s.registry, false
	}
	return "", true
}

func referenceStage(_ context.Context, s *session) result {
	if why, good := parse(s); !good {
		return fail("invalid-image-name", why)
	}
	s.host, s.port = s.registry, defaultPort(s.scheme)
	if h, p, err := net.SplitHostPort(s.registry); err == nil {
		s.host, s.port = h, p
	}
	s.host = strings.Trim(s.host, "[]")
	if s.registry == "docker.io" {
		s.host = hubHost
	}
	s.out.Name = s.word(s.name())
	s.setProxy()
	detail := s.out.Name
	if local(s.host) {
		return warn("registry-localhost-reference", detail+" names localhost, which is another machine on every node")
	}
	return ok(detail)
}

// name is the full normalised reference.
func (s *session) name() string {
	out := s.registry + "/" + s.repository
	if s.tag != "" {
		out += ":" + s.tag
	}
	if s.digest != "" {
		out += "@" + s.digest
	}
	return out
}

// wanted is the manifest to ask for: the digest decides where there is one.
func (s *session) wanted() string {
	if s.digest != "" {
		return s.digest
	}
	return s.tag
}

func local(host string) bool {
	if a, err := netip.ParseAddr(host); err == nil {
		return a.IsLoopback()
	}
	return host == "localhost" || strings.HasSuffix(host, ".localhost")
}
