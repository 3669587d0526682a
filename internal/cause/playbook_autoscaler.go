package cause

var (
	seeAutoscaler = seeStep("Read the cluster autoscaler's own status", "kubectl -n kube-system get configmap cluster-autoscaler-status -o yaml")
	seeCALog      = seeStep("Read its log", "kubectl -n kube-system logs -l app.kubernetes.io/name=cluster-autoscaler --tail=100")
	seeClaimsK    = seeStep("Look at Karpenter's pools and claims", "kubectl get nodepools,nodeclaims")
	seePodWords   = seeStep("Read what was said of the pod", "kubectl -n {namespace} describe pod {pod}")
)

var scaleUpPlaybook = Playbook{
	Means:  "There is no room, and an autoscaler is already adding a node. That takes a few minutes: the machine boots, joins, and its network starts. Nothing needs doing unless it takes longer than a quarter of an hour.",
	Verify: []Step{seePodWords, seeStep("Watch for the new node", "kubectl get nodes --sort-by=.metadata.creationTimestamp")},
	Mend:   []Step{mendStep(appOwner, "Wait for the node", "", "")},
}

var maxSizePlaybook = Playbook{
	Means:  "There is no room, and the autoscaler would add a node if it might: the node group, or the whole cluster, has reached the limit set for it.",
	Verify: []Step{seePodWords, seeAutoscaler},
	Mend: []Step{mendStep(appOwner, "Free room: lower requests or scale down something less important", "", "Scale it up again"),
		mendStep("infrastructure and finance", "Raise the maximum of the node group, or --max-nodes-total", "", "Set the maximum back")},
}

var backoffPlaybook = Playbook{
	Means:  "The autoscaler tried to add a node and failed, so it waits before the next try, from five minutes up to half an hour. The cloud may have no machines of that kind or a quota may be used up.",
	Verify: []Step{seeAutoscaler, seeStep("Read why it failed", "kubectl -n kube-system get events --field-selector involvedObject.name=cluster-autoscaler-status")},
	Mend:   []Step{mendStep("infrastructure and finance", "Raise the cloud's quota, or allow other zones or kinds of machine", "", "Take them out again"), mendStep(appOwner, "Free room meanwhile", "", "Scale it up again")},
}

var caNoFitPlaybook = Playbook{
	Means:  "The autoscaler looked at a new node of each of its groups and found that the pod would not fit on any: too small, tainted, or without the labels it asks for. The counts it prints are of node groups.",
	Verify: []Step{seePodWords, seeAutoscaler},
	Mend:   []Step{mendStep(appOwner, "Lower the request or correct the selector", "kubectl -n {namespace} edit {workload}", "kubectl -n {namespace} edit {workload} (put it back)"), mendStep(platformTeam, "Add a node group that fits", "", "Remove the group")},
}

var scaleUpTimeoutPlaybook = Playbook{
	Means:  "A new node was asked for and has not joined the cluster. The machine may run without its kubelet reaching the API server: image, rights, network or certificates.",
	Verify: []Step{seeAutoscaler, seeStep("See whether a node has joined", "kubectl get nodes --sort-by=.metadata.creationTimestamp"), seeStep("Look for certificates that wait for approval", "kubectl get csr")},
	Mend:   []Step{mendStep(platformTeam, "Repair what keeps the machine from joining", "", "Nothing to undo"), mendStep(platformTeam, "Add a node of another group by hand", "", "Remove it again")},
}

var caSilentPlaybook = Playbook{
	Means:  "There is no room, a cluster autoscaler is installed, and it has said nothing of the pod. It may be down, or it may refuse to act because too many nodes are not ready.",
	Verify: []Step{seeStep("See whether it holds its lease", "kubectl -n kube-system get lease cluster-autoscaler"), seeAutoscaler, seeCALog},
	Mend:   []Step{mendStep(platformTeam, "Bring the autoscaler back", "", "Nothing to undo"), mendStep(platformTeam, "Add a node by hand", "", "Remove it again")},
}

var karpenterLimitsPlaybook = Playbook{
	Means:  "There is no room, and Karpenter would add a node if it might: the limits of its NodePools are used up.",
	Verify: []Step{seeStep("Compare what is used with the limits", "kubectl get nodepools -o custom-columns=NAME:.metadata.name,USED:.status.resources,LIMITS:.spec.limits"), seePodWords},
	Mend:   []Step{mendStep("infrastructure and finance", "Raise spec.limits of the NodePool", "kubectl edit nodepool {nodepool}", "kubectl edit nodepool {nodepool} (set the limits back)"), mendStep(appOwner, "Free room", "", "Scale it up again")},
}

var karpenterNoFitPlaybook = Playbook{
	Means:  "Karpenter looked at each NodePool and found none whose instances would take the pod: too small, tainted, or against the requirements of pool or pod.",
	Verify: []Step{seePodWords, seeClaimsK},
	Mend:   []Step{mendStep(appOwner, "Lower the request or correct the selector", "kubectl -n {namespace} edit {workload}", "kubectl -n {namespace} edit {workload} (put it back)"), mendStep(platformTeam, "Widen the requirements of a NodePool", "", "Put the requirements back")},
}

var karpenterLaunchPlaybook = Playbook{
	Means:  "Karpenter chose an instance and the cloud did not give it: none left of that kind, a quota, or missing rights. It tries other kinds by itself, and drops the claim after five minutes.",
	Verify: []Step{seeStep("Read the claim", "kubectl describe nodeclaim {nodeclaim}"), seeClaimsK},
	Mend:   []Step{mendStep(platformTeam, "Allow more kinds of instance or zones in the NodePool", "", "Take them out again"), mendStep("infrastructure and finance", "Raise the quota, or repair Karpenter's rights in the cloud", "", "Set them back")},
}

var karpenterJoinPlaybook = Playbook{
	Means:  "The instance was launched but is not usable as a node: it has not joined, a start-up taint is still there, or a resource it should offer is missing. Karpenter gives up on it after a quarter of an hour.",
	Verify: []Step{seeStep("Read the claim", "kubectl describe nodeclaim {nodeclaim}"), seeStep("See the newest nodes", "kubectl get nodes --sort-by=.metadata.creationTimestamp")},
	Mend:   []Step{mendStep(platformTeam, "Repair the start-up: image, rights, network, the agent that removes the start-up taint", "", "Nothing to undo")},
}

var karpenterSilentPlaybook = Playbook{
	Means:  "There is no room, Karpenter is installed, and it has said nothing of the pod. It may be down; it cannot run on nodes that it would have to make itself.",
	Verify: []Step{seeStep("See whether it holds its lease", "kubectl get lease -A | grep karpenter-leader-election"), seeStep("Look for its pods", "kubectl get pods -A -l app.kubernetes.io/name=karpenter")},
	Mend:   []Step{mendStep(platformTeam, "Bring Karpenter back", "", "Nothing to undo"), mendStep(platformTeam, "Add a node by hand", "", "Remove it again")},
}
