// Package verdict weighs the findings of one attempt and says what state it is
// in, with one primary cause, the contributing ones and those explained away.
package verdict

import (
	"time"

	"github.com/unjam-dev/unjam/internal/cause"
	"github.com/unjam-dev/unjam/internal/facts"
	"github.com/unjam-dev/unjam/internal/snapshot"
)

// State is the judgement of one attempt.
type State string

// The states.
const (
	Healthy     State = "healthy"     // all that was asked for is there
	Progressing State = "progressing" // on its way, nothing wrong seen
	Slow        State = "slow"        // on its way, longer than usual, nothing wrong seen
	Waiting     State = "waiting"     // by design or for a stated event
	Recovering  State = "recovering"  // a fault that may heal alone and has not lasted yet
	Stalled     State = "stalled"     // will not get there without a change, or has not for too long
	Unknown     State = "unknown"     // cannot tell
)

// States lists the states, worst first: the order of reports.
var States = []State{Stalled, Unknown, Recovering, Slow, Waiting, Progressing, Healthy}

// Verdict is the judgement of a workload's newest attempt.
type Verdict struct {
	Workload *facts.Workload
	State    State
	// Primary is the cause; nil when none is needed or none was found.
	Primary *cause.Finding
	// Attribution says where the primary cause lies, as far as peers decide it.
	Attribution cause.Attribution
	// Contributing are other causes at work beside the primary.
	Contributing []cause.Finding
	// Explained are effects of another finding.
	Explained []cause.Finding
	// Reason says why the state holds when there is no primary cause.
	Reason string
	// Gaps are the missing reads that bear on this verdict.
	Gaps []snapshot.Gap
}

// Since is when the state began as far as is known: the first sign of the
// primary cause, else the start of the attempt.
func (v Verdict) Since() time.Time {
	if v.Primary != nil && !v.Primary.Since.IsZero() {
		return v.Primary.Since
	}
	return v.Workload.Started
}

// Judge judges one workload by the causes of a set.
func Judge(causes cause.Set, f *facts.Facts, w *facts.Workload) Verdict {
	v := Verdict{Workload: w}
	v.weigh(causes, detect(causes, f, w))
	switch {
	case v.Primary != nil:
		v.State = stateOf(causes, f, w, *v.Primary)
	default:
		v.State, v.Reason = withoutCause(f, w)
	}
	for c := range causes.All() {
		if c.Gaps != nil {
			v.Gaps = append(v.Gaps, c.Gaps(f, w)...)
		}
	}
	if v.Primary != nil {
		v.Attribution = cause.Attribute(causes, f, w, *v.Primary)
	}
	if v.State != Healthy && (v.Primary == nil || causes.ClassOf(*v.Primary) == cause.Symptom) {
		v.Gaps = append(v.Gaps, gapsOf(f, w)...) // what could have shown the cause
	}
	return v
}

// JudgeAll judges every workload, in the order of the facts.
func JudgeAll(causes cause.Set, f *facts.Facts) []Verdict {
	out := make([]Verdict, 0, len(f.Workloads))
	for _, w := range f.Workloads {
		out = append(out, Judge(causes, f, w))
	}
	return out
}

func detect(causes cause.Set, f *facts.Facts, w *facts.Workload) []cause.Finding {
	var out []cause.Finding
	for c := range causes.All() {
		out = append(out, c.Detect(f, w)...)
	}
	return out
}
