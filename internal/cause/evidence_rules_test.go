package cause_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/unjam-dev/unjam/internal/cause"
	"github.com/unjam-dev/unjam/internal/facts"
	"github.com/unjam-dev/unjam/internal/snapshot/snaptest"
)

// The tests E1 to E16 hold one rule each about the evidence itself: what the
// components of Kubernetes leave out, freeze, cut off or print too late.

// findingsOf are all findings about what build makes.
func findingsOf(build func(*snaptest.Builder)) []cause.Finding {
	b := snaptest.New()
	build(b)
	return detectAll(facts.Build(b.Snap))
}

// stands fails unless exactly the given causes stand, and returns the first.
func stands(t *testing.T, build func(*snaptest.Builder), want ...string) cause.Finding {
	t.Helper()
	all := findingsOf(build)
	slices.Sort(want)
	if got := unexplained(all, want); !slices.Equal(got, want) {
		t.Fatalf("found %v, want %v", got, want)
	}
	i := slices.IndexFunc(all, func(f cause.Finding) bool { return len(want) > 0 && f.Cause == want[0] })
	if i < 0 {
		return cause.Finding{}
	}
	return all[i]
}

// said is everything a finding says, for tests of what it must name.
func said(fd cause.Finding) string {
	s := fd.Summary
	for _, e := range fd.Evidence {
		s += "\n" + e.Text + ": " + e.Receipt.Text
	}
	for _, v := range fd.Vars {
		s += "\n" + v
	}
	return s
}

// TestE1EventsExpire: no event is no sign of health, and an event's time is its
// last one, in a series too, not its count.
func TestE1EventsExpire(t *testing.T) {
	fd := stands(t, func(b *snaptest.Builder) {
		b.Node("n1")
		b.Deployment("web", lab, 1).Pod("n1").Waiting("ImagePullBackOff", `Back-off pulling image "`+lab+`": ErrImagePull: `+absent(lab))
	}, "tag-not-found")
	if len(fd.Pods) != 1 {
		t.Errorf("pods = %v", fd.Pods)
	}
	fd = stands(t, func(b *snaptest.Builder) {
		p := waits(b, "")
		b.Node("n1", cordon)
		p.Condition(corev1.PodScheduled, corev1.ConditionFalse, "Unschedulable", refusal(1, "1 node(s) were unschedulable", notHelpful))
		e := p.LastEvent()
		e.Message, e.Count, e.FirstTimestamp, e.LastTimestamp = refusal(1, "1 node(s) were unschedulable", notHelpful), 0, metav1.Time{}, metav1.Time{}
		e.EventTime = metav1.NewMicroTime(snaptest.Ago(40 * time.Minute).Time)
		e.Series = &corev1.EventSeries{Count: 2, LastObservedTime: metav1.NewMicroTime(snaptest.Ago(time.Minute).Time)}
	}, "node-unschedulable")
	if age := snaptest.Now.Sub(fd.Last); age != time.Minute {
		t.Errorf("last seen %s ago, want the series' last time, 1m ago", age)
	}
	stands(t, func(b *snaptest.Builder) { // folded after ten similar ones
		failsMount(b, `(combined from similar events): MountVolume.SetUp failed for volume "v" : configmap "gone" not found`, func(s *corev1.PodSpec) {
			s.Volumes = append(s.Volumes, corev1.Volume{Name: "v", VolumeSource: corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{LocalObjectReference: corev1.LocalObjectReference{Name: "gone"}}}})
		})
	}, "config-volume-missing")
}

// TestE2ConditionHoldsTheWholeText: the event is cut at 1024 characters.
func TestE2ConditionHoldsTheWholeText(t *testing.T) {
	var reasons []string
	for i := range 40 {
		reasons = append(reasons, "1 node(s) had untolerated taint {pool-"+string(rune('a'+i%26))+strings.Repeat("x", i/26+10)+": y}")
	}
	whole := "0/41 nodes are available: 1 node(s) didn't have free ports for the requested pod ports, " + strings.Join(reasons, ", ") + ", 1 node(s) were unschedulable." +
		" preemption: 0/41 nodes are available: 41 Preemption is not helpful for scheduling."
	f := func(condition string) []string {
		b := snaptest.New()
		unseen(b, "nodes")
		p := b.Deployment("web", image, 1, hostPortOf(80)).Pod("").Unschedulable(whole[:1020] + " ...")
		p.Condition(corev1.PodScheduled, corev1.ConditionFalse, "Unschedulable", condition)
		var out []string
		for _, r := range facts.Build(b.Snap).Workloads[0].Pods[0].Scheduling.Fit.Reasons {
			out = append(out, r.Text)
		}
		return out
	}
	if got := f(whole); !slices.ContainsFunc(got, func(s string) bool { return strings.Contains(s, "were unschedulable") }) {
		t.Errorf("the end of the condition is not read: %d reasons", len(got))
	}
	if got := f(whole[:1020] + " ..."); slices.ContainsFunc(got, func(s string) bool { return strings.Contains(s, "were unschedulable") }) {
		t.Error("the event alone cannot hold it: the test proves nothing")
	}
}

