package cause

import "time"

// sandboxCauses are faults between the node's agreement to run a pod and the
// start of its processes.
func sandboxCauses() []Cause {
	return []Cause{
		{Code: "runtime-handler-missing", Family: Sandbox, Class: Terminal, Title: "node lacks the runtime handler of the RuntimeClass",
			Playbook: playbookHandler, Detect: sighted(sandboxSightings, "runtime-handler-missing")},
		{Code: "kubelet-misconfigured", Family: NodeHealth, Class: Terminal, Title: "kubelet and runtime of a node do not fit together",
			Playbook: playbookKubeletConfig, Detect: sighted(startOrSandbox, "kubelet-misconfigured")},
		{Code: "cni-version-mismatch", Family: Sandbox, Class: Terminal, Title: "network configuration and plugins of a node do not fit together",
			Playbook: playbookCNIVersion, Detect: sighted(sandboxSightings, "cni-version-mismatch")},
		{Code: "cni-not-ready", Family: Sandbox, Class: SelfHealing, Settle: 3 * time.Minute, Title: "network plugin of the node is not ready",
			Playbook: playbookCNIUnready, Detect: sighted(sandboxSightings, "cni-not-ready")},
		{Code: "cni-ip-exhausted", Family: Sandbox, Class: SelfHealing, Settle: 2 * time.Minute, Title: "no free pod address",
			Playbook: playbookNoAddress, Detect: sighted(sandboxSightings, "cni-ip-exhausted")},
		{Code: "apiserver-unreachable", Family: NodeHealth, Class: SelfHealing, Title: "API server cannot be reached from pods or a node",
			Playbook: playbookAPIServer, Detect: sighted(sandboxOrCrash, "apiserver-unreachable")},
		{Code: "cni-setup-failed", Family: Sandbox, Class: SelfHealing, Settle: 2 * time.Minute, Title: "network plugin cannot set up the pod's network",
			Playbook: playbookCNISetup, Detect: sighted(sandboxSightings, "cni-setup-failed")},
		{Code: "sandbox-failed-runtime", Family: Sandbox, Class: SelfHealing, Title: "runtime cannot make the pod's sandbox",
			Playbook: playbookSandbox, Detect: sighted(sandboxSightings, "sandbox-failed-runtime")},
		{Code: "dra-prepare-failed", Family: Sandbox, Class: SelfHealing, Title: "claimed devices cannot be prepared on the node",
			Playbook: playbookDRA, Detect: sighted(sandboxSightings, "dra-prepare-failed")},
		{Code: "prestart-device-hook", Family: Sandbox, Class: SelfHealing, Title: "device plugin refuses the container",
			Playbook: playbookDeviceHook, Detect: sighted(hookSightings, "prestart-device-hook")},
		{Code: "start-error-exec-not-found", Family: StartConfig, Class: Terminal, Title: "command is not in the image or may not be executed",
			Playbook: playbookExec, Detect: sighted(startErrorSightings, "start-error-exec-not-found")},
		{Code: "start-error-mount-or-cgroup", Family: StartConfig, Class: Terminal, Title: "working directory, mount or cgroup of the container cannot be set up",
			Playbook: playbookStartError, Detect: sighted(startErrorSightings, "start-error-mount-or-cgroup")},
		{Code: "create-container-error", Family: Sandbox, Class: SelfHealing, Title: "runtime cannot create the container",
			Playbook: playbookCreate, Detect: sighted(startErrorSightings, "create-container-error")},
	}
}

