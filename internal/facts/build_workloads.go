package facts

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apiequality "k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

const revisionAnnotation = "deployment.kubernetes.io/revision"

func (f *Facts) buildWorkloads() {
	podsOf := podsByOwner(f.Pods)
	replicaSets := f.replicaSetsByOwner()
	for _, d := range f.Snap.Objects.Deployments {
		f.add(f.deployment(d, replicaSets[ownerKey("Deployment", d)], podsOf))
	}
	for _, s := range f.Snap.Objects.StatefulSets {
		f.add(f.statefulSet(s, podsOf("StatefulSet", s)))
	}
	for _, d := range f.Snap.Objects.DaemonSets {
		f.add(f.daemonSet(d, podsOf("DaemonSet", d)))
	}
	for _, j := range f.Snap.Objects.Jobs {
		f.add(f.job(j, podsOf("Job", j)))
	}
	f.addRollouts(replicaSets, podsOf)
	for _, rs := range f.Snap.Objects.ReplicaSets {
		if metav1.GetControllerOf(rs) == nil {
			f.add(f.loneReplicaSet(rs, podsOf("ReplicaSet", rs)))
		}
	}
	f.addOrphanSets(replicaSets, podsOf)
	f.addOrphans()
	f.addRefused()
}

// owned are the pods of one controller.
type owned struct {
	objectKey
	pods []*Pod
}

// podsByOwner looks pods up by their controller's UID and, where the source
// lost it, by kind and name. Pods of one controller lie side by side in most
// sources and often share their owner references, so that few look-ups are made.
func podsByOwner(pods []*Pod) func(kind string, o metav1.Object) []*Pod {
	byUID, byName := map[types.UID]*owned{}, map[objectKey]*owned{}
	mixed := false // one UID under two names, or one name under two UIDs
	var last *metav1.OwnerReference
	var group *owned
	for _, p := range pods {
		refs := p.Obj.OwnerReferences
		if len(refs) == 0 {
			continue
		}
		if last != &refs[0] || group == nil || group.namespace != p.Obj.Namespace {
			ref := metav1.GetControllerOfNoCopy(p.Obj)
			if ref == nil {
				continue
			}
			k := objectKey{ref.Kind, p.Obj.Namespace, ref.Name}
			last, group = &refs[0], byUID[ref.UID]
			if group == nil {
				group = &owned{objectKey: k}
				byUID[ref.UID] = group
				mixed = mixed || byName[k] != nil
				byName[k] = group
			}
			mixed = mixed || group.objectKey != k
		}
		group.pods = append(group.pods, p)
	}
	if mixed {
		byName = map[objectKey]*owned{}
		for _, p := range pods {
			ref := metav1.GetControllerOfNoCopy(p.Obj)
			if ref == nil {
				continue
			}
			k := objectKey{ref.Kind, p.Obj.Namespace, ref.Name}
			if byName[k] == nil {
				byName[k] = &owned{objectKey: k}
			}
			byName[k].pods = append(byName[k].pods, p)
		}
	}
	return func(kind string, o metav1.Object) []*Pod {
		if g := byUID[o.GetUID()]; g != nil && o.GetUID() != "" {
			return g.pods
		}
		if g := byName[objectKey{kind, o.GetNamespace(), o.GetName()}]; g != nil {
			return g.pods
		}
		return nil
	}
}

func (f *Facts) add(w *Workload) {
	w.memo = &readings{}
	old := w.OldPods()
	for _, p := range old {
		p.Workload, p.New = w, false
	}
	for _, p := range w.NewPods() {
		p.Workload, p.New = w, true
	}
	if w.Pods = w.NewPods(); len(w.Pods) == 0 {
		w.Pods = old
	} else if len(old) > 0 {
		w.Pods = slices.Concat(w.Pods, old)
	}
	f.Workloads = append(f.Workloads, w)
}

func ownerKey(kind string, o metav1.Object) objectKey {
	return objectKey{kind, o.GetNamespace(), o.GetName()}
}

func (f *Facts) replicaSetsByOwner() map[objectKey][]*appsv1.ReplicaSet {
	out := map[objectKey][]*appsv1.ReplicaSet{}
	for _, rs := range f.Snap.Objects.ReplicaSets {
		if ref := metav1.GetControllerOf(rs); ref != nil {
			k := objectKey{ref.Kind, rs.Namespace, ref.Name}
			out[k] = append(out[k], rs)
		}
	}
	return out
}

