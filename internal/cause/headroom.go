package cause

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/unjam-dev/unjam/internal/facts"
)

// foreseeWithin is how young a revision must be for the lack of a refusal to
// say nothing: its controller tries at once.
const foreseeWithin = 30 * time.Second

// quotaRefusal is the refusal by a quota that stands, or the one that
// arithmetic proves: the controller wants a pod that some quota of the
// namespace has no room for.
func quotaRefusal(f *facts.Facts, w *facts.Workload) (refusal, quotaView, bool) {
	if r, ok := refusedAs(w, "quota-exceeded"); ok {
		v, ok := readQuota(f, w, r.Message)
		return r, v, ok
	}
	return foreseenRefusal(f, w)
}

func foreseenRefusal(f *facts.Facts, w *facts.Workload) (refusal, quotaView, bool) {
	if w.New == nil || w.Orphan || w.Paused || w.Template == nil || len(f.Snap.Objects.ResourceQuotas) == 0 || rolledOut(w) {
		return refusal{}, quotaView{}, false
	}
	// A controller that had tried would have said so.
	if f.Snap.Covers("events", w.Namespace) && f.Now.Sub(w.New.Created) > foreseeWithin {
		return refusal{}, quotaView{}, false
	}
	if !f.Snap.Covers("resourcequotas", w.Namespace) || !f.Snap.Covers("limitranges", w.Namespace) || !f.Snap.Covers("pods", w.Namespace) {
		return refusal{}, quotaView{}, false
	}
	if _, other := findRefusal(w); other || w.Job != nil {
		return refusal{}, quotaView{}, false
	}
	exist, want := podCounts(w, w.New)
	if exist >= want {
		return refusal{}, quotaView{}, false
	}
	for _, q := range f.Snap.Objects.ResourceQuotas {
		if q.Namespace != w.Namespace {
			continue
		}
		h := headroomOf(q, admittedPod(f, w))
		if !h.Known || h.Pods >= 1 {
			continue
		}
		v := quotaView{Name: q.Name, Object: q, Items: h.Short}
		receipt := facts.Receipt{Kind: "ResourceQuota", Namespace: q.Namespace, Name: q.Name, Field: "status.used", Text: h.words(), Time: f.Now}
		r := refusal{Rev: w.New, Exist: exist, Want: want, First: w.New.Created, Last: f.Now, Foreseen: true, Receipt: receipt, Owner: receipt}
		return r, v, true
	}
	return refusal{}, quotaView{}, false
}

// headroom is how many more pods of a form a quota lets in.
type headroom struct {
	// Known is false when the quota does not count the pod, or has not counted
	// anything yet.
	Known bool
	// Pods is the smallest of ⌊(hard − used) / need⌋ over all resources.
	Pods int64
	// Short are the resources without room for one pod.
	Short []quotaItem
}

func (h headroom) words() string {
	var out []string
	for _, i := range h.Short {
		out = append(out, fmt.Sprintf("%s: %s of %s used, each pod needs %s", i.Key, i.Used.String(), i.Hard.String(), i.Requested.String()))
	}
	return strings.Join(out, "; ")
}

// headroomOf divides what a quota has left by what one pod is charged.
func headroomOf(q *corev1.ResourceQuota, pod *corev1.Pod) headroom {
	h := headroom{}
	if !quotaCovers(q, pod) {
		return h
	}
	for _, name := range sortedNames(q.Status.Hard) {
		need := quotaUse(pod, string(name))
		used, counted := q.Status.Used[name]
		if !counted || need.Sign() <= 0 {
			continue
		}
		item := quotaItem{Key: string(name), Requested: need, Used: used, Hard: q.Status.Hard[name]}
		n := fitTimes(item.Free(), need)
		if !h.Known || n < h.Pods {
			h.Pods = n
		}
		h.Known = true
		if n < 1 {
			h.Short = append(h.Short, item)
		}
	}
	return h
}

func sortedNames(list corev1.ResourceList) []corev1.ResourceName {
	var out []corev1.ResourceName
	for name := range list {
		out = append(out, name)
	}
	slices.SortFunc(out, func(a, b corev1.ResourceName) int { return cmp.Compare(a, b) })
	return out
}

// fitTimes is how often need goes into free, 0 when free is negative.
func fitTimes(free, need resource.Quantity) int64 {
	if free.Cmp(need) < 0 {
		return 0
	}
	if m := need.MilliValue(); m > 0 && free.Value() < 1<<50 {
		return free.MilliValue() / m
	}
	return free.Value() / max(need.Value(), 1)
}

