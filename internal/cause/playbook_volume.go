package cause

var (
	seeClaim     = seeStep("Read the claim and its events", "kubectl -n {namespace} describe pvc {claim}")
	seeClaims    = seeStep("List the claims", "kubectl -n {namespace} get pvc")
	seeClasses   = seeStep("List the storage classes", "kubectl get storageclasses")
	seePodEvents = seeStep("Read the pod's events", "kubectl -n {namespace} describe pod {pod}")
	seeAttached  = seeStep("See where volumes are attached", "kubectl get volumeattachments")
)

var provisioningPlaybook = Playbook{
	Means:  "The pod waits for a volume, and making the volume fails. The storage class may not exist, the driver may be down, or the storage behind it refuses: no quota, no rights, wrong parameters. The pod itself is not at fault.",
	Verify: []Step{seeClaim, seeClasses, seeStep("Look for a driver that is not ready", "kubectl get pods -A | grep -i -e csi -e provisioner")},
	Mend: []Step{mendStep(appOwner, "Make the claim again and name a class in it (kubectl get storageclass lists them)", "kubectl -n {namespace} delete pvc {claim}", "Create the claim again; it never had a volume, so no data is lost", "claim", "noclass"),
		mendStep(storageTeam, "Or make a class the default", "", "Take the default mark away", "noclass"),
		mendStep(storageTeam, "Repair what the driver names: rights, quota, parameters", "", "Nothing to undo", "!noclass"),
		mendStep(appOwner, "If the class is wrong, make the claim again with one that exists; the class of a claim cannot be changed", "kubectl -n {namespace} delete pvc {claim}", "Create the claim again; it never had a volume, so no data is lost", "claim", "!noclass")},
}

var unboundPlaybook = Playbook{
	Means:  "The pod mounts a claim that should be bound at once and is not. Whatever makes volumes for its class has not answered, or there is no free volume that matches.",
	Verify: []Step{seeClaim, seeClasses, seeStep("See whether volumes are free", "kubectl get pv")},
	Mend: []Step{mendStep(appOwner, "Make the claim again with a class that exists (kubectl get storageclass lists them); it never had a volume, so no data is lost", "kubectl -n {namespace} delete pvc {claim}", "apply the claim's manifest again", "claim", "noclass"),
		mendStep(storageTeam, "Or create the missing class, or mark a class as the default for claims that name none", "", "Delete the class again, or take the default mark away", "noclass"),
		mendStep(storageTeam, "Repair the provisioner of the class", "", "Nothing to undo", "!noclass"),
		mendStep(storageTeam, "For a class that makes no volumes, create one that matches size, access mode and class", "", "Delete the volume"),
		mendStep(appOwner, "Make the claim again with a class that exists", "kubectl -n {namespace} delete pvc {claim}", "Create the claim again; it never had a volume, so no data is lost", "claim", "!noclass")},
}

var pvcMissingPlaybook = Playbook{
	Means:  "The pod mounts a claim that does not exist in its namespace. The name may be misspelt, the claim may live in another namespace, or it was never applied.",
	Verify: []Step{seeClaims, seeStep("Show what the pod mounts", "kubectl -n {namespace} get pod {pod} -o jsonpath='{.spec.volumes[*].persistentVolumeClaim.claimName}'")},
	Mend: []Step{mendStep(appOwner, "Create the claim {claim}", "", "Delete the claim"),
		mendStep(appOwner, "Correct the name in the template", "kubectl -n {namespace} edit {workload}", "kubectl -n {namespace} edit {workload} (put the name back)")},
}

var pvcLostPlaybook = Playbook{
	Means:  "The claim is being deleted, or the volume it was bound to no longer exists. Data may be at stake: find out what happened to the volume before making a new claim.",
	Verify: []Step{seeClaim, seeStep("See what volumes there are", "kubectl get pv"), seeStep("See which pods still use the claim", "kubectl -n {namespace} describe pvc {claim} | grep -A3 'Used By'")},
	Mend: []Step{mendStep(storageTeam, "Bring the volume back, from a snapshot or by a volume object of the same name", "", "Delete the volume object again"),
		mendStep(appOwner, "Make the claim anew only if the data is not needed", "", "A deleted claim may take its data with it; there is no undo")},
}

