package properties

import (
	"slices"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/unjam-dev/unjam/internal/cause"
	"github.com/unjam-dev/unjam/internal/snapshot"
)

// TestTerminalStallStays judges every terminal stall ten minutes later without
// new evidence: what never heals is still there.
func TestTerminalStallStays(t *testing.T) {
	n := 0
	for _, s := range scenes(t) {
		if s.base.State != "stalled" || s.base.Primary.Class != "terminal" {
			continue
		}
		n++
		later := copyOf(s.snap)
		later.TakenAt = later.TakenAt.Add(10 * time.Minute)
		for i, l := range later.Objects.Leases { // the nodes are alive ten minutes later, too
			l = l.DeepCopy()
			if l.Spec.RenewTime != nil {
				l.Spec.RenewTime = &metav1.MicroTime{Time: l.Spec.RenewTime.Add(10 * time.Minute)}
			}
			later.Objects.Leases[i] = l
		}
		v, err := s.judge(later)
		if err != nil {
			t.Fatalf("%s: %v", s.name, err)
		}
		if v.State != "stalled" || primary(v) != primary(s.base) {
			t.Errorf("%s: ten minutes later %s, want %s", s.name, answer(v), answer(s.base))
		}
	}
	t.Logf("%d terminal stalls", n)
}

// mendedByHand are recordings that came right because somebody changed
// something: to call them stalled before is no false doom.
var mendedByHand = map[string]string{
	"configmap-arrives":  "the ConfigMap was created meanwhile",
	"quota-recovers":     "the quota was raised meanwhile",
	"undo-after-bad-tag": "the bad revision was undone",
}

// TestNoFalseDoom replays every rollout that came right, or was on its way,
// from its first second: no moment of it may be called stalled.
func TestNoFalseDoom(t *testing.T) {
	scenesSeen, moments, dooms, byHand := 0, 0, 0, 0
	for _, s := range scenes(t) {
		if mendedByHand[s.name] != "" {
			byHand++
			continue
		}
		if s.base.State == "stalled" || s.want.State == "stalled" || s.base.State == "unknown" || !strings.HasPrefix(s.want.Workload, "deployment/") {
			continue
		}
		scenesSeen++
		for _, at := range momentsOf(s.snap) {
			v, err := s.judge(early(s.snap, at))
			if err != nil {
				continue // before the workload was made
			}
			moments++
			if v.State == "stalled" {
				dooms++
				t.Errorf("%s at %s: %s (%s): %s", s.name, at.Format("15:04:05"), answer(v), v.Primary.Confidence, v.Primary.Summary)
			}
		}
	}
	t.Logf("%d false dooms in %d moments of %d rollouts that recover or go on", dooms, moments, scenesSeen)
	if byHand != len(mendedByHand) {
		t.Errorf("%d of %d recordings that were mended by hand are there", byHand, len(mendedByHand))
	}
	if moments < 200 {
		t.Errorf("only %d moments were judged", moments)
	}
}

// TestWhatMayHealIsGivenTime takes the recordings of faults that may heal alone
// back to their first minute, or to the time the cause itself gives: a fault
// that short is no stall yet, unless the owner's own deadline has passed.
func TestWhatMayHealIsGivenTime(t *testing.T) {
	n, moments := 0, 0
	for _, s := range scenes(t) {
		p := s.base.Primary
		if p == nil || p.Class != "self-healing" || p.Since.IsZero() {
			continue
		}
		n++
		limit := time.Minute
		if own := cause.BuiltIn.ByCode(p.Cause).Settle; own > 0 {
			limit = min(limit, own)
		}
		for _, at := range momentsOf(s.snap) {
			if at.Before(p.Since) || at.Sub(p.Since) >= limit || pastDeadline(s, at) {
				continue
			}
			v, err := s.judge(early(s.snap, at))
			if err != nil {
				continue
			}
			moments++
			if v.State == "stalled" && primary(v) == p.Cause {
				t.Errorf("%s, %s after its first sign: %s: %s", s.name, at.Sub(p.Since), answer(v), v.Primary.Summary)
			}
		}
	}
	t.Logf("%d faults that may heal, %d moments of their first minute", n, moments)
}

// pastDeadline reports whether the Deployment's progress deadline was over.
func pastDeadline(s *scene, at time.Time) bool {
	return slices.ContainsFunc(s.snap.Objects.Deployments, func(d *appsv1.Deployment) bool {
		return d.Namespace == s.name && slices.ContainsFunc(d.Status.Conditions, func(c appsv1.DeploymentCondition) bool {
			return c.Reason == "ProgressDeadlineExceeded" && !c.LastUpdateTime.After(at)
		})
	})
}

