package cause

// Steps that every shortage shares.
var (
	seeScheduler = seeStep("Read what the scheduler says of the pod", "kubectl -n {namespace} get pod {pod} -o jsonpath='{.status.conditions[?(@.type==\"PodScheduled\")].message}'")
	seeRequests  = seeStep("Compare what each node can give with what is asked of it", "kubectl describe nodes | grep -A8 -e ^Name: -e 'Allocated resources'")
	seeUsage     = seeStep("Compare requests with real use", "kubectl -n {namespace} top pods")
	surgeless    = Step{Text: "Let an old pod go before a new one comes, so that the rollout needs no extra room", Approver: appOwner, When: []string{"maxsurge"},
		Command: "kubectl -n {namespace} patch {workload} --type=merge -p '{\"spec\":{\"strategy\":{\"rollingUpdate\":{\"maxSurge\":0,\"maxUnavailable\":1}}}}'",
		Undo:    "kubectl -n {namespace} patch {workload} --type=merge -p '{\"spec\":{\"strategy\":{\"rollingUpdate\":{\"maxSurge\":{maxsurge},\"maxUnavailable\":{maxunavailable}}}}}'"}
	shrink = mendStep(appOwner, "Lower the request to what fits, if the pod can live with it; the template change starts a new revision",
		"kubectl -n {namespace} set resources {workload} -c {container} --requests={resource}={request}", "kubectl -n {namespace} set resources {workload} -c {container} --requests={resource}={oldrequest}", "request")
	uncordon = mendStep(nodeOwner, "Uncordon {cordoned}, if whoever cordoned it has finished", "kubectl uncordon {cordoned}", "kubectl cordon {cordoned}", "cordoned")
	addNode  = mendStep(platformTeam, "Add a node that is large enough, or raise the limit of the node group", "", "Remove the node again")
)

func shortagePlaybook(what string) Playbook {
	return Playbook{
		Means: "The pod asks for more " + what + " than is free on any node it may use. Requests count, not real use: nodes that look idle can be full on paper. " +
			"It would fit on an empty node, so it waits until other pods leave, the request shrinks or a node is added.",
		Verify: []Step{seeScheduler, seeRequests, seeUsage},
		Mend: []Step{shrink, uncordon, surgeless,
			mendStep(appOwner, "Scale down something less important for a while", "", "Scale it up again"), addNode},
	}
}

var fragmentationPlaybook = Playbook{
	Means: "The nodes together have room for the pod, but no single node has. Free room is scattered in pieces that are too small. " +
		"Moving a few pods that other nodes can take would make one piece large enough.",
	Verify: []Step{seeScheduler, seeRequests},
	Mend: []Step{shrink,
		mendStep(appOwner, "Let a pod that stands in the way be made again elsewhere; keep new pods off the node meanwhile", "kubectl cordon {node} && kubectl -n {movenamespace} delete pod {movepod}", "kubectl uncordon {node} (do this as soon as the pod runs elsewhere, so that the waiting pod can use the node)", "movepod"),
		mendStep(platformTeam, "Run a descheduler, or add a node", "", "Remove the node again")},
}

var largerPlaybook = Playbook{
	Means: "The pod asks for more than the largest node has, even if that node were empty. It will never be placed on the nodes there are. " +
		"Often a unit is wrong (8 instead of 800m, Gi instead of Mi) or a limit was copied into the request.",
	Verify: []Step{seeStep("Show what the pod asks for", "kubectl -n {namespace} get pod {pod} -o jsonpath='{.spec.containers[*].resources}'"),
		seeStep("Show what the nodes have in all", "kubectl get nodes -o custom-columns=NAME:.metadata.name,CPU:.status.allocatable.cpu,MEMORY:.status.allocatable.memory"), seeScheduler},
	Mend: []Step{shrink, mendStep(appOwner, "Go back to the revision before", "kubectl -n {namespace} rollout undo {workload}", "kubectl -n {namespace} rollout undo {workload}", "deployment"),
		mendStep(platformTeam, "Add a larger kind of node", "", "Remove the node again")},
}

var devicesPlaybook = Playbook{
	Means: "The pod asks for a device such as a GPU, and no node it may use has one free. If no node offers the resource at all, its device plugin is not running or not registered there. " +
		"If nodes offer it, all of it is taken: devices are given in whole units.",
	Verify: []Step{seeStep("Show which nodes offer the device", "kubectl get nodes -o json | jq -r '.items[]|[.metadata.name,.status.allocatable[\"{resource}\"]]|@tsv'"),
		seeStep("Look for a device plugin that is not ready", "kubectl get daemonsets -A | grep -i -e device -e plugin"), seeScheduler},
	Mend: []Step{mendStep(nodeOwner, "Restart the device plugin where it is not ready; its DaemonSet makes the pod again", "", "Nothing to undo"), uncordon,
		mendStep(appOwner, "Free the device: stop a workload that holds it", "", "Start it again"), mendStep(platformTeam, "Add a node with the device", "", "Remove the node again")},
}

