package facts

import (
	"strings"
	"sync"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
)

// Workload is the object that owns a rollout, with its newest attempt and the
// older revisions still present. Exactly one of the typed objects is set; a
// bare pod (no controller) has none and exactly one pod in New.
type Workload struct {
	Kind      string // Deployment, StatefulSet, DaemonSet, Job, Rollout, ReplicaSet, Pod
	Namespace string
	Name      string
	UID       types.UID

	Deployment  *appsv1.Deployment
	StatefulSet *appsv1.StatefulSet
	DaemonSet   *appsv1.DaemonSet
	Job         *batchv1.Job
	ReplicaSet  *appsv1.ReplicaSet // a ReplicaSet without an owner
	Rollout     *unstructured.Unstructured

	// Template is the newest pod template.
	Template *corev1.PodTemplateSpec
	// TemplateOf is the workload, as kind/name, that an Argo Rollout takes its
	// template from; empty when it has one of its own.
	TemplateOf string
	Created    time.Time
	// Revision names the newest attempt (deployment revision, controller
	// revision hash); empty when unknown.
	Revision string
	// Started is when the newest attempt began, as well as it can be known.
	Started time.Time

	// Counts of pods as the controller reports them.
	Desired, Total, Updated, Ready, Available int32
	Generation, ObservedGeneration            int64
	Paused                                    bool
	// Orphan is true when the object itself was not seen and the workload was
	// inferred from its pods or ReplicaSets.
	Orphan bool

	Conditions []Condition
	Events     []*Event

	// New is the newest revision; nil while no ReplicaSet exists for it. Old
	// revisions are listed newest first.
	New *Revision
	Old []*Revision
	// Pods are all pods of the workload, new revision first.
	Pods []*Pod

	memo *readings
}

// Once returns what make gives, computed once for each key and workload: a
// reading that several causes share. make must be pure.
func (w *Workload) Once(key string, make func() any) any {
	if w.memo == nil {
		return make()
	}
	if v, ok := w.memo.get(key); ok {
		return v
	}
	return w.memo.put(key, make())
}

// readings are a few remembered values; a list takes less than a map.
type readings struct {
	mu   sync.Mutex
	list []reading
}

type reading struct {
	key   string
	value any
}

func (r *readings) get(key string) (any, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range r.list {
		if r.list[i].key == key {
			return r.list[i].value, true
		}
	}
	return nil, false
}

// put keeps the first of two values made at once.
func (r *readings) put(key string, value any) any {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range r.list {
		if r.list[i].key == key {
			return r.list[i].value
		}
	}
	r.list = append(r.list, reading{key, value})
	return value
}

// Revision is one revision of a workload and the pods that run it.
type Revision struct {
	Name    string // ReplicaSet or ControllerRevision name
	Number  string // deployment revision or hash
	UID     types.UID
	Created time.Time
	// Desired is the replica count the controller wants of this revision now.
	Desired    int32
	Template   *corev1.PodTemplateSpec
	ReplicaSet *appsv1.ReplicaSet
	Pods       []*Pod
	Events     []*Event
	// CreateFailures are the refusals to create pods of this revision, newest last.
	CreateFailures []CreateFailure
}

// CreateFailure is the API server's refusal to create a pod.
type CreateFailure struct {
	Message string // without "Error creating: "
	// Owner is the object whose controller was refused.
	Owner   Receipt
	First   time.Time
	Last    time.Time
	Count   int32
	Receipt Receipt
}

// Condition is a status condition of any kind of workload.
type Condition struct {
	Type, Status, Reason, Message string
	LastUpdate, LastTransition    time.Time
}

// Condition returns the condition of a type, or the zero value.
func (w *Workload) Condition(typ string) Condition {
	for i := range w.Conditions {
		if w.Conditions[i].Type == typ {
			return w.Conditions[i]
		}
	}
	return Condition{}
}

// Ref is kind/name as typed on a command line, e.g. "deployment/web".
func (w *Workload) Ref() string { return strings.ToLower(w.Kind) + "/" + w.Name }

// NewPods are the pods of the newest revision.
func (w *Workload) NewPods() []*Pod {
	if w.New == nil {
		return nil
	}
	return w.New.Pods
}

// OldPods are the pods of older revisions.
func (w *Workload) OldPods() []*Pod {
	var out []*Pod
	for _, r := range w.Old {
		out = append(out, r.Pods...)
	}
	return out
}

// Receipt points at a field of the workload object.
func (w *Workload) Receipt(field, text string, at time.Time) Receipt {
	return Receipt{Kind: w.Kind, Namespace: w.Namespace, Name: w.Name, Field: field, Text: text, Time: at}
}

// Object is the workload's own object, nil when it was not seen and for a bare
// pod, which has no controller.
func (w *Workload) Object() metav1.Object {
	switch {
	case w.Deployment != nil:
		return w.Deployment
	case w.StatefulSet != nil:
		return w.StatefulSet
	case w.DaemonSet != nil:
		return w.DaemonSet
	case w.Job != nil:
		return w.Job
	case w.ReplicaSet != nil:
		return w.ReplicaSet
	case w.Rollout != nil:
		return w.Rollout
	}
	return nil
}
