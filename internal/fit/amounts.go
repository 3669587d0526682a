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
