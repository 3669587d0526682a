package cause

import (
	"slices"
	"time"

	"github.com/unjam-dev/unjam/internal/facts"
)

// startConfigCauses are configuration faults that keep a bound pod from starting.
func startConfigCauses() []Cause {
	return []Cause{
		{Code: "configmap-missing-env", Family: StartConfig, Class: Terminal, Title: "ConfigMap or key for the environment does not exist",
			Playbook: playbookConfigMapEnv, Detect: sighted(configSightings, "configmap-missing-env")},
		{Code: "secret-missing-env", Family: StartConfig, Class: Terminal, Title: "Secret or key for the environment does not exist",
			Playbook: playbookSecretEnv, Detect: sighted(configSightings, "secret-missing-env")},
		{Code: "config-volume-missing", Family: StartConfig, Class: Terminal, Title: "ConfigMap, Secret or key of a volume does not exist",
			Playbook: playbookConfigVolume, Detect: sighted(configVolumeSightings, "config-volume-missing")},
		{Code: "run-as-nonroot", Family: StartConfig, Class: Terminal, Title: "image would run as root where that is forbidden",
			Playbook: playbookNonRoot, Detect: sighted(configSightings, "run-as-nonroot")},
		{Code: "subpath-failed", Family: StartConfig, Class: Terminal, Title: "subPath of a volume cannot be prepared",
			Playbook: playbookSubPath, Detect: sighted(configSightings, "subpath-failed")},
		{Code: "volume-not-in-pod", Family: StartConfig, Class: Terminal, Title: "container mounts a volume the pod does not define",
			Playbook: playbookNoVolume, Detect: sighted(configSightings, "volume-not-in-pod")},
		{Code: "serviceaccount-rbac-missing", Family: StartConfig, Class: Terminal, Title: "ServiceAccount lacks a right the program needs to start",
			Playbook: playbookRBAC, Detect: sighted(crashSightings, "serviceaccount-rbac-missing")},
		{Code: "memory-limit-too-low", Family: StartConfig, Class: Terminal, Title: "memory limit is too low to start the container at all",
			Playbook: playbookLimitTooLow, Detect: sighted(startOrSandbox, "memory-limit-too-low")},
		{Code: "sysctl-apparmor-os", Family: StartConfig, Class: Terminal, Title: "node rejects a sysctl, AppArmor profile, system or feature of the pod",
			Playbook: playbookRejected, Detect: sighted(fallenSightings, "sysctl-apparmor-os")},
		{Code: "projected-token-failed", Family: StartConfig, Class: SelfHealing, Title: "API server gives no ServiceAccount token",
			Playbook: playbookToken, Detect: sighted(configVolumeSightings, "projected-token-failed")},
		{Code: "configmap-cache-sync", Family: StartConfig, Class: SelfHealing, Settle: 2 * time.Minute, Title: "kubelet has not read the ConfigMaps or Secrets yet",
			Playbook: playbookCacheSync, Detect: sighted(cacheSightings, "configmap-cache-sync")},
		{Code: "object-not-registered-noise", Family: StartConfig, Class: Symptom, Title: "kubelet does not follow an object of the pod yet",
			Playbook: playbookNotRegistered, Detect: sighted(configVolumeSightings, "object-not-registered-noise")},
	}
}

var (
	startOrSandbox  = both(startErrorSightings, sandboxSightings)
	cacheSightings  = both(configSightings, configVolumeSightings)
	sandboxOrCrash  = both(sandboxSightings, crashSightings)
	fallenOrTrouble = both(nodeSightings, both(pressureSightings, fallenSightings))
)

// both reads with two readers.
func both(a, b reader) reader {
	return func(f *facts.Facts, w *facts.Workload) []sighting { return slices.Concat(a(f, w), b(f, w)) }
}

