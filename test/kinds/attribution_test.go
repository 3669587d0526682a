package kinds

import (
	"fmt"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/unjam-dev/unjam/internal/snapshot/snaptest"
)

const (
	refusedDial = head + "failed to do request: Head \"https://registry.example.com/v2/shop/web/manifests/v2\": dial tcp 10.0.0.9:443: connect: connection refused"
	noSuchTag   = "rpc error: code = NotFound desc = " + head + image + ": not found"
)

// pulled is a healthy workload that pulled its image on the node, ago.
func pulled(b *snaptest.Builder, name, node string, ago time.Duration) {
	ref := "registry.example.com/other/" + name + ":v1"
	b.Deployment(name, ref, 1).Healthy().Pod(node).Ready().
		Event("Normal", "Pulled", fmt.Sprintf("Successfully pulled image %q in 2s (2s including waiting). Image size: 1000 bytes.", ref), ago, ago, 1)
}

// failsToo is another workload whose pull fails in the same way.
func failsToo(b *snaptest.Builder, name, node string) {
	b.Deployment(name, "registry.example.com/other/"+name+":v1", 1).Pod(node).
		PullFails("failed to pull and unpack image \"registry.example.com/other/" + name + ":v1\": failed to resolve reference \"registry.example.com/other/" + name + ":v1\": failed to do request: Head \"https://registry.example.com/v2/other/" + name + "/manifests/v1\": dial tcp 10.0.0.9:443: connect: connection refused")
}

const since, before = 2 * time.Minute, 6 * time.Minute // the first failure is 4 minutes old

func probed(s *corev1.PodSpec) { s.Containers[0].ReadinessProbe = probe("/ready") }

func notFound(p *snaptest.Pod) {
	p.Running().Event("Warning", "Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 404", 4*time.Minute, 3*time.Second, 48)
}

