package cause

const (
	rolloutUndo  = "kubectl -n {namespace} rollout undo {workload}"
	getWorkload  = "kubectl -n {namespace} get {workload} -o yaml"
	describeIt   = "kubectl -n {namespace} describe {workload}"
	listPods     = "kubectl -n {namespace} get pods -o wide"
	describePod  = "kubectl -n {namespace} describe pod {pod}"
	noUndoDelete = "none: the controller makes the pod anew"
	rolloutRedo  = "kubectl -n {namespace} rollout undo {workload} takes the undo back"
)

var surgeNoCapacityPlaybook = Playbook{
	Means: "The rollout wants an extra pod running before it stops an old one. No node can take the extra pod, because the old pods hold the capacity, port or volume it needs, and so few replicas round the allowed share of missing pods down to zero. Neither side can move; the old pods keep serving.",
	Verify: []Step{
		{Text: "Read why the scheduler finds no node", Command: describePod},
		{Text: "Read the strategy: maxUnavailable rounds down, maxSurge rounds up", Command: "kubectl -n {namespace} get {workload} -o jsonpath={.spec.strategy}"},
	},
	Mend: []Step{
		{Text: "For this rollout, take {newMaxUnavailable} old pod away before a new one starts; capacity drops by as much while it rolls", Command: rollWithoutSurge, Undo: rollAsBefore, Approver: "app owner"},
		{Text: "Or add room: a node, or less for another workload", Approver: "platform team"},
		{Text: "For good, set maxUnavailable to at least 1 in the manifest of a workload that can never run beside itself", Approver: "app owner"},
	},
}

var replicaSetCreatePlaybook = Playbook{
	Means: "A Deployment makes one ReplicaSet per revision, and the API server refused the new one: a quota on the number of objects, or a webhook that watches ReplicaSets. No pod of the new revision can exist before it does.",
	Verify: []Step{
		{Text: "Read the refusal", Command: describeIt},
		{Text: "See whether a quota counts ReplicaSets", Command: "kubectl -n {namespace} describe resourcequota"},
	},
	Mend: []Step{
		{Text: "Keep fewer old ReplicaSets, which frees room in such a quota", Command: `kubectl -n {namespace} patch {workload} --type=merge -p '{"spec":{"revisionHistoryLimit":2}}'`, Undo: `kubectl -n {namespace} patch {workload} --type=merge -p '{"spec":{"revisionHistoryLimit":10}}'; revisions dropped meanwhile stay lost`, Approver: "app owner", When: []string{"quota"}},
		{Text: "Raise the quota {quota}, or mend the webhook the message names", Undo: "set the quota back", Approver: "namespace admin"},
	},
}

var selectingAllPlaybook = Playbook{
	Means: "The workload's selector is empty, so it would own every pod of its namespace. The controller refuses to act on it.",
	Verify: []Step{
		{Text: "Read the selector", Command: "kubectl -n {namespace} get {workload} -o jsonpath={.spec.selector}"},
	},
	Mend: []Step{
		{Text: "Delete the workload without its pods and create it with a selector; a selector cannot be changed in place", Undo: "apply the saved manifest", Approver: "app owner"},
	},
}

var brokenRevisionPlaybook = Playbook{
	Means: "The template was corrected, but an OrderedReady StatefulSet first waits for the broken pod of the former revision to become Ready, which it never will. Nothing is updated until somebody deletes that pod; it comes back with the corrected template and the same volume.",
	Verify: []Step{
		{Text: "Compare the revision of the pod with the one wanted", Command: "kubectl -n {namespace} get pods -L controller-revision-hash"},
		{Text: "Read which revision is wanted", Command: "kubectl -n {namespace} get {workload} -o jsonpath={.status.updateRevision}"},
	},
	Mend: []Step{
		{Text: "Delete the pod; its volume claims stay", Command: "kubectl -n {namespace} delete pod {pod}", Undo: noUndoDelete, Approver: "app owner"},
	},
}

var recreateStrategyPlaybook = Playbook{
	Means: "The StatefulSet names the update strategy Recreate, an alpha feature. Where it is switched off the controller does nothing at all about a new template.",
	Verify: []Step{
		{Text: "Read the strategy and the events", Command: describeIt},
	},
	Mend: []Step{
		{Text: "Use RollingUpdate", Command: `kubectl -n {namespace} patch {workload} --type=merge -p '{"spec":{"updateStrategy":{"type":"RollingUpdate"}}}'`, Undo: `kubectl -n {namespace} patch {workload} --type=merge -p '{"spec":{"updateStrategy":{"type":"Recreate"}}}'`, Approver: "app owner"},
		{Text: "Or have the feature gate switched on", Approver: "platform team"},
	},
}

