package cause

var affinityPlaybook = Playbook{
	Means: "The pod may only run on nodes with certain labels, and no node has them. The selector may be misspelt, the label may be missing, or the kind of node is not in this cluster.",
	Verify: []Step{seeStep("Show what the pod asks for", "kubectl -n {namespace} get pod {pod} -o jsonpath='{.spec.nodeSelector}{.spec.affinity.nodeAffinity}'"),
		seeStep("Show the labels of the nodes", "kubectl get nodes --show-labels"), seeScheduler},
	Mend: []Step{
		mendStep(nodeOwner, "If {labelnode} is meant, give it the label", "kubectl label node {labelnode} {labelkey}={labelvalue}", "kubectl label node {labelnode} {labelkey}-", "labelkey"),
		mendStep(appOwner, "Correct the selector or affinity in the template", "kubectl -n {namespace} edit {workload}", "kubectl -n {namespace} edit {workload} (put the old selector back)"),
		mendStep(platformTeam, "Add a node of that kind", "", "Remove the node again")},
}

var subsetPlaybook = Playbook{
	Means:  "A scheduler plugin narrowed the pod down to named nodes before anything else was looked at, and none of them is there or fits. It happens with an affinity to a node's name and with local volumes.",
	Verify: []Step{seeStep("Look for a node name in the affinity", "kubectl -n {namespace} get pod {pod} -o jsonpath='{.spec.affinity}'"), seeStep("Look at the volumes' own affinity", "kubectl get pv -o custom-columns=NAME:.metadata.name,CLAIM:.spec.claimRef.name,AFFINITY:.spec.nodeAffinity"), seeScheduler},
	Mend:   []Step{mendStep(appOwner, "Correct the affinity, or bring the named node back", "", "Put the affinity back")},
}

var nodeNamePlaybook = Playbook{
	Means:  "The pod asks for one node by its name, and no node has that name. Such a pod can go nowhere else.",
	Verify: []Step{seeStep("Show the name", "kubectl -n {namespace} get pod {pod} -o jsonpath='{.spec.nodeName}'"), seeStep("List the nodes", "kubectl get nodes")},
	Mend:   []Step{mendStep(appOwner, "Remove nodeName from the template, or use a selector", "kubectl -n {namespace} edit {workload}", "kubectl -n {namespace} edit {workload} (put nodeName back)")},
}

var hostPortPlaybook = Playbook{
	Means: "The pod wants a port of the node itself, and a node has each port only once. On every node it may use another pod already holds it. In a rolling update that is often the old pod of the same workload, which then never leaves.",
	Verify: []Step{seeStep("See who holds the port", "kubectl get pods -A -o json | jq -r '.items[]|select(.spec.containers[].ports[]?.hostPort)|[.spec.nodeName,.metadata.namespace,.metadata.name,(.spec.containers[].ports[]?.hostPort|tostring)]|@tsv'"),
		seeScheduler},
	Mend: []Step{surgeless, mendStep(appOwner, "Use a Service or another port instead of hostPort", "kubectl -n {namespace} edit {workload}", "kubectl -n {namespace} edit {workload} (put the port back)")},
}

var antiAffinityPlaybook = Playbook{
	Means: "The pod's own anti-affinity forbids it to share a node or zone with certain pods, and every place is taken. With as many replicas as nodes a rolling update cannot add a new pod before an old one has gone.",
	Verify: []Step{seeStep("Show the rule", "kubectl -n {namespace} get pod {pod} -o jsonpath='{.spec.affinity.podAntiAffinity}'"),
		seeStep("See where the others run", "kubectl -n {namespace} get pods -o wide"), seeScheduler},
	Mend: []Step{surgeless, mendStep(appOwner, "Make the rule preferred instead of required, or count only pods of the same revision (matchLabelKeys: [pod-template-hash])", "kubectl -n {namespace} edit {workload}", "kubectl -n {namespace} edit {workload} (put the rule back)"),
		mendStep(appOwner, "Run fewer replicas than there are nodes", "", "Scale up again"), addNode},
}

