package probe

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/unjam-dev/unjam/internal/snapshot"
)

// accepted are the kinds of manifest that a runtime asks for.
var accepted = strings.Join([]string{
	string(types.OCIImageIndex), string(types.OCIManifestSchema1), string(types.DockerManifestList), string(types.DockerManifestSchema2),
}, ", ")

func (s *session) manifestAsk(method, repository, ref, auth string) ask {
	return ask{method: method, url: s.base() + "/v2/" + repository + "/manifests/" + ref, auth: auth, accept: accepted, limit: maxManifest}
}

// manifest asks whether the image is there, with HEAD: that counts as a pull
// nowhere.
func manifest(ctx context.Context, s *session) result {
	var broken error
	for i := range s.attempts {
		a := &s.attempts[i]
		if a.refused != nil {
			continue
		}
		if a.answer == nil {
			got, err := s.do(ctx, s.manifestAsk(http.MethodHead, s.repository, s.wanted(), a.header))
			if err != nil {
				broken = err
				continue
			}
			a.answer = got
		}
		if a.answer.status == http.StatusOK {
			a.outcome = "accepted"
			s.won = a
			return s.found(a.answer)
		}
		a.outcome = outcomeOf(s.challenge, a.answer.status)
	}
	best := s.furthest()
	if best == nil {
		if broken != nil {
			return s.unreachable(broken)
		}
		return fail("", "the manifest could not be asked for")
	}
	switch st := best.answer.status; {
	case st == http.StatusNotFound:
		return s.notFound(ctx, best)
	case st == http.StatusUnauthorized || st == http.StatusForbidden:
		return s.denied(ctx, best)
	}
	cause, what := s.statusFault(best.answer, !best.anonymous())
	return fail(cause, fmt.Sprintf("%s answers %d for the manifest of %s%s", s.host, best.answer.status, s.name(), what))
}

// outcomeOf is what a status says of the credential sent.
func outcomeOf(c challenge, status int) string {
	switch {
	case status == http.StatusUnauthorized && !c.is("bearer"):
		return "refused"
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return "denied"
	case status == http.StatusNotFound:
		return "accepted"
	}
	return "not decided"
}

// furthest is the attempt whose answer came closest to the image.
func (s *session) furthest() *attempt {
	rank := func(status int) int {
		switch status {
		case http.StatusNotFound:
			return 0
		case http.StatusForbidden:
			return 1
		case http.StatusUnauthorized:
			return 2
		}
		return 3
	}
	var best *attempt
	for i := range s.attempts {
		if a := &s.attempts[i]; a.answer != nil && (best == nil || rank(a.answer.status) < rank(best.answer.status)) {
			best = a
		}
	}
	return best
}

// found judges the headers of a manifest that is there.
func (s *session) found(a *answer) result {
	media, _, _ := strings.Cut(a.header.Get("Content-Type"), ";")
	media = strings.TrimSpace(media)
	out := &snapshot.ProbeManifest{MediaType: s.word(media), WantedFrom: s.req.PlatformsFrom, Wanted: s.words(s.req.Platforms, maxPlatforms)}
	if d := a.header.Get("Docker-Content-Digest"); isDigest(d) {
		out.Digest = d
	} else if s.digest != "" {
		out.Digest = s.digest
	}
	if n, err := strconv.ParseInt(a.header.Get("Content-Length"), 10, 64); err == nil && n > 0 {
		out.Bytes = n
	}
	s.out.Manifest = out
	kind := types.MediaType(media)
	switch {
	case kind.IsSchema1():
		return fail("schema1-manifest", s.name()+" is in the retired schema 1 format")
	case !kind.IsImage() && !kind.IsIndex():
		return fail("unexpected-media-type", fmt.Sprintf("%s serves %q for the manifest of %s, which is no image", s.host, out.MediaType, s.name()))
	case out.Bytes > maxManifest:
		return fail("manifest-too-large", fmt.Sprintf("the manifest has %d bytes; runtimes read no more than %d", out.Bytes, maxManifest))
	case s.digest != "" && out.Digest != s.digest:
		return fail("digest-mismatch", fmt.Sprintf("%s serves %s for %s", s.host, out.Digest, s.digest))
	}
	what := "image"
	if kind.IsIndex() {
		what = "index of images"
	}
	return ok(fmt.Sprintf("%s there, %s", what, short(out.Digest)))
}

func isDigest(d string) bool {
	hex, good := strings.CutPrefix(d, "sha256:")
	return good && len(hex) == 64 && strings.Trim(hex, "0123456789abcdef") == ""
}

// short is a digest for the reader.
func short(d string) string {
	if !isDigest(d) {
		return "without a digest"
	}
	return d[:len("sha256:")+12]
}
