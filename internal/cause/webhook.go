package cause

import (
	"fmt"
	"strings"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"

	"github.com/unjam-dev/unjam/internal/facts"
	"github.com/unjam-dev/unjam/internal/pattern"
)

// webhookDenied and webhookFailed are the texts of apiserver
// pkg/admission/plugin/webhook/errors/statuserror.go and pkg/util/webhook/error.go.
var (
	webhookDenied  = pattern.New(`^admission webhook "([^"]+)" denied the request(?:: ?(?s:(.*))| without explanation)`)
	webhookFailed  = pattern.New(`failed calling (?:admission )?webhook "([^"]+)": (?:failed to call webhook: )?(?s:(.*))$`)
	webhookPost    = pattern.New(`(?:Post|Get) "?(https?://[^ "]+)"?: (?s:(.*))$`)
	webhookURL     = pattern.New(`https?://[^ "]*`)
	webhookService = pattern.New(`^https://([a-z0-9-]+)\.([a-z0-9-]+)\.svc[:/]`)
)

// webhookFailureKind tells why a webhook could not be asked. The words after
// the URL decide: the URL itself may hold "timeout".
func webhookFailureKind(text string) string {
	tail := text
	if m := webhookFailed.FindStringSubmatch(text); m != nil {
		tail = m[2]
	}
	if m := webhookPost.FindStringSubmatch(tail); m != nil {
		tail = m[2]
	}
	tail = webhookURL.ReplaceAllString(tail, "") // one that was cut: its query says timeout=
	switch {
	case containsOf(tail, []string{"x509: ", "tls: ", "certificate ", "server gave HTTP response to HTTPS client"}) && !strings.Contains(tail, "TLS handshake timeout"):
		return "webhook-tls"
	case containsOf(tail, []string{"no endpoints available for service", "\" not found", "connection refused", "no such host", "no route to host"}):
		return "webhook-no-endpoints"
	case containsOf(tail, []string{"context deadline exceeded", "Client.Timeout exceeded", "i/o timeout", "TLS handshake timeout", "timed out", "timeout"}):
		return "webhook-timeout"
	}
	return "unknown"
}

// webhookView is a webhook call with its configuration, where that was seen.
type webhookView struct {
	Name   string // the webhook's own name
	Tail   string // what went wrong, without the URL
	URL    string
	Config string // the configuration's name, empty when not seen
	Kind   string // validatingwebhookconfiguration or mutatingwebhookconfiguration
	Policy string // Fail or Ignore
	// Service and Namespace are the backend inside the cluster, empty for a URL.
	Service, Namespace string
}

func readWebhook(f *facts.Facts, message string) webhookView {
	text := refusalText(message)
	v := webhookView{Tail: text}
	if m := webhookFailed.FindStringSubmatch(text); m != nil {
		v.Name, v.Tail = m[1], m[2]
	}
	if m := webhookPost.FindStringSubmatch(v.Tail); m != nil {
		v.URL, v.Tail = m[1], m[2]
	}
	if m := webhookService.FindStringSubmatch(v.URL); m != nil {
		v.Service, v.Namespace = m[1], m[2]
	}
	v.find(f)
	return v
}

// find looks up the configuration that holds the webhook.
func (v *webhookView) find(f *facts.Facts) {
	set := func(config, kind string, policy *admissionv1.FailurePolicyType, client *admissionv1.WebhookClientConfig) {
		v.Config, v.Kind, v.Policy = config, kind, string(admissionv1.Fail)
		if policy != nil {
			v.Policy = string(*policy)
		}
		if s := client.Service; s != nil {
			v.Service, v.Namespace = s.Name, s.Namespace
		}
	}
	for _, c := range f.Snap.Objects.ValidatingWebhooks {
		for i := range c.Webhooks {
			if h := &c.Webhooks[i]; h.Name == v.Name {
				set(c.Name, "validatingwebhookconfiguration", h.FailurePolicy, &h.ClientConfig)
			}
		}
	}
	for _, c := range f.Snap.Objects.MutatingWebhooks {
		for i := range c.Webhooks {
			if h := &c.Webhooks[i]; h.Name == v.Name {
				set(c.Name, "mutatingwebhookconfiguration", h.FailurePolicy, &h.ClientConfig)
			}
		}
	}
}

// fill adds the webhook's names and, where seen, its configuration as evidence.
func (v webhookView) fill(fd *Finding) {
	fd.Vars["webhook"] = v.Name
	fd.Key = "webhook " + v.Name
	if v.Service != "" {
		fd.Vars["service"], fd.Vars["serviceNamespace"] = v.Service, v.Namespace
	}
	if v.Config == "" {
		return
	}
	fd.Vars["config"], fd.Vars["configKind"], fd.Vars["failurePolicy"] = v.Config, v.Kind, v.Policy
	kind := "ValidatingWebhookConfiguration"
	if strings.HasPrefix(v.Kind, "mutating") {
		kind = "MutatingWebhookConfiguration"
	}
	fd.Evidence = append(fd.Evidence, Evidence{Text: "the configuration that asks this webhook; with failurePolicy Fail a webhook that cannot be asked refuses",
		Receipt: facts.Receipt{Kind: kind, Name: v.Config, Field: "webhooks[" + v.Name + "].failurePolicy", Text: v.Policy}})
}

