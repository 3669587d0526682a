package cause

import (
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/unjam-dev/unjam/internal/facts"
)

// detectQuotaExceeded sees a quota without room, unless only the surge of a
// rolling update lacks room.
func detectQuotaExceeded(f *facts.Facts, w *facts.Workload) []Finding {
	r, v, ok := quotaRefusal(f, w)
	if !ok {
		return nil
	}
	_, outcome := quotaOutcome(f, w, r, v)
	if outcome == quotaDeadlock {
		return nil
	}
	item := v.Tightest()
	summary := fmt.Sprintf("quota %s/%s has no room: %s", w.Namespace, v.Name, item.words())
	class, settle := Class(""), time.Duration(0)
	switch {
	case v.Gone:
		class, summary = Waiting, fmt.Sprintf("quota %s/%s refused the pods and is gone since, so the controller's next try should pass", w.Namespace, v.Name)
	case v.Room():
		class, summary = Waiting, fmt.Sprintf("quota %s/%s refused the pods and has room again (%s), so the controller's next try should pass", w.Namespace, v.Name, item.words())
	case outcome == quotaMoves:
		class = Symptom
		summary += "; the rollout goes on as pods that hold it end"
	case item.Requested.Cmp(item.Hard) > 0:
		summary = fmt.Sprintf("one pod asks for %s %s, more than all that quota %s/%s allows (%s)", item.Key, item.Requested.String(), w.Namespace, v.Name, item.Hard.String())
	default:
		if p := soonFreedAll(f, w, v); p != nil {
			class = SelfHealing
			summary += fmt.Sprintf("; pod %s is terminating and gives up enough at %s", p.Name(), p.Obj.DeletionTimestamp.UTC().Format("15:04:05"))
		} else if pods := finiteQuota(f, w, item); pods != nil {
			class, settle = SelfHealing, finiteSettle
			summary += "; " + holdersWords(pods)
		} else if countsUnseen(f, w, item) {
			class, settle = SelfHealing, finiteSettle
			summary += "; it counts more than the pods that were seen hold, as when one comes or goes between two readings"
		}
	}
	fd := r.finding(w, "quota-exceeded", summary)
	fd.Class, fd.Settle = class, settle
	fd.Evidence = append(fd.Evidence, v.receipts(w.Namespace)...)
	v.vars(fd.Vars, item, neededHard(w, r, item))
	if class != Waiting && class != Symptom && surgeUnread(f, w, r) {
		fd.Confidence = Likely
		fd.Rivals = []Rival{rival("quota-blocks-surge", fmt.Sprintf("kubectl -n %s get deployment,replicaset,pods (old pods that no maxUnavailable lets go)", w.Namespace))}
	}
	fd.Key = "quota " + w.Namespace + "/" + v.Name
	return []Finding{fd}
}

// surgeUnread reports that the strategy or the old pods were not read, so that
// the room may be lacking only while old and new pods are there together.
func surgeUnread(f *facts.Facts, w *facts.Workload, r refusal) bool {
	if r.Old {
		return false
	}
	if w.Orphan {
		return w.Kind == "Deployment" || w.Kind == "ReplicaSet"
	}
	b, ok := rollingBudget(w)
	return ok && b.Unavailable == 0 && (!f.Snap.Covers("pods", w.Namespace) || !f.Snap.Covers("replicasets", w.Namespace))
}

// neededHard is the limit that lets every missing pod in and the rollout end.
func neededHard(w *facts.Workload, r refusal, item quotaItem) resource.Quantity {
	need := item.Used.DeepCopy()
	need.Add(quantityTimes(item.Requested, max(r.Want-r.Exist, 1)))
	if w.Deployment == nil || r.Old {
		return need
	}
	// At the end all pods are new and the old ones are gone.
	end := item.Used.DeepCopy()
	for _, p := range livePods(w.OldPods()) {
		end.Sub(quotaUse(p.Obj, item.Key))
	}
	end.Add(quantityTimes(item.Requested, max(w.Desired-r.Exist, 1)))
	return largerQuantity(need, end)
}

// soonFreed is a terminating pod of the namespace whose end makes room: pods
// are charged until their grace has run out.
func soonFreed(f *facts.Facts, w *facts.Workload, item quotaItem) *facts.Pod {
	free := item.Free()
	for _, p := range f.Pods {
		if p.Obj.Namespace != w.Namespace || !p.Terminating() || !p.Obj.DeletionTimestamp.After(f.Now) {
			continue
		}
		free.Add(quotaUse(p.Obj, item.Key))
		if free.Cmp(item.Requested) >= 0 {
			return p
		}
	}
	return nil
}

