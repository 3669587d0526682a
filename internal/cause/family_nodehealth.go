package cause

import (
	"slices"
	"time"
)

// nodeHealthCauses are faults of nodes, and pods that a node or the control
// plane ends.
func nodeHealthCauses() []Cause {
	return slices.Concat(nodeCauses(), fallenCauses(), endingCauses())
}

// nodeCauses are what is wrong with a node.
func nodeCauses() []Cause {
	node := func(code string, class Class, title string, settle time.Duration, p Playbook) Cause {
		return Cause{Code: code, Family: NodeHealth, Class: class, Title: title, Settle: settle, Playbook: p, Detect: sighted(nodeSightings, code)}
	}
	pressure := func(code, title string, p Playbook) Cause {
		return Cause{Code: code, Family: NodeHealth, Class: SelfHealing, Title: title, Playbook: p, Detect: sighted(fallenOrTrouble, code)}
	}
	return []Cause{
		node("kubelet-cert-or-auth", Terminal, "kubelet of the node cannot log in to the API server", 0, playbookKubeletCert),
		node("node-notready-unknown", SelfHealing, "node does not report any more", 0, playbookNodeUnknown),
		node("node-notready-runtime", SelfHealing, "node is NotReady because of its container runtime", 0, playbookNodeRuntime),
		node("node-notready-cni", SelfHealing, "node is NotReady because of its network plugin", cniGrace, playbookNodeCNI),
		pressure("disk-pressure", "node is short of disk space or inodes", playbookDiskPressure),
		pressure("memory-pressure", "node is short of memory", playbookMemoryPressure),
		pressure("pid-pressure", "node is short of process ids", playbookPIDPressure),
		node("npd-readonly-fs", Terminal, "filesystem of the node has become read-only", 0, playbookReadonly),
		node("npd-kernel-deadlock", Terminal, "kernel of the node hangs", 0, playbookDeadlock),
		node("node-io-error", Terminal, "disk or memory of the node fails", 0, playbookIOError),
		node("npd-frequent-restart", SelfHealing, "kubelet or runtime of the node is unhealthy", 0, playbookFrequentRestart),
		node("node-network-unavailable", SelfHealing, "network of the node is not set up", cniGrace, playbookNetworkUnavailable),
		node("node-cloud-uninitialized", SelfHealing, "node is not initialised by the cloud controller", 2*time.Minute, playbookCloudUninit),
		node("node-conntrack-dns", SelfHealing, "node loses connections or names", 0, playbookConntrack),
		node("node-system-oom", SelfHealing, "node ran out of memory as a whole", 0, playbookSystemOOM),
		node("node-rebooted", SelfHealing, "node was rebooted", 0, playbookRebooted),
		{Code: "nodelost-ready-false", Family: NodeHealth, Class: SelfHealing, Title: "pod counts as not Ready because its node is not",
			Playbook: playbookLostReady, Detect: sighted(lostReadySightings, "nodelost-ready-false")},
	}
}

// fallenCauses are pods that were rejected, evicted or deleted from outside.
func fallenCauses() []Cause {
	fallen := func(code string, class Class, title string, p Playbook) Cause {
		return Cause{Code: code, Family: NodeHealth, Class: class, Title: title, Playbook: p, Detect: sighted(fallenSightings, code)}
	}
	return []Cause{
		fallen("node-shutting-down", SelfHealing, "node is shutting down", playbookShutdown),
		fallen("evicted-at-admission", SelfHealing, "node under pressure turns the pod away", playbookTurnedAway),
		fallen("evicted-memory", SelfHealing, "pod evicted because its node was short of memory", playbookEvictedMemory),
		fallen("evicted-storage", SelfHealing, "pod evicted because of its disk use", playbookEvictedStorage),
		fallen("kubelet-critical-preempt", SelfHealing, "pod ended to make room for a critical one", playbookCriticalPreempt),
		fallen("taint-eviction", SelfHealing, "pod removed from a tainted node", playbookTaintEviction),
		fallen("podgc-node-gone", SelfHealing, "pod cleared away with its node", playbookNodeGone),
		fallen("vpa-eviction", SelfHealing, "pod evicted by the vertical pod autoscaler", playbookVPA),
		fallen("upgrade-or-drain", Waiting, "node is being drained", playbookDrain),
	}
}

// endingCauses are pods that do not go.
func endingCauses() []Cause {
	ending := func(code string, class Class, title string, p Playbook) Cause {
		return Cause{Code: code, Family: NodeHealth, Class: class, Title: title, Playbook: p, Detect: sighted(endingSightings, code)}
	}
	return []Cause{
		ending("node-lost-terminating", Terminal, "pod cannot end because its node is lost", playbookLostTerminating),
		ending("finalizer-stuck", Terminal, "finalizer keeps a pod that has ended", playbookFinalizer),
		ending("failed-kill-pod", SelfHealing, "node cannot end the pod", playbookFailedKill),
		ending("prestop-hang", SelfHealing, "preStop hook uses up the grace period", playbookPreStop),
		ending("sigterm-ignored", SelfHealing, "program does not end on SIGTERM", playbookIgnoresTerm),
		ending("old-pod-grace", Waiting, "old pod is within its grace period", playbookGrace),
	}
}
