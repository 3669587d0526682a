package cause

import (
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/unjam-dev/unjam/internal/facts"
)

// lostNode reports whether the control plane has lost touch with the pod's
// node. What the pod's status says is then a memory, not the present.
func lostNode(p *facts.Pod) bool {
	return p.Node != nil && nodeCondition(p.Node, corev1.NodeReady).Status == corev1.ConditionUnknown
}

// nodeCondition returns the node's condition of a type, or the zero value.
func nodeCondition(n *corev1.Node, typ corev1.NodeConditionType) corev1.NodeCondition {
	for _, c := range n.Status.Conditions {
		if c.Type == typ {
			return c
		}
	}
	return corev1.NodeCondition{}
}

// startingPods are the waiting pods that a kubelet in touch works on: those
// whose statuses tell why they are not Ready.
func startingPods(w *facts.Workload) []*facts.Pod {
	pods := waitingPods(w)
	return slices.DeleteFunc(pods, func(p *facts.Pod) bool { return p.NodeName() == "" || lostNode(p) })
}

// crashPods are the pods whose containers may have died: the starting ones and
// the failed attempts of a Job that still tries or has given up.
func crashPods(w *facts.Workload) []*facts.Pod {
	pods := startingPods(w)
	if w.Job != nil && w.Condition("Complete").Status != "True" {
		for _, p := range w.Pods {
			if p.Phase == facts.PhaseFailed && p.Obj.Status.Reason == "" {
				pods = append(pods, p)
			}
		}
	}
	return pods
}

// short reports whether pods are missing: fewer are available than wanted.
func short(w *facts.Workload) bool {
	switch {
	case w.Job != nil:
		return w.Condition("Complete").Status != "True"
	case w.Kind == "Pod":
		return w.Ready < 1
	}
	return w.Available < w.Desired || w.Ready < w.Desired
}

// recent is how long a pod's violent end still bears on a workload that lacks pods.
const recent = 10 * time.Minute

// fallenPods are the pods that were rejected, evicted or killed lately, while
// the workload still lacks pods.
func fallenPods(f *facts.Facts, w *facts.Workload) []*facts.Pod {
	var out []*facts.Pod
	for _, p := range w.Pods {
		if p.Phase == facts.PhaseFailed && p.Obj.Status.Reason != "" && f.Now.Sub(endOf(p)) <= recent {
			out = append(out, p)
		}
	}
	if len(out) > 0 && !short(w) {
		return nil
	}
	return out
}

// endOf is when a failed pod ended, as well as it can be known.
func endOf(p *facts.Pod) time.Time {
	end := p.Condition("DisruptionTarget").LastTransition
	for _, c := range p.Containers {
		if d := c.LastDeath(); d != nil && d.Finished.After(end) {
			end = d.Finished
		}
	}
	if end.IsZero() {
		end = p.Condition(corev1.PodReady).LastTransition
	}
	if end.IsZero() && p.Obj.Status.StartTime != nil {
		end = p.Obj.Status.StartTime.Time
	}
	if end.IsZero() {
		end = p.Obj.CreationTimestamp.Time
	}
	return end
}

// newestEvent returns the pod's newest event that fits, nil when there is none.
func newestEvent(p *facts.Pod, fits func(*facts.Event) bool) *facts.Event {
	for _, e := range slices.Backward(p.Events) {
		if fits(e) {
			return e
		}
	}
	return nil
}

// spanOf gathers the first and last time and the count of all events that fit.
func spanOf(p *facts.Pod, fits func(*facts.Event) bool) (first, last time.Time, count int) {
	for _, e := range p.Events {
		if !fits(e) {
			continue
		}
		if first.IsZero() || e.First.Before(first) {
			first = e.First
		}
		if e.Last.After(last) {
			last = e.Last
		}
		count += int(e.Count)
	}
	return first, last, count
}

// podStart is when the kubelet took the pod up, else when it was made.
func podStart(p *facts.Pod) time.Time {
	if t := p.Obj.Status.StartTime; t != nil {
		return t.Time
	}
	return p.Obj.CreationTimestamp.Time
}
