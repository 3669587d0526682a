package cause

import (
	"fmt"
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/component-helpers/scheduling/corev1/nodeaffinity"

	"github.com/unjam-dev/unjam/internal/facts"
	"github.com/unjam-dev/unjam/internal/pattern"
)

func detectDaemonSetOnDelete(_ *facts.Facts, w *facts.Workload) []Finding {
	if w.DaemonSet == nil || w.DaemonSet.Spec.UpdateStrategy.Type != appsv1.OnDeleteDaemonSetStrategyType {
		return nil
	}
	return onDelete(w, "daemonset-ondelete")
}

// detectExcludedNodes explains a DaemonSet that wants no pod anywhere: no pod
// and no event is made for a node that does not qualify.
func detectExcludedNodes(f *facts.Facts, w *facts.Workload) []Finding {
	nodes := f.Snap.Objects.Nodes
	if w.DaemonSet == nil || w.Desired > 0 || w.ObservedGeneration < w.Generation || len(livePods(w.Pods)) > 0 || len(nodes) == 0 || !f.Snap.Covers("nodes", "") {
		return nil
	}
	reasons := map[string]int{}
	var names []string
	for _, n := range nodes {
		why := excludedBy(w, n)
		if why == "" {
			return nil // some node qualifies, the controller is about to act
		}
		reasons[why]++
		names = insert(names, n.Name)
	}
	var said []string
	for why, n := range reasons {
		said = append(said, fmt.Sprintf("%d %s", n, why))
	}
	slices.Sort(said)
	fd := seenIn(w, "daemonset-excluded-nodes", Certain, fmt.Sprintf("none of %s qualifies for %s: %s", plural(int32(len(nodes)), "1 node", fmt.Sprintf("%d nodes", len(nodes))), w.Ref(), strings.Join(said, "; ")),
		Evidence{Text: "the controller wants no pod on any node", Receipt: w.Receipt("status.desiredNumberScheduled", "0", time.Time{})})
	fd.Nodes = names
	fd.Vars["node"] = names[0]
	return []Finding{fd}
}

// daemonTolerates are the taints that the DaemonSet controller tolerates on
// behalf of every daemon pod (kubernetes pkg/controller/daemon/util).
var daemonTolerates = []string{corev1.TaintNodeNotReady, corev1.TaintNodeUnreachable, corev1.TaintNodeDiskPressure, corev1.TaintNodeMemoryPressure,
	corev1.TaintNodePIDPressure, corev1.TaintNodeUnschedulable}

// excludedBy says why a DaemonSet leaves a node out, empty when it does not.
func excludedBy(w *facts.Workload, n *corev1.Node) string {
	spec := w.Template.Spec
	if ok, err := nodeaffinity.GetRequiredNodeAffinity(&corev1.Pod{Spec: spec}).Match(n); err == nil && !ok {
		return "not matched by its node selector or affinity"
	}
	for i := range n.Spec.Taints {
		t := &n.Spec.Taints[i]
		own := slices.Contains(daemonTolerates, t.Key) || t.Key == corev1.TaintNodeNetworkUnavailable && spec.HostNetwork
		if own || t.Effect != corev1.TaintEffectNoSchedule && t.Effect != corev1.TaintEffectNoExecute {
			continue
		}
		if !slices.ContainsFunc(spec.Tolerations, func(x corev1.Toleration) bool { return toleratesTaint(x, t) }) {
			return "kept off by taint " + t.Key
		}
	}
	return ""
}

// toleratesTaint is the API's rule for operators Exists and Equal.
func toleratesTaint(x corev1.Toleration, t *corev1.Taint) bool {
	if x.Effect != "" && x.Effect != t.Effect || x.Key != "" && x.Key != t.Key {
		return false
	}
	return x.Operator == corev1.TolerationOpExists || x.Key != "" && (x.Operator == "" || x.Operator == corev1.TolerationOpEqual) && x.Value == t.Value
}

// deadNodeSettle is how long a node may be away before it holds a rollout.
const deadNodeSettle = 5 * time.Minute

