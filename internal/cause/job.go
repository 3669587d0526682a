package cause

import (
	"fmt"
	"slices"
	"strings"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/unjam-dev/unjam/internal/facts"
)

// jobFailure is the condition that ends a Job; FailureTarget comes first while
// its pods are still being stopped.
func jobFailure(w *facts.Workload) (facts.Condition, bool) {
	if w.Job == nil {
		return facts.Condition{}, false
	}
	for _, typ := range []batchv1.JobConditionType{batchv1.JobFailed, batchv1.JobFailureTarget} {
		if c := w.Condition(string(typ)); c.Status == "True" {
			return c, true
		}
	}
	return facts.Condition{}, false
}

// failedPods are the Job's failed pods, newest last.
func failedPods(w *facts.Workload) []*facts.Pod {
	var out []*facts.Pod
	for _, p := range w.Pods {
		if p.Phase == facts.PhaseFailed {
			out = append(out, p)
		}
	}
	slices.SortStableFunc(out, func(a, b *facts.Pod) int { return a.Obj.CreationTimestamp.Compare(b.Obj.CreationTimestamp.Time) })
	return out
}

// lastDeath is the newest failure of a container in the pods.
func lastDeath(pods []*facts.Pod) (*facts.Container, *facts.Death) {
	for _, p := range slices.Backward(pods) {
		for _, c := range p.Containers {
			if d := c.LastDeath(); d != nil && d.ExitCode != 0 {
				return c, d
			}
		}
	}
	return nil, nil
}

// detectJobFailed sees a Job that has given up. Where a pod shows why, the Job's
// failure is its effect; where none is left, it is all that is known.
func detectJobFailed(_ *facts.Facts, w *facts.Workload) []Finding {
	c, ok := jobFailure(w)
	if !ok {
		return nil
	}
	pods := failedPods(w)
	var summary string
	switch c.Reason {
	case "BackoffLimitExceeded":
		limit := "its backoff limit"
		if n := w.Job.Spec.BackoffLimit; n != nil {
			limit = fmt.Sprintf("its backoff limit of %d", *n)
		}
		summary = fmt.Sprintf("%s gave up after %d failed pods, which reached %s", w.Ref(), w.Job.Status.Failed, limit)
	case "DeadlineExceeded":
		limit := "its deadline"
		if n := w.Job.Spec.ActiveDeadlineSeconds; n != nil {
			limit = fmt.Sprintf("its deadline of %s", time.Duration(*n)*time.Second)
		}
		summary = fmt.Sprintf("%s was stopped because it ran longer than %s (activeDeadlineSeconds)", w.Ref(), limit)
	case "PodFailurePolicy":
		summary = fmt.Sprintf("%s gave up because its pod failure policy says so (%s)", w.Ref(), firstLine(c.Message))
	case "FailedIndexes", "MaxFailedIndexesExceeded":
		summary = fmt.Sprintf("%s gave up on some of its indexes (%s)", w.Ref(), firstLine(c.Message))
	default:
		summary = fmt.Sprintf("%s has failed (%s)", w.Ref(), c.Reason)
	}
	fd := seenIn(w, "job-failed", Certain, summary, Evidence{Text: "the Job's own verdict", Receipt: w.Receipt("status.conditions["+c.Type+"]", c.Message, c.LastTransition)})
	fd.Class = Terminal
	if container, d := lastDeath(pods); d != nil {
		fd.Summary += fmt.Sprintf("; container %s of the last one exited with %d", container.Name, d.ExitCode)
		fd.Evidence = append(fd.Evidence, Evidence{Text: "how the last pod ended", Receipt: d.Receipt})
		fd.Vars["pod"], fd.Vars["container"] = container.Pod.Name(), container.Name
		if c.Reason != "DeadlineExceeded" && container.Pod.Obj.Status.Reason == "" {
			fd.Class = Symptom
		}
	}
	fd.Explains = []string{"job-backoff"}
	return []Finding{fd}
}

// Back-off of failed Job pods (kubernetes pkg/controller/job/job_controller.go).
const (
	jobBackOff    = 10 * time.Second
	jobBackOffMax = 10 * time.Minute
)

