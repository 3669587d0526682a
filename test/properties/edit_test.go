package properties

import (
	"math/rand/v2"
	"regexp"
	"slices"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	batchv1 "k8s.io/api/batch/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	nodev1 "k8s.io/api/node/v1"
	policyv1 "k8s.io/api/policy/v1"
	schedulingv1 "k8s.io/api/scheduling/v1"
	storagev1 "k8s.io/api/storage/v1"

	"github.com/unjam-dev/unjam/internal/snapshot"
)

var ansi = regexp.MustCompile("\x1b\\[[0-9;]*m")

// slot moves the objects of one kind about in a snapshot.
type slot struct {
	resource string
	size     func(*snapshot.Objects) int
	// remove takes one object out, clear all of them.
	remove  func(o *snapshot.Objects, i int)
	clear   func(*snapshot.Objects)
	shuffle func(*snapshot.Objects, *rand.Rand)
	// own gives the snapshot a slice of its own; the objects stay shared.
	own func(*snapshot.Objects)
}

func slotOf[T any](resource string, field func(*snapshot.Objects) *[]T) slot {
	return slot{
		resource: resource,
		size:     func(o *snapshot.Objects) int { return len(*field(o)) },
		remove:   func(o *snapshot.Objects, i int) { *field(o) = slices.Delete(slices.Clone(*field(o)), i, i+1) },
		clear:    func(o *snapshot.Objects) { *field(o) = nil },
		shuffle: func(o *snapshot.Objects, r *rand.Rand) {
			list := *field(o)
			r.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
		},
		own: func(o *snapshot.Objects) { *field(o) = slices.Clone(*field(o)) },
	}
}

// slots are all kinds that the recorded bundles hold.
var slots = []slot{
	slotOf("namespaces", func(o *snapshot.Objects) *[]*corev1.Namespace { return &o.Namespaces }),
	slotOf("nodes", func(o *snapshot.Objects) *[]*corev1.Node { return &o.Nodes }),
	slotOf("pods", func(o *snapshot.Objects) *[]*corev1.Pod { return &o.Pods }),
	slotOf("events", func(o *snapshot.Objects) *[]*corev1.Event { return &o.Events }),
	slotOf("deployments", func(o *snapshot.Objects) *[]*appsv1.Deployment { return &o.Deployments }),
	slotOf("replicasets", func(o *snapshot.Objects) *[]*appsv1.ReplicaSet { return &o.ReplicaSets }),
	slotOf("statefulsets", func(o *snapshot.Objects) *[]*appsv1.StatefulSet { return &o.StatefulSets }),
	slotOf("daemonsets", func(o *snapshot.Objects) *[]*appsv1.DaemonSet { return &o.DaemonSets }),
	slotOf("controllerrevisions", func(o *snapshot.Objects) *[]*appsv1.ControllerRevision { return &o.ControllerRevisions }),
	slotOf("jobs", func(o *snapshot.Objects) *[]*batchv1.Job { return &o.Jobs }),
	slotOf("serviceaccounts", func(o *snapshot.Objects) *[]*corev1.ServiceAccount { return &o.ServiceAccounts }),
	slotOf("resourcequotas", func(o *snapshot.Objects) *[]*corev1.ResourceQuota { return &o.ResourceQuotas }),
	slotOf("limitranges", func(o *snapshot.Objects) *[]*corev1.LimitRange { return &o.LimitRanges }),
	slotOf("persistentvolumeclaims", func(o *snapshot.Objects) *[]*corev1.PersistentVolumeClaim { return &o.PVCs }),
	slotOf("persistentvolumes", func(o *snapshot.Objects) *[]*corev1.PersistentVolume { return &o.PVs }),
	slotOf("storageclasses", func(o *snapshot.Objects) *[]*storagev1.StorageClass { return &o.StorageClasses }),
	slotOf("csinodes", func(o *snapshot.Objects) *[]*storagev1.CSINode { return &o.CSINodes }),
	slotOf("volumeattachments", func(o *snapshot.Objects) *[]*storagev1.VolumeAttachment { return &o.VolumeAttaches }),
	slotOf("priorityclasses", func(o *snapshot.Objects) *[]*schedulingv1.PriorityClass { return &o.PriorityClasses }),
	slotOf("runtimeclasses", func(o *snapshot.Objects) *[]*nodev1.RuntimeClass { return &o.RuntimeClasses }),
	slotOf("poddisruptionbudgets", func(o *snapshot.Objects) *[]*policyv1.PodDisruptionBudget { return &o.PDBs }),
	slotOf("horizontalpodautoscalers", func(o *snapshot.Objects) *[]*autoscalingv2.HorizontalPodAutoscaler { return &o.HPAs }),
	slotOf("leases", func(o *snapshot.Objects) *[]*coordinationv1.Lease { return &o.Leases }),
	slotOf("endpointslices", func(o *snapshot.Objects) *[]*discoveryv1.EndpointSlice { return &o.EndpointSlices }),
	slotOf("validatingwebhookconfigurations", func(o *snapshot.Objects) *[]*admissionv1.ValidatingWebhookConfiguration { return &o.ValidatingWebhooks }),
	slotOf("mutatingwebhookconfigurations", func(o *snapshot.Objects) *[]*admissionv1.MutatingWebhookConfiguration { return &o.MutatingWebhooks }),
	slotOf("secrets", func(o *snapshot.Objects) *[]*snapshot.SecretShape { return &o.Secrets }),
	slotOf("configmaps", func(o *snapshot.Objects) *[]*snapshot.ConfigMapShape { return &o.ConfigMaps }),
}

// copyOf is a snapshot whose lists may be changed; the objects in them are
// shared and must be copied before a change.
func copyOf(s *snapshot.Snapshot) *snapshot.Snapshot {
	out := *s
	for _, k := range slots {
		k.own(&out.Objects)
	}
	out.Objects.Neighbours = append(s.Objects.Neighbours[:0:0], s.Objects.Neighbours...)
	out.Objects.Others = slices.Clone(s.Objects.Others)
	out.Logs, out.Gaps = slices.Clone(s.Logs), slices.Clone(s.Gaps)
	if s.Objects.Neighbours != nil && out.Objects.Neighbours == nil {
		out.Objects.Neighbours = []*corev1.Pod{}
	}
	return &out
}

// deepCopyOf is a snapshot whose pods, events, nodes, Deployments and
// ReplicaSets may be changed as well.
func deepCopyOf(s *snapshot.Snapshot) *snapshot.Snapshot {
	out := copyOf(s)
	o := &out.Objects
	for i, p := range o.Pods {
		o.Pods[i] = p.DeepCopy()
	}
	for i, e := range o.Events {
		o.Events[i] = e.DeepCopy()
	}
	for i, n := range o.Nodes {
		o.Nodes[i] = n.DeepCopy()
	}
	for i, d := range o.Deployments {
		o.Deployments[i] = d.DeepCopy()
	}
	for i, r := range o.ReplicaSets {
		o.ReplicaSets[i] = r.DeepCopy()
	}
	return out
}

// without is the snapshot of a caller who may not read a resource.
func without(s *snapshot.Snapshot, k slot) *snapshot.Snapshot {
	out := copyOf(s)
	k.clear(&out.Objects)
	if k.resource == "pods" {
		out.Objects.Neighbours = nil
	}
	out.Gaps = append(out.Gaps, snapshot.Gap{Resource: k.resource, Reason: snapshot.GapForbidden,
		Detail: k.resource + " is forbidden", Settle: "let the caller list " + k.resource})
	return out
}
