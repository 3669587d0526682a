package fit

import (
	"cmp"
	"fmt"

	corev1 "k8s.io/api/core/v1"
)

// hostPort is one port a pod takes on its node.
type hostPort struct {
	ip, protocol string
	port         int32
}

func hostPorts(p *corev1.Pod) []hostPort {
	var out []hostPort
	add := func(containers []corev1.Container) {
		for i := range containers {
			for _, x := range containers[i].Ports {
				if x.HostPort > 0 {
					out = append(out, hostPort{cmp.Or(x.HostIP, "0.0.0.0"), cmp.Or(string(x.Protocol), "TCP"), x.HostPort})
				}
			}
		}
	}
	add(p.Spec.Containers)
	for i := range p.Spec.InitContainers {
		// Only sidecars keep their ports for the pod's life.
		if r := p.Spec.InitContainers[i].RestartPolicy; r != nil && *r == corev1.ContainerRestartPolicyAlways {
			add(p.Spec.InitContainers[i : i+1])
		}
	}
	return out
}

func (a hostPort) conflicts(b hostPort) bool {
	return a.port == b.port && a.protocol == b.protocol && (a.ip == b.ip || a.ip == "0.0.0.0" || b.ip == "0.0.0.0")
}

// PortConflict is the host port, as "8080/TCP", that the pod wants and the other
// takes; empty when they could share a node.
func PortConflict(pod, other *corev1.Pod) string {
	for _, a := range hostPorts(pod) {
		for _, b := range hostPorts(other) {
			if a.conflicts(b) {
				return fmt.Sprintf("%d/%s", a.port, a.protocol)
			}
		}
	}
	return ""
}
