// Package snaptest builds small snapshots for tests: a Deployment with its
// ReplicaSet and pods in a few words, every object open to further change.
package snaptest

import (
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/unjam-dev/unjam/internal/snapshot"
)

// Now is TakenAt of every built snapshot.
var Now = time.Date(2026, 1, 2, 10, 10, 0, 0, time.UTC)

// Namespace is where objects are made.
const Namespace = "shop"

// Builder collects the objects of one snapshot.
type Builder struct {
	Snap *snapshot.Snapshot
	uid  int
}

// New returns a snapshot with the namespace "shop", its default ServiceAccount
// and no gap: what is absent does not exist.
func New() *Builder {
	b := &Builder{Snap: &snapshot.Snapshot{TakenAt: Now, Origin: snapshot.Origin{Kind: "bundle", Name: "test", ServerVersion: "v1.37.1"}}}
	b.Snap.Objects.Namespaces = append(b.Snap.Objects.Namespaces, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: Namespace, CreationTimestamp: ago(24 * time.Hour)}, Status: corev1.NamespaceStatus{Phase: corev1.NamespaceActive}})
	b.Snap.Objects.ServiceAccounts = append(b.Snap.Objects.ServiceAccounts, &corev1.ServiceAccount{ObjectMeta: b.meta("default", 24*time.Hour)})
	return b
}

func ago(d time.Duration) metav1.Time { return metav1.NewTime(Now.Add(-d)) }

// Ago is Now minus d, as API objects hold it.
func Ago(d time.Duration) metav1.Time { return ago(d) }

func (b *Builder) meta(name string, age time.Duration) metav1.ObjectMeta {
	b.uid++
	return metav1.ObjectMeta{Namespace: Namespace, Name: name, UID: types.UID(fmt.Sprintf("uid-%04d", b.uid)), CreationTimestamp: ago(age), Generation: 1}
}

// Node adds a Ready amd64 node with 4 CPUs, 8 GiB and room for 110 pods.
func (b *Builder) Node(name string, change ...func(*corev1.Node)) *corev1.Node {
	cap := corev1.ResourceList{"cpu": resource.MustParse("4"), "memory": resource.MustParse("8Gi"), "ephemeral-storage": resource.MustParse("50Gi"), "pods": resource.MustParse("110")}
	m := b.meta(name, 24*time.Hour)
	m.Namespace = ""
	m.Labels = map[string]string{"kubernetes.io/hostname": name, "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64"}
	n := &corev1.Node{ObjectMeta: m, Status: corev1.NodeStatus{Capacity: cap, Allocatable: cap.DeepCopy(),
		Conditions: []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue, Reason: "KubeletReady", LastTransitionTime: ago(23 * time.Hour), LastHeartbeatTime: ago(10 * time.Second)}},
		NodeInfo:   corev1.NodeSystemInfo{Architecture: "amd64", OperatingSystem: "linux", KubeletVersion: "v1.37.1", ContainerRuntimeVersion: "containerd://2.4.2"}}}
	for _, f := range change {
		f(n)
	}
	b.Snap.Objects.Nodes = append(b.Snap.Objects.Nodes, n)
	return n
}

// Set is a Deployment with one ReplicaSet, to which pods are added.
type Set struct {
	b          *Builder
	Deployment *appsv1.Deployment
	ReplicaSet *appsv1.ReplicaSet
	n          int
}

// Deployment adds a Deployment created five minutes ago with one container
// "app" and a ReplicaSet of revision 1.
func (b *Builder) Deployment(name, image string, replicas int32, change ...func(*corev1.PodSpec)) *Set {
	d := &appsv1.Deployment{ObjectMeta: b.meta(name, 5*time.Minute)}
	d.Annotations = map[string]string{"deployment.kubernetes.io/revision": "1"}
	labels := map[string]string{"app": name}
	d.Spec.Replicas, d.Spec.Selector = &replicas, &metav1.LabelSelector{MatchLabels: labels}
	deadline := int32(600)
	d.Spec.ProgressDeadlineSeconds = &deadline
	d.Spec.Template = template(name, image, change...)
	d.Status.ObservedGeneration, d.Status.Replicas, d.Status.UpdatedReplicas, d.Status.UnavailableReplicas = 1, replicas, replicas, replicas
	d.Status.Conditions = []appsv1.DeploymentCondition{
		{Type: appsv1.DeploymentAvailable, Status: corev1.ConditionFalse, Reason: "MinimumReplicasUnavailable", Message: "Deployment does not have minimum availability.", LastUpdateTime: ago(5 * time.Minute), LastTransitionTime: ago(5 * time.Minute)},
		{Type: appsv1.DeploymentProgressing, Status: corev1.ConditionTrue, Reason: "ReplicaSetUpdated", Message: "ReplicaSet is progressing.", LastUpdateTime: ago(5 * time.Minute), LastTransitionTime: ago(5 * time.Minute)},
	}
	b.Snap.Objects.Deployments = append(b.Snap.Objects.Deployments, d)
	s := &Set{b: b, Deployment: d}
	s.ReplicaSet = s.revision("1", d.Spec.Template, replicas)
	return s
}

