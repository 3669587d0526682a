package capture

import (
	"context"
	"fmt"
	"runtime"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// BenchmarkCluster10kPods reads 10,000 pods of an ordinary shape over
// loopback. The server's part of the time and of the allocations is in the
// numbers; retained is the heap that the snapshot keeps.
func BenchmarkCluster10kPods(b *testing.B) {
	s := newServer(b)
	for i := range 10_000 {
		p := &corev1.Pod{ObjectMeta: objectMeta(fmt.Sprint("ns-", i%80), fmt.Sprintf("web-7c67dfb6b4-%05d", i))}
		p.Labels = map[string]string{"app": "web", "pod-template-hash": "7c67dfb6b4"}
		p.Spec = corev1.PodSpec{NodeName: "node1", ServiceAccountName: "default", SchedulerName: "default-scheduler",
			Tolerations: []corev1.Toleration{{Key: "node.kubernetes.io/not-ready", Operator: "Exists", Effect: "NoExecute"}, {Key: "node.kubernetes.io/unreachable", Operator: "Exists", Effect: "NoExecute"}},
			Volumes:     []corev1.Volume{{Name: "kube-api-access-tmhfb", VolumeSource: corev1.VolumeSource{Projected: &corev1.ProjectedVolumeSource{Sources: []corev1.VolumeProjection{{ServiceAccountToken: &corev1.ServiceAccountTokenProjection{Path: "token"}}}}}}},
			Containers: []corev1.Container{{Name: "app", Image: "registry.lab:5001/shop/web:v1", Env: []corev1.EnvVar{{Name: "LOG_LEVEL", Value: "debug"}},
				Resources: corev1.ResourceRequirements{Requests: corev1.ResourceList{"cpu": resource.MustParse("100m"), "memory": resource.MustParse("128Mi")}}}}}
		p.Status = corev1.PodStatus{Phase: corev1.PodRunning, PodIP: "10.244.0.7", HostIP: "10.88.0.2",
			Conditions: []corev1.PodCondition{{Type: "Ready", Status: "True", LastTransitionTime: metav1.Unix(1e9, 0)}, {Type: "PodScheduled", Status: "True", LastTransitionTime: metav1.Unix(1e9, 0)}},
			ContainerStatuses: []corev1.ContainerStatus{{Name: "app", Ready: true, Image: "registry.lab:5001/shop/web:v1", ImageID: "registry.lab:5001/shop/web@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
				State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}}}}
		s.add("pods", p)
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	b.ReportAllocs()
	var stats Stats
	for b.Loop() {
		snap, st, err := Cluster(context.Background(), s.config(), Options{})
		if err != nil || len(snap.Objects.Pods) != 10_000 {
			b.Fatal(len(snap.Objects.Pods), err)
		}
		stats = st
		runtime.GC()
		runtime.ReadMemStats(&after)
		runtime.KeepAlive(snap)
	}
	b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/1e6, "retained-MB")
	b.ReportMetric(float64(stats.Requests), "requests")
	b.ReportMetric(float64(stats.Bytes)/1e6, "answer-MB")
}
