package cause_test

import (
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/unjam-dev/unjam/internal/cause"
	"github.com/unjam-dev/unjam/internal/facts"
	"github.com/unjam-dev/unjam/internal/snapshot"
	"github.com/unjam-dev/unjam/internal/snapshot/snaptest"
)

// only returns the single finding of a code.
func only(t *testing.T, b *snaptest.Builder, code string) cause.Finding {
	t.Helper()
	var found []cause.Finding
	for _, fd := range detectAll(facts.Build(b.Snap)) {
		checkFinding(t, fd)
		if fd.Cause == code {
			found = append(found, fd)
		}
	}
	if len(found) != 1 {
		t.Fatalf("%d findings of %s: %+v", len(found), code, found)
	}
	return found[0]
}

func wantIn(t *testing.T, s string, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if !strings.Contains(s, p) {
			t.Errorf("%q lacks %q", s, p)
		}
	}
}

// TestRoomSinceTheMessage: a message may be minutes old. A node with room now
// makes it a matter of waiting; one that has had room for long does not.
func TestRoomSinceTheMessage(t *testing.T) {
	b := snaptest.New()
	b.Node("n1")
	p := waits(b, refusal(1, "1 Insufficient cpu", noVictims), requests("cpu", "1"))
	fd := only(t, b, "insufficient-cpu")
	if fd.Class != cause.Waiting {
		t.Errorf("class %q, want waiting", fd.Class)
	}
	wantIn(t, fd.Summary, "n1 has room now")

	for i := range p.Obj.Status.Conditions {
		p.Obj.Status.Conditions[i].LastTransitionTime = snaptest.Ago(30 * time.Minute)
	}
	p.LastEvent().LastTimestamp, p.LastEvent().FirstTimestamp = snaptest.Ago(20*time.Minute), snaptest.Ago(30*time.Minute)
	fd = only(t, b, "insufficient-cpu")
	if fd.Class == cause.Waiting || fd.Confidence != cause.Likely || len(fd.Rivals) == 0 {
		t.Errorf("old message: class %q, %s, rivals %v", fd.Class, fd.Confidence, fd.Rivals)
	}
}

// TestWaitsForTerminatingPod: room that is on its way is no stall.
func TestWaitsForTerminatingPod(t *testing.T) {
	b := snaptest.New()
	b.Node("n1")
	fill(b, "n1", requests("cpu", "4")).Obj.DeletionTimestamp = &metav1.Time{Time: snaptest.Now}
	waits(b, refusal(1, "1 Insufficient cpu", noVictims), requests("cpu", "1"))
	if fd := only(t, b, "insufficient-cpu"); fd.Class != cause.Waiting {
		t.Errorf("class %q, want waiting", fd.Class)
	}
}

// TestUnseenPods: with pods of other namespaces unseen nothing is known to fit,
// but what a node lacks in all is still proved.
func TestUnseenPods(t *testing.T) {
	b := snaptest.New()
	b.Snap.Gaps = append(b.Snap.Gaps, snapshot.Gap{Resource: "pods", Reason: snapshot.GapForbidden})
	b.Node("n1")
	waits(b, refusal(1, "1 Insufficient cpu", noVictims), requests("cpu", "1"))
	fd := only(t, b, "insufficient-cpu")
	if fd.Class == cause.Waiting || fd.Confidence != cause.Likely && fd.Confidence != cause.Certain {
		t.Errorf("class %q, %s", fd.Class, fd.Confidence)
	}
	wantIn(t, fd.Summary, "1 CPU")

	b = snaptest.New()
	b.Snap.Gaps = append(b.Snap.Gaps, snapshot.Gap{Resource: "pods", Reason: snapshot.GapForbidden})
	b.Node("n1")
	waits(b, refusal(1, "1 Insufficient cpu", notHelpful), requests("cpu", "64"))
	if fd := only(t, b, "pod-larger-than-any-node"); fd.Confidence != cause.Certain {
		t.Errorf("%s, want certain", fd.Confidence)
	}
}

// TestMessageOverNodes: what was printed no longer holds; the nodes say another
// thing, and the finding does not claim to be sure.
func TestMessageOverNodes(t *testing.T) {
	b := snaptest.New()
	b.Node("n1", cordon)
	waits(b, refusal(1, "1 Insufficient cpu", noVictims), requests("cpu", "1"))
	fd := only(t, b, "node-unschedulable")
	if fd.Confidence != cause.Likely || len(fd.Rivals) != 1 || fd.Rivals[0].Cause != "insufficient-cpu" {
		t.Errorf("%s, rivals %v", fd.Confidence, fd.Rivals)
	}
}

