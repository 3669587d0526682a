package strictyaml

import "github.com/unjam-dev/unjam/internal/near"

// Nearest is the word of the list that is at most two edits from s, "" when
// none is.
func Nearest(s string, list []string) string {
	best, at := "", 3
	if len(s) > 64 || len(s) < 3 {
		return ""
	}
	for _, w := range list {
		if d := near.Distance(s, w, 2); d < at {
			best, at = w, d
		}
	}
	return best
}
