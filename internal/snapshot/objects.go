package snapshot

import (
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
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Objects are the API objects of a snapshot, one slice per kind. The list of
// kinds is Kinds in kinds.go; a test keeps it equal to all fields but
// Neighbours and Others.
type Objects struct {
	Namespaces          []*corev1.Namespace
	Nodes               []*corev1.Node
	Pods                []*corev1.Pod
	Events              []*corev1.Event
	Deployments         []*appsv1.Deployment
	ReplicaSets         []*appsv1.ReplicaSet
	StatefulSets        []*appsv1.StatefulSet
	DaemonSets          []*appsv1.DaemonSet
	ControllerRevisions []*appsv1.ControllerRevision
	Jobs                []*batchv1.Job

	ServiceAccounts []*corev1.ServiceAccount
	ResourceQuotas  []*corev1.ResourceQuota
	LimitRanges     []*corev1.LimitRange
	PVCs            []*corev1.PersistentVolumeClaim
	PVs             []*corev1.PersistentVolume
	StorageClasses  []*storagev1.StorageClass
	CSINodes        []*storagev1.CSINode
	VolumeAttaches  []*storagev1.VolumeAttachment
	PriorityClasses []*schedulingv1.PriorityClass
	RuntimeClasses  []*nodev1.RuntimeClass
	PDBs            []*policyv1.PodDisruptionBudget
	HPAs            []*autoscalingv2.HorizontalPodAutoscaler
	Leases          []*coordinationv1.Lease
	EndpointSlices  []*discoveryv1.EndpointSlice

	ValidatingWebhooks []*admissionv1.ValidatingWebhookConfiguration
	MutatingWebhooks   []*admissionv1.MutatingWebhookConfiguration

	// Secrets and ConfigMaps are kept as shapes only.
	Secrets    []*SecretShape
	ConfigMaps []*ConfigMapShape

	// Neighbours are the pods of other namespaces in a snapshot of one
	// namespace, cut down to what they use of their node. They are there for
	// scheduling arithmetic and are never judged. Nil means that they were not
	// read, an empty slice that there are none.
	Neighbours []*corev1.Pod

	// Others holds objects of kinds without a typed slice (Argo Rollouts,
	// Karpenter NodeClaims), as they were read.
	Others []*unstructured.Unstructured
}
