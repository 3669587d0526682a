package cause_test

import (
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/unjam-dev/unjam/internal/cause"
	"github.com/unjam-dev/unjam/internal/snapshot/snaptest"
)

var nodeHealthCases = slices.Concat(nodeCases, fallenCases, endingCases)

const stoppedPosting = "Kubelet stopped posting node status."

var lostNode = nodeIs(corev1.NodeReady, corev1.ConditionUnknown, "NodeStatusUnknown", stoppedPosting)

// wasReady is a pod that ran well until its node was lost.
func wasReady(p *snaptest.Pod) *snaptest.Pod {
	p.Ready()
	return p.Condition(corev1.PodReady, corev1.ConditionFalse, "", "")
}

var nodeCases = []testCase{
	{code: "node-notready-unknown", name: "node is off", confidence: cause.Certain, build: func(b *snaptest.Builder) {
		wasReady(onNode(b, lostNode))
	}},
	{code: "node-notready-unknown", name: "what the pod said before is no cause", build: func(b *snaptest.Builder) {
		onNode(b, lostNode).Crashes(1, "Error", 5)
	}},
	{code: "node-notready-unknown", name: "node is lost, the pods are elsewhere", near: true, want: []string{"crashloop-app-error"}, build: func(b *snaptest.Builder) {
		b.Node("n2", lostNode)
		logOf(b, webPod(b).Crashes(1, "Error", 5), "app", "fatal: bye")
	}},
	{code: "node-notready-runtime", name: "runtime is down", confidence: cause.Certain, build: func(b *snaptest.Builder) {
		wasReady(onNode(b, nodeIs(corev1.NodeReady, corev1.ConditionFalse, "KubeletNotReady", "[container runtime is down, PLEG is not healthy: pleg was last seen active 3m7s ago; threshold is 3m0s]")))
	}},
	{code: "node-notready-runtime", name: "network plugin", near: true, want: []string{"node-notready-cni"}, build: func(b *snaptest.Builder) {
		onNode(b, nodeIs(corev1.NodeReady, corev1.ConditionFalse, "KubeletNotReady", "container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:Network plugin returns error: cni plugin not initialized"))
	}},
	{code: "node-notready-cni", name: "plugin not initialised", build: func(b *snaptest.Builder) {
		onNode(b, nodeIs(corev1.NodeReady, corev1.ConditionFalse, "KubeletNotReady", "container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:Network plugin returns error: cni plugin not initialized"))
	}},
	{code: "node-notready-cni", name: "runtime is down", near: true, want: []string{"node-notready-runtime"}, build: func(b *snaptest.Builder) {
		onNode(b, nodeIs(corev1.NodeReady, corev1.ConditionFalse, "KubeletNotReady", "container runtime is down"))
	}},
	{code: "disk-pressure", name: "pod evicted while it lasts", confidence: cause.Certain, build: func(b *snaptest.Builder) {
		fallen(onNode(b, nodeIs(corev1.NodeDiskPressure, corev1.ConditionTrue, "KubeletHasDiskPressure", "kubelet has disk pressure")), "Evicted", "The node was low on resource: ephemeral-storage. Threshold quantity: 5Gi, available: 1Gi. ")
	}},
	{code: "disk-pressure", name: "program crashes on such a node", near: true, want: []string{"crashloop-app-error"}, build: func(b *snaptest.Builder) {
		p := onNode(b, nodeIs(corev1.NodeDiskPressure, corev1.ConditionTrue, "KubeletHasDiskPressure", "kubelet has disk pressure")).Crashes(1, "Error", 5)
		logOf(b, p, "app", "fatal: bye")
	}},
	{code: "memory-pressure", name: "pod evicted while it lasts", build: func(b *snaptest.Builder) {
		fallen(onNode(b, nodeIs(corev1.NodeMemoryPressure, corev1.ConditionTrue, "KubeletHasInsufficientMemory", "kubelet has insufficient memory available")), "Evicted", "The node was low on resource: memory. Threshold quantity: 100Mi, available: 92Mi. Container app was using 2Gi, request is 256Mi, has larger consumption of memory. ")
	}},
	{code: "memory-pressure", name: "container at its own limit", near: true, want: []string{"oomkilled"}, build: func(b *snaptest.Builder) {
		b.Node("n1", nodeIs(corev1.NodeMemoryPressure, corev1.ConditionTrue, "KubeletHasInsufficientMemory", ""))
		b.Deployment("web", appImage, 1, memory("64Mi")).Pod("n1").Crashes(137, "OOMKilled", 4)
	}},
	{code: "pid-pressure", name: "threads cannot be started", want: []string{"pid-pressure"}, build: func(b *snaptest.Builder) {
		p := onNode(b, nodeIs(corev1.NodePIDPressure, corev1.ConditionTrue, "KubeletHasInsufficientPID", "kubelet has insufficient PID available")).Crashes(1, "Error", 5)
		logOf(b, p, "app", "fork/exec /usr/bin/helper: resource temporarily unavailable")
	}},
	{code: "pid-pressure", name: "pod evicted for it", build: func(b *snaptest.Builder) {
		fallen(onNode(b), "Evicted", "The node was low on resource: pids. Threshold quantity: 3276, available: 100. ")
	}},
	{code: "pid-pressure", name: "program crashes for another reason", near: true, want: []string{"crashloop-app-error"}, build: func(b *snaptest.Builder) {
		p := onNode(b, nodeIs(corev1.NodePIDPressure, corev1.ConditionTrue, "KubeletHasInsufficientPID", "")).Crashes(1, "Error", 5)
		logOf(b, p, "app", "fatal: bye")
	}},
	{code: "npd-readonly-fs", name: "pod does not start", build: func(b *snaptest.Builder) {
		sandboxFails(onNode(b, nodeIs("ReadonlyFilesystem", corev1.ConditionTrue, "FilesystemIsReadOnly", "Remounting filesystem read-only")), "Failed to create pod sandbox: rpc error: code = Unknown desc = mkdir /run/containerd/x: read-only file system", 5)
	}},
	{code: "npd-readonly-fs", name: "condition is false", near: true, want: []string{"sandbox-failed-runtime"}, build: func(b *snaptest.Builder) {
		sandboxFails(onNode(b, nodeIs("ReadonlyFilesystem", corev1.ConditionFalse, "FilesystemIsNotReadOnly", "")), "Failed to create pod sandbox: rpc error: code = Unknown desc = timeout", 5)
	}},
	{code: "npd-kernel-deadlock", name: "pod does not start", build: func(b *snaptest.Builder) {
		sandboxFails(onNode(b, nodeIs("KernelDeadlock", corev1.ConditionTrue, "DockerHung", "task dockerd:1234 blocked for more than 120 seconds.")), "Failed to create pod sandbox: rpc error: code = DeadlineExceeded desc = context deadline exceeded", 5)
	}},
	{code: "npd-kernel-deadlock", name: "program crashes on such a node", near: true, want: []string{"crashloop-app-error"}, build: func(b *snaptest.Builder) {
		p := onNode(b, nodeIs("KernelDeadlock", corev1.ConditionTrue, "DockerHung", "")).Crashes(1, "Error", 5)
		logOf(b, p, "app", "fatal: bye")
	}},
	{code: "node-io-error", name: "disk fails, pod does not start", build: func(b *snaptest.Builder) {
		p := sandboxFails(onNode(b), "Failed to create pod sandbox: rpc error: code = DeadlineExceeded desc = context deadline exceeded", 5)
		nodeEvent(b, "IOError", "Buffer I/O error on dev nvme0n1, logical block 0", 5*time.Minute, time.Minute, 12)
		_ = p
	}},
	{code: "node-io-error", name: "one error, an hour ago", near: true, want: []string{"sandbox-failed-runtime"}, build: func(b *snaptest.Builder) {
		sandboxFails(onNode(b), "Failed to create pod sandbox: rpc error: code = DeadlineExceeded desc = context deadline exceeded", 5)
		nodeEvent(b, "IOError", "Buffer I/O error on dev sdb", time.Hour, time.Hour, 1)
	}},
	{code: "npd-frequent-restart", name: "runtime unhealthy, pod does not start", build: func(b *snaptest.Builder) {
		sandboxFails(onNode(b, nodeIs("ContainerRuntimeUnhealthy", corev1.ConditionTrue, "ContainerdUnhealthy", "containerd is not responding")), "Failed to create pod sandbox: rpc error: code = Unavailable desc = connection error", 5)
	}},
	{code: "npd-frequent-restart", name: "pod is Ready", near: true, build: func(b *snaptest.Builder) {
		b.Node("n1", nodeIs("FrequentKubeletRestart", corev1.ConditionTrue, "FrequentKubeletRestart", ""))
		s := b.Deployment("web", appImage, 1)
		s.Pod("n1").Ready()
		s.Healthy()
	}},
	{code: "node-network-unavailable", name: "route not set up", build: func(b *snaptest.Builder) {
		onNode(b, nodeIs(corev1.NodeNetworkUnavailable, corev1.ConditionTrue, "NoRouteCreated", "Node created without a route"))
	}},
	{code: "node-network-unavailable", name: "route is there", near: true, build: func(b *snaptest.Builder) {
		onNode(b, nodeIs(corev1.NodeNetworkUnavailable, corev1.ConditionFalse, "RouteCreated", ""))
	}},
	{code: "node-cloud-uninitialized", name: "cloud controller idle", build: func(b *snaptest.Builder) {
		onNode(b, func(n *corev1.Node) {
			n.Spec.Taints = []corev1.Taint{{Key: "node.cloudprovider.kubernetes.io/uninitialized", Value: "true", Effect: corev1.TaintEffectNoSchedule}}
		})
	}},
	{code: "node-cloud-uninitialized", name: "taint of a user", near: true, build: func(b *snaptest.Builder) {
		onNode(b, func(n *corev1.Node) {
			n.Spec.Taints = []corev1.Taint{{Key: "example.com/uninitialized", Effect: corev1.TaintEffectNoSchedule}}
		})
	}},
	{code: "node-conntrack-dns", name: "table full, probes time out", build: func(b *snaptest.Builder) {
		b.Node("n1")
		p := runningFor(b.Deployment("web", appImage, 1, readiness(httpProbe("/healthz", 8080))).Pod("n1"), 4*time.Minute)
		unhealthy(p, `Readiness probe failed: Get "http://10.0.1.7:8080/healthz": context deadline exceeded`, 20)
		nodeEvent(b, "ConntrackFull", "nf_conntrack: nf_conntrack: table full, dropping packet", 5*time.Minute, time.Minute, 3)
	}},
	{code: "node-conntrack-dns", name: "table full, probe says 404", near: true, want: []string{"readiness-http-status"}, build: func(b *snaptest.Builder) {
		b.Node("n1")
		p := runningFor(b.Deployment("web", appImage, 1, readiness(httpProbe("/helthz", 8080))).Pod("n1"), 4*time.Minute)
		unhealthy(p, "Readiness probe failed: HTTP probe failed with statuscode: 404", 20)
		nodeEvent(b, "ConntrackFull", "nf_conntrack: table full, dropping packet", 5*time.Minute, time.Minute, 3)
	}},
	{code: "node-system-oom", name: "killed at the same moment", build: func(b *snaptest.Builder) {
		onNode(b).Crashes(137, "Error", 4)
		nodeEvent(b, "SystemOOM", "System OOM encountered, victim process: java, pid: 4211", 2*time.Minute, 35*time.Second, 2)
	}},
	{code: "node-system-oom", name: "killed by a probe meanwhile", near: true, want: []string{"liveness-kill"}, build: func(b *snaptest.Builder) {
		b.Node("n1")
		killed(b.Deployment("web", appImage, 1, liveness(httpProbe("/", 8080))).Pod("n1").Crashes(137, "Error", 4), "liveness", 5)
		nodeEvent(b, "SystemOOM", "System OOM encountered, victim process: java, pid: 4211", 2*time.Minute, 35*time.Second, 2)
	}},
	{code: "node-rebooted", name: "containers ended with it", confidence: cause.Certain, build: func(b *snaptest.Builder) {
		onNode(b).Crashes(255, "Unknown", 1)
		nodeEvent(b, "Rebooted", "Node n1 has been rebooted, boot id: 6a1e", 30*time.Second, 30*time.Second, 1)
	}},
	{code: "node-rebooted", name: "program crashes since before", near: true, want: []string{"crashloop-app-error"}, build: func(b *snaptest.Builder) {
		logOf(b, onNode(b).Crashes(1, "Error", 5), "app", "fatal: bye")
		nodeEvent(b, "Rebooted", "Node n1 has been rebooted, boot id: 6a1e", 5*time.Minute, 5*time.Minute, 1)
	}},
	{code: "nodelost-ready-false", name: "node itself not among the objects", confidence: cause.Likely, build: func(b *snaptest.Builder) {
		p := wasReady(b.Deployment("web", appImage, 1).Pod("n1"))
		p.Event("Warning", "NodeNotReady", "Node is not ready", time.Minute, time.Minute, 1)
	}},
	{code: "nodelost-ready-false", name: "probe fails", near: true, want: []string{"readiness-http-status"}, build: func(b *snaptest.Builder) {
		p := runningFor(webPod(b, readiness(httpProbe("/healthz", 8080))), 4*time.Minute)
		unhealthy(p, "Readiness probe failed: HTTP probe failed with statuscode: 503", 24)
	}},
}

