package load

import (
	"context"
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/uuid"
	"k8s.io/utils/ptr"
)

// Size says how much to make.
type Size struct {
	// Nodes are made too. No kubelet keeps them alive and no controller may look:
	// the lab must be still (`lab up --still`).
	Nodes int
	// Pods are split into Deployments of PerDeployment pods.
	Pods, PerDeployment int
	// PerNamespace is the number of Deployments of a namespace.
	PerNamespace int
	// OldSets are the ReplicaSets without pods that each Deployment keeps.
	OldSets int
	// Now is when the fleet is seen; everything is older.
	Now time.Time
}

// Trouble is what is wrong with a Deployment.
type Trouble string

// The troubles. One Deployment in a hundred has one, each kind as often.
const (
	None    Trouble = ""
	NoNode  Trouble = "no-node"  // its selector fits no node
	NoImage Trouble = "no-image" // the registry has no such tag
	Crash   Trouble = "crash"    // it exits with an error, again and again
)

// TroubleLabel on a Deployment says what is wrong with it.
const TroubleLabel = "unjam.dev/trouble"

// Fleet is all objects of a load, owners before what they own.
type Fleet struct {
	Nodes, Leases, Namespaces, Deployments, ReplicaSets, Pods, Events []record
	// Troubled counts Deployments by what is wrong with them.
	Troubled map[Trouble]int
}

func troubleOf(i int) Trouble {
	switch i % 300 {
	case 50:
		return NoNode
	case 150:
		return NoImage
	case 250:
		return Crash
	}
	return None
}

// Make makes a fleet.
func Make(s Size) *Fleet {
	f := &Fleet{Troubled: map[Trouble]int{}}
	for i := range s.Nodes {
		n := nodeOf(s, i)
		f.Nodes, f.Leases = append(f.Nodes, encode(n)), append(f.Leases, encode(leaseOf(s, n)))
	}
	node := 0
	for i := range (s.Pods + s.PerDeployment - 1) / s.PerDeployment {
		if i%s.PerNamespace == 0 {
			f.namespace(s, fmt.Sprintf("team-%03d", i/s.PerNamespace))
		}
		a := &app{size: s, namespace: fmt.Sprintf("team-%03d", i/s.PerNamespace), name: fmt.Sprintf("app-%05d", i), index: i, trouble: troubleOf(i)}
		if a.trouble != None {
			f.Troubled[a.trouble]++
		}
		a.hash = fmt.Sprintf("%08x00", 0x5f3a1c+i*7919)
		d := a.deployment()
		f.Deployments = append(f.Deployments, encode(d))
		for old := range s.OldSets {
			f.ReplicaSets = append(f.ReplicaSets, encode(a.replicaSet(d, old+1, fmt.Sprintf("v%d", old+1), fmt.Sprintf("%s%02d", a.hash[:8], old+1), 0)))
		}
		rs := a.replicaSet(d, s.OldSets+1, tag, a.hash, s.PerDeployment)
		f.ReplicaSets = append(f.ReplicaSets, encode(rs))
		for j := range s.PerDeployment {
			node++
			p := a.pod(rs, j, nodeName(node%s.Nodes))
			f.Pods = append(f.Pods, encode(p))
			for _, e := range a.events(p, j) {
				f.Events = append(f.Events, encode(e))
			}
		}
	}
	return f
}

// Write puts the fleet into etcd.
func (f *Fleet) Write(ctx context.Context, s *Store) error {
	for _, x := range []struct {
		resource string
		objects  []record
	}{{"minions", f.Nodes}, {"leases", f.Leases}, {"namespaces", f.Namespaces}, {"deployments", f.Deployments}, {"replicasets", f.ReplicaSets}, {"pods", f.Pods}, {"events", f.Events}} {
		if err := s.Put(ctx, x.resource, x.objects); err != nil {
			return fmt.Errorf("%s: %w", x.resource, err)
		}
	}
	return nil
}

func (f *Fleet) namespace(s Size, name string) {
	ns := &corev1.Namespace{ObjectMeta: meta("", name, s.Now.Add(-90*24*time.Hour)), Spec: corev1.NamespaceSpec{Finalizers: []corev1.FinalizerName{corev1.FinalizerKubernetes}},
		Status: corev1.NamespaceStatus{Phase: corev1.NamespaceActive}}
	ns.Labels = map[string]string{"kubernetes.io/metadata.name": name}
	f.Namespaces = append(f.Namespaces, encode(ns))
}

// tag is the image tag that runs.
const tag = "v42"

// app is one Deployment with all it owns.
type app struct {
	size            Size
	namespace, name string
	index           int
	hash            string
	trouble         Trouble
}

func meta(namespace, name string, created time.Time) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: namespace, Name: name, UID: uuid.NewUUID(), CreationTimestamp: metav1.NewTime(created.Truncate(time.Second)), Generation: 1}
}

// age of the newest revision: healthy ones are old, troubled ones half an hour.
func (a *app) started() time.Time {
	if a.trouble != None {
		return a.size.Now.Add(-30 * time.Minute)
	}
	return a.size.Now.Add(-time.Duration(26+a.index%700) * time.Hour)
}