// backend names the service or the address behind the webhook.
func (v webhookView) backend() string {
	if v.Service != "" {
		return "service " + v.Namespace + "/" + v.Service
	}
	if v.URL != "" {
		host, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(v.URL, "https://"), "http://"), "/")
		return "backend " + host
	}
	return "backend"
}

// ready counts the ready addresses of the webhook's service; known is false
// when EndpointSlices of its namespace were not read.
func (v webhookView) ready(f *facts.Facts) (n int, slice *discoveryv1.EndpointSlice, known bool) {
	if v.Service == "" {
		return 0, nil, false
	}
	for _, s := range f.Snap.Objects.EndpointSlices {
		if s.Namespace != v.Namespace || s.Labels[discoveryv1.LabelServiceName] != v.Service {
			continue
		}
		slice = s
		for _, e := range s.Endpoints {
			if e.Conditions.Ready == nil || *e.Conditions.Ready {
				n += len(e.Addresses)
			}
		}
	}
	return n, slice, slice != nil || f.Snap.Covers("endpointslices", v.Namespace)
}

// serves reports that the workload's pods are the backend of the webhook that
// refuses them. sure is true when the service lists one of its pods.
func (v webhookView) serves(f *facts.Facts, w *facts.Workload) (serves, sure bool) {
	if v.Service == "" || w.Namespace != v.Namespace {
		return false, false
	}
	_, slice, _ := v.ready(f)
	if slice != nil {
		for _, e := range slice.Endpoints {
			if ref := e.TargetRef; ref != nil && ref.Kind == "Pod" {
				if p := f.PodByName(slice.Namespace, ref.Name); p != nil && p.Workload == w {
					return true, true
				}
			}
		}
	}
	// Services are not read; charts name the service after the workload, so a
	// shared name is a hint, not a proof.
	return w.Name == v.Service || strings.HasPrefix(v.Service, w.Name+"-"), false
}

func detectWebhookSelfDeadlock(f *facts.Facts, w *facts.Workload) []Finding {
	r, ok := refusedAs(w, "webhook-no-endpoints")
	if !ok {
		return nil
	}
	v := readWebhook(f, r.Message)
	serves, sure := v.serves(f, w)
	if !serves {
		return nil
	}
	fd := r.finding(w, "webhook-self-deadlock", fmt.Sprintf("webhook %s must approve the pods of %s, which are what answers for it: %s has no one to ask", v.Name, w.Ref(), v.backend()))
	v.fill(&fd)
	if !sure {
		fd.Confidence = Likely
		fd.Rivals = []Rival{{Cause: "webhook-no-endpoints", SettledBy: fmt.Sprintf("kubectl -n %s get service %s -o jsonpath={.spec.selector}: if it does not select the pods of %s, another workload is down", v.Namespace, v.Service, w.Name)}}
	}
	return []Finding{fd}
}

func detectWebhookNoEndpoints(f *facts.Facts, w *facts.Workload) []Finding {
	r, ok := refusedAs(w, "webhook-no-endpoints")
	if !ok {
		return nil
	}
	v := readWebhook(f, r.Message)
	if serves, _ := v.serves(f, w); serves {
		return nil
	}
	n, slice, known := v.ready(f)
	var what string
	switch {
	case strings.Contains(v.Tail, "no endpoints available"):
		what = v.backend() + " has no ready pod"
	case strings.Contains(v.Tail, "\" not found"):
		what = v.backend() + " does not exist"
	case strings.Contains(v.Tail, "no such host"):
		what = "its name does not resolve"
	case strings.Contains(v.Tail, "no route to host"):
		what = v.backend() + " cannot be routed to"
	default:
		what = v.backend() + " refuses connections"
	}
	fd := r.finding(w, "webhook-no-endpoints", fmt.Sprintf("webhook %s cannot be asked, %s, and it must approve every pod", v.Name, what))
	v.fill(&fd)
	if slice != nil || known && v.Service != "" {
		name := v.Service
		if slice != nil {
			name = slice.Name
		}
		fd.Evidence = append(fd.Evidence, Evidence{Text: fmt.Sprintf("the service has %d ready addresses now", n),
			Receipt: facts.Receipt{Kind: "EndpointSlice", Namespace: v.Namespace, Name: name, Field: "endpoints", Text: fmt.Sprintf("%d ready", n)}})
	}
	if known && n > 0 && !strings.Contains(v.Tail, "connection refused") {
		fd.Class = Waiting
		fd.Summary = fmt.Sprintf("webhook %s could not be asked; %s has %d ready addresses now, so the controller's next try should pass", v.Name, v.backend(), n)
	}
	return []Finding{fd}
}

