package cause

import "time"

func autoscalerCauses() []Cause {
	list := []Cause{
		{Code: "ca-scaleup-in-progress", Class: Waiting, Title: "An autoscaler is adding a node", Playbook: scaleUpPlaybook, Detect: scaleUpInProgress},
		{Code: "ca-max-size", Class: Terminal, Title: "The autoscaler has reached its limit of nodes", Playbook: maxSizePlaybook, Detect: notTriggeredAs("ca-max-size")},
		{Code: "ca-backoff", Class: SelfHealing, Settle: 5 * time.Minute, Title: "The autoscaler backs off after a failed scale-up", Playbook: backoffPlaybook, Detect: notTriggeredAs("ca-backoff")},
		{Code: "ca-no-fit", Class: Terminal, Title: "No node group would fit the pod", Playbook: caNoFitPlaybook, Detect: notTriggeredAs("ca-no-fit")},
		{Code: "ca-scaleup-timeout", Class: Terminal, Title: "New nodes did not join in time", Playbook: scaleUpTimeoutPlaybook, Detect: scaleUpTimeout},
		{Code: "ca-not-reacting", Class: SelfHealing, Settle: time.Minute, Title: "The cluster autoscaler does not react", Playbook: caSilentPlaybook, Detect: caNotReacting},
		{Code: "karpenter-limits", Class: Terminal, Title: "Karpenter's NodePools are at their limits", Playbook: karpenterLimitsPlaybook, Detect: karpenterRefusal("karpenter-limits")},
		{Code: "karpenter-no-fit", Class: Terminal, Title: "No NodePool would fit the pod", Playbook: karpenterNoFitPlaybook, Detect: karpenterRefusal("karpenter-no-fit")},
		{Code: "karpenter-launch-failed", Class: SelfHealing, Settle: 5 * time.Minute, Title: "Karpenter cannot launch an instance", Playbook: karpenterLaunchPlaybook, Detect: karpenterClaim("karpenter-launch-failed")},
		{Code: "karpenter-not-registered", Class: SelfHealing, Settle: 3 * time.Minute, Title: "The instance Karpenter launched has not become a node", Playbook: karpenterJoinPlaybook, Detect: karpenterClaim("karpenter-not-registered")},
		{Code: "karpenter-not-reacting", Class: SelfHealing, Settle: time.Minute, Title: "Karpenter does not react", Playbook: karpenterSilentPlaybook, Detect: karpenterNotReacting},
	}
	for i := range list {
		list[i].Family = Autoscaler
	}
	return list
}
