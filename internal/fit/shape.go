package fit

import corev1 "k8s.io/api/core/v1"

// shape is a key that pods share when the scheduler must answer the same for
// them; ok is false for pods that are unlike any other: those with a node, a
// promise of one, or volumes named after them.
func shape(p *corev1.Pod) (key string, ok bool) {
	if p.Spec.NodeName != "" || p.Status.NominatedNodeName != "" {
		return "", false
	}
	s := &p.Spec
	out := corev1.Pod{Spec: corev1.PodSpec{NodeSelector: s.NodeSelector, Affinity: s.Affinity, Tolerations: s.Tolerations, TopologySpreadConstraints: s.TopologySpreadConstraints,
		Priority: s.Priority, PreemptionPolicy: s.PreemptionPolicy, Resources: s.Resources, Overhead: s.Overhead, ResourceClaims: s.ResourceClaims}}
	out.Namespace, out.Labels = p.Namespace, p.Labels
	for _, v := range s.Volumes {
		switch {
		case v.Ephemeral != nil:
			return "", false
		case v.PersistentVolumeClaim != nil, v.GCEPersistentDisk != nil, v.AWSElasticBlockStore != nil, v.ISCSI != nil, v.RBD != nil:
			out.Spec.Volumes = append(out.Spec.Volumes, v)
		}
	}
	bare := func(list []corev1.Container) []corev1.Container {
		kept := make([]corev1.Container, len(list))
		for i, c := range list {
			kept[i] = corev1.Container{Resources: c.Resources, Ports: c.Ports, RestartPolicy: c.RestartPolicy}
		}
		return kept
	}
	out.Spec.Containers, out.Spec.InitContainers = bare(s.Containers), bare(s.InitContainers)
	b, err := out.Marshal()
	return string(b), err == nil
}

// identity is what answers about a pod are kept under: its shape, or itself.
func identity(p *corev1.Pod) any {
	if key, ok := shape(p); ok {
		return key
	}
	return p
}