var hugepagesPlaybook = Playbook{
	Means:  "The pod asks for huge pages of a size that no node has free. Huge pages are set aside at boot or by sysctl and are separate from ordinary memory; the kubelet must be restarted to report a change.",
	Verify: []Step{seeStep("Show the huge pages of each node", "kubectl get nodes -o json | jq -r '.items[]|[.metadata.name,.status.allocatable[\"{resource}\"]]|@tsv'"), seeScheduler},
	Mend: []Step{mendStep(nodeOwner, "Set huge pages aside on a node (vm.nr_hugepages) and restart its kubelet", "", "Set vm.nr_hugepages back and restart the kubelet"),
		mendStep(appOwner, "Ask for the size the nodes have, or for none", "", "Put the request back")},
}

var tooManyPodsPlaybook = Playbook{
	Means: "Every node the pod may use already runs as many pods as its kubelet allows. CPU and memory may still be free. The limit comes from the kubelet's maxPods; in some clouds it follows from the number of addresses of the node.",
	Verify: []Step{seeStep("Compare running pods with the limit", "kubectl get nodes -o custom-columns=NAME:.metadata.name,PODS:.status.allocatable.pods"),
		seeStep("Count pods per node", "kubectl get pods -A --field-selector=status.phase=Running -o jsonpath='{.items[*].spec.nodeName}' | tr ' ' '\\n' | sort | uniq -c"), seeScheduler},
	Mend: []Step{uncordon, surgeless, mendStep(nodeOwner, "Raise maxPods of the kubelet where addresses allow", "", "Set maxPods back"), addNode},
}

var cordonedPlaybook = Playbook{
	Means:  "The nodes that would take the pod are cordoned: someone, or an upgrade, told the scheduler to leave them alone. Pods already there keep running. If an upgrade is under way it usually ends the cordon by itself.",
	Verify: []Step{seeStep("List cordoned nodes", "kubectl get nodes --field-selector spec.unschedulable=true"), seeStep("Look for who cordoned it", "kubectl describe node {node}"), seeScheduler},
	Mend:   []Step{uncordon, mendStep(nodeOwner, "Uncordon a node that is fit for use", "kubectl uncordon {node}", "kubectl cordon {node}", "node", "!cordoned"), addNode},
}

var taintPlaybook = Playbook{
	Means: "The nodes that would take the pod carry a taint it does not tolerate. A taint of your own keeps a node for certain workloads. A taint that begins with node.kubernetes.io means that the node is not well, and goes when it is.",
	Verify: []Step{seeStep("List the taints", "kubectl get nodes -o custom-columns=NAME:.metadata.name,TAINTS:.spec.taints"),
		seeStep("Show what the pod tolerates", "kubectl -n {namespace} get pod {pod} -o jsonpath='{.spec.tolerations}'"), seeScheduler},
	Mend: []Step{
		mendStep(appOwner, "If the pod belongs on {tainted}, let it tolerate the taint", "kubectl -n {namespace} patch {workload} --type=merge -p '{\"spec\":{\"template\":{\"spec\":{\"tolerations\":{tolerations}}}}}'",
			"kubectl -n {namespace} patch {workload} --type=merge -p '{\"spec\":{\"template\":{\"spec\":{\"tolerations\":{tolerationsbefore}}}}}'", "tolerations"),
		mendStep(nodeOwner, "If the taint is left over, remove it", "kubectl taint node {tainted} {taint}-", "kubectl taint node {tainted} {taint}", "taint"),
		mendStep(nodeOwner, "If the taint is about the node's health, heal the node", "", "Nothing to undo")},
}

var preemptionPendingPlaybook = Playbook{
	Means:  "The scheduler has pushed out less important pods to make room and waits for them to end. It takes as long as their termination grace period. Nothing is wrong unless one of them does not end.",
	Verify: []Step{seeStep("Look for pods that are terminating", "kubectl get pods -A --field-selector spec.nodeName={node}"), seeScheduler},
	Mend:   []Step{mendStep(appOwner, "Wait for the victims' grace period to end", "", ""), mendStep(appOwner, "If a victim hangs, find out why before deleting it by force", "", "A forced deletion cannot be undone")},
}

var preemptionImpossiblePlaybook = Playbook{
	Means:  "The pod may not push out less important pods, because its priority class says Never. That alone is no fault: it explains why the scheduler does not make room by itself.",
	Verify: []Step{seeStep("Show the priority class", "kubectl get priorityclass {priorityclass}"), seeScheduler},
	Mend:   []Step{mendStep(platformTeam, "Give the workload a class that may preempt, if it is worth it", "", "Put the class back; pods keep the class they were made with")},
}

var victimPlaybook = Playbook{
	Means:  "The scheduler removed pods of this workload to make room for a pod of higher priority. Their replacements need room elsewhere. It happens again as long as the cluster is full and priorities differ.",
	Verify: []Step{seeStep("See who pushed it out", "kubectl -n {namespace} get events --field-selector reason=Preempted"), seeStep("Compare priorities", "kubectl get pods -A -o custom-columns=NS:.metadata.namespace,NAME:.metadata.name,PRIORITY:.spec.priority --sort-by=.spec.priority")},
	Mend:   []Step{addNode, mendStep(platformTeam, "Raise the priority of this workload", "", "Put the class back")},
}

var noNodesPlaybook = Playbook{
	Means:  "The scheduler knows no node at all. Either none has joined yet, or all have been removed. With an autoscaler that starts from zero, the first node may be on its way.",
	Verify: []Step{seeStep("List the nodes", "kubectl get nodes")},
	Mend:   []Step{mendStep(platformTeam, "Add a node, or see why the node group has none", "", "Remove the node again")},
}