var noPVPlaybook = Playbook{
	Means:  "The claim is bound only once its pod has a node, and on no node a volume can be found or made for it. With a class that makes no volumes, one must be there beforehand. Otherwise the class may allow only certain zones.",
	Verify: []Step{seeClaims, seeStep("See which volumes are free", "kubectl get pv"), seeStep("See which zones the class allows", "kubectl get storageclasses -o yaml"), seeScheduler},
	Mend:   []Step{mendStep(storageTeam, "Create a volume that matches size, access mode, class and node", "", "Delete the volume"), mendStep(storageTeam, "Let the class serve the zones of the nodes", "", "Put allowedTopologies back")},
}

var volumeNodePlaybook = Playbook{
	Means:  "The pod's volume can be used only from certain nodes or one zone, and those nodes do not take the pod or are not there. The pod must go where its data is.",
	Verify: []Step{seeStep("Show where volumes may be used", "kubectl get pv -o custom-columns=NAME:.metadata.name,CLAIM:.spec.claimRef.name,AFFINITY:.spec.nodeAffinity.required"), seeStep("Show the zones of the nodes", "kubectl get nodes -L topology.kubernetes.io/zone"), seeScheduler},
	Mend: []Step{uncordon, mendStep(platformTeam, "Add room in the volume's zone, or bring its node back", "", "Remove the node again"),
		mendStep(appOwner, "Move the data: snapshot, then a claim in another zone", "", "Keep the old claim until the new one is proven")},
}

var volumeCountPlaybook = Playbook{
	Means:  "Each node can attach only so many volumes of a driver, and every node the pod may use is at that limit. CPU and memory may still be free.",
	Verify: []Step{seeStep("Show the limits", "kubectl get csinodes -o custom-columns=NAME:.metadata.name,LIMITS:.spec.drivers[*].allocatable.count"), seeAttached, seeScheduler},
	Mend:   []Step{mendStep(appOwner, "Stop pods with volumes that are not needed", "", "Start them again"), addNode},
}

var storageCapacityPlaybook = Playbook{
	Means:  "The driver reports how much storage each node or zone has left, and nowhere it is enough for the claim. The reports can be out of date.",
	Verify: []Step{seeStep("Show what is left", "kubectl get csistoragecapacities -A"), seeClaims},
	Mend:   []Step{mendStep(storageTeam, "Add storage to the pool", "", "Remove it again"), mendStep(appOwner, "Ask for less in a new claim", "", "Create the old claim again")},
}

var rwopPlaybook = Playbook{
	Means:  "The claim may be used by one pod in the whole cluster, and another pod uses it. In a rolling update that is the old pod, which stays until the new one is ready: neither can move.",
	Verify: []Step{seeStep("See who uses the claim", "kubectl -n {namespace} get pods -o wide"), seeScheduler},
	Mend:   []Step{surgeless, mendStep(appOwner, "Use strategy Recreate for a workload with such a claim", "kubectl -n {namespace} edit {workload}", "kubectl -n {namespace} edit {workload} (put the strategy back)")},
}

var diskPlaybook = Playbook{
	Means:  "The pod mounts a disk directly that another pod has mounted for writing, and such a disk can be mounted once only.",
	Verify: []Step{seeStep("Show the volumes of the pod", "kubectl -n {namespace} get pod {pod} -o jsonpath='{.spec.volumes}'"), seeScheduler},
	Mend:   []Step{surgeless, mendStep(appOwner, "Use strategy Recreate", "kubectl -n {namespace} edit {workload}", "kubectl -n {namespace} edit {workload} (put the strategy back)")},
}