// TestE3MessagesAreOld: the scheduler may look again only after five minutes,
// so what it printed is computed anew before it is asserted.
func TestE3MessagesAreOld(t *testing.T) {
	fd := stands(t, func(b *snaptest.Builder) {
		b.Node("n1") // four CPUs are free by now
		waits(b, refusal(1, "1 Insufficient cpu", noVictims), requests("cpu", "1"))
	}, "insufficient-cpu")
	if fd.Class != cause.Waiting && fd.Confidence == cause.Certain {
		t.Errorf("a reason that no longer holds is certain: %s", fd.Summary)
	}
	fd = stands(t, func(b *snaptest.Builder) {
		b.Node("n1")
		fill(b, "n1", requests("cpu", "4"))
		waits(b, refusal(1, "1 Insufficient cpu", noVictims), requests("cpu", "1"))
	}, "insufficient-cpu")
	if fd.Class == cause.Waiting || fd.Confidence != cause.Certain {
		t.Errorf("a reason that holds is %s and %s", fd.Class, fd.Confidence)
	}
}

// TestE4OnlyTheFirstFailingPluginIsPrinted: mending the printed reason can bring
// out the next, so all of them are evaluated.
func TestE4OnlyTheFirstFailingPluginIsPrinted(t *testing.T) {
	all := findingsOf(func(b *snaptest.Builder) {
		b.Node("n1", nodeTaint("dedicated", "db"))
		fill(b, "n1", requests("cpu", "4"), func(s *corev1.PodSpec) {
			s.Tolerations = []corev1.Toleration{{Operator: corev1.TolerationOpExists}}
		})
		waits(b, refusal(1, "1 node(s) had untolerated taint(s)", notHelpful), requests("cpu", "1"))
	})
	for _, code := range []string{"untolerated-taint", "insufficient-cpu"} {
		if !slices.ContainsFunc(all, func(f cause.Finding) bool { return f.Cause == code || strings.Contains(said(f), code) }) {
			t.Errorf("%s is not named", code)
		}
	}
}

// TestE5SeveralReasonsPerNode: a node short of two resources counts twice, so
// the counts may exceed the number of nodes.
func TestE5SeveralReasonsPerNode(t *testing.T) {
	all := findingsOf(func(b *snaptest.Builder) {
		b.Node("n1")
		fill(b, "n1", requests("cpu", "4", "memory", "8Gi"))
		waits(b, refusal(1, "1 Insufficient cpu, 1 Insufficient memory", noVictims), requests("cpu", "1", "memory", "1Gi"))
	})
	got := unexplained(all, nil)
	if len(got) == 0 {
		t.Fatal("nothing found")
	}
	text := ""
	for _, fd := range all {
		text += said(fd)
	}
	if !strings.Contains(text, "cpu") || !strings.Contains(text, "memory") {
		t.Errorf("one of the two resources is not named:\n%s", text)
	}
	for _, fd := range all {
		if slices.Contains(got, fd.Cause) && fd.Cause != "insufficient-cpu" && fd.Cause != "insufficient-memory" {
			t.Errorf("%s is no reason here", fd.Cause)
		}
	}
}

// TestE6ReplicaFailureIsFrozen: the condition keeps the first refusal; the
// newest event says what stands in the way now.
func TestE6ReplicaFailureIsFrozen(t *testing.T) {
	stands(t, func(b *snaptest.Builder) {
		s := b.Deployment("web", image, 1).FailedCreate(`pods "web-x" is forbidden: exceeded quota: compute, requested: pods=1, used: pods=10, limited: pods=10`)
		b.Event("ReplicaSet", snaptest.Namespace, s.ReplicaSet.Name, s.ReplicaSet.UID, "Warning", "FailedCreate", `Error creating: pods "web-y" is forbidden: no PriorityClass with name high was found`, 5*time.Second, 2*time.Second, 1)
	}, "priorityclass-missing")
	stands(t, func(b *snaptest.Builder) { // the condition outlives the refusal
		s := b.Deployment("web", image, 1).FailedCreate(`pods "web-x" is forbidden: no PriorityClass with name high was found`)
		b.Node("n1")
		s.Pod("n1").Ready()
		s.Healthy()
	})
}