var fallenCases = []testCase{
	{code: "node-shutting-down", name: "rejected", build: func(b *snaptest.Builder) {
		fallen(webPod(b), "NodeShutdown", "Pod was rejected as the node is shutting down.")
	}},
	{code: "node-shutting-down", name: "ended", build: func(b *snaptest.Builder) {
		fallen(webPod(b), "Terminated", "Pod was terminated in response to imminent node shutdown.")
	}},
	{code: "node-shutting-down", name: "replaced since", near: true, build: func(b *snaptest.Builder) {
		s := web(b)
		fallen(s.Pod("n1"), "NodeShutdown", "Pod was rejected as the node is shutting down.")
		s.Pod("n1").Ready()
		s.Healthy()
	}},
	{code: "evicted-at-admission", name: "pressure", build: func(b *snaptest.Builder) {
		fallen(webPod(b), "Evicted", "The node had condition: [DiskPressure]. ")
	}},
	{code: "evicted-at-admission", name: "evicted while it ran", near: true, want: []string{"evicted-memory"}, build: func(b *snaptest.Builder) {
		fallen(webPod(b), "Evicted", "The node was low on resource: memory. Threshold quantity: 100Mi, available: 92Mi. ")
	}},
	{code: "evicted-memory", name: "used more than it asked for", confidence: cause.Certain, build: func(b *snaptest.Builder) {
		fallen(webPod(b), "Evicted", "The node was low on resource: memory. Threshold quantity: 100Mi, available: 92Mi. Container app was using 2Gi, request is 256Mi, has larger consumption of memory. ")
	}},
	{code: "evicted-memory", name: "wrote too much", near: true, want: []string{"evicted-storage"}, build: func(b *snaptest.Builder) {
		fallen(webPod(b), "Evicted", "Pod ephemeral local storage usage exceeds the total limit of containers 1Gi. ")
	}},
	{code: "evicted-storage", name: "node low on inodes", build: func(b *snaptest.Builder) {
		fallen(webPod(b), "Evicted", "The node was low on resource: inodes. ")
	}},
	{code: "evicted-storage", name: "own emptyDir", build: func(b *snaptest.Builder) {
		fallen(webPod(b), "Evicted", `Usage of EmptyDir volume "cache" exceeds the limit "500Mi". `)
	}},
	{code: "evicted-storage", name: "memory", near: true, want: []string{"evicted-memory"}, build: func(b *snaptest.Builder) {
		fallen(webPod(b), "Evicted", "The node was low on resource: memory. ")
	}},
	{code: "kubelet-critical-preempt", name: "critical pod came", build: func(b *snaptest.Builder) {
		fallen(webPod(b), "Preempting", "Preempted in order to admit critical pod")
	}},
	{code: "kubelet-critical-preempt", name: "evicted", near: true, want: []string{"evicted-memory"}, build: func(b *snaptest.Builder) {
		fallen(webPod(b), "Evicted", "The node was low on resource: memory. ")
	}},
	{code: "taint-eviction", name: "node unreachable", build: func(b *snaptest.Builder) {
		going(disrupted(webPod(b), "DeletionByTaintManager"), 10*time.Second)
	}},
	{code: "taint-eviction", name: "deletion called off", near: true, build: func(b *snaptest.Builder) {
		s := web(b)
		s.Pod("n1").Ready().Event("Normal", "TaintManagerEviction", "Cancelling deletion of Pod shop/web", time.Minute, time.Minute, 1)
		s.Healthy()
	}},
	{code: "podgc-node-gone", name: "node deleted", build: func(b *snaptest.Builder) {
		p := disrupted(webPod(b), "DeletionByPodGC")
		p.Obj.Status.Phase = corev1.PodFailed
	}},
	{code: "podgc-node-gone", name: "tainted node", near: true, want: []string{"taint-eviction"}, build: func(b *snaptest.Builder) {
		going(disrupted(webPod(b), "DeletionByTaintManager"), 10*time.Second)
	}},
	{code: "vpa-eviction", name: "mid-rollout", build: func(b *snaptest.Builder) {
		p := going(disrupted(webPod(b), "EvictionByEvictionAPI"), 10*time.Second)
		p.Event("Normal", "EvictedByVPA", "Pod was evicted by VPA Updater to apply resource recommendation.", 20*time.Second, 20*time.Second, 1)
	}},
	{code: "vpa-eviction", name: "drained", near: true, want: []string{"upgrade-or-drain"}, build: func(b *snaptest.Builder) {
		going(disrupted(onNode(b, func(n *corev1.Node) { n.Spec.Unschedulable = true }), "EvictionByEvictionAPI"), 10*time.Second)
	}},
	{code: "upgrade-or-drain", name: "node cordoned and emptied", build: func(b *snaptest.Builder) {
		going(disrupted(onNode(b, func(n *corev1.Node) { n.Spec.Unschedulable = true }), "EvictionByEvictionAPI"), 10*time.Second)
	}},
	{code: "upgrade-or-drain", name: "one pod evicted by hand", near: true, build: func(b *snaptest.Builder) {
		going(disrupted(webPod(b), "EvictionByEvictionAPI"), 10*time.Second)
	}},
}

