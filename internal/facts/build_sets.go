package facts

import (
	"cmp"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// hashLabel is put on the pods of StatefulSets and DaemonSets by their
// controllers and names the ControllerRevision they were made from.
const hashLabel = appsv1.ControllerRevisionHashLabelKey

func (f *Facts) statefulSet(s *appsv1.StatefulSet, pods []*Pod) *Workload {
	w := f.workload("StatefulSet", s)
	w.StatefulSet, w.Template, w.Desired = s, &s.Spec.Template, replicasOr1(s.Spec.Replicas)
	st := s.Status
	w.Total, w.Updated, w.Ready, w.Available, w.ObservedGeneration = st.Replicas, st.UpdatedReplicas, st.ReadyReplicas, st.AvailableReplicas, st.ObservedGeneration
	for _, c := range st.Conditions {
		w.Conditions = append(w.Conditions, Condition{string(c.Type), string(c.Status), c.Reason, c.Message, c.LastTransitionTime.Time, c.LastTransitionTime.Time})
	}
	f.splitByHash(w, pods, st.UpdateRevision)
	return w
}

func (f *Facts) daemonSet(d *appsv1.DaemonSet, pods []*Pod) *Workload {
	w := f.workload("DaemonSet", d)
	w.DaemonSet, w.Template = d, &d.Spec.Template
	st := d.Status
	w.Desired, w.Total, w.Updated = st.DesiredNumberScheduled, st.CurrentNumberScheduled, st.UpdatedNumberScheduled
	w.Ready, w.Available, w.ObservedGeneration = st.NumberReady, st.NumberAvailable, st.ObservedGeneration
	newest := ""
	var best *appsv1.ControllerRevision
	for _, cr := range f.Snap.Objects.ControllerRevisions {
		if ref := metav1.GetControllerOf(cr); ref != nil && ref.UID == d.UID && (best == nil || cr.Revision > best.Revision) {
			best, newest = cr, cr.Labels[hashLabel]
		}
	}
	f.splitByHash(w, pods, newest)
	return w
}

// splitByHash groups pods by their revision label. With no newest hash known
// the youngest pod's revision counts as newest.
func (f *Facts) splitByHash(w *Workload, pods []*Pod, newest string) {
	if newest == "" {
		var youngest *Pod
		for _, p := range pods {
			if youngest == nil || p.Obj.CreationTimestamp.After(youngest.Obj.CreationTimestamp.Time) {
				youngest = p
			}
		}
		if youngest != nil {
			newest = youngest.Obj.Labels[hashLabel]
		}
	}
	w.Revision = newest
	w.New = &Revision{Name: newest, Number: newest, Desired: w.Desired, Template: w.Template, Created: w.Created, Events: w.Events,
		CreateFailures: createFailures(w.Events, Receipt{Kind: w.Kind, Namespace: w.Namespace, Name: w.Name})}
	for _, cr := range f.Snap.Objects.ControllerRevisions {
		if ref := metav1.GetControllerOf(cr); ref != nil && ref.UID == w.UID && newest != "" && (cr.Name == newest || cr.Labels[hashLabel] == newest) {
			w.New.Created, w.Started = cr.CreationTimestamp.Time, cr.CreationTimestamp.Time
		}
	}
	old := map[string]*Revision{}
	for _, p := range sortPods(pods) {
		hash := p.Obj.Labels[hashLabel]
		if hash == newest || hash == "" {
			w.New.Pods = append(w.New.Pods, p)
			continue
		}
		if old[hash] == nil {
			old[hash] = &Revision{Name: hash, Number: hash}
			w.Old = append(w.Old, old[hash])
		}
		old[hash].Pods = append(old[hash].Pods, p)
	}
	slices.SortFunc(w.Old, func(a, b *Revision) int { return cmp.Compare(a.Name, b.Name) })
}
