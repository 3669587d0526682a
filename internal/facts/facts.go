// Package facts reads a snapshot into typed, cross-linked facts: workloads with
// their attempts, pods with their containers, pulls, deaths and events, each
// with the receipt it rests on. It is pure: no I/O and no clock.
package facts

import (
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/unjam-dev/unjam/internal/fit"
	"github.com/unjam-dev/unjam/internal/snapshot"
)

// Facts is a snapshot read. Causes judge it and never change it.
type Facts struct {
	Snap *snapshot.Snapshot
	// Now is the snapshot's TakenAt.
	Now time.Time
	// Workloads in the order Kind, Namespace, Name.
	Workloads []*Workload
	// Pods are all pods seen, owned by a workload or not.
	Pods []*Pod

	nodes      map[string]*corev1.Node
	events     map[types.UID][]*Event
	eventsName map[objectKey][]*Event
	logs       map[logKey]*snapshot.LogTail
	secrets    map[key]*snapshot.SecretShape
	configs    map[key]*snapshot.ConfigMapShape
	accounts   map[key]*corev1.ServiceAccount
	pvcs       map[key]*corev1.PersistentVolumeClaim
	cluster    *fit.Cluster
	peers      *peers
	memo       memo
}

type key struct{ namespace, name string }

type objectKey struct{ kind, namespace, name string }

type logKey struct {
	namespace, pod, container string
	previous                  bool
}

// Receipt points at the evidence a claim rests on: one field of one object, one
// event, or one log line, at one time.
type Receipt struct {
	Kind      string `json:"kind"`
	Namespace string `json:"namespace,omitempty"`
	Name      string `json:"name"`
	// Field is the path inside the object, "event/REASON" or "log/CONTAINER".
	Field string `json:"field"`
	// Time is when the evidence was true or last seen; zero when unknown.
	Time time.Time `json:"time,omitzero"`
	// Text is the evidence verbatim, redacted.
	Text string `json:"text"`
}

// Event is an event with its times resolved across core/v1 and events.k8s.io.
type Event struct {
	Obj     *corev1.Event
	Reason  string
	Message string // without the "(combined from similar events): " prefix
	Warning bool
	First   time.Time
	Last    time.Time
	Count   int32
	Source  string // reporting component
	// Container is taken from involvedObject.fieldPath, empty when absent.
	Container string
}

// Receipt is the event as evidence.
func (e *Event) Receipt() Receipt {
	o := e.Obj.InvolvedObject
	return Receipt{Kind: o.Kind, Namespace: o.Namespace, Name: o.Name, Field: "event/" + e.Reason, Time: e.Last, Text: e.Message}
}

// Node returns the node object, nil when it was not seen.
func (f *Facts) Node(name string) *corev1.Node { return f.nodes[name] }

// PodByName returns the pod, nil when it was not seen.
func (f *Facts) PodByName(namespace, name string) *Pod {
	return Once(f, podNames{}, func() map[key]*Pod {
		out := make(map[key]*Pod, len(f.Pods))
		for _, p := range f.Pods {
			out[key{p.Obj.Namespace, p.Obj.Name}] = p
		}
		return out
	})[key{namespace, name}]
}

type podNames struct{}

// Log returns the captured log tail, nil when none was captured.
func (f *Facts) Log(namespace, pod, container string, previous bool) *snapshot.LogTail {
	return f.logs[logKey{namespace, pod, container, previous}]
}

// Secret returns the shape of a Secret. known is false when Secrets of that
// namespace could not be read, so that a nil shape proves nothing.
func (f *Facts) Secret(namespace, name string) (shape *snapshot.SecretShape, known bool) {
	if s := f.secrets[key{namespace, name}]; s != nil {
		return s, true
	}
	return nil, f.Snap.Covers("secrets", namespace)
}

// ConfigMap is the twin of Secret.
func (f *Facts) ConfigMap(namespace, name string) (shape *snapshot.ConfigMapShape, known bool) {
	if c := f.configs[key{namespace, name}]; c != nil {
		return c, true
	}
	return nil, f.Snap.Covers("configmaps", namespace)
}

// ServiceAccount returns the account; known as in Secret.
func (f *Facts) ServiceAccount(namespace, name string) (sa *corev1.ServiceAccount, known bool) {
	if a := f.accounts[key{namespace, name}]; a != nil {
		return a, true
	}
	return nil, f.Snap.Covers("serviceaccounts", namespace)
}

// PVC returns the claim; known as in Secret.
func (f *Facts) PVC(namespace, name string) (pvc *corev1.PersistentVolumeClaim, known bool) {
	if c := f.pvcs[key{namespace, name}]; c != nil {
		return c, true
	}
	return nil, f.Snap.Covers("persistentvolumeclaims", namespace)
}

// EventsOf returns the events about an object, oldest first, found by UID and,
// where the source lost the UID, by kind and name.
func (f *Facts) EventsOf(kind, namespace, name string, uid types.UID) []*Event {
	if uid != "" {
		if ev := f.events[uid]; len(ev) > 0 {
			return ev
		}
	}
	var out []*Event
	for _, e := range f.eventsName[objectKey{kind, namespace, name}] {
		if uid == "" || e.Obj.InvolvedObject.UID == "" || e.Obj.InvolvedObject.UID == uid {
			out = append(out, e)
		}
	}
	return out
}

// Cluster is the scheduling arithmetic over all nodes and pods seen.
func (f *Facts) Cluster() *fit.Cluster { return f.cluster }