var csiPlaybook = Playbook{
	Means:  "The storage driver the volume needs is not registered on the node. Its pod on that node may be missing or failing, often because it does not tolerate a taint. On a new node it can take a minute or two.",
	Verify: []Step{seeStep("See which drivers each node has", "kubectl get csinodes -o custom-columns=NAME:.metadata.name,DRIVERS:.spec.drivers[*].name"), seeStep("Look for the driver's pods", "kubectl get pods -A -o wide | grep -i csi")},
	Mend:   []Step{mendStep(storageTeam, "Let the driver's DaemonSet run on the node: tolerations, image, node labels", "", "Put the DaemonSet back"), mendStep(nodeOwner, "Keep pods off the node until the driver is there", "kubectl cordon {node}", "kubectl uncordon {node}", "node")},
}

var bindTimeoutPlaybook = Playbook{
	Means:  "The scheduler chose a node and waited for the volume to be made and bound there, ten minutes by default, in vain. It starts over. Autoscalers do not react to pods in this state.",
	Verify: []Step{seeClaims, seeStep("Read the claim's events", "kubectl -n {namespace} describe pvc {claim}"), seeScheduler},
	Mend:   []Step{mendStep(storageTeam, "Repair the provisioner", "", "Nothing to undo")},
}

var claimRefusedPlaybook = Playbook{
	Means:  "A StatefulSet makes a claim for each pod before the pod. The API server refused the claim, most often because a quota for storage or for the number of claims is used up, so there is no pod either.",
	Verify: []Step{seeStep("Read the refusal", "kubectl -n {namespace} describe {workload}"), seeStep("Show the quotas", "kubectl -n {namespace} describe resourcequota"), seeClaims},
	Mend:   []Step{mendStep(appOwner, "Delete claims that are not needed any more", "", "A deleted claim may take its data with it; there is no undo"), mendStep("namespace admin", "Raise requests.storage or persistentvolumeclaims of the quota", "", "Set the quota back")},
}

var multiAttachPlaybook = Playbook{
	Means:  "The volume can be on one node at a time, and it is still attached to another. If the pod there is going, the volume follows it, after six minutes at most when the node is dead. If it is the old pod of the same rolling update, it stays until the new one is ready: a deadlock.",
	Verify: []Step{seeAttached, seeStep("See where the pods that use it run", "kubectl -n {namespace} get pods -o wide"), seePodEvents},
	Mend: []Step{surgeless,
		mendStep(appOwner, "Let the old pod go", "kubectl -n {namespace} delete pod {holder}", "Nothing to undo; its controller decides whether to make it again", "holder"),
		mendStep(appOwner, "Use strategy Recreate for a workload with a single-node volume", "kubectl -n {namespace} edit {workload}", "kubectl -n {namespace} edit {workload} (put the strategy back)"),
		mendStep(nodeOwner, "If the other node is dead for good, mark it so that volumes are freed", "kubectl taint node {holdernode} node.kubernetes.io/out-of-service=nodeshutdown:NoExecute", "kubectl taint node {holdernode} node.kubernetes.io/out-of-service-", "holdernode")},
}

var providerClassPlaybook = Playbook{
	Means:  "The pod mounts secrets through the secrets store driver and names a SecretProviderClass that does not exist in its namespace. Without it the driver does not know what to fetch.",
	Verify: []Step{seeStep("List what there is", "kubectl -n {namespace} get secretproviderclasses"), seePodEvents},
	Mend:   []Step{mendStep(appOwner, "Create SecretProviderClass {providerclass}, or correct the name", "", "Delete it again")},
}

var secretDeniedPlaybook = Playbook{
	Means:  "The driver reached the secret backend, and the backend refused: the pod's identity is unknown there or lacks the right to read this secret. Nothing in the cluster is broken.",
	Verify: []Step{seePodEvents, seeStep("Show the pod's service account", "kubectl -n {namespace} get pod {pod} -o jsonpath='{.spec.serviceAccountName}'"), seeStep("Show what is asked for", "kubectl -n {namespace} get secretproviderclasses -o yaml")},
	Mend:   []Step{mendStep("security", "Grant the identity the right to read the secret", "", "Take the right away"), mendStep(appOwner, "Use the service account that has it", "kubectl -n {namespace} edit {workload}", "kubectl -n {namespace} edit {workload} (put the account back)")},
}

