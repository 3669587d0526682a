package kinds

import (
	"fmt"
	"math/rand"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/unjam-dev/unjam/internal/cause"
	"github.com/unjam-dev/unjam/internal/diagnose"
	"github.com/unjam-dev/unjam/internal/report"
	"github.com/unjam-dev/unjam/internal/snapshot"
	"github.com/unjam-dev/unjam/internal/snapshot/snaptest"
)

// room is what limits a simulated rolling update: a quota, or nodes.
type room struct {
	nodes    int
	capacity int64 // millicores: of the quota, or of each node
	other    int64 // taken by others, of the quota or of each node
}

// rollout is a rolling update played step by step, as the deployment,
// ReplicaSet and scheduling controllers play it (kubernetes
// pkg/controller/deployment/rolling.go).
type rollout struct {
	replicas, surge, unavailable int
	maxSurge, maxUnavailable     intstr.IntOrString
	oldCPU, newCPU               int64
	room                         room
	pods                         []*simPod
	oldWant, newWant             int
	refused                      bool
}

type simPod struct {
	isNew          bool
	node           int // -1 while pending
	ready, leaving bool
}

func (r *rollout) use(p *simPod) int64 {
	if p.isNew {
		return r.newCPU
	}
	return r.oldCPU
}

func (r *rollout) count(want func(*simPod) bool) (n int) {
	for _, p := range r.pods {
		if want(p) {
			n++
		}
	}
	return n
}

// sync is one round of the controllers; it reports whether anything changed.
func (r *rollout) sync() bool {
	changed := false
	isNew := func(p *simPod) bool { return p.isNew && !p.leaving }
	old := func(p *simPod) bool { return !p.isNew && !p.leaving }
	ready := func(p *simPod) bool { return p.ready && !p.leaving }
	if total := r.oldWant + r.newWant; total < r.replicas+r.surge && r.newWant < r.replicas {
		r.newWant += min(r.replicas+r.surge-total, r.replicas-r.newWant)
		changed = true
	}
	r.refused = false
	for r.count(isNew) < r.newWant {
		if !r.admit() {
			r.refused = true
			break
		}
		changed = true
	}
	newReady := r.count(func(p *simPod) bool { return isNew(p) && p.ready })
	down := min(r.oldWant, r.oldWant+newReady-(r.replicas-r.unavailable), r.count(ready)-(r.replicas-r.unavailable))
	for range max(0, down) {
		for _, p := range r.pods {
			if old(p) {
				p.leaving = true
				r.oldWant--
				changed = true
				break
			}
		}
	}
	for _, p := range r.pods {
		if p.node < 0 {
			changed = r.schedule(p) || changed
		}
	}
	return changed
}

// admit makes a new pod unless the quota refuses it.
func (r *rollout) admit() bool {
	p := &simPod{isNew: true, node: -1}
	if r.room.nodes == 0 {
		used := r.room.other
		for _, q := range r.pods {
			used += r.use(q)
		}
		if used+r.newCPU > r.room.capacity {
			return false
		}
		p.node = 0
	}
	r.pods = append(r.pods, p)
	return true
}

func (r *rollout) free(node int) int64 {
	free := r.room.capacity - r.room.other
	for _, q := range r.pods {
		if q.node == node {
			free -= r.use(q)
		}
	}
	return free
}

func (r *rollout) schedule(p *simPod) bool {
	for n := range r.room.nodes {
		if r.free(n) >= r.use(p) {
			p.node = n
			return true
		}
	}
	return false
}

// happen lets one thing happen that takes time: a pod gets Ready, or is gone.
func (r *rollout) happen(rnd *rand.Rand) bool {
	var can []int
	for i, p := range r.pods {
		if p.leaving || p.node >= 0 && !p.ready {
			can = append(can, i)
		}
	}
	if len(can) == 0 {
		return false
	}
	i := can[rnd.Intn(len(can))]
	if r.pods[i].leaving {
		r.pods = append(r.pods[:i], r.pods[i+1:]...)
	} else {
		r.pods[i].ready = true
	}
	return true
}

func (r *rollout) done() bool {
	return r.oldWant == 0 && r.count(func(p *simPod) bool { return p.isNew && p.ready }) == r.replicas
}

