package cause_test

import (
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/unjam-dev/unjam/internal/snapshot/snaptest"
)

func replicaFailure(message string) appsv1.ReplicaSetCondition {
	return appsv1.ReplicaSetCondition{Type: appsv1.ReplicaSetReplicaFailure, Status: corev1.ConditionTrue, Reason: "FailedCreate", Message: message, LastTransitionTime: snaptest.Ago(4 * 60e9)}
}

func rolling(surge, unavailable int) appsv1.DeploymentStrategy {
	s, u := intstr.FromInt32(int32(surge)), intstr.FromInt32(int32(unavailable))
	return appsv1.DeploymentStrategy{Type: appsv1.RollingUpdateDeploymentStrategyType, RollingUpdate: &appsv1.RollingUpdateDeployment{MaxSurge: &s, MaxUnavailable: &u}}
}

func priority(class string) func(*corev1.PodSpec) {
	return func(s *corev1.PodSpec) { s.PriorityClassName = class }
}

// inflated are the causes of a pod too large for its node whose size a
// LimitRange chose.
var inflated = []string{"limitrange-default-inflates", "pod-larger-than-any-node"}

// defaulted is a pod too large for the only node; byRange says whether a
// LimitRange chose its size.
func defaulted(b *snaptest.Builder, byRange bool) {
	b.Node("n1")
	s := b.Deployment("web", "registry.example.com/shop/web:v1", 1)
	p := s.Pod("").Unschedulable("0/1 nodes are available: 1 Insufficient cpu. preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.")
	p.Obj.Spec.Containers[0].Resources.Requests = amounts("cpu", "6")
	if byRange {
		p.Obj.Annotations = map[string]string{"kubernetes.io/limit-ranger": "LimitRanger plugin set: cpu, memory request for container app; cpu, memory limit for container app"}
	}
}