var deadNodePlaybook = Playbook{
	Means: "A DaemonSet may have only so many pods unavailable at once. Nodes that are down use that number up, so the update of all other nodes waits for them.",
	Verify: []Step{
		{Text: "See which nodes are not Ready", Command: "kubectl get nodes"},
		{Text: "See the pods of the DaemonSet per node", Command: listPods},
	},
	Mend: []Step{
		{Text: "Bring node {node} back", Approver: "node owner"},
		{Text: "Or let more pods be unavailable for this rollout", Command: `kubectl -n {namespace} patch {workload} --type=merge -p '{"spec":{"updateStrategy":{"rollingUpdate":{"maxUnavailable": {newMaxUnavailable} }}}}'`, Undo: `kubectl -n {namespace} patch {workload} --type=merge -p '{"spec":{"updateStrategy":{"rollingUpdate":{"maxUnavailable": {maxUnavailable} }}}}'`, Approver: "app owner", When: []string{"newMaxUnavailable"}},
		{Text: "If the machine is gone for good, remove its Node object", Command: "kubectl delete node {node}", Undo: "none: a kubelet that comes back registers its node again", Approver: "node owner"},
	},
}

var failedDaemonPlaybook = Playbook{
	Means: "The controller makes a pod for the node, the node rejects or evicts it, the controller removes it and tries again. The node, not the image, is where the reason lies.",
	Verify: []Step{
		{Text: "Read the reason of the failed pods while one is there", Command: "kubectl -n {namespace} get pods --field-selector=status.phase=Failed,spec.nodeName={node} -o yaml"},
		{Text: "Look at the node's conditions and what it has left", Command: "kubectl describe node {node}"},
	},
	Mend: []Step{
		{Text: "Clear what the node lacks (disk, memory, pods, ports), or leave the node out with a selector", Approver: "node owner"},
	},
}

var jobFailedPlaybook = Playbook{
	Means: "The Job has used up its tries or its time and will make no more pods. A finished Job cannot be restarted: once the reason is mended it is created anew.",
	Verify: []Step{
		{Text: "Read the Job's conditions", Command: describeIt},
		{Text: "Read the log of its last pod", Command: "kubectl -n {namespace} logs {workload} --tail=50"},
	},
	Mend: []Step{
		{Text: "Mend what made the pods fail; for a deadline, make the work shorter or raise activeDeadlineSeconds", Approver: "app owner"},
		{Text: "Then create the Job again from its manifest", Undo: "delete the new Job", Approver: "app owner"},
	},
}

var jobSidecarPlaybook = Playbook{
	Means: "The container that does the work has finished. Another ordinary container of the pod (a proxy, a log shipper) runs on, and a pod completes only when all of its containers do.",
	Verify: []Step{
		{Text: "See which containers of the pod are done", Command: describePod},
	},
	Mend: []Step{
		{Text: "End this run: ask the sidecar to stop; the pod then completes", Command: "kubectl -n {namespace} exec {pod} -c {sidecar} -- kill 1", Undo: "none: the work is already done", Approver: "app owner"},
		{Text: "For good, make it a native sidecar: an init container with restartPolicy Always ends with the pod (Kubernetes 1.29 and newer)", Approver: "app owner"},
		{Text: "Or keep injectors away from Jobs, or have the application tell the proxy to quit", Approver: "app owner"},
	},
}

var argoAbortedPlaybook = Playbook{
	Means: "The Rollout tried its new revision, an analysis or a person stopped it, and traffic is back on the stable one. It stays so until it is retried or the manifest is put back; a manifest in Git still asks for the new revision.",
	Verify: []Step{
		{Text: "Read the analysis that failed", Command: "kubectl -n {namespace} get analysisruns --sort-by=.metadata.creationTimestamp"},
		{Text: "See the state of the Rollout", Command: "kubectl argo rollouts -n {namespace} get rollout {name}"},
	},
	Mend: []Step{
		{Text: "Mend the new revision and publish it, or revert the change in Git", Approver: "app owner"},
		{Text: "If the analysis was wrong, try the same revision again", Command: "kubectl argo rollouts -n {namespace} retry rollout {name}", Undo: "kubectl argo rollouts -n {namespace} abort {name}", Approver: "app owner"},
	},
}

