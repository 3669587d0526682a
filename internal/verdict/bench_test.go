//go:build unix

package verdict

import (
	"fmt"
	"runtime"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/unjam-dev/unjam/internal/cause"
	"github.com/unjam-dev/unjam/internal/facts"
	"github.com/unjam-dev/unjam/internal/snapshot"
	"github.com/unjam-dev/unjam/internal/snapshot/snaptest"
)

// size is the measure of a fleet of Deployments with ten pods each.
type size struct {
	workloads, nodes int
	broken           int // one workload in so many is in trouble
}

// fleet is a cluster in which one workload in so many has a fault of one of
// five kinds.
func fleet(n size) *snapshot.Snapshot {
	b := snaptest.New()
	for i := range n.nodes {
		b.Node(fmt.Sprintf("n%d", i))
	}
	for i := range n.workloads {
		fault := -1
		if i%n.broken == 0 {
			fault = i / n.broken % 5
		}
		image := fmt.Sprintf("registry.example.com/shop/app%d:v1", i)
		s := b.Deployment(fmt.Sprintf("app%d", i), image, 10, func(p *corev1.PodSpec) {
			switch fault {
			case 3:
				p.Containers[0].ReadinessProbe = &corev1.Probe{ProbeHandler: corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Path: "/ready", Port: intstr.FromInt32(8080)}}, PeriodSeconds: 10}
			case 2:
				p.Containers[0].Resources.Requests = corev1.ResourceList{"cpu": resource.MustParse("64")}
			}
		})
		if fault < 0 {
			s.Healthy()
		}
		for j := range 10 {
			node := fmt.Sprintf("n%d", (i*10+j)%n.nodes)
			switch {
			case fault < 0:
				s.Pod(node).Ready()
			case fault == 0:
				s.Pod(node).PullFails("rpc error: code = NotFound desc = failed to pull and unpack image \"" + image + "\": failed to resolve image: " + image + ": not found")
			case fault == 1:
				s.Pod(node).Crashes(3, "Error", 5)
			case fault == 2:
				s.Pod("").Unschedulable("0/200 nodes are available: 200 Insufficient cpu. preemption: 0/200 nodes are available: 200 No preemption victims found for incoming pod.")
			case fault == 3:
				s.Pod(node).Running().Event("Warning", "Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 503", 4*time.Minute, 5*time.Second, 24)
			default:
				s.Pod(node).PullFails("failed to pull and unpack image \"" + image + "\": failed to resolve image: failed to do request: Head \"https://registry.example.com/v2/shop/app/manifests/v1\": dial tcp 10.0.0.1:443: connect: connection refused")
			}
		}
	}
	return b.Snap
}

// shared is the fleet as a capture reads it from a cluster: the pods of one
// owner have their containers, labels and owners in common
// (snapshot.Shared), and most ask for resources.
func shared(n size) *snapshot.Snapshot {
	snap := fleet(n)
	spec := map[string][]corev1.Container{}
	for _, d := range snap.Objects.Deployments {
		spec[d.Name] = d.Spec.Template.Spec.Containers
	}
	first := map[types.UID]*corev1.Pod{}
	for _, rs := range snap.Objects.ReplicaSets {
		rs.Spec.Template.Spec.Containers = spec[rs.OwnerReferences[0].Name]
	}
	for _, p := range snap.Objects.Pods {
		if p.Spec.Containers[0].Resources.Requests == nil {
			p.Spec.Containers[0].Resources.Requests = corev1.ResourceList{"cpu": resource.MustParse("100m"), "memory": resource.MustParse("128Mi")}
		}
		owner := p.OwnerReferences[0].UID
		if first[owner] == nil {
			first[owner] = p
		}
		p.Spec.Containers, p.Labels, p.OwnerReferences = first[owner].Spec.Containers, first[owner].Labels, first[owner].OwnerReferences
	}
	return snap
}

var (
	pods10k  = size{workloads: 1000, nodes: 200, broken: 20}
	pods100k = size{workloads: 10_000, nodes: 5000, broken: 100}
)

// BenchmarkJudge10kPods is facts, causes and verdicts over 10,000 pods.
func BenchmarkJudge10kPods(b *testing.B) { judge(b, fleet(pods10k), pods10k) }

// BenchmarkJudge100kPods is the same over 100,000 pods on 5,000 nodes. The
// limit is 50,000 pods a second on one core.
func BenchmarkJudge100kPods(b *testing.B) { judge(b, shared(pods100k), pods100k) }

func judge(b *testing.B, snap *snapshot.Snapshot, n size) {
	b.ReportAllocs()
	stalled, start := 0, spent()
	for b.Loop() {
		stalled = 0
		for _, v := range JudgeAll(cause.BuiltIn, facts.Build(snap)) {
			if v.State == Stalled {
				stalled++
			}
		}
	}
	b.ReportMetric(float64(len(snap.Objects.Pods)*b.N)/b.Elapsed().Seconds(), "pods/s")
	b.ReportMetric((spent()-start).Seconds()/float64(b.N), "cpu-s/op")
	if want := n.workloads / n.broken; stalled != want {
		b.Fatalf("%d stalled, want %d", stalled, want)
	}
}

// BenchmarkFacts10kPods is the reading alone, to compare.
func BenchmarkFacts10kPods(b *testing.B) { read(b, fleet(pods10k)) }

// BenchmarkFacts100kPods is the same over 100,000 pods; live-B/pod is what
// stays in memory.
func BenchmarkFacts100kPods(b *testing.B) { read(b, shared(pods100k)) }

func read(b *testing.B, snap *snapshot.Snapshot) {
	before := inUse()
	f := facts.Build(snap)
	live := float64(inUse()-before) / float64(len(f.Pods))
	runtime.KeepAlive(f)
	f = nil
	b.ReportAllocs()
	for b.Loop() {
		facts.Build(snap)
	}
	b.ReportMetric(live, "live-B/pod")
}

// spent is the CPU time of this process so far, the collector included; on a
// machine that others use too it says more than the wall clock.
func spent() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func inUse() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// BenchmarkWalk100kPods is the least that any reader does: one pass over all
// pods, their containers and what the kubelet says of each.
func BenchmarkWalk100kPods(b *testing.B) {
	snap := shared(pods100k)
	b.ReportAllocs()
	ready := 0
	for b.Loop() {
		ready = 0
		for _, p := range snap.Objects.Pods {
			for i := range p.Spec.Containers {
				for j := range p.Status.ContainerStatuses {
					if s := &p.Status.ContainerStatuses[j]; s.Name == p.Spec.Containers[i].Name && s.Ready {
						ready++
					}
				}
			}
		}
	}
	b.ReportMetric(float64(len(snap.Objects.Pods)*b.N)/b.Elapsed().Seconds(), "pods/s")
	if want := len(snap.Objects.Pods) * 99 / 100; ready < want {
		b.Fatalf("%d ready, want %d", ready, want)
	}
}
