package cause

import (
	"slices"
	"time"

	"github.com/unjam-dev/unjam/internal/facts"
)

// Refusal is the API server's present "no" to creating pods of a workload, as
// users' rules see it.
type Refusal struct {
	// Message is the newest refusal without the controller's prefix.
	Message     string
	First, Last time.Time
	// Attempts counts the failures alike, at least 1.
	Attempts int
	// Old is true when pods of an older revision are refused.
	Old     bool
	Receipt facts.Receipt
}

// StandingRefusal is the refusal that keeps pods of the workload from being
// made now; refusals of the past do not count.
func StandingRefusal(w *facts.Workload) (Refusal, bool) {
	r, ok := currentRefusal(w)
	if !ok {
		return Refusal{}, false
	}
	return Refusal{Message: r.Message, First: r.First, Last: r.Last, Attempts: r.Attempts, Old: r.Old, Receipt: r.Receipt}, true
}

// TroubledPods are the pods that a cause of the workload's state can be read
// from: live ones that are not Ready, those of a Job that failed, and those that
// were rejected, evicted or killed lately while pods are missing.
func TroubledPods(f *facts.Facts, w *facts.Workload) []*facts.Pod {
	out := waitingPods(w)
	for _, group := range [][]*facts.Pod{crashPods(w), fallenPods(f, w)} {
		for _, p := range group {
			if !slices.Contains(out, p) {
				out = append(out, p)
			}
		}
	}
	return out
}

// Touch records that the finding concerns a pod and, where given, one of its
// containers. The finding stays Old only while all its pods are of older
// revisions.
func (fd *Finding) Touch(p *facts.Pod, c *facts.Container) { fd.touch(p, c) }

// Vars are the playbook's placeholders that a workload, a pod and a container
// fill; pod and container may be nil.
func Vars(w *facts.Workload, p *facts.Pod, c *facts.Container) map[string]string {
	if p == nil {
		return workloadVars(w)
	}
	return sighting{pod: p, c: c}.allVars(w)
}

// Covers reports whether the finding rests on the evidence of the other one and
// concerns at least the same pods.
func (fd *Finding) Covers(other *Finding) bool {
	for _, p := range other.Pods {
		if !slices.Contains(fd.Pods, p) {
			return false
		}
	}
	return slices.ContainsFunc(other.Evidence, func(e Evidence) bool {
		r := e.Receipt
		return slices.ContainsFunc(fd.Basis, func(b facts.Receipt) bool {
			return b.Kind == r.Kind && b.Namespace == r.Namespace && b.Name == r.Name && b.Field == r.Field
		})
	})
}
