package fit_test

import (
	"fmt"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/unjam-dev/unjam/internal/fit"
)

// TestTogether: a change is worth what it does for all waiting pods at once.
func TestTogether(t *testing.T) {
	full := func(name string) *corev1.Pod { return pod(name, name, "3") }
	for _, c := range []struct {
		name  string
		nodes []*corev1.Node
		pods  []*corev1.Pod
		pod   *corev1.Pod
		n     int
		want  int
	}{
		{"one node holds all", []*corev1.Node{node("n1", "4", cordoned)}, nil, pod("p", "", "1"), 3, 3},
		{"one node holds some", []*corev1.Node{node("n1", "4", cordoned)}, nil, pod("p", "", "1500m"), 3, 2},
		{"a smaller request fits on every node", []*corev1.Node{node("n1", "4"), node("n2", "4")}, []*corev1.Pod{full("n1"), full("n2")}, pod("p", "", "1500m"), 3, 2},
		{"a host port is there once", []*corev1.Node{node("n1", "4", cordoned)}, nil, pod("p", "", "0", port(80)), 3, 1},
		{"kept apart from its own kind", []*corev1.Node{node("n1", "4", cordoned), node("n2", "1")}, nil, pod("p", "", "2", anti), 3, 1},
		{"spread over zones", []*corev1.Node{node("n1", "9", cordoned, labelled("zone", "a")), node("n2", "1", labelled("zone", "b"))}, nil, pod("p", "", "2", spread), 3, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			x := fit.NewCluster(c.nodes, append(c.pods, c.pod), fit.Options{}).Explain(c.pod)
			if len(x.Remedies) == 0 {
				t.Fatal("no remedy")
			}
			if got := x.Together(x.Remedies[0], c.n); got != c.want {
				t.Errorf("%d of %d fit after %v, want %d", got, c.n, x.Remedies[0].Steps, c.want)
			}
			if again := x.Together(x.Remedies[0], c.n); again != c.want {
				t.Errorf("asked again: %d", again)
			}
		})
	}
}

// TestShape: pods of one shape share an answer, others do not.
func TestShape(t *testing.T) {
	a, b := pod("a", "", "1"), pod("b", "", "1")
	b.Spec.Volumes = []corev1.Volume{{Name: "kube-api-access-x", VolumeSource: corev1.VolumeSource{Projected: &corev1.ProjectedVolumeSource{}}}}
	other := pod("c", "", "2")
	c := fit.NewCluster([]*corev1.Node{node("n1", "4")}, nil, fit.Options{})
	ea, eb, eo := c.Evaluate(a), c.Evaluate(b), c.Evaluate(other)
	if &ea.Nodes[0] != &eb.Nodes[0] {
		t.Error("pods of one shape are evaluated twice")
	}
	if eb.Pod != b {
		t.Errorf("the answer is about %s", eb.Pod.Name)
	}
	if &ea.Nodes[0] == &eo.Nodes[0] {
		t.Error("a larger pod got the same answer")
	}
}

// fleet has n nodes in three zones with ten pods on each, nearly full.
func fleet(n int) ([]*corev1.Node, []*corev1.Pod) {
	var nodes []*corev1.Node
	var pods []*corev1.Pod
	for i := range n {
		name := fmt.Sprintf("n%d", i)
		nodes = append(nodes, node(name, "4", labelled("zone", fmt.Sprint(i%3))))
		for j := range 10 {
			pods = append(pods, pod(fmt.Sprintf("p%d-%d", i, j), name, "390m", named(fmt.Sprint("app", j))))
		}
	}
	return nodes, pods
}

// BenchmarkFleet is one pending pod against 5,000 nodes with 50,000 pods;
// "pass" is the least it could take: one comparison of one resource per node.
func BenchmarkFleet(b *testing.B) {
	nodes, pods := fleet(5000)
	c := fit.NewCluster(nodes, pods, fit.Options{})
	c.Evaluate(pod("warm", "", "1"))
	for _, x := range []struct {
		name   string
		change []func(*corev1.Pod)
	}{{"plain", nil}, {"spread", []func(*corev1.Pod){spread}}, {"anti-affinity", []func(*corev1.Pod){anti}}} {
		b.Run(x.name, func(b *testing.B) {
			for b.Loop() {
				c.FitsIfGone(pod("new", "", "1", x.change...), nil)
			}
		})
	}
	b.Run("explain", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			c.Explain(pod("new", "", "1", named(fmt.Sprint(i))))
		}
	})
	b.Run("100 pods of one shape", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			app := named(time.Duration(i).String())
			for j := range 100 {
				c.Explain(pod(fmt.Sprint("new", j), "", "1", app))
			}
		}
	})
	b.Run("pass", func(b *testing.B) {
		want := resource.MustParse("1")
		for b.Loop() {
			n := 0
			for _, x := range nodes {
				if q := x.Status.Allocatable[corev1.ResourceCPU]; q.Cmp(want) < 0 {
					n++
				}
			}
		}
	})
}
