package cause

import (
	"fmt"
	"slices"
	"strings"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/unjam-dev/unjam/internal/facts"
	"github.com/unjam-dev/unjam/internal/pattern"
)

const (
	// provisionTime is how long a new node may take to join
	// (--max-node-provision-time of the cluster autoscaler, Karpenter's
	// registration timeout).
	provisionTime = 15 * time.Minute
	// caReacts and karpenterReacts are how soon each says something of an
	// unschedulable pod when it runs.
	caReacts        = time.Minute
	karpenterReacts = 30 * time.Second
)

// awaitsAutoscaler reports whether an autoscaler holds its lease and has not yet
// said whether it adds a node for the pods: the cluster autoscaler looks every
// 10 s (--scan-interval), Karpenter within seconds, and both may be busy.
func awaitsAutoscaler(f *facts.Facts, pods []*facts.Pod) bool {
	alive := slices.ContainsFunc([]string{"cluster-autoscaler", "karpenter-leader-election"}, func(name string) bool {
		age, ok := leaseAge(f, lease(f, name))
		return ok && age <= time.Minute
	})
	return alive && !slices.ContainsFunc(pods, func(p *facts.Pod) bool {
		return slices.ContainsFunc(p.Events, func(e *facts.Event) bool { return e.Reason == "NotTriggerScaleUp" || fromKarpenter(e) })
	})
}

func fromKarpenter(e *facts.Event) bool { return strings.Contains(e.Source, "karpenter") }

// scaleUp is the newest word of an autoscaler that it is adding a node for the
// pod, unless it took that back later.
func scaleUp(p *facts.Pod) (*facts.Event, bool) {
	for _, e := range slices.Backward(p.Events) {
		switch {
		case e.Reason == "TriggeredScaleUp", e.Reason == "Nominated" && fromKarpenter(e):
			return e, true
		case e.Reason == "NotTriggerScaleUp", e.Reason == "FailedScheduling" && fromKarpenter(e):
			return nil, false
		}
	}
	return nil, false
}

var scaleUpText = pattern.New(`\{(\S+) (\d+)->(\d+) \(max: (\d+)\)\}`)

func scaleUpInProgress(f *facts.Facts, w *facts.Workload) []Finding {
	var pods []*facts.Pod
	var last *facts.Event
	for _, p := range unplaced(w) {
		if e, ok := scaleUp(p); ok && f.Now.Sub(e.Last) < provisionTime {
			pods = append(pods, p)
			if last == nil || e.Last.After(last.Last) {
				last = e
			}
		}
	}
	if len(pods) == 0 {
		return nil
	}
	fd := unplacedFinding(f, w, "ca-scaleup-in-progress", pods)
	fd.Explains = slices.Concat([]string{"no-nodes", "ca-no-fit", "karpenter-no-fit"}, roomCodes, nodeCodes)
	fd.Since = last.First
	fd.Evidence = append([]Evidence{{"an autoscaler is adding a node for the pod", last.Receipt()}}, fd.Evidence...)
	fd.Summary = fmt.Sprintf("a node for %s is on its way since %s ago", w.Name, f.Now.Sub(last.First).Round(time.Second))
	if m := scaleUpText.FindStringSubmatch(last.Message); m != nil {
		fd.Vars["group"] = m[1]
		fd.Summary = fmt.Sprintf("node group %s grows from %s to %s of at most %s nodes for %s, since %s; it may take up to %d minutes",
			m[1], m[2], m[3], m[4], w.Name, f.Now.Sub(last.First).Round(time.Second), int(provisionTime.Minutes()))
		fd.Key = "node group " + m[1]
	} else if claim, ok := strings.CutPrefix(last.Message, "Pod should schedule on: "); ok {
		fd.Summary = fmt.Sprintf("Karpenter is making %s for %s", claim, w.Name)
	}
	return []Finding{fd}
}

// notTriggered sorts the reasons why no node group grew. The counts are of node
// groups. A group at its limit would do otherwise, so it names the cause.
func notTriggered(message string) (code string, ok bool) {
	if !strings.HasPrefix(message, "pod didn't trigger scale-up") {
		return "", false
	}
	switch {
	case strings.Contains(message, "max node group size reached"), strings.Contains(message, "max total nodes in cluster reached"), strings.Contains(message, "max cluster cpu"), strings.Contains(message, "max cluster memory"):
		return "ca-max-size", true
	case strings.Contains(message, "in backoff after failed scale-up"), strings.Contains(message, "not ready for scale-up"):
		return "ca-backoff", true
	}
	return "ca-no-fit", true
}

