package rules_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/unjam-dev/unjam/internal/cause"
	"github.com/unjam-dev/unjam/internal/facts"
	"github.com/unjam-dev/unjam/internal/rules"
	"github.com/unjam-dev/unjam/internal/strictyaml"
)

// FuzzLoad: no file panics; every fault has a place inside the file and words;
// what loads can judge.
func FuzzLoad(f *testing.F) {
	f.Add([]byte(good))
	paths, _ := filepath.Glob("../../docs/rules/*.yaml")
	for _, p := range paths {
		data, err := os.ReadFile(p)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte("a: &a [*a]"))
	f.Add([]byte(strings.Repeat("[", 2000)))
	crash, refusal := crashing(2, "license L-7 expired"), refused(denial)
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 1<<14 {
			return
		}
		r, err := rules.Load(cause.BuiltIn, rules.File{Name: "r.yaml", Data: data})
		if err != nil {
			faults, ok := err.(strictyaml.Errors)
			if !ok || len(faults) == 0 {
				t.Fatalf("%T: %v", err, err)
			}
			lines := 2
			for _, r := range string(data) {
				if strings.ContainsRune("\n\r\u0085\u2028\u2029", r) { // what YAML 1.1 takes for the end of a line
					lines++
				}
			}
			for _, p := range faults {
				if p.Text == "" || p.Line < 0 || p.Line > lines {
					t.Fatalf("%+v in %d lines", p, lines)
				}
			}
			return
		}
		fc, fr := facts.Build(crash), facts.Build(refusal)
		for _, c := range r.Causes() {
			c.Detect(fc, fc.Workloads[0])
			c.Detect(fr, fr.Workloads[0])
			c.Gaps(fc, fc.Workloads[0])
		}
	})
}
