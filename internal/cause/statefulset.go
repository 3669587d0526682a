package cause

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/unjam-dev/unjam/internal/facts"
)

// ordinal is the number at the end of a StatefulSet pod's name, -1 if none.
func ordinal(p *facts.Pod) int {
	i := strings.LastIndexByte(p.Name(), '-')
	n, err := strconv.Atoi(p.Name()[i+1:])
	if err != nil {
		return -1
	}
	return n
}

func byOrdinal(pods []*facts.Pod) []*facts.Pod {
	pods = slices.Clone(pods)
	slices.SortFunc(pods, func(a, b *facts.Pod) int { return ordinal(a) - ordinal(b) })
	return pods
}

// ordered reports that pods come one after the other, each waiting for the
// one before.
func ordered(w *facts.Workload) bool {
	return w.StatefulSet.Spec.PodManagementPolicy != appsv1.ParallelPodManagement
}

func partition(w *facts.Workload) int {
	if r := w.StatefulSet.Spec.UpdateStrategy.RollingUpdate; r != nil && r.Partition != nil && rollsPods(w) {
		return int(*r.Partition)
	}
	return 0
}

func rollsPods(w *facts.Workload) bool {
	t := w.StatefulSet.Spec.UpdateStrategy.Type
	return t == "" || t == appsv1.RollingUpdateStatefulSetStrategyType
}

// updating reports that pods of an older revision are still there.
func updating(w *facts.Workload) bool { return len(livePods(w.OldPods())) > 0 }

// detectOrderedWait names the one pod that all others wait for. It is an
// effect: what ails that pod is the cause.
func detectOrderedWait(_ *facts.Facts, w *facts.Workload) []Finding {
	if w.StatefulSet == nil || !ordered(w) || rolledOut(w) {
		return nil
	}
	pods := byOrdinal(livePods(w.Pods))
	missing := int(w.Desired) - len(pods)
	for _, p := range pods {
		if p.Phase == facts.PhaseReady {
			continue
		}
		lower := slices.IndexFunc(pods, func(q *facts.Pod) bool { return !q.New && ordinal(q) < ordinal(p) && ordinal(q) >= partition(w) })
		if missing <= 0 && (lower < 0 || !p.New) {
			continue
		}
		summary := fmt.Sprintf("the pods of %s come one by one, and %s is the one the others wait for", w.Ref(), p.Name())
		if missing > 0 {
			summary += fmt.Sprintf("; %s not made yet", plural(int32(missing), "one pod is", fmt.Sprintf("%d pods are", missing)))
		}
		fd := seenIn(w, "statefulset-ordered-wait", Certain, summary,
			Evidence{Text: "pods are made in order", Receipt: w.Receipt("spec.podManagementPolicy", string(w.StatefulSet.Spec.PodManagementPolicy), w.Started)},
			Evidence{Text: "the pod all wait for is not Ready", Receipt: p.Receipt("status.conditions[Ready]", p.Condition(corev1.PodReady).Message, p.Condition(corev1.PodReady).LastTransition)})
		fd.touch(p, nil)
		fd.Vars["pod"] = p.Name()
		return []Finding{fd}
	}
	return nil
}

// stuckAfter is how long a pod must be not Ready before the StatefulSet
// controller has surely looked at it once.
const stuckAfter = 10 * time.Second

// detectBrokenRevision sees an OrderedReady StatefulSet that waits for a pod of
// the revision it is meant to replace: the controller returns before it comes
// to the update (kubernetes/kubernetes#67250).
func detectBrokenRevision(f *facts.Facts, w *facts.Workload) []Finding {
	if w.StatefulSet == nil || !ordered(w) || !rollsPods(w) || !updating(w) {
		return nil
	}
	for _, p := range byOrdinal(livePods(w.OldPods())) {
		if p.Phase == facts.PhaseReady || ordinal(p) < partition(w) {
			continue
		}
		ready := p.Condition(corev1.PodReady)
		since := ready.LastTransition
		if since.IsZero() {
			since = p.Obj.CreationTimestamp.Time
		}
		if f.Now.Sub(since) < stuckAfter {
			continue
		}
		hash := p.Obj.Labels[appsv1.ControllerRevisionHashLabelKey]
		fd := seenIn(w, "statefulset-broken-revision", Certain,
			fmt.Sprintf("%s waits for %s to get Ready before it updates anything, and that pod still runs revision %s, which cannot: %s has to be deleted to come back as %s", w.Ref(), p.Name(), hash, p.Name(), w.Revision),
			Evidence{Text: "the pod's revision is not the wanted one", Receipt: p.Receipt("metadata.labels[controller-revision-hash]", hash, since)},
			Evidence{Text: "the revision wanted", Receipt: w.Receipt("status.updateRevision", w.Revision, time.Time{})})
		fd.Explains = []string{"statefulset-ordered-wait"}
		fd.Vars["pod"] = p.Name()
		fd.touch(p, nil)
		if !showsFault(p) {
			fd.Confidence = Likely
			fd.Rivals = []Rival{{Cause: "statefulset-ordered-wait", SettledBy: fmt.Sprintf("kubectl -n %s get pod %s -w: if it gets Ready by itself, the update goes on", w.Namespace, p.Name())}}
		}
		return []Finding{fd}
	}
	return nil
}

