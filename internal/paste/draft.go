package paste

import (
	"fmt"
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/unjam-dev/unjam/internal/snapshot"
)

// Epoch is "now" for text that names no absolute time. Ages count back from it.
var Epoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// objectRef names the object a line is about.
type objectRef struct{ kind, namespace, name string }

// draft collects objects while text is read.
type draft struct {
	now      time.Time
	absolute bool // now was read from the text
	pods     map[objectRef]*podDraft
	order    []*podDraft
	events   []*corev1.Event
	owners   map[objectRef]bool
	objects  snapshot.Objects
	said     []Saying
	// heard are the events of the text in its order; past counts those whose
	// trouble is over.
	heard  []*line
	past   int
	counts Counts
	bound  []objectRef // volume claims whose volume the text shows
	// original are the messages that were put into the words of today.
	original map[string]string
	// byKey finds an event that was read already, loose lines likewise.
	byKey     map[eventKey]*line
	loosely   map[string]bool
	described int
	parts     int  // of pods that were tried
	counted   bool // replica counts were in the text
}

type eventKey struct {
	ref                        objectRef
	reason, message, container string
}

// Saying is one message or event of the text, for readers of words alone.
type Saying struct {
	// Kind and Reason are those of the event; empty for a bare message.
	Kind, Reason string
	Text         string
	Normal       bool // an event of type Normal
	// Logged is true for a field of a log line, which has a context of its own.
	Logged bool
	// About is the object of the event, empty for a bare message.
	About string
}

// podDraft is a pod of which parts are known.
type podDraft struct {
	obj *corev1.Pod
	// states and conditions are true when the text itself shows the container
	// states or the pod's conditions, so that events must not change them.
	states, conditions bool
	// ready is true when the text itself says that the pod is ready.
	ready bool
}

func newDraft() *draft {
	return &draft{now: Epoch, pods: map[objectRef]*podDraft{}, owners: map[objectRef]bool{}, byKey: map[eventKey]*line{}, loosely: map[string]bool{}, original: map[string]string{}}
}

// Names of objects that the text leaves unnamed. No real object is called so;
// Unnamed recognises them, and nothing shown to a user may hold one.
const (
	someNamespace = "unnamed-namespace"
	somePod       = "unnamed-pod"
	someContainer = "unnamed-container"
	someNode      = "unnamed-node"
	someWorkload  = "unnamed-workload"
)

// pod returns the pod of a name, made on first sight. Without a name it is the
// one the text seems to be about.
func (d *draft) pod(ref objectRef) *podDraft {
	if ref.name == "" {
		if len(d.order) > 0 {
			return d.order[len(d.order)-1]
		}
		ref.name = somePod
	}
	if ref.namespace == "" {
		for _, p := range d.order {
			if p.obj.Name == ref.name {
				return p
			}
		}
		ref.namespace = someNamespace
	}
	ref.kind = "Pod"
	if p := d.pods[ref]; p != nil {
		return p
	}
	p := &podDraft{obj: &corev1.Pod{TypeMeta: metav1.TypeMeta{Kind: "Pod", APIVersion: "v1"},
		ObjectMeta: metav1.ObjectMeta{Namespace: ref.namespace, Name: ref.name, UID: types.UID("text-" + ref.namespace + "-" + ref.name)}}}
	p.obj.Spec.RestartPolicy = corev1.RestartPolicyAlways
	p.obj.Status.Phase = corev1.PodPending
	d.pods[ref] = p
	d.order = append(d.order, p)
	return p
}

// container returns the status of a container, made with its spec on first
// sight. An empty name means the only one.
func (p *podDraft) container(name string) *corev1.ContainerStatus {
	st := &p.obj.Status
	if name == "" {
		if len(st.ContainerStatuses) > 0 {
			return &st.ContainerStatuses[0]
		}
		name = someContainer
	}
	for _, list := range [][]corev1.ContainerStatus{st.InitContainerStatuses, st.ContainerStatuses} {
		for i := range list {
			if list[i].Name == name {
				return &list[i]
			}
		}
	}
	p.obj.Spec.Containers = append(p.obj.Spec.Containers, corev1.Container{Name: name})
	st.ContainerStatuses = append(st.ContainerStatuses, corev1.ContainerStatus{Name: name,
		State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "ContainerCreating"}}})
	return &st.ContainerStatuses[len(st.ContainerStatuses)-1]
}

