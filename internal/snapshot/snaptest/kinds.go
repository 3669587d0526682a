package snaptest

import (
	"cmp"
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
)

// Kinds are the kinds of workload that Workload can build. A CronJob stands for
// the Job that it made.
var Kinds = []string{"Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob", "Pod", "ReplicaSet", "Rollout", "ReplicationController", "DeploymentConfig"}

// Workload is a workload of any kind in the middle of an update, to play the
// same fault on each.
type Workload struct {
	Kind, Name string
	Replicas   int32
	// Object is the owner, nil for a bare pod and for kinds that are not read.
	Object metav1.Object
	b      *Builder
	spec   corev1.PodSpec
	owner  metav1.OwnerReference
	labels map[string]string
	n      int
	set    *Set
	stable *appsv1.ReplicaSet
}

// Workload adds a workload of the kind with the given number of replicas
// (nodes for a DaemonSet, completions for a Job), updated five minutes ago.
func (b *Builder) Workload(kind, name, image string, replicas int32, change ...func(*corev1.PodSpec)) *Workload {
	w := &Workload{Kind: kind, Name: name, Replicas: replicas, b: b, labels: map[string]string{"app": name}}
	switch kind {
	case "Deployment":
		w.set = b.Deployment(name, image, replicas, change...)
		w.Object, w.spec = w.set.Deployment, w.set.Deployment.Spec.Template.Spec
		w.set.Deployment.CreationTimestamp = ago(24 * time.Hour)
		w.set.Deployment.Annotations["deployment.kubernetes.io/revision"] = "2"
		w.set.ReplicaSet.Annotations["deployment.kubernetes.io/revision"] = "2"
		w.set.Deployment.Status.UpdatedReplicas, w.set.Deployment.Status.Replicas = 0, 0
		// 25% of up to four pods: one more, none less.
		one := int32(1)
		w.set.ReplicaSet.Spec.Replicas, w.set.ReplicaSet.Status.Replicas = &one, 0
	case "StatefulSet":
		s := b.StatefulSet(name, image, replicas, change...)
		s.CreationTimestamp = ago(24 * time.Hour)
		s.Status.UpdateRevision, s.Status.CurrentRevision = name+"-rev2", name+"-rev1"
		w.Object, w.spec = s, s.Spec.Template.Spec
		b.controllerRevisions("StatefulSet", s)
	case "DaemonSet":
		d := b.DaemonSet(name, image, replicas, change...)
		d.CreationTimestamp = ago(24 * time.Hour)
		d.Status.UpdatedNumberScheduled, d.Status.CurrentNumberScheduled, d.Status.NumberUnavailable = 0, 0, 0
		w.Object, w.spec = d, d.Spec.Template.Spec
		b.controllerRevisions("DaemonSet", d)
	case "Job", "CronJob":
		j := b.Job(name, image, change...)
		j.Spec.Completions, j.Status.Active = &replicas, 0
		w.Object, w.spec = j, j.Spec.Template.Spec
		if kind == "CronJob" {
			j.OwnerReferences = []metav1.OwnerReference{owner("batch/v1", "CronJob", name, "uid-cron")}
			j.Name = name + "-29000001"
		}
		w.owner = owner("batch/v1", "Job", j.Name, j.UID)
	case "ReplicaSet":
		rs := &appsv1.ReplicaSet{ObjectMeta: b.meta(name, 24*time.Hour)}
		rs.Spec.Replicas, rs.Spec.Selector, rs.Spec.Template = &replicas, &metav1.LabelSelector{MatchLabels: w.labels}, template(name, image, change...)
		rs.Status.ObservedGeneration = 1
		b.Snap.Objects.ReplicaSets = append(b.Snap.Objects.ReplicaSets, rs)
		w.Object, w.spec = rs, rs.Spec.Template.Spec
	case "Rollout":
		w.rollout(template(name, image, change...))
	case "ReplicationController", "DeploymentConfig":
		w.spec = template(name, image, change...).Spec
		w.owner = owner("v1", "ReplicationController", name, "uid-rc")
		if kind == "DeploymentConfig" {
			w.owner.Name = name + "-2"
			w.labels["deployment"], w.labels["deploymentconfig"] = name+"-2", name
		}
	default:
		w.spec = template(name, image, change...).Spec
	}
	if w.Object != nil && w.owner.Name == "" {
		w.owner = owner("apps/v1", kind, name, w.Object.GetUID())
	}
	return w
}

// controllerRevisions adds the records of revision 1, a day old, and of
// revision 2.
func (b *Builder) controllerRevisions(kind string, o metav1.Object) {
	for i := range 2 {
		cr := &appsv1.ControllerRevision{ObjectMeta: b.meta(fmt.Sprintf("%s-rev%d", o.GetName(), i+1), time.Duration(1-i)*24*time.Hour+5*time.Minute), Revision: int64(i + 1)}
		cr.Labels = map[string]string{"app": o.GetName(), "controller-revision-hash": cr.Name}
		cr.OwnerReferences = []metav1.OwnerReference{owner("apps/v1", kind, o.GetName(), o.GetUID())}
		b.Snap.Objects.ControllerRevisions = append(b.Snap.Objects.ControllerRevisions, cr)
	}
}

