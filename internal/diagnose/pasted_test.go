package diagnose

import (
	"fmt"
	"hash/fnv"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/unjam-dev/unjam/internal/cause"
	"github.com/unjam-dev/unjam/internal/report"
)

// pasted is one text of testdata/pasted with the findings it must give.
type pasted struct {
	name, text string
	// want are sets of codes. A set of one is the cause of a finding; a larger
	// one must all be left open by a finding that is not certain.
	want [][]string
	may  []string
	// open says what is not right yet.
	open string
	// held is true for the half that was left unseen while the rules were tuned on
	// the other.
	held bool
}

func pastedTexts(t testing.TB) []pasted {
	t.Helper()
	files, err := filepath.Glob("testdata/pasted/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no pasted texts: %v", err)
	}
	var out []pasted
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		head, text, ok := strings.Cut(string(raw), "---\n")
		if !ok {
			t.Fatalf("%s has no ---", file)
		}
		p := pasted{name: strings.TrimSuffix(filepath.Base(file), ".txt"), text: text}
		sum := fnv.New32a()
		sum.Write([]byte(p.name))
		p.held = sum.Sum32()%2 == 1
		for line := range strings.SplitSeq(strings.TrimSpace(head), "\n") {
			key, codes, _ := strings.Cut(line, ": ")
			if key == "open" {
				p.open = codes
				continue
			}
			for _, c := range strings.Fields(codes) {
				if c != "unknown" && cause.BuiltIn.ByCode(c) == nil {
					t.Fatalf("%s: no cause %q", file, c)
				}
			}
			switch key {
			case "none":
			case "cause", "rivals":
				p.want = append(p.want, strings.Fields(codes))
			case "may":
				p.may = strings.Fields(codes)
			default:
				t.Fatalf("%s: %q", file, line)
			}
		}
		out = append(out, p)
	}
	return out
}

// wrong says how findings differ from those a text must give; "" when they do not.
func (p pasted) wrong(doc *report.Findings) string {
	var problems []string
	open := slices.Clone(p.want)
	for _, fd := range doc.Findings {
		at := slices.IndexFunc(open, func(set []string) bool { return met(set, fd) })
		switch {
		case at >= 0:
			open = slices.Delete(open, at, at+1)
		case slices.Contains(p.may, fd.Cause):
		default:
			var rivals []string
			for _, r := range fd.Rivals {
				rivals = append(rivals, r.Cause)
			}
			problems = append(problems, fmt.Sprintf("not wanted: %s %s, rivals %v", fd.Confidence, fd.Cause, rivals))
		}
	}
	for _, set := range open {
		problems = append(problems, fmt.Sprintf("missing: %v", set))
	}
	return strings.Join(problems, "; ")
}

func met(set []string, fd report.Finding) bool {
	if len(set) == 1 {
		return fd.Cause == set[0]
	}
	codes := []string{fd.Cause}
	for _, r := range fd.Rivals {
		codes = append(codes, r.Cause)
	}
	return fd.Confidence != string(cause.Certain) && !slices.ContainsFunc(set, func(c string) bool { return !slices.Contains(codes, c) })
}

// TestPastedTexts holds the findings of whole texts in the formats that people paste.
func TestPastedTexts(t *testing.T) {
	right, all := map[bool]int{}, map[bool]int{}
	for _, p := range pastedTexts(t) {
		doc, _ := Explain(cause.BuiltIn, p.text)
		checkNothingInvented(t, p.name, doc)
		all[p.held]++
		if w := p.wrong(doc); w != "" {
			if p.open == "" {
				t.Errorf("%s: %s", p.name, w)
			} else {
				t.Logf("%s is not right yet (%s): %s", p.name, p.open, w)
			}
			continue
		}
		if p.open != "" {
			t.Errorf("%s is right now: take its line \"open\" out", p.name)
		}
		right[p.held]++
	}
	t.Logf("tuned half %d of %d, held half %d of %d", right[false], all[false], right[true], all[true])
}
