package demo

import (
	"slices"
	"testing"

	"github.com/unjam-dev/unjam/internal/cause"
	"github.com/unjam-dev/unjam/internal/diagnose"
)

// TestRecordings judges every recording: each must show a workload that is not
// healthy, and the tour must consist of recordings.
func TestRecordings(t *testing.T) {
	names := Names()
	if len(names) < 12 {
		t.Errorf("%d recordings, want at least 12", len(names))
	}
	for _, name := range names {
		snap, err := Load(name)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		r, err := diagnose.Judge(cause.BuiltIn, snap, diagnose.Scope{Namespace: name})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if len(r.Verdicts) == 0 || r.Verdicts[0].Primary == nil {
			t.Errorf("%s: nothing to show", name)
		}
	}
	for _, name := range Tour {
		if !slices.Contains(names, name) {
			t.Errorf("the tour stops at %q, which is no recording", name)
		}
	}
	if _, err := Load("no-such-stall"); err == nil {
		t.Error("a recording that does not exist was loaded")
	}
}
