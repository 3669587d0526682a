package cause

import (
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/unjam-dev/unjam/internal/facts"
)

// detectSurgeNoCapacity sees a rolling update whose extra pod finds no node
// while old pods hold what it needs and none of them may leave first. That one
// of them would make room is computed, not guessed.
func detectSurgeNoCapacity(f *facts.Facts, w *facts.Workload) []Finding {
	roll, ok := rollingOf(f, w)
	if !ok || roll.Unavailable > 0 || !roll.stuck() {
		return nil
	}
	b := roll.budget
	var pod *facts.Pod
	for _, p := range livePods(w.NewPods()) {
		if p.Phase == facts.PhaseSchedule && p.Scheduling != nil && p.Scheduling.Condition.Reason == "Unschedulable" {
			pod = p
			break
		}
	}
	cluster := f.Cluster()
	if pod == nil || !cluster.Complete() || cluster.FitsIfGone(pod.Obj, nil) {
		return nil
	}
	gone := freeing(f, w, pod)
	if gone == nil {
		return nil
	}
	fd := seenIn(w, "surge-no-capacity", Certain, fmt.Sprintf("%s needs a node for an extra pod (%s) and none has room; %s, so no old pod may leave first, though %s would fit in the place of %s: a deadlock",
		w.Ref(), lacks(pod), b.unavailableWords(w.Desired), pod.Name(), strings.Join(gone, ", ")),
		Evidence{Text: "no node takes the new pod", Receipt: pod.Scheduling.Receipt},
		Evidence{Text: fmt.Sprintf("rounded down, %s of %d replicas lets %d pods be missing", b.DeclaredUnavailable, w.Desired, b.Unavailable),
			Receipt: w.Receipt("spec.strategy.rollingUpdate.maxUnavailable", b.DeclaredUnavailable, time.Time{})})
	for _, p := range livePods(w.NewPods()) {
		if p.Phase == facts.PhaseSchedule {
			fd.touch(p, nil)
		}
	}
	fd.Vars["pod"], fd.Vars["oldPod"] = pod.Name(), gone[0]
	strategyVars(fd.Vars, b, fmt.Sprint(len(gone)))
	fd.Explains = surgeExplains
	return []Finding{fd}
}

// surgeExplains are the scheduler's reasons that the old pods themselves are.
var surgeExplains = []string{"insufficient-cpu", "insufficient-memory", "insufficient-ephemeral-storage", "insufficient-extended", "insufficient-hugepages", "too-many-pods",
	"fragmentation", "host-port-conflict", "pod-anti-affinity", "existing-anti-affinity", "rwop-in-use", "preemption-impossible", "topology-spread-skew", "volume-node-affinity-conflict"}

// maxTrial bounds how many old pods are tried out together.
const maxTrial = 8

// freeing is the smallest number of old pods, in order, whose leaving lets the
// new one in; nil when even all of them do not.
func freeing(f *facts.Facts, w *facts.Workload, pod *facts.Pod) []string {
	old := livePods(w.OldPods())
	for _, p := range old[:min(len(old), maxTrial)] {
		if f.Cluster().FitsIfGone(pod.Obj, []*corev1.Pod{p.Obj}) {
			return []string{p.Name()}
		}
	}
	var gone []*corev1.Pod
	var names []string
	for _, p := range old[:min(len(old), maxTrial)] {
		gone, names = append(gone, p.Obj), append(names, p.Name())
		if len(gone) > 1 && f.Cluster().FitsIfGone(pod.Obj, gone) {
			return names
		}
	}
	return nil
}

// lacks is what the scheduler's message says is missing, in short.
func lacks(p *facts.Pod) string {
	var out []string
	for _, r := range p.Scheduling.Fit.Reasons {
		out = append(out, r.Text)
	}
	if len(out) == 0 {
		return "unschedulable"
	}
	return strings.Join(out, ", ")
}
