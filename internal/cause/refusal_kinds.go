package cause

import "strings"

// refusalRule recognises one sort of refusal by its text.
type refusalRule struct {
	code string
	// starts, when set, is what the text must begin with: texts of webhooks and
	// policies are free and may quote any other refusal.
	starts []string
	// holds are alternatives, one of which the text must contain.
	holds []string
}

// refusalRules in judging order. The words are those of the API server's
// admission plugins (kubernetes plugin/pkg/admission/…, apiserver
// pkg/admission/plugin/…); free texts come first because they may quote others.
var refusalRules = []refusalRule{
	{code: "statefulset-pvc-create-failed", starts: []string{"create Claim ", "failed to create PVC ", "pvc ", "persistentvolumeclaims \""}},
	{code: "gke-autopilot-warden", starts: []string{"admission webhook \"warden-"}},
	{code: "gke-autopilot-warden", starts: []string{"admission webhook \""}, holds: []string{"GKE Warden rejected"}},
	{code: "admission-webhook-denied", starts: []string{"admission webhook \""}},
	{code: webhookCall, starts: []string{"failed calling webhook \"", "failed to call webhook: ", "failed calling admission webhook \""}},
	{code: "vap-denied", starts: []string{"ValidatingAdmissionPolicy '"}},
	{code: "image-policy-webhook", holds: []string{"image policy webhook backend denied"}},
	{code: "podsecurity-violation", starts: []string{"violates PodSecurity \""}},
	{code: "openshift-scc", holds: []string{"unable to validate against any security context constraint"}},
	{code: "podsecuritypolicy-denied", holds: []string{"unable to validate against any pod security policy", "PodSecurityPolicy: unable to admit pod", "no providers available to validate pod request"}},
	{code: "quota-exceeded", starts: []string{"exceeded quota: "}},
	{code: "quota-missing-requests", starts: []string{"failed quota: "}},
	{code: "quota-status-unknown", starts: []string{"status unknown for quota: "}},
	{code: "quota-scope-not-covered", starts: []string{"insufficient quota to match these scopes: ", "insufficient quota to consume: "}},
	{code: limitRange, holds: []string{" usage per ", " max limit to request ratio per "}},
	{code: "serviceaccount-missing", holds: []string{"error looking up service account ", "retry after the service account is created"}},
	{code: "priorityclass-missing", holds: []string{"no PriorityClass with name "}},
	{code: "priorityclass-not-permitted", holds: []string{"priorityClass is not permitted in "}},
	{code: "runtimeclass-missing", starts: []string{"pod rejected: "}, holds: []string{"RuntimeClass"}},
	{code: "runtimeclass-missing", holds: []string{"conflict: runtimeClass.scheduling.nodeSelector"}},
	{code: "ns-node-selector-conflict", holds: []string{"conflicts with its namespace node label selector", "conflict with its namespace node label selector", "namespace default tolerations) conflict with its "}},
	{code: "namespace-terminating", holds: []string{"because it is being terminated"}},
	{code: "pod-invalid-after-mutation", starts: []string{"Pod \""}, holds: []string{"\" is invalid: "}},
	{code: "apiserver-overload", holds: []string{"etcdserver: ", "request did not complete within", "client rate limiter Wait returned an error", "the server is currently unable to handle the request",
		"Too many requests", "the server has received too many requests", "context deadline exceeded", "the server was unable to return a response in the time allotted"}},
}

// Sorts of refusal that the rest of the text splits into several causes.
const (
	webhookCall = "webhook-call"
	limitRange  = "limit-range"
)

// refusalKind is the code of the cause a refusal's text belongs to, "unknown"
// when no rule knows it. Two refusals of one kind are attempts of one fault.
func refusalKind(message string) string {
	text := refusalText(message)
	for _, r := range refusalRules {
		if hasPrefixOf(text, r.starts) && containsOf(text, r.holds) {
			switch r.code {
			case webhookCall:
				return webhookFailureKind(text)
			case limitRange:
				return limitRangeKind(text)
			}
			return r.code
		}
	}
	return "unknown"
}

// refusalText strips what stands before the admission plugin's own words:
// which pod it was, and that the error is the server's.
func refusalText(message string) string {
	message = strings.TrimPrefix(message, "Internal error occurred: ")
	if strings.HasPrefix(message, "pods \"") {
		if _, rest, ok := strings.Cut(message, "\" is forbidden: "); ok {
			return rest
		}
	}
	return message
}

func hasPrefixOf(s string, prefixes []string) bool {
	if len(prefixes) == 0 {
		return true
	}
	for _, p := range prefixes {
		if strings.HasPrefix(s, p) {
			return true
		}
	}
	return false
}

func containsOf(s string, parts []string) bool {
	if len(parts) == 0 {
		return true
	}
	for _, p := range parts {
		if strings.Contains(s, p) {
			return true
		}
	}
	return false
}
