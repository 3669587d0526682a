package facts

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/unjam-dev/unjam/internal/fit"
	"github.com/unjam-dev/unjam/internal/snapshot"
)

// addOrphans makes workloads for pods whose owner was not seen, so that a
// source with pods alone can be judged: pods of one ReplicaSet that carries a
// template hash belong to the Deployment of the name before the hash.
func (f *Facts) addOrphans() {
	groups := map[objectKey]*Workload{}
	var order []objectKey
	for _, p := range f.Pods {
		if p.Workload != nil {
			continue
		}
		k := orphanOwner(p)
		w := groups[k]
		if w == nil {
			w = &Workload{Kind: k.kind, Namespace: k.namespace, Name: k.name, Orphan: k.kind != "Pod", Created: p.Obj.CreationTimestamp.Time, Started: p.Obj.CreationTimestamp.Time,
				Template: &corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: p.Obj.Labels}, Spec: p.Obj.Spec},
				Events:   f.EventsOf(k.kind, k.namespace, k.name, "")}
			groups[k] = w
			order = append(order, k)
		}
		w.Desired++
		w.Total++
		hash := cmp.Or(p.Obj.Labels[appsv1.DefaultDeploymentUniqueLabelKey], p.Obj.Labels[hashLabel])
		f.orphanRevision(w, hash, p)
		if p.Phase == PhaseReady {
			w.Ready++
			w.Available++
		}
	}
	for _, k := range order {
		w := groups[k]
		// The youngest revision is the newest one.
		slices.SortStableFunc(w.Old, func(a, b *Revision) int { return b.Created.Compare(a.Created) })
		w.New, w.Old = w.Old[0], w.Old[1:]
		w.Revision, w.Started, w.Updated = w.New.Number, w.New.Created, int32(len(w.New.Pods))
		w.New.Desired = w.Updated
		f.add(w)
	}
}

func (f *Facts) orphanRevision(w *Workload, hash string, p *Pod) {
	i := slices.IndexFunc(w.Old, func(r *Revision) bool { return r.Number == hash })
	if i < 0 {
		r := &Revision{Number: hash, Created: p.Obj.CreationTimestamp.Time, Template: w.Template}
		if ref := metav1.GetControllerOf(p.Obj); ref != nil {
			r.Name = ref.Name
			r.Events = f.EventsOf(ref.Kind, p.Obj.Namespace, ref.Name, ref.UID)
			r.CreateFailures = createFailures(r.Events, Receipt{Kind: ref.Kind, Namespace: p.Obj.Namespace, Name: ref.Name})
		}
		w.Old = append(w.Old, r)
		i = len(w.Old) - 1
	}
	w.Old[i].Pods = append(w.Old[i].Pods, p)
}

func orphanOwner(p *Pod) objectKey {
	ref := metav1.GetControllerOf(p.Obj)
	if ref == nil || ref.Kind == "Node" {
		return objectKey{"Pod", p.Obj.Namespace, p.Obj.Name}
	}
	if hash := p.Obj.Labels[appsv1.DefaultDeploymentUniqueLabelKey]; hash != "" && ref.Kind == "ReplicaSet" {
		if name, ok := strings.CutSuffix(ref.Name, "-"+hash); ok {
			return objectKey{"Deployment", p.Obj.Namespace, name}
		}
	}
	if name := deploymentConfig(p); name != "" && ref.Kind == "ReplicationController" {
		return objectKey{"DeploymentConfig", p.Obj.Namespace, name}
	}
	return objectKey{ref.Kind, p.Obj.Namespace, ref.Name}
}

// deploymentConfig is the OpenShift DeploymentConfig that a pod's
// ReplicationController belongs to, by the marks its controller puts on pods
// (openshift/api apps/v1 DeploymentConfigAnnotation, DeploymentConfigLabel).
func deploymentConfig(p *Pod) string {
	return cmp.Or(p.Obj.Annotations["openshift.io/deployment-config.name"], p.Obj.Labels["deploymentconfig"])
}

// refusalTime is how old a refusal may be for its owner, which was not seen, to
// be taken as still there: controllers try again after 17 minutes at most
// (client-go DefaultControllerRateLimiter, 1000 s).
const refusalTime = 20 * time.Minute

