package cause_test

import (
	"strings"
	"testing"

	"github.com/unjam-dev/unjam/internal/cause"
)

func TestSetRefusesCodesThatExist(t *testing.T) {
	if _, err := cause.BuiltIn.With(cause.Cause{Code: "tag-not-found"}); err == nil || !strings.Contains(err.Error(), `"tag-not-found"`) {
		t.Errorf("a built-in code was shadowed: %v", err)
	}
	if _, err := cause.NewSet(cause.Cause{Code: "a"}, cause.Cause{Code: "a"}); err == nil {
		t.Error("a code was listed twice")
	}
	if _, err := cause.NewSet(cause.Cause{Title: "nameless"}); err == nil {
		t.Error("a cause without a code was taken")
	}
}

func TestSetGrowsByCopy(t *testing.T) {
	n := cause.BuiltIn.Len()
	more, err := cause.BuiltIn.With(cause.Cause{Code: "acme-b", Class: cause.Waiting}, cause.Cause{Code: "acme-a"})
	if err != nil {
		t.Fatal(err)
	}
	if cause.BuiltIn.Len() != n || cause.BuiltIn.ByCode("acme-a") != nil {
		t.Error("With changed the set it was called on")
	}
	if more.Len() != n+2 || more.Order("acme-b") != 0 || more.Order("acme-a") != 1 || more.Order("unknown") != n+1 || more.Order("no-such") != -1 {
		t.Errorf("order: %d causes, acme-b at %d, acme-a at %d", more.Len(), more.Order("acme-b"), more.Order("acme-a"))
	}
	if got := more.ClassOf(cause.Finding{Cause: "acme-b"}); got != cause.Waiting {
		t.Errorf("class of acme-b: %s", got)
	}
	if got := more.ClassOf(cause.Finding{Cause: "acme-b", Class: cause.Symptom}); got != cause.Symptom {
		t.Errorf("the finding's own class lost: %s", got)
	}
	i := 0
	for c := range more.All() {
		if more.Order(c.Code) != i {
			t.Fatalf("%s is at %d, not %d", c.Code, i, more.Order(c.Code))
		}
		i++
	}
}
