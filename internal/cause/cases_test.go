package cause_test

import (
	"maps"
	"slices"
	"testing"

	"github.com/unjam-dev/unjam/internal/cause"
	"github.com/unjam-dev/unjam/internal/facts"
	"github.com/unjam-dev/unjam/internal/snapshot/snaptest"
)

// testCase is one situation with the exact set of findings it must give.
// Every cause has at least one case that fires it and one near-miss: a case
// that looks alike and must not.
type testCase struct {
	// code is the cause the case is about.
	code string
	// name says what the situation is.
	name string
	// near marks a near-miss: code must not be found.
	near bool
	// want is the exact set of causes found, those explained by another left
	// out. Nil means just code, or nothing for a near-miss. Symptoms hide behind
	// any cause and say nothing alone, so they count only when asked for.
	want []string
	// confidence, when set, is what the finding of code must have.
	confidence cause.Confidence
	build      func(b *snaptest.Builder)
}

// cases lists the cases of all families.
func cases() []testCase {
	return slices.Concat(quotaCases, admissionCases, schedulingCases, autoscalerCases, volumeCases, startConfigCases, sandboxCases,
		credentialCases, imageNameCases, registryCases, networkCases, contentCases, nodeStorageCases, pullQueueCases,
		crashCases, probeCases, nodeHealthCases, rolloutCases, ownershipCases, otherCases, rowCases, arithmeticCases)
}

func TestCases(t *testing.T) {
	for _, c := range cases() {
		t.Run(c.code+"/"+c.name, func(t *testing.T) {
			b := snaptest.New()
			c.build(b)
			findings := detectAll(facts.Build(b.Snap))
			want := c.want
			if want == nil && !c.near {
				want = []string{c.code}
			}
			slices.Sort(want)
			if got := unexplained(findings, append(want, c.code)); !slices.Equal(got, want) {
				t.Errorf("findings = %v, want %v", got, want)
				for _, f := range findings {
					t.Logf("  %s (%s): %s", f.Cause, f.Confidence, f.Summary)
				}
			}
			for _, f := range findings {
				checkFinding(t, f)
				if f.Cause == c.code && c.confidence != "" && f.Confidence != c.confidence {
					t.Errorf("%s is %s, want %s", c.code, f.Confidence, c.confidence)
				}
			}
		})
	}
}

func detectAll(f *facts.Facts) []cause.Finding {
	var out []cause.Finding
	for _, w := range f.Workloads {
		for c := range cause.BuiltIn.All() {
			out = append(out, c.Detect(f, w)...)
		}
	}
	return out
}

func isSymptom(f cause.Finding) bool {
	c := cause.BuiltIn.ByCode(f.Cause)
	return f.Class == cause.Symptom || f.Class == "" && c != nil && c.Class == cause.Symptom
}

func unexplained(findings []cause.Finding, asked []string) []string {
	explained := map[string]bool{}
	for _, f := range findings {
		for _, code := range f.Explains {
			explained[code] = true
		}
	}
	set := map[string]bool{}
	for _, f := range findings {
		if !explained[f.Cause] && (!isSymptom(f) || slices.Contains(asked, f.Cause)) {
			set[f.Cause] = true
		}
	}
	return slices.Sorted(maps.Keys(set))
}

// checkFinding holds what every finding must have: a receipt for its claim, a
// catalogued code, settled rivals that exist.
func checkFinding(t *testing.T, f cause.Finding) {
	t.Helper()
	if cause.BuiltIn.ByCode(f.Cause) == nil {
		t.Errorf("%s is not in the catalogue", f.Cause)
	}
	if f.Summary == "" || len(f.Evidence) == 0 {
		t.Errorf("%s: no summary or no evidence: %+v", f.Cause, f)
	}
	for _, e := range f.Evidence {
		if e.Receipt.Kind == "" || e.Receipt.Name == "" || e.Receipt.Field == "" {
			t.Errorf("%s: evidence %q has no receipt", f.Cause, e.Text)
		}
	}
	for _, r := range f.Rivals {
		if cause.BuiltIn.ByCode(r.Cause) == nil || r.SettledBy == "" {
			t.Errorf("%s: rival %+v is not catalogued or not settled by anything", f.Cause, r)
		}
	}
	if f.Confidence == cause.Certain && len(f.Rivals) > 0 {
		t.Errorf("%s: certain with rivals %v", f.Cause, f.Rivals)
	}
}
