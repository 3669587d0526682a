package verdict

import (
	"strings"
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/unjam-dev/unjam/internal/cause"
	"github.com/unjam-dev/unjam/internal/facts"
	"github.com/unjam-dev/unjam/internal/snapshot/snaptest"
)

// asks sets the CPU that a pod requests; finite pods are not restarted.
func asks(cpu string, finite bool) func(*corev1.PodSpec) {
	return func(s *corev1.PodSpec) {
		s.Containers[0].Resources.Requests = corev1.ResourceList{"cpu": resource.MustParse(cpu)}
		if finite {
			s.RestartPolicy = corev1.RestartPolicyNever
		}
	}
}

// refusedByQuota is a Deployment whose second pod the quota has no room for,
// beside a bare pod that ends by itself or does not.
func refusedByQuota(finite bool) func(b *snaptest.Builder) {
	return func(b *snaptest.Builder) {
		hard := corev1.ResourceList{"pods": resource.MustParse("2")}
		s := b.Deployment("web", "web:v1", 2)
		s.FailedCreate(`pods "web-x" is forbidden: exceeded quota: pods, requested: pods=1, used: pods=2, limited: pods=2`)
		s.Pod("n1").Ready()
		b.Snap.Objects.ResourceQuotas = []*corev1.ResourceQuota{{ObjectMeta: metav1.ObjectMeta{Namespace: snaptest.Namespace, Name: "pods"},
			Spec: corev1.ResourceQuotaSpec{Hard: hard}, Status: corev1.ResourceQuotaStatus{Hard: hard, Used: hard}}}
		b.BarePod("batch", "batch:v1", "n1", asks("1", finite)).Running()
	}
}

// noRoom is a pod that needs more CPU than a bare pod leaves it on the only node.
func noRoom(finite bool) func(b *snaptest.Builder) {
	return func(b *snaptest.Builder) {
		b.BarePod("batch", "batch:v1", "n1", asks("3500m", finite)).Running()
		b.Deployment("web", "web:v1", 1, asks("1", false)).Pod("").
			Unschedulable("0/1 nodes are available: 1 Insufficient cpu. preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.")
	}
}

// noSuchNode is a pod that selects nodes of which there are none yet; an
// autoscaler holds its lease and has said so, or not yet.
func noSuchNode(lease bool, event string) func(b *snaptest.Builder) {
	return func(b *snaptest.Builder) {
		p := b.Deployment("web", "web:v1", 1, func(s *corev1.PodSpec) { s.NodeSelector = map[string]string{"pool": "gpu"} }).Pod("")
		p.Unschedulable("0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector. preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.")
		for i := range p.Obj.Status.Conditions {
			p.Obj.Status.Conditions[i].LastTransitionTime = snaptest.Ago(20 * time.Second)
		}
		for _, e := range b.Snap.Objects.Events {
			e.FirstTimestamp, e.LastTimestamp = snaptest.Ago(20*time.Second), snaptest.Ago(20*time.Second)
		}
		if lease {
			now := metav1.NewMicroTime(snaptest.Now)
			b.Snap.Objects.Leases = append(b.Snap.Objects.Leases, &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Namespace: "kube-system", Name: "cluster-autoscaler"},
				Spec: coordinationv1.LeaseSpec{RenewTime: &now}})
		}
		if event != "" {
			p.Event("Normal", event, "pod triggered scale-up: [{gpu 0->1 (max: 5)}]", 5*time.Second, 5*time.Second, 1)
			p.LastEvent().Source.Component = "cluster-autoscaler"
		}
	}
}

// unreadCrash is a program that died four times within a minute and of which no
// log was read: what only the log could tell may be a dependency that comes.
func unreadCrash(b *snaptest.Builder) {
	p := b.Deployment("web", "web:v1", 1).Pod("n1").Crashes(1, "Error", 4)
	p.LastEvent().FirstTimestamp = snaptest.Ago(60 * time.Second)
}

// TestSoakedFaults holds what soaks on the lab taught: rollouts that completed
// by themselves, and what makes the same picture a stall.
func TestSoakedFaults(t *testing.T) {
	for _, c := range []struct {
		name  string
		build func(b *snaptest.Builder)
		state State
		cause string
	}{
		{"the quota's room is held by a pod that ends", refusedByQuota(true), Recovering, "quota-exceeded"},
		{"the quota's room is held by a pod that runs on", refusedByQuota(false), Stalled, "quota-exceeded"},
		{"the node's room is held by a pod that ends", noRoom(true), Recovering, "insufficient-cpu"},
		{"the node's room is held by a pod that runs on", noRoom(false), Stalled, "insufficient-cpu"},
		{"no node matches, nobody adds any", noSuchNode(false, ""), Stalled, "node-affinity-mismatch"},
		{"no node matches, the autoscaler has not spoken yet", noSuchNode(true, ""), Recovering, "node-affinity-mismatch"},
		{"no node matches, one is on its way", noSuchNode(true, "TriggeredScaleUp"), Waiting, "ca-scaleup-in-progress"},
		{"crashes whose log was not read", unreadCrash, Recovering, "crashloop-app-error"},
	} {
		b := snaptest.New()
		b.Node("n1")
		c.build(b)
		f := facts.Build(b.Snap)
		for _, w := range f.Workloads {
			if w.Name != "web" {
				continue
			}
			v := Judge(cause.BuiltIn, f, w)
			got := ""
			if v.Primary != nil {
				got = v.Primary.Cause + ": " + v.Primary.Summary
			}
			if v.State != c.state || !strings.HasPrefix(got, c.cause+":") {
				t.Errorf("%s: %s %s, want %s %s", c.name, v.State, got, c.state, c.cause)
			}
		}
	}
}
