// Package report turns verdicts into what people and programs read: one data
// model, published as JSON, from which every renderer works.
package report

import (
	"time"

	"github.com/unjam-dev/unjam/internal/facts"
	"github.com/unjam-dev/unjam/internal/plan"
	"github.com/unjam-dev/unjam/internal/snapshot"
)

// APIVersion and Kind mark a report document.
const (
	APIVersion = "unjam.dev/v1alpha1"
	Kind       = "Report"
)

// Report is the answer of `unjam why`. Its JSON form is a contract, described
// by docs/schema/report.schema.json.
type Report struct {
	APIVersion string          `json:"apiVersion"`
	Kind       string          `json:"kind"`
	TakenAt    time.Time       `json:"takenAt"`
	Origin     snapshot.Origin `json:"origin"`
	// Verdicts are ordered worst first, then by namespace, kind and name.
	Verdicts []Verdict `json:"verdicts"`
	// Stalls fold the verdicts that share a cause and the thing at fault; worst
	// first, then by how many workloads they hold up.
	Stalls []Stall `json:"stalls"`
	// Summary counts all workloads judged by state, also those not listed.
	Summary map[string]int `json:"summary"`
	// Gaps are what could not be read.
	Gaps []snapshot.Gap `json:"gaps"`
}

// Verdict is the judgement of one workload.
type Verdict struct {
	Workload Workload `json:"workload"`
	State    string   `json:"state"`
	// Reason says why the state holds when no cause is named.
	Reason string `json:"reason,omitempty"`
	// Since is when the trouble, or else the attempt, began.
	Since        time.Time `json:"since,omitzero"`
	Primary      *Finding  `json:"primary,omitempty"`
	Contributing []Finding `json:"contributing"`
	Explained    []Finding `json:"explained"`
	// Gaps are those that keep this workload from being judged.
	Gaps []snapshot.Gap `json:"gaps,omitempty"`
}

// Workload names a workload and counts its pods.
type Workload struct {
	Kind      string `json:"kind"`
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	Revision  string `json:"revision"`
	Pods      Pods   `json:"pods"`
}

// Pods counts the pods of a workload. Old are live pods of earlier revisions,
// OldReady those of them that still serve.
type Pods struct {
	Desired   int32 `json:"desired"`
	Updated   int32 `json:"updated"`
	Available int32 `json:"available"`
	Old       int32 `json:"old"`
	OldReady  int32 `json:"oldReady"`
}

// Finding is one cause seen on a workload or in a text.
type Finding struct {
	Cause      string     `json:"cause"`
	Family     string     `json:"family"`
	Class      string     `json:"class"`
	Title      string     `json:"title"`
	Confidence string     `json:"confidence"`
	Summary    string     `json:"summary"`
	Evidence   []Evidence `json:"evidence"`
	Affected   Affected   `json:"affected"`
	Rivals     []Rival    `json:"rivals"`
	// Fix are the remedies, smallest first; Checks prove or exclude the cause.
	Fix       []plan.Fix   `json:"fix"`
	Checks    []plan.Check `json:"checks,omitempty"`
	Since     time.Time    `json:"since,omitzero"`
	LastSeen  time.Time    `json:"lastSeen,omitzero"`
	NextRetry time.Time    `json:"nextRetry,omitzero"`
	Attempts  int          `json:"attempts,omitempty"`
	// Rule is where the cause is written when it is a user's own, "rules.yaml:12".
	Rule string `json:"rule,omitempty"`
	// Key is the shared thing at fault, by which stalls of several workloads fold.
	Key string `json:"key,omitempty"`
	// Attribution says where the primary cause lies; absent where no peer was
	// asked, as in explained and contributing findings.
	Attribution *Attribution `json:"attribution,omitempty"`
	// About is what the finding concerns in a pasted text, for example
	// "pod/web-1 in shop"; empty where the text does not say.
	About string `json:"about,omitempty"`
	// OldRevision is true when only pods of an older revision are concerned.
	OldRevision bool `json:"oldRevision,omitempty"`
}

// Attribution says whether a cause lies with the release, one node or the
// environment, by the witness of peers that differ in one respect.
type Attribution struct {
	To string `json:"to"`
	// Because is one clause; empty when To is "unknown".
	Because  string     `json:"because,omitempty"`
	Evidence []Evidence `json:"evidence,omitempty"`
}

// Evidence is one receipt and what it shows.
type Evidence struct {
	Text    string        `json:"text"`
	Receipt facts.Receipt `json:"receipt"`
}

// Affected lists who a cause holds up.
type Affected struct {
	Pods       []string `json:"pods"`
	Nodes      []string `json:"nodes"`
	Containers []string `json:"containers"`
}

// Rival is another cause that the evidence does not exclude.
type Rival struct {
	Cause     string `json:"cause"`
	SettledBy string `json:"settledBy"`
}

// Findings is the answer of `unjam explain` on text, best first.
type Findings struct {
	APIVersion string    `json:"apiVersion"`
	Kind       string    `json:"kind"`
	Findings   []Finding `json:"findings"`
	// Read tells what of the text was understood.
	Read *TextRead `json:"read,omitempty"`
}

// TextRead counts what a pasted text holds. Past are events whose trouble a
// later event shows to be over, Lines are log lines and messages that mean
// something known, Ignored those that do not.
type TextRead struct {
	Pods      int `json:"pods"`
	Workloads int `json:"workloads"`
	Nodes     int `json:"nodes"`
	Others    int `json:"others"`
	Events    int `json:"events"`
	Past      int `json:"past"`
	Lines     int `json:"lines"`
	Ignored   int `json:"ignored"`
}