func (p *podDraft) spec(name string) *corev1.Container {
	for _, list := range [][]corev1.Container{p.obj.Spec.InitContainers, p.obj.Spec.Containers} {
		for i := range list {
			if list[i].Name == name {
				return &list[i]
			}
		}
	}
	return nil
}

func (p *podDraft) bind(node string) {
	if node == "" {
		node = someNode
	}
	if p.obj.Spec.NodeName == "" {
		p.obj.Spec.NodeName = node
	}
}

func (p *podDraft) condition(typ corev1.PodConditionType, status corev1.ConditionStatus, reason, message string, at time.Time) {
	c := corev1.PodCondition{Type: typ, Status: status, Reason: reason, Message: message, LastTransitionTime: metav1.NewTime(at)}
	for i := range p.obj.Status.Conditions {
		if p.obj.Status.Conditions[i].Type == typ {
			p.obj.Status.Conditions[i] = c
			return
		}
	}
	p.obj.Status.Conditions = append(p.obj.Status.Conditions, c)
}

// line is one event as a text shows it.
type line struct {
	ref         objectRef
	typ         string
	reason      string
	message     string
	source      string
	container   string
	first, last time.Duration // ages; negative when unknown
	count       int32
}

// event takes an event of the text. What it says about the state of its object
// is worked out when all of the text is read, since a later event may say that
// the trouble is over.
func (d *draft) event(l line) {
	if l.reason == "FailedSync" {
		if m := startWith.FindStringSubmatchIndex(l.message); m != nil && d.syncError(l.ref, l.message, m) {
			return
		}
	}
	if l.ref.kind == "Pod" {
		p := d.pod(l.ref)
		l.ref = objectRef{"Pod", p.obj.Namespace, p.obj.Name}
	} else if l.ref.namespace == "" {
		l.ref.namespace = someNamespace
	}
	if l.reason == "FailedScheduling" {
		// Up to 1.12 the scheduler did not say which claims it means.
		if was := l.message; strings.HasPrefix(was, "pod has unbound PersistentVolumeClaims") {
			l.message = strings.Replace(was, "unbound Persistent", "unbound immediate Persistent", 1)
			d.original[l.message] = was
		}
		if m, ok := modern(l.message); ok {
			d.original[m], l.message = l.message, m
		}
	}
	if !slices.Contains(eventKinds, l.ref.kind) {
		// What an event says of a HelmRelease may be the API server's answer.
		if l.typ != "Normal" || l.reason == "error" {
			d.words(objectRef{kind: "Pod"}, []string{l.message})
		}
		return
	}
	key := eventKey{l.ref, l.reason, l.message, l.container}
	if e := d.byKey[key]; e != nil {
		e.count += max(1, l.count)
		e.first = max(e.first, l.first, l.last)
		if l.last >= 0 && (e.last < 0 || l.last < e.last) {
			e.last = l.last
		}
		return
	}
	if len(d.byKey) >= maxEvents {
		return
	}
	l.count = max(1, l.count)
	d.byKey[key] = &l
	d.heard = append(d.heard, &l)
}

// conclude works out what the events say, without those of troubles that are over.
func (d *draft) conclude() {
	over := d.overcome()
	for i, l := range d.heard {
		if over[i] {
			d.past++
			continue
		}
		d.record(*l)
	}
}

// record makes the event object and what it says about the state of its object.
func (d *draft) record(l line) {
	d.said = append(d.said, Saying{Kind: l.ref.kind, Reason: l.reason, Text: l.message, Normal: l.typ == "Normal", About: About(l.ref.kind, l.ref.namespace, l.ref.name)})
	if l.ref.kind == "Pod" {
		d.infer(d.pod(l.ref), &l)
	} else {
		d.owner(l)
	}
	last := d.now.Add(-max(l.last, 0))
	first := last
	if l.first > l.last {
		first = d.now.Add(-l.first)
	}
	e := &corev1.Event{ObjectMeta: metav1.ObjectMeta{Namespace: l.ref.namespace, Name: fmt.Sprintf("text.%d", len(d.events))},
		InvolvedObject: corev1.ObjectReference{Kind: l.ref.kind, Namespace: l.ref.namespace, Name: l.ref.name},
		Type:           l.typ, Reason: l.reason, Message: l.message, Source: corev1.EventSource{Component: l.source}, ReportingController: l.source,
		FirstTimestamp: metav1.NewTime(first), LastTimestamp: metav1.NewTime(last), Count: l.count}
	if l.ref.kind == "Pod" {
		e.InvolvedObject.UID = d.pod(l.ref).obj.UID
		if l.container != "" {
			e.InvolvedObject.FieldPath = "spec.containers{" + l.container + "}"
		}
	}
	d.events = append(d.events, e)
}