// momentsOf are the moments at which something was seen, one second after
// each, and every fifth second between the first and the last.
func momentsOf(s *snapshot.Snapshot) []time.Time {
	var out []time.Time
	first := s.TakenAt
	note := func(at time.Time) {
		if !at.IsZero() && !at.After(s.TakenAt) {
			out = append(out, at, at.Add(time.Second))
		}
	}
	for _, e := range s.Objects.Events {
		if e.InvolvedObject.Namespace != s.Origin.Namespace {
			continue
		}
		note(e.FirstTimestamp.Time)
		note(e.LastTimestamp.Time)
		note(e.EventTime.Time)
	}
	for _, p := range s.Objects.Pods {
		note(p.CreationTimestamp.Time)
		if p.CreationTimestamp.Time.Before(first) {
			first = p.CreationTimestamp.Time
		}
	}
	for at := first; at.Before(s.TakenAt); at = at.Add(5 * time.Second) {
		out = append(out, at)
	}
	slices.SortFunc(out, time.Time.Compare)
	return slices.CompactFunc(out, time.Time.Equal)
}

// early is what a snapshot would have held at an earlier moment, as far as
// later traces tell. What a trace leaves open is set to the gloomier side: a
// repeated event happened just now, and a container that ran later waits.
func early(s *snapshot.Snapshot, at time.Time) *snapshot.Snapshot {
	out := deepCopyOf(s)
	out.TakenAt, out.Logs = at, nil
	o := &out.Objects
	late := func(m metav1.Object) bool { return m.GetCreationTimestamp().After(at) }
	o.Pods = slices.DeleteFunc(o.Pods, func(p *corev1.Pod) bool { return late(p) })
	o.Deployments = slices.DeleteFunc(o.Deployments, func(d *appsv1.Deployment) bool { return late(d) })
	o.ReplicaSets = slices.DeleteFunc(o.ReplicaSets, func(r *appsv1.ReplicaSet) bool { return late(r) })
	o.Events = slices.DeleteFunc(o.Events, func(e *corev1.Event) bool { return !rewind(e, at) })
	for _, n := range o.Nodes {
		n.Status.Images = nil // which were there already is not recorded
	}
	for i, l := range o.Leases {
		if l.Spec.RenewTime != nil && l.Spec.RenewTime.After(at) {
			l = l.DeepCopy()
			l.Spec.RenewTime = &metav1.MicroTime{Time: at}
			o.Leases[i] = l
		}
	}
	ready := map[string]int32{}
	total := map[string]int32{}
	for _, p := range o.Pods {
		rewindPod(p, o.Events, at)
		if ref := metav1.GetControllerOf(p); ref != nil {
			total[ref.Name]++
			if c := condition(p, corev1.PodReady); c != nil && c.Status == corev1.ConditionTrue {
				ready[ref.Name]++
			}
		}
	}
	for _, r := range o.ReplicaSets {
		r.Status.Replicas, r.Status.ReadyReplicas, r.Status.AvailableReplicas = total[r.Name], ready[r.Name], ready[r.Name]
	}
	for _, d := range o.Deployments {
		rewindDeployment(d, o.ReplicaSets, at)
	}
	return out
}

// rewind takes an event back to a moment; false when it had not happened yet.
func rewind(e *corev1.Event, at time.Time) bool {
	first := e.FirstTimestamp.Time
	if first.IsZero() {
		first = e.EventTime.Time
	}
	if first.IsZero() {
		first = e.CreationTimestamp.Time
	}
	if first.After(at) {
		return false
	}
	if last := e.LastTimestamp.Time; last.After(at) {
		e.Count = 1 + int32(float64(e.Count-1)*float64(at.Sub(first))/float64(last.Sub(first)))
		e.LastTimestamp = metav1.Time{Time: at}
		if e.Count == 1 {
			e.LastTimestamp = e.FirstTimestamp
		}
	}
	return true
}

func condition(p *corev1.Pod, kind corev1.PodConditionType) *corev1.PodCondition {
	i := slices.IndexFunc(p.Status.Conditions, func(c corev1.PodCondition) bool { return c.Type == kind })
	if i < 0 {
		return nil
	}
	return &p.Status.Conditions[i]
}

