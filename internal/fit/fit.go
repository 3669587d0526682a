// Package fit is the scheduling arithmetic: it reads the scheduler's "0/N
// nodes" messages and recomputes the scheduler's checks for every node.
//
// The scheduler stops at the first check a node fails and prints counts only
// (pkg/scheduler/framework/runtime/framework.go, RunFilterPlugins). This package
// computes every failed check of every node, so that a change can be tried out
// before it is recommended.
package fit

// Check is one test the scheduler makes of a node for a pod.
type Check string

// The checks that can be recomputed from objects, in the scheduler's order.
const (
	NodeName     Check = "node-name"
	Cordoned     Check = "cordoned"
	Taint        Check = "taint"
	NodeAffinity Check = "node-affinity"
	HostPort     Check = "host-port"
	Slots        Check = "slots"     // number of pods on a node
	Resources    Check = "resources" // cpu, memory, storage, hugepages, devices
	RWOP         Check = "rwop"      // ReadWriteOncePod claim in use
	VolumeCount  Check = "volume-count"
	VolumeNode   Check = "volume-node" // the PV's node affinity
	VolumeZone   Check = "volume-zone" // the PV's zone label
	SpreadLabel  Check = "spread-label"
	Spread       Check = "spread"
	ExistingAnti Check = "existing-anti-affinity"
	PodAffinity  Check = "pod-affinity"
	AntiAffinity Check = "anti-affinity"
)

// The checks that are only read from the scheduler's message.
const (
	CSIDriver       Check = "csi-driver"
	UnboundPVC      Check = "unbound-pvc"
	MissingPVC      Check = "missing-pvc"
	LostPVC         Check = "lost-pvc"
	NoPV            Check = "no-pv"
	StorageCapacity Check = "storage-capacity"
	DiskConflict    Check = "disk-conflict"
	DRA             Check = "dra"
	DRAMissing      Check = "dra-missing"
	DRABinding      Check = "dra-binding"
	Gang            Check = "gang"
	Gates           Check = "gates"
	Subset          Check = "subset" // excluded by a PreFilter plugin
	Features        Check = "features"
	Preempting      Check = "preempting"
	Unknown         Check = "unknown" // extender or out-of-tree plugin
)
