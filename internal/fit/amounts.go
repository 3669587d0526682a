package fit

import (
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	helpers "k8s.io/component-helpers/resource"
)

// amounts are quantities by resource: millicores for cpu, else the plain value
// (bytes or units).
type amounts map[corev1.ResourceName]int64

func amountOf(name corev1.ResourceName, q resource.Quantity) int64 {
	if name == corev1.ResourceCPU {
		return q.MilliValue()
	}
	return q.Value()
}

func (a amounts) add(list corev1.ResourceList) {
	for name, q := range list {
		a[name] += amountOf(name, q)
	}
}

// Quantity writes an amount of a resource as Kubernetes does.
func Quantity(name corev1.ResourceName, amount int64) string {
	switch {
	case name == corev1.ResourceCPU:
		return resource.NewMilliQuantity(amount, resource.DecimalSI).String()
	case name == corev1.ResourceMemory, name == corev1.ResourceEphemeralStorage, strings.HasPrefix(string(name), corev1.ResourceHugePagesPrefix):
		return roundBytes(amount)
	}
	return resource.NewQuantity(amount, resource.DecimalSI).String()
}

// roundBytes drops digits nobody reads: 16374512Ki becomes 15.6Gi.
func roundBytes(n int64) string {
	for _, u := range []struct {
		size int64
		name string
	}{{1 << 40, "Ti"}, {1 << 30, "Gi"}, {1 << 20, "Mi"}, {1 << 10, "Ki"}} {
		if n >= u.size || n <= -u.size {
			whole, tenth := n/u.size, n%u.size*10/u.size
			if tenth == 0 {
				return strconv.FormatInt(whole, 10) + u.name
			}
			return strconv.FormatInt(whole, 10) + "." + strconv.FormatInt(max(tenth, -tenth), 10) + u.name
		}
	}
	return resource.NewQuantity(n, resource.BinarySI).String()
}

// podAmounts are the effective requests of a pod: the larger of the running sum
// and any init step, pod-level requests, overhead, and for bound pods what the
// kubelet has allocated.
func podAmounts(pod *corev1.Pod) amounts {
	out := amounts{}
	out.add(helpers.PodRequests(pod, helpers.PodResourcesOptions{UseStatusResources: pod.Spec.NodeName != ""}))
	return out
}

// sums remembers the requests of pods that share their containers, which a
// capture gives all pods of one owner. What it returns must not be changed.
type sums map[sharedKey]amounts

type sharedKey struct {
	containers, inits *corev1.Container
	n, m              int
}

// of is podAmounts, computed once for pods that share their containers and
// differ in nothing else that counts.
func (s sums) of(pod *corev1.Pod) amounts {
	spec := &pod.Spec
	if len(spec.Containers) == 0 || len(spec.Overhead) > 0 || spec.Resources != nil || !allocatedAsAsked(pod) {
		return podAmounts(pod)
	}
	if len(spec.Containers) == 1 && len(spec.InitContainers) == 0 && len(spec.Containers[0].Resources.Requests) == 0 {
		return nil
	}
	k := sharedKey{containers: &spec.Containers[0], n: len(spec.Containers), m: len(spec.InitContainers)}
	if k.m > 0 {
		k.inits = &spec.InitContainers[0]
	}
	out, ok := s[k]
	if !ok {
		if k.n == 1 && k.m == 0 { // no sum and no maximum to take
			out = make(amounts, len(spec.Containers[0].Resources.Requests))
			out.add(spec.Containers[0].Resources.Requests)
		} else {
			out = podAmounts(pod)
		}
		s[k] = out
	}
	return out
}

// allocatedAsAsked is true when what the kubelet says that it has allocated and
// set up is what the containers ask for: no resize is under way.
func allocatedAsAsked(pod *corev1.Pod) bool {
	for i := range pod.Status.Conditions {
		if pod.Status.Conditions[i].Type == corev1.PodResizePending {
			return false
		}
	}
	return statusesAsAsked(pod.Spec.Containers, pod.Status.ContainerStatuses) && statusesAsAsked(pod.Spec.InitContainers, pod.Status.InitContainerStatuses)
}

func statusesAsAsked(containers []corev1.Container, statuses []corev1.ContainerStatus) bool {
	for i := range statuses {
		st := &statuses[i]
		if st.AllocatedResources == nil && st.Resources == nil {
			continue
		}
		at := slices.IndexFunc(containers, func(c corev1.Container) bool { return c.Name == st.Name })
		if at < 0 {
			return false
		}
		asked := containers[at].Resources.Requests
		if st.AllocatedResources != nil && !sameList(asked, st.AllocatedResources) || st.Resources != nil && st.Resources.Requests != nil && !sameList(asked, st.Resources.Requests) {
			return false
		}
	}
	return true
}

func sameList(a, b corev1.ResourceList) bool {
	if len(a) != len(b) {
		return false
	}
	for name, x := range a {
		if y, ok := b[name]; !ok || x.Cmp(y) != 0 {
			return false
		}
	}
	return true
}

// Request is one resource a pod asks for.
type Request struct {
	Resource corev1.ResourceName
	Amount   int64
}

// Requests are the effective requests of a pod, sorted by name, zero ones left out.
func Requests(pod *corev1.Pod) []Request {
	var out []Request
	for name, n := range podAmounts(pod) {
		if n > 0 {
			out = append(out, Request{name, n})
		}
	}
	slices.SortFunc(out, func(a, b Request) int { return strings.Compare(string(a.Resource), string(b.Resource)) })
	return out
}

// Exact writes an amount so that it can be set: never more than the amount.
func Exact(name corev1.ResourceName, amount int64) string {
	switch {
	case name == corev1.ResourceCPU:
		return resource.NewMilliQuantity(amount, resource.DecimalSI).String()
	case amount >= 1<<20:
		return resource.NewQuantity(amount>>20<<20, resource.BinarySI).String()
	}
	return resource.NewQuantity(amount, resource.BinarySI).String()
}
