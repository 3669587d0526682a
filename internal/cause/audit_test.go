package cause_test

import (
	"testing"

	"github.com/unjam-dev/unjam/internal/cause"
)

// TestCatalogue holds the catalogue to its promises: unique codes, a case that
// fires each cause and a near-miss that does not, and a playbook that checks
// and mends.
func TestCatalogue(t *testing.T) {
	fires, near := map[string]bool{}, map[string]bool{}
	for _, c := range cases() {
		if c.near {
			near[c.code] = true
		} else {
			fires[c.code] = true
		}
	}
	seen := map[string]bool{}
	for c := range cause.BuiltIn.All() {
		if seen[c.Code] {
			t.Errorf("%s is listed twice", c.Code)
		}
		seen[c.Code] = true
		if !fires[c.Code] {
			t.Errorf("%s: no case fires it", c.Code)
		}
		if !near[c.Code] {
			t.Errorf("%s: no near-miss", c.Code)
		}
		if c.Title == "" || c.Class == "" || c.Family == "" || c.Detect == nil {
			t.Errorf("%s: title, class, family or Detect is missing", c.Code)
		}
		if c.Playbook.Means == "" || len(c.Playbook.Verify) == 0 || len(c.Playbook.Mend) == 0 {
			t.Errorf("%s: the playbook lacks meaning, a check or a remedy", c.Code)
		}
		for _, s := range c.Playbook.Mend {
			if s.Approver == "" || s.Command != "" && s.Undo == "" {
				t.Errorf("%s: remedy %q lacks an approver or says not how to undo it", c.Code, s.Text)
			}
		}
	}
}