// addRefused makes workloads for owners that were not seen and of which nothing
// exists but the API server's refusals to make their pods.
func (f *Facts) addRefused() {
	var about []objectKey
	for k := range f.eventsName {
		if k.kind == "ReplicationController" { // other kinds are read: when one is not there it is gone or a gap
			about = append(about, k)
		}
	}
	if len(about) == 0 {
		return
	}
	slices.SortFunc(about, compareKeys)
	known := map[objectKey]bool{}
	for _, w := range f.Workloads {
		known[objectKey{w.Kind, w.Namespace, w.Name}] = true
		for _, r := range append(slices.Clone(w.Old), w.New) {
			if r != nil {
				known[objectKey{ownerOf(w), w.Namespace, r.Name}] = true
			}
		}
	}
	for _, k := range about {
		if known[k] {
			continue
		}
		failures := createFailures(f.eventsName[k], Receipt{Kind: k.kind, Namespace: k.namespace, Name: k.name})
		if len(failures) == 0 || f.Now.Sub(failures[len(failures)-1].Last) > refusalTime {
			continue
		}
		w := &Workload{Kind: k.kind, Namespace: k.namespace, Name: k.name, Orphan: true, Events: f.eventsName[k],
			Created: failures[0].First, Started: failures[0].First, Template: &corev1.PodTemplateSpec{}}
		w.New = &Revision{Name: k.name, Created: w.Created, Template: w.Template, Events: w.Events, CreateFailures: failures}
		f.add(w)
	}
}

// ownerOf is the kind that makes the pods of a workload's revisions.
func ownerOf(w *Workload) string {
	switch w.Kind {
	case "Deployment", "Rollout":
		return "ReplicaSet"
	case "DeploymentConfig":
		return "ReplicationController"
	}
	return w.Kind
}

func compareKeys(a, b objectKey) int {
	return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.namespace, b.namespace), cmp.Compare(a.name, b.name))
}

func newCluster(s *snapshot.Snapshot) *fit.Cluster {
	o := s.Objects
	pods, complete := s.AllPods()
	return fit.NewCluster(o.Nodes, pods, fit.Options{PVCs: o.PVCs, PVs: o.PVs, StorageClasses: o.StorageClasses, CSINodes: o.CSINodes, Attachments: o.VolumeAttaches, Namespaces: o.Namespaces,
		Seen: s.Covers, Partial: !complete || !s.Covers("nodes", "")})
}

// addOrphanSets makes workloads for ReplicaSets whose owner was not seen: what
// is refused or missing in them must not vanish with the owner.
func (f *Facts) addOrphanSets(sets map[objectKey][]*appsv1.ReplicaSet, podsOf func(string, metav1.Object) []*Pod) {
	orphans := maps.Clone(sets)
	for _, w := range f.Workloads {
		delete(orphans, objectKey{w.Kind, w.Namespace, w.Name})
	}
	for _, k := range slices.SortedFunc(maps.Keys(orphans), compareKeys) {
		if !slices.Contains(kinds, k.kind) {
			continue
		}
		newest := slices.MaxFunc(sets[k], func(a, b *appsv1.ReplicaSet) int {
			return cmp.Or(cmp.Compare(revisionNumber(a), revisionNumber(b)), a.CreationTimestamp.Compare(b.CreationTimestamp.Time))
		})
		w := &Workload{Kind: k.kind, Namespace: k.namespace, Name: k.name, Orphan: true, Created: newest.CreationTimestamp.Time,
			Started: newest.CreationTimestamp.Time, Template: &newest.Spec.Template, Events: f.EventsOf(k.kind, k.namespace, k.name, ""),
			Revision: newest.Annotations[revisionAnnotation]}
		f.splitReplicaSets(w, sets[k], podsOf)
		for _, r := range append(slices.Clone(w.Old), w.New) {
			if r != nil {
				w.Desired += r.Desired
				w.Total += r.ReplicaSet.Status.Replicas
				w.Ready += r.ReplicaSet.Status.ReadyReplicas
				w.Available += r.ReplicaSet.Status.AvailableReplicas
			}
		}
		if w.New != nil {
			w.Updated = w.New.ReplicaSet.Status.Replicas
		}
		f.add(w)
	}
}
