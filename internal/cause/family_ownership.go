package cause

// ownershipCauses are about who decides what the workload should be: someone
// who paused it, scaled it to zero, or changes it back.
func ownershipCauses() []Cause {
	return []Cause{
		{Code: "hpa-fighting", Family: Ownership, Class: Terminal, Title: "Autoscaler and another writer fight over replicas",
			Playbook: hpaFightingPlaybook, Detect: detectHPAFighting},
		{Code: "gitops-reverts", Family: Ownership, Class: Terminal, Title: "Delivery tool reverts the change",
			Playbook: gitOpsPlaybook, Detect: detectGitOpsReverts},
		{Code: "deployment-paused", Family: Ownership, Class: Waiting, Title: "Deployment paused",
			Playbook: pausedPlaybook, Detect: detectPaused},
		{Code: "replicas-zero", Family: Ownership, Class: Waiting, Title: "Scaled to zero",
			Playbook: replicasZeroPlaybook, Detect: detectReplicasZero},
		{Code: "job-suspended", Family: Ownership, Class: Waiting, Title: "Job suspended",
			Playbook: jobSuspendedPlaybook, Detect: detectJobSuspended},
	}
}
