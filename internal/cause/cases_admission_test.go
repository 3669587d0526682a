package cause_test

import (
	"time"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/unjam-dev/unjam/internal/cause"
	"github.com/unjam-dev/unjam/internal/snapshot/snaptest"
)

// refused is a Deployment none of whose pods is admitted.
func refused(message string, change ...func(*corev1.PodSpec)) func(*snaptest.Builder) {
	return func(b *snaptest.Builder) {
		b.Deployment("web", "registry.example.com/shop/web:v1", 1, change...).FailedCreate(message)
	}
}

// hook configures the webhook behind service hooks/policy with n ready pods.
func hook(b *snaptest.Builder, name string, ready int) *discoveryv1.EndpointSlice {
	b.Snap.Objects.ValidatingWebhooks = append(b.Snap.Objects.ValidatingWebhooks, &admissionv1.ValidatingWebhookConfiguration{
		ObjectMeta: metav1.ObjectMeta{Name: "policy-config"},
		Webhooks:   []admissionv1.ValidatingWebhook{{Name: name, ClientConfig: admissionv1.WebhookClientConfig{Service: &admissionv1.ServiceReference{Namespace: "hooks", Name: "policy"}}}}})
	s := &discoveryv1.EndpointSlice{ObjectMeta: metav1.ObjectMeta{Namespace: "hooks", Name: "policy-abc", Labels: map[string]string{discoveryv1.LabelServiceName: "policy"}}}
	for range ready {
		s.Endpoints = append(s.Endpoints, discoveryv1.Endpoint{Addresses: []string{"10.0.0.1"}})
	}
	b.Snap.Objects.EndpointSlices = append(b.Snap.Objects.EndpointSlices, s)
	return s
}

const (
	noEndpoints  = `Internal error occurred: failed calling webhook "policy.example.com": failed to call webhook: Post "https://policy.hooks.svc:443/mutate-v1-pod?timeout=10s": no endpoints available for service "policy"`
	hookRefused  = `Internal error occurred: failed calling webhook "policy.example.com": failed to call webhook: Post "https://10.77.0.1:5999/validate?timeout=2s": dial tcp 10.77.0.1:5999: connect: connection refused`
	hookTimeout  = `Internal error occurred: failed calling webhook "policy.example.com": failed to call webhook: Post "https://policy.hooks.svc:443/validate?timeout=10s": context deadline exceeded`
	hookExpired  = `Internal error occurred: failed calling webhook "policy.example.com": failed to call webhook: Post "https://policy.hooks.svc:443/validate?timeout=10s": tls: failed to verify certificate: x509: certificate has expired or is not yet valid: current time 2026-01-02T10:00:00Z is after 2026-01-01T00:00:00Z`
	gatekeeper   = `admission webhook "validation.gatekeeper.sh" denied the request: [denied by workloads-require-owner] All workloads must have a valid ` + "`owner`" + ` label`
	restricted   = `pods "web-578fd8c6c5-x" is forbidden: violates PodSecurity "restricted:latest": privileged (container "app" must not set securityContext.privileged=true), allowPrivilegeEscalation != false (container "app" must set securityContext.allowPrivilegeEscalation=false), unrestricted capabilities (container "app" must set securityContext.capabilities.drop=["ALL"]), runAsNonRoot != true (pod or container "app" must set securityContext.runAsNonRoot=true), seccompProfile (pod or container "app" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")`
	noAccount    = `pods "web-7cc5c9ddc7-" is forbidden: error looking up service account shop/no-such-sa: serviceaccount "no-such-sa" not found`
	noSandbox    = `pods "web-" is forbidden: pod rejected: RuntimeClass "gvisor" not found`
	noClass      = `pods "web-" is forbidden: no PriorityClass with name high was found`
	scc          = `pods "web-" is forbidden: unable to validate against any security context constraint: [provider restricted-v2: .containers[0].runAsUser: Invalid value: 999: must be in the ranges: [1000680000, 1000689999]]`
	invalidPod   = `Pod "web-abc" is invalid: spec.containers[0].resources.requests: Invalid value: "500m": must be less than or equal to cpu limit of 250m`
	vap          = `pods "web-x" is forbidden: ValidatingAdmissionPolicy 'no-latest' with binding 'no-latest-shop' denied request: failed expression: object.spec.containers.all(c, !c.image.endsWith(':latest'))`
	warden       = `admission webhook "warden-validating.common-webhooks.networking.gke.io" denied the request: GKE Warden rejected the request because it violates one or more constraints. Violations details: {"[denied by autogke-no-host-port]":["container app specifies a host port"]}`
	imagePolicy  = `pods "web-x" is forbidden: image policy webhook backend denied one or more images: registry.example.com/shop/web:v1 is not signed`
	psp          = `pods "web-x" is forbidden: PodSecurityPolicy: unable to admit pod: [spec.containers[0].securityContext.privileged: Invalid value: true: Privileged containers are not allowed]`
	selectorText = `pods "web-x" is forbidden: pod node label selector conflicts with its namespace node label selector`
	etcdSlow     = `etcdserver: request timed out`
	notPermitted = `pods "web-x" is forbidden: pods with system-node-critical priorityClass is not permitted in shop namespace`
)