func notTriggeredAs(code string) func(*facts.Facts, *facts.Workload) []Finding {
	return func(f *facts.Facts, w *facts.Workload) []Finding {
		var pods []*facts.Pod
		var last *facts.Event
		for _, p := range unplaced(w) {
			if _, growing := scaleUp(p); growing {
				continue
			}
			for _, e := range slices.Backward(p.Events) {
				if e.Reason != "NotTriggerScaleUp" {
					continue
				}
				if c, ok := notTriggered(e.Message); ok && c == code {
					pods = append(pods, p)
					last = e
				}
				break
			}
		}
		if len(pods) == 0 {
			return nil
		}
		fd := unplacedFinding(f, w, code, pods)
		fd.Evidence = append([]Evidence{{"the cluster autoscaler adds no node for the pod", last.Receipt()}}, fd.Evidence...)
		fd.Since, fd.Last = last.First, last.Last
		_, reasons, _ := strings.Cut(last.Message, ": ")
		switch code {
		case "ca-max-size":
			fd.Explains = append([]string{"no-nodes"}, roomCodes...)
			fd.Summary = fmt.Sprintf("%s needs another node, and the cluster autoscaler may add none: its limit is reached", w.Name)
			if strings.Contains(last.Message, "in cluster") {
				fd.Summary = fmt.Sprintf("%s needs another node, and the cluster has as many as the autoscaler may run", w.Name)
			}
		case "ca-backoff":
			fd.Explains = append([]string{"no-nodes"}, roomCodes...)
			fd.Summary = fmt.Sprintf("%s needs another node; the last try to add one failed and the autoscaler waits before the next", w.Name)
			if why := scaleUpFailure(f); why != nil {
				fd.Summary += ": " + oneLine(why.Message, 160)
				fd.Evidence = append(fd.Evidence, Evidence{"adding a node failed", why.Receipt()})
			}
		default:
			fd.Summary = fmt.Sprintf("the cluster autoscaler has no node group that would take %s", w.Name)
			if reasons != "" {
				fd.Summary += " (of its groups: " + oneLine(reasons, 160) + ")"
			}
		}
		return []Finding{fd}
	}
}

const caStatus = "cluster-autoscaler-status"

// scaleUpFailure is the autoscaler's newest note that adding nodes failed.
func scaleUpFailure(f *facts.Facts) *facts.Event {
	for _, e := range slices.Backward(f.EventsOf("ConfigMap", "kube-system", caStatus, "")) {
		switch e.Reason {
		case "FailedToScaleUpGroup", "ScaleUpFailed", "ScaleUpTimedOut":
			return e
		case "ScaledUpGroup":
			return nil
		}
	}
	return nil
}

// scaleUpTimeout is a scale-up that was announced and brought no node.
func scaleUpTimeout(f *facts.Facts, w *facts.Workload) []Finding {
	var pods []*facts.Pod
	var last *facts.Event
	for _, p := range unplaced(w) {
		if e, ok := scaleUp(p); ok && !fromKarpenter(e) {
			pods, last = append(pods, p), e
		}
	}
	if len(pods) == 0 {
		return nil
	}
	failed := scaleUpFailure(f)
	said := failed != nil && failed.Reason == "ScaleUpTimedOut" && failed.Last.After(last.First)
	if !said && f.Now.Sub(last.Last) < provisionTime {
		return nil
	}
	fd := unplacedFinding(f, w, "ca-scaleup-timeout", pods)
	fd.Explains = append([]string{"no-nodes", "ca-scaleup-in-progress"}, roomCodes...)
	fd.Since = last.First
	fd.Evidence = append([]Evidence{{"the autoscaler announced a node", last.Receipt()}}, fd.Evidence...)
	fd.Summary = fmt.Sprintf("a node for %s was asked for %s ago and has not joined", w.Name, f.Now.Sub(last.First).Round(time.Minute))
	if m := scaleUpText.FindStringSubmatch(last.Message); m != nil {
		fd.Vars["group"] = m[1]
		fd.Summary += " node group " + m[1]
		fd.Key = "node group " + m[1]
	}
	if said {
		fd.Evidence = append(fd.Evidence, Evidence{"the autoscaler gave up on the node", failed.Receipt()})
	}
	return []Finding{fd}
}

