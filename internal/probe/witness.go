package probe

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/unjam-dev/unjam/internal/near"
	"github.com/unjam-dev/unjam/internal/snapshot"
)

// absentName ends the name of a repository that does not exist.
const absentName = "unjam-probe-asks-for-what-is-not-there"

// anonymous asks for the manifest without a credential; nil when that failed.
func (s *session) anonymous(ctx context.Context) *answer {
	header := ""
	if s.challenge.is("bearer") {
		kept := *s.out.Auth
		a := s.token(ctx, -1)
		*s.out.Auth = kept
		if a.refused != nil {
			return nil
		}
		header = a.header
	}
	got, err := s.do(ctx, s.manifestAsk(http.MethodHead, s.repository, s.wanted(), header))
	if err != nil {
		return nil
	}
	return got
}

// control asks for a repository beside the wanted one that does not exist, and
// returns the status, 0 when there was none.
func (s *session) control(ctx context.Context, a *attempt) int {
	repository := absentName
	if i := strings.LastIndexByte(s.repository, '/'); i >= 0 {
		repository = s.repository[:i+1] + absentName
	}
	header := a.header
	if s.challenge.is("bearer") {
		kept := *s.out.Auth
		t := s.tokenFor(ctx, a.credential, "repository:"+repository+":pull")
		*s.out.Auth = kept
		if t.refused != nil {
			return t.status
		}
		header = t.header
	}
	got, err := s.do(ctx, s.manifestAsk(http.MethodHead, repository, "latest", header))
	if err != nil {
		return 0
	}
	return got.status
}

// list reads a list of names from the registry's API.
func (s *session) list(ctx context.Context, path, field, header string) (names []string, status int) {
	a, err := s.do(ctx, ask{method: http.MethodGet, url: s.base() + path, auth: header, limit: maxList})
	if err != nil {
		return nil, 0
	}
	if a.status != http.StatusOK {
		return nil, a.status
	}
	var doc map[string]json.RawMessage
	if a.cut || json.Unmarshal(a.body, &doc) != nil || json.Unmarshal(doc[field], &names) != nil {
		return nil, 0
	}
	// A registry may list what it likes; only names are kept.
	return slices.DeleteFunc(names, func(n string) bool { return !validName(n) }), a.status
}

// listed tells whether the registry's catalogue has the repository, and keeps
// those that are near. Most registries show the catalogue to nobody.
func (s *session) listed(ctx context.Context, a *attempt) bool {
	names, status := s.list(ctx, "/v2/_catalog?n=1000", "repositories", a.header)
	if status != http.StatusOK {
		return false
	}
	if slices.Contains(names, s.repository) {
		return true
	}
	// The wanted one apart from its project, too: the project is often wrong.
	like := near.Names(s.repository, names)
	base := s.repository[strings.LastIndexByte(s.repository, '/')+1:]
	for _, n := range names {
		if len(like) < maxNear && n[strings.LastIndexByte(n, '/')+1:] == base && !slices.Contains(like, n) {
			like = append(like, n)
		}
	}
	s.near().Repositories = s.words(like, maxNear)
	return false
}

const maxNear = 5

func (s *session) near() *snapshot.ProbeNear {
	if s.out.Near == nil {
		s.out.Near = &snapshot.ProbeNear{}
	}
	return s.out.Near
}

// notFound tells a missing tag from a missing repository by the list of tags.
func (s *session) notFound(ctx context.Context, a *attempt) result {
	detail := fmt.Sprintf("%s has no manifest %s", s.host, s.name())
	tags, status := s.list(ctx, "/v2/"+s.repository+"/tags/list", "tags", a.header)
	switch status {
	case http.StatusOK:
		s.nearTags(ctx, a, tags)
		if s.digest != "" {
			return fail("digest-not-found", fmt.Sprintf("%s has the repository %s but not the digest %s", s.host, s.repository, short(s.digest)))
		}
		return fail("tag-not-found", fmt.Sprintf("%s has the repository %s but not the tag %s%s", s.host, s.repository, s.tag, s.nearWords()))
	case http.StatusNotFound:
		if s.listed(ctx, a) {
			return fail("tag-not-found", detail+"; the catalogue lists the repository, which has no tags")
		}
		words := ""
		if n := s.out.Near; n != nil && len(n.Repositories) > 0 {
			words = "; it has " + strings.Join(n.Repositories, ", ")
		}
		return fail("repo-not-found", fmt.Sprintf("%s has no repository %s%s", s.host, s.repository, words))
	}
	code := "tag-not-found"
	if s.digest != "" {
		code = "digest-not-found"
	}
	return fail(code, detail, rival("repo-not-found", "list the repository's tags with an account that may (crane ls "+s.registry+"/"+s.repository+")"))
}

// nearTags keeps tags like the wanted one with their digests, the last ones
// when none is like it.
func (s *session) nearTags(ctx context.Context, a *attempt, tags []string) {
	out := s.near()
	out.TagCount = len(tags)
	like := near.Tags(s.tag, tags)
	if len(like) == 0 {
		like = slices.Clone(tags[max(0, len(tags)-maxNear):])
		slices.Reverse(like)
	}
	for i, tag := range like {
		t := snapshot.ProbeTag{Name: s.word(tag)}
		// HEAD costs no quota; a few are enough to see which tags are one image.
		if i < 3 {
			if got, err := s.do(ctx, s.manifestAsk(http.MethodHead, s.repository, tag, a.header)); err == nil && got.status == http.StatusOK && isDigest(got.header.Get("Docker-Content-Digest")) {
				t.Digest = got.header.Get("Docker-Content-Digest")
			}
		}
		out.Tags = append(out.Tags, t)
	}
}

// validName tells a tag or repository from other text (OCI distribution
// specification, "Pulling manifests").
func validName(name string) bool {
	return name != "" && len(name) <= 255 && !strings.Contains(name, "..") && !strings.ContainsFunc(name, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '.' || r == '-' || r == '_' || r == '/')
	})
}

func (s *session) nearWords() string {
	if s.out.Near == nil || len(s.out.Near.Tags) == 0 {
		return "; it has no tags"
	}
	var words []string
	for _, t := range s.out.Near.Tags {
		words = append(words, t.Name)
	}
	return fmt.Sprintf("; of its %s: %s", plural(s.out.Near.TagCount, "tag", "tags"), strings.Join(words, ", "))
}
