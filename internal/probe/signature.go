package probe

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
)

// signature looks for what vouches for the image: cosign's tag beside it and
// the referrers of the OCI distribution specification 1.1. It checks none.
func signature(ctx context.Context, s *session) result {
	digest := s.out.Manifest.Digest
	if !isDigest(digest) {
		return notAsked("the registry told no digest")
	}
	tag := "sha256-" + strings.TrimPrefix(digest, "sha256:") + ".sig"
	if a, err := s.do(ctx, s.manifestAsk(http.MethodHead, s.repository, tag, s.won.header)); err == nil && a.status == http.StatusOK {
		s.out.Signatures = append(s.out.Signatures, "cosign tag")
	}
	a, err := s.do(ctx, ask{method: http.MethodGet, url: s.base() + "/v2/" + s.repository + "/referrers/" + digest, auth: s.won.header, limit: maxList})
	if err == nil && a.status == http.StatusOK {
		s.referrers(a)
	}
	slices.Sort(s.out.Signatures)
	s.out.Signatures = slices.Compact(s.out.Signatures)
	if len(s.out.Signatures) == 0 {
		return ok("none found")
	}
	return ok("found, not verified: " + strings.Join(s.out.Signatures, ", "))
}

func (s *session) referrers(a *answer) {
	var index struct {
		Manifests []struct {
			ArtifactType string `json:"artifactType"`
		} `json:"manifests"`
	}
	if a.cut || json.Unmarshal(a.body, &index) != nil {
		return
	}
	for _, m := range index.Manifests {
		if m.ArtifactType != "" && len(s.out.Signatures) < maxParams {
			s.out.Signatures = append(s.out.Signatures, "referrer "+s.word(m.ArtifactType))
		}
	}
}
