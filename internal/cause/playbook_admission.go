package cause

const (
	getNamespace = "kubectl get namespace {namespace} -o yaml"
	dryRunPod    = "kubectl -n {namespace} get events --field-selector reason=FailedCreate --sort-by=.lastTimestamp"
)

var namespaceTerminatingPlaybook = Playbook{
	Means: "Somebody deleted the namespace. While its contents go away the API server refuses anything new in it, and controllers say nothing about that. The deletion cannot be taken back.",
	Verify: []Step{
		{Text: "See since when it is terminating and what it waits for", Command: getNamespace},
	},
	Mend: []Step{
		{Text: "Deploy into another namespace, or wait until this one is gone and make it anew", Approver: "app owner"},
		{Text: "If the deletion hangs, let the owners of the finalizers named in the namespace's conditions finish; never strip finalizers by hand unless their controller is gone for good", Approver: "platform team"},
	},
}

var serviceAccountPlaybook = Playbook{
	Means: "Every pod runs under a ServiceAccount, and the one named in the template is not in the namespace. The API server refuses the pod until it exists; then the controller's next try passes.",
	Verify: []Step{
		{Text: "List the ServiceAccounts of the namespace", Command: "kubectl -n {namespace} get serviceaccounts"},
	},
	Mend: []Step{
		{Text: "Use the existing ServiceAccount {nearest}, if the name is a slip", Command: "kubectl -n {namespace} set serviceaccount {workload} {nearest}", Undo: undoTemplate, Approver: "app owner", When: []string{"nearest"}},
		{Text: "Create the ServiceAccount; it starts without any rights", Command: "kubectl -n {namespace} create serviceaccount {serviceaccount}", Undo: "kubectl -n {namespace} delete serviceaccount {serviceaccount}", Approver: "namespace admin"},
	},
}

var priorityClassPlaybook = Playbook{
	Means: "The template names a PriorityClass that the cluster does not have. PriorityClasses are cluster-wide, so a manifest from another cluster often carries a name that is unknown here.",
	Verify: []Step{
		{Text: "List the PriorityClasses", Command: "kubectl get priorityclasses"},
	},
	Mend: []Step{
		{Text: "Name an existing PriorityClass in the template, {nearest} if that was meant", Approver: "app owner", When: []string{"nearest"}},
		{Text: "Name an existing PriorityClass in the template, or none", Approver: "app owner", When: []string{"!nearest"}},
		{Text: "Or have PriorityClass {priorityClass} created; a value above others lets its pods evict them", Undo: "kubectl delete priorityclass {priorityClass}", Approver: "platform team"},
	},
}

var priorityNotPermittedPlaybook = Playbook{
	Means: "The PriorityClass exists, but this cluster keeps it for certain namespaces, usually because its pods may push out others.",
	Verify: []Step{
		{Text: "Read which class the template asks for", Command: "kubectl -n {namespace} get {workload} -o jsonpath={.spec.template.spec.priorityClassName}"},
	},
	Mend: []Step{
		{Text: "Use a PriorityClass that is open to namespace {namespace}", Approver: "app owner"},
		{Text: "Or move the workload to a namespace that may use {priorityClass}", Approver: "platform team"},
	},
}

var runtimeClassPlaybook = Playbook{
	Means: "The template asks for a RuntimeClass (a sandboxed or special container runtime) that the cluster does not define, or contradicts what that class prescribes.",
	Verify: []Step{
		{Text: "List the RuntimeClasses with their overhead and node selectors", Command: "kubectl get runtimeclasses -o yaml"},
	},
	Mend: []Step{
		{Text: "Name an existing RuntimeClass, or drop what contradicts it (overhead, node selector) from the template", Approver: "app owner"},
		{Text: "Or have RuntimeClass {runtimeClass} defined, once nodes offer its runtime", Undo: "kubectl delete runtimeclass {runtimeClass}", Approver: "platform team"},
	},
}