var endingCases = []testCase{
	{code: "old-pod-grace", name: "StatefulSet waits for its ordinal", confidence: cause.Certain, build: func(b *snaptest.Builder) {
		going(db(b).Running(), 20*time.Second)
	}},
	{code: "old-pod-grace", name: "Deployment that may not surge", build: func(b *snaptest.Builder) {
		s := web(b)
		zero, one := intstr.FromInt32(0), intstr.FromInt32(1)
		s.Deployment.Spec.Strategy.RollingUpdate = rollingUpdate(zero, one)
		going(s.Pod("n1").Running(), 20*time.Second)
	}},
	{code: "old-pod-grace", name: "Deployment that surges", near: true, build: func(b *snaptest.Builder) {
		going(web(b).Pod("n1").Running(), 20*time.Second)
	}},
	{code: "prestop-hang", name: "hook fails", build: func(b *snaptest.Builder) {
		p := going(db(b).Running(), 5*time.Second)
		p.Event("Warning", "FailedPreStopHook", "PreStopHook failed", 10*time.Second, 10*time.Second, 1)
	}},
	{code: "prestop-hang", name: "within its grace period", near: true, want: []string{"old-pod-grace"}, build: func(b *snaptest.Builder) {
		going(db(b).Running(), 20*time.Second)
	}},
	{code: "finalizer-stuck", name: "containers have ended", confidence: cause.Certain, build: func(b *snaptest.Builder) {
		p := going(terminated(db(b), 0, "Completed", 3*time.Minute), -3*time.Minute)
		p.Obj.Finalizers = []string{"example.com/cleanup"}
	}},
	{code: "finalizer-stuck", name: "within its grace period", near: true, want: []string{"old-pod-grace"}, build: func(b *snaptest.Builder) {
		going(db(b).Running(), 20*time.Second).Obj.Finalizers = []string{"example.com/cleanup"}
	}},
	{code: "failed-kill-pod", name: "network plugin does not let go", confidence: cause.Certain, build: func(b *snaptest.Builder) {
		p := going(db(b).Running(), -3*time.Minute)
		p.Event("Warning", "FailedKillPod", `error killing pod: failed to "KillPodSandbox" for "uid" with KillPodSandboxError: "rpc error: code = Unknown desc = failed to destroy network for sandbox \"x\": plugin type=\"calico\" failed (delete): Unauthorized"`, 3*time.Minute, 10*time.Second, 9)
	}},
	{code: "failed-kill-pod", name: "nothing said", confidence: cause.Possible, build: func(b *snaptest.Builder) {
		going(db(b).Running(), -3*time.Minute)
	}},
	{code: "failed-kill-pod", name: "finalizer", near: true, want: []string{"finalizer-stuck"}, build: func(b *snaptest.Builder) {
		p := going(terminated(db(b), 0, "Completed", 3*time.Minute), -3*time.Minute)
		p.Obj.Finalizers = []string{"example.com/cleanup"}
	}},
	{code: "node-lost-terminating", name: "nobody can confirm", confidence: cause.Certain, build: func(b *snaptest.Builder) {
		going(db(b, lostNode).Running(), -8*time.Minute)
	}},
	{code: "node-lost-terminating", name: "node reports", near: true, want: []string{"failed-kill-pod"}, build: func(b *snaptest.Builder) {
		going(db(b).Running(), -8*time.Minute)
	}},
	{code: "sigterm-ignored", name: "two pods killed at the end of their time", want: []string{"old-pod-grace", "sigterm-ignored"}, build: func(b *snaptest.Builder) {
		for i := range 2 {
			ignores(b, i)
		}
	}},
	{code: "sigterm-ignored", name: "one pod", near: true, want: []string{"old-pod-grace"}, build: func(b *snaptest.Builder) { ignores(b, 0) }},
}
