package load

import (
	"fmt"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
)

func nodeName(i int) string { return fmt.Sprintf("node-%04d", i) }

// nodeOf makes a node as a kubelet and a cloud describe it. The names of fifty
// images are most of its bytes.
func nodeOf(s Size, i int) *corev1.Node {
	created := s.Now.Add(-time.Duration(30+i%60) * 24 * time.Hour)
	n := &corev1.Node{ObjectMeta: meta("", nodeName(i), created)}
	n.Labels = map[string]string{corev1.LabelHostname: n.Name, corev1.LabelOSStable: "linux", corev1.LabelArchStable: "amd64", corev1.LabelTopologyZone: fmt.Sprintf("zone-%c", 'a'+i%3),
		corev1.LabelTopologyRegion: "region-1", corev1.LabelInstanceTypeStable: "standard-8"}
	n.Annotations = map[string]string{"node.alpha.kubernetes.io/ttl": "0", "volumes.kubernetes.io/controller-managed-attach-detach": "true"}
	n.ManagedFields = managed("kubelet", "kubelet", podFields)
	n.Spec = corev1.NodeSpec{ProviderID: fmt.Sprintf("cloud:///zone-%c/%017x", 'a'+i%3, i), PodCIDR: fmt.Sprintf("10.%d.%d.0/24", 64+i/250, i%250)}
	room := corev1.ResourceList{"cpu": resource.MustParse("32"), "memory": resource.MustParse("128Gi"), "pods": resource.MustParse("110"), "ephemeral-storage": resource.MustParse("100Gi")}
	n.Status = corev1.NodeStatus{Capacity: room, Allocatable: room, Addresses: []corev1.NodeAddress{{Type: corev1.NodeInternalIP, Address: fmt.Sprintf("10.32.%d.%d", i/250, i%250)}, {Type: corev1.NodeHostName, Address: n.Name}},
		NodeInfo: corev1.NodeSystemInfo{KubeletVersion: "v1.37.1", ContainerRuntimeVersion: "containerd://2.4.2", OperatingSystem: "linux", Architecture: "amd64", KernelVersion: "6.12.0", OSImage: "Debian GNU/Linux 13", BootID: fmt.Sprintf("%036x", i)}}
	seen := metav1.NewTime(s.Now.Add(-time.Minute).Truncate(time.Second))
	for _, c := range []struct {
		kind   corev1.NodeConditionType
		status corev1.ConditionStatus
		reason string
	}{{corev1.NodeMemoryPressure, "False", "KubeletHasSufficientMemory"}, {corev1.NodeDiskPressure, "False", "KubeletHasNoDiskPressure"}, {corev1.NodePIDPressure, "False", "KubeletHasSufficientPID"}, {corev1.NodeReady, "True", "KubeletReady"}} {
		n.Status.Conditions = append(n.Status.Conditions, corev1.NodeCondition{Type: c.kind, Status: c.status, Reason: c.reason, Message: "kubelet says so", LastHeartbeatTime: seen, LastTransitionTime: metav1.NewTime(created)})
	}
	for k := range 50 {
		name := fmt.Sprintf("registry.example.com/platform/tool-%02d", k)
		n.Status.Images = append(n.Status.Images, corev1.ContainerImage{Names: []string{fmt.Sprintf("%s@sha256:%064x", name, 7919*k), fmt.Sprintf("%s:v1.%d.0", name, k)}, SizeBytes: int64(900_000_000 - k*17_000_000)})
	}
	return n
}

func leaseOf(s Size, n *corev1.Node) *coordinationv1.Lease {
	l := &coordinationv1.Lease{ObjectMeta: meta(corev1.NamespaceNodeLease, n.Name, n.CreationTimestamp.Time)}
	l.OwnerReferences = []metav1.OwnerReference{{APIVersion: "v1", Kind: "Node", Name: n.Name, UID: n.UID}}
	l.Spec = coordinationv1.LeaseSpec{HolderIdentity: &n.Name, LeaseDurationSeconds: ptr.To[int32](40), RenewTime: &metav1.MicroTime{Time: s.Now}}
	return l
}