// showsFault reports that a pod shows more than being on its way: a failed
// pull or start, a restart, or no node.
func showsFault(p *facts.Pod) bool {
	if p.Phase == facts.PhaseSchedule || p.Phase == facts.PhasePull && pullFails(p) || p.Phase == facts.PhaseStart {
		return true
	}
	return slices.ContainsFunc(p.Containers, func(c *facts.Container) bool { return c.Restarts > 0 && !c.Ready })
}

func pullFails(p *facts.Pod) bool {
	return slices.ContainsFunc(p.Containers, func(c *facts.Container) bool { return c.Waiting != nil && facts.IsPullReason(c.Waiting.Reason) })
}

// detectPartition sees a rollout that stops at its partition as told.
func detectPartition(_ *facts.Facts, w *facts.Workload) []Finding {
	if w.StatefulSet == nil || !updating(w) {
		return nil
	}
	part := partition(w)
	if part == 0 {
		return nil
	}
	var kept int32
	for _, p := range livePods(w.Pods) {
		if ordinal(p) < part {
			if !p.New {
				kept++
			}
			continue
		}
		if !p.New || p.Phase != facts.PhaseReady {
			return nil // the part that is meant to roll is still rolling
		}
	}
	summary := fmt.Sprintf("%s updates only pods from number %d on, and those are done; %s of the former revision %s kept by design", w.Ref(), part, countPods(kept), plural(kept, "is", "are"))
	if kept == int32(len(livePods(w.Pods))) {
		summary = fmt.Sprintf("%s updates only pods from number %d on, and it has none so high: all %d keep the former revision by design", w.Ref(), part, kept)
	}
	fd := seenIn(w, "statefulset-partition", Certain, summary,
		Evidence{Text: "pods below the partition keep their revision", Receipt: w.Receipt("spec.updateStrategy.rollingUpdate.partition", strconv.Itoa(part), time.Time{})})
	fd.Vars["partition"] = strconv.Itoa(part)
	return []Finding{fd}
}

func detectStatefulSetOnDelete(_ *facts.Facts, w *facts.Workload) []Finding {
	if w.StatefulSet == nil || w.StatefulSet.Spec.UpdateStrategy.Type != appsv1.OnDeleteStatefulSetStrategyType {
		return nil
	}
	return onDelete(w, "statefulset-ondelete")
}

// onDelete sees pods of an older revision that nobody but a person replaces.
func onDelete(w *facts.Workload, code string) []Finding {
	old := livePods(w.OldPods())
	if len(old) == 0 {
		return nil
	}
	fd := seenIn(w, code, Certain, fmt.Sprintf("%s replaces pods only when somebody deletes them; %s of the former revision still %s", w.Ref(), countPods(int32(len(old))), plural(int32(len(old)), "runs", "run")),
		Evidence{Text: "the update strategy leaves pods alone", Receipt: w.Receipt("spec.updateStrategy.type", "OnDelete", time.Time{})})
	for _, p := range old {
		fd.touch(p, nil)
	}
	fd.Vars["pod"] = old[0].Name()
	return []Finding{fd}
}

// detectMaxUnavailable sees the update of a StatefulSet held because as many
// pods are not available as may be, whatever their number or revision.
func detectMaxUnavailable(_ *facts.Facts, w *facts.Workload) []Finding {
	if w.StatefulSet == nil || !rollsPods(w) || !updating(w) {
		return nil
	}
	r := w.StatefulSet.Spec.UpdateStrategy.RollingUpdate
	if r == nil || r.MaxUnavailable == nil {
		return nil
	}
	limit, err := intstr.GetScaledValueFromIntOrPercent(r.MaxUnavailable, int(w.Desired), true)
	down := waitingPods(w)
	if err != nil || len(down) < max(limit, 1) {
		return nil
	}
	fd := seenIn(w, "statefulset-maxunavailable", Certain, fmt.Sprintf("%s of %s %s not available and no more than %d may be, so no further pod is updated", countPods(int32(len(down))), w.Ref(), plural(int32(len(down)), "is", "are"), max(limit, 1)),
		Evidence{Text: "how many pods may be unavailable", Receipt: w.Receipt("spec.updateStrategy.rollingUpdate.maxUnavailable", r.MaxUnavailable.String(), time.Time{})})
	for _, p := range down {
		fd.touch(p, nil)
	}
	return []Finding{fd}
}

// detectRecreateStrategy reads the StatefulSet strategy Recreate (alpha in
// 1.37): unknown to the controller, or at work.
func detectRecreateStrategy(_ *facts.Facts, w *facts.Workload) []Finding {
	if w.StatefulSet == nil || w.StatefulSet.Spec.UpdateStrategy.Type != "Recreate" {
		return nil
	}
	for _, e := range slices.Backward(w.Events) {
		if e.Reason == "UnknownStrategy" && !rolledOut(w) {
			return []Finding{seenIn(w, "statefulset-recreate-strategy", Certain, w.Ref()+" asks for the strategy Recreate, which this cluster has not switched on, so nothing is updated",
				Evidence{Text: "the controller does not know the strategy", Receipt: e.Receipt()})}
		}
	}
	if c := w.Condition("Progressing"); c.Reason == "RecreateInProgress" && !rolledOut(w) {
		fd := seenIn(w, "statefulset-recreate-strategy", Certain, w.Ref()+" takes all old pods away before it makes new ones",
			Evidence{Text: "the controller is at it", Receipt: w.Receipt("status.conditions[Progressing]", c.Message, c.LastTransition)})
		fd.Class = Symptom
		return []Finding{fd}
	}
	return nil
}
