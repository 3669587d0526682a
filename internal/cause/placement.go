package cause

import (
	"slices"
	"strings"
	"time"

	"github.com/unjam-dev/unjam/internal/facts"
	"github.com/unjam-dev/unjam/internal/fit"
)

// placement is one reason why pods of a workload have no node. It rests on the
// nodes as they are where they were seen, and on the scheduler's words where not.
type placement struct {
	code string
	pods []*facts.Pod // the first stands for all
	// ex is nil when no node was seen.
	ex *fit.Explanation
	// near are the seen nodes the reason is about, and failure is what they
	// fail; empty when only the message speaks.
	near    []fit.NodeFit
	failure fit.Failure
	// reason is the scheduler's own reason for code; zero when recomputed.
	reason fit.Reason
	// others are the codes that the message leaves as open as this one.
	others []string
	// never is true when the scheduler says that no node could ever take it.
	never bool
	// stale is true when a node has room now and the scheduler has yet to retry.
	stale bool
	// odd is true when what was recomputed differs from what was printed.
	odd bool
}

// retryWithin is how long the scheduler may leave an unschedulable pod alone
// (pkg/scheduler/backend/queue/scheduling_queue.go, 5 minutes), and a little.
const retryWithin = 6 * time.Minute

// maxJudged bounds how many pods of a StatefulSet or DaemonSet, whose pods
// differ, are evaluated one by one.
const maxJudged = 50

// unplaced are the pods the scheduler has looked at and found no node for.
func unplaced(w *facts.Workload) []*facts.Pod {
	var out []*facts.Pod
	for _, p := range w.Pods {
		s := p.Scheduling
		if p.Phase == facts.PhaseSchedule && s != nil && len(p.Obj.Spec.SchedulingGates) == 0 &&
			s.Condition.Reason != "SchedulerError" && s.Condition.Reason != "SchedulingGated" && s.Message != "" {
			out = append(out, p)
		}
	}
	return out
}

// placements reads why the workload's pods have no node, one entry per reason.
func placements(f *facts.Facts, w *facts.Workload) []placement {
	var out []placement
	for _, group := range alike(w, unplaced(w)) {
		for _, pl := range judgePlacement(f, group[0]) {
			i := slices.IndexFunc(out, func(o placement) bool {
				return o.code == pl.code && o.failure.Resource == pl.failure.Resource && o.failure.Object == pl.failure.Object
			})
			if i >= 0 {
				out[i].pods = append(out[i].pods, group...)
				continue
			}
			pl.pods = slices.Clone(group)
			out = append(out, pl)
		}
	}
	return out
}

// alike groups pods that the scheduler must treat the same. Pods of StatefulSets
// and DaemonSets have volumes and nodes of their own.
func alike(w *facts.Workload, pods []*facts.Pod) [][]*facts.Pod {
	var out [][]*facts.Pod
	index := map[string]int{}
	own := w.StatefulSet != nil || w.DaemonSet != nil || w.Kind == "StatefulSet" || w.Kind == "DaemonSet"
	for i, p := range pods {
		k := "old"
		if p.New {
			k = "new"
		}
		if pre := p.Scheduling.Fit.PreFilterCheck(); pre != "" {
			k += string(pre)
		}
		if own && i < maxJudged {
			k += p.Name()
		}
		j, ok := index[k]
		if !ok {
			j = len(out)
			index[k] = j
			out = append(out, nil)
		}
		out[j] = append(out[j], p)
	}
	return out
}

// judgePlacement decides what keeps one pod from a node. The smallest change
// that would help names the primary reason; nodes that are out for other reasons
// are evidence only.
func judgePlacement(f *facts.Facts, p *facts.Pod) []placement {
	s := p.Scheduling
	if !s.Parsed {
		return nil
	}
	if preempting(p) {
		return []placement{{code: "preemption-pending", reason: fit.Reason{Text: s.Message}}}
	}
	if c := s.Fit.PreFilterCheck(); c != "" {
		return []placement{{code: codeOf(c, ""), reason: fit.Reason{Count: s.Fit.Nodes, Text: s.Fit.PreFilter}}}
	}
	printed := byPrice(s.Fit.Reasons)
	var ex *fit.Explanation
	c := f.Cluster()
	if c.Nodes() > 0 {
		ex = c.Explain(p.Obj)
	}
	all := ex != nil && c.Nodes() >= s.Fit.Nodes
	if all && len(ex.Nearest) > 0 {
		return fromNodes(ex, printed)
	}
	if len(printed) == 0 {
		return nil
	}
	pl := fromMessage(s.Fit, printed)
	if pl.ex = ex; ex != nil {
		pl.near, pl.failure = firstFailing(ex, printed[0])
	}
	if all && c.Decides(p.Obj) && len(ex.Fitting()) > 0 && computable(printed[0].Check()) {
		pl.stale, pl.others = true, nil
	}
	return []placement{pl}
}

// firstFailing are the seen nodes of which the scheduler must have printed the
// reason: it is the first check they fail.
func firstFailing(ex *fit.Explanation, r fit.Reason) (near []fit.NodeFit, failure fit.Failure) {
	for _, n := range ex.Nodes {
		if len(n.Failures) == 0 || n.Failures[0].Check != r.Check() || r.Resource() != "" && string(n.Failures[0].Resource) != r.Resource() {
			continue
		}
		if len(near) == 0 {
			failure = n.Failures[0]
		}
		near = append(near, n)
	}
	return near, failure
}

