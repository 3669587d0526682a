package report_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/unjam-dev/unjam/internal/cause"
	"github.com/unjam-dev/unjam/internal/diagnose"
	"github.com/unjam-dev/unjam/internal/report"
)

func schema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	s, err := c.Compile("../../docs/schema/report.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func holds(t *testing.T, s *jsonschema.Schema, doc any) {
	t.Helper()
	var b bytes.Buffer
	if err := report.WriteJSON(&b, doc); err != nil {
		t.Fatal(err)
	}
	var v any
	if err := json.Unmarshal(b.Bytes(), &v); err != nil {
		t.Fatal(err)
	}
	if err := s.Validate(v); err != nil {
		t.Error(err)
	}
}

// TestEveryRecordingHoldsToTheSchema takes every recorded bundle of the
// repository, and the evidence of each as pasted text.
func TestEveryRecordingHoldsToTheSchema(t *testing.T) {
	s := schema(t)
	files, err := filepath.Glob("../../test/scenarios/*/*/bundle.tgz")
	if err != nil || len(files) < 100 {
		t.Fatalf("%d recordings: %v", len(files), err)
	}
	pasted := 0
	for _, file := range files {
		t.Run(filepath.Base(filepath.Dir(file)), func(t *testing.T) {
			r := load(t, file)
			holds(t, s, r)
			for _, v := range r.Verdicts {
				if v.Primary == nil {
					continue
				}
				for _, e := range v.Primary.Evidence {
					found, _ := diagnose.Explain(cause.BuiltIn, e.Receipt.Text)
					pasted += len(found.Findings)
					holds(t, s, found)
				}
			}
		})
	}
	if pasted == 0 {
		t.Error("explain found nothing in any evidence: the test tests nothing")
	}
	nothing, _ := diagnose.Explain(cause.BuiltIn, "")
	holds(t, s, nothing)
}

// TestSchemaRefuses holds the schema itself to being strict.
func TestSchemaRefuses(t *testing.T) {
	s := schema(t)
	for _, doc := range []string{
		`{}`, `{"apiVersion":"unjam.dev/v1alpha1","kind":"Report"}`,
		`{"apiVersion":"unjam.dev/v1alpha1","kind":"Findings","findings":null}`,
		`{"apiVersion":"unjam.dev/v1alpha1","kind":"Findings","findings":[],"more":1}`,
		`{"apiVersion":"unjam.dev/v1alpha1","kind":"Findings","findings":[{"cause":"x"}]}`,
	} {
		var v any
		if err := json.Unmarshal([]byte(doc), &v); err != nil {
			t.Fatal(err)
		}
		if s.Validate(v) == nil {
			t.Errorf("accepted %s", doc)
		}
	}
}

// frozen is the published table. Codes are never renumbered: scripts hold them.
var frozen = map[string]int{
	"image-name": 10, "credentials": 11, "registry": 12, "network": 13, "content": 14, "node-storage": 15, "pull-queue": 16, "quota": 17,
	"admission": 18, "scheduling": 19, "volumes": 20, "autoscaler": 21, "start-config": 22, "sandbox": 23, "crash": 24, "probes": 25,
	"rollout": 26, "node-health": 27, "ownership": 28, "other": 29,
}

func TestStallCodesAreFrozen(t *testing.T) {
	if len(cause.Families) != len(frozen) {
		t.Errorf("%d families, %d codes", len(cause.Families), len(frozen))
	}
	for _, f := range cause.Families {
		if got := report.StallCode(f); got != frozen[string(f)] {
			t.Errorf("%s has code %d, want %d", f, got, frozen[string(f)])
		}
	}
	if got := report.StallCode("no-such-family"); got != 29 {
		t.Errorf("an unknown family has code %d", got)
	}
	seen := map[int]bool{}
	for _, c := range report.ExitCodes() {
		if seen[c.Code] || c.Meaning == "" {
			t.Errorf("code %d: twice, or without a meaning", c.Code)
		}
		seen[c.Code] = true
	}
	if len(seen) != 28 {
		t.Errorf("%d codes, want 0–7 and 10–29", len(seen))
	}
}

func TestExitCodesPage(t *testing.T) {
	var b bytes.Buffer
	if err := report.WriteExitCodes(&b); err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile("../../docs/exit-codes.md")
	if err != nil {
		t.Fatal(err)
	}
	if b.String() != string(page) {
		t.Error("docs/exit-codes.md differs from the table: go run ./docs/generate")
	}
}

func TestCode(t *testing.T) {
	stalled := func(family string) report.Verdict {
		return report.Verdict{State: "stalled", Primary: &report.Finding{Family: family}}
	}
	state := func(s string) report.Verdict { return report.Verdict{State: s} }
	for _, c := range []struct {
		name     string
		verdicts []report.Verdict
		want     int
	}{
		{"nothing", nil, 0},
		{"healthy", []report.Verdict{state("healthy")}, 0},
		{"progressing", []report.Verdict{state("progressing")}, 0},
		{"slow", []report.Verdict{state("slow")}, 3},
		{"waiting", []report.Verdict{state("waiting")}, 3},
		{"recovering", []report.Verdict{state("recovering")}, 3},
		{"unknown", []report.Verdict{state("unknown")}, 4},
		{"unknown beats waiting", []report.Verdict{state("unknown"), state("waiting")}, 4},
		{"unknown beats waiting, other order", []report.Verdict{state("waiting"), state("unknown")}, 4},
		{"one family", []report.Verdict{stalled("image-name")}, 10},
		{"one family twice", []report.Verdict{stalled("quota"), stalled("quota")}, 17},
		{"two families", []report.Verdict{stalled("quota"), stalled("crash")}, 29},
		{"a stall beats unknown", []report.Verdict{state("unknown"), stalled("crash")}, 24},
		{"the other family", []report.Verdict{stalled("other")}, 29},
		{"a stall without a cause", []report.Verdict{state("stalled")}, 29},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := &report.Report{Verdicts: c.verdicts, Summary: map[string]int{}}
			if got := r.Code(); got != c.want {
				t.Errorf("code %d, want %d", got, c.want)
			}
		})
	}
}

func TestSimple(t *testing.T) {
	want := map[int]int{0: 0, 1: 2, 2: 2, 3: 2, 4: 2, 5: 2, 6: 1, 7: 1}
	for code := 10; code <= 29; code++ {
		want[code] = 1
	}
	for code, simple := range want {
		if got := report.Simple(code); got != simple {
			t.Errorf("%d folds to %d, want %d", code, got, simple)
		}
	}
}