func (s *Set) revision(number string, t corev1.PodTemplateSpec, replicas int32) *appsv1.ReplicaSet {
	hash := "hash" + number
	rs := &appsv1.ReplicaSet{ObjectMeta: s.b.meta(s.Deployment.Name+"-"+hash, 5*time.Minute)}
	rs.Annotations = map[string]string{"deployment.kubernetes.io/revision": number}
	rs.OwnerReferences = []metav1.OwnerReference{owner("apps/v1", "Deployment", s.Deployment.Name, s.Deployment.UID)}
	rs.Spec.Replicas, rs.Spec.Selector, rs.Spec.Template = &replicas, s.Deployment.Spec.Selector, *t.DeepCopy()
	rs.Spec.Template.Labels["pod-template-hash"] = hash
	rs.Labels = rs.Spec.Template.Labels
	rs.Status.Replicas, rs.Status.ObservedGeneration = replicas, 1
	s.b.Snap.Objects.ReplicaSets = append(s.b.Snap.Objects.ReplicaSets, rs)
	return rs
}

// Old adds an older revision 0 of the same Deployment with n Ready pods on the node.
func (s *Set) Old(image, node string, n int) []*Pod {
	t := s.Deployment.Spec.Template.DeepCopy()
	t.Spec.Containers[0].Image = image
	s.Deployment.Annotations["deployment.kubernetes.io/revision"] = "2"
	s.ReplicaSet.Annotations["deployment.kubernetes.io/revision"] = "2"
	newest := s.ReplicaSet
	s.ReplicaSet = s.revision("1", *t, int32(n))
	s.ReplicaSet.Name = s.Deployment.Name + "-old"
	var out []*Pod
	for range n {
		out = append(out, s.Pod(node).Ready())
	}
	s.ReplicaSet = newest
	s.Deployment.Status.Replicas += int32(n)
	s.Deployment.Status.ReadyReplicas += int32(n)
	s.Deployment.Status.AvailableReplicas += int32(n)
	return out
}

// Healthy marks the Deployment fully rolled out (pods are up to the caller).
func (s *Set) Healthy() *Set {
	n := *s.Deployment.Spec.Replicas
	st := &s.Deployment.Status
	st.Replicas, st.UpdatedReplicas, st.ReadyReplicas, st.AvailableReplicas, st.UnavailableReplicas = n, n, n, n, 0
	st.Conditions[0].Status, st.Conditions[0].Reason = corev1.ConditionTrue, "MinimumReplicasAvailable"
	st.Conditions[1].Reason = "NewReplicaSetAvailable"
	s.ReplicaSet.Status.ReadyReplicas, s.ReplicaSet.Status.AvailableReplicas = n, n
	return s
}

// FailedCreate adds the ReplicaSet's refusal events and its ReplicaFailure.
func (s *Set) FailedCreate(message string) *Set {
	s.b.Event("ReplicaSet", Namespace, s.ReplicaSet.Name, s.ReplicaSet.UID, "Warning", "FailedCreate", "Error creating: "+message, 4*time.Minute, 10*time.Second, 9)
	s.ReplicaSet.Status.Replicas = 0
	s.Deployment.Status.Replicas, s.Deployment.Status.UpdatedReplicas = 0, 0
	s.Deployment.Status.Conditions = append(s.Deployment.Status.Conditions, appsv1.DeploymentCondition{Type: appsv1.DeploymentReplicaFailure, Status: corev1.ConditionTrue, Reason: "FailedCreate", Message: message, LastUpdateTime: ago(4 * time.Minute), LastTransitionTime: ago(4 * time.Minute)})
	return s
}