// detectJobBackoff sees the pause before a Job makes its next pod.
func detectJobBackoff(f *facts.Facts, w *facts.Workload) []Finding {
	if w.Job == nil || w.Paused || w.Job.Status.Failed == 0 || w.Job.Status.Active > 0 || rolledOut(w) || len(livePods(w.Pods)) > 0 {
		return nil
	}
	if _, failed := jobFailure(w); failed {
		return nil
	}
	pods := failedPods(w)
	_, d := lastDeath(pods)
	if d == nil {
		return nil
	}
	delay := jobBackOff
	for range min(w.Job.Status.Failed-1, 10) {
		delay = min(2*delay, jobBackOffMax)
	}
	next := d.Finished.Add(delay)
	fd := seenIn(w, "job-backoff", Certain, fmt.Sprintf("%s waits until %s before it makes the next pod, after %d failed", w.Ref(), next.UTC().Format("15:04:05"), w.Job.Status.Failed),
		Evidence{Text: "how the last pod ended", Receipt: d.Receipt}, Evidence{Text: "how many pods have failed", Receipt: w.Receipt("status.failed", fmt.Sprint(w.Job.Status.Failed), f.Now)})
	fd.NextRetry, fd.Attempts = next, int(w.Job.Status.Failed)
	fd.Vars["pod"] = pods[len(pods)-1].Name()
	return []Finding{fd}
}

// detectJobWaitsTerminating sees a Job that replaces pods only once they are
// fully gone.
func detectJobWaitsTerminating(f *facts.Facts, w *facts.Workload) []Finding {
	if w.Job == nil || rolledOut(w) || w.Job.Spec.PodReplacementPolicy == nil || *w.Job.Spec.PodReplacementPolicy != batchv1.Failed || w.Job.Status.Active > 0 {
		return nil
	}
	for _, p := range w.Pods {
		if !p.Terminating() {
			continue
		}
		end := p.Obj.DeletionTimestamp.Time
		fd := seenIn(w, "job-waits-terminating", Certain, fmt.Sprintf("%s makes its next pod only when %s has ended, which is terminating until %s", w.Ref(), p.Name(), end.UTC().Format("15:04:05")),
			Evidence{Text: "the Job waits for pods to fail fully", Receipt: w.Receipt("spec.podReplacementPolicy", "Failed", time.Time{})},
			Evidence{Text: "the pod is being deleted", Receipt: p.Receipt("metadata.deletionTimestamp", end.UTC().Format(time.RFC3339), end)})
		fd.Since = end.Add(-graceOf(p))
		fd.NextRetry, fd.Explains = end, []string{"old-pod-grace"}
		if f.Now.Sub(end) > 30*time.Second {
			fd.Class = Symptom // overdue: what holds the pod is the cause
		}
		fd.touch(p, nil)
		fd.Vars["pod"] = p.Name()
		return []Finding{fd}
	}
	return nil
}

func graceOf(p *facts.Pod) time.Duration {
	if s := p.Obj.DeletionGracePeriodSeconds; s != nil {
		return time.Duration(*s) * time.Second
	}
	return 30 * time.Second
}

// sidecars are containers known to run beside an application without end.
var sidecars = []string{"istio-proxy", "linkerd-proxy", "envoy", "cloud-sql-proxy", "cloudsql-proxy", "cloudsql", "vault-agent", "fluent-bit", "fluentd", "filebeat",
	"datadog-agent", "otel-collector", "otc-container", "daprd", "consul-dataplane", "consul-connect-envoy-sidecar", "aws-xray", "xray-daemon", "kuma-sidecar", "nginx-sidecar"}

// completedFor is how long the main container must be done before what still
// runs beside it counts as holding the pod.
const completedFor = 60 * time.Second

