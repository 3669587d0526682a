package fit

import (
	"maps"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

// A sum that is remembered for the pods of one owner must be the one that each
// pod has alone, also for the pod among them that differs.
func TestSumsAreThoseOfEachPod(t *testing.T) {
	list := func(cpu string) corev1.ResourceList { return corev1.ResourceList{"cpu": resource.MustParse(cpu)} }
	ask := func(name, cpu string) corev1.Container {
		return corev1.Container{Name: name, Resources: corev1.ResourceRequirements{Requests: list(cpu)}}
	}
	always := corev1.ContainerRestartPolicyAlways
	sidecar := ask("proxy", "50m")
	sidecar.RestartPolicy = &always
	for name, shared := range map[string]corev1.PodSpec{
		"one":     {NodeName: "n", Containers: []corev1.Container{ask("a", "100m")}},
		"odd":     {NodeName: "n", Containers: []corev1.Container{ask("a", "100500u")}},
		"two":     {NodeName: "n", Containers: []corev1.Container{ask("a", "100500u"), ask("b", "100500u")}},
		"inits":   {NodeName: "n", Containers: []corev1.Container{ask("a", "100m")}, InitContainers: []corev1.Container{ask("i", "2"), sidecar}},
		"nothing": {NodeName: "n", Containers: []corev1.Container{{Name: "a"}}},
		"none":    {NodeName: "n"},
	} {
		t.Run(name, func(t *testing.T) {
			asked := sums{}
			same := corev1.Pod{Spec: shared}
			overhead := corev1.Pod{Spec: shared}
			overhead.Spec.Overhead = list("250m")
			whole := corev1.Pod{Spec: shared}
			whole.Spec.Resources = &corev1.ResourceRequirements{Requests: list("3")}
			allocated := corev1.Pod{Spec: shared}
			allocated.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: "a", AllocatedResources: list("100m"), Resources: &corev1.ResourceRequirements{Requests: list("100m")}}}
			resized := corev1.Pod{Spec: shared}
			resized.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: "a", AllocatedResources: list("700m")}}
			shrinking := corev1.Pod{Spec: shared}
			shrinking.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: "a", Resources: &corev1.ResourceRequirements{Requests: list("900m")}}}
			refused := corev1.Pod{Spec: shared}
			refused.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodResizePending, Status: corev1.ConditionTrue, Reason: corev1.PodReasonInfeasible}}
			refused.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: "a", AllocatedResources: list("20m")}}
			for i, p := range []*corev1.Pod{&same, &overhead, &whole, &allocated, &resized, &shrinking, &refused, &same} {
				if got, want := asked.of(p), podAmounts(p); !maps.Equal(got, want) {
					t.Errorf("pod %d: %v, alone %v", i, got, want)
				}
			}
		})
	}
}
