package soak

import (
	"slices"
	"time"
)

// Seconds are seconds after a rollout's start.
type Seconds float64

// Record is what came of one rollout; one line of the output.
type Record struct {
	ID        int       `json:"id"`
	Kind      string    `json:"kind"`
	Class     Class     `json:"class"`
	Namespace string    `json:"namespace"`
	Workload  string    `json:"workload"`
	Start     time.Time `json:"start"`
	// Causes are the true ones, Accepted those that are true as well.
	Causes   []string `json:"causes,omitempty"`
	Accepted []string `json:"accepted,omitempty"`
	Steps    []Step   `json:"steps,omitempty"`
	// Completed is when its controller counted all pods; 0 when it did not.
	Completed  Seconds `json:"completed,omitempty"`
	Incomplete string  `json:"incomplete,omitempty"`
	// Changed says that the workload was changed under way, which must not be.
	Changed bool   `json:"changed,omitempty"`
	Error   string `json:"error,omitempty"`
	// Signal is when the first sign of trouble was visible at the API, Named when
	// a true cause was first named.
	Signal Seconds `json:"signal,omitempty"`
	Named  Seconds `json:"named,omitempty"`
	// Moments before completion, those of them with trouble to name, and those
	// of these at which a true cause was primary.
	Moments int `json:"moments"`
	Trouble int `json:"trouble"`
	Right   int `json:"right"`
	Wrong   int `json:"wrong"`
	// Stalled counts the moments called stalled before completion; AfterAct
	// those of them after the act that ended the trouble.
	Stalled  int  `json:"stalled"`
	AfterAct int  `json:"afterAct"`
	Doom     bool `json:"doom"`
	// HealthyAtEnd says that it was called healthy once it was complete.
	HealthyAtEnd bool   `json:"healthyAtEnd"`
	Spans        []Span `json:"spans"`
}

// Step is something that happened on purpose.
type Step struct {
	At    Seconds `json:"at"`
	What  string  `json:"what"`
	Error string  `json:"error,omitempty"`
}

// Span is a stretch of equal verdicts.
type Span struct {
	From       Seconds `json:"from"`
	To         Seconds `json:"to"`
	Moments    int     `json:"moments"`
	State      string  `json:"state"`
	Cause      string  `json:"cause,omitempty"`
	Confidence string  `json:"confidence,omitempty"`
	Summary    string  `json:"summary,omitempty"`
	// Done marks verdicts taken after the rollout was complete.
	Done bool `json:"done,omitempty"`
}

func (s Span) same(o Span) bool {
	return s.State == o.State && s.Cause == o.Cause && s.Confidence == o.Confidence && s.Done == o.Done
}

// conclude counts.
func (r *Record) conclude() {
	end := Seconds(0)
	if n := len(r.Steps); n > 0 {
		end = r.Steps[n-1].At
	}
	for _, s := range r.Spans {
		if s.Done {
			r.HealthyAtEnd = r.HealthyAtEnd || s.State == "healthy"
			continue
		}
		r.Moments += s.Moments
		if s.State == "stalled" {
			r.Stalled += s.Moments
			if end > 0 && s.From > end {
				r.AfterAct += s.Moments
			}
		}
		right := slices.Contains(r.Causes, s.Cause)
		if right && r.Named == 0 {
			r.Named = s.From
		}
		if r.Signal > 0 && s.To >= r.Signal && len(r.Causes) > 0 {
			r.Trouble += s.Moments
			if right || slices.Contains(r.Accepted, s.Cause) {
				r.Right += s.Moments
			}
		}
		if s.Cause != "" && !right && !slices.Contains(r.Accepted, s.Cause) {
			r.Wrong += s.Moments
		}
	}
	r.Doom = r.Stalled > 0 && r.Completed > 0 && r.Class.doomed()
}