// quotaCovers reports whether a quota counts a pod: all its scopes must match
// (kubernetes pkg/quota/v1/evaluator/core/pods.go, podMatchesScopeFunc).
func quotaCovers(q *corev1.ResourceQuota, pod *corev1.Pod) bool {
	for _, s := range q.Spec.Scopes {
		if !scopeMatches(corev1.ScopedResourceSelectorRequirement{ScopeName: s, Operator: corev1.ScopeSelectorOpExists}, pod) {
			return false
		}
	}
	if q.Spec.ScopeSelector != nil {
		for _, r := range q.Spec.ScopeSelector.MatchExpressions {
			if !scopeMatches(r, pod) {
				return false
			}
		}
	}
	return true
}

func scopeMatches(r corev1.ScopedResourceSelectorRequirement, pod *corev1.Pod) bool {
	switch r.ScopeName {
	case corev1.ResourceQuotaScopeTerminating:
		return pod.Spec.ActiveDeadlineSeconds != nil
	case corev1.ResourceQuotaScopeNotTerminating:
		return pod.Spec.ActiveDeadlineSeconds == nil
	case corev1.ResourceQuotaScopeBestEffort:
		return bestEffort(pod)
	case corev1.ResourceQuotaScopeNotBestEffort:
		return !bestEffort(pod)
	case corev1.ResourceQuotaScopePriorityClass:
		name := pod.Spec.PriorityClassName
		switch r.Operator {
		case corev1.ScopeSelectorOpExists, "":
			return name != ""
		case corev1.ScopeSelectorOpDoesNotExist:
			return name == ""
		case corev1.ScopeSelectorOpIn:
			return slices.Contains(r.Values, name)
		case corev1.ScopeSelectorOpNotIn:
			return !slices.Contains(r.Values, name)
		}
	case corev1.ResourceQuotaScopeCrossNamespacePodAffinity:
		return crossesNamespaces(pod)
	}
	return false
}

// bestEffort reports that no container asks for or is limited in CPU or memory.
func bestEffort(pod *corev1.Pod) bool {
	lists := []corev1.ResourceList{}
	if r := pod.Spec.Resources; r != nil {
		lists = append(lists, r.Requests, r.Limits)
	}
	for _, c := range slices.Concat(pod.Spec.InitContainers, pod.Spec.Containers) {
		lists = append(lists, c.Resources.Requests, c.Resources.Limits)
	}
	for _, list := range lists {
		for _, name := range []corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory} {
			if q, set := list[name]; set && q.Sign() > 0 {
				return false
			}
		}
	}
	return true
}

// crossesNamespaces reports whether an affinity term reaches into other namespaces.
func crossesNamespaces(pod *corev1.Pod) bool {
	a := pod.Spec.Affinity
	if a == nil {
		return false
	}
	reaches := func(t corev1.PodAffinityTerm) bool { return len(t.Namespaces) > 0 || t.NamespaceSelector != nil }
	weighted := func(t corev1.WeightedPodAffinityTerm) bool { return reaches(t.PodAffinityTerm) }
	if p := a.PodAffinity; p != nil && (slices.ContainsFunc(p.RequiredDuringSchedulingIgnoredDuringExecution, reaches) || slices.ContainsFunc(p.PreferredDuringSchedulingIgnoredDuringExecution, weighted)) {
		return true
	}
	p := a.PodAntiAffinity
	return p != nil && (slices.ContainsFunc(p.RequiredDuringSchedulingIgnoredDuringExecution, reaches) || slices.ContainsFunc(p.PreferredDuringSchedulingIgnoredDuringExecution, weighted))
}

// admittedPod is the pod that the template becomes on its way into the cluster:
// requests follow limits, and LimitRanges fill in what is missing (kubernetes
// plugin/pkg/admission/limitranger/admission.go), before quotas count it.
func admittedPod(f *facts.Facts, w *facts.Workload) *corev1.Pod {
	pod := &corev1.Pod{Spec: *w.Template.Spec.DeepCopy()}
	for _, list := range [][]corev1.Container{pod.Spec.InitContainers, pod.Spec.Containers} {
		for i := range list {
			r := &list[i].Resources
			r.Requests = withMissing(r.Requests, r.Limits)
			for _, lr := range f.Snap.Objects.LimitRanges {
				if lr.Namespace != w.Namespace {
					continue
				}
				for _, item := range lr.Spec.Limits {
					if item.Type == corev1.LimitTypeContainer {
						r.Requests, r.Limits = withMissing(r.Requests, item.DefaultRequest), withMissing(r.Limits, item.Default)
					}
				}
			}
		}
	}
	return pod
}

// withMissing adds the values whose names the list lacks.
func withMissing(list, more corev1.ResourceList) corev1.ResourceList {
	for name, q := range more {
		if _, set := list[name]; !set {
			if list == nil {
				list = corev1.ResourceList{}
			}
			list[name] = q
		}
	}
	return list
}
