package cause

import (
	"fmt"
	"time"

	"github.com/unjam-dev/unjam/internal/facts"
)

// webhookSettle is how long a webhook's backend may be away before it is a
// stall: a restart of it is over by then.
const webhookSettle = 100 * time.Second

// admissionCauses are the API server's refusals that are not about quota.
func admissionCauses() []Cause {
	return []Cause{
		{Code: "namespace-terminating", Family: Admission, Class: Terminal, Title: "Namespace being deleted",
			Playbook: namespaceTerminatingPlaybook, Detect: detectNamespaceTerminating},
		{Code: "serviceaccount-missing", Family: Admission, Class: Terminal, Title: "ServiceAccount missing",
			Playbook: serviceAccountPlaybook, Detect: detectServiceAccountMissing},
		{Code: "priorityclass-missing", Family: Admission, Class: Terminal, Title: "PriorityClass missing",
			Playbook: priorityClassPlaybook, Detect: detectPriorityClassMissing},
		{Code: "priorityclass-not-permitted", Family: Admission, Class: Terminal, Title: "PriorityClass not allowed in this namespace",
			Playbook: priorityNotPermittedPlaybook, Detect: detectPriorityClassNotPermitted},
		{Code: "runtimeclass-missing", Family: Admission, Class: Terminal, Title: "RuntimeClass missing or contradicted",
			Playbook: runtimeClassPlaybook, Detect: detectRuntimeClassMissing},
		{Code: "podsecurity-violation", Family: Admission, Class: Terminal, Title: "Pod Security level violated",
			Playbook: podSecurityPlaybook, Detect: detectPodSecurity},
		{Code: "podsecuritypolicy-denied", Family: Admission, Class: Terminal, Title: "No PodSecurityPolicy admits the pod",
			Playbook: podSecurityPolicyPlaybook, Detect: detectPlainRefusal("podsecuritypolicy-denied", "", func(r refusal, w *facts.Workload) string {
				return fmt.Sprintf("no PodSecurityPolicy that ServiceAccount %s/%s may use admits the pod", w.Namespace, accountName(r))
			})},
		{Code: "openshift-scc", Family: Admission, Class: Terminal, Title: "No security context constraint admits the pod",
			Playbook: sccPlaybook, Detect: detectPlainRefusal("openshift-scc", "", func(r refusal, w *facts.Workload) string {
				return fmt.Sprintf("no security context constraint that ServiceAccount %s/%s may use admits the pod", w.Namespace, accountName(r))
			})},
		{Code: "gke-autopilot-warden", Family: Admission, Class: Terminal, Title: "Forbidden on GKE Autopilot",
			Playbook: wardenPlaybook, Detect: detectWarden},
		{Code: "admission-webhook-denied", Family: Admission, Class: Terminal, Title: "Refused by a policy webhook",
			Playbook: webhookDeniedPlaybook, Detect: detectWebhookDenied},
		{Code: "vap-denied", Family: Admission, Class: Terminal, Title: "Refused by a ValidatingAdmissionPolicy",
			Playbook: vapPlaybook, Detect: detectVAPDenied},
		{Code: "image-policy-webhook", Family: Admission, Class: Terminal, Title: "Image refused by the image policy",
			Playbook: imagePolicyPlaybook, Detect: detectPlainRefusal("image-policy-webhook", "", func(r refusal, _ *facts.Workload) string {
				return "the cluster's image policy refuses an image of the pod (" + firstLine(refusalText(r.Message)) + ")"
			})},
		{Code: "webhook-self-deadlock", Family: Admission, Class: Terminal, Title: "Webhook that must approve its own pods",
			Playbook: webhookDeadlockPlaybook, Detect: detectWebhookSelfDeadlock},
		{Code: "webhook-no-endpoints", Family: Admission, Class: SelfHealing, Settle: webhookSettle, Title: "Admission webhook down",
			Playbook: webhookDownPlaybook, Detect: detectWebhookNoEndpoints},
		{Code: "webhook-timeout", Family: Admission, Class: SelfHealing, Title: "Admission webhook does not answer",
			Playbook: webhookTimeoutPlaybook, Detect: detectWebhookTimeout},
		{Code: "webhook-tls", Family: Admission, Class: Terminal, Title: "Admission webhook's certificate not accepted",
			Playbook: webhookTLSPlaybook, Detect: detectWebhookTLS},
		{Code: "pod-invalid-after-mutation", Family: Admission, Class: Terminal, Title: "Pod made invalid by what admission added",
			Playbook: podInvalidPlaybook, Detect: detectPlainRefusal("pod-invalid-after-mutation", "", func(r refusal, _ *facts.Workload) string {
				return "the template is valid, the pod made from it is not (" + firstLine(invalidReason(r.Message)) + "), so admission changed it"
			})},
		{Code: "ns-node-selector-conflict", Family: Admission, Class: Terminal, Title: "Contradicts the namespace's node selector or tolerations",
			Playbook: nodeSelectorConflictPlaybook, Detect: detectPlainRefusal("ns-node-selector-conflict", "namespace NS", func(_ refusal, w *facts.Workload) string {
				return fmt.Sprintf("the pod's node selector or tolerations contradict what the annotations of namespace %s impose", w.Namespace)
			})},
		{Code: "apiserver-overload", Family: Admission, Class: SelfHealing, Settle: 2 * time.Minute, Title: "API server or etcd too slow",
			Playbook: apiServerOverloadPlaybook, Detect: detectPlainRefusal("apiserver-overload", "API server", func(r refusal, _ *facts.Workload) string {
				return "the API server did not manage to create the pod (" + firstLine(r.Message) + ")"
			})},
	}
}

func accountName(r refusal) string {
	if sa := templateOf(r).Spec.ServiceAccountName; sa != "" {
		return sa
	}
	return "default"
}