// detectDeadNodeBudget sees the update of a DaemonSet held by nodes that are
// down: each takes one of the pods that may be unavailable.
func detectDeadNodeBudget(f *facts.Facts, w *facts.Workload) []Finding {
	if w.DaemonSet == nil || len(livePods(w.OldPods())) == 0 || w.DaemonSet.Spec.UpdateStrategy.Type == appsv1.OnDeleteDaemonSetStrategyType {
		return nil
	}
	limit, declared := 1, "1"
	if r := w.DaemonSet.Spec.UpdateStrategy.RollingUpdate; r != nil {
		if r.MaxSurge != nil && r.MaxSurge.String() != "0" && r.MaxSurge.String() != "0%" {
			return nil
		}
		if r.MaxUnavailable != nil {
			n, err := intstr.GetScaledValueFromIntOrPercent(r.MaxUnavailable, int(w.Desired), true)
			if err != nil {
				return nil
			}
			limit, declared = max(n, 1), r.MaxUnavailable.String()
		}
	}
	var since time.Time
	var evidence []Evidence
	var nodes, pods []string
	held := false
	for _, p := range w.Pods {
		dead, at := nodeDown(p.Node)
		if !dead {
			held = held || !p.New && p.Phase == facts.PhaseReady
			continue
		}
		if p.Phase == facts.PhaseReady {
			continue
		}
		if nodes = insert(nodes, p.NodeName()); since.IsZero() || at.Before(since) {
			since = at
		}
		pods = insert(pods, p.Name())
		evidence = append(evidence, Evidence{Text: "the node is not Ready", Receipt: facts.Receipt{Kind: "Node", Name: p.NodeName(), Field: "status.conditions[Ready]", Text: string(nodeCondition(p.Node, corev1.NodeReady).Status), Time: at}})
	}
	if len(nodes) < limit || !held {
		return nil
	}
	fd := seenIn(w, "daemonset-dead-node-budget", Certain, fmt.Sprintf("%s %s down and %s up the %d %s of %s that may be unavailable, so no other node is updated",
		strings.Join(nodes, ", "), plural(int32(len(nodes)), "is", "are"), plural(int32(len(nodes)), "uses", "use"), limit, plural(int32(limit), "pod", "pods"), w.Ref()), evidence...)
	fd.Evidence = append(fd.Evidence, Evidence{Text: "how many pods may be unavailable", Receipt: w.Receipt("spec.updateStrategy.rollingUpdate.maxUnavailable", declared, time.Time{})})
	fd.Since, fd.Last, fd.Nodes, fd.Pods = since, f.Now, nodes, pods
	fd.Vars["node"], fd.Vars["maxUnavailable"], fd.Vars["newMaxUnavailable"] = nodes[0], declared, fmt.Sprint(len(nodes)+1)
	if strings.HasSuffix(declared, "%") {
		delete(fd.Vars, "newMaxUnavailable")
	}
	fd.Key = "node " + nodes[0]
	return []Finding{fd}
}

func nodeDown(n *corev1.Node) (bool, time.Time) {
	if n == nil {
		return false, time.Time{}
	}
	c := nodeCondition(n, corev1.NodeReady)
	return c.Type != "" && c.Status != corev1.ConditionTrue, c.LastTransitionTime.Time
}

var failedDaemon = pattern.New(`^Found failed daemon pod ([^/]+)/(\S+) on node (\S+), will try to kill it`)

// failedLoop is how many failed pods on one node make a loop, and within what time.
const (
	failedLoop   = 3
	failedWindow = 15 * time.Minute
)

// detectFailedDaemonLoop sees a DaemonSet whose pods on a node fail again and
// again: the kubelet rejects or evicts each new one.
func detectFailedDaemonLoop(f *facts.Facts, w *facts.Workload) []Finding {
	if w.DaemonSet == nil || rolledOut(w) {
		return nil
	}
	counts := map[string]int{}
	last := map[string]*facts.Event{}
	for _, e := range w.Events {
		m := failedDaemon.FindStringSubmatch(e.Message)
		if e.Reason == "FailedDaemonPod" && m != nil && f.Now.Sub(e.Last) <= failedWindow {
			counts[m[3]] += int(e.Count)
			last[m[3]] = e
		}
	}
	var nodes []string
	total := 0
	for n, c := range counts {
		if c >= failedLoop {
			nodes, total = insert(nodes, n), total+c
		}
	}
	if len(nodes) == 0 {
		return nil
	}
	why := ""
	for _, p := range w.Pods {
		if p.Phase == facts.PhaseFailed && slices.Contains(nodes, p.NodeName()) && p.Obj.Status.Reason != "" {
			why = " (" + p.Obj.Status.Reason + ")"
		}
	}
	fd := seenIn(w, "daemonset-failed-pod-loop", Certain, fmt.Sprintf("pods of %s fail on %s as soon as they are made%s, %d times so far", w.Ref(), strings.Join(nodes, ", "), why, total))
	for _, n := range nodes {
		e := last[n]
		fd.Evidence = append(fd.Evidence, Evidence{Text: "the controller removes a failed pod and makes the next", Receipt: e.Receipt()})
		if fd.Since.IsZero() || e.First.Before(fd.Since) {
			fd.Since = e.First
		}
		if e.Last.After(fd.Last) {
			fd.Last = e.Last
		}
	}
	fd.Nodes, fd.Attempts, fd.Key = nodes, total, "node "+nodes[0]
	fd.Vars["node"] = nodes[0]
	return []Finding{fd}
}
