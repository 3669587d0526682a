package cause

const (
	describeQuota  = "kubectl -n {namespace} describe resourcequota {quota}"
	describeLimits = "kubectl -n {namespace} describe limitrange"
	undoTemplate   = "kubectl -n {namespace} rollout undo {workload}"
	// rollWithoutSurge and rollAsBefore leave the pod template alone, so neither
	// makes a new revision. The numbers and percentages go unquoted: kubectl
	// reads a patch as YAML, where 25% is a text and 1 a number.
	rollWithoutSurge = `kubectl -n {namespace} patch {workload} --type=merge -p '{"spec":{"strategy":{"rollingUpdate":{"maxSurge":0,"maxUnavailable":{newMaxUnavailable}}}}}'`
	rollAsBefore     = `kubectl -n {namespace} patch {workload} --type=merge -p '{"spec":{"strategy":{"rollingUpdate":{"maxSurge": {maxSurge}, "maxUnavailable": {maxUnavailable} }}}}'`
	raiseQuota       = `kubectl -n {namespace} patch resourcequota {quota} --type=merge -p '{"spec":{"hard":{"{resource}":"{neededHard}"}}}'`
	restoreQuota     = `kubectl -n {namespace} patch resourcequota {quota} --type=merge -p '{"spec":{"hard":{"{resource}":"{hard}"}}}'`
)

var quotaExceededPlaybook = Playbook{
	Means: "The namespace has a fixed budget of pods, CPU or memory, and the pods that are missing do not fit into what is left. Nothing on the nodes is wrong, and waiting helps only if another pod of the namespace goes away.",
	Verify: []Step{
		{Text: "Compare used with hard for {resource}", Command: describeQuota},
		{Text: "See which pods of the namespace use the budget; finished pods are not charged", Command: "kubectl -n {namespace} get pods --field-selector=status.phase!=Succeeded,status.phase!=Failed -o wide"},
	},
	Mend: []Step{
		{Text: "Lower what each pod asks for, if it asks for more than it uses", Approver: "app owner"},
		{Text: "Delete or scale down what is no longer needed in namespace {namespace}", Approver: "namespace admin"},
		{Text: "Raise the quota to {neededHard}, which lets the missing pods in; it is {hard} now", Command: raiseQuota, Undo: restoreQuota, Approver: "namespace admin", When: []string{"neededHard"}},
	},
}

var quotaBlocksSurgePlaybook = Playbook{
	Means: "The rollout wants to start an extra pod before it stops an old one, and the quota has no room for the extra one. With so few replicas the allowed share of missing pods rounds down to zero, so no old pod may leave first. Both sides wait for each other; the old pods keep serving.",
	Verify: []Step{
		{Text: "Compare used with hard for {resource}", Command: describeQuota},
		{Text: "Read the strategy: maxUnavailable rounds down, maxSurge rounds up", Command: "kubectl -n {namespace} get {workload} -o jsonpath={.spec.strategy}"},
	},
	Mend: []Step{
		{Text: "For this rollout, take {newMaxUnavailable} old pod away before a new one starts; capacity drops by as much while it rolls", Command: rollWithoutSurge, Undo: rollAsBefore, Approver: "app owner", When: []string{"newMaxUnavailable"}},
		{Text: "Or give the quota room for the surge: {neededHard} instead of {hard}", Command: raiseQuota, Undo: restoreQuota, Approver: "namespace admin", When: []string{"neededHard"}},
		{Text: "To keep the next rollout from stalling, keep room for one surge pod in the quota, or set maxUnavailable to at least 1 in the manifest", Approver: "app owner"},
	},
}

var quotaMissingRequestsPlaybook = Playbook{
	Means: "A quota that counts a resource forces every container to say how much of it it wants. Containers of this pod say nothing, so the pod is refused before it exists.",
	Verify: []Step{
		{Text: "See which resources the quota counts", Command: describeQuota},
		{Text: "Look for a LimitRange that could fill in the values", Command: describeLimits},
		{Text: "Read what the containers state now", Command: "kubectl -n {namespace} get {workload} -o jsonpath={.spec.template.spec.containers[*].resources}"},
	},
	Mend: []Step{
		{Text: "State requests and limits of each container ({containers}); the values are a start to adapt", Command: "kubectl -n {namespace} set resources {workload} -c {container} --requests={requests} --limits={limits}", Undo: undoTemplate, Approver: "app owner", When: []string{"requests", "limits"}},
		{Text: "State the requests of each container ({containers}); the values are a start to adapt", Command: "kubectl -n {namespace} set resources {workload} -c {container} --requests={requests}", Undo: undoTemplate, Approver: "app owner", When: []string{"requests", "!limits"}},
		{Text: "State the limits of each container ({containers}); the values are a start to adapt", Command: "kubectl -n {namespace} set resources {workload} -c {container} --limits={limits}", Undo: undoTemplate, Approver: "app owner", When: []string{"limits", "!requests"}},
		{Text: "Or add a LimitRange with defaults for {resource} to the namespace; it fills in every container that states nothing", Undo: "delete the LimitRange again; pods made meanwhile keep the values", Approver: "namespace admin"},
	},
}