var existingAntiPlaybook = Playbook{
	Means:  "Pods that already run have an anti-affinity that matches this pod's labels, and so keep it away from their nodes or zones. The rule is not in this workload, which makes it easy to miss.",
	Verify: []Step{seeStep("Show the other's rule", "kubectl -n {holdernamespace} get pod {holder} -o jsonpath='{.spec.affinity.podAntiAffinity}'"), seeStep("Show this pod's labels", "kubectl -n {namespace} get pod {pod} --show-labels"), seeScheduler},
	Mend:   []Step{mendStep("owner of the other workload", "Narrow the selector of the other rule", "", "Put the selector back"), mendStep(appOwner, "Change the label that matches, if it is not needed", "", "Put the label back"), addNode},
}

var podAffinityPlaybook = Playbook{
	Means:  "The pod must run beside certain other pods, and where it may run there are none. The others may not have started, may carry other labels, or live in another namespace than the rule looks at.",
	Verify: []Step{seeStep("Show the rule", "kubectl -n {namespace} get pod {pod} -o jsonpath='{.spec.affinity.podAffinity}'"), seeStep("See whether such pods run", "kubectl get pods -A --show-labels -o wide"), seeScheduler},
	Mend:   []Step{mendStep(appOwner, "Start the workload it wants to be beside", "", "Stop it again"), mendStep(appOwner, "Correct the rule or make it preferred", "kubectl -n {namespace} edit {workload}", "kubectl -n {namespace} edit {workload} (put the rule back)")},
}

var spreadLabelPlaybook = Playbook{
	Means:  "The pod must be spread over a topology such as zones, and nodes without that label take none of it. In small or on-premises clusters the zone label is often missing altogether.",
	Verify: []Step{seeStep("Show the label", "kubectl get nodes -L {topology}"), seeScheduler},
	Mend: []Step{mendStep(nodeOwner, "Give the node the label, with the true value", "kubectl label node {node} {topology}=<value>", "kubectl label node {node} {topology}-", "topology", "node"),
		mendStep(appOwner, "Spread over a label the nodes have, or use ScheduleAnyway", "kubectl -n {namespace} edit {workload}", "kubectl -n {namespace} edit {workload} (put the constraint back)")},
}

var spreadPlaybook = Playbook{
	Means: "One more pod would make the workload more uneven over zones or nodes than maxSkew allows. It has to go where the fewest are, and there something else is in the way. Pods of the old revision count too, unless the constraint names pod-template-hash.",
	Verify: []Step{seeStep("See how the pods are spread", "kubectl -n {namespace} get pods -o wide"), seeStep("Show the constraint", "kubectl -n {namespace} get pod {pod} -o jsonpath='{.spec.topologySpreadConstraints}'"),
		seeStep("Look at the nodes of the emptiest domain", "kubectl get nodes -L {topology}"), seeScheduler},
	Mend: []Step{uncordon, surgeless,
		mendStep(appOwner, "Count only the new revision (matchLabelKeys: [pod-template-hash]), leave out tainted nodes (nodeTaintsPolicy: Honor), or use ScheduleAnyway", "kubectl -n {namespace} edit {workload}", "kubectl -n {namespace} edit {workload} (put the constraint back)"),
		mendStep(platformTeam, "Add room where the fewest pods are", "", "Remove the node again")},
}

var draPlaybook = Playbook{
	Means:  "The pod asks for devices through a resource claim, and no node can meet it. Either the devices are taken, the driver does not publish them, or the claim's selectors match none.",
	Verify: []Step{seeStep("Show claims and what is published", "kubectl -n {namespace} get resourceclaims && kubectl get resourceslices,deviceclasses"), seeScheduler},
	Mend:   []Step{mendStep(appOwner, "Relax the selectors of the claim or free a device", "", "Put the selectors back"), mendStep(nodeOwner, "Repair the device driver so that it publishes its devices", "", "Nothing to undo")},
}

