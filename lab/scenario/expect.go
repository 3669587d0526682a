// Package scenario loads the scenarios under test/scenarios, plays them on a
// cluster, and compares what unjam says with what each expects.
package scenario

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// Expect is the content of expect.yaml.
type Expect struct {
	// Written marks a scenario that no lab can produce: it has objects.yaml in
	// place of a manifest and is replayed, never played. Source says where its
	// texts are from.
	Written bool   `json:"written,omitempty"`
	Source  string `json:"source,omitempty"`
	// State is the verdict's state; AlsoStates are right as well, where a few
	// seconds decide.
	State      string   `json:"state"`
	AlsoStates []string `json:"alsoStates,omitempty"`
	// Cause is the code of the primary cause, empty when there is none.
	Cause string `json:"cause,omitempty"`
	// Acceptable are primary causes that are true as well, but less precise.
	Acceptable []string `json:"acceptable,omitempty"`
	// Rivals must stay open: of Cause and these, one is primary and the others
	// are named as its rivals.
	Rivals []string `json:"rivals,omitempty"`
	// Contributing causes must be found beside the primary one.
	Contributing []string `json:"contributing,omitempty"`
	// AlsoAllowed may be found; any other finding fails the scenario.
	AlsoAllowed []string `json:"alsoAllowed,omitempty"`
	// Workload is kind/name.
	Workload string `json:"workload"`
	// Workloads are more of the namespace that must be judged alike. With them
	// the whole namespace is judged and recorded.
	Workloads []string `json:"workloads,omitempty"`
	// Needs says on which nodes it works: real, hollow or any.
	Needs string `json:"needs,omitempty"`
	// Settle is how long after the last action the expectation must hold.
	Settle Duration `json:"settle,omitempty"`
	// Exclusive scenarios change the nodes and run alone.
	Exclusive bool `json:"exclusive,omitempty"`
	// Serial scenarios need nodes that pull one image at a time, and run on no
	// others.
	Serial bool `json:"serial,omitempty"`
	// Setup runs before the manifest is applied, During after it.
	Setup  []Action `json:"setup,omitempty"`
	During []Action `json:"during,omitempty"`
	// Runtimes holds what differs under another runtime than containerd 2.x, by
	// its name, for example containerd-1.6.
	Runtimes map[string]Deviation `json:"runtimes,omitempty"`
	// Note says which evidence decides.
	Note string `json:"note"`
}

// Deviation is what another runtime gives to see. Empty fields do not differ.
type Deviation struct {
	State      string   `json:"state,omitempty"`
	AlsoStates []string `json:"alsoStates,omitempty"`
	// Cause "none" says that nothing can be named.
	Cause       string   `json:"cause,omitempty"`
	Acceptable  []string `json:"acceptable,omitempty"`
	Rivals      []string `json:"rivals,omitempty"`
	AlsoAllowed []string `json:"alsoAllowed,omitempty"`
	// Why says what this runtime does otherwise.
	Why string `json:"why"`
}

// Under is the expectation under a runtime; "" is the usual one.
func (e Expect) Under(runtime string) Expect {
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

// Action is one step of a scenario; exactly one of its verbs is set.
type Action struct {
	// Sleep waits.
	Sleep Duration `json:"sleep,omitempty"`
	// Apply applies a file of the scenario's directory.
	Apply string `json:"apply,omitempty"`
	// WaitComplete waits at most that long until the workload is complete. Of
	// names another workload than the scenario's own.
	WaitComplete Duration `json:"waitComplete,omitempty"`
	Of           string   `json:"of,omitempty"`
	// Set and Lift turn a fault on and off.
	Set  string `json:"set,omitempty"`
	Lift string `json:"lift,omitempty"`
	// Cordon and Taint change nodes: "all" or a name. With is the taint as
	// key=value:effect. Both are taken back at the end.
	Cordon string `json:"cordon,omitempty"`
	Taint  string `json:"taint,omitempty"`
	With   string `json:"with,omitempty"`
	// PowerOff cuts the power of a real node; it comes back at the end.
	PowerOff string `json:"powerOff,omitempty"`
}

// States are the states a verdict may have.
var States = []string{"healthy", "progressing", "slow", "waiting", "recovering", "stalled", "unknown"}

// validate reports what is wrong with an expectation read from a file.
func (e Expect) validate() error {
	switch {
	case !slices.Contains(States, e.State):
		return fmt.Errorf("state %q is none of %v", e.State, States)
	case e.State == "stalled" && e.Cause == "":
		return fmt.Errorf("a stall needs a cause")
	case e.Note == "":
		return fmt.Errorf("note is missing: say which evidence decides")
	case e.Written && (e.Source == "" || e.Needs != "" || e.Settle != 0 || len(e.Setup) > 0 || len(e.During) > 0):
		return fmt.Errorf("a written scenario has a source, and nothing that is played")
	case e.Written:
	case e.Settle <= 0:
		return fmt.Errorf("settle is missing")
	case !slices.Contains([]string{"real", "hollow", "any"}, e.Needs):
		return fmt.Errorf("needs %q is none of real, hollow, any", e.Needs)
	}
	for _, s := range e.AlsoStates {
		if !slices.Contains(States, s) {
			return fmt.Errorf("state %q is none of %v", s, States)
		}
	}
	for _, w := range append([]string{e.Workload}, e.Workloads...) {
		if _, _, err := splitWorkload(w); err != nil {
			return err
		}
	}
	for runtime, d := range e.Runtimes {
		if d.Why == "" {
			return fmt.Errorf("runtime %s: why is missing: say what it does otherwise", runtime)
		}
		if d.State != "" && !slices.Contains(States, d.State) {
			return fmt.Errorf("state %q is none of %v", d.State, States)
		}
	}
	for _, a := range slices.Concat(e.Setup, e.During) {
		if a.verbs() != 1 {
			return fmt.Errorf("action %+v has %d verbs, want one", a, a.verbs())
		}
		if (a.Taint == "") != (a.With == "") {
			return fmt.Errorf("taint and with go together")
		}
	}
	return nil
}

// final says that the expected state lasts once it is reached.
func (e Expect) final() bool {
	return slices.Contains([]string{"healthy", "waiting", "stalled"}, e.State)
}

// CutsPower reports whether a step cuts a node's power.
func (e Expect) CutsPower() bool {
	return slices.ContainsFunc(slices.Concat(e.Setup, e.During), func(a Action) bool { return a.PowerOff != "" })
}

func (a Action) verbs() int {
	n := 0
	for _, set := range []bool{a.Sleep > 0, a.Apply != "", a.WaitComplete > 0, a.Set != "", a.Lift != "", a.Cordon != "", a.Taint != "", a.PowerOff != ""} {
		if set {
			n++
		}
	}
	return n
}

// Duration is a time.Duration written as "1m30s".
type Duration time.Duration

// UnmarshalJSON reads a Go duration string.
func (d *Duration) UnmarshalJSON(b []byte) error {
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return fmt.Errorf(`a duration is a string such as "5s": %w`, err)
	}
	v, err := time.ParseDuration(s)
	*d = Duration(v)
	return err
}