func (f *Facts) deployment(d *appsv1.Deployment, sets []*appsv1.ReplicaSet, podsOf func(string, metav1.Object) []*Pod) *Workload {
	w := f.workload("Deployment", d)
	w.Deployment, w.Template, w.Paused = d, &d.Spec.Template, d.Spec.Paused
	w.Desired = replicasOr1(d.Spec.Replicas)
	st := d.Status
	w.Total, w.Updated, w.Ready, w.Available = st.Replicas, st.UpdatedReplicas, st.ReadyReplicas, st.AvailableReplicas
	w.ObservedGeneration = st.ObservedGeneration
	for _, c := range st.Conditions {
		w.Conditions = append(w.Conditions, Condition{string(c.Type), string(c.Status), c.Reason, c.Message, c.LastUpdateTime.Time, c.LastTransitionTime.Time})
	}
	w.Revision = d.Annotations[revisionAnnotation]
	f.splitReplicaSets(w, sets, podsOf)
	return w
}

// splitReplicaSets finds the newest ReplicaSet as the deployment controller
// does: the one whose template equals the workload's, else the highest revision.
func (f *Facts) splitReplicaSets(w *Workload, sets []*appsv1.ReplicaSet, podsOf func(string, metav1.Object) []*Pod) {
	sets = slices.Clone(sets)
	slices.SortFunc(sets, func(a, b *appsv1.ReplicaSet) int {
		return cmp.Or(cmp.Compare(revisionNumber(b), revisionNumber(a)), b.CreationTimestamp.Compare(a.CreationTimestamp.Time), cmp.Compare(a.Name, b.Name))
	})
	// The controller makes no ReplicaSet for a template changed while paused.
	changedInPause := w.Paused && w.Desired > 0 && w.Updated == 0
	// Nor does it with strategy Recreate before the last old pod is gone; the old
	// ReplicaSet keeps the highest revision until then.
	oldPodsFirst := w.Deployment != nil && w.Deployment.Spec.Strategy.Type == appsv1.RecreateDeploymentStrategyType &&
		w.Desired > 0 && w.Updated == 0 && len(sets) > 0 && replicasOr1(sets[0].Spec.Replicas) == 0
	highest := len(sets) > 0 && w.ObservedGeneration >= w.Generation && !changedInPause && !oldPodsFirst &&
		(w.Revision == "" || sets[0].Annotations[revisionAnnotation] == w.Revision)
	newest := 0
	// Where the highest revision counts anyway, templates are compared in full
	// only when an older one could equal the workload's.
	if !highest || !allDiffer(w.Template, sets[1:]) {
		newest = slices.IndexFunc(sets, func(rs *appsv1.ReplicaSet) bool { return equalTemplate(w.Template, &rs.Spec.Template) })
		if newest < 0 && highest {
			newest = 0
		}
	}
	for i, rs := range sets {
		r := f.replicaSetRevision(rs, podsOf("ReplicaSet", rs))
		if i == newest {
			w.New, w.Started = r, r.Created
			continue
		}
		w.Old = append(w.Old, r)
	}
}

func (f *Facts) replicaSetRevision(rs *appsv1.ReplicaSet, pods []*Pod) *Revision {
	r := &Revision{Name: rs.Name, Number: rs.Annotations[revisionAnnotation], UID: rs.UID, Created: rs.CreationTimestamp.Time,
		Desired: replicasOr1(rs.Spec.Replicas), Template: &rs.Spec.Template, ReplicaSet: rs, Pods: sortPods(pods),
		Events: f.EventsOf("ReplicaSet", rs.Namespace, rs.Name, rs.UID)}
	owner := Receipt{Kind: "ReplicaSet", Namespace: rs.Namespace, Name: rs.Name}
	r.CreateFailures = createFailures(r.Events, owner)
	if len(r.CreateFailures) == 0 {
		// The condition's text is frozen at the first refusal, so it only
		// speaks when the events are gone.
		for _, c := range rs.Status.Conditions {
			if c.Type == appsv1.ReplicaSetReplicaFailure && c.Status == corev1.ConditionTrue && c.Reason == "FailedCreate" {
				owner.Field, owner.Text, owner.Time = "status.conditions[ReplicaFailure]", c.Message, c.LastTransitionTime.Time
				r.CreateFailures = []CreateFailure{{Message: trimCreate(c.Message), Owner: owner, First: c.LastTransitionTime.Time, Last: c.LastTransitionTime.Time, Count: 1, Receipt: owner}}
			}
		}
	}
	return r
}

func (f *Facts) workload(kind string, o metav1.Object) *Workload {
	return &Workload{Kind: kind, Namespace: o.GetNamespace(), Name: o.GetName(), UID: o.GetUID(), Created: o.GetCreationTimestamp().Time,
		Started: o.GetCreationTimestamp().Time, Generation: o.GetGeneration(), Events: f.EventsOf(kind, o.GetNamespace(), o.GetName(), o.GetUID())}
}

func revisionNumber(rs *appsv1.ReplicaSet) int {
	n, _ := strconv.Atoi(rs.Annotations[revisionAnnotation])
	return n
}

