package cause_test

import (
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/unjam-dev/unjam/internal/cause"
	"github.com/unjam-dev/unjam/internal/snapshot"
	"github.com/unjam-dev/unjam/internal/snapshot/snaptest"
)

const image = "registry.example.com/shop/web:v1"

const (
	noVictims  = " preemption: 0/%d nodes are available: %d No preemption victims found for incoming pod."
	notHelpful = " preemption: 0/%d nodes are available: %d Preemption is not helpful for scheduling."
)

// refusal writes a scheduler's message about n nodes with the preemption clause.
func refusal(n int, reasons, clause string) string {
	return fmt.Sprintf("0/%d nodes are available: %s.", n, reasons) + fmt.Sprintf(clause, n, n)
}

func requests(list ...string) func(*corev1.PodSpec) {
	return func(s *corev1.PodSpec) {
		s.Containers[0].Resources.Requests = corev1.ResourceList{}
		for i := 0; i < len(list); i += 2 {
			s.Containers[0].Resources.Requests[corev1.ResourceName(list[i])] = resource.MustParse(list[i+1])
		}
	}
}

func offers(name, amount string) func(*corev1.Node) {
	return func(n *corev1.Node) { n.Status.Allocatable[corev1.ResourceName(name)] = resource.MustParse(amount) }
}

func nodeTaint(key, value string) func(*corev1.Node) {
	return func(n *corev1.Node) {
		n.Spec.Taints = append(n.Spec.Taints, corev1.Taint{Key: key, Value: value, Effect: corev1.TaintEffectNoSchedule})
	}
}

func cordon(n *corev1.Node) { n.Spec.Unschedulable = true }

func nodeLabel(k, v string) func(*corev1.Node) { return func(n *corev1.Node) { n.Labels[k] = v } }

func hostPortOf(n int32) func(*corev1.PodSpec) {
	return func(s *corev1.PodSpec) {
		s.Containers[0].Ports = []corev1.ContainerPort{{ContainerPort: n, HostPort: n}}
	}
}

func nodeSelector(k, v string) func(*corev1.PodSpec) {
	return func(s *corev1.PodSpec) { s.NodeSelector = map[string]string{k: v} }
}

func apartFrom(app string) func(*corev1.PodSpec) {
	return func(s *corev1.PodSpec) {
		s.Affinity = &corev1.Affinity{PodAntiAffinity: &corev1.PodAntiAffinity{RequiredDuringSchedulingIgnoredDuringExecution: []corev1.PodAffinityTerm{peer(app)}}}
	}
}

func besides(app string) func(*corev1.PodSpec) {
	return func(s *corev1.PodSpec) {
		s.Affinity = &corev1.Affinity{PodAffinity: &corev1.PodAffinity{RequiredDuringSchedulingIgnoredDuringExecution: []corev1.PodAffinityTerm{peer(app)}}}
	}
}

