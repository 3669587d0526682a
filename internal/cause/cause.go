// Package cause holds the catalogue: every cause unjam can name, the pure
// function that sees it in facts, and the playbook that mends it.
package cause

import (
	"time"

	"github.com/unjam-dev/unjam/internal/facts"
	"github.com/unjam-dev/unjam/internal/snapshot"
)

// Class says whether a cause goes away without a change.
type Class string

// The classes.
const (
	Terminal    Class = "terminal"     // never heals without a change
	SelfHealing Class = "self-healing" // may heal alone; a stall only past its settle time
	Waiting     Class = "waiting"      // by design or for a stated event
	Symptom     Class = "symptom"      // an effect; never primary while a cause is known
)

// Confidence says how firmly the evidence decides.
type Confidence string

// The confidences, firmest first.
const (
	Certain  Confidence = "certain"  // the evidence leaves no other cause
	Likely   Confidence = "likely"   // rivals remain but fit worse
	Possible Confidence = "possible" // one of several that fit equally
)

// Rank orders confidences, 0 is the firmest.
func (c Confidence) Rank() int {
	switch c {
	case Certain:
		return 0
	case Likely:
		return 1
	}
	return 2
}

// Family groups causes; it decides the exit code of a stall.
type Family string

// The families in catalogue order (exit codes 10 to 28 follow this order).
const (
	ImageName   Family = "image-name"
	Credentials Family = "credentials"
	Registry    Family = "registry"
	Network     Family = "network"
	Content     Family = "content"
	NodeStorage Family = "node-storage"
	PullQueue   Family = "pull-queue"
	Quota       Family = "quota"
	Admission   Family = "admission"
	Scheduling  Family = "scheduling"
	Volumes     Family = "volumes"
	Autoscaler  Family = "autoscaler"
	StartConfig Family = "start-config"
	Sandbox     Family = "sandbox"
	Crash       Family = "crash"
	Probes      Family = "probes"
	Rollout     Family = "rollout"
	NodeHealth  Family = "node-health"
	Ownership   Family = "ownership"
	Other       Family = "other"
)

// Families lists the families in catalogue order.
var Families = []Family{ImageName, Credentials, Registry, Network, Content, NodeStorage, PullQueue, Quota, Admission,
	Scheduling, Volumes, Autoscaler, StartConfig, Sandbox, Crash, Probes, Rollout, NodeHealth, Ownership, Other}

// Cause is one entry of the catalogue: data plus one pure function.
type Cause struct {
	// Code is the stable kebab-case name.
	Code   string
	Family Family
	Class  Class
	// Title is a short noun phrase: what is wrong, without names.
	Title string
	// Settle is how long a self-healing cause must have lasted, counted over
	// failed attempts, before it makes a stall. Zero takes the default of the
	// verdict package.
	Settle time.Duration
	// Playbook is what to check and to do.
	Playbook Playbook
	// Detect returns the findings of this cause for one workload; nil when the
	// facts do not show it. It must not guess: what the facts leave open is a
	// rival of the finding.
	Detect func(f *facts.Facts, w *facts.Workload) []Finding
	// Gaps says what kept Detect from looking at everything; nil for causes that
	// always can.
	Gaps func(f *facts.Facts, w *facts.Workload) []snapshot.Gap
	// Rule is where a user's cause is written, "rules.yaml:12"; empty for the
	// built-in ones.
	Rule string
}

// Playbook is the written knowledge of one cause. Texts and commands may hold
// {name} placeholders, filled from a finding's Vars; on the cause's own page
// they are shown as <name>.
type Playbook struct {
	// Means explains the cause in two or three sentences to someone woken at night.
	Means string
	// Verify are checks that prove or exclude it, cheapest first.
	Verify []Step
	// Mend are the remedies, smallest and safest first.
	Mend []Step
}

// Step is one check or remedy as data.
type Step struct {
	Text    string // imperative sentence
	Command string // to paste, empty when there is none
	Undo    string // command or sentence that takes it back, empty when nothing is changed
	// Approver is who usually must agree: "app owner", "namespace admin",
	// "platform team", "registry owner", "security", "node owner", …
	Approver string
	// When names Vars that must all be set for the step to apply; a leading
	// "!" means must be absent. A step whose Command has an unset placeholder is
	// shown without its command.
	When []string
}

// Finding is a cause seen in the facts of one workload.
type Finding struct {
	Cause      string
	Confidence Confidence
	// Class overrides the catalogue's class when the facts decide it (for
	// example a full cluster with a scale-up on the way is waiting).
	Class Class
	// Settle overrides the catalogue's settle time when the facts decide it (for
	// example room that a running Job holds).
	Settle time.Duration
	// Summary is one sentence with the names that matter, no trailing dot.
	Summary  string
	Evidence []Evidence
	// Pods, Nodes and Containers affected, by name, sorted, without repeats.
	Pods, Nodes, Containers []string
	Rivals                  []Rival
	// Since is when it was first seen; Last the newest sign of it.
	Since, Last time.Time
	NextRetry   time.Time
	// Attempts counts failed attempts where that makes sense.
	Attempts int
	// Vars fill the playbook: namespace, workload, kind, name, pod, container,
	// image, registry, repository, tag, node, secret, key, quota, resource, …
	Vars map[string]string
	// Explains are codes of findings on the same workload that are effects of
	// this one.
	Explains []string
	// Replaces are codes of findings that this one says better where it Covers
	// them; elsewhere they stand.
	Replaces []string
	// Basis are all receipts that a finding with Replaces rests on, also those
	// that Evidence leaves out.
	Basis []facts.Receipt
	// Old is true when the finding concerns pods of an older revision only.
	Old bool
	// Key folds stalls of several workloads: the shared thing at fault, e.g.
	// "registry ghcr.io" or "node n1"; empty when nothing is shared.
	Key string
}

// Evidence is one receipt with the sentence that says what it shows.
type Evidence struct {
	Text    string
	Receipt facts.Receipt
}

// Rival is another cause that the facts do not exclude, and the check that would.
type Rival struct {
	Cause     string
	SettledBy string
}
