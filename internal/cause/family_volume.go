package cause

import "time"

func volumeCauses() []Cause {
	list := []Cause{
		{Code: "provisioning-failed", Class: SelfHealing, Settle: 2 * time.Minute, Title: "No volume could be made for the claim", Playbook: provisioningPlaybook, Detect: provisioningFailed},
		{Code: "unbound-immediate-pvc", Class: SelfHealing, Settle: 2 * time.Minute, Title: "The claim is not bound to a volume", Playbook: unboundPlaybook, Detect: unboundPVC},
		{Code: "pvc-not-found", Class: Terminal, Title: "The claim does not exist", Playbook: pvcMissingPlaybook, Detect: pvcNotFound},
		{Code: "pvc-lost-or-deleting", Class: Terminal, Title: "The claim's volume is gone or going", Playbook: pvcLostPlaybook, Detect: pvcLost},
		{Code: "pv-no-match", Class: Terminal, Title: "No volume matches the claim on any node", Playbook: noPVPlaybook, Detect: noVolumeMatches},
		{Code: "volume-node-affinity-conflict", Class: Terminal, Title: "The volume is bound to nodes that do not take the pod", Playbook: volumeNodePlaybook},
		{Code: "volume-zone-conflict", Class: Terminal, Title: "The volume is in another zone", Playbook: volumeNodePlaybook},
		{Code: "max-volume-count", Class: SelfHealing, Settle: deviceSettle, Title: "Nodes can attach no more volumes", Playbook: volumeCountPlaybook},
		{Code: "storage-capacity", Class: Terminal, Title: "The storage pools are too full", Playbook: storageCapacityPlaybook},
		{Code: "rwop-in-use", Class: Terminal, Title: "A claim for one pod only is in use", Playbook: rwopPlaybook},
		{Code: "disk-conflict", Class: Terminal, Title: "The disk is in use by another pod", Playbook: diskPlaybook},
		{Code: "csi-driver-not-on-node-sched", Class: SelfHealing, Settle: 2 * time.Minute, Title: "The storage driver runs on no node the pod may use", Playbook: csiPlaybook},
		{Code: "volume-bind-timeout", Class: SelfHealing, Settle: 2 * time.Minute, Title: "Binding the volume took too long", Playbook: bindTimeoutPlaybook, Detect: volumeBindTimeout},
		{Code: "statefulset-pvc-create-failed", Class: Terminal, Title: "The StatefulSet's claim was refused", Playbook: claimRefusedPlaybook, Detect: claimRefused},
		{Code: "multi-attach", Class: SelfHealing, Settle: 7 * time.Minute, Title: "The volume is still attached to another node", Playbook: multiAttachPlaybook, Detect: multiAttach},
		{Code: "secretproviderclass-missing", Class: Terminal, Title: "The SecretProviderClass does not exist", Playbook: providerClassPlaybook, Detect: mountedAs("secretproviderclass-missing")},
		{Code: "external-secret-access-denied", Class: SelfHealing, Settle: 2 * time.Minute, Title: "The secret backend refuses access", Playbook: secretDeniedPlaybook, Detect: mountedAs("external-secret-access-denied")},
		{Code: "csi-driver-not-registered", Class: SelfHealing, Settle: 3 * time.Minute, Title: "The storage driver is not registered on the node", Playbook: csiPlaybook, Detect: mountedAs("csi-driver-not-registered")},
		{Code: "hostpath-type", Class: Terminal, Title: "The host path is missing or of another kind", Playbook: hostPathPlaybook, Detect: mountedAs("hostpath-type")},
		{Code: "attach-failed", Class: SelfHealing, Settle: 2 * time.Minute, Title: "The volume cannot be attached to the node", Playbook: attachPlaybook, Detect: attachFailed},
		{Code: "mount-failed", Class: SelfHealing, Settle: 2 * time.Minute, Title: "The volume cannot be mounted", Playbook: mountPlaybook, Detect: mountedAs("mount-failed")},
		{Code: "fsgroup-slow", Class: SelfHealing, Settle: 30 * time.Minute, Title: "File ownership on the volume is being changed", Playbook: fsGroupPlaybook, Detect: fsGroupSlow},
		{Code: "volume-attach-limit-kubelet", Class: SelfHealing, Title: "The kubelet refused the pod: no more volumes can be attached", Playbook: attachLimitPlaybook, Detect: rejectedAs("volume-attach-limit-kubelet")},
		{Code: "volume-wait-silent", Class: SelfHealing, Settle: 2 * time.Minute, Title: "The pod waits for a volume and nothing says why", Playbook: silentPlaybook, Detect: volumeWaitSilent},
	}
	for i := range list {
		list[i].Family = Volumes
		if list[i].Detect == nil {
			list[i].Detect = unplacedAs(list[i].Code)
		}
	}
	return list
}