// rollout builds an Argo Rollout as a canary with its two ReplicaSets.
func (w *Workload) rollout(t corev1.PodTemplateSpec) {
	raw, err := runtime.DefaultUnstructuredConverter.ToUnstructured(&t)
	if err != nil {
		panic(err) // a fixture that cannot be written is a bug in the test
	}
	u := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout",
		"spec": map[string]any{"replicas": int64(w.Replicas), "template": raw,
			"strategy": map[string]any{"canary": map[string]any{"steps": []any{map[string]any{"setWeight": int64(20)}, map[string]any{"pause": map[string]any{}}}}}},
		"status": map[string]any{"currentPodHash": "hash2", "stableRS": "hash1", "observedGeneration": "1", "currentStepIndex": int64(0)}}}
	m := w.b.meta(w.Name, 24*time.Hour)
	u.SetNamespace(m.Namespace)
	u.SetName(m.Name)
	u.SetUID(m.UID)
	u.SetCreationTimestamp(m.CreationTimestamp)
	u.SetGeneration(1)
	u.SetAnnotations(map[string]string{"rollout.argoproj.io/revision": "2"})
	w.b.Snap.Objects.AddOther(u)
	w.Object, w.spec = u, t.Spec
	makeSet := func(hash string, replicas int32, age time.Duration) *appsv1.ReplicaSet {
		rs := &appsv1.ReplicaSet{ObjectMeta: w.b.meta(w.Name+"-"+hash, age)}
		rs.Annotations = map[string]string{"rollout.argoproj.io/revision": hash[len("hash"):]}
		rs.OwnerReferences = []metav1.OwnerReference{owner("argoproj.io/v1alpha1", "Rollout", w.Name, u.GetUID())}
		rs.Spec.Replicas, rs.Spec.Selector, rs.Spec.Template = &replicas, &metav1.LabelSelector{MatchLabels: w.labels}, *t.DeepCopy()
		rs.Spec.Template.Labels["rollouts-pod-template-hash"] = hash
		rs.Labels = rs.Spec.Template.Labels
		rs.Status.ObservedGeneration = 1
		w.b.Snap.Objects.ReplicaSets = append(w.b.Snap.Objects.ReplicaSets, rs)
		return rs
	}
	w.stable = makeSet("hash1", w.Replicas, 24*time.Hour)
	w.set = &Set{b: w.b, ReplicaSet: makeSet("hash2", 1, 5*time.Minute)}
}

// Former is how many pods of the former revision such an update leaves in
// place while its first new pod is not available.
func (w *Workload) Former() int {
	switch w.Kind {
	case "Deployment", "Rollout":
		return int(w.Replicas)
	case "StatefulSet", "DaemonSet":
		return int(w.Replicas) - 1
	}
	return 0
}

// Pod adds the next pod of the newest revision, bound to the node unless it is
// empty.
func (w *Workload) Pod(node string) *Pod {
	w.n++
	switch o := w.Object.(type) {
	case *appsv1.Deployment:
		o.Status.UpdatedReplicas++
		o.Status.Replicas++
	case *appsv1.StatefulSet:
		o.Status.Replicas++
		o.Status.UpdatedReplicas++
		return w.pod(fmt.Sprintf("%s-%d", w.Name, int(w.Replicas)-w.n), w.Name+"-rev2", node)
	case *appsv1.DaemonSet:
		o.Status.CurrentNumberScheduled++
		o.Status.UpdatedNumberScheduled++
		o.Status.NumberUnavailable++
		p := w.pod(fmt.Sprintf("%s-%d", w.Name, w.n), w.Name+"-rev2", node)
		// The controller names the node that the pod is for.
		p.Obj.Spec.Affinity = &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{RequiredDuringSchedulingIgnoredDuringExecution: &corev1.NodeSelector{NodeSelectorTerms: []corev1.NodeSelectorTerm{{
			MatchFields: []corev1.NodeSelectorRequirement{{Key: "metadata.name", Operator: corev1.NodeSelectorOpIn, Values: []string{cmp.Or(node, fmt.Sprintf("n%d", w.n))}}}}}}}}
		return p
	case *batchv1.Job:
		o.Status.Active++
	case *unstructured.Unstructured:
		_ = unstructured.SetNestedField(o.Object, int64(w.n), "status", "updatedReplicas")
	case *appsv1.ReplicaSet:
		o.Status.Replicas++
	}
	if w.set != nil {
		w.set.ReplicaSet.Status.Replicas = int32(w.n)
		return w.set.Pod(node)
	}
	if w.Kind == "Pod" {
		return w.b.BarePod(w.Name, w.spec.Containers[0].Image, node, func(s *corev1.PodSpec) { *s = *w.spec.DeepCopy() })
	}
	return w.pod(fmt.Sprintf("%s-%d", w.owner.Name, w.n), "", node)
}

