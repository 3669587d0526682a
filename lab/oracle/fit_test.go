package oracle_test

import (
	"context"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	feature "k8s.io/apiserver/pkg/util/feature"
	"k8s.io/klog/v2"

	"github.com/unjam-dev/unjam/internal/fit"
	"github.com/unjam-dev/unjam/lab/oracle"
)

var (
	clusters = flag.Int("clusters", 100, "how many random clusters to try")
	seed     = flag.Uint64("seed", 1, "the first seed")
)

const podsPerCluster = 30

// TestMain turns on what newer clusters may have turned on: without it the API
// server refuses the pods that the feature is about.
func TestMain(m *testing.M) {
	klog.LogToStderr(false)
	klog.SetOutput(io.Discard)
	if err := feature.DefaultMutableFeatureGate.Set("TaintTolerationComparisonOperators=true"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// fitCluster is the same cluster as package fit takes it.
func fitCluster(c oracle.Cluster) *fit.Cluster {
	var opt fit.Options
	for _, o := range c.Others {
		switch x := o.(type) {
		case *corev1.PersistentVolumeClaim:
			opt.PVCs = append(opt.PVCs, x)
		case *corev1.PersistentVolume:
			opt.PVs = append(opt.PVs, x)
		case *storagev1.StorageClass:
			opt.StorageClasses = append(opt.StorageClasses, x)
		case *storagev1.CSINode:
			opt.CSINodes = append(opt.CSINodes, x)
		case *storagev1.VolumeAttachment:
			opt.Attachments = append(opt.Attachments, x)
		case *storagev1.CSIDriver:
			opt.CSIDrivers = append(opt.CSIDrivers, x)
		case *storagev1.CSIStorageCapacity:
			opt.Capacities = append(opt.Capacities, x)
		case *corev1.Namespace:
			opt.Namespaces = append(opt.Namespaces, x)
		}
	}
	return fit.NewCluster(c.Nodes, append(slices.Clone(c.Pods), c.Nominated...), opt)
}

// named are the names of the checks that the scheduler's reasons stand for.
func named(reasons []string) map[string]bool {
	out := map[string]bool{}
	for _, text := range reasons {
		r := fit.Reason{Text: text}
		out[string(r.Check())+r.Resource()] = true
	}
	return out
}

func failed(n fit.NodeFit) map[string]bool {
	out := map[string]bool{}
	for _, f := range n.Failures {
		name := string(f.Check)
		if f.Check == fit.Resources {
			name += string(f.Resource)
		}
		out[name] = true
	}
	return out
}

func list(set map[string]bool) string { return strings.Join(slices.Sorted(maps.Keys(set)), " ") }

// peers are the checks of one plugin that reports only the first of them.
var peers = []string{string(fit.PodAffinity), string(fit.AntiAffinity), string(fit.ExistingAnti)}

// agree compares the failing sets of one node.
func agree(theirs, ours map[string]bool) bool {
	theirs, ours = maps.Clone(theirs), maps.Clone(ours)
	for _, p := range peers {
		if theirs[p] && ours[p] {
			for _, q := range peers {
				delete(theirs, q)
				delete(ours, q)
			}
		}
	}
	return maps.Equal(theirs, ours)
}

// TestFit holds every failing check of every node to the scheduler's plugins.
func TestFit(t *testing.T) {
	for _, volumes := range []bool{false, true} {
		t.Run(fmt.Sprintf("volumes=%v", volumes), func(t *testing.T) {
			t.Parallel()
			tally := &tally{checks: map[string]int{}}
			for i := range *clusters {
				compare(t, *seed+uint64(i), volumes, tally)
			}
			t.Logf("%d pods, %d fit somewhere; nodes failing each check: %v", tally.pods, tally.fit, tally.checks)
		})
	}
}

type tally struct {
	pods, fit int
	checks    map[string]int
}

func compare(t *testing.T, seed uint64, volumes bool, tally *tally) {
	ctx := context.Background()
	m := newMaker(seed)
	c := m.cluster(volumes)
	var claims []string
	if volumes {
		claims = append(claims, "missing")
		for i := range 9 {
			claims = append(claims, fmt.Sprint("claim", i))
		}
	}
	given := fitCluster(c)
	for i, p := range c.Pods {
		c.Pods[i] = served(p)
	}
	o, err := oracle.New(ctx, c)
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	for range podsPerCluster {
		p := m.pod("new", large, 22)
		if volumes {
			m.mount(p, claims, 50)
		}
		want, err := o.Ask(ctx, served(p))
		if err != nil {
			t.Fatalf("seed %d, pod %s: %v", seed, p.Name, err)
		}
		e := given.Evaluate(p)
		tally.pods++
		if want.Fits() {
			tally.fit++
		}
		if got := len(e.Fitting()) > 0; got != want.Fits() {
			t.Errorf("seed %d, pod %s/%s: fits %v, the scheduler says %v (%s)", seed, p.Namespace, p.Name, got, want.Fits(), want.PreFilter)
		}
		if want.PreFilter != "" {
			// It holds for all nodes.
			name := list(named([]string{want.PreFilter}))
			tally.checks["prefilter "+name]++
			ours := failed(fit.NodeFit{Failures: e.Claims})
			if name == string(fit.NodeAffinity) {
				ours = failed(e.Nodes[0])
			}
			if !ours[name] {
				t.Errorf("seed %d, pod %s/%s: the scheduler says %s (%q), not [%s]", seed, p.Namespace, p.Name, name, want.PreFilter, list(ours))
			}
			continue
		}
		if len(e.Claims) > 0 {
			t.Errorf("seed %d, pod %s/%s: %s, of which the scheduler says nothing", seed, p.Namespace, p.Name, e.Claims[0].Detail)
		}
		for i, n := range want.Nodes {
			theirs, ours := named(n.All), failed(e.Nodes[i])
			for k := range theirs {
				tally.checks[k]++
			}
			if e.Nodes[i].Node.Name != n.Node {
				t.Fatal("the nodes are in another order")
			}
			// The taint that goes with a cordon is folded into it.
			if theirs[string(fit.Cordoned)] && hasCordonTaint(e.Nodes[i].Node) && !ours[string(fit.Taint)] {
				delete(theirs, string(fit.Taint))
			}
			if !agree(theirs, ours) {
				t.Errorf("seed %d, pod %s/%s on %s: fails [%s], the scheduler says [%s] %q", seed, p.Namespace, p.Name, n.Node, list(ours), list(theirs), n.All)
			}
		}
	}
}

func hasCordonTaint(n *corev1.Node) bool {
	return slices.ContainsFunc(n.Spec.Taints, func(t corev1.Taint) bool { return t.Key == corev1.TaintNodeUnschedulable })
}
