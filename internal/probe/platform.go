package probe

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

const (
	maxPlatforms = 32
	maxLayer     = 1 << 45 // a larger size is no size
	// fewLeft is the pull budget below which none is spent on looking.
	fewLeft = 5
)

// platform compares what the image has with what is wanted. It fetches the
// manifest, which Docker Hub counts as a pull.
func platform(ctx context.Context, s *session) result {
	if why := s.noGet(); why != "" {
		return notAsked(why)
	}
	ref := s.out.Manifest.Digest
	if ref == "" {
		ref = s.wanted()
	}
	body, bad := s.fetch(ctx, ref)
	if bad != nil {
		return *bad
	}
	if types.MediaType(s.out.Manifest.MediaType).IsIndex() {
		return s.ofIndex(ctx, body)
	}
	return s.ofImage(ctx, body)
}

// noGet says why nothing may be fetched, empty when it may.
func (s *session) noGet() string {
	if s.req.HeadOnly {
		return "only HEAD requests were asked for"
	}
	if l := parseLimits(s.limits); l != nil && l.Remaining < fewLeft {
		return fmt.Sprintf("only %s left of the registry's budget; none is spent on looking", plural(l.Remaining, "pull", "pulls"))
	}
	return ""
}

// fetch reads one manifest whole and checks its digest.
func (s *session) fetch(ctx context.Context, ref string) ([]byte, *result) {
	s.out.Manifest.GETs++
	stop := func(r result) ([]byte, *result) { return nil, &r }
	a, err := s.do(ctx, s.manifestAsk(http.MethodGet, s.repository, ref, s.won.header))
	switch {
	case err != nil:
		return stop(s.unreachable(err))
	case a.status == http.StatusNotFound && isDigest(ref):
		return stop(fail("digest-not-found", fmt.Sprintf("%s has no manifest %s, which the image refers to", s.host, short(ref))))
	case a.status != http.StatusOK:
		cause, what := s.statusFault(a, !s.won.anonymous())
		return stop(fail(cause, fmt.Sprintf("%s answers %d for the manifest %s%s", s.host, a.status, short(ref), what)))
	case a.cut:
		return stop(fail("manifest-too-large", fmt.Sprintf("the manifest has more than %d bytes, which runtimes do not read", maxManifest)))
	case a.broken != nil:
		return stop(s.unreachable(a.broken))
	case isDigest(ref) && digestOf(a.body) != ref:
		return stop(wrongBytes(a.body, "the manifest", ref))
	}
	return a.body, nil
}

