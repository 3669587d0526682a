package cause

import (
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/unjam-dev/unjam/internal/facts"
	"github.com/unjam-dev/unjam/internal/fit"
)

// finiteSettle is how long a workload may wait for room that pods of Jobs hold:
// they end by themselves, but nobody knows when. It is a Deployment's usual
// progress deadline.
const finiteSettle = 10 * time.Minute

// finite are the pods of a list that run and end by themselves, by whom they
// belong to: pods of Jobs, and bare pods that are not restarted. Those of the
// workload itself do not count.
func finite(w *facts.Workload, pods []*facts.Pod) []*facts.Pod {
	var out []*facts.Pod
	for _, p := range pods {
		policy := p.Obj.Spec.RestartPolicy
		if p.Workload == w || policy != corev1.RestartPolicyNever && policy != corev1.RestartPolicyOnFailure || p.Terminating() ||
			p.Obj.Status.Phase != corev1.PodRunning && p.Obj.Status.Phase != corev1.PodPending {
			continue
		}
		if ref := metav1.GetControllerOf(p.Obj); ref == nil || ref.Kind == "Job" {
			out = append(out, p)
		}
	}
	return out
}

// finiteQuota are pods that end by themselves and whose end gives back enough of
// a quota for one more pod; nil when there are not enough.
func finiteQuota(f *facts.Facts, w *facts.Workload, item quotaItem) []*facts.Pod {
	var inside []*facts.Pod
	for _, p := range f.Pods {
		if p.Obj.Namespace == w.Namespace {
			inside = append(inside, p)
		}
	}
	free := item.Free()
	return enough(finite(w, inside), free.Cmp(item.Requested) >= 0, func(p *facts.Pod) bool {
		free.Add(quotaUse(p.Obj, item.Key))
		return free.Cmp(item.Requested) >= 0
	})
}

// countsUnseen reports whether a quota counts more than the pods of its namespace
// that were seen hold, by at least what is asked for. The lists of a snapshot are
// not read at one instant: the pod that was refused may have been admitted
// between them, or one that ended may still be counted.
func countsUnseen(f *facts.Facts, w *facts.Workload, item quotaItem) bool {
	if !f.Snap.Covers("pods", w.Namespace) {
		return false
	}
	unseen := item.Used.DeepCopy()
	for _, p := range f.Pods {
		if p.Obj.Namespace == w.Namespace && p.Obj.Status.Phase != corev1.PodSucceeded && p.Obj.Status.Phase != corev1.PodFailed {
			unseen.Sub(quotaUse(p.Obj, item.Key))
		}
	}
	return item.Requested.Sign() > 0 && unseen.Cmp(item.Requested) >= 0
}

// finiteHolders are pods of one of the nearest nodes that end by themselves and
// leave enough of what it lacks; nil when no node has enough of them.
func finiteHolders(f *facts.Facts, w *facts.Workload, pl placement) []*facts.Pod {
	for _, n := range pl.near {
		if len(n.Failures) != 1 {
			continue
		}
		x := n.Failures[0]
		if x.Check != fit.Resources && x.Check != fit.Slots || x.Need > x.Total {
			continue
		}
		free := x.Free
		if pods := enough(finite(w, f.PodsOn(n.Node.Name)), free >= x.Need, func(p *facts.Pod) bool {
			free += held(p.Obj, x)
			return free >= x.Need
		}); pods != nil {
			return pods
		}
	}
	return nil
}

// held is what a pod holds of what a node lacks, in the units of the failure.
func held(p *corev1.Pod, x fit.Failure) int64 {
	if x.Check == fit.Slots {
		return 1
	}
	q := quotaUse(p, string(x.Resource))
	if x.Resource == corev1.ResourceCPU {
		return q.MilliValue()
	}
	return q.Value()
}

// enough takes pods until they do.
func enough(pods []*facts.Pod, already bool, take func(*facts.Pod) bool) []*facts.Pod {
	if already {
		return nil
	}
	for i, p := range pods {
		if take(p) {
			return pods[:i+1]
		}
	}
	return nil
}

// holdersWords says who ends by itself and what comes of it.
func holdersWords(pods []*facts.Pod) string {
	names := owners(pods)
	if len(names) == 1 {
		return names[0] + " ends by itself and then leaves enough"
	}
	if len(names) > 3 {
		return fmt.Sprintf("%s and %d more end by themselves and then leave enough", names[0], len(names)-1)
	}
	return list(names) + " end by themselves and then leave enough"
}

// owners are the Jobs and bare pods behind pods.
func owners(pods []*facts.Pod) []string {
	var out []string
	for _, p := range pods {
		owner := "pod/" + p.Name()
		if ref := metav1.GetControllerOf(p.Obj); ref != nil {
			owner = "job/" + ref.Name
		}
		if !slices.Contains(out, owner) {
			out = append(out, owner)
		}
	}
	return out
}