func terminatingNamespace(b *snaptest.Builder) {
	at := snaptest.Ago(3 * time.Minute)
	ns := b.Snap.Objects.Namespaces[0]
	ns.DeletionTimestamp, ns.Status.Phase = &at, corev1.NamespaceTerminating
}

var admissionCases = []testCase{
	{code: "namespace-terminating", name: "no pod, no event", confidence: cause.Certain, build: func(b *snaptest.Builder) {
		terminatingNamespace(b)
		s := b.Deployment("web", "registry.example.com/shop/web:v1", 2)
		s.Deployment.Status.Replicas, s.Deployment.Status.UpdatedReplicas, s.ReplicaSet.Status.Replicas = 0, 0, 0
	}},
	{code: "namespace-terminating", name: "complete and still running", near: true, build: func(b *snaptest.Builder) {
		terminatingNamespace(b)
		b.Node("n1")
		b.Deployment("web", "registry.example.com/shop/web:v1", 1).Healthy().Pod("n1").Ready()
	}},
	{code: "serviceaccount-missing", name: "no such account", confidence: cause.Certain, build: refused(noAccount)},
	{code: "serviceaccount-missing", name: "the condition still tells of a quota", build: func(b *snaptest.Builder) {
		s := b.Deployment("web", "registry.example.com/shop/web:v1", 1)
		s.ReplicaSet.Status.Conditions = append(s.ReplicaSet.Status.Conditions, replicaFailure(fullQuota))
		s.FailedCreate(noAccount)
	}},
	{code: "serviceaccount-missing", name: "only the Deployment was read", build: func(b *snaptest.Builder) {
		refused(noAccount)(b)
		b.Snap.Objects.ReplicaSets, b.Snap.Objects.Events = nil, nil
	}},
	{code: "serviceaccount-missing", name: "a DaemonSet's pods", build: func(b *snaptest.Builder) {
		b.Node("n1")
		d := b.DaemonSet("agent", "registry.example.com/agent:v1", 1)
		d.Status.CurrentNumberScheduled, d.Status.UpdatedNumberScheduled = 0, 0
		b.Event("DaemonSet", snaptest.Namespace, "agent", d.UID, "Warning", "FailedCreate", "Error creating: "+noAccount, 4*time.Minute, 10*time.Second, 9)
	}},
	{code: "serviceaccount-missing", name: "a webhook that is not found", near: true, want: []string{"webhook-no-endpoints"},
		build: refused(`Internal error occurred: failed calling webhook "policy.example.com": failed to call webhook: Post "https://policy.hooks.svc:443/validate?timeout=10s": service "policy" not found`)},
	{code: "priorityclass-missing", name: "no such class", confidence: cause.Certain, build: refused(noClass, priority("high"))},
	{code: "priorityclass-missing", name: "class kept for other namespaces", near: true, want: []string{"priorityclass-not-permitted"}, build: refused(notPermitted)},
	{code: "priorityclass-not-permitted", name: "system class in a user namespace", confidence: cause.Certain, build: refused(notPermitted, priority("system-node-critical"))},
	{code: "priorityclass-not-permitted", name: "no such class", near: true, want: []string{"priorityclass-missing"}, build: refused(noClass)},
	{code: "runtimeclass-missing", name: "no such class", confidence: cause.Certain, build: refused(noSandbox)},
	{code: "runtimeclass-missing", name: "another overhead", build: refused(`pods "web-" is forbidden: pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead`)},
	{code: "runtimeclass-missing", name: "namespace selector", near: true, want: []string{"ns-node-selector-conflict"}, build: refused(selectorText)},
	{code: "podsecurity-violation", name: "restricted, five checks", confidence: cause.Certain, build: refused(restricted)},
	{code: "podsecurity-violation", name: "OpenShift's constraints", near: true, want: []string{"openshift-scc"}, build: refused(scc)},
	{code: "podsecuritypolicy-denied", name: "no policy admits it", confidence: cause.Certain, build: refused(psp)},
	{code: "podsecuritypolicy-denied", name: "Pod Security level", near: true, want: []string{"podsecurity-violation"}, build: refused(restricted)},
	{code: "openshift-scc", name: "user outside the range", confidence: cause.Certain, build: refused(scc)},
	{code: "openshift-scc", name: "PodSecurityPolicy", near: true, want: []string{"podsecuritypolicy-denied"}, build: refused(psp)},
	{code: "gke-autopilot-warden", name: "host port", confidence: cause.Certain, build: refused(warden)},
	{code: "gke-autopilot-warden", name: "Gatekeeper", near: true, want: []string{"admission-webhook-denied"}, build: refused(gatekeeper)},
	{code: "admission-webhook-denied", name: "Gatekeeper names its constraint", confidence: cause.Certain, build: refused(gatekeeper)},
	{code: "admission-webhook-denied", name: "without a reason", build: refused(`admission webhook "policy.example.com" denied the request without explanation`)},
	{code: "admission-webhook-denied", name: "the webhook is down", near: true, want: []string{"webhook-no-endpoints"}, build: refused(noEndpoints)},
	{code: "vap-denied", name: "policy and binding named", confidence: cause.Certain, build: refused(vap)},
	{code: "vap-denied", name: "a webhook's denial", near: true, want: []string{"admission-webhook-denied"}, build: refused(gatekeeper)},
	{code: "image-policy-webhook", name: "image not signed", confidence: cause.Certain, build: refused(imagePolicy)},
	{code: "image-policy-webhook", name: "an ordinary webhook", near: true, want: []string{"admission-webhook-denied"}, build: refused(gatekeeper)},
	{code: "webhook-self-deadlock", name: "the webhook's own pods", confidence: cause.Certain, build: func(b *snaptest.Builder) {
		b.Node("n1")
		s := b.Deployment("policy", "registry.example.com/policy:v1", 2)
		p := s.Pod("n1").Running()
		s.FailedCreate(noEndpoints)
		slice := hook(b, "policy.example.com", 0)
		no := false
		slice.Namespace = snaptest.Namespace
		b.Snap.Objects.ValidatingWebhooks[0].Webhooks[0].ClientConfig.Service.Namespace = snaptest.Namespace
		slice.Endpoints = []discoveryv1.Endpoint{{Addresses: []string{"10.0.0.9"}, Conditions: discoveryv1.EndpointConditions{Ready: &no}, TargetRef: &corev1.ObjectReference{Kind: "Pod", Name: p.Obj.Name}}}
	}},
	{code: "webhook-self-deadlock", name: "same name only", confidence: cause.Likely, build: func(b *snaptest.Builder) {
		b.Deployment("policy", "registry.example.com/policy:v1", 2).FailedCreate(noEndpoints)
		hook(b, "policy.example.com", 0)
		b.Snap.Objects.ValidatingWebhooks[0].Webhooks[0].ClientConfig.Service.Namespace = snaptest.Namespace
	}},
	{code: "webhook-self-deadlock", name: "another workload", near: true, want: []string{"webhook-no-endpoints"}, build: func(b *snaptest.Builder) {
		refused(noEndpoints)(b)
		hook(b, "policy.example.com", 0)
	}},
	{code: "webhook-no-endpoints", name: "service without ready pods", confidence: cause.Certain, build: func(b *snaptest.Builder) {
		refused(noEndpoints)(b)
		hook(b, "policy.example.com", 0)
	}},
	{code: "webhook-no-endpoints", name: "an address that refuses", build: refused(hookRefused)},
	{code: "webhook-no-endpoints", name: "it denied", near: true, want: []string{"admission-webhook-denied"}, build: refused(gatekeeper)},
	{code: "webhook-timeout", name: "deadline exceeded", confidence: cause.Certain, build: refused(hookTimeout)},
	{code: "webhook-timeout", name: "refused at once", near: true, want: []string{"webhook-no-endpoints"}, build: refused(hookRefused)},
	{code: "webhook-tls", name: "certificate expired", confidence: cause.Certain, build: refused(hookExpired)},
	{code: "webhook-tls", name: "timeout", near: true, want: []string{"webhook-timeout"}, build: refused(hookTimeout)},
	{code: "pod-invalid-after-mutation", name: "request above an added limit", confidence: cause.Certain, build: refused(invalidPod)},
	{code: "pod-invalid-after-mutation", name: "LimitRange", near: true, want: []string{"limitrange-max"}, build: refused(memoryMax)},
	{code: "ns-node-selector-conflict", name: "node selector", confidence: cause.Certain, build: refused(selectorText)},
	{code: "ns-node-selector-conflict", name: "tolerations", build: refused(`pods "web-x" is forbidden: pod tolerations (possibly merged with namespace default tolerations) conflict with its namespace whitelist`)},
	{code: "ns-node-selector-conflict", name: "RuntimeClass selector", near: true, want: []string{"runtimeclass-missing"}, build: refused(`pods "web-x" is forbidden: conflict: runtimeClass.scheduling.nodeSelector[pool] = a; pod.spec.nodeSelector[pool] = b`)},
	{code: "apiserver-overload", name: "etcd", confidence: cause.Certain, build: refused(etcdSlow)},
	{code: "apiserver-overload", name: "no webhook named", build: refused(`Timeout: request did not complete within requested timeout context deadline exceeded`)},
	{code: "apiserver-overload", name: "a webhook times out", near: true, want: []string{"webhook-timeout"}, build: refused(hookTimeout)},
}
