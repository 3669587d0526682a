package cause

import (
	"fmt"
	"slices"
	"strings"

	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/unjam-dev/unjam/internal/facts"
)

// budgetsOf are the disruption budgets that select pods of an unfinished
// workload. Budgets never hold a rollout, which deletes pods and does not evict
// them; they hold the drain of a node.
func budgetsOf(f *facts.Facts, w *facts.Workload) []*policyv1.PodDisruptionBudget {
	if len(f.Snap.Objects.PDBs) == 0 || w.Template == nil || rolledOut(w) || len(waitingPods(w)) == 0 {
		return nil
	}
	var out []*policyv1.PodDisruptionBudget
	for _, b := range f.Snap.Objects.PDBs {
		if b.Namespace != w.Namespace {
			continue
		}
		s, err := metav1.LabelSelectorAsSelector(b.Spec.Selector)
		if err == nil && !s.Empty() && s.Matches(labels.Set(w.Template.Labels)) {
			out = append(out, b)
		}
	}
	return out
}

func pdbReceipt(b *policyv1.PodDisruptionBudget, field, text string) facts.Receipt {
	return facts.Receipt{Kind: "PodDisruptionBudget", Namespace: b.Namespace, Name: b.Name, Field: field, Text: text}
}

// drainedPod is a live pod of the workload on a node that takes no new pods.
func drainedPod(w *facts.Workload) *facts.Pod {
	for _, p := range livePods(w.Pods) {
		if p.Node != nil && p.Node.Spec.Unschedulable {
			return p
		}
	}
	return nil
}

// detectPDBBlocks sees a drain that cannot evict: the budget of an unhealthy
// workload is spent.
func detectPDBBlocks(f *facts.Facts, w *facts.Workload) []Finding {
	p := drainedPod(w)
	if p == nil {
		return nil
	}
	for _, b := range budgetsOf(f, w) {
		st := b.Status
		if st.DisruptionsAllowed > 0 || st.ExpectedPods == 0 || st.ObservedGeneration < b.Generation {
			continue
		}
		why := fmt.Sprintf("it wants %d healthy pods and has %d", st.DesiredHealthy, st.CurrentHealthy)
		if st.DesiredHealthy >= st.ExpectedPods {
			why = fmt.Sprintf("it wants all %d pods healthy, so it never allows one to go", st.ExpectedPods)
		}
		fd := seenIn(w, "pdb-blocks-eviction", Certain, fmt.Sprintf("node %s cannot be emptied of pods of %s: disruption budget %s allows no eviction, %s", p.NodeName(), w.Ref(), b.Name, why),
			Evidence{Text: "evictions allowed now", Receipt: pdbReceipt(b, "status.disruptionsAllowed", "0")},
			Evidence{Text: "the node takes no new pods", Receipt: facts.Receipt{Kind: "Node", Name: p.NodeName(), Field: "spec.unschedulable", Text: "true"}})
		fd.touch(p, nil)
		fd.Vars["pdb"], fd.Vars["node"], fd.Vars["pod"], fd.Key = b.Name, p.NodeName(), p.Name(), "node "+p.NodeName()
		return []Finding{fd}
	}
	return nil
}

func detectPDBMultiple(f *facts.Facts, w *facts.Workload) []Finding {
	p := drainedPod(w)
	if p == nil {
		return nil
	}
	budgets := budgetsOf(f, w)
	if len(budgets) < 2 {
		return nil
	}
	var names []string
	for _, b := range budgets {
		names = insert(names, b.Name)
	}
	fd := seenIn(w, "pdb-multiple", Certain, fmt.Sprintf("node %s cannot be emptied of pods of %s: they have %d disruption budgets (%s) and eviction works with one only", p.NodeName(), w.Ref(), len(names), strings.Join(names, ", ")))
	for _, b := range budgets {
		fd.Evidence = append(fd.Evidence, Evidence{Text: "a budget that selects the pods", Receipt: pdbReceipt(b, "spec.selector", metav1.FormatLabelSelector(b.Spec.Selector))})
	}
	fd.touch(p, nil)
	fd.Vars["pdb"], fd.Vars["node"], fd.Vars["pod"], fd.Key = names[1], p.NodeName(), p.Name(), "node "+p.NodeName()
	return []Finding{fd}
}

func detectPDBSyncFailed(f *facts.Facts, w *facts.Workload) []Finding {
	for _, b := range budgetsOf(f, w) {
		i := slices.IndexFunc(b.Status.Conditions, func(c metav1.Condition) bool {
			return c.Type == policyv1.DisruptionAllowedCondition && c.Status == metav1.ConditionFalse && c.Reason == policyv1.SyncFailedReason
		})
		if i < 0 {
			continue
		}
		c := b.Status.Conditions[i]
		fd := seenIn(w, "pdb-sync-failed", Certain, fmt.Sprintf("disruption budget %s of %s cannot be worked out (%s), so no pod of it may be evicted", b.Name, w.Ref(), firstLine(c.Message)),
			Evidence{Text: "the budget's controller failed", Receipt: facts.Receipt{Kind: "PodDisruptionBudget", Namespace: b.Namespace, Name: b.Name, Field: "status.conditions[DisruptionAllowed]", Text: c.Message, Time: c.LastTransitionTime.Time}})
		fd.Vars["pdb"] = b.Name
		return []Finding{fd}
	}
	return nil
}
