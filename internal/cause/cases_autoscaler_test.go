package cause_test

import (
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/unjam-dev/unjam/internal/snapshot/snaptest"
)

// noRoom is a pod that needs more CPU than the only node has free.
func noRoom(b *snaptest.Builder) *snaptest.Pod {
	b.Node("n1")
	fill(b, "n1", requests("cpu", "3500m"))
	return waits(b, refusal(1, "1 Insufficient cpu", noVictims), requests("cpu", "1"))
}

func autoscaler(p *snaptest.Pod, source, typ, reason, message string, first, last time.Duration) {
	p.Event(typ, reason, message, first, last, 2)
	p.LastEvent().Source.Component = source
}

func leaseOf(b *snaptest.Builder, name string, age time.Duration) {
	t := metav1.NewMicroTime(snaptest.Ago(age).Time)
	b.Snap.Objects.Leases = append(b.Snap.Objects.Leases, &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Namespace: "kube-system", Name: name}, Spec: coordinationv1.LeaseSpec{RenewTime: &t}})
}

func nodeClaim(b *snaptest.Builder, age time.Duration, conditions ...[3]string) {
	var list []any
	for _, c := range conditions {
		list = append(list, map[string]any{"type": c[0], "status": c[1], "reason": c[2], "message": c[2]})
	}
	u := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "karpenter.sh/v1", "kind": "NodeClaim", "status": map[string]any{"conditions": list}}}
	u.SetName("default-abc")
	u.SetCreationTimestamp(snaptest.Ago(age))
	b.Snap.Objects.Others = append(b.Snap.Objects.Others, u)
}

const ca, karpenter = "cluster-autoscaler", "karpenter"

