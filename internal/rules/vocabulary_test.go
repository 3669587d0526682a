package rules

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"

	"github.com/unjam-dev/unjam/internal/cause"
	"github.com/unjam-dev/unjam/internal/facts"
	"github.com/unjam-dev/unjam/internal/snapshot/snaptest"
)

// TestEveryFieldReads evaluates every field of every variable on evidence of
// its kind: the declared type and the value must agree.
func TestEveryFieldReads(t *testing.T) {
	b := snaptest.New()
	b.Node("n1")
	set := b.Deployment("web", "reg.acme/web:v2", 5)
	set.FailedCreate("no")
	set.Pod("n1").Crashes(1, "Error", 3)
	set.Pod("n1").PullFails("failed to resolve image: 503 Service Unavailable")
	set.Pod("").Unschedulable("0/1 nodes are available: 1 Insufficient cpu.")
	f := facts.Build(b.Snap)
	for i := range f.Pods {
		for _, c := range f.Pods[i].Containers {
			c.LogTail = []string{"one", "two"}
		}
	}
	w := f.Workloads[0]
	scene := sceneOf(f, w)
	envs := &environments{}
	for _, s := range subjects {
		env, err := envs.env(s)
		if err != nil {
			t.Fatal(err)
		}
		sights := scene.sights(s)
		if len(sights) == 0 {
			t.Errorf("%s: no evidence in the scene", s.name)
		}
		for _, v := range s.variables() {
			for _, fd := range v.of.fields {
				ast, issues := env.Compile(v.name + "." + fd.name)
				if issues.Err() != nil {
					t.Errorf("%s: %v", s.name, issues.Err())
					continue
				}
				prog, err := env.Program(ast, cel.CostLimit(costOnce))
				if err != nil {
					t.Fatal(err)
				}
				for _, x := range sights {
					tr := trial{rule: &rule{}, scene: scene}
					out, _, err := prog.Eval(tr.activation(s, x, nil))
					if err != nil {
						t.Errorf("%s: %s.%s: %v", s.name, v.name, fd.name, err)
					} else if !agrees(out, fd.typ) {
						t.Errorf("%s: %s.%s is a %s, declared %s", s.name, v.name, fd.name, out.Type().TypeName(), fd.typ)
					}
				}
			}
		}
	}
}

func agrees(v ref.Val, typ *types.Type) bool {
	return v.Type().TypeName() == typ.TypeName()
}

// TestGeneralCauses holds the list to the catalogue and to the page on rules.
func TestGeneralCauses(t *testing.T) {
	page, err := os.ReadFile("../../docs/rules.md")
	if err != nil {
		t.Fatal(err)
	}
	for i, code := range general {
		if cause.BuiltIn.ByCode(code) == nil {
			t.Errorf("%s is no cause", code)
		}
		if slices.Contains(general[:i], code) {
			t.Errorf("%s is listed twice", code)
		}
		if !strings.Contains(string(page), "`"+code+"`") {
			t.Errorf("docs/rules.md does not name %s", code)
		}
	}
	for _, s := range subjects {
		if !strings.Contains(string(page), "| `"+s.name+"` |") {
			t.Errorf("docs/rules.md does not name %s", s.name)
		}
	}
	for _, field := range slices.Concat(ruleFields, matchFields) {
		if !strings.Contains(string(page), "`"+field+"`") {
			t.Errorf("docs/rules.md does not name the field %s", field)
		}
	}
}

// TestTypesAreClosed: every field has words and a type that the page can name.
func TestTypesAreClosed(t *testing.T) {
	for _, o := range objects {
		for _, f := range o.fields {
			if f.doc == "" || f.get == nil {
				t.Errorf("%s.%s lacks words or a getter", o.name, f.name)
			}
		}
	}
}
