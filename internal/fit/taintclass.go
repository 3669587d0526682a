package fit

import (
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// TaintClass says why a taint is there.
type TaintClass string

// The classes of taints.
const (
	TaintDedicated    TaintClass = "dedicated"     // put by people to keep pods away
	TaintControlPlane TaintClass = "control-plane" // normal on control-plane nodes
	TaintHealth       TaintClass = "health"        // put by the node controller; goes when the node is well
	TaintStartup      TaintClass = "startup"       // the node is not ready for pods yet
	TaintRemoval      TaintClass = "removal"       // an autoscaler is removing the node
)

// ClassOf tells the class of a taint by its key.
func ClassOf(t corev1.Taint) TaintClass {
	switch t.Key {
	case "node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master", "node-role.kubernetes.io/etcd":
		return TaintControlPlane
	case corev1.TaintNodeNotReady, corev1.TaintNodeUnreachable, corev1.TaintNodeMemoryPressure, corev1.TaintNodeDiskPressure, corev1.TaintNodePIDPressure,
		corev1.TaintNodeNetworkUnavailable, corev1.TaintNodeOutOfService:
		return TaintHealth
	case "node.cloudprovider.kubernetes.io/uninitialized", "node.cilium.io/agent-not-ready", "ebs.csi.aws.com/agent-not-ready", "efs.csi.aws.com/agent-not-ready", "karpenter.sh/unregistered":
		return TaintStartup
	case "ToBeDeletedByClusterAutoscaler", "DeletionCandidateOfClusterAutoscaler", "karpenter.sh/disrupted", "karpenter.sh/disruption", "node.cloudprovider.kubernetes.io/shutdown":
		return TaintRemoval
	}
	if strings.HasPrefix(t.Key, "ignore-taint.cluster-autoscaler.kubernetes.io/") || strings.HasPrefix(t.Key, "startup-taint.cluster-autoscaler.kubernetes.io/") {
		return TaintStartup
	}
	return TaintDedicated
}