// fromNodes reports what the nearest nodes fail.
func fromNodes(ex *fit.Explanation, printed []fit.Reason) []placement {
	near := ex.Nearest[0]
	if ex.Repack != nil && len(near.Failures) == 1 && near.Failures[0].Check == fit.Resources {
		return []placement{{code: "fragmentation", ex: ex, near: ex.Nearest, failure: near.Failures[0]}}
	}
	var out []placement
	for _, x := range near.Failures {
		pl := placement{code: failureCode(x), ex: ex, near: ex.Nearest, failure: x}
		// A pod that may not share a node with its own kind fails both rules.
		if x.Check == fit.ExistingAnti {
			if own, ok := near.Failed(fit.AntiAffinity); ok && own.Object == x.Object {
				continue
			}
		}
		if x.Check == fit.NodeAffinity && len(printed) > 0 && printed[0].Check() == fit.Subset && fit.TargetNode(ex.Pod) == "" {
			pl.code, pl.reason = "prefilter-node-subset", printed[0]
		}
		out = append(out, pl)
	}
	first := near.Failures[0].Check
	odd := len(printed) > 0 && !slices.ContainsFunc(printed, func(r fit.Reason) bool {
		return r.Check() == first || r.Check() == fit.Subset && first == fit.NodeAffinity
	})
	for i := range out {
		if out[i].odd = odd; odd {
			out[i].others = []string{codeOf(printed[0].Check(), printed[0].Resource())}
		}
	}
	return out
}

// fromMessage goes by the printed reasons alone.
func fromMessage(e fit.FitError, printed []fit.Reason) placement {
	first := printed[0]
	pl := placement{code: codeOf(first.Check(), first.Resource()), reason: first}
	if first.Check() == fit.Resources {
		// Preemption that cannot help a node which is merely full means that
		// the request exceeds the whole node (noderesources/fit.go, Unresolvable).
		n, ok := e.NotHelpful()
		pl.never = ok && n >= e.Nodes && len(printed) == 1 && first.Count >= e.Nodes
		switch sized := slices.Contains([]string{"insufficient-cpu", "insufficient-memory", "insufficient-ephemeral-storage"}, pl.code); {
		case sized && pl.never:
			pl.code = "pod-larger-than-any-node"
		case sized:
			pl.others = append(pl.others, "pod-larger-than-any-node")
		}
	}
	for _, r := range printed[1:] {
		if c := codeOf(r.Check(), r.Resource()); c != pl.code && !slices.Contains(pl.others, c) {
			pl.others = append(pl.others, c)
		}
	}
	return pl
}

// byPrice puts the reason that is easiest to remove first.
func byPrice(reasons []fit.Reason) []fit.Reason {
	out := slices.Clone(reasons)
	slices.SortStableFunc(out, func(a, b fit.Reason) int { return a.Price() - b.Price() })
	return out
}

// preempting is true while victims of this pod's preemption are still going.
func preempting(p *facts.Pod) bool {
	return p.Obj.Status.NominatedNodeName != "" &&
		(strings.Contains(p.Scheduling.Message, "terminating pod on the nominated node") || strings.Contains(p.Scheduling.Message, "waiting for the preemption for this pod"))
}

func failureCode(x fit.Failure) string {
	if x.Never() && x.Total > 0 {
		return "pod-larger-than-any-node"
	}
	return codeOf(x.Check, string(x.Resource))
}

// computable is true of checks that fit can evaluate from objects.
func computable(c fit.Check) bool {
	switch c {
	case fit.NodeName, fit.Cordoned, fit.Taint, fit.NodeAffinity, fit.HostPort, fit.Slots, fit.Resources, fit.SpreadLabel, fit.Spread,
		fit.ExistingAnti, fit.PodAffinity, fit.AntiAffinity:
		return true
	}
	return false
}

func codeOf(c fit.Check, resource string) string {
	if c == fit.Resources {
		return resourceCode(resource)
	}
	if code, ok := checkCodes[c]; ok {
		return code
	}
	return "scheduler-extender"
}

func resourceCode(resource string) string {
	switch {
	case resource == "cpu", resource == "memory", resource == "ephemeral-storage":
		return "insufficient-" + resource
	case strings.HasPrefix(resource, "hugepages-"):
		return "insufficient-hugepages"
	}
	return "insufficient-extended"
}

var checkCodes = map[fit.Check]string{
	fit.NodeName: "node-name-mismatch", fit.Cordoned: "node-unschedulable", fit.Taint: "untolerated-taint", fit.NodeAffinity: "node-affinity-mismatch",
	fit.HostPort: "host-port-conflict", fit.Slots: "too-many-pods", fit.RWOP: "rwop-in-use", fit.VolumeCount: "max-volume-count",
	fit.VolumeNode: "volume-node-affinity-conflict", fit.VolumeZone: "volume-zone-conflict", fit.SpreadLabel: "topology-spread-no-label", fit.Spread: "topology-spread-skew",
	fit.ExistingAnti: "existing-anti-affinity", fit.PodAffinity: "pod-affinity-unsatisfied", fit.AntiAffinity: "pod-anti-affinity",
	fit.CSIDriver: "csi-driver-not-on-node-sched", fit.UnboundPVC: "unbound-immediate-pvc", fit.MissingPVC: "pvc-not-found", fit.LostPVC: "pvc-lost-or-deleting",
	fit.NoPV: "pv-no-match", fit.StorageCapacity: "storage-capacity", fit.DiskConflict: "disk-conflict",
	fit.DRA: "dra-unallocatable", fit.DRAMissing: "dra-claim-or-class-missing", fit.DRABinding: "dra-binding-timeout",
	fit.Gang: "gang-waiting", fit.Gates: "scheduling-gated", fit.Subset: "prefilter-node-subset", fit.Features: "node-declared-features",
	fit.Preempting: "preemption-pending", fit.Unknown: "scheduler-extender",
}