func (a *app) labels() map[string]string {
	return map[string]string{"app.kubernetes.io/name": a.name, "app.kubernetes.io/instance": a.name + "-production", "app.kubernetes.io/part-of": a.namespace,
		"app.kubernetes.io/managed-by": "Helm", "app.kubernetes.io/version": tag}
}

func (a *app) deployment() *appsv1.Deployment {
	n := int32(a.size.PerDeployment)
	d := &appsv1.Deployment{ObjectMeta: meta(a.namespace, a.name, a.size.Now.Add(-60*24*time.Hour))}
	d.Labels = a.labels()
	if a.trouble != None {
		d.Labels[TroubleLabel] = string(a.trouble)
	}
	d.Annotations = map[string]string{"deployment.kubernetes.io/revision": fmt.Sprint(a.size.OldSets + 1), "meta.helm.sh/release-name": a.name, "meta.helm.sh/release-namespace": a.namespace}
	d.ManagedFields = managed("helm", "kube-controller-manager", deploymentFields)
	d.Spec = appsv1.DeploymentSpec{Replicas: &n, Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app.kubernetes.io/name": a.name}},
		Template: a.template(tag, ""), RevisionHistoryLimit: ptr.To[int32](10), ProgressDeadlineSeconds: ptr.To[int32](600),
		Strategy: appsv1.DeploymentStrategy{Type: appsv1.RollingUpdateDeploymentStrategyType, RollingUpdate: rolling()}}
	since := metav1.NewTime(a.started().Truncate(time.Second))
	d.Status = appsv1.DeploymentStatus{ObservedGeneration: 1, Replicas: n, UpdatedReplicas: n}
	if a.trouble == None {
		d.Status.ReadyReplicas, d.Status.AvailableReplicas = n, n
		d.Status.Conditions = []appsv1.DeploymentCondition{
			{Type: appsv1.DeploymentAvailable, Status: "True", Reason: "MinimumReplicasAvailable", Message: "Deployment has minimum availability.", LastUpdateTime: since, LastTransitionTime: since},
			{Type: appsv1.DeploymentProgressing, Status: "True", Reason: "NewReplicaSetAvailable", Message: fmt.Sprintf("ReplicaSet %q has successfully progressed.", a.name+"-"+a.hash), LastUpdateTime: since, LastTransitionTime: since}}
		return d
	}
	late := metav1.NewTime(since.Add(10 * time.Minute))
	d.Status.UnavailableReplicas = n
	d.Status.Conditions = []appsv1.DeploymentCondition{
		{Type: appsv1.DeploymentAvailable, Status: "False", Reason: "MinimumReplicasUnavailable", Message: "Deployment does not have minimum availability.", LastUpdateTime: since, LastTransitionTime: since},
		{Type: appsv1.DeploymentProgressing, Status: "False", Reason: "ProgressDeadlineExceeded", Message: fmt.Sprintf("ReplicaSet %q has timed out progressing.", a.name+"-"+a.hash), LastUpdateTime: late, LastTransitionTime: late}}
	return d
}

func (a *app) replicaSet(d *appsv1.Deployment, revision int, tag, hash string, replicas int) *appsv1.ReplicaSet {
	n := int32(replicas)
	rs := &appsv1.ReplicaSet{ObjectMeta: meta(a.namespace, a.name+"-"+hash, a.started().Add(time.Duration(revision-a.size.OldSets-1)*24*time.Hour))}
	rs.Labels = a.labels()
	rs.Labels[appsv1.DefaultDeploymentUniqueLabelKey] = hash
	rs.Annotations = map[string]string{"deployment.kubernetes.io/revision": fmt.Sprint(revision), "deployment.kubernetes.io/desired-replicas": fmt.Sprint(a.size.PerDeployment),
		"deployment.kubernetes.io/max-replicas": fmt.Sprint(a.size.PerDeployment + (a.size.PerDeployment+3)/4), "meta.helm.sh/release-name": a.name, "meta.helm.sh/release-namespace": a.namespace}
	rs.OwnerReferences = owner("apps/v1", "Deployment", d.Name, d.UID)
	rs.ManagedFields = managed("kube-controller-manager", "kube-controller-manager", deploymentFields)
	rs.Spec = appsv1.ReplicaSetSpec{Replicas: &n, Template: a.template(tag, hash),
		Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app.kubernetes.io/name": a.name, appsv1.DefaultDeploymentUniqueLabelKey: hash}}}
	rs.Status = appsv1.ReplicaSetStatus{ObservedGeneration: 1, Replicas: n, FullyLabeledReplicas: n}
	if a.trouble == None {
		rs.Status.ReadyReplicas, rs.Status.AvailableReplicas = n, n
	}
	return rs
}

func owner(version, kind, name string, uid types.UID) []metav1.OwnerReference {
	return []metav1.OwnerReference{{APIVersion: version, Kind: kind, Name: name, UID: uid, Controller: ptr.To(true), BlockOwnerDeletion: ptr.To(true)}}
}
