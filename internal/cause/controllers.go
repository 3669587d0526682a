package cause

import (
	"fmt"
	"strings"
	"time"

	"github.com/unjam-dev/unjam/internal/facts"
	"github.com/unjam-dev/unjam/internal/pattern"
)

var newSetFailed = pattern.New(`^Failed to create new replica set "([^"]+)": (?s:(.*))$`)

func detectReplicaSetCreateError(_ *facts.Facts, w *facts.Workload) []Finding {
	c := w.Condition("Progressing")
	if w.Deployment == nil || c.Status != "False" || c.Reason != "ReplicaSetCreateError" {
		return nil
	}
	reason := c.Message
	if m := newSetFailed.FindStringSubmatch(c.Message); m != nil {
		reason = m[2]
	}
	fd := seenIn(w, "replicaset-create-error", Certain, fmt.Sprintf("the ReplicaSet of the new revision of %s cannot be made (%s)", w.Ref(), firstLine(reason)),
		Evidence{Text: "the controller could not make the ReplicaSet", Receipt: w.Receipt("status.conditions[Progressing]", c.Message, c.LastUpdate)})
	switch m := exceededQuota.FindStringSubmatch(reason); {
	case m != nil:
		fd.Summary = fmt.Sprintf("quota %s/%s has no room for one more ReplicaSet (%s of %s is used), so the new revision of %s gets none", w.Namespace, m[1], m[3], m[4], w.Ref())
		fd.Vars["quota"], fd.Key = m[1], "quota "+w.Namespace+"/"+m[1]
	case strings.Contains(reason, "webhook \""):
		fd.Summary = fmt.Sprintf("a webhook keeps the ReplicaSet of the new revision of %s from being made (%s)", w.Ref(), firstLine(reason))
	}
	if old := readyPods(w.OldPods()); old > 0 {
		fd.Summary += fmt.Sprintf("; %s of the former revision still %s", countPods(old), plural(old, "serves", "serve"))
	}
	return []Finding{fd}
}

func detectSelectingAll(_ *facts.Facts, w *facts.Workload) []Finding {
	if w.Deployment == nil && w.DaemonSet == nil || rolledOut(w) {
		return nil
	}
	for _, e := range w.Events {
		if e.Reason == "SelectingAll" {
			fd := seenIn(w, "selector-selecting-all", Certain, w.Ref()+" has an empty selector, which would take every pod of the namespace, so its controller does nothing",
				Evidence{Text: "the controller refuses an empty selector", Receipt: e.Receipt()})
			return []Finding{fd}
		}
	}
	return nil
}

// How old the controller manager's lease may be, and how long it may take to
// look at a change.
const (
	leaseStale  = 60 * time.Second
	lagOfDown   = 30 * time.Second
	lagOfLoaded = 60 * time.Second
)

// detectControllerLag sees a change that the workload's controller has not
// looked at. The lease of the controller manager tells down from busy.
func detectControllerLag(f *facts.Facts, w *facts.Workload) []Finding {
	if w.Orphan || w.Generation == 0 || w.ObservedGeneration >= w.Generation || w.Rollout != nil {
		return nil
	}
	since := changedAt(w)
	lag := f.Now.Sub(since)
	evidence := Evidence{Text: "the newest change is not the one the controller has seen", Receipt: w.Receipt("status.observedGeneration", fmt.Sprintf("%d of %d", w.ObservedGeneration, w.Generation), since)}
	renewed, seen := controllerLease(f)
	if seen && f.Now.Sub(renewed) > leaseStale && (since.IsZero() || lag >= lagOfDown) {
		fd := seenIn(w, "controller-manager-lag", Certain, fmt.Sprintf("kube-controller-manager is down: it last renewed its lease %s ago, and nothing acts on the change of %s", f.Now.Sub(renewed).Round(time.Second), w.Ref()), evidence,
			Evidence{Text: "the lease is stale", Receipt: facts.Receipt{Kind: "Lease", Namespace: "kube-system", Name: "kube-controller-manager", Field: "spec.renewTime", Text: renewed.UTC().Format(time.RFC3339), Time: renewed}})
		fd.Class, fd.Since, fd.Last, fd.Key = Terminal, renewed, f.Now, "kube-controller-manager"
		return []Finding{fd}
	}
	if since.IsZero() || lag < lagOfLoaded {
		return nil
	}
	fd := seenIn(w, "controller-manager-lag", Certain, fmt.Sprintf("the controller of %s has not looked at its newest change for %s: it is overloaded", w.Ref(), lag.Round(time.Second)), evidence)
	if !seen {
		fd.Confidence = Possible
		fd.Summary = fmt.Sprintf("the controller of %s has not looked at its newest change for %s: it is overloaded or down", w.Ref(), lag.Round(time.Second))
		fd.Rivals = []Rival{{Cause: "apiserver-overload", SettledBy: "kubectl -n kube-system get lease kube-controller-manager: stale means down, fresh means overloaded"}}
	}
	fd.Since, fd.Last, fd.Key = since, f.Now, "kube-controller-manager"
	return []Finding{fd}
}

// changedAt is when the spec was last changed, as far as the object tells: the
// newest writer of its fields, or its making when it was never changed.
func changedAt(w *facts.Workload) time.Time {
	if w.Generation <= 1 {
		return w.Created
	}
	var last time.Time
	for _, m := range managedFields(w) {
		if m.Subresource == "" && m.Time != nil && m.Time.After(last) {
			last = m.Time.Time
		}
	}
	return last
}

func controllerLease(f *facts.Facts) (time.Time, bool) {
	for _, l := range f.Snap.Objects.Leases {
		if l.Namespace == "kube-system" && l.Name == "kube-controller-manager" && l.Spec.RenewTime != nil {
			return l.Spec.RenewTime.Time, true
		}
	}
	return time.Time{}, false
}
