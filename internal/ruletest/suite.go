// Package ruletest runs the unit tests that users write for their rules: a
// snapshot or a pasted text, and the exact set of causes that must come out.
package ruletest

import (
	"slices"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/unjam-dev/unjam/internal/rules"
	"github.com/unjam-dev/unjam/internal/strictyaml"
)

// Kind marks a file of tests.
const Kind = "RulesTest"

// Suite is one file of tests.
type Suite struct {
	File string
	// Rules are the files of rules under test, relative to the suite's file.
	Rules []string
	Tests []Test
}

// Test is one case: exactly one of Objects, Bundle and Text is set.
type Test struct {
	Name string
	Line int
	// Objects are Kubernetes objects as a YAML List.
	Objects []byte
	// Bundle is a bundle, directory or file, relative to the suite's file.
	Bundle string
	// Text is what somebody pasted.
	Text string
	// Now is when the objects were seen; zero for the newest time in them.
	Now time.Time
	// Namespace and Workload limit what is judged.
	Namespace, Workload string
	// Expect is the exact set of causes; empty for none.
	Expect []Expect
}

// Expect is one cause that must be found. Empty fields do not matter.
type Expect struct {
	Cause, Workload, State, Confidence, Summary string
	// Primary demands that it is the primary cause, or is not; nil does not care.
	Primary *bool
}

// The limits of a file of tests.
const (
	maxFile  = 16 << 20
	maxTests = 1000
	maxText  = 4 << 20
)

var (
	suiteFields  = []string{"apiVersion", "kind", "rules", "tests"}
	testFields   = []string{"name", "objects", "bundle", "text", "now", "namespace", "workload", "expect"}
	expectFields = []string{"cause", "workload", "state", "confidence", "summary", "primary"}
	states       = []string{"stalled", "unknown", "recovering", "slow", "waiting", "progressing", "healthy"}
)

// MaxFile is how many bytes a file of tests may have.
const MaxFile = maxFile

// Parse reads a file of tests. Faults are strictyaml.Errors.
func Parse(name string, data []byte) (*Suite, error) {
	d := &strictyaml.Document{File: name, MaxBytes: maxFile}
	s := &Suite{File: name}
	for _, root := range d.Decode(data) {
		s.read(root)
	}
	if len(d.Problems()) == 0 && len(s.Tests) == 0 {
		d.Report(0, 0, "the file holds no test")
	}
	if p := d.Problems(); len(p) > 0 {
		return nil, strictyaml.Errors(strictyaml.Sorted(slices.Clone(p)))
	}
	return s, nil
}

func (s *Suite) read(root strictyaml.Item) {
	f := root.Fields(suiteFields, suiteFields)
	if v, ok := f["apiVersion"]; ok {
		v.Choice("version", []string{rules.APIVersion})
	}
	if v, ok := f["kind"]; ok {
		v.Choice("kind", []string{Kind})
	}
	if v, ok := f["rules"]; ok {
		for _, e := range v.Elements(maxTests) {
			if path, ok := e.Text(4096); ok {
				s.Rules = append(s.Rules, path)
			}
		}
	}
	v, ok := f["tests"]
	if !ok {
		return
	}
	for _, e := range v.Elements(maxTests) {
		s.Tests = append(s.Tests, readTest(e))
	}
}

func readTest(n strictyaml.Item) Test {
	f := n.Fields(testFields, []string{"name", "expect"})
	t := Test{Line: n.Node.Line}
	for field, to := range map[string]*string{"name": &t.Name, "bundle": &t.Bundle, "namespace": &t.Namespace, "workload": &t.Workload} {
		if v, ok := f[field]; ok {
			*to, _ = v.Text(500)
		}
	}
	if v, ok := f["text"]; ok {
		t.Text, _ = v.Text(maxText)
	}
	if v, ok := f["objects"]; ok {
		t.Objects = objects(v)
	}
	if v, ok := f["now"]; ok {
		t.Now = moment(v)
	}
	given := 0
	for _, k := range []string{"objects", "bundle", "text"} {
		if _, ok := f[k]; ok {
			given++
		}
	}
	if given != 1 {
		n.Fail("needs exactly one of objects, bundle and text")
	}
	if v, ok := f["expect"]; ok {
		t.Expect = expectations(v)
	}
	return t
}

func moment(n strictyaml.Item) time.Time {
	at, err := time.Parse(time.RFC3339, n.Node.Value)
	if err != nil {
		n.Fail("%q is not a time such as 2026-01-02T10:10:00Z", strictyaml.Short(n.Node.Value))
	}
	return at
}

// objects are the items as one List, for the decoder of snapshots.
func objects(n strictyaml.Item) []byte {
	if len(n.Elements(10_000)) == 0 {
		n.Fail("holds no object")
		return nil
	}
	out, err := yaml.Marshal(struct {
		APIVersion string     `yaml:"apiVersion"`
		Kind       string     `yaml:"kind"`
		Items      *yaml.Node `yaml:"items"`
	}{"v1", "List", n.Node})
	if err != nil {
		n.Fail("cannot be read: %v", err)
	}
	return out
}

func expectations(n strictyaml.Item) []Expect {
	if n.Node.Kind == yaml.ScalarNode && n.Node.Value == "none" {
		return nil
	}
	var out []Expect
	for _, e := range n.Elements(maxTests) {
		f := e.Fields(expectFields, []string{"cause"})
		var x Expect
		for field, to := range map[string]*string{"cause": &x.Cause, "workload": &x.Workload, "summary": &x.Summary} {
			if v, ok := f[field]; ok {
				*to, _ = v.Text(1000)
			}
		}
		if v, ok := f["state"]; ok {
			x.State, _ = v.Choice("state", states)
		}
		if v, ok := f["confidence"]; ok {
			x.Confidence, _ = v.Choice("confidence", []string{"certain", "likely", "possible"})
		}
		if v, ok := f["primary"]; ok {
			switch v.Node.Value {
			case "true", "false":
				yes := v.Node.Value == "true"
				x.Primary = &yes
			default:
				v.Fail("must be true or false")
			}
		}
		out = append(out, x)
	}
	if len(out) == 0 {
		n.Fail("holds no cause; write none where nothing must be found")
	}
	return out
}