func replicasOr1(n *int32) int32 {
	if n == nil {
		return 1
	}
	return *n
}

// equalTemplate compares templates as the deployment controller does, without
// the hash label. It copies nothing deep: it runs for every ReplicaSet.
func equalTemplate(a, b *corev1.PodTemplateSpec) bool {
	x, y := *a, *b
	x.Labels, y.Labels = withoutHash(a.Labels), withoutHash(b.Labels)
	return apiequality.Semantic.DeepEqual(&x, &y)
}

// allDiffer is true when a glance tells that no ReplicaSet has the template:
// another image, another time of restart.
func allDiffer(t *corev1.PodTemplateSpec, sets []*appsv1.ReplicaSet) bool {
	for _, rs := range sets {
		other := &rs.Spec.Template
		same := slices.EqualFunc(t.Spec.Containers, other.Spec.Containers, func(a, b corev1.Container) bool { return a.Name == b.Name && a.Image == b.Image })
		if same && maps.Equal(t.Annotations, other.Annotations) {
			return false
		}
	}
	return true
}

func withoutHash(labels map[string]string) map[string]string {
	if _, ok := labels[appsv1.DefaultDeploymentUniqueLabelKey]; !ok {
		return labels
	}
	out := maps.Clone(labels)
	delete(out, appsv1.DefaultDeploymentUniqueLabelKey)
	return out
}

func sortPods(pods []*Pod) []*Pod {
	byName := func(a, b *Pod) int { return cmp.Compare(a.Obj.Name, b.Obj.Name) }
	if slices.IsSortedFunc(pods, byName) {
		return slices.Clip(pods) // nobody changes them
	}
	pods = slices.Clone(pods)
	slices.SortFunc(pods, byName)
	return pods
}

// createFailures reads FailedCreate events, oldest first. A later success of
// the same owner ends the failures before it.
func createFailures(events []*Event, owner Receipt) []CreateFailure {
	var out []CreateFailure
	for _, e := range events {
		switch e.Reason {
		case "FailedCreate":
			out = append(out, CreateFailure{Message: trimCreate(e.Message), Owner: owner, First: e.First, Last: e.Last, Count: e.Count, Receipt: e.Receipt()})
		}
	}
	return out
}

// trimCreate strips what controllers put before the API server's words. The
// StatefulSet controller has written its verb with a small and with a capital
// letter (stateful_pod_control.go).
func trimCreate(message string) string {
	message = strings.TrimPrefix(message, "Error creating: ")
	if rest, ok := strings.CutPrefix(message, "Create "); ok {
		message = "create " + rest
	}
	if i := strings.Index(message, " failed error: "); i >= 0 && strings.HasPrefix(message, "create Pod ") {
		message = message[i+len(" failed error: "):]
	}
	return message
}

func (f *Facts) loneReplicaSet(rs *appsv1.ReplicaSet, pods []*Pod) *Workload {
	w := f.workload("ReplicaSet", rs)
	w.ReplicaSet, w.Template, w.Desired = rs, &rs.Spec.Template, replicasOr1(rs.Spec.Replicas)
	st := rs.Status
	w.Total, w.Updated, w.Ready, w.Available, w.ObservedGeneration = st.Replicas, st.Replicas, st.ReadyReplicas, st.AvailableReplicas, st.ObservedGeneration
	w.New = f.replicaSetRevision(rs, pods)
	return w
}

func (f *Facts) job(j *batchv1.Job, pods []*Pod) *Workload {
	w := f.workload("Job", j)
	w.Job, w.Template, w.Desired = j, &j.Spec.Template, replicasOr1(j.Spec.Completions)
	if j.Spec.Completions == nil && j.Spec.Parallelism != nil {
		w.Desired = *j.Spec.Parallelism
	}
	w.Paused = j.Spec.Suspend != nil && *j.Spec.Suspend
	w.Total, w.Updated = j.Status.Active, j.Status.Active
	w.Available = j.Status.Succeeded
	if j.Status.Ready != nil {
		w.Ready = *j.Status.Ready
	}
	w.ObservedGeneration = w.Generation // Jobs have no observedGeneration
	if j.Status.StartTime != nil {
		w.Started = j.Status.StartTime.Time
	}
	for _, c := range j.Status.Conditions {
		w.Conditions = append(w.Conditions, Condition{string(c.Type), string(c.Status), c.Reason, c.Message, laterOf(c.LastProbeTime.Time, c.LastTransitionTime.Time), c.LastTransitionTime.Time})
	}
	w.New = &Revision{Name: j.Name, UID: j.UID, Created: w.Created, Desired: w.Desired, Template: w.Template, Pods: sortPods(pods), Events: w.Events,
		CreateFailures: createFailures(w.Events, Receipt{Kind: "Job", Namespace: j.Namespace, Name: j.Name})}
	return w
}

func laterOf(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
