package near

import (
	"slices"
	"strings"
)

// Limits of the search for like tags.
const (
	maxTag       = 128 // a tag is no longer (OCI distribution specification)
	maxTags      = 10000
	maxTagsShown = 5
)

// Tags are the image tags that someone who typed want may have meant, closest
// first: "v1.2" for "1.2", "1.2.3" for "1.2", "1.24" for "1.42".
func Tags(want string, have []string) []string {
	if want == "" || len(want) > maxTag {
		return nil
	}
	var byRank [5][]string
	for _, h := range have[:min(len(have), maxTags)] {
		if h == "" || len(h) > maxTag || h == want {
			continue
		}
		if r := tagRank(want, h); r < len(byRank) {
			byRank[r] = append(byRank[r], h)
		}
	}
	var out []string
	for _, tags := range byRank {
		slices.Reverse(tags) // registries list tags in lexical order: later is newer
		out = append(out, tags...)
	}
	return out[:min(len(out), maxTagsShown)]
}

// tagRank is 0 to 4 for tags that are near, more for others.
func tagRank(want, have string) int {
	fold := strings.NewReplacer("_", "-", "+", "-")
	x, y := strings.ToLower(fold.Replace(want)), strings.ToLower(fold.Replace(have))
	bare, other := strings.TrimPrefix(x, "v"), strings.TrimPrefix(y, "v")
	switch {
	case x == y:
		return 0
	case bare == other:
		return 1
	case continues(other, bare), continues(bare, other):
		return 2
	}
	switch d := Distance(bare, other, 2); {
	case d == 1:
		return 3
	case d == 2 && min(len(bare), len(other)) >= 4:
		return 4
	}
	return 5
}

// continues tells whether long is short with more parts: 1.2.3 or 1.2-alpine
// for 1.2.
func continues(long, short string) bool {
	rest, ok := strings.CutPrefix(long, short)
	return ok && short != "" && rest != "" && (rest[0] == '.' || rest[0] == '-')
}
