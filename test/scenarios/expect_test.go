package scenarios

import (
	"fmt"
	"slices"
	"strings"

	"github.com/unjam-dev/unjam/internal/report"
)

// expect holds the fields of expect.yaml that a recorded bundle can be held to.
// The lab's package scenario documents and checks all of them.
type expect struct {
	State        string   `json:"state"`
	AlsoStates   []string `json:"alsoStates"`
	Cause        string   `json:"cause"`
	Acceptable   []string `json:"acceptable"`
	Rivals       []string `json:"rivals"`
	Contributing []string `json:"contributing"`
	AlsoAllowed  []string `json:"alsoAllowed"`
	Workload     string   `json:"workload"`
	// Written scenarios were not recorded; Source says where their texts are from.
	Written bool   `json:"written"`
	Source  string `json:"source"`
	Note    string `json:"note"`
	// Workloads are more of the namespace that must be judged alike.
	Workloads []string `json:"workloads"`
	// Runtimes holds what another runtime gives to see otherwise.
	Runtimes map[string]struct {
		State       string   `json:"state"`
		AlsoStates  []string `json:"alsoStates"`
		Cause       string   `json:"cause"`
		Acceptable  []string `json:"acceptable"`
		Rivals      []string `json:"rivals"`
		AlsoAllowed []string `json:"alsoAllowed"`
	} `json:"runtimes"`
}

// under is the expectation under a runtime, as the lab's package scenario has it.
func (e expect) under(runtime string) expect {
	d, ok := e.Runtimes[runtime]
	if !ok {
		return e
	}
	if d.State != "" {
		e.State, e.AlsoStates = d.State, d.AlsoStates
	}
	if d.Cause != "" {
		e.Cause, e.Acceptable, e.Rivals, e.AlsoAllowed = d.Cause, d.Acceptable, d.Rivals, d.AlsoAllowed
	}
	if e.Cause == "none" {
		e.Cause = ""
	}
	return e
}

// compare returns what differs between a verdict and the expectation.
func (e expect) compare(v report.Verdict) []string {
	var wrong []string
	states := append([]string{e.State}, e.AlsoStates...)
	if !slices.Contains(states, v.State) {
		wrong = append(wrong, fmt.Sprintf("state %s, want %s (%s)", v.State, strings.Join(states, " or "), v.Reason))
	}
	primary := ""
	if v.Primary != nil {
		primary = v.Primary.Cause
	}
	right := append([]string{e.Cause}, e.Acceptable...)
	if e.Cause == "" {
		right = append(right, e.AlsoAllowed...)
	}
	if !slices.Contains(right, primary) {
		wrong = append(wrong, fmt.Sprintf("cause %q, want %q", primary, right))
	}
	circle := append([]string{e.Cause}, e.Rivals...)
	if v.Primary != nil && len(e.Rivals) > 0 && slices.Contains(circle, primary) {
		for _, c := range circle {
			if c != primary && !slices.ContainsFunc(v.Primary.Rivals, func(r report.Rival) bool { return r.Cause == c }) {
				wrong = append(wrong, "rival "+c+" is not named")
			}
		}
	}
	for _, c := range e.Contributing {
		if !slices.ContainsFunc(v.Contributing, func(f report.Finding) bool { return f.Cause == c }) {
			wrong = append(wrong, "contributing "+c+" is missing")
		}
	}
	for _, f := range v.Contributing {
		if !slices.Contains(e.Contributing, f.Cause) && !slices.Contains(e.AlsoAllowed, f.Cause) {
			wrong = append(wrong, "extra finding "+f.Cause+": "+f.Summary)
		}
	}
	return wrong
}