// snapshot writes the state down as the API server would show it.
func (r *rollout) snapshot(events bool) *snapshot.Snapshot {
	b := snaptest.New()
	milli := func(n int64) resource.Quantity { return *resource.NewMilliQuantity(n, resource.DecimalSI) }
	for n := range max(r.room.nodes, 1) {
		b.Node(fmt.Sprintf("n%d", n), func(x *corev1.Node) {
			if r.room.nodes > 0 {
				x.Status.Allocatable["cpu"] = milli(r.room.capacity)
			}
		})
		if r.room.nodes > 0 && r.room.other > 0 {
			b.BarePod(fmt.Sprintf("other-%d", n), "other:v1", fmt.Sprintf("n%d", n), cpu(milli(r.room.other))).Ready()
		}
	}
	w := b.Workload("Deployment", "web", image, int32(r.replicas), cpu(milli(r.newCPU)))
	d := w.Object.(*appsv1.Deployment)
	d.Spec.Strategy = appsv1.DeploymentStrategy{Type: appsv1.RollingUpdateDeploymentStrategyType, RollingUpdate: &appsv1.RollingUpdateDeployment{MaxSurge: &r.maxSurge, MaxUnavailable: &r.maxUnavailable}}
	d.Status.Conditions = nil
	var used = r.room.other
	for _, p := range r.pods {
		used += r.use(p)
		node := ""
		if p.node >= 0 {
			node = fmt.Sprintf("n%d", p.node)
		}
		var x *snaptest.Pod
		if p.isNew {
			x = w.Pod(node)
			if p.ready {
				x.Ready()
				d.Status.ReadyReplicas++
				d.Status.AvailableReplicas++
			} else if node != "" {
				x.Obj.CreationTimestamp = snaptest.Ago(5 * time.Second)
			} else {
				x.Unschedulable(fmt.Sprintf("0/%d nodes are available: %d Insufficient cpu. preemption: 0/%d nodes are available: %d No preemption victims found for incoming pod.", r.room.nodes, r.room.nodes, r.room.nodes, r.room.nodes))
			}
		} else {
			x = w.Old(node, oldImage)
			x.Obj.Spec.Containers[0].Resources.Requests = corev1.ResourceList{"cpu": milli(r.oldCPU)}
		}
		if p.leaving {
			end, grace := snaptest.Ago(-20*time.Second), int64(30)
			x.Obj.DeletionTimestamp, x.Obj.DeletionGracePeriodSeconds = &end, &grace
		}
	}
	want := int32(r.newWant)
	for _, rs := range b.Snap.Objects.ReplicaSets {
		if rs.Annotations["deployment.kubernetes.io/revision"] == "2" {
			rs.Spec.Replicas = &want
			rs.CreationTimestamp = snaptest.Ago(10 * time.Second)
		}
	}
	if r.room.nodes == 0 {
		if r.room.other > 0 {
			b.BarePod("other", "other:v1", "n1", cpu(milli(r.room.other))).Running()
		}
		hard, now := corev1.ResourceList{"requests.cpu": milli(r.room.capacity)}, corev1.ResourceList{"requests.cpu": milli(used)}
		b.Snap.Objects.ResourceQuotas = append(b.Snap.Objects.ResourceQuotas, &corev1.ResourceQuota{ObjectMeta: metav1.ObjectMeta{Namespace: snaptest.Namespace, Name: "small"}, Spec: corev1.ResourceQuotaSpec{Hard: hard}, Status: corev1.ResourceQuotaStatus{Hard: hard, Used: now}})
	}
	switch {
	case !events:
		b.Snap.Objects.Events = nil
		b.Snap.Gaps = append(b.Snap.Gaps, snapshot.Gap{Resource: "events", Reason: snapshot.GapNotCaptured})
	case r.refused:
		h, u, q := milli(r.room.capacity), milli(used), milli(r.newCPU)
		w.Refused(fmt.Sprintf(`pods "web-x" is forbidden: exceeded quota: small, requested: requests.cpu=%s, used: requests.cpu=%s, limited: requests.cpu=%s`, q.String(), u.String(), h.String()))
	}
	return b.Snap
}

func cpu(q resource.Quantity) func(*corev1.PodSpec) {
	return func(s *corev1.PodSpec) { s.Containers[0].Resources.Requests = corev1.ResourceList{"cpu": q} }
}