func (w *Workload) pod(name, revision, node string) *Pod {
	m := w.b.meta(name, 5*time.Minute)
	m.Labels = map[string]string{}
	for k, v := range w.labels {
		m.Labels[k] = v
	}
	if revision != "" {
		m.Labels["controller-revision-hash"] = revision
	}
	m.OwnerReferences = []metav1.OwnerReference{w.owner}
	if w.Kind == "DeploymentConfig" {
		m.Annotations = map[string]string{"openshift.io/deployment-config.name": w.Name, "openshift.io/deployment.name": w.owner.Name}
	}
	return w.b.add(m, w.spec, node)
}

// Old adds a Ready pod of the former revision on the node; only for kinds that
// keep any.
func (w *Workload) Old(node, image string) *Pod {
	spec := w.spec
	w.spec = *spec.DeepCopy()
	w.spec.Containers[0].Image = image
	defer func() { w.spec = spec }()
	var p *Pod
	switch o := w.Object.(type) {
	case *appsv1.Deployment:
		newest := w.set.ReplicaSet
		if w.stable == nil {
			t := o.Spec.Template.DeepCopy()
			t.Spec = w.spec
			w.stable = w.set.revision("0", *t, 0)
			w.stable.Annotations["deployment.kubernetes.io/revision"] = "1"
			w.stable.CreationTimestamp = ago(24 * time.Hour)
		}
		*w.stable.Spec.Replicas++
		w.stable.Status.Replicas++
		w.set.ReplicaSet = w.stable
		p = w.set.Pod(node)
		w.set.ReplicaSet = newest
		o.Status.Replicas++
		o.Status.ReadyReplicas++
		o.Status.AvailableReplicas++
	case *appsv1.StatefulSet:
		p = w.pod(fmt.Sprintf("%s-%d", w.Name, o.Status.ReadyReplicas), w.Name+"-rev1", node)
		o.Status.Replicas++
		o.Status.ReadyReplicas++
		o.Status.AvailableReplicas++
	case *appsv1.DaemonSet:
		p = w.pod(fmt.Sprintf("%s-old-%s", w.Name, node), w.Name+"-rev1", node)
		o.Status.CurrentNumberScheduled++
		o.Status.NumberReady++
		o.Status.NumberAvailable++
	case *unstructured.Unstructured:
		newest := w.set.ReplicaSet
		w.stable.Spec.Template.Spec.Containers[0].Image = image
		w.set.ReplicaSet = w.stable
		p = w.set.Pod(node)
		w.set.ReplicaSet = newest
		w.stable.Status.Replicas++
		n := int64(w.stable.Status.Replicas)
		_ = unstructured.SetNestedField(o.Object, n, "status", "availableReplicas")
		_ = unstructured.SetNestedField(o.Object, n, "status", "readyReplicas")
	default:
		panic(w.Kind + " keeps no former revision")
	}
	p.Obj.CreationTimestamp = ago(23 * time.Hour)
	p.Ready()
	p.Obj.Status.ContainerStatuses[0].State.Running.StartedAt = ago(23*time.Hour - 2*time.Second)
	for i := range p.Obj.Status.Conditions {
		p.Obj.Status.Conditions[i].LastTransitionTime = ago(23*time.Hour - 5*time.Second)
	}
	return p
}

// Refused adds the controller's events about a pod that the API server refused,
// in the words of the kind's controller.
func (w *Workload) Refused(message string) {
	kind, name, uid, prefix := w.Kind, w.Name, types.UID(""), "Error creating: "
	switch w.Kind {
	case "Deployment", "Rollout":
		if w.Kind == "Deployment" {
			d := w.set.Deployment
			d.Status.Conditions = append(d.Status.Conditions, appsv1.DeploymentCondition{Type: appsv1.DeploymentReplicaFailure, Status: corev1.ConditionTrue, Reason: "FailedCreate", Message: message, LastUpdateTime: ago(4 * time.Minute), LastTransitionTime: ago(4 * time.Minute)})
		}
		kind, name, uid = "ReplicaSet", w.set.ReplicaSet.Name, w.set.ReplicaSet.UID
	case "StatefulSet":
		prefix = fmt.Sprintf("create Pod %s-%d in StatefulSet %s failed error: ", w.Name, w.Replicas-1, w.Name)
	case "CronJob", "Job":
		kind, name = "Job", w.owner.Name
	case "DeploymentConfig":
		kind, name = "ReplicationController", w.owner.Name
	}
	if uid == "" && w.Object != nil {
		uid = w.Object.GetUID()
	}
	w.b.Event(kind, Namespace, name, uid, "Warning", "FailedCreate", prefix+message, 4*time.Minute, 10*time.Second, 9)
}