var podSecurityPlaybook = Playbook{
	Means: "The namespace enforces a Pod Security level and the pod asks for more rights than the level allows. The Deployment itself was accepted with a warning only; its pods are refused, each time, for the same reasons.",
	Verify: []Step{
		{Text: "Read the level the namespace enforces", Command: "kubectl get namespace {namespace} --show-labels"},
		{Text: "Read what the pod asks for", Command: "kubectl -n {namespace} get {workload} -o jsonpath={.spec.template.spec}"},
	},
	Mend: []Step{
		{Text: "Give container {container} the settings the level asks for; an image that must run as root or write to its root needs more than this", Approver: "app owner", When: []string{"container"},
			Command: `kubectl -n {namespace} patch {workload} --type=strategic -p '{"spec":{"template":{"spec":{"containers":[{"name":"{container}","securityContext":{"privileged":false,"allowPrivilegeEscalation":false,"runAsNonRoot":true,"capabilities":{"drop":["ALL"]},"seccompProfile":{"type":"RuntimeDefault"}}}]}}}}'`,
			Undo:    undoTemplate},
		{Text: "Apply this strategic merge patch to the workload: {patch}", Undo: undoTemplate, Approver: "app owner", When: []string{"patch", "!container"}},
		{Text: "Change by hand what no patch can decide: {byHand}", Approver: "app owner", When: []string{"byHand"}},
		{Text: "If the pod truly needs those rights, let the namespace enforce a lower level; this loosens it for every pod in it", Command: "kubectl label namespace {namespace} pod-security.kubernetes.io/enforce=baseline --overwrite", Undo: "kubectl label namespace {namespace} pod-security.kubernetes.io/enforce={level} --overwrite", Approver: "security"},
	},
}

var podSecurityPolicyPlaybook = Playbook{
	Means: "On clusters before 1.25 a PodSecurityPolicy must admit every pod, and only those that the pod's ServiceAccount (or its creator) may use count. None of them allows this pod, or none may be used at all.",
	Verify: []Step{
		{Text: "List the policies", Command: "kubectl get podsecuritypolicies"},
		{Text: "See whether the ServiceAccount may use any", Command: "kubectl -n {namespace} auth can-i use podsecuritypolicies --as=system:serviceaccount:{namespace}:{serviceaccount}"},
	},
	Mend: []Step{
		{Text: "Drop the rights from the template that the usable policies forbid", Approver: "app owner"},
		{Text: "Or bind a fitting policy to ServiceAccount {serviceaccount}", Undo: "delete that RoleBinding", Approver: "security"},
	},
}

var sccPlaybook = Playbook{
	Means: "On OpenShift a security context constraint must admit every pod. Those the ServiceAccount may use do not allow what this pod asks for, most often a fixed user or group number outside the project's range.",
	Verify: []Step{
		{Text: "Ask which constraint would admit the pod template, and why the others do not", Command: "oc -n {namespace} adm policy scc-subject-review -z {serviceaccount} -f -"},
		{Text: "Read the project's range of user numbers", Command: getNamespace},
	},
	Mend: []Step{
		{Text: "Remove runAsUser and fsGroup from the template, so that the project's range applies", Approver: "app owner"},
		{Text: "Or let ServiceAccount {serviceaccount} use a wider constraint", Command: "oc -n {namespace} adm policy add-scc-to-user nonroot-v2 -z {serviceaccount}", Undo: "oc -n {namespace} adm policy remove-scc-from-user nonroot-v2 -z {serviceaccount}", Approver: "security"},
	},
}

var wardenPlaybook = Playbook{
	Means: "GKE Autopilot runs its own admission check and forbids what would touch its nodes: host ports, host paths, privileged containers, and sizes outside its range.",
	Verify: []Step{
		{Text: "Read the rules it names", Command: dryRunPod},
	},
	Mend: []Step{
		{Text: "Remove the host access or the size it names from the template", Approver: "app owner"},
		{Text: "Or run the workload on a Standard cluster", Approver: "platform team"},
	},
}