func peer(app string) corev1.PodAffinityTerm {
	return corev1.PodAffinityTerm{TopologyKey: "kubernetes.io/hostname", LabelSelector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": app}}}
}

func spreadOver(key, app string) func(*corev1.PodSpec) {
	return func(s *corev1.PodSpec) {
		s.TopologySpreadConstraints = []corev1.TopologySpreadConstraint{{MaxSkew: 1, TopologyKey: key, WhenUnsatisfiable: corev1.DoNotSchedule, LabelSelector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": app}}}}
	}
}

// fill puts a Ready pod of another, healthy Deployment on the node.
func fill(b *snaptest.Builder, node string, change ...func(*corev1.PodSpec)) *snaptest.Pod {
	return b.Deployment("filler-"+node, "registry.example.com/shop/filler:v1", 1, change...).Healthy().Pod(node).Ready()
}

// waits is a Deployment "web" with one pod the scheduler refuses.
func waits(b *snaptest.Builder, message string, change ...func(*corev1.PodSpec)) *snaptest.Pod {
	return b.Deployment("web", image, 1, change...).Pod("").Unschedulable(message)
}

// unseen hides a kind of object, as a source that does not hold it.
func unseen(b *snaptest.Builder, resources ...string) {
	for _, r := range resources {
		b.Snap.Gaps = append(b.Snap.Gaps, snapshot.Gap{Resource: r, Reason: snapshot.GapNotCaptured})
	}
}

// rejected is a bare pod the kubelet of n1 refused.
func rejected(b *snaptest.Builder, reason, message string) *snaptest.Pod {
	p := b.BarePod("tool", image, "n1")
	p.Obj.Status = corev1.PodStatus{Phase: corev1.PodFailed, Reason: reason, Message: message, StartTime: p.Obj.Status.StartTime}
	return p
}

// healed is a workload that is fully up, with a pod the kubelet once refused.
func healed(b *snaptest.Builder, reason, message string) {
	s := b.Deployment("web", image, 1).Healthy()
	s.Pod("n1").Ready()
	s.Deployment.Status.Replicas = 1
	p := s.Pod("n1")
	p.Obj.Status = corev1.PodStatus{Phase: corev1.PodFailed, Reason: reason, Message: message}
}

var schedulingCases = []testCase{
	{code: "insufficient-cpu", name: "the only node is full", build: func(b *snaptest.Builder) {
		b.Node("n1")
		fill(b, "n1", requests("cpu", "3500m"))
		waits(b, refusal(1, "1 Insufficient cpu", noVictims), requests("cpu", "1"))
	}, confidence: cause.Certain},
	{code: "insufficient-cpu", name: "control-plane taints are not the cause", build: func(b *snaptest.Builder) {
		b.Node("cp1", nodeTaint("node-role.kubernetes.io/control-plane", ""))
		b.Node("n1")
		fill(b, "n1", requests("cpu", "3500m"))
		waits(b, refusal(2, "1 Insufficient cpu, 1 node(s) had untolerated taint(s)", notHelpful), requests("cpu", "1"))
	}, confidence: cause.Certain},
	{code: "insufficient-cpu", name: "nodes not read", build: func(b *snaptest.Builder) {
		unseen(b, "nodes")
		waits(b, refusal(3, "3 Insufficient cpu", noVictims), requests("cpu", "1"))
	}, confidence: cause.Likely},
	{code: "insufficient-cpu", name: "the pod is larger than the node", near: true, want: []string{"pod-larger-than-any-node"}, build: func(b *snaptest.Builder) {
		b.Node("n1")
		waits(b, refusal(1, "1 Insufficient cpu", notHelpful), requests("cpu", "64"))
	}},
	{code: "insufficient-memory", name: "full", build: func(b *snaptest.Builder) {
		b.Node("n1")
		fill(b, "n1", requests("memory", "7Gi"))
		waits(b, refusal(1, "1 Insufficient memory", noVictims), requests("memory", "2Gi"))
	}},
	{code: "insufficient-memory", name: "cpu is short as well", want: []string{"insufficient-cpu", "insufficient-memory"}, build: func(b *snaptest.Builder) {
		b.Node("n1")
		fill(b, "n1", requests("memory", "7Gi", "cpu", "3"))
		waits(b, refusal(1, "1 Insufficient cpu, 1 Insufficient memory", noVictims), requests("memory", "2Gi", "cpu", "2"))
	}},
	{code: "insufficient-memory", name: "killed at run time, placed long ago", near: true, want: []string{}, build: func(b *snaptest.Builder) {
		b.Node("n1")
		b.Deployment("web", image, 1, requests("memory", "2Gi")).Healthy().Pod("n1").Ready()
	}},
	{code: "insufficient-ephemeral-storage", name: "full", build: func(b *snaptest.Builder) {
		b.Node("n1")
		fill(b, "n1", requests("ephemeral-storage", "40Gi"))
		waits(b, refusal(1, "1 Insufficient ephemeral-storage", noVictims), requests("ephemeral-storage", "20Gi"))
	}},
	{code: "insufficient-ephemeral-storage", name: "disk pressure is a taint", near: true, want: []string{"untolerated-taint"}, build: func(b *snaptest.Builder) {
		b.Node("n1", nodeTaint(corev1.TaintNodeDiskPressure, ""))
		waits(b, refusal(1, "1 node(s) had untolerated taint(s)", notHelpful), requests("ephemeral-storage", "20Gi"))
	}},
	{code: "insufficient-extended", name: "no node offers it", build: func(b *snaptest.Builder) {
		b.Node("n1")
		waits(b, refusal(1, "1 Insufficient nvidia.com/gpu", notHelpful), requests("nvidia.com/gpu", "1"))
	}, confidence: cause.Certain},
	{code: "insufficient-extended", name: "all taken", build: func(b *snaptest.Builder) {
		b.Node("n1", offers("nvidia.com/gpu", "1"))
		fill(b, "n1", requests("nvidia.com/gpu", "1"))
		waits(b, refusal(1, "1 Insufficient nvidia.com/gpu", noVictims), requests("nvidia.com/gpu", "1"))
	}},
	{code: "insufficient-extended", name: "more than a node has", near: true, want: []string{"pod-larger-than-any-node"}, build: func(b *snaptest.Builder) {
		b.Node("n1", offers("nvidia.com/gpu", "4"))
		waits(b, refusal(1, "1 Insufficient nvidia.com/gpu", notHelpful), requests("nvidia.com/gpu", "8"))
	}},
	{code: "insufficient-hugepages", name: "none set aside", build: func(b *snaptest.Builder) {
		b.Node("n1")
		waits(b, refusal(1, "1 Insufficient hugepages-2Mi", notHelpful), requests("hugepages-2Mi", "64Mi"))
	}},
	{code: "insufficient-hugepages", name: "plain memory", near: true, want: []string{"insufficient-memory"}, build: func(b *snaptest.Builder) {
		b.Node("n1", offers("hugepages-2Mi", "64Mi"))
		fill(b, "n1", requests("memory", "7Gi"))
		waits(b, refusal(1, "1 Insufficient memory", noVictims), requests("hugepages-2Mi", "64Mi", "memory", "2Gi"))
	}},
	{code: "too-many-pods", name: "limit of pods", build: func(b *snaptest.Builder) {
		b.Node("n1", offers("pods", "1"))
		fill(b, "n1")
		waits(b, refusal(1, "1 Too many pods", noVictims))
	}},
	{code: "too-many-pods", name: "cpu, not slots", near: true, want: []string{"insufficient-cpu"}, build: func(b *snaptest.Builder) {
		b.Node("n1")
		fill(b, "n1", requests("cpu", "4"))
		waits(b, refusal(1, "1 Insufficient cpu", noVictims), requests("cpu", "1"))
	}},
	{code: "pod-larger-than-any-node", name: "64 of 4", build: func(b *snaptest.Builder) {
		b.Node("n1")
		b.Node("n2")
		waits(b, refusal(2, "2 Insufficient cpu", notHelpful), requests("cpu", "64"))
	}, confidence: cause.Certain},
	{code: "pod-larger-than-any-node", name: "nodes not read, preemption cannot help", build: func(b *snaptest.Builder) {
		unseen(b, "nodes")
		waits(b, refusal(1, "1 Insufficient memory", notHelpful), requests("memory", "900Gi"))
	}, confidence: cause.Certain},
	{code: "pod-larger-than-any-node", name: "a passing shortage", near: true, want: []string{"insufficient-memory"}, build: func(b *snaptest.Builder) {
		b.Node("n1")
		fill(b, "n1", requests("memory", "5Gi"))
		waits(b, refusal(1, "1 Insufficient memory", noVictims), requests("memory", "4Gi"))
	}},
	{code: "fragmentation", name: "one move makes room", build: func(b *snaptest.Builder) {
		b.Node("n1")
		b.Node("n2")
		fill(b, "n1", requests("cpu", "1"))
		b.Deployment("big", image, 1, requests("cpu", "1500m")).Healthy().Pod("n1").Ready()
		fill(b, "n2", requests("cpu", "2500m"))
		waits(b, refusal(2, "2 Insufficient cpu", noVictims), requests("cpu", "2500m"))
	}, confidence: cause.Certain},
	{code: "fragmentation", name: "full", near: true, want: []string{"insufficient-cpu"}, build: func(b *snaptest.Builder) {
		b.Node("n1")
		b.Node("n2")
		fill(b, "n1", requests("cpu", "3500m"))
		fill(b, "n2", requests("cpu", "3500m"))
		waits(b, refusal(2, "2 Insufficient cpu", noVictims), requests("cpu", "2"))
	}},
	{code: "untolerated-taint", name: "dedicated node", build: func(b *snaptest.Builder) {
		b.Node("n1", nodeTaint("dedicated", "gpu"))
		waits(b, refusal(1, "1 node(s) had untolerated taint(s)", notHelpful))
	}, confidence: cause.Certain},
	{code: "untolerated-taint", name: "text of 1.22, nodes not read", build: func(b *snaptest.Builder) {
		unseen(b, "nodes", "events")
		waits(b, "0/1 nodes are available: 1 node(s) had taint {dedicated: gpu}, that the pod didn't tolerate.")
	}},
	{code: "untolerated-taint", name: "the selected node is lost", build: func(b *snaptest.Builder) {
		b.Node("n1")
		b.Node("n2", nodeTaint(corev1.TaintNodeUnreachable, ""))
		waits(b, refusal(2, "1 node(s) didn't match Pod's node affinity/selector, 1 node(s) had untolerated taint(s)", notHelpful), nodeSelector("kubernetes.io/hostname", "n2"))
	}},
	{code: "untolerated-taint", name: "cordoned", near: true, want: []string{"node-unschedulable"}, build: func(b *snaptest.Builder) {
		b.Node("n1", cordon, nodeTaint(corev1.TaintNodeUnschedulable, ""))
		waits(b, refusal(1, "1 node(s) were unschedulable", notHelpful))
	}},
	{code: "node-unschedulable", name: "cordoned", build: func(b *snaptest.Builder) {
		b.Node("n1", cordon)
		waits(b, refusal(1, "1 node(s) were unschedulable", notHelpful))
	}},
	{code: "node-unschedulable", name: "tainted", near: true, want: []string{"untolerated-taint"}, build: func(b *snaptest.Builder) {
		b.Node("n1", nodeTaint("dedicated", "db"))
		waits(b, refusal(1, "1 node(s) had untolerated taint(s)", notHelpful))
	}},
	{code: "node-affinity-mismatch", name: "other label value", build: func(b *snaptest.Builder) {
		b.Node("n1", nodeLabel("disktype", "hdd"))
		waits(b, refusal(1, "1 node(s) didn't match Pod's node affinity/selector", notHelpful), nodeSelector("disktype", "ssd"))
	}, confidence: cause.Certain},
	{code: "node-affinity-mismatch", name: "nodes not read", build: func(b *snaptest.Builder) {
		unseen(b, "nodes")
		waits(b, refusal(1, "1 node(s) didn't match Pod's node affinity/selector", notHelpful), nodeSelector("disktype", "ssd"))
	}},
	{code: "node-affinity-mismatch", name: "the matching node is tainted", near: true, want: []string{"untolerated-taint"}, build: func(b *snaptest.Builder) {
		b.Node("n1")
		b.Node("n2", nodeLabel("disktype", "ssd"), nodeTaint("dedicated", "db"))
		waits(b, refusal(2, "1 node(s) didn't match Pod's node affinity/selector, 1 node(s) had untolerated taint(s)", notHelpful), nodeSelector("disktype", "ssd"))
	}},
	{code: "prefilter-node-subset", name: "named node is gone", build: func(b *snaptest.Builder) {
		unseen(b, "nodes")
		waits(b, refusal(3, "3 node(s) didn't satisfy plugin(s) [NodeAffinity]", notHelpful))
	}},
	{code: "prefilter-node-subset", name: "a daemon pod's own node is full", near: true, want: []string{"insufficient-cpu"}, build: func(b *snaptest.Builder) {
		b.Node("n1")
		b.Node("n2")
		fill(b, "n2", requests("cpu", "4"))
		d := b.DaemonSet("agent", image, 1, requests("cpu", "1"), func(s *corev1.PodSpec) {
			s.Affinity = &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{RequiredDuringSchedulingIgnoredDuringExecution: &corev1.NodeSelector{NodeSelectorTerms: []corev1.NodeSelectorTerm{{MatchFields: []corev1.NodeSelectorRequirement{{Key: "metadata.name", Operator: "In", Values: []string{"n2"}}}}}}}}
		})
		b.PodOf("DaemonSet", "agent", d, "agent-1", d.Spec.Template.Spec, "").Unschedulable(refusal(2, "1 Insufficient cpu, 1 node(s) didn't satisfy plugin(s) [NodeAffinity]", notHelpful))
	}},
	{code: "node-name-mismatch", name: "printed", build: func(b *snaptest.Builder) {
		unseen(b, "nodes")
		waits(b, refusal(1, "1 node(s) didn't match the requested node name", notHelpful))
	}},
	{code: "node-name-mismatch", name: "a selector by host name", near: true, want: []string{"node-affinity-mismatch"}, build: func(b *snaptest.Builder) {
		b.Node("n1")
		waits(b, refusal(1, "1 node(s) didn't match Pod's node affinity/selector", notHelpful), nodeSelector("kubernetes.io/hostname", "n7"))
	}},
	{code: "host-port-conflict", name: "another pod holds it", build: func(b *snaptest.Builder) {
		b.Node("n1")
		fill(b, "n1", hostPortOf(8080))
		waits(b, refusal(1, "1 node(s) didn't have free ports for the requested pod ports", noVictims), hostPortOf(8080))
	}, confidence: cause.Certain},
	{code: "host-port-conflict", name: "other port", near: true, want: []string{"insufficient-cpu"}, build: func(b *snaptest.Builder) {
		b.Node("n1")
		fill(b, "n1", hostPortOf(8081), requests("cpu", "4"))
		waits(b, refusal(1, "1 Insufficient cpu", noVictims), hostPortOf(8080), requests("cpu", "1"))
	}},
	{code: "pod-anti-affinity", name: "its own kind", build: func(b *snaptest.Builder) {
		b.Node("n1")
		s := b.Deployment("web", image, 2, apartFrom("web"))
		s.Pod("n1").Ready()
		s.Pod("").Unschedulable(refusal(1, "1 node(s) didn't match pod anti-affinity rules", noVictims))
	}},
	{code: "pod-anti-affinity", name: "spread instead", near: true, want: []string{"topology-spread-skew"}, build: func(b *snaptest.Builder) {
		unseen(b, "nodes")
		waits(b, refusal(2, "2 node(s) didn't match pod topology spread constraints", noVictims), spreadOver("kubernetes.io/hostname", "web"))
	}},
	{code: "existing-anti-affinity", name: "the rule of another", build: func(b *snaptest.Builder) {
		b.Node("n1")
		fill(b, "n1", apartFrom("web"))
		waits(b, refusal(1, "1 node(s) didn't satisfy existing pods anti-affinity rules", noVictims))
	}},
	{code: "existing-anti-affinity", name: "its own rule", near: true, want: []string{"pod-anti-affinity"}, build: func(b *snaptest.Builder) {
		b.Node("n1")
		fill(b, "n1")
		waits(b, refusal(1, "1 node(s) didn't match pod anti-affinity rules", noVictims), apartFrom("filler-n1"))
	}},
	{code: "pod-affinity-unsatisfied", name: "no such pod", build: func(b *snaptest.Builder) {
		b.Node("n1")
		waits(b, refusal(1, "1 node(s) didn't match pod affinity rules", notHelpful), besides("cache"))
	}},
	{code: "pod-affinity-unsatisfied", name: "node affinity", near: true, want: []string{"node-affinity-mismatch"}, build: func(b *snaptest.Builder) {
		b.Node("n1")
		waits(b, refusal(1, "1 node(s) didn't match Pod's node affinity/selector", notHelpful), nodeSelector("a", "b"))
	}},
	{code: "topology-spread-skew", name: "the other zone is tainted", build: func(b *snaptest.Builder) {
		b.Node("n1", nodeLabel("topology.kubernetes.io/zone", "a"))
		b.Node("n2", nodeLabel("topology.kubernetes.io/zone", "b"), nodeTaint(corev1.TaintNodeNotReady, ""))
		s := b.Deployment("web", image, 2, spreadOver("topology.kubernetes.io/zone", "web"))
		s.Pod("n1").Ready()
		s.Pod("").Unschedulable(refusal(2, "1 node(s) didn't match pod topology spread constraints, 1 node(s) had untolerated taint(s)", notHelpful))
	}},
	{code: "topology-spread-skew", name: "the emptier zone is only full", near: true, want: []string{"insufficient-cpu"}, build: func(b *snaptest.Builder) {
		b.Node("n1", nodeLabel("topology.kubernetes.io/zone", "a"))
		b.Node("n2", nodeLabel("topology.kubernetes.io/zone", "b"))
		fill(b, "n2", requests("cpu", "3500m"))
		s := b.Deployment("web", image, 2, spreadOver("topology.kubernetes.io/zone", "web"), requests("cpu", "1"))
		s.Pod("n1").Ready()
		s.Pod("").Unschedulable(refusal(2, "1 Insufficient cpu, 1 node(s) didn't match pod topology spread constraints", noVictims))
	}},
	{code: "topology-spread-no-label", name: "no zones", build: func(b *snaptest.Builder) {
		b.Node("n1")
		waits(b, refusal(1, "1 node(s) didn't match pod topology spread constraints (missing required label)", notHelpful), spreadOver("topology.kubernetes.io/zone", "web"))
	}},
	{code: "topology-spread-no-label", name: "skew", near: true, want: []string{"topology-spread-skew"}, build: func(b *snaptest.Builder) {
		unseen(b, "nodes")
		waits(b, refusal(2, "2 node(s) didn't match pod topology spread constraints", noVictims), spreadOver("topology.kubernetes.io/zone", "web"))
	}},
	{code: "dra-unallocatable", name: "none free", build: func(b *snaptest.Builder) {
		b.Node("n1")
		waits(b, refusal(1, "1 cannot allocate all claims", notHelpful))
	}},
	{code: "dra-unallocatable", name: "noise after an ordinary reason", near: true, want: []string{"insufficient-cpu"}, build: func(b *snaptest.Builder) {
		b.Node("n1")
		fill(b, "n1", requests("cpu", "4"))
		waits(b, "0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.", requests("cpu", "1"))
	}},
	{code: "dra-claim-or-class-missing", name: "no class", build: func(b *snaptest.Builder) {
		b.Node("n1")
		waits(b, "0/1 nodes are available: request gpu: device class gpu.example.com does not exist. preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.")
	}},
	{code: "dra-claim-or-class-missing", name: "the claim cannot be made", build: func(b *snaptest.Builder) {
		b.Node("n1")
		p := b.Deployment("web", image, 1).Pod("")
		p.Condition(corev1.PodScheduled, corev1.ConditionFalse, "Unschedulable", "waiting for claims")
		p.Event("Warning", "FailedResourceClaimCreation", `PodResourceClaim gpu: resource claim template "gpu": not found`, 4*time.Minute, time.Minute, 5)
	}},
	{code: "dra-claim-or-class-missing", name: "there, but taken", near: true, want: []string{"dra-unallocatable"}, build: func(b *snaptest.Builder) {
		b.Node("n1")
		waits(b, refusal(1, "1 resourceclaim not available on the node", notHelpful))
	}},
	{code: "dra-binding-timeout", name: "not made ready", build: func(b *snaptest.Builder) {
		b.Node("n1")
		p := b.Deployment("web", image, 1).Pod("")
		p.Condition(corev1.PodScheduled, corev1.ConditionFalse, "SchedulerError", `running PreBind plugin "DynamicResources": device binding timeout`)
	}},
	{code: "dra-binding-timeout", name: "another plugin", near: true, want: []string{"scheduler-error"}, build: func(b *snaptest.Builder) {
		b.Node("n1")
		b.Deployment("web", image, 1).Pod("").Condition(corev1.PodScheduled, corev1.ConditionFalse, "SchedulerError", `running "NodeResourcesFit" filter plugin: context canceled`)
	}},
	{code: "scheduling-gated", name: "a queue holds it", build: func(b *snaptest.Builder) {
		b.Node("n1")
		p := b.Deployment("web", image, 1, func(s *corev1.PodSpec) {
			s.SchedulingGates = []corev1.PodSchedulingGate{{Name: "kueue.x-k8s.io/admission"}}
		}).Pod("")
		p.Condition(corev1.PodScheduled, corev1.ConditionFalse, "SchedulingGated", "Scheduling is blocked due to non-empty scheduling gates")
	}},
	{code: "scheduling-gated", name: "no scheduler", near: true, want: []string{"scheduler-not-processing"}, build: func(b *snaptest.Builder) {
		b.Node("n1")
		b.Deployment("web", image, 1, func(s *corev1.PodSpec) { s.SchedulerName = "volcano" }).Pod("")
	}},
	{code: "gang-waiting", name: "not enough members", build: func(b *snaptest.Builder) {
		b.Node("n1")
		waits(b, "0/1 nodes are available: minCount (4) cannot be satisfied: 2 scheduled, 1 remaining.")
	}},
	{code: "gang-waiting", name: "room", near: true, want: []string{"insufficient-cpu"}, build: func(b *snaptest.Builder) {
		b.Node("n1")
		fill(b, "n1", requests("cpu", "4"))
		waits(b, refusal(1, "1 Insufficient cpu", noVictims), requests("cpu", "1"))
	}},
	{code: "no-nodes", name: "none", build: func(b *snaptest.Builder) { waits(b, "no nodes available to schedule pods") }},
	{code: "no-nodes", name: "nodes, all tainted", near: true, want: []string{"untolerated-taint"}, build: func(b *snaptest.Builder) {
		b.Node("cp1", nodeTaint("node-role.kubernetes.io/control-plane", ""))
		waits(b, refusal(1, "1 node(s) had untolerated taint(s)", notHelpful))
	}},
	{code: "preemption-pending", name: "victims are leaving", build: func(b *snaptest.Builder) {
		b.Node("n1")
		fill(b, "n1", requests("cpu", "4")).Obj.DeletionTimestamp = &metav1.Time{Time: snaptest.Now}
		waits(b, "0/1 nodes are available: 1 Insufficient cpu. preemption: not eligible due to a terminating pod on the nominated node.", requests("cpu", "1")).Obj.Status.NominatedNodeName = "n1"
	}},
	{code: "preemption-pending", name: "nothing to push out", near: true, want: []string{"insufficient-cpu"}, build: func(b *snaptest.Builder) {
		b.Node("n1")
		fill(b, "n1", requests("cpu", "4"))
		waits(b, refusal(1, "1 Insufficient cpu", noVictims), requests("cpu", "1"))
	}},
	{code: "preemption-impossible", name: "policy Never", want: []string{"insufficient-cpu", "preemption-impossible"}, build: func(b *snaptest.Builder) {
		b.Node("n1")
		fill(b, "n1", requests("cpu", "4"))
		waits(b, "0/1 nodes are available: 1 Insufficient cpu. preemption: not eligible due to preemptionPolicy=Never.", requests("cpu", "1"))
	}},
	{code: "preemption-impossible", name: "the clause is no second cause", near: true, want: []string{"insufficient-cpu"}, build: func(b *snaptest.Builder) {
		b.Node("n1")
		fill(b, "n1", requests("cpu", "4"))
		waits(b, refusal(1, "1 Insufficient cpu", noVictims), requests("cpu", "1"))
	}},
	{code: "preempted-victim", name: "pushed out mid-rollout", build: func(b *snaptest.Builder) {
		b.Node("n1")
		s := b.Deployment("web", image, 1)
		p := s.Pod("n1").Ready()
		p.Obj.DeletionTimestamp = &metav1.Time{Time: snaptest.Now}
		p.Condition(corev1.DisruptionTarget, corev1.ConditionTrue, "PreemptionByScheduler", "default-scheduler: preempting to accommodate a higher priority pod")
	}},
	{code: "preempted-victim", name: "evicted by hand", near: true, build: func(b *snaptest.Builder) {
		b.Node("n1")
		s := b.Deployment("web", image, 1)
		p := s.Pod("n1").Ready()
		p.Obj.DeletionTimestamp = &metav1.Time{Time: snaptest.Now}
		p.Condition(corev1.DisruptionTarget, corev1.ConditionTrue, "EvictionByEvictionAPI", "Eviction API: evicting")
	}},
	{code: "scheduler-not-processing", name: "unknown scheduler", build: func(b *snaptest.Builder) {
		b.Node("n1")
		b.Deployment("web", image, 1, func(s *corev1.PodSpec) { s.SchedulerName = "volcano" }).Pod("")
	}},
	{code: "scheduler-not-processing", name: "just made", near: true, want: []string{}, build: func(b *snaptest.Builder) {
		b.Node("n1")
		b.Deployment("web", image, 1).Pod("").Obj.CreationTimestamp = snaptest.Ago(5 * time.Second)
	}},
	{code: "scheduler-error", name: "plugin failed", build: func(b *snaptest.Builder) {
		b.Node("n1")
		b.Deployment("web", image, 1).Pod("").Condition(corev1.PodScheduled, corev1.ConditionFalse, "SchedulerError", `running "NodeResourcesFit" filter plugin: context canceled`)
	}},
	{code: "scheduler-error", name: "unschedulable", near: true, want: []string{"node-unschedulable"}, build: func(b *snaptest.Builder) {
		b.Node("n1", cordon)
		waits(b, refusal(1, "1 node(s) were unschedulable", notHelpful))
	}},
	{code: "scheduler-extender", name: "words of its own", confidence: cause.Likely, build: func(b *snaptest.Builder) {
		b.Node("n1")
		waits(b, refusal(1, "1 GPU memory fraction exhausted on this node", noVictims))
	}},
	{code: "scheduler-extender", name: "a reason of Kubernetes", near: true, want: []string{"node-declared-features"}, build: func(b *snaptest.Builder) {
		b.Node("n1")
		waits(b, refusal(1, "1 node(s) didn't match Pod's required features", notHelpful))
	}},
	{code: "node-declared-features", name: "older nodes", build: func(b *snaptest.Builder) {
		b.Node("n1")
		waits(b, refusal(1, "1 node(s) didn't match Pod's required features", notHelpful))
	}},
	{code: "node-declared-features", name: "affinity", near: true, want: []string{"node-affinity-mismatch"}, build: func(b *snaptest.Builder) {
		b.Node("n1")
		waits(b, refusal(1, "1 node(s) didn't match Pod's node affinity/selector", notHelpful), nodeSelector("a", "b"))
	}},
	{code: "kubelet-out-of-resource", name: "refused", build: func(b *snaptest.Builder) {
		b.Node("n1")
		rejected(b, "OutOfcpu", "Pod was rejected: Node didn't have enough resource: cpu, requested: 500, used: 3800, capacity: 4000")
	}},
	{code: "kubelet-out-of-resource", name: "made good since", near: true, want: []string{}, build: func(b *snaptest.Builder) {
		b.Node("n1")
		healed(b, "OutOfcpu", "Pod was rejected: Node didn't have enough resource: cpu, requested: 500, used: 3800, capacity: 4000")
	}},
	{code: "kubelet-nodeaffinity", name: "refused", build: func(b *snaptest.Builder) {
		b.Node("n1")
		rejected(b, "NodeAffinity", "Pod was rejected: Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector")
	}},
	{code: "kubelet-nodeaffinity", name: "the scheduler's words", near: true, want: []string{"node-affinity-mismatch"}, build: func(b *snaptest.Builder) {
		b.Node("n1")
		waits(b, refusal(1, "1 node(s) didn't match Pod's node affinity/selector", notHelpful), nodeSelector("a", "b"))
	}},
	{code: "kubelet-taint-reject", name: "refused", build: func(b *snaptest.Builder) {
		b.Node("n1")
		rejected(b, "TaintToleration", "Pod was rejected: Predicate TaintToleration failed: node(s) had taints that the pod didn't tolerate")
	}},
	{code: "kubelet-taint-reject", name: "made good since", near: true, want: []string{}, build: func(b *snaptest.Builder) {
		b.Node("n1")
		healed(b, "TaintToleration", "Pod was rejected: Predicate TaintToleration failed: node(s) had taints that the pod didn't tolerate")
	}},
	{code: "topology-affinity", name: "refused again and again", build: func(b *snaptest.Builder) {
		b.Node("n1")
		s := b.Deployment("web", image, 1)
		for range 3 {
			s.Pod("n1").Obj.Status = corev1.PodStatus{Phase: corev1.PodFailed, Reason: "TopologyAffinityError", Message: "Pod was rejected: Resources cannot be allocated with Topology locality"}
		}
	}},
	{code: "topology-affinity", name: "out of cpu", near: true, want: []string{"kubelet-out-of-resource"}, build: func(b *snaptest.Builder) {
		b.Node("n1")
		rejected(b, "OutOfcpu", "Pod was rejected: Node didn't have enough resource: cpu, requested: 500, used: 3800, capacity: 4000")
	}},
	{code: "device-admission", name: "refused", build: func(b *snaptest.Builder) {
		b.Node("n1")
		rejected(b, "UnexpectedAdmissionError", "Pod was rejected: Allocate failed due to requested number of devices unavailable for nvidia.com/gpu. Requested: 1, Available: 0, which is unexpected")
	}},
	{code: "device-admission", name: "refused once, replaced", near: true, want: []string{}, build: func(b *snaptest.Builder) {
		b.Node("n1")
		healed(b, "UnexpectedAdmissionError", "Pod was rejected: Allocate failed due to no healthy devices present; cannot allocate unhealthy devices nvidia.com/gpu, which is unexpected")
	}},
}