var draMissingPlaybook = Playbook{
	Means:  "The pod's resource claim, its template or the device class named in it does not exist, is being deleted or belongs to another pod. Nothing is allocated until that is put right.",
	Verify: []Step{seeStep("List what there is", "kubectl -n {namespace} get resourceclaims,resourceclaimtemplates && kubectl get deviceclasses"), seeScheduler},
	Mend:   []Step{mendStep(appOwner, "Create the claim, template or class, or correct its name", "", "Delete it again")},
}

var draBindingPlaybook = Playbook{
	Means:  "Devices were allocated to the pod, but their controller did not report them ready in time. The scheduler will try again.",
	Verify: []Step{seeStep("Read the conditions of the devices", "kubectl -n {namespace} get resourceclaims -o yaml"), seeScheduler},
	Mend:   []Step{mendStep(platformTeam, "Repair the controller of the devices", "", "Nothing to undo")},
}

var gangPlaybook = Playbook{
	Means:  "The pod belongs to a group that is only started as a whole, and the group is not complete or there is no room for all of it.",
	Verify: []Step{seeStep("Look at the group", "kubectl -n {namespace} get podgroups"), seeScheduler},
	Mend:   []Step{mendStep(appOwner, "Create the missing pods or the group, or lower its minimum", "", "Put the minimum back")},
}

var featuresPlaybook = Playbook{
	Means:  "The pod uses a feature that no node says it supports. That happens while nodes are older than the control plane.",
	Verify: []Step{seeStep("Compare versions", "kubectl get nodes"), seeScheduler},
	Mend:   []Step{mendStep(appOwner, "Do without the feature for now", "", "Put it back"), mendStep(platformTeam, "Upgrade the nodes", "", "A node upgrade is not undone")},
}

var extenderPlaybook = Playbook{
	Means:  "The reason given is none of Kubernetes' own. It comes from a scheduler extender or a plugin of this cluster, which alone knows what it means.",
	Verify: []Step{seeScheduler, seeStep("See which scheduler the pod uses", "kubectl -n {namespace} get pod {pod} -o jsonpath='{.spec.schedulerName}'")},
	Mend:   []Step{mendStep(platformTeam, "Ask the owner of the plugin or extender", "", "")},
}

var gatedPlaybook = Playbook{
	Means:  "The pod carries scheduling gates, so it is not offered to the scheduler. A controller, such as a queue, put them there and removes them when it lets the pod go. This is by design; it is a fault only if that controller does not run or never admits.",
	Verify: []Step{seeStep("Show the gates", "kubectl -n {namespace} get pod {pod} -o jsonpath='{.spec.schedulingGates}'"), seeStep("With Kueue, see why the workload is not admitted", "kubectl -n {namespace} get workloads.kueue.x-k8s.io")},
	Mend:   []Step{mendStep(platformTeam, "See to the controller that owns the gate, or to its quota", "", ""), mendStep(appOwner, "Remove the gate by hand only if its owner is gone", "", "A removed gate cannot be put back on the pod")},
}

var notProcessingPlaybook = Playbook{
	Means:  "The pod has no node and no word from a scheduler. Either no scheduler of the name the pod asks for is running, or the scheduler is down or far behind.",
	Verify: []Step{seeStep("See which scheduler the pod asks for", "kubectl -n {namespace} get pod {pod} -o jsonpath='{.spec.schedulerName}'"), seeStep("See whether the scheduler holds its lease", "kubectl -n kube-system get lease kube-scheduler")},
	Mend:   []Step{mendStep(appOwner, "Correct schedulerName in the template", "kubectl -n {namespace} edit {workload}", "kubectl -n {namespace} edit {workload} (put the name back)"), mendStep(platformTeam, "Bring the scheduler back", "", "Nothing to undo")},
}

var schedulerErrorPlaybook = Playbook{
	Means:  "The scheduler could not decide because a plugin or extender of it failed. It tries again by itself. Autoscalers do not react to pods in this state.",
	Verify: []Step{seeScheduler, seeStep("Read the scheduler's log", "kubectl -n kube-system logs -l component=kube-scheduler --tail=100")},
	Mend:   []Step{mendStep(platformTeam, "Repair the plugin, extender or object named in the error", "", "Nothing to undo")},
}

