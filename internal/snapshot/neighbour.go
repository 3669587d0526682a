package snapshot

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Neighbour cuts a pod of another namespace down to what scheduling arithmetic
// needs: its identity and labels, requests, ports, volumes and constraints.
func Neighbour(p *corev1.Pod) *corev1.Pod {
	out := &corev1.Pod{}
	out.Namespace, out.Name, out.UID, out.Labels = p.Namespace, p.Name, p.UID, p.Labels
	out.CreationTimestamp, out.DeletionTimestamp = p.CreationTimestamp, p.DeletionTimestamp
	if ref := metav1.GetControllerOfNoCopy(p); ref != nil {
		out.OwnerReferences = []metav1.OwnerReference{*ref}
	}
	s := &p.Spec
	out.Spec = corev1.PodSpec{NodeName: s.NodeName, Overhead: s.Overhead, Resources: s.Resources, HostNetwork: s.HostNetwork,
		Affinity: s.Affinity, TopologySpreadConstraints: s.TopologySpreadConstraints, NodeSelector: s.NodeSelector, Tolerations: s.Tolerations,
		Priority: s.Priority, PriorityClassName: s.PriorityClassName, PreemptionPolicy: s.PreemptionPolicy}
	for _, v := range s.Volumes {
		if v.PersistentVolumeClaim != nil || v.CSI != nil || v.Ephemeral != nil || v.AWSElasticBlockStore != nil || v.GCEPersistentDisk != nil || v.ISCSI != nil || v.RBD != nil {
			out.Spec.Volumes = append(out.Spec.Volumes, v)
		}
	}
	for _, c := range s.InitContainers {
		out.Spec.InitContainers = append(out.Spec.InitContainers, corev1.Container{Name: c.Name, Resources: c.Resources, Ports: c.Ports, RestartPolicy: c.RestartPolicy})
	}
	for _, c := range s.Containers {
		out.Spec.Containers = append(out.Spec.Containers, corev1.Container{Name: c.Name, Resources: c.Resources, Ports: c.Ports})
	}
	out.Status.Phase, out.Status.QOSClass = p.Status.Phase, p.Status.QOSClass
	out.Status.NominatedNodeName = p.Status.NominatedNodeName // it holds room there
	return out
}
