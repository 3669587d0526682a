package cause_test

import (
	"time"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/unjam-dev/unjam/internal/snapshot/snaptest"
)

func replicaFailure(message string) appsv1.ReplicaSetCondition {
	return appsv1.ReplicaSetCondition{Type: appsv1.ReplicaSetReplicaFailure, Status: corev1.ConditionTrue, Reason: "FailedCreate", Message: message, LastTransitionTime: snaptest.Ago(4 * time.Minute)}
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

// unready takes a pod's readiness away four minutes ago.
func unready(p *snaptest.Pod) *snaptest.Pod {
	p.Status("app").Ready = false
	return p.Condition(corev1.PodReady, corev1.ConditionFalse, "ContainersNotReady", "containers with unready status: [app]")
}

// deadNode is a DaemonSet in mid-update whose first node may be down.
func deadNode(b *snaptest.Builder, gone bool) {
	if gone {
		b.Node("n1", down)
	} else {
		b.Node("n1")
	}
	b.Node("n2")
	_, pods := daemons(b, "n1", "n2")
	if gone {
		unready(pods[0])
	}
}

func failingDaemon(b *snaptest.Builder, times int32) {
	b.Node("n1")
	d := b.DaemonSet("agent", "registry.example.com/agent:v1", 1)
	b.Event("DaemonSet", snaptest.Namespace, "agent", d.UID, "Warning", "FailedDaemonPod", "Found failed daemon pod shop/agent-x on node n1, will try to kill it", 5*time.Minute, 10*time.Second, times)
}

// failedJobPod is the failed pod of a Job's last try.
func failedJobPod(b *snaptest.Builder, j *batchv1.Job) {
	b.Node("n1")
	p := b.PodOf("Job", j.Name, j, j.Name+"-1", j.Spec.Template.Spec, "n1")
	p.Status("app").State = corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: 1, Reason: "Error", StartedAt: snaptest.Ago(20 * time.Second), FinishedAt: snaptest.Ago(5 * time.Second)}}
	p.Obj.Status.Phase = corev1.PodFailed
}

// replacing is a Job whose only pod is being deleted.
func replacing(b *snaptest.Builder, policy batchv1.PodReplacementPolicy) {
	b.Node("n1")
	j := b.Job("import", "registry.example.com/shop/import:v1")
	j.Spec.PodReplacementPolicy, j.Status.Active = &policy, 0
	p := b.PodOf("Job", "import", j, "import-1", j.Spec.Template.Spec, "n1").Running()
	end := snaptest.Ago(-20 * time.Second)
	p.Obj.DeletionTimestamp = &end
}

// scaledBlind is an unfinished rollout whose autoscaler says why it does nothing.
func scaledBlind(b *snaptest.Builder, status corev1.ConditionStatus, reason string) {
	b.Node("n1")
	s := b.Deployment("web", "registry.example.com/shop/web:v1", 2)
	s.Pod("n1").Ready()
	s.Pod("n1").Running()
	scaler(b, "web").Status.Conditions = []autoscalingv2.HorizontalPodAutoscalerCondition{{Type: autoscalingv2.ScalingActive, Status: status, Reason: reason,
		Message: "the HPA was unable to compute the replica count", LastTransitionTime: snaptest.Ago(3 * time.Minute)}}
}

// verified is a Rollout whose load balancer lagged, and may have caught up.
func verified(b *snaptest.Builder, since bool) {
	argo(b, map[string]any{})
	b.Event("Rollout", snaptest.Namespace, "web", "rollout-uid", "Warning", "TargetGroupUnverified", "Service web (TargetGroup tg) not verified: 0/3 endpoints registered", 8*time.Minute, time.Minute, 20)
	if since {
		b.Event("Rollout", snaptest.Namespace, "web", "rollout-uid", "Normal", "TargetGroupVerified", "Service web (TargetGroup tg) verified: 3 endpoints registered", 10*time.Second, 10*time.Second, 1)
	}
}