var autoscalerCases = []testCase{
	{code: "ca-scaleup-in-progress", name: "a group grows", build: func(b *snaptest.Builder) {
		autoscaler(noRoom(b), ca, "Normal", "TriggeredScaleUp", "pod triggered scale-up: [{workers 3->4 (max: 10)}]", time.Minute, time.Minute)
	}},
	{code: "ca-scaleup-in-progress", name: "Karpenter makes a node", build: func(b *snaptest.Builder) {
		autoscaler(noRoom(b), karpenter, "Normal", "Nominated", "Pod should schedule on: nodeclaim/default-abc", time.Minute, time.Minute)
	}},
	{code: "ca-scaleup-in-progress", name: "refused since", near: true, want: []string{"ca-max-size"}, build: func(b *snaptest.Builder) {
		p := noRoom(b)
		autoscaler(p, ca, "Normal", "TriggeredScaleUp", "pod triggered scale-up: [{workers 3->4 (max: 4)}]", 20*time.Minute, 20*time.Minute)
		autoscaler(p, ca, "Normal", "NotTriggerScaleUp", "pod didn't trigger scale-up: 1 max node group size reached", time.Minute, 10*time.Second)
	}},
	{code: "ca-max-size", name: "group at its limit", build: func(b *snaptest.Builder) {
		autoscaler(noRoom(b), ca, "Normal", "NotTriggerScaleUp", "pod didn't trigger scale-up: 1 max node group size reached, 2 Insufficient cpu", 3*time.Minute, 10*time.Second)
	}},
	{code: "ca-max-size", name: "backing off", near: true, want: []string{"ca-backoff"}, build: func(b *snaptest.Builder) {
		autoscaler(noRoom(b), ca, "Normal", "NotTriggerScaleUp", "pod didn't trigger scale-up: 1 in backoff after failed scale-up", 3*time.Minute, 10*time.Second)
	}},
	{code: "ca-backoff", name: "no machines", build: func(b *snaptest.Builder) {
		autoscaler(noRoom(b), ca, "Normal", "NotTriggerScaleUp", "pod didn't trigger scale-up: 1 in backoff after failed scale-up", 3*time.Minute, 10*time.Second)
		b.Event("ConfigMap", "kube-system", "cluster-autoscaler-status", "", "Warning", "FailedToScaleUpGroup", "Scale-up failed for group workers: stockout", 4*time.Minute, 4*time.Minute, 1)
	}},
	{code: "ca-backoff", name: "limit", near: true, want: []string{"ca-max-size"}, build: func(b *snaptest.Builder) {
		autoscaler(noRoom(b), ca, "Normal", "NotTriggerScaleUp", "pod didn't trigger scale-up: 1 max total nodes in cluster reached", 3*time.Minute, 10*time.Second)
	}},
	{code: "ca-no-fit", name: "no group fits, nodes unknown reason", want: []string{"ca-no-fit", "scheduler-error"}, build: func(b *snaptest.Builder) {
		b.Node("n1")
		s := b.Deployment("web", image, 2)
		s.Pod("").Condition(corev1.PodScheduled, corev1.ConditionFalse, "SchedulerError", `running "NodePorts" filter plugin: context canceled`)
		p := s.Pod("").Condition(corev1.PodScheduled, corev1.ConditionFalse, "Unschedulable", "the node pool is closed")
		autoscaler(p, ca, "Normal", "NotTriggerScaleUp", "pod didn't trigger scale-up (it wouldn't fit if a new node is added)", 3*time.Minute, 10*time.Second)
	}},
	{code: "ca-no-fit", name: "the selector explains it", near: true, want: []string{"node-affinity-mismatch"}, build: func(b *snaptest.Builder) {
		b.Node("n1")
		p := waits(b, refusal(1, "1 node(s) didn't match Pod's node affinity/selector", notHelpful), nodeSelector("disktype", "ssd"))
		autoscaler(p, ca, "Normal", "NotTriggerScaleUp", "pod didn't trigger scale-up: 2 node(s) didn't match Pod's node affinity/selector", 3*time.Minute, 10*time.Second)
	}},
	{code: "ca-scaleup-timeout", name: "the node never joined", build: func(b *snaptest.Builder) {
		autoscaler(noRoom(b), ca, "Normal", "TriggeredScaleUp", "pod triggered scale-up: [{workers 3->4 (max: 10)}]", 20*time.Minute, 20*time.Minute)
		b.Event("ConfigMap", "kube-system", "cluster-autoscaler-status", "", "Warning", "ScaleUpTimedOut", "Nodes added to group workers failed to register within 15m0s", 4*time.Minute, 4*time.Minute, 1)
	}},
	{code: "ca-scaleup-timeout", name: "still booting", near: true, want: []string{"ca-scaleup-in-progress"}, build: func(b *snaptest.Builder) {
		autoscaler(noRoom(b), ca, "Normal", "TriggeredScaleUp", "pod triggered scale-up: [{workers 3->4 (max: 10)}]", 4*time.Minute, 4*time.Minute)
	}},
	{code: "ca-not-reacting", name: "its lease is stale", build: func(b *snaptest.Builder) {
		noRoom(b)
		leaseOf(b, "cluster-autoscaler", 10*time.Minute)
	}},
	{code: "ca-not-reacting", name: "none installed", near: true, want: []string{"insufficient-cpu"}, build: func(b *snaptest.Builder) { noRoom(b) }},
	{code: "karpenter-limits", name: "pool at its limits", build: func(b *snaptest.Builder) {
		autoscaler(noRoom(b), karpenter, "Warning", "FailedScheduling", `Failed to schedule pod, all available instance types exceed limits for nodepool "default"`, 3*time.Minute, 10*time.Second)
	}},
	{code: "karpenter-limits", name: "no type fits", near: true, want: []string{"insufficient-cpu"}, build: func(b *snaptest.Builder) {
		autoscaler(noRoom(b), karpenter, "Warning", "FailedScheduling", `Failed to schedule pod, incompatible with nodepool "default", no instance type has enough resources, requirements=x, resources=y`, 3*time.Minute, 10*time.Second)
	}},
	{code: "karpenter-no-fit", name: "no pool tolerated, no word of a reason from the scheduler", want: []string{"karpenter-no-fit"}, build: func(b *snaptest.Builder) {
		b.Node("n1")
		p := b.Deployment("web", image, 1).Pod("").Condition(corev1.PodScheduled, corev1.ConditionFalse, "Unschedulable", "the node pool is closed")
		autoscaler(p, karpenter, "Warning", "FailedScheduling", `Failed to schedule pod, incompatible with nodepool "default", did not tolerate taint (taint=dedicated=gpu:NoSchedule)`, 3*time.Minute, 10*time.Second)
	}},
	{code: "karpenter-no-fit", name: "the scheduler's own event", near: true, want: []string{"untolerated-taint"}, build: func(b *snaptest.Builder) {
		b.Node("n1", nodeTaint("dedicated", "gpu"))
		waits(b, refusal(1, "1 node(s) had untolerated taint(s)", notHelpful))
	}},
	{code: "karpenter-launch-failed", name: "no capacity", build: func(b *snaptest.Builder) {
		autoscaler(noRoom(b), karpenter, "Normal", "Nominated", "Pod should schedule on: nodeclaim/default-abc", 4*time.Minute, 4*time.Minute)
		nodeClaim(b, 4*time.Minute, [3]string{"Launched", "Unknown", "LaunchFailed"})
	}},
	{code: "karpenter-launch-failed", name: "launched, not joined", near: true, want: []string{"karpenter-not-registered"}, build: func(b *snaptest.Builder) {
		autoscaler(noRoom(b), karpenter, "Normal", "Nominated", "Pod should schedule on: nodeclaim/default-abc", 6*time.Minute, 6*time.Minute)
		nodeClaim(b, 6*time.Minute, [3]string{"Launched", "True", "Launched"}, [3]string{"Registered", "Unknown", "NodeNotFound"})
	}},
	{code: "karpenter-not-registered", name: "the startup taint stays", build: func(b *snaptest.Builder) {
		autoscaler(noRoom(b), karpenter, "Normal", "Nominated", "Pod should schedule on: nodeclaim/default-abc", 6*time.Minute, 6*time.Minute)
		nodeClaim(b, 6*time.Minute, [3]string{"Launched", "True", "Launched"}, [3]string{"Registered", "True", "Registered"}, [3]string{"Initialized", "Unknown", "StartupTaintsExist"})
	}},
	{code: "karpenter-not-registered", name: "booting", near: true, want: []string{"ca-scaleup-in-progress"}, build: func(b *snaptest.Builder) {
		autoscaler(noRoom(b), karpenter, "Normal", "Nominated", "Pod should schedule on: nodeclaim/default-abc", time.Minute, time.Minute)
		nodeClaim(b, time.Minute, [3]string{"Launched", "True", "Launched"}, [3]string{"Registered", "Unknown", "NodeNotFound"})
	}},
	{code: "karpenter-not-reacting", name: "its lease is stale", build: func(b *snaptest.Builder) {
		noRoom(b)
		leaseOf(b, "karpenter-leader-election", 10*time.Minute)
	}},
	{code: "karpenter-not-reacting", name: "it said no", near: true, want: []string{"karpenter-limits"}, build: func(b *snaptest.Builder) {
		leaseOf(b, "karpenter-leader-election", 10*time.Minute)
		autoscaler(noRoom(b), karpenter, "Warning", "FailedScheduling", `Failed to schedule pod, node limits have been exhausted for nodepool "default"`, 3*time.Minute, 10*time.Second)
	}},
}