// What a quota without room means for a rollout.
type quotaResult int

const (
	quotaFull     quotaResult = iota // it has no room for what is wanted
	quotaDeadlock                    // only old and new pods together are too much, and no old one may leave first
	quotaMoves                       // room comes by itself as the rollout goes on
)

// quotaOutcome tells by arithmetic whether a rollout that a quota refuses a pod
// can go on to its end.
func quotaOutcome(f *facts.Facts, w *facts.Workload, r refusal, v quotaView) (rolling, quotaResult) {
	roll, ok := rollingOf(f, w)
	switch {
	case v.Room() || v.Gone || r.Old:
		return roll, quotaFull
	case w.Job != nil && len(livePods(w.Pods)) > 0:
		return roll, quotaMoves // the next pod comes when one has done its work
	case !ok || r.Rev != w.New:
		return roll, quotaFull
	}
	old := livePods(w.OldPods())
	ends, even := true, true
	for _, item := range v.Items {
		each, same := evenUse(old, item.Key)
		free := item.Free()
		for _, p := range w.OldPods() {
			if p.Phase == facts.PhaseTerminate && p.Obj.DeletionTimestamp.After(f.Now) {
				free.Add(quotaUse(p.Obj, item.Key)) // charged until its grace has run out
			}
		}
		ends, even = ends && same && roll.fits(free, each, item.Requested), even && same
	}
	switch {
	case !roll.stuck() && (ends || !even):
		return roll, quotaMoves
	case roll.stuck() && roll.Unavailable == 0 && soonFreedAll(f, w, v) == nil && makesRoom(w, r, v) > 0:
		return roll, quotaDeadlock
	}
	return roll, quotaFull
}

// makesRoom is how many old pods must leave for the first new one to come in,
// when without any of them the whole new revision fits; 0 when it does not.
func makesRoom(w *facts.Workload, r refusal, v quotaView) int32 {
	old := livePods(w.OldPods())
	remove := int32(1)
	for _, item := range v.Items {
		free, n := item.Free(), int32(0)
		for _, p := range old {
			if free.Cmp(item.Requested) >= 0 {
				break
			}
			free.Add(quotaUse(p.Obj, item.Key))
			n++
		}
		if free.Cmp(item.Requested) < 0 {
			return 0
		}
		remove = max(remove, n)
		end := item.Free()
		for _, p := range old {
			end.Add(quotaUse(p.Obj, item.Key))
		}
		if need := quantityTimes(item.Requested, w.Desired-r.Exist); end.Cmp(need) < 0 {
			return 0
		}
	}
	return remove
}

// soonFreedAll is a terminating pod of the namespace after whose end every
// refused resource has room.
func soonFreedAll(f *facts.Facts, w *facts.Workload, v quotaView) *facts.Pod {
	var last *facts.Pod
	for _, item := range v.Items {
		if !item.Short() {
			continue
		}
		if last = soonFreed(f, w, item); last == nil {
			return nil
		}
	}
	return last
}

func detectQuotaBlocksSurge(f *facts.Facts, w *facts.Workload) []Finding {
	r, v, ok := quotaRefusal(f, w)
	if !ok {
		return nil
	}
	roll, outcome := quotaOutcome(f, w, r, v)
	if outcome != quotaDeadlock {
		return nil
	}
	b, remove := roll.budget, makesRoom(w, r, v)
	item := v.Tightest()
	old := int32(len(livePods(w.OldPods())))
	fd := r.finding(w, "quota-blocks-surge", fmt.Sprintf(
		"quota %s/%s has no room for a surge pod (%s) and %s, so none of the %s may leave first: a deadlock",
		w.Namespace, v.Name, item.words(), b.unavailableWords(w.Desired), plural(old, "old pod", fmt.Sprintf("%d old pods", old))))
	fd.Evidence = append(fd.Evidence, v.receipts(w.Namespace)...)
	fd.Evidence = append(fd.Evidence, Evidence{Text: fmt.Sprintf("rounded down, %s of %d replicas lets %d pods be missing; rounded up, maxSurge %s adds %d",
		b.DeclaredUnavailable, w.Desired, b.Unavailable, b.DeclaredSurge, b.Surge),
		Receipt: w.Receipt("spec.strategy.rollingUpdate.maxUnavailable", b.DeclaredUnavailable, w.Started)})
	need := item.Used.DeepCopy()
	need.Add(quantityTimes(item.Requested, max(b.Surge-r.Exist, 1)))
	v.vars(fd.Vars, item, need)
	strategyVars(fd.Vars, b, fmt.Sprint(remove))
	fd.Key = "quota " + w.Namespace + "/" + v.Name
	return []Finding{fd}
}