func randomRollout(rnd *rand.Rand, nodes bool) *rollout {
	r := &rollout{replicas: 1 + rnd.Intn(6), oldCPU: int64(1+rnd.Intn(3)) * 500, newCPU: int64(1+rnd.Intn(3)) * 500}
	either := func(n int) intstr.IntOrString {
		if rnd.Intn(2) == 0 {
			return intstr.FromString(fmt.Sprintf("%d%%", []int{0, 10, 25, 34, 50}[rnd.Intn(5)]))
		}
		return intstr.FromInt32(int32(rnd.Intn(n)))
	}
	r.maxSurge, r.maxUnavailable = either(4), either(3)
	if rnd.Intn(2) == 0 {
		r.maxUnavailable = intstr.FromInt32(0)
	}
	zero := func(x intstr.IntOrString) bool {
		return x.IntValue() == 0 && (x.Type == intstr.Int || x.StrVal == "0%")
	}
	if zero(r.maxSurge) && zero(r.maxUnavailable) {
		r.maxSurge = intstr.FromInt32(1) // the API server refuses both to be zero
	}
	r.surge, _ = intstr.GetScaledValueFromIntOrPercent(&r.maxSurge, r.replicas, true)
	r.unavailable, _ = intstr.GetScaledValueFromIntOrPercent(&r.maxUnavailable, r.replicas, false)
	r.unavailable = min(r.unavailable, r.replicas)
	if r.surge == 0 && r.unavailable == 0 {
		r.unavailable = 1
	}
	need := int64(r.replicas) * r.oldCPU
	if !nodes {
		r.room = room{capacity: need + int64(rnd.Intn(5))*500, other: 0}
		if rnd.Intn(2) == 0 {
			r.room.other = 1000
			r.room.capacity += 1000
		}
	} else {
		r.room = room{nodes: 1 + rnd.Intn(3)}
		r.room.capacity = (need+int64(r.room.nodes)-1)/int64(r.room.nodes) + int64(rnd.Intn(3))*500
		r.room.capacity = max(r.room.capacity, r.oldCPU, r.newCPU)
	}
	r.oldWant = r.replicas
	for range r.replicas {
		p := &simPod{node: -1, ready: true}
		if nodes {
			if !r.schedule(p) {
				r.room.capacity += r.oldCPU
				r.schedule(p)
			}
		} else {
			p.node = 0
		}
		r.pods = append(r.pods, p)
	}
	return r
}

// TestRollingArithmetic compares what is said of a rolling update under a full
// quota, or on full nodes, with how it ends when played out: one that ends well
// is never called stalled on its way, and one that does not is, once it stands.
func TestRollingArithmetic(t *testing.T) {
	for _, where := range []string{"quota", "nodes"} {
		t.Run(where, func(t *testing.T) {
			ends, stands := 0, 0
			for seed := range int64(150) {
				rnd := rand.New(rand.NewSource(seed))
				r := randomRollout(rnd, where == "nodes")
				type moment struct {
					snaps   []*snapshot.Snapshot
					state   string
					settled bool
				}
				var path []moment
				for range 100 {
					for r.sync() {
					}
					m := moment{state: fmt.Sprintf("%d replicas, surge %d, unavailable %d, old %dm, new %dm, %+v: %d old, %d new of %d wanted", r.replicas, r.surge, r.unavailable, r.oldCPU, r.newCPU, r.room, r.oldWant,
						r.count(func(p *simPod) bool { return p.isNew }), r.newWant)}
					m.snaps = append(m.snaps, r.snapshot(true))
					if where == "quota" {
						m.snaps = append(m.snaps, r.snapshot(false))
					}
					m.settled = !r.happen(rnd)
					path = append(path, m)
					if m.settled {
						break
					}
				}
				if !path[len(path)-1].settled {
					t.Fatalf("seed %d: the simulation does not settle", seed)
				}
				good := r.done()
				if good {
					ends++
				} else {
					stands++
				}
				for i, m := range path {
					for j, s := range m.snaps {
						v := verdictOf(t, s)
						if good && v.State == "stalled" {
							t.Fatalf("seed %d, moment %d/%d of %d: stalled by %s (%s), but it ends well: %s", seed, i, j, len(path), v.Primary.Cause, v.Primary.Summary, m.state)
						}
						if !good && m.settled && v.State != "stalled" {
							t.Fatalf("seed %d, source %d: it stands, but is called %s (%s): %s", seed, j, v.State, v.Reason, m.state)
						}
					}
				}
			}
			t.Logf("%d end, %d stand", ends, stands)
			if ends < 30 || stands < 30 {
				t.Errorf("only %d end and %d stand: the mix tells little", ends, stands)
			}
		})
	}
}

func verdictOf(t *testing.T, s *snapshot.Snapshot) report.Verdict {
	t.Helper()
	r, err := diagnose.Judge(cause.BuiltIn, s, diagnose.Scope{Targets: []diagnose.Target{{Kind: "Deployment", Name: "web"}}})
	if err != nil {
		t.Fatal(err)
	}
	return r.Verdicts[0]
}
