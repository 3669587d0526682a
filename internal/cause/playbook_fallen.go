package cause

// Playbooks of pods that were ended from outside, and of pods that do not end.
var (
	whyFailed = look("Read why the pod ended.", "kubectl -n {namespace} get pod {pod} -o jsonpath='{.status.reason}: {.status.message}'")
	waitOut   = cure("app owner", "Nothing has to be done: the controller replaces the pod.", "", "")
	sweep     = Step{Text: "Clear the dead pod away.", Command: "kubectl -n {namespace} delete pod {pod}", Undo: "nothing to undo: the pod has ended", Approver: "app owner"}

	playbookShutdown = Playbook{
		Means:  "The node is going down (a spot instance taken back, maintenance, a reboot), so its kubelet ended the pod or did not take it. The controller makes another one elsewhere.",
		Verify: []Step{whyFailed, readNode}, Mend: []Step{waitOut, cordon}}
	playbookTurnedAway = Playbook{
		Means:  "The scheduler sent the pod to a node that is under pressure, and the node's kubelet turned it away at once. Until the node's taint is seen, further pods may be sent there and fail alike.",
		Verify: []Step{whyFailed, readNode}, Mend: []Step{cordon, sweep, cure("node owner", "Relieve the node of the pressure.", "", "")}}
	playbookEvictedMemory = Playbook{
		Means:  "The node was short of memory, and the kubelet evicted the pod because it used more than it had asked for. This is not the container's own limit: a fair request would have spared it.",
		Verify: []Step{whyFailed, look("See what the pods use.", "kubectl -n {namespace} top pod --containers")},
		Mend:   []Step{cure("app owner", "Raise the memory request to what the program uses.", "kubectl -n {namespace} set resources {workload} --requests=memory=512Mi", "kubectl -n {namespace} rollout undo {workload}"), cordon, sweep}}
	playbookEvictedStorage = Playbook{
		Means:  "The pod was evicted because of disk use: the node was short of space or inodes, or the pod wrote more than its own limit or an emptyDir's sizeLimit. In the second case its successor will end alike.",
		Verify: []Step{whyFailed, readNode},
		Mend:   []Step{cure("app owner", "Raise the ephemeral-storage limit or sizeLimit, or write less: rotate logs, clean caches.", "kubectl -n {namespace} edit {workload}", "kubectl -n {namespace} rollout undo {workload}"), cordon, sweep}}
	playbookCriticalPreempt = Playbook{
		Means:  "A static or critical pod had to run on a full node, and the kubelet ended this one to make room. The controller makes another one elsewhere.",
		Verify: []Step{whyFailed, nodePods}, Mend: []Step{waitOut, cure("platform team", "Reserve room for system pods on the nodes.", "", "")}}
	playbookTaintEviction = Playbook{
		Means:  "The node got a taint of effect NoExecute, which the pod does not tolerate for longer, so the pod was deleted. By default pods bear a NotReady or unreachable node for five minutes.",
		Verify: []Step{look("See the node's taints.", "kubectl get node {node} -o jsonpath='{.spec.taints}'"), readNode},
		Mend:   []Step{waitOut, cure("node owner", "Restore the node, or take the taint off if it was meant for something else.", "", "")}}
	playbookNodeGone = Playbook{
		Means:  "The Node object was deleted (scaled down, spot instance gone), and pods still bound to it were cleared away. The controller replaces them.",
		Verify: []Step{look("See whether the node is gone.", "kubectl get node {node}")}, Mend: []Step{waitOut}}
	playbookVPA = Playbook{
		Means:  "The vertical pod autoscaler evicts pods to give them new requests, in the middle of the rollout. Each eviction costs a start.",
		Verify: []Step{look("See the autoscaler's mode.", "kubectl -n {namespace} get vpa -o wide"), readEvents},
		Mend:   []Step{cure("app owner", "Set updateMode to Initial while rolling out.", "kubectl -n {namespace} edit vpa", "kubectl -n {namespace} edit vpa and set the mode back")}}
	playbookDrain = Playbook{
		Means:  "Someone or something empties the node for an upgrade or to remove it, and the pod had to leave. This is planned; the pod comes up elsewhere.",
		Verify: []Step{readNode, nodePods},
		Mend:   []Step{waitOut, cure("platform team", "Pause the drain if the rollout must finish first.", "kubectl uncordon {node}", "kubectl cordon {node}")}}
	playbookLostTerminating = Playbook{
		Means: "The pod is to be deleted, but its node does not report, and only the node's kubelet can confirm that the processes have ended. A StatefulSet does not make the successor before that, and a volume stays attached.",
		Verify: []Step{look("See the node's state.", "kubectl get node {node}"), readNode,
			look("Make sure by other means that the machine is really off.", "")},
		Mend: []Step{
			cure("node owner", "Bring the node back; the pod then ends by itself.", "", ""),
			cure("node owner", "If the machine is surely off, mark the node out of service; its pods and volumes are then released.", "kubectl taint nodes {node} node.kubernetes.io/out-of-service=nodeshutdown:NoExecute", "kubectl taint nodes {node} node.kubernetes.io/out-of-service-"),
		}}
	playbookFinalizer = Playbook{
		Means:  "The pod's containers have ended, but an entry in metadata.finalizers keeps the object until the controller that put it there takes it out. That controller is gone or stuck.",
		Verify: []Step{look("See the finalizers.", "kubectl -n {namespace} get pod {pod} -o jsonpath='{.metadata.finalizers}'")},
		Mend: []Step{cure("platform team", "Repair the controller that owns {finalizer}.", "", ""),
			cure("platform team", "Last resort, by hand and only when its owner agrees: take the finalizer out. This cannot be undone.", "", "")}}
	playbookFailedKill = Playbook{
		Means:  "The node's kubelet cannot end the pod: the network plugin does not let go of its sandbox, or a process hangs in the kernel, mostly on storage that does not answer.",
		Verify: []Step{readEvents, readNode, look("On the node, look for processes in state D.", "ps -eo pid,stat,wchan,comm | grep ' D'")},
		Mend: []Step{cordon, cure("node owner", "Repair the network plugin or the storage on the node; reboot it if a process hangs in the kernel.", "", ""),
			cure("app owner", "Force the deletion only when the containers are surely gone; never for a StatefulSet otherwise. This cannot be undone.", "", "")}}
	playbookPreStop = Playbook{
		Means:  "The pod's preStop hook fails, or runs as long as the whole grace period, so that the program is killed without a chance to end well. Every pod then takes the full grace period to go.",
		Verify: []Step{look("See the hook and the grace period.", "kubectl -n {namespace} get pod {pod} -o jsonpath='{.spec.terminationGracePeriodSeconds}{.spec.containers[*].lifecycle}'"), readEvents},
		Mend:   []Step{cure("app owner", "Make the hook shorter than terminationGracePeriodSeconds.", "kubectl -n {namespace} edit {workload}", "kubectl -n {namespace} rollout undo {workload}")}}
	playbookIgnoresTerm = Playbook{
		Means:  "The program does not end when it is asked to (SIGTERM) and is killed when the grace period is over, so every replaced pod costs the full period. Often a shell as process 1 does not pass the signal on.",
		Verify: []Step{look("See the command: does a shell run it?", "kubectl -n {namespace} get pod {pod} -o jsonpath='{.spec.containers[*].command}'")},
		Mend:   []Step{cure("app owner", "Start the program with exec, or with an init such as tini, and handle SIGTERM.", "", "")}}
	playbookGrace = Playbook{
		Means:  "A pod that is to be replaced is ending within its grace period, and its successor comes after it. This is as designed, and its end is known.",
		Verify: []Step{look("See the grace period.", "kubectl -n {namespace} get pod {pod} -o jsonpath='{.spec.terminationGracePeriodSeconds}'")},
		Mend:   []Step{cure("app owner", "Wait. A shorter terminationGracePeriodSeconds would speed the next rollout up.", "", "")}}
)