var (
	cniPods = look("See whether the network plugin's own pod on that node runs.", "kubectl get pods -A -o wide --field-selector spec.nodeName={node}")

	playbookHandler = Playbook{
		Means:  "The pod's RuntimeClass asks for a handler (kata, gvisor, nvidia …) that the runtime of this node does not have. On this node the pod will never start; on others it may.",
		Verify: []Step{look("See the handler that the class names.", "kubectl get runtimeclass {runtimeclass} -o yaml"), look("On the node, see which handlers the runtime has.", "crictl info | grep -A3 runtimes")},
		Mend: []Step{
			cure("platform team", "Give the RuntimeClass a scheduling.nodeSelector that matches only nodes with the handler.", "kubectl edit runtimeclass {runtimeclass}", "kubectl edit runtimeclass {runtimeclass} and take the selector out again"),
			cordon, movePod, cure("node owner", "Install the handler on the node and restart its runtime.", "", ""),
		}}
	playbookKubeletConfig = Playbook{
		Means:  "The kubelet and the container runtime of a node are set to different cgroup drivers (systemd and cgroupfs), so no container can be made there. It follows a change of the node's set-up and hits every new pod on it.",
		Verify: []Step{look("On the node, compare the two settings.", "grep cgroupDriver /var/lib/kubelet/config.yaml; grep SystemdCgroup /etc/containerd/config.toml"), readNode},
		Mend:   []Step{cordon, movePod, cure("node owner", "Set both to systemd and restart the runtime and the kubelet.", "", "")}}
	playbookCNIVersion = Playbook{
		Means:  "The network configuration on the node names a plugin that is not installed there, or a version of the interface that the plugins or the runtime do not speak. Usually an upgrade changed one of them.",
		Verify: []Step{look("On the node, see the configuration and the plugins.", "cat /etc/cni/net.d/*.conf*; ls /opt/cni/bin"), cniPods},
		Mend:   []Step{cordon, movePod, cure("node owner", "Reinstall the network plugin on the node (restart its DaemonSet pod), or correct cniVersion.", "", "")}}
	playbookCNIUnready = Playbook{
		Means:  "The node has no working network plugin yet, so only pods on the host's network start there. On a new node that lasts a minute or two; later it means that the plugin's pod on the node fails.",
		Verify: []Step{cniPods, readNode},
		Mend:   []Step{cure("platform team", "Repair the network plugin's pod on the node.", "", ""), cordon, movePod}}
	playbookNoAddress = Playbook{
		Means:  "The network plugin finds no free address for a pod on this node: its range, subnet or interface is full. Pods that end give addresses back, so it may pass; with more pods than addresses it does not.",
		Verify: []Step{look("Count the pods on the node.", "kubectl get pods -A --field-selector spec.nodeName={node} -o name | wc -l"), look("See the node's own range.", "kubectl get node {node} -o jsonpath='{.spec.podCIDR}'"), cniPods},
		Mend:   []Step{cordon, movePod, cure("platform team", "Add a subnet or prefix, or lower the node's maxPods to what its addresses allow.", "", "")}}
	playbookAPIServer = Playbook{
		Means:  "Something on the node, or the program itself, cannot reach the API server at its service address. The way goes through kube-proxy or the network plugin of that node, network policies, and the API server's endpoints.",
		Verify: []Step{look("See the API server's endpoints.", "kubectl get endpointslices -n default -l kubernetes.io/service-name=kubernetes"), look("See whether kube-proxy or its replacement runs on the node.", "kubectl get pods -n kube-system -o wide --field-selector spec.nodeName={node}"), look("See whether a policy forbids it.", "kubectl -n {namespace} get networkpolicies")},
		Mend:   []Step{cure("platform team", "Repair kube-proxy or the network plugin on the node, or allow egress to the API server.", "", ""), cordon, movePod}}
	playbookCNISetup = Playbook{
		Means:  "The network plugin was asked to connect the pod and failed for a reason of its own: its daemon is down, its datastore cannot be reached, or it holds on to an old interface or lease. Its words are in the finding.",
		Verify: []Step{readEvents, cniPods},
		Mend:   []Step{cure("platform team", "Restart the network plugin's pod on the node.", "", ""), cordon, movePod}}
	playbookSandbox = Playbook{
		Means:  "The container runtime cannot make the sandbox that holds the pod's network and namespaces. Its text names the reason: runc, cgroups, seccomp, or a node that is too slow to answer in time.",
		Verify: []Step{readEvents, readNode, look("See whether other pods on the node start.", "kubectl get pods -A --field-selector spec.nodeName={node}")},
		Mend:   []Step{cordon, movePod, cure("node owner", "Restart the container runtime on the node, or replace the node.", "", "")}}
	playbookDRA = Playbook{
		Means:  "The pod claims devices (dynamic resource allocation), and the driver on the node cannot hand them over. Usually the driver's pod on the node is not running or not registered.",
		Verify: []Step{readEvents, look("See the claims.", "kubectl -n {namespace} get resourceclaims"), cniPods},
		Mend:   []Step{cure("platform team", "Repair the device driver's pod on the node.", "", ""), cordon, movePod}}
	playbookDeviceHook = Playbook{
		Means:  "A device plugin has a say before the container starts and refuses. The plugin on that node is unhealthy or the device is.",
		Verify: []Step{readEvents, look("See the plugin's pods on the node.", "kubectl get pods -A -o wide --field-selector spec.nodeName={node}")},
		Mend:   []Step{cure("platform team", "Restart the device plugin's pod on the node.", "", ""), cordon, movePod}}
	playbookExec = Playbook{
		Means: "The runtime is told to run a program that the image does not hold under that name, or that lacks the permission to be executed. No line of the program has run, so there is no log. The same happens again on every node.",
		Verify: []Step{
			look("See what the pod runs.", "kubectl -n {namespace} get pod {pod} -o jsonpath='{.spec.containers[?(@.name==\"{container}\")].command}{.spec.containers[?(@.name==\"{container}\")].args}'"),
			look("See what the image itself would run.", "crane config {image} | jq '.config.Entrypoint, .config.Cmd'"),
		},
		Mend: []Step{rollBack, cure("app owner", "Correct command or args to a program that the image has, or build the image with it (and with its mode bits).", "kubectl -n {namespace} edit {workload}", "kubectl -n {namespace} rollout undo {workload}")}}
	playbookStartError = Playbook{
		Means:  "The runtime cannot set up what the process needs before it starts: its working directory, a mount (a directory where a file is, a path that is missing), or its cgroup. The process never ran, so there is no log.",
		Verify: []Step{readEvents, look("See the mounts and the working directory.", "kubectl -n {namespace} get pod {pod} -o jsonpath='{.spec.containers[*].workingDir}{.spec.containers[*].volumeMounts}'")},
		Mend:   []Step{rollBack, cure("app owner", "Correct workingDir, mountPath or subPath.", "kubectl -n {namespace} edit {workload}", "kubectl -n {namespace} rollout undo {workload}"), cordon}}
	playbookCreate = Playbook{
		Means:  "The runtime could not create the container; the text says why. When it does not answer in time, the node's disk is slow; when it names a path, that path is missing on the node.",
		Verify: []Step{readEvents, readNode},
		Mend:   []Step{cure("app owner", "Follow the text: correct the path or the command it names.", "", ""), cordon, movePod, rollBack}}
)