// TestE7FlappingCountsAsProgress: the controller takes any rise of a count for a
// step forward, so a crash loop may keep the deadline from ever passing.
func TestE7FlappingCountsAsProgress(t *testing.T) {
	fd := stands(t, func(b *snaptest.Builder) {
		s := web(b)
		s.Deployment.CreationTimestamp = snaptest.Ago(3 * time.Hour)
		s.Deployment.Status.Conditions[1].LastUpdateTime = snaptest.Ago(2 * time.Second)
		logOf(b, s.Pod("n1").Crashes(1, "Error", 40), "app", "fatal: bye")
	}, "crashloop-app-error")
	if fd.Confidence != cause.Certain || fd.Class == cause.SelfHealing {
		t.Errorf("%s, class %q: the controller's word of progress counts more than forty deaths", fd.Confidence, fd.Class)
	}
}

// TestE8DoneIsNotWatched: after NewReplicaSetAvailable the controller estimates
// no progress any more (kubernetes/kubernetes#106054).
func TestE8DoneIsNotWatched(t *testing.T) {
	build := func(reason string) func(*snaptest.Builder) {
		return func(b *snaptest.Builder) {
			b.Node("n1")
			s := b.Deployment("web", image, 2).Healthy()
			s.Pod("n1").Ready()
			s.Pod("n1").Running()
			s.Deployment.Status.AvailableReplicas, s.Deployment.Status.ReadyReplicas = 1, 1
			s.Deployment.Status.Conditions[1].Reason = reason
		}
	}
	stands(t, build("NewReplicaSetAvailable"), "complete-but-degraded")
	if all := findingsOf(build("ReplicaSetUpdated")); slices.ContainsFunc(all, func(f cause.Finding) bool { return f.Cause == "complete-but-degraded" }) {
		t.Error("a rollout under way counts as done")
	}
}

// TestE9StaleDeadline: after an undo the passed deadline of the attempt before
// stays until the next step forward (kubernetes/kubernetes#49637).
func TestE9StaleDeadline(t *testing.T) {
	stands(t, func(b *snaptest.Builder) {
		s := deadline(b)
		s.Deployment.Generation, s.Deployment.Status.ObservedGeneration = 3, 3
		s.ReplicaSet.CreationTimestamp = snaptest.Ago(time.Hour)
		scales(b, s, "Scaled up replica set web-hash1 from 0 to 1", 5*time.Second, 1)
	}, "deadline-stale-after-undo")
	stands(t, func(b *snaptest.Builder) { deadline(b) }, "progress-deadline-exceeded")
}

// TestE10VolumesWaitInSilence: since 1.28 the kubelet emits no event while it
// waits for volumes (kubernetes/kubernetes#127034).
func TestE10VolumesWaitInSilence(t *testing.T) {
	stands(t, func(b *snaptest.Builder) { before(b, mountsClaim("data")) }, "volume-wait-silent")
	stands(t, func(b *snaptest.Builder) { before(b) }) // no volume to wait for
}

// TestE11PodReadyToStartContainers splits ContainerCreating: false is volumes
// and network, true is the image or the container.
func TestE11PodReadyToStartContainers(t *testing.T) {
	for status, want := range map[corev1.ConditionStatus][]facts.Phase{corev1.ConditionFalse: {facts.PhaseVolume, facts.PhaseSandbox}, corev1.ConditionTrue: {facts.PhasePull, facts.PhaseStart}} {
		b := snaptest.New()
		b.Node("n1")
		b.Deployment("web", image, 1, mountsClaim("data")).Pod("n1").Condition("PodReadyToStartContainers", status, "", "")
		if got := facts.Build(b.Snap).Pods[0].Phase; !slices.Contains(want, got) {
			t.Errorf("condition %s: phase %s, want one of %s", status, got, want)
		}
	}
}

// TestE12TaintsWithoutNames: newer schedulers do not print which taint it was.
func TestE12TaintsWithoutNames(t *testing.T) {
	fd := stands(t, func(b *snaptest.Builder) {
		b.Node("n1", nodeTaint("dedicated", "database"))
		waits(b, refusal(1, "1 node(s) had untolerated taint(s)", notHelpful))
	}, "untolerated-taint")
	if !strings.Contains(fd.Summary, "dedicated=database") {
		t.Errorf("the taint is not named: %s", fd.Summary)
	}
}