func owner(api, kind, name string, uid types.UID) metav1.OwnerReference {
	yes := true
	return metav1.OwnerReference{APIVersion: api, Kind: kind, Name: name, UID: uid, Controller: &yes}
}

func template(name, image string, change ...func(*corev1.PodSpec)) corev1.PodTemplateSpec {
	t := corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"app": name}}}
	t.Spec = corev1.PodSpec{Containers: []corev1.Container{{Name: "app", Image: image, ImagePullPolicy: corev1.PullIfNotPresent}}, ServiceAccountName: "default", RestartPolicy: corev1.RestartPolicyAlways, SchedulerName: "default-scheduler"}
	for _, f := range change {
		f(&t.Spec)
	}
	return t
}

// StatefulSet adds a StatefulSet created five minutes ago, nothing ready.
func (b *Builder) StatefulSet(name, image string, replicas int32, change ...func(*corev1.PodSpec)) *appsv1.StatefulSet {
	s := &appsv1.StatefulSet{ObjectMeta: b.meta(name, 5*time.Minute)}
	s.Spec.Replicas, s.Spec.Selector, s.Spec.Template = &replicas, &metav1.LabelSelector{MatchLabels: map[string]string{"app": name}}, template(name, image, change...)
	s.Spec.UpdateStrategy.Type, s.Spec.PodManagementPolicy = appsv1.RollingUpdateStatefulSetStrategyType, appsv1.OrderedReadyPodManagement
	s.Status = appsv1.StatefulSetStatus{ObservedGeneration: 1, CurrentRevision: name + "-rev1", UpdateRevision: name + "-rev1"}
	b.Snap.Objects.StatefulSets = append(b.Snap.Objects.StatefulSets, s)
	return s
}

// DaemonSet adds a DaemonSet created five minutes ago that wants n nodes.
func (b *Builder) DaemonSet(name, image string, n int32, change ...func(*corev1.PodSpec)) *appsv1.DaemonSet {
	d := &appsv1.DaemonSet{ObjectMeta: b.meta(name, 5*time.Minute)}
	d.Spec.Selector, d.Spec.Template = &metav1.LabelSelector{MatchLabels: map[string]string{"app": name}}, template(name, image, change...)
	d.Spec.UpdateStrategy.Type = appsv1.RollingUpdateDaemonSetStrategyType
	d.Status = appsv1.DaemonSetStatus{ObservedGeneration: 1, DesiredNumberScheduled: n, CurrentNumberScheduled: n, UpdatedNumberScheduled: n, NumberUnavailable: n}
	b.Snap.Objects.DaemonSets = append(b.Snap.Objects.DaemonSets, d)
	return d
}

// Job adds a Job of one completion, started five minutes ago.
func (b *Builder) Job(name, image string, change ...func(*corev1.PodSpec)) *batchv1.Job {
	j := &batchv1.Job{ObjectMeta: b.meta(name, 5*time.Minute)}
	one, limit := int32(1), int32(6)
	j.Spec.Completions, j.Spec.Parallelism, j.Spec.BackoffLimit, j.Spec.Template = &one, &one, &limit, template(name, image, change...)
	j.Spec.Template.Spec.RestartPolicy = corev1.RestartPolicyNever
	start := ago(5 * time.Minute)
	j.Status.StartTime, j.Status.Active = &start, 1
	b.Snap.Objects.Jobs = append(b.Snap.Objects.Jobs, j)
	return j
}

// Event adds an event first seen firstAgo and last seen lastAgo before Now.
func (b *Builder) Event(kind, ns, name string, uid types.UID, typ, reason, message string, firstAgo, lastAgo time.Duration, count int32) *corev1.Event {
	b.uid++
	e := &corev1.Event{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: fmt.Sprintf("%s.%04d", name, b.uid), CreationTimestamp: ago(firstAgo)},
		InvolvedObject: corev1.ObjectReference{Kind: kind, Namespace: ns, Name: name, UID: uid},
		Type:           typ, Reason: reason, Message: message, FirstTimestamp: ago(firstAgo), LastTimestamp: ago(lastAgo), Count: count}
	b.Snap.Objects.Events = append(b.Snap.Objects.Events, e)
	return e
}
