package fit_test

import (
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/unjam-dev/unjam/internal/fit"
)

func owned(p *corev1.Pod) {
	yes := true
	p.OwnerReferences = []metav1.OwnerReference{{Kind: "ReplicaSet", Name: "rs", Controller: &yes}}
}

// TestNearest: the smallest change decides what is called the cause.
func TestNearest(t *testing.T) {
	for _, c := range []struct {
		name  string
		nodes []*corev1.Node
		pods  []*corev1.Pod
		pod   *corev1.Pod
		node  string
		check fit.Check
	}{
		{"a full worker before a control-plane node", []*corev1.Node{node("cp", "4", tainted("node-role.kubernetes.io/control-plane", "")), node("n1", "4")}, []*corev1.Pod{pod("a", "n1", "4")}, pod("p", "", "1"), "n1", fit.Resources},
		{"a full worker before a dedicated node", []*corev1.Node{node("gpu", "4", tainted("dedicated", "gpu")), node("n1", "4")}, []*corev1.Pod{pod("a", "n1", "4")}, pod("p", "", "1"), "n1", fit.Resources},
		{"the selected node's taint before other nodes' labels", []*corev1.Node{node("n1", "4"), node("n2", "4", labelled("disk", "ssd"), tainted("node.kubernetes.io/unreachable", ""))}, nil, pod("p", "", "1", selector("disk", "ssd")), "n2", fit.Taint},
		{"no node is selected", []*corev1.Node{node("cp", "4", tainted("node-role.kubernetes.io/control-plane", "")), node("n1", "4")}, nil, pod("p", "", "1", selector("disk", "ssd")), "n1", fit.NodeAffinity},
	} {
		t.Run(c.name, func(t *testing.T) {
			x := fit.NewCluster(c.nodes, append(c.pods, c.pod), fit.Options{}).Explain(c.pod)
			if len(x.Nearest) != 1 || x.Nearest[0].Node.Name != c.node || x.Nearest[0].Failures[0].Check != c.check {
				t.Errorf("nearest = %+v", x.Nearest)
			}
		})
	}
}

// TestRemedies: a change is only offered when the node then passes all checks.
func TestRemedies(t *testing.T) {
	// n1 needs only an uncordon; n2 is cordoned as well, and is full besides.
	full := pod("a", "n2", "4")
	p := pod("p", "", "1")
	c := fit.NewCluster([]*corev1.Node{node("n1", "4", cordoned), node("n2", "4", cordoned)}, []*corev1.Pod{full, p}, fit.Options{})
	r := c.Explain(p).Remedies
	if len(r) != 1 || r[0].Node != "n1" || len(r[0].Steps) != 1 || r[0].Steps[0].Action != fit.Uncordon {
		t.Errorf("remedies = %+v", r)
	}

	// Shrinking to nothing is no remedy, and neither is one when pods are unseen.
	p = pod("p", "", "1")
	if r := fit.NewCluster([]*corev1.Node{node("n1", "4")}, []*corev1.Pod{pod("a", "n1", "4"), p}, fit.Options{}).Explain(p).Remedies; len(r) != 0 {
		t.Errorf("full node: %+v", r)
	}
	if r := fit.NewCluster([]*corev1.Node{node("n1", "4", cordoned)}, []*corev1.Pod{p}, fit.Options{Partial: true}).Explain(p).Remedies; len(r) != 0 {
		t.Errorf("partial view: %+v", r)
	}

	// The request that is left over fits exactly.
	p = pod("p", "", "3")
	r = fit.NewCluster([]*corev1.Node{node("n1", "4")}, []*corev1.Pod{pod("a", "n1", "2500m"), p}, fit.Options{}).Explain(p).Remedies
	if len(r) != 1 || r[0].Steps[0].Action != fit.Shrink || r[0].Steps[0].Amount != 1500 {
		t.Errorf("shrink: %+v", r)
	}

	// A pod that leaves frees a port, a terminating one frees room.
	p = pod("p", "", "0", port(80))
	holder := pod("a", "n1", "0", port(80))
	r = fit.NewCluster([]*corev1.Node{node("n1", "4")}, []*corev1.Pod{holder, p}, fit.Options{}).Explain(p).Remedies
	if len(r) != 1 || r[0].Steps[0].Action != fit.Leave || r[0].Steps[0].Pods[0] != holder {
		t.Errorf("port: %+v", r)
	}
	now := metav1.Now()
	p = pod("p", "", "3")
	r = fit.NewCluster([]*corev1.Node{node("n1", "4")}, []*corev1.Pod{pod("a", "n1", "2", func(p *corev1.Pod) { p.DeletionTimestamp = &now }), p}, fit.Options{}).Explain(p).Remedies
	if len(r) != 1 || r[0].Steps[0].Action != fit.Wait {
		t.Errorf("terminating: %+v", r)
	}
}

func TestRepack(t *testing.T) {
	build := func(change ...func(*corev1.Pod)) *fit.Explanation {
		p := pod("p", "", "2500m")
		pods := []*corev1.Pod{pod("big", "n1", "1500m", append(change, owned)...), pod("a", "n1", "1"), pod("b", "n2", "2500m"), p}
		return fit.NewCluster([]*corev1.Node{node("n1", "4"), node("n2", "4")}, pods, fit.Options{}).Explain(p)
	}
	if x := build(); x.Repack == nil || x.Repack.Node.Name != "n1" || len(x.Repack.Pods) != 1 || x.Repack.Pods[0].Name != "big" {
		t.Errorf("repack = %+v", x.Repack)
	}
	// A pod that may run on n1 only cannot move, and the others have no controller.
	if x := build(selector("kubernetes.io/hostname", "n1")); x.Repack != nil {
		t.Errorf("repack moves %s", x.Repack.Pods[0].Name)
	}
	// Nor may a more important pod be moved for this one.
	high := int32(1000)
	if x := build(func(p *corev1.Pod) { p.Spec.Priority = &high }); x.Repack != nil {
		t.Errorf("repack moves the important %s", x.Repack.Pods[0].Name)
	}
}

func TestQuantity(t *testing.T) {
	for _, c := range []struct {
		name   corev1.ResourceName
		amount int64
		want   string
	}{
		{"cpu", 3200, "3200m"}, {"cpu", 8000, "8"}, {"memory", 1 << 30, "1Gi"}, {"memory", 16374512 << 10, "15.6Gi"}, {"memory", 512, "512"}, {"nvidia.com/gpu", 3, "3"}, {"memory", 0, "0"},
	} {
		if got := fit.Quantity(c.name, c.amount); got != c.want {
			t.Errorf("%s %d = %q, want %q", c.name, c.amount, got, c.want)
		}
	}
}

func BenchmarkExplain(b *testing.B) {
	var nodes []*corev1.Node
	var pods []*corev1.Pod
	for i := range 1000 {
		nodes = append(nodes, node(fmt.Sprintf("n%d", i), "16", labelled("zone", fmt.Sprint(i%3))))
		for j := range 10 {
			pods = append(pods, pod(fmt.Sprintf("p%d-%d", i, j), nodes[i].Name, "1590m", owned))
		}
	}
	for _, p := range []*corev1.Pod{pod("plain", "", "1"), pod("strict", "", "1", anti, spread)} {
		b.Run(p.Name, func(b *testing.B) {
			c := fit.NewCluster(nodes, pods, fit.Options{})
			c.Evaluate(p)
			for b.Loop() {
				q := *p
				c.Explain(&q)
			}
		})
	}
}