// detectJobSidecar sees a Job pod whose work is done and that does not end
// because an ordinary container beside it keeps running.
func detectJobSidecar(f *facts.Facts, w *facts.Workload) []Finding {
	if w.Job == nil || rolledOut(w) {
		return nil
	}
	var fd Finding
	for _, p := range livePods(w.Pods) {
		done, running := doneAndRunning(p)
		if done == nil || running == nil || f.Now.Sub(done.Status.State.Terminated.FinishedAt.Time) < completedFor {
			continue
		}
		t := done.Status.State.Terminated
		if fd.Cause == "" {
			fd = seenIn(w, "job-sidecar-blocks-completion", Likely, fmt.Sprintf("container %s of %s finished its work at %s, and container %s keeps running beside it, so neither the pod nor the Job completes",
				done.Name, p.Name(), t.FinishedAt.UTC().Format("15:04:05"), running.Name),
				Evidence{Text: "this container has completed", Receipt: p.Receipt(done.StatusPath()+".state.terminated", "exit code 0, reason "+t.Reason, t.FinishedAt.Time)},
				Evidence{Text: "this one still runs", Receipt: p.Receipt(running.StatusPath()+".state.running", "since "+running.Running.StartedAt.UTC().Format(time.RFC3339), running.Running.StartedAt.Time)})
			fd.Since, fd.Last = t.FinishedAt.Time, f.Now
			fd.Vars["pod"], fd.Vars["container"], fd.Vars["sidecar"] = p.Name(), done.Name, running.Name
			if knownSidecar(running) {
				fd.Confidence = Certain
			} else {
				fd.Rivals = []Rival{{Cause: "slow-but-progressing", SettledBy: fmt.Sprintf("kubectl -n %s logs %s -c %s: does it still do the Job's work?", w.Namespace, p.Name(), running.Name)}}
			}
		}
		fd.touch(p, running)
	}
	if fd.Cause == "" {
		return nil
	}
	return []Finding{fd}
}

func doneAndRunning(p *facts.Pod) (done, running *facts.Container) {
	for _, c := range p.Containers {
		if c.Kind != facts.AppContainer || c.Status == nil {
			continue
		}
		if t := c.Status.State.Terminated; t != nil {
			if t.ExitCode != 0 {
				return nil, nil
			}
			done = c
		}
		if c.Running != nil && (running == nil || knownSidecar(c)) {
			running = c
		}
	}
	return done, running
}

func knownSidecar(c *facts.Container) bool {
	image := c.Image[strings.LastIndexByte(c.Image, '/')+1:]
	name, _, _ := strings.Cut(image, ":")
	return slices.Contains(sidecars, c.Name) || slices.Contains(sidecars, name)
}

// detectRecreateWaits sees a Deployment of strategy Recreate that makes no new
// pod before the last old one is gone.
func detectRecreateWaits(f *facts.Facts, w *facts.Workload) []Finding {
	if w.Deployment == nil || !recreates(w) || w.Desired == 0 || len(livePods(w.NewPods())) > 0 {
		return nil
	}
	var last time.Time
	var going []*facts.Pod
	for _, p := range w.OldPods() {
		if p.Terminating() && p.Obj.Status.Phase != corev1.PodFailed && p.Obj.Status.Phase != corev1.PodSucceeded {
			going = append(going, p)
			if end := p.Obj.DeletionTimestamp.Time; end.After(last) {
				last = end
			}
		}
	}
	if len(going) == 0 {
		return nil
	}
	fd := seenIn(w, "recreate-waits-old-pods", Certain, fmt.Sprintf("%s (strategy Recreate) makes no new pod before %s ended; %s until %s", w.Ref(),
		plural(int32(len(going)), "the last old one has", fmt.Sprintf("all %d old ones have", len(going))), plural(int32(len(going)), "it has", "they have"), last.UTC().Format("15:04:05")),
		Evidence{Text: "old pods go before new ones come", Receipt: w.Receipt("spec.strategy.type", "Recreate", time.Time{})},
		Evidence{Text: "an old pod is being deleted", Receipt: going[0].Receipt("metadata.deletionTimestamp", last.UTC().Format(time.RFC3339), last)})
	fd.NextRetry, fd.Since, fd.Explains = last, last.Add(-graceOf(going[0])), []string{"old-pod-grace"}
	if f.Now.Sub(last) > 30*time.Second {
		fd.Class = Symptom // overdue: what holds the pod is the cause
	}
	for _, p := range going {
		fd.touch(p, nil)
	}
	fd.Vars["pod"] = going[0].Name()
	return []Finding{fd}
}
