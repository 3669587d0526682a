package ruletest

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/unjam-dev/unjam/internal/cause"
	"github.com/unjam-dev/unjam/internal/diagnose"
	"github.com/unjam-dev/unjam/internal/report"
	"github.com/unjam-dev/unjam/internal/snapshot"
)

// Result is how one test ended.
type Result struct {
	File string `json:"file"`
	Line int    `json:"line"`
	Name string `json:"name"`
	Pass bool   `json:"pass"`
	// Diff has a line for each cause that is missing ("-"), not expected ("+"),
	// or other than expected; Error is why the test could not run.
	Diff  []string `json:"diff,omitempty"`
	Error string   `json:"error,omitempty"`
}

// found is one cause as the report gives it.
type found struct {
	workload, state string
	primary         bool
	report.Finding
}

// Run runs the tests of a suite by the causes of a set. open reads a bundle by
// its path as written in the suite.
func (s *Suite) Run(causes cause.Set, open func(path string) (*snapshot.Snapshot, error)) []Result {
	var out []Result
	for _, t := range s.Tests {
		r := Result{File: s.File, Line: t.Line, Name: t.Name}
		got, err := t.judge(causes, open)
		if err != nil {
			r.Error = err.Error()
		} else {
			r.Diff = diff(t.Expect, got)
		}
		r.Pass = err == nil && len(r.Diff) == 0
		out = append(out, r)
	}
	return out
}

func (t *Test) judge(causes cause.Set, open func(string) (*snapshot.Snapshot, error)) ([]found, error) {
	if t.Text != "" {
		doc, _ := diagnose.Explain(causes, t.Text)
		var out []found
		for i, fd := range doc.Findings {
			out = append(out, found{primary: i == 0, Finding: fd})
		}
		return out, nil
	}
	var snap *snapshot.Snapshot
	var err error
	if t.Bundle != "" {
		snap, err = open(t.Bundle)
	} else {
		snap, err = snapshot.Decode("objects", bytes.NewReader(t.Objects), snapshot.Limits{})
	}
	if err != nil {
		return nil, err
	}
	if !t.Now.IsZero() {
		snap.TakenAt = t.Now
	}
	scope := diagnose.Scope{Namespace: t.Namespace}
	if t.Workload != "" {
		if scope.Targets, err = diagnose.ParseTargets([]string{t.Workload}); err != nil {
			return nil, err
		}
	}
	rep, err := diagnose.Judge(causes, snap, scope)
	if err != nil {
		return nil, err
	}
	return findings(rep), nil
}

func findings(rep *report.Report) []found {
	var out []found
	for _, v := range rep.Verdicts {
		name := strings.ToLower(v.Workload.Kind) + "/" + v.Workload.Name
		if v.Primary != nil {
			out = append(out, found{name, v.State, true, *v.Primary})
		}
		for _, fd := range v.Contributing {
			out = append(out, found{name, v.State, false, fd})
		}
	}
	return out
}

// diff compares exactly: every expectation takes one finding, and none may be
// left over.
func diff(want []Expect, got []found) []string {
	var out []string
	left := slices.Clone(got)
	for _, x := range want {
		i := slices.IndexFunc(left, func(f found) bool { return f.Cause == x.Cause && x.differs(f) == "" })
		if i < 0 {
			i = slices.IndexFunc(left, func(f found) bool { return f.Cause == x.Cause && (x.Workload == "" || x.Workload == f.workload) })
		}
		if i < 0 {
			out = append(out, "- "+strings.TrimSpace(x.Cause+" "+x.Workload))
			continue
		}
		if d := x.differs(left[i]); d != "" {
			out = append(out, fmt.Sprintf("~ %s: %s", x.Cause, d))
		}
		left = slices.Delete(left, i, i+1)
	}
	for _, f := range left {
		out = append(out, fmt.Sprintf("+ %s: %s", strings.TrimSpace(f.Cause+" "+f.workload), f.Summary))
	}
	return out
}

func (x Expect) differs(f found) string {
	for _, c := range []struct{ what, want, got string }{{"workload", x.Workload, f.workload}, {"state", x.State, f.state}, {"confidence", x.Confidence, f.Confidence}, {"summary", x.Summary, f.Summary}} {
		if c.want != "" && c.want != c.got {
			return fmt.Sprintf("%s is %q, want %q", c.what, c.got, c.want)
		}
	}
	if x.Primary != nil && *x.Primary != f.primary {
		return fmt.Sprintf("primary is %t, want %t", f.primary, *x.Primary)
	}
	return ""
}
