package cause

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/unjam-dev/unjam/internal/facts"
)

// rolling is a rolling update as it stands: how many pods are wanted, what the
// strategy allows, and how many of each revision live.
type rolling struct {
	budget
	Want, Old, New int32
	// Available counts new pods that are, Moving those that have a node and may
	// become available, and Going old pods that are leaving.
	Available, Moving, Going int32
}

// rollingOf reads the rolling update of a Deployment or of an Argo canary; ok
// is false when there is none: another kind, another strategy, or no old pods.
func rollingOf(f *facts.Facts, w *facts.Workload) (rolling, bool) {
	b, ok := rollingBudget(w)
	if !ok || w.New == nil {
		return rolling{budget: b}, false
	}
	r := rolling{budget: b, Want: w.Desired}
	for _, p := range livePods(w.NewPods()) {
		r.New++
		switch {
		case p.Phase == facts.PhaseReady && f.Now.Sub(p.Condition(corev1.PodReady).LastTransition) >= minReady(w):
			r.Available++
		case p.NodeName() != "":
			r.Moving++
		}
	}
	for _, p := range w.OldPods() {
		if p.Phase == facts.PhaseTerminate {
			r.Going++
		}
	}
	r.Old = int32(len(livePods(w.OldPods())))
	return r, r.Old+r.Going > 0
}

// stuck reports that neither side can move: no old pod may leave before a new
// one is available, and no new one is on its way to that.
func (r rolling) stuck() bool {
	return r.Old > 0 && r.Moving == 0 && r.Going == 0 && r.removable() == 0
}

// removable is how many old pods the controller may take away while no further
// new pod is available (kubernetes pkg/controller/deployment/rolling.go,
// reconcileOldReplicaSets): old and available new ones less those that must be
// available.
func (r rolling) removable() int32 {
	return min(r.Old, max(0, r.Old+r.Available-(r.Want-r.Unavailable)))
}

// fits reports whether the update can run to its end with the capacity that is
// free now plus what its own pods hold, when every old pod takes one amount and
// every new one another. With k new pods there, at least Want−Unavailable−k old
// ones stay until the next new one is available; both sums are linear in k, so
// the corners decide.
func (r rolling) fits(free, oldEach, newEach resource.Quantity) bool {
	own := func(old, more int32) resource.Quantity {
		q := quantityTimes(oldEach, old-r.Old)
		q.Add(quantityTimes(newEach, more-r.New))
		return q
	}
	for _, k := range []int32{r.New, r.Want - r.Unavailable, r.Want - 1} {
		if k < r.New || k >= r.Want {
			continue
		}
		need := own(min(r.Old, max(0, r.Want-r.Unavailable-k)), k+1)
		if need.Cmp(free) > 0 {
			return false
		}
	}
	return true
}

// goesOn reports that an unplaced new pod gets room by itself: the update is
// still moving, and the old pods it moves out hold the room.
func goesOn(f *facts.Facts, w *facts.Workload, pod *facts.Pod) bool {
	r, ok := rollingOf(f, w)
	if !ok || !pod.New || r.stuck() {
		return false
	}
	var gone []*corev1.Pod
	for _, p := range w.OldPods() {
		gone = append(gone, p.Obj)
	}
	return f.Cluster().FitsIfGone(pod.Obj, gone)
}

// evenUse is what each of the pods is charged for a quota key, when it is the
// same for all.
func evenUse(pods []*facts.Pod, key string) (resource.Quantity, bool) {
	var each resource.Quantity
	for i, p := range pods {
		q := quotaUse(p.Obj, key)
		if i > 0 && q.Cmp(each) != 0 {
			return each, false
		}
		each = q
	}
	return each, true
}