var webhookDeniedPlaybook = Playbook{
	Means: "A policy of this cluster, asked through a webhook, says no to the pod. It works as meant: the pod breaks a rule somebody wrote, and each new try will be refused alike.",
	Verify: []Step{
		{Text: "Read the whole refusal", Command: dryRunPod},
		{Text: "See which configuration asks the webhook", Command: "kubectl get {configKind} {config} -o yaml"},
	},
	Mend: []Step{
		{Text: "Change the manifest as the message asks", Approver: "app owner"},
		{Text: "Or have an exception with an end date added to policy {policy}", Undo: "remove the exception", Approver: "security", When: []string{"policy"}},
		{Text: "Or have an exception with an end date added to the policy", Undo: "remove the exception", Approver: "security", When: []string{"!policy"}},
	},
}

var vapPlaybook = Playbook{
	Means: "A ValidatingAdmissionPolicy of this cluster says no to the pod. The rule is an expression over the object that the API server evaluates itself, so no backend can be down.",
	Verify: []Step{
		{Text: "Read the policy's expressions", Command: "kubectl get validatingadmissionpolicy {policy} -o yaml"},
		{Text: "Read where it applies", Command: "kubectl get validatingadmissionpolicybinding {binding} -o yaml"},
	},
	Mend: []Step{
		{Text: "Change the manifest so that it meets the policy", Approver: "app owner"},
		{Text: "Or let the binding warn instead of deny while the manifest is being changed", Command: `kubectl patch validatingadmissionpolicybinding {binding} --type=merge -p '{"spec":{"validationActions":["Warn","Audit"]}}'`, Undo: `kubectl patch validatingadmissionpolicybinding {binding} --type=merge -p '{"spec":{"validationActions":["Deny"]}}'`, Approver: "security"},
	},
}

var imagePolicyPlaybook = Playbook{
	Means: "The API server asks an image policy service about every image, and that service refused one of this pod. Its configuration is a file on the control plane and cannot be seen through the API.",
	Verify: []Step{
		{Text: "Read which image was refused and why", Command: dryRunPod},
	},
	Mend: []Step{
		{Text: "Use an image that the policy allows: an approved registry, a signed image, a digest", Approver: "app owner"},
		{Text: "Or have the image allowed by the owners of the policy service", Approver: "security"},
	},
}

var podInvalidPlaybook = Playbook{
	Means: "The workload was accepted, so its template is valid. What admission added on top (an injected sidecar or volume, a LimitRange default) made the pod contradict itself.",
	Verify: []Step{
		{Text: "List the webhooks that may change pods", Command: "kubectl get mutatingwebhookconfigurations"},
		{Text: "Look for defaults of the namespace", Command: describeLimits},
	},
	Mend: []Step{
		{Text: "Change the field it names in the template: state both request and limit, rename the volume that clashes", Approver: "app owner"},
		{Text: "Or opt this workload out of the injection by the injector's own label, or mend the injector", Undo: "remove the label", Approver: "platform team"},
	},
}

var nodeSelectorConflictPlaybook = Playbook{
	Means: "The namespace carries annotations that force a node selector or limit tolerations for all its pods, and this pod's own settings contradict them.",
	Verify: []Step{
		{Text: "Read the annotations of the namespace", Command: "kubectl get namespace {namespace} -o jsonpath={.metadata.annotations}"},
		{Text: "Read the pod's selector and tolerations", Command: "kubectl -n {namespace} get {workload} -o jsonpath={.spec.template.spec.nodeSelector}"},
	},
	Mend: []Step{
		{Text: "Align the template's nodeSelector or tolerations with the namespace", Approver: "app owner"},
		{Text: "Or change the annotation; it applies to every pod made in the namespace from then on", Undo: "put the old annotation back", Approver: "platform team"},
	},
}

const (
	seeWebhook      = "kubectl get {configKind} {config} -o yaml"
	ignoreUndo      = "apply the saved configuration again: kubectl replace -f webhook-backup.yaml"
	ignoreText      = "If the backend cannot be restored soon, save the configuration (kubectl get {configKind} {config} -o yaml > webhook-backup.yaml), then edit its failurePolicy to Ignore; until it is restored nothing enforces this policy"
	ignoreCommand   = "kubectl edit {configKind} {config}"
	backendPods     = "kubectl -n {serviceNamespace} get endpointslices -l kubernetes.io/service-name={service}"
	backendService  = "kubectl -n {serviceNamespace} describe service {service}"
	webhookApprover = "security and platform team"
)

