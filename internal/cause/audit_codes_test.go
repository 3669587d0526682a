package cause_test

import (
	"bufio"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/unjam-dev/unjam/internal/cause"
)

// notCoveredPage lists the codes that the catalogue leaves out, with reasons.
const notCoveredPage = "../../docs/causes/not-covered.md"

// specified are the codes of the specification, and the list each is from.
func specified(t *testing.T) map[string]string {
	t.Helper()
	b, err := os.Open("testdata/codes.tsv")
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	out := map[string]string{}
	for s := bufio.NewScanner(b); s.Scan(); {
		if strings.HasPrefix(s.Text(), "#") {
			continue
		}
		code, list, ok := strings.Cut(s.Text(), "\t")
		if !ok {
			t.Fatalf("line %q has no list", s.Text())
		}
		out[code] = list
	}
	return out
}

var codeCell = regexp.MustCompile("^`([a-z0-9-]+)`$")

// notCovered are the rows of the page: why, evidence and reading, by code.
func notCovered(t *testing.T) map[string][]string {
	t.Helper()
	b, err := os.ReadFile(notCoveredPage)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]string{}
	for line := range strings.Lines(string(b)) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if len(cells) < 2 {
			continue
		}
		m := codeCell.FindStringSubmatch(strings.TrimSpace(cells[0]))
		if m == nil {
			continue
		}
		if out[m[1]] != nil {
			t.Errorf("%s is listed twice in %s", m[1], notCoveredPage)
		}
		out[m[1]] = cells[1:]
	}
	return out
}

// TestEveryCodeIsAccountedFor holds each code of the specification to be in the
// catalogue or among those left out with a reason, and in one of them only.
func TestEveryCodeIsAccountedFor(t *testing.T) {
	codes, out := specified(t), notCovered(t)
	if len(codes) < 350 {
		t.Errorf("%d codes, want at least 350", len(codes))
	}
	for _, code := range slices.Sorted(maps.Keys(codes)) {
		_, left := out[code]
		switch in := cause.BuiltIn.ByCode(code) != nil; {
		case in && left:
			t.Errorf("%s is in the catalogue and in not-covered.md", code)
		case !in && !left:
			t.Errorf("%s (list %s) is neither in the catalogue nor in not-covered.md", code, codes[code])
		}
	}
	for _, code := range slices.Sorted(maps.Keys(out)) {
		if codes[code] == "" {
			t.Errorf("%s is in not-covered.md and in no list", code)
		}
		if cells := out[code]; len(cells) != 3 {
			t.Errorf("%s: not-covered.md has %d columns beside the code, want 3", code, len(cells))
		} else {
			for i, what := range []string{"reason", "evidence", "reading"} {
				if len(strings.Fields(cells[i])) < 5 {
					t.Errorf("%s: not-covered.md gives no %s", code, what)
				}
			}
		}
	}
	// A code that nobody specified is fine, but must be deliberate: it is
	// listed too.
	for c := range cause.BuiltIn.All() {
		if codes[c.Code] == "" {
			t.Errorf("%s is in the catalogue and not in testdata/codes.tsv", c.Code)
		}
	}
}
