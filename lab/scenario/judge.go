package scenario

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Report is the part of unjam's JSON report that scenarios look at.
type Report struct {
	Kind     string    `json:"kind"`
	Verdicts []Verdict `json:"verdicts"`
}

// Verdict is the judgement of one workload.
type Verdict struct {
	Workload struct {
		Kind      string `json:"kind"`
		Namespace string `json:"namespace"`
		Name      string `json:"name"`
	} `json:"workload"`
	State        string    `json:"state"`
	Primary      *Finding  `json:"primary"`
	Contributing []Finding `json:"contributing"`
	Explained    []Finding `json:"explained"`
}

// Finding is a cause that was found.
type Finding struct {
	Cause      string    `json:"cause"`
	Confidence string    `json:"confidence"`
	Summary    string    `json:"summary"`
	Rivals     []Finding `json:"rivals"`
}

// ParseReport reads the JSON that unjam printed.
func ParseReport(b []byte) (Report, error) {
	var r Report
	if err := json.Unmarshal(b, &r); err != nil {
		return r, fmt.Errorf("unjam printed no JSON: %w", err)
	}
	return r, nil
}

// Judge compares a report with the expectation and returns what differs; an
// empty result means that it holds.
func (s Scenario) Judge(r Report) []string {
	var wrong []string
	for _, w := range append([]string{s.Expect.Workload}, s.Expect.Workloads...) {
		for _, text := range s.judgeOne(r, w) {
			if len(s.Expect.Workloads) > 0 {
				text = w + ": " + text
			}
			wrong = append(wrong, text)
		}
	}
	return wrong
}

func (s Scenario) judgeOne(r Report, workload string) []string {
	kind, name, err := splitWorkload(workload)
	if err != nil {
		return []string{err.Error()}
	}
	for _, v := range r.Verdicts {
		if strings.EqualFold(v.Workload.Kind, kind) && v.Workload.Name == name && v.Workload.Namespace == s.Name {
			return s.Expect.compare(v)
		}
	}
	return []string{"no verdict on " + workload}
}

func (e Expect) compare(v Verdict) []string {
	var wrong []string
	if v.State != e.State && !slices.Contains(e.AlsoStates, v.State) {
		wrong = append(wrong, fmt.Sprintf("state %s, want %s", v.State, strings.Join(append([]string{e.State}, e.AlsoStates...), " or ")))
	}
	primary := ""
	if v.Primary != nil {
		primary = v.Primary.Cause
	}
	if !e.primaryRight(primary) {
		wrong = append(wrong, fmt.Sprintf("cause %s, want %s", orNone(primary), orNone(strings.Join(append([]string{e.Cause}, e.Acceptable...), " or "))))
	}
	// Rivals are asked for only while a cause of the same circle is primary.
	circle := append([]string{e.Cause}, e.Rivals...)
	if v.Primary != nil && len(e.Rivals) > 0 && slices.Contains(circle, primary) {
		for _, c := range circle {
			if c != primary && !slices.ContainsFunc(v.Primary.Rivals, func(f Finding) bool { return f.Cause == c }) {
				wrong = append(wrong, "rival "+c+" is not named")
			}
		}
	}
	for _, c := range e.Contributing {
		if !slices.ContainsFunc(v.Contributing, func(f Finding) bool { return f.Cause == c }) {
			wrong = append(wrong, "contributing "+c+" is missing")
		}
	}
	for _, f := range v.Contributing {
		if !slices.Contains(e.Contributing, f.Cause) && !slices.Contains(e.AlsoAllowed, f.Cause) {
			wrong = append(wrong, "extra finding "+f.Cause)
		}
	}
	return wrong
}

func (e Expect) primaryRight(primary string) bool {
	switch {
	case primary == e.Cause, slices.Contains(e.Acceptable, primary):
		return true
	case e.Cause == "":
		return slices.Contains(e.AlsoAllowed, primary)
	}
	return false
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}
