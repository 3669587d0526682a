package fit_test

import (
	"fmt"
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/unjam-dev/unjam/internal/fit"
)

func node(name, cpu string, change ...func(*corev1.Node)) *corev1.Node {
	n := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"kubernetes.io/hostname": name}}}
	n.Status.Allocatable = corev1.ResourceList{"cpu": resource.MustParse(cpu), "memory": resource.MustParse("8Gi"), "pods": resource.MustParse("110")}
	for _, f := range change {
		f(n)
	}
	return n
}

func pod(name, node, cpu string, change ...func(*corev1.Pod)) *corev1.Pod {
	p := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name, Labels: map[string]string{"app": "web"}}}
	p.Spec.NodeName = node
	p.Spec.Containers = []corev1.Container{{Name: "app", Resources: corev1.ResourceRequirements{Requests: corev1.ResourceList{"cpu": resource.MustParse(cpu)}}}}
	for _, f := range change {
		f(p)
	}
	return p
}

func labelled(k, v string) func(*corev1.Node) { return func(n *corev1.Node) { n.Labels[k] = v } }

func port(n int32) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		p.Spec.Containers[0].Ports = []corev1.ContainerPort{{HostPort: n, ContainerPort: n}}
	}
}

func own(labels map[string]string) *metav1.LabelSelector {
	return &metav1.LabelSelector{MatchLabels: labels}
}

func anti(p *corev1.Pod) {
	p.Spec.Affinity = &corev1.Affinity{PodAntiAffinity: &corev1.PodAntiAffinity{RequiredDuringSchedulingIgnoredDuringExecution: []corev1.PodAffinityTerm{{TopologyKey: "kubernetes.io/hostname", LabelSelector: own(map[string]string{"app": "web"})}}}}
}

func attracted(p *corev1.Pod) {
	p.Spec.Affinity = &corev1.Affinity{PodAffinity: &corev1.PodAffinity{RequiredDuringSchedulingIgnoredDuringExecution: []corev1.PodAffinityTerm{{TopologyKey: "kubernetes.io/hostname", LabelSelector: own(map[string]string{"app": "cache"})}}}}
}

func spread(p *corev1.Pod) {
	p.Spec.TopologySpreadConstraints = []corev1.TopologySpreadConstraint{{MaxSkew: 1, TopologyKey: "zone", WhenUnsatisfiable: corev1.DoNotSchedule, LabelSelector: own(map[string]string{"app": "web"})}}
}

func selector(k, v string) func(*corev1.Pod) {
	return func(p *corev1.Pod) { p.Spec.NodeSelector = map[string]string{k: v} }
}

func named(app string) func(*corev1.Pod) { return func(p *corev1.Pod) { p.Labels["app"] = app } }

func cordoned(n *corev1.Node) { n.Spec.Unschedulable = true }

func tainted(key, value string) func(*corev1.Node) {
	return func(n *corev1.Node) {
		n.Spec.Taints = append(n.Spec.Taints, corev1.Taint{Key: key, Value: value, Effect: corev1.TaintEffectNoSchedule})
	}
}

