package near

import (
	"slices"
	"strconv"
	"strings"
	"testing"
)

func TestTags(t *testing.T) {
	have := []string{"1.24.0", "1.24.1", "1.25.0", "latest", "v2", "v2.0.1", "stable-alpine"}
	for want, near := range map[string][]string{
		"1.24":    {"1.24.1", "1.24.0"},
		"v1.24.1": {"1.24.1", "1.24.0", "1.25.0"},
		"2":       {"v2", "v2.0.1"},
		"lastest": {"latest"},
		"Latest":  {"latest"},
		"stable":  {"stable-alpine"},
		"main":    nil,
		"":        nil,
	} {
		if got := Tags(want, have); !slices.Equal(got, near) {
			t.Errorf("near %q = %v, want %v", want, got, near)
		}
	}
}

// TestTagsAreBounded: a registry may list what it likes.
func TestTagsAreBounded(t *testing.T) {
	have := []string{strings.Repeat("a", 1<<20)}
	for i := range 2 * maxTags {
		have = append(have, strings.Repeat("a", 100)+strconv.Itoa(i))
	}
	if got := Tags(strings.Repeat("a", 100)+"x", have); len(got) != maxTagsShown {
		t.Errorf("%d tags", len(got))
	}
}
