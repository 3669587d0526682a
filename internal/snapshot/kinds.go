package snapshot

import (
	"slices"
	"strings"

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
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Kind is one row of the table of kinds: what the API calls it, and how its
// objects reach their slice in Objects.
type Kind struct {
	// Group is the API group, empty for core.
	Group string
	// Versions are the versions whose JSON decodes into the Go type. The first
	// is the one that capture asks for and Encode writes.
	Versions []string
	Kind     string
	// Resource is the lower-case plural, as in URLs, RBAC rules and gaps.
	Resource   string
	Namespaced bool

	Store
}

// GroupVersion is the group and version that capture asks for.
func (k *Kind) GroupVersion() schema.GroupVersion {
	return schema.GroupVersion{Group: k.Group, Version: k.Versions[0]}
}

// FullResource names the resource as an RBAC rule or kubectl would: "pods",
// "deployments.apps".
func (k *Kind) FullResource() string {
	if k.Group == "" {
		return k.Resource
	}
	return k.Resource + "." + k.Group
}

// Kinds is the one table of kinds that decode, encode and capture share, in
// the order they appear in a bundle.
var Kinds = []*Kind{
	{"", []string{"v1"}, "Namespace", "namespaces", false,
		typed(func(o *Objects) *[]*corev1.Namespace { return &o.Namespaces }, func(l *corev1.NamespaceList) []corev1.Namespace { return l.Items })},
	{"", []string{"v1"}, "Node", "nodes", false,
		typed(func(o *Objects) *[]*corev1.Node { return &o.Nodes }, func(l *corev1.NodeList) []corev1.Node { return l.Items })},
	{"", []string{"v1"}, "Pod", "pods", true,
		typed(func(o *Objects) *[]*corev1.Pod { return &o.Pods }, func(l *corev1.PodList) []corev1.Pod { return l.Items })},
	{"", []string{"v1"}, "Event", "events", true,
		typed(func(o *Objects) *[]*corev1.Event { return &o.Events }, func(l *corev1.EventList) []corev1.Event { return l.Items })},
	{"apps", []string{"v1"}, "Deployment", "deployments", true,
		typed(func(o *Objects) *[]*appsv1.Deployment { return &o.Deployments }, func(l *appsv1.DeploymentList) []appsv1.Deployment { return l.Items })},
	{"apps", []string{"v1"}, "ReplicaSet", "replicasets", true,
		typed(func(o *Objects) *[]*appsv1.ReplicaSet { return &o.ReplicaSets }, func(l *appsv1.ReplicaSetList) []appsv1.ReplicaSet { return l.Items })},
	{"apps", []string{"v1"}, "StatefulSet", "statefulsets", true,
		typed(func(o *Objects) *[]*appsv1.StatefulSet { return &o.StatefulSets }, func(l *appsv1.StatefulSetList) []appsv1.StatefulSet { return l.Items })},
	{"apps", []string{"v1"}, "DaemonSet", "daemonsets", true,
		typed(func(o *Objects) *[]*appsv1.DaemonSet { return &o.DaemonSets }, func(l *appsv1.DaemonSetList) []appsv1.DaemonSet { return l.Items })},
	{"apps", []string{"v1"}, "ControllerRevision", "controllerrevisions", true,
		typed(func(o *Objects) *[]*appsv1.ControllerRevision { return &o.ControllerRevisions }, func(l *appsv1.ControllerRevisionList) []appsv1.ControllerRevision { return l.Items })},
	{"batch", []string{"v1"}, "Job", "jobs", true,
		typed(func(o *Objects) *[]*batchv1.Job { return &o.Jobs }, func(l *batchv1.JobList) []batchv1.Job { return l.Items })},
	{"", []string{"v1"}, "ServiceAccount", "serviceaccounts", true,
		typed(func(o *Objects) *[]*corev1.ServiceAccount { return &o.ServiceAccounts }, func(l *corev1.ServiceAccountList) []corev1.ServiceAccount { return l.Items })},
	{"", []string{"v1"}, "ResourceQuota", "resourcequotas", true,
		typed(func(o *Objects) *[]*corev1.ResourceQuota { return &o.ResourceQuotas }, func(l *corev1.ResourceQuotaList) []corev1.ResourceQuota { return l.Items })},
	{"", []string{"v1"}, "LimitRange", "limitranges", true,
		typed(func(o *Objects) *[]*corev1.LimitRange { return &o.LimitRanges }, func(l *corev1.LimitRangeList) []corev1.LimitRange { return l.Items })},
	{"", []string{"v1"}, "PersistentVolumeClaim", "persistentvolumeclaims", true,
		typed(func(o *Objects) *[]*corev1.PersistentVolumeClaim { return &o.PVCs }, func(l *corev1.PersistentVolumeClaimList) []corev1.PersistentVolumeClaim { return l.Items })},
	{"", []string{"v1"}, "PersistentVolume", "persistentvolumes", false,
		typed(func(o *Objects) *[]*corev1.PersistentVolume { return &o.PVs }, func(l *corev1.PersistentVolumeList) []corev1.PersistentVolume { return l.Items })},
	{"storage.k8s.io", []string{"v1"}, "StorageClass", "storageclasses", false,
		typed(func(o *Objects) *[]*storagev1.StorageClass { return &o.StorageClasses }, func(l *storagev1.StorageClassList) []storagev1.StorageClass { return l.Items })},
	{"storage.k8s.io", []string{"v1"}, "CSINode", "csinodes", false,
		typed(func(o *Objects) *[]*storagev1.CSINode { return &o.CSINodes }, func(l *storagev1.CSINodeList) []storagev1.CSINode { return l.Items })},
	{"storage.k8s.io", []string{"v1"}, "VolumeAttachment", "volumeattachments", false,
		typed(func(o *Objects) *[]*storagev1.VolumeAttachment { return &o.VolumeAttaches }, func(l *storagev1.VolumeAttachmentList) []storagev1.VolumeAttachment { return l.Items })},
	{"scheduling.k8s.io", []string{"v1"}, "PriorityClass", "priorityclasses", false,
		typed(func(o *Objects) *[]*schedulingv1.PriorityClass { return &o.PriorityClasses }, func(l *schedulingv1.PriorityClassList) []schedulingv1.PriorityClass { return l.Items })},
	{"node.k8s.io", []string{"v1"}, "RuntimeClass", "runtimeclasses", false,
		typed(func(o *Objects) *[]*nodev1.RuntimeClass { return &o.RuntimeClasses }, func(l *nodev1.RuntimeClassList) []nodev1.RuntimeClass { return l.Items })},
	{"policy", []string{"v1", "v1beta1"}, "PodDisruptionBudget", "poddisruptionbudgets", true,
		typed(func(o *Objects) *[]*policyv1.PodDisruptionBudget { return &o.PDBs }, func(l *policyv1.PodDisruptionBudgetList) []policyv1.PodDisruptionBudget { return l.Items })},
	// autoscaling/v1 loses its metrics here; scale target, bounds and replica counts are the same fields.
	{"autoscaling", []string{"v2", "v1"}, "HorizontalPodAutoscaler", "horizontalpodautoscalers", true,
		typed(func(o *Objects) *[]*autoscalingv2.HorizontalPodAutoscaler { return &o.HPAs }, func(l *autoscalingv2.HorizontalPodAutoscalerList) []autoscalingv2.HorizontalPodAutoscaler {
			return l.Items
		})},
	{"coordination.k8s.io", []string{"v1"}, "Lease", "leases", true,
		typed(func(o *Objects) *[]*coordinationv1.Lease { return &o.Leases }, func(l *coordinationv1.LeaseList) []coordinationv1.Lease { return l.Items })},
	{"discovery.k8s.io", []string{"v1"}, "EndpointSlice", "endpointslices", true,
		typed(func(o *Objects) *[]*discoveryv1.EndpointSlice { return &o.EndpointSlices }, func(l *discoveryv1.EndpointSliceList) []discoveryv1.EndpointSlice { return l.Items })},
	{"admissionregistration.k8s.io", []string{"v1"}, "ValidatingWebhookConfiguration", "validatingwebhookconfigurations", false,
		typed(func(o *Objects) *[]*admissionv1.ValidatingWebhookConfiguration { return &o.ValidatingWebhooks }, func(l *admissionv1.ValidatingWebhookConfigurationList) []admissionv1.ValidatingWebhookConfiguration {
			return l.Items
		})},
	{"admissionregistration.k8s.io", []string{"v1"}, "MutatingWebhookConfiguration", "mutatingwebhookconfigurations", false,
		typed(func(o *Objects) *[]*admissionv1.MutatingWebhookConfiguration { return &o.MutatingWebhooks }, func(l *admissionv1.MutatingWebhookConfigurationList) []admissionv1.MutatingWebhookConfiguration {
			return l.Items
		})},
	{"", []string{"v1"}, "Secret", "secrets", true,
		shaped(func(o *Objects) *[]*SecretShape { return &o.Secrets }, SecretShapeOf, secretKeysOnly, func(l *corev1.SecretList) []corev1.Secret { return l.Items })},
	{"", []string{"v1"}, "ConfigMap", "configmaps", true,
		shaped(func(o *Objects) *[]*ConfigMapShape { return &o.ConfigMaps }, ConfigMapShapeOf, nil, func(l *corev1.ConfigMapList) []corev1.ConfigMap { return l.Items })},
}

// KindFor finds the row for an object's apiVersion and kind; nil means that
// the object belongs in Others.
func KindFor(apiVersion, kind string) *Kind {
	group, version := "", apiVersion
	if i := strings.IndexByte(apiVersion, '/'); i >= 0 {
		group, version = apiVersion[:i], apiVersion[i+1:]
	}
	for _, k := range Kinds {
		if k.Kind == kind && k.Group == group && slices.Contains(k.Versions, version) {
			return k
		}
	}
	return nil
}

// KindOfResource finds the row by plural resource name; nil when unknown.
func KindOfResource(resource string) *Kind {
	for _, k := range Kinds {
		if k.Resource == resource {
			return k
		}
	}
	return nil
}