var (
	playbookConfigMapEnv = Playbook{
		Means: "A container takes part of its environment from a ConfigMap that is not there, or from a key it does not hold. The kubelet asks again about every ten seconds, so the container starts by itself once the object is right; the pod need not be replaced.",
		Verify: []Step{
			look("See whether the ConfigMap and the key exist now.", "kubectl -n {namespace} get configmap {configmap} -o yaml"),
			look("List the ConfigMaps of the namespace: was it renamed, or made elsewhere?", "kubectl -n {namespace} get configmaps"),
		},
		Mend: []Step{
			cure("app owner", "Create the ConfigMap, or add the missing key, from the release's own manifests.", "", ""),
			{Text: "If {near} is what was meant, name it in the workload.", Command: "kubectl -n {namespace} edit {workload}", Undo: "kubectl -n {namespace} rollout undo {workload}", Approver: "app owner", When: []string{"near"}},
			cure("app owner", "If the container can do without it, mark the reference optional: true.", "", ""),
			rollBack,
		}}
	playbookSecretEnv = Playbook{
		Means: "A container takes part of its environment from a Secret that is not there, or from a key it does not hold. The kubelet asks again about every ten seconds, so the container starts by itself once the Secret is right. Where an operator makes the Secret, that operator may be late or failing.",
		Verify: []Step{
			look("See whether the Secret exists now, and which keys it has.", "kubectl -n {namespace} describe secret {secret}"),
			look("See whether an operator is to make it, and what it says.", "kubectl -n {namespace} get externalsecrets,sealedsecrets,certificates"),
		},
		Mend: []Step{
			cure("app owner", "Create the Secret, or add the missing key, the way the other Secrets of the namespace are made.", "", ""),
			{Text: "If {near} is what was meant, name it in the workload.", Command: "kubectl -n {namespace} edit {workload}", Undo: "kubectl -n {namespace} rollout undo {workload}", Approver: "app owner", When: []string{"near"}},
			rollBack,
		}}
	playbookConfigVolume = Playbook{
		Means: "A volume of the pod shows a ConfigMap or Secret that does not exist, or a key of it that is missing. The pod stays at ContainerCreating, before its sandbox is made, and starts by itself within about two minutes once the object is right.",
		Verify: []Step{
			look("See which object the volume names.", "kubectl -n {namespace} get pod {pod} -o jsonpath='{.spec.volumes}'"),
			look("See whether it exists now.", "kubectl -n {namespace} get {object}"),
		},
		Mend: []Step{
			cure("app owner", "Create the object, or add the missing key.", "", ""),
			cure("app owner", "If the program can do without it, mark the volume source optional: true.", "", ""),
			rollBack,
		}}
	playbookNonRoot = Playbook{
		Means: "The pod says that its processes must not run as root (runAsNonRoot), and the image runs as root or names its user by a word, whose number the kubelet cannot check. The container is never created.",
		Verify: []Step{
			look("See what the pod asks for.", "kubectl -n {namespace} get pod {pod} -o jsonpath='{.spec.securityContext}{.spec.containers[*].securityContext}'"),
			look("See the image's USER.", "crane config {image} | jq .config.User"),
		},
		Mend: []Step{
			cure("app owner", "Set a numeric runAsUser that the image can work with.", "kubectl -n {namespace} patch {workload} --type=strategic -p '{\"spec\":{\"template\":{\"spec\":{\"containers\":[{\"name\":\"{container}\",\"securityContext\":{\"runAsUser\":1000}}]}}}}'", "kubectl -n {namespace} rollout undo {workload}"),
			cure("app owner", "Build the image with a numeric USER.", "", ""),
			rollBack,
		}}
	playbookSubPath = Playbook{
		Means:  "A container mounts a part of a volume (subPath), and the kubelet cannot prepare that part. It happens when a ConfigMap behind it changed while the container restarted, or when the storage refuses to make the directory. The pod does not get over it; a new one may.",
		Verify: []Step{readEvents, look("See the mounts that use a subPath.", "kubectl -n {namespace} get pod {pod} -o jsonpath='{.spec.containers[*].volumeMounts}'")},
		Mend:   []Step{movePod, cure("app owner", "Mount the whole volume and let the program find its file, without a subPath.", "", "")}}
	playbookNoVolume = Playbook{
		Means:  "A container mounts a volume that the pod does not define. The API server refuses that in what users write, so something changed the pod on its way in: an injecting webhook.",
		Verify: []Step{look("Compare the pod with the workload's template: what was added?", "kubectl -n {namespace} get pod {pod} -o yaml"), look("List the webhooks that change pods.", "kubectl get mutatingwebhookconfigurations")},
		Mend:   []Step{cure("platform team", "Repair the injector so that it adds the volume with the mount, then delete the pod.", "kubectl -n {namespace} delete pod {pod}", "nothing to undo: the controller replaces the pod")}}
	playbookRBAC = Playbook{
		Means: "The program asks the API server for something its ServiceAccount may not do, and ends. The API server's own words in the log name the verb, the resource and the account.",
		Verify: []Step{
			look("Ask the API server whether the account may do it.", "kubectl auth can-i {verb} {resource} --as=system:serviceaccount:{sanamespace}:{serviceaccount} -n {namespace}"),
			look("See what the account is bound to.", "kubectl get rolebindings,clusterrolebindings -A -o wide | grep {serviceaccount}"), readLog,
		},
		Mend: []Step{
			cure("security", "Grant exactly the verb and resource in a Role, and bind it to the account.", "kubectl -n {namespace} create role {name}-{verb} --verb={verb} --resource={resource} && kubectl -n {namespace} create rolebinding {name}-{verb} --role={name}-{verb} --serviceaccount={sanamespace}:{serviceaccount}", "kubectl -n {namespace} delete role,rolebinding {name}-{verb}"),
			cure("app owner", "If the pod runs under the wrong account, set serviceAccountName in the workload.", "", ""), rollBack,
		}}
	playbookLimitTooLow = Playbook{
		Means:  "The memory limit is so low that the runtime's own set-up of the container goes over it, before a line of the program has run. Limits of a few MiB, or the unit forgotten (128 instead of 128Mi), do that.",
		Verify: []Step{look("See the limit.", "kubectl -n {namespace} get pod {pod} -o jsonpath='{.spec.containers[*].resources}'")},
		Mend:   []Step{cure("app owner", "Raise the limit to what the program needs (mind the unit).", "kubectl -n {namespace} set resources {workload} -c {container} --limits=memory=128Mi", "kubectl -n {namespace} rollout undo {workload}"), rollBack}}
	playbookRejected = Playbook{
		Means:  "The node's kubelet rejects the pod outright: it asks for a sysctl that is not allowed there, an AppArmor profile that is not loaded, another operating system, or a feature that the node lacks. The controller makes further pods that end alike wherever nodes are alike.",
		Verify: []Step{look("Read why the pod was rejected.", "kubectl -n {namespace} get pod {pod} -o jsonpath='{.status.reason}: {.status.message}'"), readNode},
		Mend: []Step{
			cure("app owner", "Send the pod to nodes that allow it (nodeSelector), or take the request out of the template.", "kubectl -n {namespace} edit {workload}", "kubectl -n {namespace} rollout undo {workload}"),
			cure("node owner", "Allow the sysctl (allowedUnsafeSysctls) or load the profile on a pool of nodes.", "", ""), rollBack,
		}}
	playbookToken = Playbook{
		Means:  "The volume with the pod's API token cannot be filled, because the API server does not issue the token: it is overloaded, a webhook on serviceaccounts/token fails, or the account was deleted. The kubelet keeps asking.",
		Verify: []Step{look("Ask for a token yourself.", "kubectl -n {namespace} create token {serviceaccount} --duration=10m >/dev/null"), look("See whether the account exists.", "kubectl -n {namespace} get serviceaccount {serviceaccount}")},
		Mend:   []Step{cure("platform team", "Restore the API server, its signing key, or the webhook that refuses the token.", "", "")}}
	playbookCacheSync = Playbook{
		Means:  "The kubelet has not managed to read the ConfigMaps, Secrets or Services it needs from the API server. Right after a kubelet starts that is ordinary; when it goes on, the node cannot reach the API server or is not allowed to read them.",
		Verify: []Step{readNode, look("See whether other pods on the node have the same trouble.", "kubectl get events -A --field-selector reason=FailedMount")},
		Mend:   []Step{cure("node owner", "Wait two minutes; then repair the way from the node to the API server, or restart its kubelet.", "", ""), cordon}}
	playbookNotRegistered = Playbook{
		Means:  "The kubelet says that it does not follow an object of the pod. It says so of pods that end, and for a moment of pods that begin; the complaint means nothing by itself.",
		Verify: []Step{readEvents},
		Mend:   []Step{cure("app owner", "Nothing: it passes. Look for another cause if the pod does not start.", "", "")}}
)