var hostPathPlaybook = Playbook{
	Means:  "The pod mounts a path of the node and says what must be there: a directory, a file, a socket. On this node there is none of that kind.",
	Verify: []Step{seePodEvents, seeStep("Look on the node", "kubectl debug node/{node} -it --image=busybox -- ls -ld /host{path}")},
	Mend:   []Step{mendStep(nodeOwner, "Create the path on the node", "", "Remove it again"), mendStep(appOwner, "Let the kubelet create it (DirectoryOrCreate), or correct the path", "kubectl -n {namespace} edit {workload}", "kubectl -n {namespace} edit {workload} (put the volume back)")},
}

var attachPlaybook = Playbook{
	Means:  "The volume could not be attached to the node. The driver's own words say why: rights, a volume in another zone, a limit, or a volume that is gone.",
	Verify: []Step{seeStep("Read the error", "kubectl get volumeattachments -o yaml | grep -B20 attachError"), seePodEvents, seeStep("Look for the driver's controller", "kubectl get pods -A | grep -i csi")},
	Mend:   []Step{mendStep(storageTeam, "Repair what the driver names", "", "Nothing to undo"), mendStep(storageTeam, "Delete a VolumeAttachment only if the volume is surely detached", "", "The attachment is made again when needed")},
}

var mountPlaybook = Playbook{
	Means:  "The volume is attached but the node cannot mount it. The text comes from the driver or the mount program: a server that does not answer, an export that is not allowed, a damaged file system.",
	Verify: []Step{seePodEvents, seeStep("Look at the node", "kubectl describe node {node}")},
	Mend:   []Step{mendStep(storageTeam, "Repair what the text names: server, export, file system", "", "Nothing to undo"), mendStep(appOwner, "If only this node fails, let the pod be made elsewhere", "kubectl cordon {node} && kubectl -n {namespace} delete pod {pod}", "kubectl uncordon {node}", "node")},
}

var fsGroupPlaybook = Playbook{
	Means:  "The pod sets fsGroup, so the kubelet changes the group of every file on the volume before the start. With many files that takes minutes or hours. It ends by itself, and would be repeated at each start.",
	Verify: []Step{seePodEvents},
	Mend:   []Step{mendStep(appOwner, "Set fsGroupChangePolicy to OnRootMismatch, so that it happens once only; the change starts a new revision", "kubectl -n {namespace} patch {workload} --type=merge -p '{\"spec\":{\"template\":{\"spec\":{\"securityContext\":{\"fsGroupChangePolicy\":\"OnRootMismatch\"}}}}}'", "kubectl -n {namespace} patch {workload} --type=merge -p '{\"spec\":{\"template\":{\"spec\":{\"securityContext\":{\"fsGroupChangePolicy\":null}}}}}'")},
}

var attachLimitPlaybook = Playbook{
	Means:  "The kubelet refused the pod because its node can attach no more volumes; the scheduler had counted on an older limit. The controller makes a new pod, which usually goes elsewhere.",
	Verify: []Step{seeStep("Show the limits", "kubectl get csinodes -o custom-columns=NAME:.metadata.name,LIMITS:.spec.drivers[*].allocatable.count"), seeAttached},
	Mend:   []Step{mendStep(nodeOwner, "Keep new pods off the node", "kubectl cordon {node}", "kubectl uncordon {node}", "node"), mendStep(storageTeam, "Update the driver so that it reports its limit", "", "Go back to the old version")},
}

var silentPlaybook = Playbook{
	Means:  "The pod has a node and waits there for its volumes, but neither the kubelet nor the attach controller says what is wrong. Newer kubelets do not report that this wait timed out.",
	Verify: []Step{seeAttached, seeStep("See what the node thinks is in use", "kubectl get node {node} -o jsonpath='{.status.volumesInUse}{.status.volumesAttached}'"), seeStep("Read the kubelet's log", "kubectl debug node/{node} -it --image=busybox -- chroot /host journalctl -u kubelet --since -10min")},
	Mend:   []Step{mendStep(appOwner, "Let the pod be made again", "kubectl -n {namespace} delete pod {pod}", "Nothing to undo, the pod never ran"), mendStep(storageTeam, "Repair what the log names", "", "Nothing to undo")},
}