func digestOf(b []byte) string {
	sum := sha256.Sum256(b)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// wrongBytes judges content that does not have its digest.
func wrongBytes(body []byte, what, want string) result {
	if len(body) == 0 {
		return fail("empty-body-digest", what+" "+short(want)+" arrives empty")
	}
	return fail("digest-mismatch", fmt.Sprintf("%s %s arrives as %s", what, short(want), short(digestOf(body))))
}

func platformName(p *v1.Platform) string {
	if p == nil {
		return "unknown"
	}
	out := p.OS + "/" + p.Architecture
	if p.Variant != "" {
		out += "/" + p.Variant
	}
	return out
}

// fits tells whether a platform of an image serves a wanted one. arm64 is
// arm64/v8; a wanted platform without variant takes any.
func fits(has, want string) bool {
	norm := func(s string) string { return strings.TrimSuffix(s, "/v8") }
	has, want = norm(has), norm(want)
	return has == want || strings.HasPrefix(has, want+"/")
}

func (s *session) ofIndex(ctx context.Context, body []byte) result {
	index, err := v1.ParseIndexManifest(bytes.NewReader(body))
	if err != nil {
		return fail("unexpected-media-type", "the index of images is not readable")
	}
	var child *v1.Descriptor
	out := s.out.Manifest
	for i, m := range index.Manifests {
		name := platformName(m.Platform)
		if name == "unknown" || name == "unknown/unknown" || !m.MediaType.IsImage() {
			continue // an attestation
		}
		if len(out.Platforms) < maxPlatforms {
			out.Platforms = append(out.Platforms, s.word(name))
		}
		if child == nil && len(s.req.Platforms) > 0 && fits(name, s.req.Platforms[0]) {
			child = &index.Manifests[i]
		}
	}
	r, good := s.match(false)
	if child == nil || !good {
		return r
	}
	if !isDigest(child.Digest.String()) {
		return fail("unexpected-media-type", "the index of images names a digest that is none")
	}
	body, bad := s.fetch(ctx, child.Digest.String())
	if bad != nil {
		return *bad
	}
	if bad := s.parts(body); bad != nil {
		return *bad
	}
	return r
}

// match compares platforms; good is false when the pull ends here.
func (s *session) match(single bool) (result, bool) {
	out := s.out.Manifest
	var lacking []string
	for _, w := range out.Wanted {
		if !slices.ContainsFunc(out.Platforms, func(has string) bool { return fits(has, w) }) {
			lacking = append(lacking, w)
		}
	}
	has := strings.Join(out.Platforms[:min(len(out.Platforms), 8)], ", ")
	from := ""
	if out.WantedFrom != "" {
		from = " (" + out.WantedFrom + ")"
	}
	switch {
	case len(lacking) == 0:
		return ok(fmt.Sprintf("has %s; wanted %s%s", has, strings.Join(out.Wanted, ", "), from)), true
	case len(lacking) < len(out.Wanted):
		return warn("platform-mismatch", fmt.Sprintf("has %s; nodes of %s cannot run it%s", has, strings.Join(lacking, ", "), from)), true
	case single:
		// Runtimes pull an image without an index whatever its platform is.
		return fail("wrong-arch-at-exec", fmt.Sprintf("is built for %s only, and wanted is %s%s: it is pulled and does not start", has, strings.Join(lacking, ", "), from)), true
	}
	return fail("platform-mismatch", fmt.Sprintf("has %s, not %s%s", orNothing(has), strings.Join(lacking, ", "), from)), false
}

func orNothing(s string) string {
	if s == "" {
		return "no platform"
	}
	return s
}

// parts keeps the content of one image's manifest.
func (s *session) parts(body []byte) *result {
	m, err := v1.ParseManifest(bytes.NewReader(body))
	if err != nil || !isDigest(m.Config.Digest.String()) {
		r := fail("unexpected-media-type", "the manifest is not readable as that of an image")
		return &r
	}
	s.config = blobRef{m.Config.Digest.String(), m.Config.Size, string(m.Config.MediaType)}
	out := s.out.Manifest
	for _, l := range m.Layers {
		if !l.MediaType.IsDistributable() || !isDigest(l.Digest.String()) || l.Size < 0 || l.Size > maxLayer {
			continue
		}
		s.layers = append(s.layers, blobRef{l.Digest.String(), l.Size, string(l.MediaType)})
		out.ImageBytes += l.Size
	}
	out.Layers = len(m.Layers)
	return nil
}

// ofImage reads the platform from the image's configuration.
func (s *session) ofImage(ctx context.Context, body []byte) result {
	if bad := s.parts(body); bad != nil {
		return *bad
	}
	if kind := types.MediaType(s.config.mediaType); !kind.IsConfig() {
		return ok("not a container image but " + s.word(s.config.mediaType) + ", without a platform")
	}
	raw, _, bad := s.whole(ctx, s.config, "the configuration")
	if bad != nil {
		s.configFault = bad
		return warn("", "the platform stands in the image's configuration, which could not be read")
	}
	var cfg struct {
		OS           string `json:"os"`
		Architecture string `json:"architecture"`
		Variant      string `json:"variant"`
	}
	if json.Unmarshal(raw, &cfg) != nil || cfg.Architecture == "" {
		return ok("the image names no platform")
	}
	s.configRead = true
	s.out.Manifest.Platforms = []string{s.word(platformName(&v1.Platform{OS: cfg.OS, Architecture: cfg.Architecture, Variant: cfg.Variant}))}
	r, _ := s.match(true)
	return r
}
