package paste

import (
	"strings"

	"github.com/unjam-dev/unjam/internal/pattern"
)

// The kubelet's words to a pod it does not take or keep, and the status.reason
// that goes with them (pkg/kubelet/lifecycle, eviction, nodeshutdown, cm/admission).
var (
	notEnough  = pattern.New(`Node didn't have enough resource: ([a-z./-]+)`)
	rejections = []struct{ text, reason string }{
		{"Predicate NodeAffinity failed", "NodeAffinity"},
		{"Predicate TaintToleration failed", "TaintToleration"},
		{"had taints that the pod didn't tolerate", "TaintToleration"},
		{"Allocate failed due to ", "UnexpectedAdmissionError"},
		{"no healthy devices present; cannot allocate unhealthy devices", "UnexpectedAdmissionError"},
		{"cannot allocate unregistered device", "UnexpectedAdmissionError"},
		{"Resources cannot be allocated with Topology locality", "TopologyAffinityError"},
		{"SMT Alignment Error", "SMTAlignmentError"},
		{"forbidden sysctl: ", "SysctlForbidden"},
		{"OS field doesn't match node OS", "PodOSNotSupported"},
		{"Node has reached its volume attachment limit", "VolumeAttachmentLimitExceeded"},
		{"rejected as the node is shutting down", "NodeShutdown"},
		{"in response to imminent node shutdown", "Terminated"},
		{"Preempted in order to admit critical pod", "Preempting"},
		{"The node was low on resource: ", "Evicted"},
		{"The node had condition: [", "Evicted"},
		{"exceeded its local ephemeral storage limit", "Evicted"},
		{"Pod ephemeral local storage usage exceeds the total limit", "Evicted"},
		{"Usage of EmptyDir volume ", "Evicted"},
	}
)

// rejection is the pod's status.reason that a message implies, "" for none.
func rejection(text string) string {
	if m := notEnough.FindStringSubmatch(text); m != nil {
		return "OutOf" + m[1]
	}
	for _, r := range rejections {
		if strings.Contains(text, r.text) {
			return r.reason
		}
	}
	return ""
}