// TestEvaluate holds the full failing set of each node.
func TestEvaluate(t *testing.T) {
	zoneA, zoneB := labelled("zone", "a"), labelled("zone", "b")
	now := metav1.Now()
	for _, c := range []struct {
		name  string
		nodes []*corev1.Node
		pods  []*corev1.Pod
		pod   *corev1.Pod
		opt   fit.Options
		want  map[string][]fit.Check
	}{
		{"fits", []*corev1.Node{node("n1", "4")}, nil, pod("p", "", "1"), fit.Options{}, map[string][]fit.Check{"n1": nil}},
		{"cpu taken", []*corev1.Node{node("n1", "4")}, []*corev1.Pod{pod("a", "n1", "3500m")}, pod("p", "", "1"), fit.Options{}, map[string][]fit.Check{"n1": {fit.Resources}}},
		{"a finished pod takes nothing", []*corev1.Node{node("n1", "4")}, []*corev1.Pod{pod("a", "n1", "3500m", func(p *corev1.Pod) { p.Status.Phase = corev1.PodSucceeded })}, pod("p", "", "1"), fit.Options{}, map[string][]fit.Check{"n1": nil}},
		{"a terminating pod still takes", []*corev1.Node{node("n1", "4")}, []*corev1.Pod{pod("a", "n1", "3500m", func(p *corev1.Pod) { p.DeletionTimestamp = &now })}, pod("p", "", "1"), fit.Options{}, map[string][]fit.Check{"n1": {fit.Resources}}},
		{"a nominated pod takes", []*corev1.Node{node("n1", "4")}, []*corev1.Pod{pod("a", "", "3500m", func(p *corev1.Pod) { p.Status.NominatedNodeName = "n1" })}, pod("p", "", "1"), fit.Options{}, map[string][]fit.Check{"n1": {fit.Resources}}},
		{"no slot", []*corev1.Node{node("n1", "4", func(n *corev1.Node) { n.Status.Allocatable["pods"] = resource.MustParse("1") })}, []*corev1.Pod{pod("a", "n1", "0")}, pod("p", "", "0"), fit.Options{}, map[string][]fit.Check{"n1": {fit.Slots}}},
		{"the whole set, not the first", []*corev1.Node{node("n1", "4", cordoned, tainted("dedicated", "gpu")), node("n2", "4")}, []*corev1.Pod{pod("a", "n1", "4")}, pod("p", "", "1", selector("disk", "ssd")), fit.Options{},
			map[string][]fit.Check{"n1": {fit.Cordoned, fit.Taint, fit.NodeAffinity, fit.Resources}, "n2": {fit.NodeAffinity}}},
		{"tolerated", []*corev1.Node{node("n1", "4", tainted("dedicated", "gpu"))}, nil, pod("p", "", "1", func(p *corev1.Pod) {
			p.Spec.Tolerations = []corev1.Toleration{{Key: "dedicated", Operator: corev1.TolerationOpExists}}
		}), fit.Options{}, map[string][]fit.Check{"n1": nil}},
		{"host port", []*corev1.Node{node("n1", "4"), node("n2", "4")}, []*corev1.Pod{pod("a", "n1", "0", port(80))}, pod("p", "", "0", port(80)), fit.Options{}, map[string][]fit.Check{"n1": {fit.HostPort}, "n2": nil}},
		{"anti-affinity both ways", []*corev1.Node{node("n1", "4"), node("n2", "4")}, []*corev1.Pod{pod("a", "n1", "0", anti)}, pod("p", "", "0", anti), fit.Options{}, map[string][]fit.Check{"n1": {fit.AntiAffinity, fit.ExistingAnti}, "n2": nil}},
		{"the rule of another", []*corev1.Node{node("n1", "4")}, []*corev1.Pod{pod("a", "n1", "0", named("lonely"), anti)}, pod("p", "", "0"), fit.Options{}, map[string][]fit.Check{"n1": {fit.ExistingAnti}}},
		{"no peer", []*corev1.Node{node("n1", "4"), node("n2", "4")}, []*corev1.Pod{pod("a", "n2", "0", named("cache"))}, pod("p", "", "0", attracted), fit.Options{}, map[string][]fit.Check{"n1": {fit.PodAffinity}, "n2": nil}},
		{"first of its own kind", []*corev1.Node{node("n1", "4")}, nil, pod("p", "", "0", named("cache"), attracted), fit.Options{}, map[string][]fit.Check{"n1": nil}},
		{"skew", []*corev1.Node{node("n1", "4", zoneA), node("n2", "4", zoneB), node("n3", "4")}, []*corev1.Pod{pod("a", "n1", "0")}, pod("p", "", "0", spread), fit.Options{}, map[string][]fit.Check{"n1": {fit.Spread}, "n2": nil, "n3": {fit.SpreadLabel}}},
		{"daemon pod for one node", []*corev1.Node{node("n1", "4"), node("n2", "4")}, nil, pod("p", "", "0", func(p *corev1.Pod) {
			p.Spec.Affinity = &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{RequiredDuringSchedulingIgnoredDuringExecution: &corev1.NodeSelector{NodeSelectorTerms: []corev1.NodeSelectorTerm{{MatchFields: []corev1.NodeSelectorRequirement{{Key: "metadata.name", Operator: "In", Values: []string{"n2"}}}}}}}}
		}), fit.Options{}, map[string][]fit.Check{"n1": {fit.NodeAffinity}, "n2": nil}},
		{"volume in another zone", []*corev1.Node{node("n1", "4", zoneA), node("n2", "4", zoneB)}, nil, pod("p", "", "0", claim("data")), fit.Options{
			PVCs: []*corev1.PersistentVolumeClaim{{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "data"}, Spec: corev1.PersistentVolumeClaimSpec{VolumeName: "pv1"}, Status: corev1.PersistentVolumeClaimStatus{Phase: corev1.ClaimBound}}},
			PVs:  []*corev1.PersistentVolume{{ObjectMeta: metav1.ObjectMeta{Name: "pv1"}, Spec: corev1.PersistentVolumeSpec{NodeAffinity: &corev1.VolumeNodeAffinity{Required: &corev1.NodeSelector{NodeSelectorTerms: []corev1.NodeSelectorTerm{{MatchExpressions: []corev1.NodeSelectorRequirement{{Key: "zone", Operator: "In", Values: []string{"a"}}}}}}}}}},
		}, map[string][]fit.Check{"n1": nil, "n2": {fit.VolumeNode}}},
		{"claim for one pod only", []*corev1.Node{node("n1", "4")}, []*corev1.Pod{pod("a", "n1", "0", claim("data"))}, pod("p", "", "0", claim("data")), fit.Options{
			PVCs: []*corev1.PersistentVolumeClaim{{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "data"}, Spec: corev1.PersistentVolumeClaimSpec{AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOncePod}}}},
		}, map[string][]fit.Check{"n1": {fit.RWOP}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := fit.NewCluster(c.nodes, append(c.pods, c.pod), c.opt).Evaluate(c.pod)
			for _, n := range e.Nodes {
				var got []fit.Check
				for _, f := range n.Failures {
					got = append(got, f.Check)
					if f.Detail == "" {
						t.Errorf("%s: %s without detail", n.Node.Name, f.Check)
					}
				}
				slices.Sort(got)
				want := slices.Clone(c.want[n.Node.Name])
				slices.Sort(want)
				if !slices.Equal(got, want) {
					t.Errorf("%s fails %v, want %v", n.Node.Name, got, want)
				}
			}
		})
	}
}

