package verdict

import (
	"fmt"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/unjam-dev/unjam/internal/cause"
	"github.com/unjam-dev/unjam/internal/facts"
	"github.com/unjam-dev/unjam/internal/snapshot"
	"github.com/unjam-dev/unjam/internal/snapshot/snaptest"
)

// fleet is a cluster of 10,000 pods on 200 nodes: 1,000 Deployments of ten
// pods, one in twenty with a fault of one of five kinds.
func fleet() *snapshot.Snapshot {
	b := snaptest.New()
	for i := range 200 {
		b.Node(fmt.Sprintf("n%d", i))
	}
	for i := range 1000 {
		image := fmt.Sprintf("registry.example.com/shop/app%d:v1", i)
		s := b.Deployment(fmt.Sprintf("app%d", i), image, 10, func(p *corev1.PodSpec) {
			switch i % 100 {
			case 60:
				p.Containers[0].ReadinessProbe = &corev1.Probe{ProbeHandler: corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Path: "/ready", Port: intstr.FromInt32(8080)}}, PeriodSeconds: 10}
			case 40:
				p.Containers[0].Resources.Requests = corev1.ResourceList{"cpu": resource.MustParse("64")}
			}
		})
		broken := i%20 == 0
		if !broken {
			s.Healthy()
		}
		for j := range 10 {
			node := fmt.Sprintf("n%d", (i*10+j)%200)
			switch {
			case !broken:
				s.Pod(node).Ready()
			case i%100 == 0:
				s.Pod(node).PullFails("rpc error: code = NotFound desc = failed to pull and unpack image \"" + image + "\": failed to resolve image: " + image + ": not found")
			case i%100 == 20:
				s.Pod(node).Crashes(3, "Error", 5)
			case i%100 == 40:
				s.Pod("").Unschedulable("0/200 nodes are available: 200 Insufficient cpu. preemption: 0/200 nodes are available: 200 No preemption victims found for incoming pod.")
			case i%100 == 60:
				s.Pod(node).Running().Event("Warning", "Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 503", 4*time.Minute, 5*time.Second, 24)
			default:
				s.Pod(node).PullFails("failed to pull and unpack image \"" + image + "\": failed to resolve image: failed to do request: Head \"https://registry.example.com/v2/shop/app/manifests/v1\": dial tcp 10.0.0.1:443: connect: connection refused")
			}
		}
	}
	return b.Snap
}

// BenchmarkJudge10kPods is facts, causes and verdicts over 10,000 pods.
func BenchmarkJudge10kPods(b *testing.B) {
	snap := fleet()
	b.ReportAllocs()
	stalled := 0
	for b.Loop() {
		stalled = 0
		for _, v := range JudgeAll(cause.BuiltIn, facts.Build(snap)) {
			if v.State == Stalled {
				stalled++
			}
		}
	}
	b.ReportMetric(10_000*float64(b.N)/b.Elapsed().Seconds(), "pods/s")
	if stalled != 50 {
		b.Fatalf("%d stalled, want 50", stalled)
	}
}

// BenchmarkFacts10kPods is the reading alone, to compare.
func BenchmarkFacts10kPods(b *testing.B) {
	snap := fleet()
	b.ReportAllocs()
	for b.Loop() {
		facts.Build(snap)
	}
}
