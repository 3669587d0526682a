package paste

import (
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/unjam-dev/unjam/internal/pattern"
)

func port(s string) intstr.IntOrString { return intstr.Parse(s) }

// describeConditions reads the conditions of a Deployment: Type Status Reason.
func (d *draft) describeConditions(ref objectRef, lines []string) {
	if ref.kind != "Deployment" {
		return
	}
	for _, dep := range d.objects.Deployments {
		if dep.Name != ref.name || dep.Namespace != ref.namespace {
			continue
		}
		for _, l := range section(lines, "Conditions") {
			f := strings.Fields(l)
			if len(f) == 3 && (f[1] == "True" || f[1] == "False" || f[1] == "Unknown") {
				dep.Status.Conditions = append(dep.Status.Conditions, appsv1.DeploymentCondition{Type: appsv1.DeploymentConditionType(f[0]), Status: corev1.ConditionStatus(f[1]), Reason: f[2], LastUpdateTime: metav1.NewTime(d.now), LastTransitionTime: metav1.NewTime(d.now)})
				dep.Spec.Paused = dep.Spec.Paused || f[2] == "DeploymentPaused"
			}
		}
	}
}

// nodeCondition is a row of the Conditions table of kubectl describe node:
// type, status, two dates, reason, message.
var nodeCondition = pattern.New(`^ *(Ready|MemoryPressure|DiskPressure|PIDPressure|NetworkUnavailable|[A-Z]\w+) +(True|False|Unknown) +(\w{3}, \d\d \w{3} \d{4} [\d:]{8} [+-]\d{4}) +(\w{3}, \d\d \w{3} \d{4} [\d:]{8} [+-]\d{4}) +(\S+) *(.*)$`)

func (d *draft) describeNode(name string, lines []string) {
	n := d.node(name)
	for _, l := range section(lines, "Conditions") {
		d.nodeCondition(n, l)
	}
	for _, l := range lines {
		if strings.HasPrefix(l, "Unschedulable:") && strings.HasSuffix(l, "true") {
			n.Spec.Unschedulable = true
		}
	}
	for _, l := range taintLines(lines) {
		kv, effect, ok := strings.Cut(l, ":")
		if !ok {
			continue
		}
		k, v, _ := strings.Cut(kv, "=")
		n.Spec.Taints = append(n.Spec.Taints, corev1.Taint{Key: k, Value: v, Effect: corev1.TaintEffect(effect)})
	}
}

// nodeCondition reads a row of a node's Conditions table; false when it is none.
func (d *draft) nodeCondition(n *corev1.Node, l string) bool {
	m := nodeCondition.FindStringSubmatch(l)
	if m == nil {
		return false
	}
	if n == nil {
		n = d.node(someNode)
	}
	if m[1] != "Ready" && m[2] == "True" {
		d.said = append(d.said, Saying{Kind: "Node", Reason: m[5], Text: m[6]})
	}
	n.Status.Conditions = append(n.Status.Conditions, corev1.NodeCondition{Type: corev1.NodeConditionType(m[1]), Status: corev1.ConditionStatus(m[2]),
		LastHeartbeatTime: d.clock(m[3]), LastTransitionTime: d.clock(m[4]), Reason: m[5], Message: m[6]})
	return true
}

func taintLines(lines []string) []string {
	var out []string
	for i, l := range lines {
		first, ok := strings.CutPrefix(l, "Taints:")
		if !ok {
			continue
		}
		out = append(out, strings.TrimSpace(first))
		for _, more := range lines[i+1:] {
			if !strings.HasPrefix(more, " ") {
				break
			}
			out = append(out, strings.TrimSpace(more))
		}
	}
	return out
}

var replicaWords = pattern.New(`(\d+) (current|desired|updated|total|available|unavailable)`)

// describeReplicas reads "Replicas: 0 current / 3 desired" and "Replicas:
// 3 desired | 0 updated | 3 total | 3 available | 0 unavailable".
func (d *draft) describeReplicas(ref objectRef, top map[string]string) {
	n := map[string]int32{}
	for _, m := range replicaWords.FindAllStringSubmatch(top["Replicas"], 8) {
		n[m[2]] = number(m[1])
	}
	desired, ok := n["desired"]
	if !ok {
		return
	}
	for _, rs := range d.objects.ReplicaSets {
		if ref.kind == "ReplicaSet" && rs.Name == ref.name && rs.Namespace == ref.namespace {
			rs.Spec.Replicas, rs.Status.Replicas = &desired, n["current"]
			d.counted = true
		}
	}
	for _, dep := range d.objects.Deployments {
		if ref.kind == "Deployment" && dep.Name == ref.name && dep.Namespace == ref.namespace {
			dep.Spec.Replicas = &desired
			dep.Status.UpdatedReplicas, dep.Status.Replicas, dep.Status.AvailableReplicas, dep.Status.UnavailableReplicas = n["updated"], n["total"], n["available"], n["unavailable"]
			dep.Status.ReadyReplicas = n["available"]
		}
	}
}
