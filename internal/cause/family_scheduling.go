package cause

import "time"

// A shortage of what every node has stands once a rollout or a short Job beside
// it would have given its room back and no autoscaler spoke up. A device that no
// node has free comes back less often: two tries of the scheduler, half a minute
// apart, are enough.
const (
	shortageSettle = 100 * time.Second
	deviceSettle   = 30 * time.Second
)

func schedulingCauses() []Cause {
	list := []Cause{
		{Code: "scheduling-gated", Class: Waiting, Title: "Scheduling gates hold the pod back", Playbook: gatedPlaybook, Detect: schedulingGated},
		{Code: "no-nodes", Class: Terminal, Title: "The cluster has no nodes", Playbook: noNodesPlaybook, Detect: noNodes},
		{Code: "preemption-pending", Class: Waiting, Title: "Waiting for preempted pods to leave", Playbook: preemptionPendingPlaybook},
		{Code: "fragmentation", Class: Terminal, Title: "Enough room in all, but split over nodes", Playbook: fragmentationPlaybook},
		{Code: "pod-larger-than-any-node", Class: Terminal, Title: "The pod is larger than any node", Playbook: largerPlaybook},
		{Code: "insufficient-cpu", Class: SelfHealing, Settle: shortageSettle, Title: "Not enough free CPU on any node", Playbook: shortagePlaybook("CPU")},
		{Code: "insufficient-memory", Class: SelfHealing, Settle: shortageSettle, Title: "Not enough free memory on any node", Playbook: shortagePlaybook("memory")},
		{Code: "insufficient-ephemeral-storage", Class: SelfHealing, Settle: shortageSettle, Title: "Not enough free ephemeral storage on any node", Playbook: shortagePlaybook("ephemeral storage")},
		{Code: "insufficient-extended", Class: SelfHealing, Settle: deviceSettle, Title: "No node has the device free", Playbook: devicesPlaybook},
		{Code: "insufficient-hugepages", Class: SelfHealing, Settle: deviceSettle, Title: "No node has the huge pages free", Playbook: hugepagesPlaybook},
		{Code: "too-many-pods", Class: SelfHealing, Settle: shortageSettle, Title: "Every node is at its limit of pods", Playbook: tooManyPodsPlaybook},
		{Code: "node-unschedulable", Class: SelfHealing, Settle: time.Minute, Title: "The nodes that would fit are cordoned", Playbook: cordonedPlaybook},
		{Code: "untolerated-taint", Class: Terminal, Settle: 5 * time.Minute, Title: "The pod does not tolerate a taint", Playbook: taintPlaybook},
		{Code: "node-affinity-mismatch", Class: Terminal, Title: "No node matches the pod's selector or affinity", Playbook: affinityPlaybook},
		{Code: "prefilter-node-subset", Class: Terminal, Title: "A plugin limits the pod to nodes that are not there", Playbook: subsetPlaybook},
		{Code: "node-name-mismatch", Class: Terminal, Title: "The node asked for by name is not there", Playbook: nodeNamePlaybook},
		{Code: "host-port-conflict", Class: Terminal, Title: "The host port is taken", Playbook: hostPortPlaybook},
		{Code: "pod-anti-affinity", Class: Terminal, Title: "The pod's own anti-affinity leaves no node", Playbook: antiAffinityPlaybook},
		{Code: "existing-anti-affinity", Class: Terminal, Title: "Another workload's anti-affinity keeps the pod away", Playbook: existingAntiPlaybook},
		{Code: "pod-affinity-unsatisfied", Class: Terminal, Title: "No pod to run beside", Playbook: podAffinityPlaybook},
		{Code: "topology-spread-no-label", Class: Terminal, Title: "Nodes lack the label to spread over", Playbook: spreadLabelPlaybook},
		{Code: "topology-spread-skew", Class: Terminal, Title: "One more pod would be spread too unevenly", Playbook: spreadPlaybook},
		{Code: "dra-unallocatable", Class: SelfHealing, Settle: deviceSettle, Title: "No device can be allocated to the resource claim", Playbook: draPlaybook},
		{Code: "dra-claim-or-class-missing", Class: Terminal, Title: "A resource claim or device class is missing", Playbook: draMissingPlaybook, Detect: draMissing},
		{Code: "dra-binding-timeout", Class: SelfHealing, Title: "Allocated devices were not made ready", Playbook: draBindingPlaybook, Detect: draBinding},
		{Code: "gang-waiting", Class: SelfHealing, Settle: 2 * time.Minute, Title: "Waiting for the rest of the pod group", Playbook: gangPlaybook},
		{Code: "node-declared-features", Class: Terminal, Title: "No node offers the features the pod needs", Playbook: featuresPlaybook},
		{Code: "scheduler-extender", Class: Terminal, Title: "An extender or out-of-tree plugin refuses every node", Playbook: extenderPlaybook},
		{Code: "scheduler-not-processing", Class: SelfHealing, Settle: time.Minute, Title: "No scheduler has looked at the pod", Playbook: notProcessingPlaybook, Detect: schedulerNotProcessing},
		{Code: "scheduler-error", Class: SelfHealing, Settle: time.Minute, Title: "The scheduler failed with an error of its own", Playbook: schedulerErrorPlaybook, Detect: schedulerError},
		{Code: "kubelet-out-of-resource", Class: SelfHealing, Title: "The kubelet had no room for a pod sent to it", Playbook: outOfPlaybook, Detect: outOfResource},
		{Code: "kubelet-nodeaffinity", Class: SelfHealing, Title: "The kubelet refused the pod: its node's labels do not match", Playbook: kubeletAffinityPlaybook, Detect: rejectedAs("kubelet-nodeaffinity")},
		{Code: "kubelet-taint-reject", Class: SelfHealing, Title: "The kubelet refused the pod because of a taint", Playbook: kubeletTaintPlaybook, Detect: rejectedAs("kubelet-taint-reject")},
		{Code: "topology-affinity", Class: SelfHealing, Title: "The kubelet could not align CPUs or devices", Playbook: topologyPlaybook, Detect: rejectedAs("topology-affinity")},
		{Code: "device-admission", Class: SelfHealing, Title: "The kubelet could not allocate a device", Playbook: deviceAdmissionPlaybook, Detect: rejectedAs("device-admission")},
		{Code: "preempted-victim", Class: SelfHealing, Title: "Pods were preempted by a more important one", Playbook: victimPlaybook, Detect: preemptedVictim},
		{Code: "preemption-impossible", Class: Symptom, Title: "The pod may not preempt others", Playbook: preemptionImpossiblePlaybook, Detect: preemptionImpossible},
	}
	for i := range list {
		list[i].Family = Scheduling
		if list[i].Detect == nil {
			list[i].Detect = unplacedAs(list[i].Code)
		}
	}
	return list
}