// TestNumbersAndNames holds the sentences to the numbers and names they promise.
func TestNumbersAndNames(t *testing.T) {
	for _, c := range []struct {
		code  string
		build func(b *snaptest.Builder)
		want  []string
		vars  map[string]string
	}{
		{"insufficient-cpu", func(b *snaptest.Builder) {
			b.Node("n1")
			b.Node("n2")
			fill(b, "n1", requests("cpu", "3900m"))
			fill(b, "n2", requests("cpu", "800m"))
			b.BarePod("static", image, "n2", requests("cpu", "200m")).Ready()
			waits(b, refusal(2, "2 Insufficient cpu", noVictims), requests("cpu", "3500m"))
		}, []string{"3500m CPU", "3 on n2"}, map[string]string{"request": "3", "oldrequest": "3500m", "container": "app"}},
		{"host-port-conflict", func(b *snaptest.Builder) {
			b.Node("n1")
			fill(b, "n1", hostPortOf(8080))
			waits(b, refusal(1, "1 node(s) didn't have free ports for the requested pod ports", noVictims), hostPortOf(8080))
		}, []string{"8080/TCP", "shop/filler-n1-hash1-1", "n1"}, nil},
		{"node-affinity-mismatch", func(b *snaptest.Builder) {
			b.Node("n1", nodeLabel("disktype", "hdd"))
			b.Node("n2", nodeLabel("disktype", "nvme"))
			waits(b, refusal(2, "2 node(s) didn't match Pod's node affinity/selector", notHelpful), nodeSelector("disktype", "ssd"))
		}, []string{"disktype=ssd", "hdd, nvme"}, map[string]string{"labelnode": "n1", "labelkey": "disktype", "labelvalue": "ssd"}},
		{"untolerated-taint", func(b *snaptest.Builder) {
			b.Node("cp1", nodeTaint("node-role.kubernetes.io/control-plane", ""))
			b.Node("n1", nodeTaint("dedicated", "gpu"))
			waits(b, refusal(2, "2 node(s) had untolerated taint(s)", notHelpful))
		}, []string{"dedicated=gpu:NoSchedule", "n1"}, map[string]string{"tolerations": `[{"key":"dedicated","operator":"Equal","value":"gpu","effect":"NoSchedule"}]`, "tolerationsbefore": "[]"}},
		{"topology-spread-skew", func(b *snaptest.Builder) {
			b.Node("n1", nodeLabel("zone", "a"))
			b.Node("n2", nodeLabel("zone", "b"), nodeTaint(corev1.TaintNodeNotReady, ""))
			s := b.Deployment("web", image, 2, spreadOver("zone", "web"))
			s.Pod("n1").Ready()
			s.Pod("").Unschedulable(refusal(2, "1 node(s) didn't match pod topology spread constraints, 1 node(s) had untolerated taint(s)", notHelpful))
		}, []string{"zone a already has 1", "b has 0", "maxSkew is 1"}, nil},
		{"pod-anti-affinity", func(b *snaptest.Builder) {
			b.Node("n1")
			s := b.Deployment("web", image, 1, apartFrom("web"))
			s.Old("registry.example.com/shop/web:v0", "n1", 1)
			s.Pod("").Unschedulable(refusal(1, "1 node(s) didn't match pod anti-affinity rules", noVictims))
		}, []string{"share a node", "shop/web-old-1"}, map[string]string{"maxsurge": `"25%"`}},
	} {
		t.Run(c.code, func(t *testing.T) {
			b := snaptest.New()
			c.build(b)
			fd := only(t, b, c.code)
			wantIn(t, fd.Summary, c.want...)
			for k, v := range c.vars {
				if fd.Vars[k] != v {
					t.Errorf("%s = %q, want %q", k, fd.Vars[k], v)
				}
			}
		})
	}
}

// TestScaleUpMakesWaiting: with a node on its way the shortage only waits.
func TestScaleUpMakesWaiting(t *testing.T) {
	b := snaptest.New()
	autoscaler(noRoom(b), ca, "Normal", "TriggeredScaleUp", "pod triggered scale-up: [{workers 3->4 (max: 10)}]", time.Minute, time.Minute)
	if fd := only(t, b, "insufficient-cpu"); fd.Class != cause.Waiting {
		t.Errorf("class %q, want waiting", fd.Class)
	}
	wantIn(t, only(t, b, "ca-scaleup-in-progress").Summary, "workers", "from 3 to 4")
}
