package verdict

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/unjam-dev/unjam/internal/cause"
	"github.com/unjam-dev/unjam/internal/facts"
	"github.com/unjam-dev/unjam/internal/snapshot"
)

// When a fault that may heal alone counts as a stall. The kubelet tries a pull
// again 10, 20, 40 and 80 s after each failure, plus up to 15 s each time. A
// registry that was away for a minute and a half is pulled from at the attempt
// after that, up to 90 s later: only an attempt that failed 90 s after the first
// tells that the fault is older, and until then "stalled" would be a false doom.
const (
	settleAttempts = 4
	settleSpan     = 90 * time.Second  // from the first to the last failed attempt
	settleElapsed  = 100 * time.Second // from the first failed attempt to now
	settleAlone    = 150 * time.Second // without a count of attempts
	// settleOpen is how long a cause that is not certain must have lasted.
	settleOpen = 30 * time.Second
)

// How long an attempt without any sign of trouble may take before it is called
// slow. Ordinary pods are Ready well within this.
const slowAfter = 2 * time.Minute

func stateOf(causes cause.Set, f *facts.Facts, w *facts.Workload, fd cause.Finding) State {
	if fd.Cause == "unknown" {
		return Unknown
	}
	switch causes.ClassOf(fd) {
	case cause.Waiting:
		return Waiting
	case cause.Symptom:
		return symptomState(f, w)
	case cause.SelfHealing:
		if settled(causes, f, fd) || deadlinePassed(w) {
			return Stalled
		}
		return Recovering
	}
	if fd.Confidence != cause.Certain && mayHeal(causes, fd) && !settled(causes, f, fd) && !deadlinePassed(w) {
		return Recovering
	}
	if fd.Confidence == cause.Certain || fd.Attempts >= 2 || fd.Since.IsZero() || f.Now.Sub(fd.Since) >= settleOpen || deadlinePassed(w) {
		return Stalled
	}
	return Progressing
}

// mayHeal reports whether one of the causes that the facts leave open heals
// alone: until it is settled, nobody can tell that this one does not.
func mayHeal(causes cause.Set, fd cause.Finding) bool {
	return slices.ContainsFunc(fd.Rivals, func(r cause.Rival) bool {
		c := causes.ByCode(r.Cause)
		return c != nil && c.Class == cause.SelfHealing
	})
}

// settled reports whether a self-healing cause has lasted long enough.
func settled(causes cause.Set, f *facts.Facts, fd cause.Finding) bool {
	last := fd.Last
	if last.IsZero() {
		last = f.Now
	}
	span := last.Sub(fd.Since)
	if fd.Since.IsZero() {
		return false
	}
	settle := fd.Settle
	if c := causes.ByCode(fd.Cause); c != nil && settle == 0 {
		settle = c.Settle
	}
	if settle > 0 {
		return f.Now.Sub(fd.Since) >= settle
	}
	if fd.Attempts >= settleAttempts && span >= settleSpan && f.Now.Sub(fd.Since) >= settleElapsed {
		return true
	}
	return span >= settleAlone
}

// symptomState judges a workload of which only effects are known.
func symptomState(f *facts.Facts, w *facts.Workload) State {
	if deadlinePassed(w) {
		return Unknown
	}
	s, _ := withoutCause(f, w)
	if s == Healthy {
		return Unknown // something is wrong, only its cause is not seen
	}
	return s
}

// deadlinePassed reports whether the attempt has outlived the deadline that its
// owner set. A condition from before the newest revision is stale: it stays
// after an undo until the next step forward (kubernetes#49637).
func deadlinePassed(w *facts.Workload) bool {
	c := w.Condition("Progressing")
	return c.Status == "False" && c.Reason == "ProgressDeadlineExceeded" && !c.LastUpdate.Before(w.Started)
}

// withoutCause judges a workload on which no cause was found.
func withoutCause(f *facts.Facts, w *facts.Workload) (State, string) {
	done, why := Complete(w)
	seen := f.Snap.Covers("pods", w.Namespace)
	switch {
	case done && !seen:
		return Unknown, "its status says complete, but its pods could not be read"
	case done && w.Orphan:
		return Unknown, "its pods are ready, but the " + w.Kind + " itself was not seen"
	case done:
		return Healthy, why
	case !seen:
		return Unknown, why + ", and its pods could not be read"
	case deadlinePassed(w):
		return Unknown, why + ", its progress deadline has passed, and nothing seen says why"
	}
	quiet := f.Now.Sub(lastStep(w))
	switch {
	case !f.Snap.Covers("events", w.Namespace) && quiet >= slowAfter:
		return Unknown, why + ", and its events could not be read"
	case quiet < slowAfter:
		return Progressing, why
	}
	return Slow, fmt.Sprintf("%s, no step forward for %s and nothing seen that is wrong", why, quiet.Round(time.Second))
}

// lastStep is the last time the attempt moved: it began, a pod was made, or a
// pod became Ready.
func lastStep(w *facts.Workload) time.Time {
	last := w.Started
	if c := w.Condition("Progressing"); c.Status == "True" && c.LastUpdate.After(last) {
		last = c.LastUpdate
	}
	for _, p := range w.NewPods() {
		for _, t := range []time.Time{p.Obj.CreationTimestamp.Time, p.Condition("Ready").LastTransition} {
			if t.After(last) {
				last = t
			}
		}
	}
	return last
}

// gapsOf are the gaps that keep a workload from being judged. What was not read
// because nothing depends on it is none.
func gapsOf(f *facts.Facts, w *facts.Workload) []snapshot.Gap {
	needs := []string{"pods", "events", "nodes"}
	switch w.Kind {
	case "Deployment":
		needs = append(needs, "replicasets", "deployments")
	case "StatefulSet", "DaemonSet", "Job":
		needs = append(needs, strings.ToLower(w.Kind)+"s")
	}
	var out []snapshot.Gap
	for _, r := range needs {
		namespace := w.Namespace
		if r == "nodes" {
			namespace = ""
		}
		if g, ok := f.Snap.GapFor(r, namespace); ok && g.Reason != snapshot.GapNotNeeded {
			out = append(out, g)
		}
	}
	return out
}