var argoInvalidPlaybook = Playbook{
	Means: "The controller of Argo Rollouts finds the spec contradictory (a service that is missing or used twice, steps that make no sense) and does nothing until it is corrected.",
	Verify: []Step{
		{Text: "Read the condition InvalidSpec", Command: "kubectl -n {namespace} get rollout {name} -o jsonpath={.status.conditions}"},
	},
	Mend: []Step{
		{Text: "Correct the field the message names", Approver: "app owner"},
	},
}

var argoTrafficPlaybook = Playbook{
	Means: "The new pods are there, and the controller waits for the load balancer to send them traffic. It usually follows within minutes; if not, its own controller or rights are at fault.",
	Verify: []Step{
		{Text: "Read the Rollout's events", Command: "kubectl -n {namespace} describe rollout {name}"},
		{Text: "Look at the load balancer controller's log", Command: "kubectl -n kube-system logs deployment/aws-load-balancer-controller --tail=50"},
	},
	Mend: []Step{
		{Text: "Wait some minutes for the load balancer to converge", Approver: "app owner"},
		{Text: "Mend the ingress, the load balancer controller or its cloud rights", Approver: "platform team"},
	},
}

var controllerLagPlaybook = Playbook{
	Means: "The change was accepted by the API server, and the controller that must act on it has not looked at it yet. Either kube-controller-manager is not running or it has more work than it manages; no workload moves meanwhile.",
	Verify: []Step{
		{Text: "Look at the lease: it is renewed every few seconds by a living controller manager", Command: "kubectl -n kube-system get lease kube-controller-manager -o jsonpath={.spec.renewTime}"},
		{Text: "See whether other workloads lag too", Command: "kubectl get deployments -A -o custom-columns=NS:.metadata.namespace,NAME:.metadata.name,GEN:.metadata.generation,SEEN:.status.observedGeneration"},
	},
	Mend: []Step{
		{Text: "Restore kube-controller-manager, or give it more requests per second and workers", Approver: "platform team"},
	},
}

var partitionPlaybook = Playbook{
	Means: "The StatefulSet is told to update only pods from a given number on. Those are done, the lower ones keep the former revision. This is a staged rollout, not a fault.",
	Verify: []Step{
		{Text: "Read the partition", Command: "kubectl -n {namespace} get {workload} -o jsonpath={.spec.updateStrategy.rollingUpdate.partition}"},
		{Text: "See each pod's revision", Command: "kubectl -n {namespace} get pods -L controller-revision-hash"},
	},
	Mend: []Step{
		{Text: "To update all pods, lower the partition", Command: `kubectl -n {namespace} patch {workload} --type=merge -p '{"spec":{"updateStrategy":{"rollingUpdate":{"partition":0}}}}'`, Undo: `kubectl -n {namespace} patch {workload} --type=merge -p '{"spec":{"updateStrategy":{"rollingUpdate":{"partition":{partition}}}}}'`, Approver: "app owner"},
	},
}

var onDeletePlaybook = Playbook{
	Means: "The update strategy is OnDelete: a new template reaches a pod only when somebody deletes it. Tools call such a rollout done although nothing has changed.",
	Verify: []Step{
		{Text: "See each pod's revision", Command: "kubectl -n {namespace} get pods -L controller-revision-hash"},
	},
	Mend: []Step{
		{Text: "Delete the pods of the former revision one by one", Command: "kubectl -n {namespace} delete pod {pod}", Undo: noUndoDelete, Approver: "app owner"},
	},
}

var excludedNodesPlaybook = Playbook{
	Means: "A DaemonSet makes no pod, no event and no complaint for a node that its selector does not match or whose taint it does not tolerate. Here that is every node.",
	Verify: []Step{
		{Text: "Compare the nodes' labels with the selector", Command: "kubectl get nodes --show-labels"},
		{Text: "Read the nodes' taints", Command: "kubectl get nodes -o custom-columns=NAME:.metadata.name,TAINTS:.spec.taints"},
	},
	Mend: []Step{
		{Text: "Correct the selector, or add a toleration for the taint, if pods are wanted there", Approver: "app owner"},
		{Text: "Or label the nodes meant for it", Undo: "remove the label", Approver: "platform team"},
	},
}

var argoPausedPlaybook = Playbook{
	Means: "The Rollout stands at a pause its own steps or a person put there. The stable revision serves meanwhile.",
	Verify: []Step{
		{Text: "See the step and the pause", Command: "kubectl argo rollouts -n {namespace} get rollout {name}"},
	},
	Mend: []Step{
		{Text: "Let it go on", Command: "kubectl argo rollouts -n {namespace} promote {name}", Undo: "kubectl argo rollouts -n {namespace} pause {name}", Approver: "app owner"},
		{Text: "Or give the new revision up", Command: "kubectl argo rollouts -n {namespace} abort {name}", Undo: "kubectl argo rollouts -n {namespace} retry rollout {name}", Approver: "app owner"},
	},
}

