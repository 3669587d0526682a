package cause

var pausedPlaybook = Playbook{
	Means: "Somebody paused the Deployment. Changes of its template are collected and not rolled out until it is resumed; pods of the former revision keep serving.",
	Verify: []Step{
		{Text: "See who set spec.paused", Command: "kubectl -n {namespace} get {workload} -o yaml --show-managed-fields"},
	},
	Mend: []Step{
		{Text: "Resume it once the reason for the pause is over", Command: "kubectl -n {namespace} rollout resume {workload}", Undo: "kubectl -n {namespace} rollout pause {workload}", Approver: "app owner"},
	},
}

var replicasZeroPlaybook = Playbook{
	Means: "The workload is asked to run no pods at all, and that is what it does. A person, an autoscaler that scales to zero or a schedule set it so.",
	Verify: []Step{
		{Text: "See who set the number", Command: "kubectl -n {namespace} get {workload} -o yaml --show-managed-fields"},
		{Text: "Look for an autoscaler", Command: "kubectl -n {namespace} get hpa,scaledobjects"},
	},
	Mend: []Step{
		{Text: "Scale it up, unless a scaler owns the number", Command: "kubectl -n {namespace} scale {workload} --replicas=1", Undo: "kubectl -n {namespace} scale {workload} --replicas=0", Approver: "app owner"},
	},
}

var jobSuspendedPlaybook = Playbook{
	Means: "The Job is suspended: it makes no pods, and those it had were stopped. A queue (Kueue) suspends Jobs until their turn; otherwise a person did.",
	Verify: []Step{
		{Text: "See who set spec.suspend", Command: "kubectl -n {namespace} get {workload} -o yaml --show-managed-fields"},
		{Text: "See the Job's place in the queue", Command: "kubectl -n {namespace} get workloads.kueue.x-k8s.io"},
	},
	Mend: []Step{
		{Text: "Wait for queue {queue}, or ask for room in its quota", Approver: "platform team", When: []string{"queue"}},
		{Text: "Resume it", Command: `kubectl -n {namespace} patch {workload} --type=merge -p '{"spec":{"suspend":false}}'`, Undo: `kubectl -n {namespace} patch {workload} --type=merge -p '{"spec":{"suspend":true}}'`, Approver: "app owner", When: []string{"!queue"}},
	},
}

var hpaFightingPlaybook = Playbook{
	Means: "An autoscaler sets the number of replicas, and something else (a manifest applied again and again, a second autoscaler) sets another. Pods start and stop without end.",
	Verify: []Step{
		{Text: "See who else writes spec.replicas", Command: "kubectl -n {namespace} get {workload} -o yaml --show-managed-fields"},
		{Text: "Read the moves", Command: "kubectl -n {namespace} get events --field-selector involvedObject.name={name} --sort-by=.lastTimestamp"},
	},
	Mend: []Step{
		{Text: "Remove replicas from the manifest, or have the delivery tool ignore that field", Approver: "app owner"},
		{Text: "Until then, hold the autoscaler at one number", Command: `kubectl -n {namespace} patch hpa {hpa} --type=merge -p '{"spec":{"minReplicas":{replicas},"maxReplicas":{replicas}}}'`, Undo: "set minReplicas and maxReplicas back to their old values", Approver: "app owner"},
	},
}

var gitOpsPlaybook = Playbook{
	Means: "A change made to the object by hand is taken back by the tool that keeps it equal to Git, and made again. Each time the rollout starts over.",
	Verify: []Step{
		{Text: "See which managers write the template by turns", Command: "kubectl -n {namespace} get {workload} -o yaml --show-managed-fields"},
		{Text: "See the ReplicaSets come and go", Command: "kubectl -n {namespace} get replicasets -w"},
	},
	Mend: []Step{
		{Text: "Make the change in Git, where {tool} takes it from", Undo: "revert the commit", Approver: "app owner"},
		{Text: "Or stop the automatic sync of {tool} for this object while you work on it", Undo: "switch the sync on again", Approver: "platform team"},
	},
}

var unknownPlaybook = Playbook{
	Means: "The API server refuses to create the pods and its words match no cause known here. It may be a plug-in of this cluster; the text itself is the best lead.",
	Verify: []Step{
		{Text: "Read the refusal in full", Command: "kubectl -n {namespace} get events --field-selector reason=FailedCreate --sort-by=.lastTimestamp"},
		{Text: "Create one such pod by hand, without keeping it, to see the error at first hand", Command: "kubectl -n {namespace} create --dry-run=server -f pod.yaml"},
	},
	Mend: []Step{
		{Text: "Ask the owners of the cluster which admission plug-in speaks so", Approver: "platform team"},
	},
}