func rewindPod(p *corev1.Pod, events []*corev1.Event, at time.Time) {
	if d := p.DeletionTimestamp; d != nil && d.After(at) {
		p.DeletionTimestamp = nil
	}
	for i := range p.Status.Conditions {
		c := &p.Status.Conditions[i]
		if !c.LastTransitionTime.After(at) || c.Status != corev1.ConditionTrue {
			continue
		}
		c.Status, c.LastTransitionTime = corev1.ConditionFalse, p.CreationTimestamp
		if c.Type == corev1.PodScheduled {
			p.Spec.NodeName, c.Reason, c.Message = "", "Unschedulable", newest(events, p, "FailedScheduling", "", at)
			if c.Message == "" {
				c.Reason = ""
			}
		}
	}
	if p.Spec.NodeName == "" {
		p.Status.ContainerStatuses, p.Status.InitContainerStatuses = nil, nil
		p.Status.Phase = corev1.PodPending
		return
	}
	for _, list := range [][]corev1.ContainerStatus{p.Status.InitContainerStatuses, p.Status.ContainerStatuses} {
		for i := range list {
			rewindContainer(&list[i], p, events, at)
		}
	}
}

func rewindContainer(c *corev1.ContainerStatus, p *corev1.Pod, events []*corev1.Event, at time.Time) {
	if t := c.LastTerminationState.Terminated; t != nil && t.FinishedAt.After(at) {
		c.LastTerminationState, c.RestartCount = corev1.ContainerState{}, max(c.RestartCount-1, 0)
		c.State = corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: t.StartedAt}}
		c.Ready = false
	}
	if t := c.State.Terminated; t != nil && t.FinishedAt.After(at) {
		c.State = corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: t.StartedAt}}
	}
	if r := c.State.Running; r == nil || !r.StartedAt.After(at) {
		if ready := condition(p, corev1.PodReady); ready != nil && ready.Status != corev1.ConditionTrue {
			c.Ready = false
		}
		return
	}
	no := false
	c.Ready, c.Started = false, &no
	if t := c.LastTerminationState.Terminated; t != nil {
		c.State = corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "CrashLoopBackOff", Message: "back-off 10s restarting failed container=" + c.Name}}
		return
	}
	w := &corev1.ContainerStateWaiting{Reason: "ContainerCreating"}
	if text := newest(events, p, "Failed", "Failed to pull image", at); text != "" {
		_, text, _ = strings.Cut(strings.TrimPrefix(text, "Failed to pull image "), ": ")
		w.Reason = "ImagePullBackOff"
		w.Message = `Back-off pulling image "` + c.Image + `": ErrImagePull: ` + text
	}
	c.State = corev1.ContainerState{Waiting: w}
}

// newest is the text of the latest event of a reason about a pod.
func newest(events []*corev1.Event, p *corev1.Pod, reason, prefix string, at time.Time) string {
	text, last := "", time.Time{}
	for _, e := range events {
		if e.InvolvedObject.UID == p.UID && e.Reason == reason && strings.HasPrefix(e.Message, prefix) && !e.LastTimestamp.After(at) && !e.LastTimestamp.Time.Before(last) {
			text, last = e.Message, e.LastTimestamp.Time
		}
	}
	return text
}

func rewindDeployment(d *appsv1.Deployment, sets []*appsv1.ReplicaSet, at time.Time) {
	st := &d.Status
	want := *d.Spec.Replicas
	st.Replicas, st.ReadyReplicas, st.AvailableReplicas, st.UpdatedReplicas = 0, 0, 0, 0
	newestRevision := ""
	for _, r := range sets {
		if metav1.IsControlledBy(r, d) && len(r.Annotations[revision]) >= len(newestRevision) && r.Annotations[revision] > newestRevision {
			newestRevision, st.UpdatedReplicas = r.Annotations[revision], r.Status.Replicas
		}
	}
	for _, r := range sets {
		if metav1.IsControlledBy(r, d) {
			st.Replicas += r.Status.Replicas
			st.ReadyReplicas += r.Status.ReadyReplicas
			st.AvailableReplicas += r.Status.AvailableReplicas
		}
	}
	st.UnavailableReplicas = max(want-st.AvailableReplicas, 0)
	for i := range st.Conditions {
		c := &st.Conditions[i]
		switch {
		case c.Type == appsv1.DeploymentAvailable && c.LastTransitionTime.After(at):
			c.Status, c.Reason, c.LastTransitionTime = corev1.ConditionFalse, "MinimumReplicasUnavailable", d.CreationTimestamp
		case c.Type == appsv1.DeploymentProgressing && c.LastUpdateTime.After(at):
			c.Status, c.Reason, c.LastUpdateTime, c.LastTransitionTime = corev1.ConditionTrue, "ReplicaSetUpdated", d.CreationTimestamp, d.CreationTimestamp
		}
	}
}

const revision = "deployment.kubernetes.io/revision"
