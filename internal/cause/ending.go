package cause

import (
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/unjam-dev/unjam/internal/facts"
)

// overdue is how long after the end of its grace period a pod that is still
// there counts as stuck.
const overdue = 30 * time.Second

// lastSign is when a pod that goes was last heard of.
func lastSign(p *facts.Pod) time.Time {
	at := endOf(p)
	if d := p.Obj.DeletionTimestamp; d != nil && d.After(at) {
		at = d.Time
	}
	return at
}

// endingSightings reads pods that are being deleted, where the workload waits for
// them to go.
func endingSightings(f *facts.Facts, w *facts.Workload) []sighting {
	return rememberedAs("ending", readEnding)(f, w)
}

func readEnding(f *facts.Facts, w *facts.Workload) []sighting {
	if !waitsForEnds(w) {
		return nil
	}
	var out []sighting
	for _, p := range w.Pods {
		if p.Phase != facts.PhaseTerminate {
			continue
		}
		if s := ending(f, p); s.code != "" {
			out = append(out, s)
		}
	}
	return append(out, ignoredTerm(f, w)...)
}

// waitsForEnds reports whether pods are missing whose place a pod that goes still
// holds. A Deployment that may surge does not wait for the old ones.
func waitsForEnds(w *facts.Workload) bool {
	if !short(w) {
		return false
	}
	if d := w.Deployment; d != nil {
		r := d.Spec.Strategy.RollingUpdate
		noSurge := r != nil && r.MaxSurge != nil && (r.MaxSurge.String() == "0" || r.MaxSurge.String() == "0%")
		return noSurge || recreates(w)
	}
	return true
}

func ending(f *facts.Facts, p *facts.Pod) sighting {
	end := p.Obj.DeletionTimestamp.Time
	late := f.Now.Sub(end)
	s := sighting{pod: p, same: p.NodeName(), confidence: Certain, since: end, last: f.Now, vars: map[string]string{},
		evidence: []Evidence{{Text: "its grace period ends then", Receipt: p.Receipt("metadata.deletionTimestamp", end.UTC().Format(time.RFC3339), end)}}}
	hook := newestEvent(p, func(e *facts.Event) bool { return e.Reason == "FailedPreStopHook" })
	kill := newestEvent(p, func(e *facts.Event) bool { return e.Reason == "FailedKillPod" || e.Reason == "ExceededGracePeriod" })
	switch {
	case late <= overdue && hook != nil:
		s.code, s.same = "prestop-hang", ""
		s.summary = fmt.Sprintf("the preStop hook of %s fails or does not end, so the pod uses up its grace period", p.Name())
		s.evidence = append(s.evidence, eventProof("the hook", hook))
		s.next = end
	case late <= overdue:
		if recreates(p.Workload) || p.Condition("DisruptionTarget").Status == "True" {
			return sighting{} // told by recreate-waits-old-pods, or by why the pod goes
		}
		s.code, s.same, s.next = "old-pod-grace", "", end
		grace := int64(30)
		if g := p.Obj.DeletionGracePeriodSeconds; g != nil {
			grace = *g
		}
		s.since = end.Add(-time.Duration(grace) * time.Second)
		s.summary = fmt.Sprintf("%s is ending and has %s of its %ds grace period left; the next pod comes after it", p.Name(), age(max(0, -late)), grace)
	case lostNode(p):
		s.code, s.key = "node-lost-terminating", "node "+p.NodeName()
		s.summary = fmt.Sprintf("%s has been ending for %s on node %s, which no longer reports, so nobody can confirm that it is gone", p.Name(), age(late), p.NodeName())
		c := nodeCondition(p.Node, corev1.NodeReady)
		s.evidence = append(s.evidence, Evidence{Text: "the node is lost", Receipt: facts.Receipt{Kind: "Node", Name: p.NodeName(), Field: "status.conditions[Ready]", Text: quote(c.Reason + ": " + c.Message), Time: c.LastTransitionTime.Time}})
	case kill != nil:
		s.code, s.key = "failed-kill-pod", "node "+p.NodeName()
		s.summary = fmt.Sprintf("node %s cannot end %s: %s", p.NodeName(), p.Name(), quote(tail(kill.Message)))
		s.evidence = append(s.evidence, eventProof("the kubelet's word", kill))
		s.attempts = int(kill.Count)
		s.repeatedOr(3)
	case len(p.Obj.Finalizers) > 0 && ended(p):
		s.code, s.same = "finalizer-stuck", strings.Join(p.Obj.Finalizers, ",")
		s.vars["finalizer"] = p.Obj.Finalizers[0]
		s.key = "finalizer " + p.Obj.Finalizers[0]
		s.summary = fmt.Sprintf("the containers of %s have ended, but its finalizer %s keeps the pod for %s already", p.Name(), strings.Join(p.Obj.Finalizers, ", "), age(late))
		s.evidence = append(s.evidence, fieldProof(p, "what holds it", "metadata.finalizers", strings.Join(p.Obj.Finalizers, ", ")))
	default:
		s.code, s.key, s.confidence = "failed-kill-pod", "node "+p.NodeName(), Possible
		s.summary = fmt.Sprintf("%s should have ended %s ago and is still there; nothing seen says why", p.Name(), age(late))
		s.rivals = []Rival{{Cause: "node-lost-terminating", SettledBy: "kubectl get node " + p.NodeName()}, {Cause: "finalizer-stuck", SettledBy: fmt.Sprintf("kubectl -n %s get pod %s -o jsonpath='{.metadata.finalizers}'", p.Obj.Namespace, p.Name())}}
	}
	return s
}

func recreates(w *facts.Workload) bool {
	return w != nil && w.Deployment != nil && w.Deployment.Spec.Strategy.Type == "Recreate"
}

// ended reports whether every container of the pod has terminated.
func ended(p *facts.Pod) bool {
	for _, c := range p.Containers {
		if c.Status == nil || c.Status.State.Terminated == nil {
			return false
		}
	}
	return true
}

// ignoredTerm finds pods that had to be killed at the end of their grace period:
// two of them show a habit.
func ignoredTerm(f *facts.Facts, w *facts.Workload) []sighting {
	var out []sighting
	for _, p := range w.Pods {
		if p.Phase != facts.PhaseTerminate {
			continue
		}
		end := p.Obj.DeletionTimestamp.Time
		for _, c := range p.Containers {
			d := c.LastDeath()
			if d == nil || !d.Current || d.ExitCode != 137 || d.Reason == "OOMKilled" || d.Finished.Before(end.Add(-3*time.Second)) || c.Spec.Lifecycle != nil && c.Spec.Lifecycle.PreStop != nil {
				continue
			}
			out = append(out, sighting{code: "sigterm-ignored", same: c.Name, pod: p, c: c, confidence: Likely, since: d.Finished, last: d.Finished,
				summary: fmt.Sprintf("%s does not end on SIGTERM and is killed when the grace period is over", whoIs(c)), evidence: []Evidence{{Text: "killed at the end of the grace period", Receipt: d.Receipt}}})
		}
	}
	if len(out) < 2 {
		return nil
	}
	return out
}