var webhookDownPlaybook = Playbook{
	Means: "An admission webhook must approve each pod and nothing answers for it. Until its backend is back no pod that it watches can be made, in any namespace it covers. Pods that run are not touched.",
	Verify: []Step{
		{Text: "See whether its service has ready addresses", Command: backendPods},
		{Text: "See the pods behind it", Command: "kubectl -n {serviceNamespace} get pods"},
		{Text: "Read its configuration: failurePolicy, namespaceSelector, backend", Command: seeWebhook},
	},
	Mend: []Step{
		{Text: "Bring the webhook's own pods back: find out why they are not ready", Approver: "platform team"},
		{Text: ignoreText, Command: ignoreCommand, Undo: ignoreUndo, Approver: webhookApprover},
	},
}

var webhookDeadlockPlaybook = Playbook{
	Means: "The webhook must approve every pod, also its own. Its pods are gone and cannot come back, because only they could approve themselves. This never resolves alone.",
	Verify: []Step{
		{Text: "See whether its service selects the pods of this workload", Command: backendService},
		{Text: "Read its configuration: neither namespaceSelector nor objectSelector leaves its own pods out", Command: seeWebhook},
	},
	Mend: []Step{
		{Text: "Exclude the webhook's own namespace for good with a namespaceSelector", Command: ignoreCommand, Undo: "remove the selector again", Approver: "platform team"},
		{Text: ignoreText, Command: ignoreCommand, Undo: ignoreUndo, Approver: webhookApprover},
	},
}

var webhookTimeoutPlaybook = Playbook{
	Means: "The API server asks the webhook and gets no answer in time. Either the network lets nothing through from the control plane (a firewall that lacks the webhook's port, a NetworkPolicy), or the webhook is too slow.",
	Verify: []Step{
		{Text: "See whether its pods are ready and where they listen", Command: backendPods},
		{Text: "See whether its pods are throttled or restart", Command: "kubectl -n {serviceNamespace} top pods"},
		{Text: "Check that the control plane may reach the webhook's port on the nodes: private clusters open few ports"},
	},
	Mend: []Step{
		{Text: "Open the way from the control plane to the webhook's port, or give its pods more CPU or replicas", Approver: "platform team"},
		{Text: ignoreText, Command: ignoreCommand, Undo: ignoreUndo, Approver: webhookApprover},
	},
}

var webhookTLSPlaybook = Playbook{
	Means: "The API server reaches the webhook and does not accept its certificate: the caBundle in its configuration does not match, the certificate has run out, or it is for another name. No try will pass until one of them changes.",
	Verify: []Step{
		{Text: "Read the caBundle and who injects it (cert-manager annotates the configuration)", Command: seeWebhook},
		{Text: "Read the serving certificate's dates and names", Command: "kubectl -n {serviceNamespace} get secrets"},
		{Text: "If it is said to be not valid yet, compare the clocks of the control plane and the issuer"},
	},
	Mend: []Step{
		{Text: "Have the certificate issued again and the caBundle refreshed: restart the CA injector or renew with cert-manager", Approver: "platform team"},
		{Text: ignoreText, Command: ignoreCommand, Undo: ignoreUndo, Approver: webhookApprover},
	},
}

var apiServerOverloadPlaybook = Playbook{
	Means: "The API server or its etcd could not finish the request in time. No webhook is named, so the control plane itself is slow or short of resources; other workloads are likely to see the same.",
	Verify: []Step{
		{Text: "Ask the API server about its parts", Command: "kubectl get --raw=/readyz?verbose"},
		{Text: "Look for refused or queued requests", Command: "kubectl get --raw=/metrics"},
	},
	Mend: []Step{
		{Text: "Wait: the controller tries again by itself", Approver: "app owner"},
		{Text: "Find and calm the client that floods the API server, or give etcd faster disks and more memory", Approver: "platform team"},
	},
}