func claim(name string) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		p.Spec.Volumes = []corev1.Volume{{Name: "v", VolumeSource: corev1.VolumeSource{PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: name}}}}
	}
}

func TestFitsIfGone(t *testing.T) {
	old := pod("old", "n1", "3")
	p := pod("new", "", "3")
	c := fit.NewCluster([]*corev1.Node{node("n1", "4")}, []*corev1.Pod{old, p}, fit.Options{})
	if c.FitsIfGone(p, nil) || !c.FitsIfGone(p, []*corev1.Pod{old}) {
		t.Error("the new pod must fit only without the old one")
	}
	if fit.NewCluster([]*corev1.Node{node("n1", "4")}, nil, fit.Options{Partial: true}).FitsIfGone(p, nil) {
		t.Error("nothing is known to fit when pods were not seen")
	}
	claims := pod("new", "", "3")
	claims.Spec.ResourceClaims = []corev1.PodResourceClaim{{Name: "gpu"}}
	if c.FitsIfGone(claims, []*corev1.Pod{old}) {
		t.Error("a pod that claims devices is not known to fit")
	}
}

func BenchmarkEvaluate(b *testing.B) {
	var nodes []*corev1.Node
	var pods []*corev1.Pod
	for i := range 1000 {
		nodes = append(nodes, node(fmt.Sprintf("n%d", i), "16", labelled("zone", fmt.Sprint(i%3))))
		for j := range 10 {
			pods = append(pods, pod(fmt.Sprintf("p%d-%d", i, j), nodes[i].Name, "1600m"))
		}
	}
	plain, strict := pod("plain", "", "1"), pod("strict", "", "1", anti, spread)
	b.Run("index", func(b *testing.B) {
		for b.Loop() {
			fit.NewCluster(nodes, pods, fit.Options{}).Evaluate(plain)
		}
	})
	c := fit.NewCluster(nodes, pods, fit.Options{})
	b.Run("plain", func(b *testing.B) {
		for b.Loop() {
			c.FitsIfGone(plain, nil)
		}
	})
	b.Run("affinity and spread", func(b *testing.B) {
		for b.Loop() {
			c.FitsIfGone(strict, nil)
		}
	})
}