func detectWebhookTimeout(f *facts.Facts, w *facts.Workload) []Finding {
	r, ok := refusedAs(w, "webhook-timeout")
	if !ok {
		return nil
	}
	v := readWebhook(f, r.Message)
	fd := r.finding(w, "webhook-timeout", fmt.Sprintf("webhook %s did not answer in time through %s, and it must approve every pod", v.Name, v.backend()))
	v.fill(&fd)
	if n, slice, known := v.ready(f); known && slice != nil {
		fd.Evidence = append(fd.Evidence, Evidence{Text: fmt.Sprintf("the service has %d ready addresses, so the way to them or their speed is in question", n),
			Receipt: facts.Receipt{Kind: "EndpointSlice", Namespace: v.Namespace, Name: slice.Name, Field: "endpoints", Text: fmt.Sprintf("%d ready", n)}})
	}
	return []Finding{fd}
}

func detectWebhookTLS(f *facts.Facts, w *facts.Workload) []Finding {
	r, ok := refusedAs(w, "webhook-tls")
	if !ok {
		return nil
	}
	v := readWebhook(f, r.Message)
	why := "its certificate is not trusted"
	switch {
	case strings.Contains(v.Tail, "signed by unknown authority"):
		why = "its certificate was signed by an authority that the configuration's caBundle does not hold"
	case strings.Contains(v.Tail, "expired or is not yet valid"):
		why = "its certificate has expired or is not valid yet"
	case strings.Contains(v.Tail, "certificate is valid for"), strings.Contains(v.Tail, "doesn't contain any"), strings.Contains(v.Tail, "not valid for any names"):
		why = "its certificate is for another name than " + strings.TrimPrefix(v.backend(), "service ")
	case strings.Contains(v.Tail, "gave HTTP response"):
		why = "it speaks plain HTTP where TLS is due"
	case strings.Contains(v.Tail, "certificate relies on legacy Common Name"):
		why = "its certificate names no host in its subject alternative names"
	}
	fd := r.finding(w, "webhook-tls", fmt.Sprintf("webhook %s cannot be asked, %s, and it must approve every pod", v.Name, why))
	v.fill(&fd)
	return []Finding{fd}
}

// denyingPolicies are the policies that well-known policy engines name in
// their denials: Gatekeeper's "[name] text" and "[denied by name] text".
var denyingPolicies = pattern.New(`\[(?:denied by )?([a-z0-9][a-z0-9.-]*)\] `)

func detectWebhookDenied(f *facts.Facts, w *facts.Workload) []Finding {
	return detectDenial(f, w, "admission-webhook-denied")
}

func detectWarden(f *facts.Facts, w *facts.Workload) []Finding {
	return detectDenial(f, w, "gke-autopilot-warden")
}

func detectDenial(f *facts.Facts, w *facts.Workload, code string) []Finding {
	r, ok := refusedAs(w, code)
	if !ok {
		return nil
	}
	m := webhookDenied.FindStringSubmatch(refusalText(r.Message))
	if m == nil {
		return nil
	}
	var policies []string
	for _, p := range denyingPolicies.FindAllStringSubmatch(m[2], -1) {
		policies = insert(policies, p[1])
	}
	v := webhookView{Name: m[1]}
	v.find(f)
	who := fmt.Sprintf("webhook %s forbids the pod", m[1])
	if len(policies) > 0 {
		who = fmt.Sprintf("%s %s of webhook %s %s the pod", plural(int32(len(policies)), "policy", "policies"), strings.Join(policies, ", "), m[1], plural(int32(len(policies)), "forbids", "forbid"))
	}
	if text := firstLine(m[2]); text != "" {
		who += fmt.Sprintf(" (it says: %s)", text)
	}
	fd := r.finding(w, code, who)
	v.fill(&fd)
	if len(policies) > 0 {
		fd.Vars["policy"] = policies[0]
	}
	return []Finding{fd}
}

// firstLine is the first line with content, cut to a readable length.
func firstLine(s string) string {
	for _, line := range strings.Split(s, "\n") {
		if line = strings.TrimSpace(line); line != "" {
			if r := []rune(line); len(r) > 160 {
				line = string(r[:160]) + "…"
			}
			return line
		}
	}
	return ""
}

// policyText is what an in-tree policy wrote, for evidence and summaries.
var policyText = pattern.New(`^ValidatingAdmissionPolicy '([^']+)' (?:with binding '([^']+)' )?denied request: (?s:(.+))$`)

func detectVAPDenied(f *facts.Facts, w *facts.Workload) []Finding {
	r, ok := refusedAs(w, "vap-denied")
	if !ok {
		return nil
	}
	m := policyText.FindStringSubmatch(refusalText(r.Message))
	if m == nil {
		return nil
	}
	fd := r.finding(w, "vap-denied", fmt.Sprintf("the cluster's ValidatingAdmissionPolicy %s forbids the pod (it says: %s)", m[1], firstLine(m[3])))
	fd.Vars["policy"] = m[1]
	if m[2] != "" {
		fd.Vars["binding"] = m[2]
	}
	fd.Key = "policy " + m[1]
	return []Finding{fd}
}

// templateOf is the pod template of the refused revision, never nil.
func templateOf(r refusal) *corev1.PodTemplateSpec {
	if r.Rev != nil && r.Rev.Template != nil {
		return r.Rev.Template
	}
	return &corev1.PodTemplateSpec{}
}