// owner makes the workload an event is about, so that it is judged.
func (d *draft) owner(l line) {
	if d.owners[l.ref] {
		return
	}
	d.owners[l.ref] = true
	one := int32(1)
	meta := metav1.ObjectMeta{Namespace: l.ref.namespace, Name: l.ref.name, UID: types.UID("text-" + l.ref.kind + l.ref.name), Generation: 1, CreationTimestamp: metav1.NewTime(d.now.Add(-max(l.first, l.last, 0)))}
	switch l.ref.kind {
	case "ReplicaSet":
		name := meta.Name
		if i := strings.LastIndex(name, "-"); i > 0 {
			name = name[:i]
		}
		yes := true
		meta.OwnerReferences = []metav1.OwnerReference{{APIVersion: "apps/v1", Kind: "Deployment", Name: name, Controller: &yes}}
		d.objects.ReplicaSets = append(d.objects.ReplicaSets, &appsv1.ReplicaSet{ObjectMeta: meta, Spec: appsv1.ReplicaSetSpec{Replicas: &one}})
	case "Deployment":
		d.objects.Deployments = append(d.objects.Deployments, &appsv1.Deployment{ObjectMeta: meta, Spec: appsv1.DeploymentSpec{Replicas: &one}, Status: appsv1.DeploymentStatus{ObservedGeneration: 1}})
	case "StatefulSet":
		d.objects.StatefulSets = append(d.objects.StatefulSets, &appsv1.StatefulSet{ObjectMeta: meta, Spec: appsv1.StatefulSetSpec{Replicas: &one}, Status: appsv1.StatefulSetStatus{ObservedGeneration: 1}})
	case "DaemonSet":
		d.objects.DaemonSets = append(d.objects.DaemonSets, &appsv1.DaemonSet{ObjectMeta: meta, Status: appsv1.DaemonSetStatus{ObservedGeneration: 1, DesiredNumberScheduled: 1}})
	case "Job":
		d.objects.Jobs = append(d.objects.Jobs, &batchv1.Job{ObjectMeta: meta, Spec: batchv1.JobSpec{Completions: &one, Parallelism: &one}})
	case "PersistentVolumeClaim":
		if slices.Contains(d.bound, l.ref) {
			return
		}
		d.objects.PVCs = append(d.objects.PVCs, &corev1.PersistentVolumeClaim{ObjectMeta: meta, Status: corev1.PersistentVolumeClaimStatus{Phase: corev1.ClaimPending}})
		p := d.pod(objectRef{"Pod", l.ref.namespace, somePod + "-with-" + l.ref.name})
		p.obj.Spec.Volumes = append(p.obj.Spec.Volumes, corev1.Volume{Name: "data", VolumeSource: corev1.VolumeSource{PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: l.ref.name}}})
		p.obj.Spec.Containers = []corev1.Container{{Name: someContainer}}
		p.condition(corev1.PodScheduled, corev1.ConditionFalse, "Unschedulable", "pod has unbound immediate PersistentVolumeClaims", d.now)
	case "Node":
		d.node(l.ref.name)
	}
}

// node returns a node with a pod on it, since causes are seen on workloads.
func (d *draft) node(name string) *corev1.Node {
	for _, n := range d.objects.Nodes {
		if n.Name == name {
			return n
		}
	}
	n := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name}}
	d.objects.Nodes = append(d.objects.Nodes, n)
	p := d.pod(objectRef{"Pod", someNamespace, somePod + "-on-" + name})
	p.bind(name)
	p.container("")
	p.condition(corev1.PodReady, corev1.ConditionFalse, "", "", d.now)
	return n
}

func (d *draft) snapshot() *snapshot.Snapshot {
	d.conclude()
	o := d.objects
	o.Events = d.events
	for _, p := range d.order {
		o.Pods = append(o.Pods, p.obj)
	}
	return &snapshot.Snapshot{TakenAt: d.now, Origin: snapshot.Origin{Kind: "text"}, Objects: o,
		Gaps: []snapshot.Gap{{Resource: "*", Reason: snapshot.GapNotCaptured, Detail: "a pasted text shows only a part"}}}
}
