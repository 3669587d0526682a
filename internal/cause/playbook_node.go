package cause

// Playbooks of the node's own faults.
var (
	nodePods = look("See what else runs on the node and how it fares.", "kubectl get pods -A -o wide --field-selector spec.nodeName={node}")

	playbookNodeUnknown = Playbook{
		Means:  "The control plane has not heard from the node's kubelet for a while. The node is off, cut off from the network, or its kubelet is stopped. Its pods count as not Ready, whatever they do; after five minutes they are replaced elsewhere.",
		Verify: []Step{readNode, look("See when the node last renewed its lease.", "kubectl -n kube-node-lease get lease {node} -o jsonpath='{.spec.renewTime}'"), nodePods},
		Mend: []Step{
			cordon, cure("node owner", "Bring the node back: power, network, then its kubelet.", "", ""),
			cure("node owner", "If it will not come back, delete the Node object so that its pods are replaced at once.", "kubectl delete node {node}", "the node registers itself again when its kubelet starts"),
		}}
	playbookNodeRuntime = Playbook{
		Means:  "The node's kubelet reports that it cannot work: the container runtime does not answer, or the kubelet cannot list its containers in time. Slow disks and too many containers lead there too. New pods do not start on the node.",
		Verify: []Step{readNode, nodePods, look("On the node, ask the runtime.", "crictl info")},
		Mend:   []Step{cordon, cure("node owner", "Restart the container runtime on the node; if its disk is slow, drain the node.", "", ""), movePod}}
	playbookNodeCNI = Playbook{
		Means:  "The node is NotReady because its network plugin has not been set up. On a new node this takes a minute or two; afterwards it means that the plugin's pod there fails.",
		Verify: []Step{readNode, nodePods},
		Mend:   []Step{cure("platform team", "Repair the network plugin's pod on the node.", "", ""), cordon, movePod}}
	playbookDiskPressure = Playbook{
		Means:  "The node's disk or its inodes are nearly used up. The kubelet deletes images and evicts pods, and turns new ones away until there is room again for five minutes. Logs, images and emptyDir volumes fill disks.",
		Verify: []Step{readNode, look("On the node, see what is full.", "df -h; df -i"), nodePods},
		Mend:   []Step{cordon, cure("node owner", "Free space: unused images, old logs, the pod that writes most; or give the node a bigger disk.", "", "")}}
	playbookMemoryPressure = Playbook{
		Means:  "The node is nearly out of memory. The kubelet evicts pods, those first that use more than they asked for, and turns away pods that ask for nothing.",
		Verify: []Step{readNode, look("See which pods use most.", "kubectl top pod -A --sort-by=memory"), nodePods},
		Mend:   []Step{cordon, cure("app owner", "Let memory requests say what the pods really use, so that the scheduler spreads them.", "", "")}}
	playbookPIDPressure = Playbook{
		Means:  "The node has nearly no process ids left, so processes and threads cannot be started. Usually one pod starts them without end.",
		Verify: []Step{readNode, nodePods, look("On the node, count processes per container.", "ps -eLf | wc -l")},
		Mend:   []Step{cordon, cure("node owner", "Find and stop the pod that forks; set podPidsLimit on the kubelet.", "", ""), movePod}}
	playbookReadonly = Playbook{
		Means:  "A filesystem of the node went read-only after an error, so nothing can be written: no images, no containers, no logs. The node does not recover without repair.",
		Verify: []Step{readNode, look("On the node, read the kernel's words.", "dmesg -T | grep -i -e remount -e EXT4-fs -e XFS")},
		Mend:   []Step{cordon, movePod, cure("node owner", "Replace the node, or check its disk and reboot.", "", "")}}
	playbookDeadlock = Playbook{
		Means:  "A task in the node's kernel has hung for minutes, mostly in storage. What touches it hangs too: containers neither start nor end.",
		Verify: []Step{readNode, look("On the node, read the kernel's words.", "dmesg -T | grep 'blocked for more than'")},
		Mend:   []Step{cordon, movePod, cure("node owner", "Reboot or replace the node; look at its NFS and block devices.", "", "")}}
	playbookIOError = Playbook{
		Means:  "The node's kernel reports errors of a disk or of memory. Reads and writes fail or hang, and it gets worse.",
		Verify: []Step{readNode, look("On the node, see which device.", "dmesg -T | grep -i -e 'I/O error' -e EXT4-fs -e 'memory read error'")},
		Mend:   []Step{cordon, movePod, cure("node owner", "Replace the disk or the node.", "", "")}}
	playbookFrequentRestart = Playbook{
		Means:  "The node problem detector says that the kubelet or the runtime of the node restarts often or does not answer. Pods there start late or not at all.",
		Verify: []Step{readNode, nodePods},
		Mend:   []Step{cordon, movePod, cure("node owner", "Read the journals of the kubelet and the runtime; repair or replace the node.", "", "")}}
	playbookNetworkUnavailable = Playbook{
		Means:  "The cloud's route controller or the network plugin has not set up the route to the node's pods. On a new node this passes within a few minutes.",
		Verify: []Step{readNode, look("See whether the cloud controller manager runs.", "kubectl -n kube-system get pods")},
		Mend:   []Step{cure("platform team", "Repair the route controller or the network plugin.", "", ""), cordon, movePod}}
	playbookCloudUninit = Playbook{
		Means:  "A new node keeps a taint until the cloud controller manager has filled in its address and zone. If the taint stays, that controller is not working.",
		Verify: []Step{readNode, look("See whether the cloud controller manager runs.", "kubectl -n kube-system get pods")},
		Mend:   []Step{cure("platform team", "Repair the cloud controller manager and its credentials.", "", "")}}
	playbookConntrack = Playbook{
		Means:  "The node drops connections because its table of tracked connections is full, or cannot resolve names. Probes and requests from and to its pods time out at random.",
		Verify: []Step{readNode, look("On the node, compare the two numbers.", "sysctl net.netfilter.nf_conntrack_count net.netfilter.nf_conntrack_max")},
		Mend:   []Step{cordon, movePod, cure("node owner", "Raise nf_conntrack_max, or find the pod that opens so many connections.", "", "")}}
	playbookSystemOOM = Playbook{
		Means:  "The node as a whole ran out of memory, and the kernel killed processes, among them one of this pod. The container's own limit was not the reason: more memory is promised on the node than it has.",
		Verify: []Step{readNode, look("See which pods use most.", "kubectl top pod -A --sort-by=memory"), nodePods},
		Mend:   []Step{cordon, movePod, cure("app owner", "Set memory requests near real use; let the platform team reserve memory for the system.", "", "")}}
	playbookRebooted = Playbook{
		Means:  "The node was rebooted, and all its containers ended with it. They start again by themselves; their exit codes say nothing.",
		Verify: []Step{readNode, nodePods},
		Mend:   []Step{cure("node owner", "Nothing for the pods. Find out why the node rebooted: an update, a kernel panic, the power.", "", ""), cordon}}
	playbookLostReady = Playbook{
		Means:  "The pod's containers were Ready when last heard of. The control plane marks the pod as not Ready because its node is not. The program is not at fault.",
		Verify: []Step{look("See the node's state.", "kubectl get node {node}"), readNode},
		Mend:   []Step{cure("node owner", "Bring the node back.", "", ""), cordon}}
)
