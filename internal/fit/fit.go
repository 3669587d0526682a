// Package fit is the scheduling arithmetic: it reads the scheduler's "0/N
// nodes" messages and recomputes the predicates for every node.
package fit

import (
	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
)

// FitError is the scheduler's message about one pod, taken apart
// (pkg/scheduler/framework/types.go, FitError.Error).
type FitError struct {
	// Nodes is N of "0/N nodes are available".
	Nodes int
	// PreFilter is the message that applies to all nodes, where there is one.
	PreFilter string
	// Reasons are the per-node reasons with their node counts, as printed.
	Reasons []Reason
	// Preemption is the clause after "preemption:", empty when absent.
	Preemption string
}

// Reason is one per-node reason of a FitError.
type Reason struct {
	Count int
	Text  string
}

// ParseFitError reads a FailedScheduling message; ok is false when it is not
// of the "0/N nodes" form.
func ParseFitError(message string) (e FitError, ok bool) { return FitError{}, false }

// Options are the objects beside nodes and pods that predicates read.
type Options struct {
	PVCs           []*corev1.PersistentVolumeClaim
	PVs            []*corev1.PersistentVolume
	StorageClasses []*storagev1.StorageClass
	CSINodes       []*storagev1.CSINode
}

// Cluster is the state predicates are computed against.
type Cluster struct {
	nodes []*corev1.Node
	pods  []*corev1.Pod
	opt   Options
}

// NewCluster indexes nodes and pods. It copies nothing.
func NewCluster(nodes []*corev1.Node, pods []*corev1.Pod, opt Options) *Cluster {
	return &Cluster{nodes: nodes, pods: pods, opt: opt}
}
