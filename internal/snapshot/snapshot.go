// Package snapshot holds what was seen of a cluster at one time: objects, log
// tails and gaps, as plain values. A snapshot written to disk is a bundle.
//
// The package knows how to encode, decode and redact; it never talks to a
// cluster and never reads a clock.
package snapshot

import (
	"time"

	corev1 "k8s.io/api/core/v1"
)

// Snapshot is everything one diagnosis may rest on. It is immutable once
// taken: nothing to the right of it in the pipeline changes it.
type Snapshot struct {
	// TakenAt is the instant that counts as "now" for every judgement. A source
	// that does not say when it was taken uses the newest time found in it.
	TakenAt time.Time
	// Origin says where the snapshot came from, for the reader of a report.
	Origin Origin
	// Objects are the API objects seen, by kind.
	Objects Objects
	// Logs are the log tails captured, redacted.
	Logs []LogTail
	// Gaps name what could not be read. A gap never counts as healthy.
	Gaps []Gap
}

// Origin describes the source of a snapshot.
type Origin struct {
	// Kind is "cluster", "bundle" or "files".
	Kind string `json:"kind"`
	// Name is the kubeconfig context or the file name.
	Name string `json:"name,omitempty"`
	// ServerVersion is the API server's git version, empty when unknown.
	ServerVersion string `json:"serverVersion,omitempty"`
	// Namespace limits the snapshot to one namespace; empty means all.
	Namespace string `json:"namespace,omitempty"`
}

// LogTail is the end of one container's log.
type LogTail struct {
	Namespace, Pod, Container string
	// Previous is true for the log of the last terminated instance.
	Previous bool
	Lines    []string
}

// GapReason says why something could not be read.
type GapReason string

// The reasons a read can fail for.
const (
	GapForbidden   GapReason = "forbidden"    // the caller lacks the right
	GapNotServed   GapReason = "not-served"   // the API server has no such resource
	GapNotCaptured GapReason = "not-captured" // the source does not contain it
	GapNotNeeded   GapReason = "not-needed"   // not read, as nothing seen depends on it
	GapTimeout     GapReason = "timeout"      // the read did not finish in time
	GapTruncated   GapReason = "truncated"    // only a part was read
	GapBroken      GapReason = "broken"       // the bytes could not be decoded
	GapFailed      GapReason = "failed"       // any other error
	GapStopped     GapReason = "stopped"      // a user's rule reached a limit
)

// Gap is one thing that could not be read, and what would settle it.
type Gap struct {
	// Resource is the plural resource name, e.g. "secrets" or "pods/log"; "*"
	// means any, as when a file of the source could not be read.
	Resource string `json:"resource"`
	// Namespace is empty for a cluster-wide read.
	Namespace string `json:"namespace,omitempty"`
	// Name is set when the gap concerns one object or one file.
	Name string `json:"name,omitempty"`
	// Except are the namespaces that the gap does not concern.
	Except []string  `json:"except,omitempty"`
	Reason GapReason `json:"reason"`
	// Detail is the error in one line.
	Detail string `json:"detail,omitempty"`
	// Settle is what would close the gap: a permission, a flag, a command.
	Settle string `json:"settle,omitempty"`
}

// Covers reports whether the resource was read completely for the namespace
// (empty for a cluster-scoped resource): only then does the absence of an
// object prove that it does not exist.
func (s *Snapshot) Covers(resource, namespace string) bool {
	_, gap := s.GapFor(resource, namespace)
	return !gap
}

// GapFor returns the gap that hides the resource in the namespace, if any. A
// snapshot of one namespace says nothing about others.
func (s *Snapshot) GapFor(resource, namespace string) (Gap, bool) {
	for i := range s.Gaps {
		if s.Gaps[i].hides(resource, namespace) {
			return s.Gaps[i], true
		}
	}
	// Leases are read in the namespaces of nodes and control plane whatever the
	// scope, and say so in a gap of their own.
	if in := s.Origin.Namespace; in != "" && namespace != "" && namespace != in && resource != "leases" {
		return Gap{Resource: resource, Namespace: namespace, Reason: GapNotCaptured, Detail: "only namespace " + in + " was read"}, true
	}
	return Gap{}, false
}

// AllPods are the pods of every namespace, for scheduling arithmetic. complete
// is false when some could not be read, so that sums are only lower bounds.
func (s *Snapshot) AllPods() (pods []*corev1.Pod, complete bool) {
	o := &s.Objects
	complete = s.Covers("pods", "") && (s.Origin.Namespace == "" || o.Neighbours != nil)
	return append(o.Pods[:len(o.Pods):len(o.Pods)], o.Neighbours...), complete
}