var outOfPlaybook = Playbook{
	Means:  "The scheduler sent the pod to a node, but the kubelet counted and had no room. It happens when pods that the API no longer shows still run there, with static pods, or when nodeName is set by hand. The controller makes a new pod; it is a fault of the node if it goes on.",
	Verify: []Step{seeStep("See what the node thinks it runs", "kubectl get pods -A --field-selector spec.nodeName={node}"), seeStep("Compare with its size", "kubectl describe node {node}")},
	Mend:   []Step{mendStep(nodeOwner, "Keep new pods off the node while you look", "kubectl cordon {node}", "kubectl uncordon {node}", "node"), mendStep(nodeOwner, "Restart the kubelet if it still counts pods that are gone", "", "Nothing to undo")},
}

var kubeletAffinityPlaybook = Playbook{
	Means:  "The kubelet checked the pod's selector against its own node's labels and they do not match. Usually a label was removed, or came late after the node restarted.",
	Verify: []Step{seeStep("Show the node's labels", "kubectl get node {node} --show-labels"), seeStep("Show the selector", "kubectl -n {namespace} get {workload} -o jsonpath='{.spec.template.spec.nodeSelector}{.spec.template.spec.affinity}'")},
	Mend:   []Step{mendStep(nodeOwner, "Put the label back; let the kubelet set it at start (--node-labels)", "", "Remove the label"), mendStep(appOwner, "Delete the refused pod so that a new one is made", "kubectl -n {namespace} delete pod {pod}", "Nothing to undo, the pod never ran")},
}

var kubeletTaintPlaybook = Playbook{
	Means:  "The node got a taint that the pod does not tolerate after it was sent there, or the pod was put there by name. The kubelet refused it; its controller makes a new one.",
	Verify: []Step{seeStep("Show the taints", "kubectl get node {node} -o jsonpath='{.spec.taints}'")},
	Mend:   []Step{mendStep(appOwner, "Let the pod tolerate the taint, or do not set nodeName", "", "Remove the toleration"), mendStep(nodeOwner, "Remove the taint if it is left over", "", "Taint the node again")},
}

var topologyPlaybook = Playbook{
	Means:  "The kubelet must give the pod its CPUs, memory or devices from one NUMA node or in whole cores, and could not. The scheduler does not know of this rule, so a new pod may be sent to the same node again.",
	Verify: []Step{seeStep("Read the refusal", "kubectl -n {namespace} get pod {pod} -o jsonpath='{.status.message}'"), seeStep("See which pods share the node", "kubectl get pods -A -o wide --field-selector spec.nodeName={node}")},
	Mend:   []Step{mendStep(nodeOwner, "Keep new pods off the node", "kubectl cordon {node}", "kubectl uncordon {node}", "node"), mendStep(appOwner, "Ask for an amount that fits one NUMA node, or whole cores", "", "Put the request back"), mendStep(platformTeam, "Use a scheduler that knows the topology", "", "Go back to the default scheduler")},
}

var deviceAdmissionPlaybook = Playbook{
	Means:  "The node had advertised a device that its kubelet could not hand out. That happens after a kubelet or device plugin restart, or when a device turned unhealthy. Refused pods pile up as Failed while new ones are sent to the same node.",
	Verify: []Step{seeStep("Read the refusal", "kubectl -n {namespace} get pod {pod} -o jsonpath='{.status.message}'"), seeStep("See what the node offers", "kubectl describe node {node}")},
	Mend:   []Step{mendStep(nodeOwner, "Keep new pods off the node", "kubectl cordon {node}", "kubectl uncordon {node}", "node"), mendStep(nodeOwner, "Restart the device plugin on the node", "", "Nothing to undo"), mendStep(appOwner, "Delete the refused pods", "kubectl -n {namespace} delete pods --field-selector=status.phase=Failed", "Nothing to undo, the pods never ran")},
}