// unheard are pods that were refused for want of room at least so long ago and
// of which the autoscaler with these event reasons has said nothing.
func unheard(f *facts.Facts, w *facts.Workload, wait time.Duration, heard func(*facts.Event) bool) []*facts.Pod {
	if w.DaemonSet != nil || !f.Snap.Covers("events", w.Namespace) {
		return nil
	}
	var out []*facts.Pod
	for _, pl := range placements(f, w) {
		if pl.stale || !slices.Contains(roomCodes, pl.code) {
			continue
		}
		for _, p := range pl.pods {
			since := p.Scheduling.Condition.LastTransition
			if p.Scheduling.Condition.Reason == corev1.PodReasonUnschedulable && !since.IsZero() && f.Now.Sub(since) > wait && f.Now.Sub(since) < time.Hour &&
				p.Obj.Status.NominatedNodeName == "" && !slices.ContainsFunc(p.Events, heard) {
				out = append(out, p)
			}
		}
	}
	return out
}

// lease finds the lease of a leader by name; several namespaces are usual.
func lease(f *facts.Facts, name string) *coordinationv1.Lease {
	for _, l := range f.Snap.Objects.Leases {
		if l.Name == name {
			return l
		}
	}
	return nil
}

// leaseAge is how long ago the leader last renewed; ok is false when that is unknown.
func leaseAge(f *facts.Facts, l *coordinationv1.Lease) (time.Duration, bool) {
	if l == nil || l.Spec.RenewTime == nil {
		return 0, false
	}
	return f.Now.Sub(l.Spec.RenewTime.Time), true
}

func caNotReacting(f *facts.Facts, w *facts.Workload) []Finding {
	l := lease(f, "cluster-autoscaler")
	if l == nil {
		return nil // nothing says that there is one
	}
	pods := unheard(f, w, caReacts, func(e *facts.Event) bool {
		return e.Reason == "TriggeredScaleUp" || e.Reason == "NotTriggerScaleUp"
	})
	// Pods below the cutoff are expendable and never make it grow.
	pods = slices.DeleteFunc(pods, func(p *facts.Pod) bool { return p.Obj.Spec.Priority != nil && *p.Obj.Spec.Priority < -10 })
	return silentAutoscaler(f, w, "ca-not-reacting", "the cluster autoscaler", l, 2*time.Minute, pods)
}

func karpenterNotReacting(f *facts.Facts, w *facts.Workload) []Finding {
	l := lease(f, "karpenter-leader-election")
	if l == nil {
		return nil
	}
	pods := unheard(f, w, karpenterReacts, fromKarpenter)
	return silentAutoscaler(f, w, "karpenter-not-reacting", "Karpenter", l, time.Minute, pods)
}

func silentAutoscaler(f *facts.Facts, w *facts.Workload, code, who string, l *coordinationv1.Lease, stale time.Duration, pods []*facts.Pod) []Finding {
	age, ok := leaseAge(f, l)
	if len(pods) == 0 || !ok {
		return nil
	}
	fd := unplacedFinding(f, w, code, pods)
	r := facts.Receipt{Kind: "Lease", Namespace: l.Namespace, Name: l.Name, Field: "spec.renewTime", Text: l.Spec.RenewTime.String(), Time: l.Spec.RenewTime.Time}
	if age <= stale {
		// It runs; why it keeps silent is open. The shortage stays the cause.
		fd.Class = Symptom
		fd.Confidence = Likely
		fd.Rivals = []Rival{{"ca-no-fit", "the autoscaler's log"}}
		fd.Summary = fmt.Sprintf("%s runs, but has said nothing of %s", who, w.Name)
		fd.Evidence = append(fd.Evidence, Evidence{"the autoscaler holds its lease", r})
		return []Finding{fd}
	}
	fd.Explains = append([]string{"no-nodes"}, roomCodes...)
	fd.Summary = fmt.Sprintf("%s needs another node, and %s has not run for %s", w.Name, who, age.Round(time.Second))
	fd.Evidence = append([]Evidence{{"the autoscaler no longer renews its lease", r}}, fd.Evidence...)
	return []Finding{fd}
}