var argoDoublePlaybook = Playbook{
	Means: "A blue-green Rollout runs both revisions, and after the switch keeps the old one a while for a quick way back. That doubles what it needs, and the cluster has no room for both.",
	Verify: []Step{
		{Text: "See which ReplicaSet is kept and until when", Command: "kubectl -n {namespace} get replicaset {replicaset} -o yaml"},
	},
	Mend: []Step{
		{Text: "Wait until the old one is scaled down", Approver: "app owner"},
		{Text: "Scale the kept ReplicaSet down now, which gives up the quick way back", Command: "kubectl -n {namespace} scale replicaset {replicaset} --replicas=0", Undo: "undo the Rollout, which scales it up again", Approver: "app owner"},
		{Text: "For good, lower previewReplicaCount or scaleDownDelaySeconds", Approver: "app owner"},
	},
}

var jobWaitsPlaybook = Playbook{
	Means: "The Job replaces a pod only when the former one has ended for good, and that one is still being stopped.",
	Verify: []Step{
		{Text: "See what the terminating pod waits for", Command: describePod},
	},
	Mend: []Step{
		{Text: "Wait for its grace period; beyond that, find out what holds the pod", Approver: "app owner"},
	},
}

var recreateWaitsPlaybook = Playbook{
	Means: "With the strategy Recreate every old pod must be gone before the first new one is made. The service is down for that time by design.",
	Verify: []Step{
		{Text: "See what the terminating pod waits for", Command: describePod},
	},
	Mend: []Step{
		{Text: "Wait for the grace period of the old pods", Approver: "app owner"},
		{Text: "For good, shorten terminationGracePeriodSeconds or use RollingUpdate if two revisions can run side by side", Approver: "app owner"},
	},
}

var orderedWaitPlaybook = Playbook{
	Means: "This StatefulSet makes and updates its pods one at a time, each after the one before is Ready. Only the pod named here matters; the others are not even tried.",
	Verify: []Step{
		{Text: "Look at that pod", Command: describePod},
	},
	Mend: []Step{
		{Text: "Mend that pod; the rest follows by itself", Approver: "app owner"},
	},
}

var maxUnavailablePlaybook = Playbook{
	Means: "As many pods of the StatefulSet are unavailable as its budget allows, so no further pod is updated until one of them recovers.",
	Verify: []Step{
		{Text: "See which pods are not Ready", Command: listPods},
	},
	Mend: []Step{
		{Text: "Mend the unavailable pods; raise maxUnavailable only if the application bears it", Approver: "app owner"},
	},
}

var jobBackoffPlaybook = Playbook{
	Means: "A pod of the Job failed and the controller waits before it makes the next, twice as long each time, ten minutes at most.",
	Verify: []Step{
		{Text: "Read why the last pod failed", Command: "kubectl -n {namespace} logs {pod} --tail=50"},
	},
	Mend: []Step{
		{Text: "Mend what made the pod fail; waiting alone only uses up the tries", Approver: "app owner"},
	},
}

var staleDeadlinePlaybook = Playbook{
	Means: "The Deployment went back to a revision it already had, and the alarm shown is that of the attempt before. It goes away with the first step forward.",
	Verify: []Step{
		{Text: "See whether pods get Ready", Command: "kubectl -n {namespace} rollout status {workload} --timeout=60s"},
	},
	Mend: []Step{
		{Text: "Wait half a minute", Approver: "app owner"},
	},
}

var deadlinePlaybook = Playbook{
	Means: "No pod was added, updated or made available for as long as the deadline says. The controller keeps trying; the deadline only raises the alarm and never says why.",
	Verify: []Step{
		{Text: "Look at the pods of the new revision", Command: listPods},
		{Text: "Read the newest events", Command: "kubectl -n {namespace} get events --sort-by=.lastTimestamp"},
	},
	Mend: []Step{
		{Text: "If the new revision is at fault, go back to the one before", Command: rolloutUndo, Undo: rolloutRedo, Approver: "app owner"},
	},
}

var noDeadlinePlaybook = Playbook{
	Means: "The progress deadline of this Deployment is switched off. Pipelines and tools that wait for it wait for ever, whatever happens to the pods.",
	Verify: []Step{
		{Text: "Read the deadline", Command: "kubectl -n {namespace} get {workload} -o jsonpath={.spec.progressDeadlineSeconds}"},
	},
	Mend: []Step{
		{Text: "Set a deadline, ten minutes being the default", Command: `kubectl -n {namespace} patch {workload} --type=merge -p '{"spec":{"progressDeadlineSeconds":600}}'`, Undo: `kubectl -n {namespace} patch {workload} --type=merge -p '{"spec":{"progressDeadlineSeconds":2147483647}}'`, Approver: "app owner"},
	},
}

