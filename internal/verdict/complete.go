package verdict

import (
	"fmt"

	"github.com/unjam-dev/unjam/internal/facts"
)

// Complete reports whether the controller's own counts and the pods say that
// everything asked for is there, and says in one clause what was counted.
func Complete(w *facts.Workload) (bool, string) {
	if w.Generation > w.ObservedGeneration {
		return false, "its controller has not seen the newest change yet"
	}
	for _, p := range w.NewPods() {
		if p.Phase != facts.PhaseReady && p.Phase != facts.PhaseDone && p.Phase != facts.PhaseTerminate && p.Phase != facts.PhaseFailed {
			return false, count(w)
		}
	}
	switch {
	case w.Job != nil:
		return jobComplete(w)
	case w.Kind == "Pod":
		p := w.Pods[0]
		return p.Phase == facts.PhaseReady || p.Phase == facts.PhaseDone, "the pod is " + string(p.Phase)
	case w.Updated < w.Desired || w.Available < w.Desired:
		return false, count(w)
	case oldLive(w) > 0 || w.Total > w.Desired && w.Deployment != nil:
		return false, fmt.Sprintf("%s, old pods are still there", count(w))
	}
	return true, count(w)
}

func jobComplete(w *facts.Workload) (bool, string) {
	if w.Condition("Complete").Status == "True" || w.Condition("SuccessCriteriaMet").Status == "True" {
		return true, "the job has completed"
	}
	return false, fmt.Sprintf("%d of %d completions", w.Job.Status.Succeeded, w.Desired)
}

func oldLive(w *facts.Workload) int {
	n := 0
	for _, p := range w.OldPods() {
		if p.Phase != facts.PhaseTerminate && p.Phase != facts.PhaseDone && p.Phase != facts.PhaseFailed {
			n++
		}
	}
	return n
}

func count(w *facts.Workload) string {
	return fmt.Sprintf("%d of %d pods available", min(w.Available, w.Desired), w.Desired)
}