// TestAttribution holds when release, node or environment is named: only with
// witnesses on both sides, each case with the near-miss that lacks one.
func TestAttribution(t *testing.T) {
	for _, c := range []struct {
		name, want string
		build      func(b *snaptest.Builder)
	}{
		{"one node fails, another pulls since", "node", func(b *snaptest.Builder) {
			b.Deployment("web", image, 1).Pod("n1").PullFails(refusedDial)
			pulled(b, "other", "n2", since)
		}},
		{"another node pulled before only", "unknown", func(b *snaptest.Builder) {
			b.Deployment("web", image, 1).Pod("n1").PullFails(refusedDial)
			pulled(b, "other", "n2", before)
		}},
		{"the same node pulls another image since", "release", func(b *snaptest.Builder) {
			b.Deployment("web", image, 1).Pod("n1").PullFails(noSuchTag)
			pulled(b, "other", "n1", since)
		}},
		{"the same node pulled before only", "unknown", func(b *snaptest.Builder) {
			b.Deployment("web", image, 1).Pod("n1").PullFails(noSuchTag)
			pulled(b, "other", "n1", before)
		}},
		{"the image fails on two nodes, another image does not", "release", func(b *snaptest.Builder) {
			s := b.Deployment("web", image, 2)
			s.Pod("n1").PullFails(noSuchTag)
			s.Pod("n2").PullFails(noSuchTag)
			pulled(b, "other", "n3", since)
		}},
		{"the image fails for another workload too", "unknown", func(b *snaptest.Builder) {
			s := b.Deployment("web", image, 2)
			s.Pod("n1").PullFails(noSuchTag)
			s.Pod("n2").PullFails(noSuchTag)
			b.Deployment("twin", image, 1).Pod("n2").PullFails(noSuchTag)
			pulled(b, "other", "n3", since)
		}},
		{"several images on several nodes", "environment", func(b *snaptest.Builder) {
			b.Deployment("web", image, 1).Pod("n1").PullFails(refusedDial)
			failsToo(b, "other", "n2")
		}},
		{"several images on one node: node or registry", "unknown", func(b *snaptest.Builder) {
			b.Deployment("web", image, 1).Pod("n1").PullFails(refusedDial)
			failsToo(b, "other", "n1")
		}},
		{"several images on several nodes, but a third pulls", "unknown", func(b *snaptest.Builder) {
			b.Deployment("web", image, 1).Pod("n1").PullFails(refusedDial)
			failsToo(b, "other", "n2")
			pulled(b, "third", "n3", since)
		}},
		{"the same revision is Ready on another node since", "node", func(b *snaptest.Builder) {
			s := b.Deployment("web", image, 2, probed)
			notFound(s.Pod("n1"))
			readyAt(s.Pod("n2"), since)
		}},
		{"the same revision is Ready on the same node", "unknown", func(b *snaptest.Builder) {
			s := b.Deployment("web", image, 2, probed)
			notFound(s.Pod("n1"))
			readyAt(s.Pod("n1"), since)
		}},
		{"the former revision answers its probe on the same node", "release", func(b *snaptest.Builder) {
			w := b.Workload("Deployment", "web", image, 1, probed)
			notFound(w.Pod("n1"))
			w.Old("n1", oldImage)
		}},
		{"the former revision is asked nothing", "unknown", func(b *snaptest.Builder) {
			w := b.Workload("Deployment", "web", image, 1, probed)
			notFound(w.Pod("n1"))
			w.Old("n1", oldImage).Obj.Spec.Containers[0].ReadinessProbe = nil
		}},
		{"the former revision runs elsewhere, one node fails", "unknown", func(b *snaptest.Builder) {
			w := b.Workload("Deployment", "web", image, 1, probed)
			notFound(w.Pod("n1"))
			w.Old("n2", oldImage)
		}},
		{"the former revision fails alike", "environment", func(b *snaptest.Builder) {
			w := b.Workload("Deployment", "web", image, 1, probed)
			notFound(w.Pod("n1"))
			notFound(w.Old("n2", oldImage).Condition(corev1.PodReady, corev1.ConditionFalse, "ContainersNotReady", ""))
			b.Snap.Objects.Pods[1].Status.ContainerStatuses[0].Ready = false
		}},
		{"a program crashes while the former one runs on: what it needs may have changed", "unknown", func(b *snaptest.Builder) {
			w := b.Workload("Deployment", "web", image, 1, probed)
			crashes(1, "Error", "fatal: token expired")(b, w.Pod("n1"))
			w.Old("n1", oldImage)
		}},
		{"refused, others are let in since", "release", func(b *snaptest.Builder) {
			b.Workload("Deployment", "web", image, 1).Refused(`admission webhook "policy.example.com" denied the request: image not signed`)
			b.Event("ReplicaSet", snaptest.Namespace, "other-1", "", "Normal", "SuccessfulCreate", "Created pod: other-1-x", since, since, 1)
		}},
		{"refused, others were let in before", "unknown", func(b *snaptest.Builder) {
			b.Workload("Deployment", "web", image, 1).Refused(`admission webhook "policy.example.com" denied the request: image not signed`)
			b.Event("ReplicaSet", snaptest.Namespace, "other-1", "", "Normal", "SuccessfulCreate", "Created pod: other-1-x", before, before, 1)
		}},
		{"two workloads refused alike", "environment", func(b *snaptest.Builder) {
			b.Workload("Deployment", "web", image, 1).Refused(`admission webhook "policy.example.com" denied the request: image not signed`)
			b.Workload("StatefulSet", "db", image, 1).Refused(`admission webhook "policy.example.com" denied the request: image not signed`)
		}},
		{"a node is lost", "node", func(b *snaptest.Builder) {
			lose(b, "n1")
			b.Deployment("web", image, 1).Pod("n1").Ready().Condition(corev1.PodReady, corev1.ConditionFalse, "", "")
		}},
		{"most nodes are lost", "environment", func(b *snaptest.Builder) {
			lose(b, "n1", "n2", "n3")
			b.Deployment("web", image, 1).Pod("n1").Ready().Condition(corev1.PodReady, corev1.ConditionFalse, "", "")
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := snaptest.New()
			for i := range 4 {
				b.Node(fmt.Sprintf("n%d", i+1))
			}
			c.build(b)
			v := verdictOf(t, b.Snap)
			if v.Primary == nil || v.Primary.Attribution == nil {
				t.Fatalf("no cause, or no attribution: %s %s", v.State, v.Reason)
			}
			a := v.Primary.Attribution
			if a.To != c.want {
				t.Errorf("%s lies with %q (%s), want %q", v.Primary.Cause, a.To, a.Because, c.want)
			}
			if (a.To == "unknown") != (a.Because == "" && len(a.Evidence) == 0) {
				t.Errorf("a claim needs a witness, and only a claim: %+v", a)
			}
		})
	}
}

func readyAt(p *snaptest.Pod, ago time.Duration) {
	p.Ready()
	for i := range p.Obj.Status.Conditions {
		p.Obj.Status.Conditions[i].LastTransitionTime = snaptest.Ago(ago)
	}
}

func lose(b *snaptest.Builder, nodes ...string) {
	for _, n := range b.Snap.Objects.Nodes {
		for _, name := range nodes {
			if n.Name == name {
				n.Status.Conditions = []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionUnknown, Reason: "NodeStatusUnknown", Message: "Kubelet stopped posting node status.", LastTransitionTime: snaptest.Ago(4 * time.Minute)}}
			}
		}
	}
}