var quotaStatusUnknownPlaybook = Playbook{
	Means: "The quota is so new, or was changed so recently, that nothing has counted its usage yet. The quota controller does this within seconds; if it does not, that controller is not working and no pod can be made.",
	Verify: []Step{
		{Text: "See whether the quota's status is filled in", Command: "kubectl -n {namespace} get resourcequota {quota} -o yaml"},
		{Text: "See whether the controller manager is alive: its lease must be fresh", Command: "kubectl -n kube-system get lease kube-controller-manager"},
	},
	Mend: []Step{
		{Text: "Wait a minute: the controller tries again by itself", Approver: "app owner"},
		{Text: "If the status stays empty, restore kube-controller-manager", Approver: "platform team"},
	},
}

var quotaScopePlaybook = Playbook{
	Means: "The cluster is set up so that some pods (a priority class, a device) are only allowed where a quota budgets for them. This namespace has no such quota.",
	Verify: []Step{
		{Text: "List the quotas of the namespace with their scopes", Command: "kubectl -n {namespace} get resourcequota -o yaml"},
		{Text: "Read what the pod asks for", Command: "kubectl -n {namespace} get {workload} -o jsonpath={.spec.template.spec.priorityClassName}"},
	},
	Mend: []Step{
		{Text: "Use a priority class or resource that the namespace may use", Approver: "app owner"},
		{Text: "Or have a quota made in namespace {namespace} that covers it", Undo: "delete that quota", Approver: "platform team"},
	},
}

var limitRangeMaxPlaybook = Playbook{
	Means: "The namespace caps how much one container or pod may ask for, and this one asks for more. The pod is refused before it exists, whatever room the nodes have.",
	Verify: []Step{
		{Text: "Read the bounds of the namespace", Command: describeLimits},
		{Text: "Read what the containers ask for", Command: "kubectl -n {namespace} get {workload} -o jsonpath={.spec.template.spec.containers[*].resources}"},
	},
	Mend: []Step{
		{Text: "Lower the limit of container {container} to the allowed {limits}", Command: "kubectl -n {namespace} set resources {workload} -c {container} --limits={limits}", Undo: undoTemplate, Approver: "app owner", When: []string{"container", "limits"}},
		{Text: "Lower the request of container {container} to the allowed {requests}", Command: "kubectl -n {namespace} set resources {workload} -c {container} --requests={requests}", Undo: undoTemplate, Approver: "app owner", When: []string{"container", "requests"}},
		{Text: "State a {field} for {resource} of at most {allowed}", Approver: "app owner", When: []string{"!value", "field"}},
		{Text: "Or raise the maximum of the LimitRange above {allowed}", Command: "kubectl -n {namespace} edit limitrange {limitrange}", Undo: "set the maximum back to {allowed}; running pods keep what they have", Approver: "namespace admin"},
	},
}

var limitRangeMinPlaybook = Playbook{
	Means: "The namespace wants every container or pod to ask for at least some amount, or keeps its limit near its request, and this one does not comply. Containers added by an injector count too.",
	Verify: []Step{
		{Text: "Read the bounds of the namespace", Command: describeLimits},
		{Text: "Read what the containers ask for", Command: "kubectl -n {namespace} get {workload} -o jsonpath={.spec.template.spec.containers[*].resources}"},
	},
	Mend: []Step{
		{Text: "Raise the request of container {container} to {requests}", Command: "kubectl -n {namespace} set resources {workload} -c {container} --requests={requests}", Undo: undoTemplate, Approver: "app owner", When: []string{"container", "requests"}},
		{Text: "Raise the limit of container {container} to {limits}", Command: "kubectl -n {namespace} set resources {workload} -c {container} --limits={limits}", Undo: undoTemplate, Approver: "app owner", When: []string{"container", "limits"}},
		{Text: "Bring limit and request of {resource} closer together: raise the request or lower the limit", Approver: "app owner"},
		{Text: "Or relax the LimitRange", Command: "kubectl -n {namespace} edit limitrange {limitrange}", Undo: "set it back to {allowed}", Approver: "namespace admin"},
	},
}

var limitRangeInflatesPlaybook = Playbook{
	Means: "The container states no request, so a LimitRange filled one in, and no node has that much free. The author of the workload never asked for it.",
	Verify: []Step{
		{Text: "See what was filled in", Command: "kubectl -n {namespace} get pod {pod} -o jsonpath={.metadata.annotations.kubernetes\\.io/limit-ranger}"},
		{Text: "Read the defaults of the namespace", Command: describeLimits},
	},
	Mend: []Step{
		{Text: "State the request that container {container} really needs, below the filled-in {resource} {value}", Approver: "app owner"},
		{Text: "Or lower defaultRequest in the LimitRange; it applies to pods made from then on", Undo: "set the default back to {value}", Approver: "namespace admin"},
	},
}