var minUnavailablePlaybook = Playbook{
	Means: "Fewer pods are available than the strategy promises, so users are likely to notice. Restore service first, then look for the cause.",
	Verify: []Step{
		{Text: "See which pods are not available", Command: listPods},
	},
	Mend: []Step{
		{Text: "If it came with a new revision, go back to the one before", Command: rolloutUndo, Undo: rolloutRedo, Approver: "app owner"},
	},
}

var degradedPlaybook = Playbook{
	Means: "The rollout was complete, and pods have become unavailable since. The controller does not raise an alarm for that: its deadline counts only during rollouts.",
	Verify: []Step{
		{Text: "See which pods are not available", Command: listPods},
	},
	Mend: []Step{
		{Text: "Mend the pods that are not Ready; the rollout itself is not at fault unless all pods fail alike", Approver: "app owner"},
	},
}

var oldUnhealthyPlaybook = Playbook{
	Means: "Pods of the former revision are sick too. The rollout would replace them first, but too few others are available to let any go.",
	Verify: []Step{
		{Text: "Look at the old pods", Command: listPods},
	},
	Mend: []Step{
		{Text: "Find out what ails pods of both revisions; it is unlikely to be the new template", Approver: "app owner"},
	},
}

var slowPlaybook = Playbook{
	Means: "Pods get Ready one after the other. It takes long because few may change at a time or each needs long to start; nothing is stuck.",
	Verify: []Step{
		{Text: "Watch it move", Command: "kubectl -n {namespace} rollout status {workload} --timeout=60s"},
	},
	Mend: []Step{
		{Text: "Wait; to be faster next time, allow more surge or more unavailable pods, or make the start quicker", Approver: "app owner"},
	},
}

var hpaComputePlaybook = Playbook{
	Means: "The autoscaler gets no metrics or no clear target, so it leaves the number of replicas alone. It does not stop a rollout, but nothing scales while it lasts.",
	Verify: []Step{
		{Text: "Read the autoscaler's conditions", Command: "kubectl -n {namespace} describe hpa {hpa}"},
		{Text: "See whether metrics are served", Command: "kubectl get apiservice v1beta1.metrics.k8s.io"},
	},
	Mend: []Step{
		{Text: "State the request of the metric's resource in every container, or restore the metrics service", Approver: "app owner"},
		{Text: "Until then, scale by hand", Undo: "the autoscaler takes over once it has metrics", Approver: "app owner"},
	},
}

var pdbBlocksPlaybook = Playbook{
	Means: "A disruption budget allows no eviction now, so a drain waits. It does not hold rollouts: those delete pods and do not ask it.",
	Verify: []Step{
		{Text: "Read what the budget wants and has", Command: "kubectl -n {namespace} get pdb {pdb} -o yaml"},
	},
	Mend: []Step{
		{Text: "Mend the pods that are not healthy, or add a replica", Approver: "app owner"},
		{Text: "Let pods that are not healthy be evicted in any case", Command: `kubectl -n {namespace} patch pdb {pdb} --type=merge -p '{"spec":{"unhealthyPodEvictionPolicy":"AlwaysAllow"}}'`, Undo: `kubectl -n {namespace} patch pdb {pdb} --type=merge -p '{"spec":{"unhealthyPodEvictionPolicy":"IfHealthyBudget"}}'`, Approver: "app owner"},
	},
}

var pdbMultiplePlaybook = Playbook{
	Means: "More than one disruption budget selects these pods, and the API server refuses every eviction then.",
	Verify: []Step{
		{Text: "List the budgets with their selectors", Command: "kubectl -n {namespace} get pdb -o yaml"},
	},
	Mend: []Step{
		{Text: "Save and delete all budgets but one", Command: "kubectl -n {namespace} delete pdb {pdb}", Undo: "apply the saved budget again", Approver: "app owner"},
	},
}

var pdbSyncPlaybook = Playbook{
	Means: "The budget is a percentage or maxUnavailable, and its pods have no owner whose size is known, so nothing can be computed and nothing may be evicted.",
	Verify: []Step{
		{Text: "Read the budget's condition", Command: "kubectl -n {namespace} describe pdb {pdb}"},
	},
	Mend: []Step{
		{Text: "Use an absolute minAvailable", Undo: "put the old value back", Approver: "app owner"},
	},
}