// TestE13KarpenterWritesFailedScheduling under the scheduler's own reason.
func TestE13KarpenterWritesFailedScheduling(t *testing.T) {
	build := func(source string) func(*snaptest.Builder) {
		return func(b *snaptest.Builder) {
			p := noRoom(b)
			autoscaler(p, source, "Warning", "FailedScheduling", `Failed to schedule pod, all available instance types exceed limits for nodepool: "default"`, 2*time.Minute, 5*time.Second)
		}
	}
	stands(t, build("karpenter"), "karpenter-limits")
	stands(t, build("default-scheduler"), "insufficient-cpu")
}

// TestE14AutoscalersActOnUnschedulableOnly: no scale-up is to be expected for a
// pod that is gated or that the scheduler failed on.
func TestE14AutoscalersActOnUnschedulableOnly(t *testing.T) {
	build := func(reason, message string) func(*snaptest.Builder) {
		return func(b *snaptest.Builder) {
			b.Node("n1")
			fill(b, "n1", requests("cpu", "3500m"))
			leaseOf(b, "cluster-autoscaler", 5*time.Second)
			p := b.Deployment("web", image, 1, requests("cpu", "1")).Pod("")
			p.Condition(corev1.PodScheduled, corev1.ConditionFalse, reason, message)
			if reason == "SchedulingGated" {
				p.Obj.Spec.SchedulingGates = []corev1.PodSchedulingGate{{Name: "kueue.x-k8s.io/admission"}}
			}
		}
	}
	has := func(build func(*snaptest.Builder)) bool {
		return slices.ContainsFunc(findingsOf(build), func(f cause.Finding) bool { return f.Cause == "ca-not-reacting" })
	}
	if !has(build("Unschedulable", refusal(1, "1 Insufficient cpu", noVictims))) {
		t.Fatal("an autoscaler that is silent on an unschedulable pod is not seen: the test proves nothing")
	}
	if has(build("SchedulerError", `running "NodePorts" filter plugin: context canceled`)) {
		t.Error("a scale-up is expected after a SchedulerError")
	}
	if has(build("SchedulingGated", "Scheduling is blocked due to non-empty scheduling gates")) {
		t.Error("a scale-up is expected for a gated pod")
	}
}

// TestE15NominatedIsNoPreemption: since 1.35 the field is also set while a pod
// waits in PreBind or Permit.
func TestE15NominatedIsNoPreemption(t *testing.T) {
	build := func(leaving bool) func(*snaptest.Builder) {
		return func(b *snaptest.Builder) {
			b.Node("n1")
			p := fill(b, "n1", requests("cpu", "4"))
			text := refusal(1, "1 Insufficient cpu", noVictims)
			if leaving {
				p.Obj.DeletionTimestamp = &metav1.Time{Time: snaptest.Now}
				text = "0/1 nodes are available: 1 Insufficient cpu. preemption: not eligible due to a terminating pod on the nominated node."
			}
			waits(b, text, requests("cpu", "1")).Obj.Status.NominatedNodeName = "n1"
		}
	}
	has := func(build func(*snaptest.Builder)) bool {
		return slices.ContainsFunc(findingsOf(build), func(f cause.Finding) bool { return f.Cause == "preemption-pending" })
	}
	if has(build(false)) {
		t.Error("a nominated node alone passes for a preemption")
	}
	if !has(build(true)) {
		t.Error("a pod that leaves the nominated node is not seen")
	}
}

// TestE16NoiseOfDynamicResources: until 1.36 its words follow every refusal, with
// a preemption clause after them or without.
func TestE16NoiseOfDynamicResources(t *testing.T) {
	const clause = " preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod."
	for _, noise := range []string{" no new claims to deallocate," + clause, " still not schedulable," + clause, " no new claims to deallocate", " still not schedulable"} {
		build := func(b *snaptest.Builder) {
			b.Node("n1")
			fill(b, "n1", requests("cpu", "4"))
			waits(b, "0/1 nodes are available: 1 Insufficient cpu."+noise, requests("cpu", "1"))
		}
		if fd := stands(t, build, "insufficient-cpu"); fd.Confidence != cause.Certain {
			t.Errorf("%q: %s", noise, fd.Confidence)
		}
		b := snaptest.New()
		build(b)
		for _, p := range facts.Build(b.Snap).Pods {
			if p.Scheduling == nil {
				continue
			}
			if r := p.Scheduling.Fit.Reasons; len(r) != 1 || r[0].Text != "Insufficient cpu" {
				t.Errorf("%q: reasons %+v", noise, r)
			}
		}
	}
}
