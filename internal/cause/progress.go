package cause

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/unjam-dev/unjam/internal/facts"
)

func pastDeadline(w *facts.Workload) (facts.Condition, bool) {
	c := w.Condition("Progressing")
	return c, c.Status == "False" && c.Reason == "ProgressDeadlineExceeded"
}

// detectDeadlineExceeded reports the controller's own alarm. It says that no
// step forward was made for so long, never why.
func detectDeadlineExceeded(f *facts.Facts, w *facts.Workload) []Finding {
	c, past := pastDeadline(w)
	if w.Deployment == nil || !past || rolledOut(w) {
		return nil
	}
	limit := ""
	if s := w.Deployment.Spec.ProgressDeadlineSeconds; s != nil {
		limit = fmt.Sprintf(" in %s", time.Duration(*s)*time.Second)
	}
	fd := seenIn(w, "progress-deadline-exceeded", Certain, fmt.Sprintf("the rollout of %s made no step forward%s: %d of %d pods updated, %d available", w.Ref(), limit, w.Updated, w.Desired, w.Available),
		Evidence{Text: "the controller's deadline has passed", Receipt: w.Receipt("status.conditions[Progressing]", c.Message, c.LastUpdate)})
	fd.Explains = []string{"min-replicas-unavailable"}
	for _, p := range livePods(w.NewPods()) {
		if p.Phase != facts.PhaseReady {
			fd.touch(p, nil)
		}
	}
	return []Finding{fd}
}

// staleFor is how long an alarm of the former attempt may still stand after an
// undo: the next step forward resets it.
const staleFor = 30 * time.Second

// detectStaleDeadline sees the alarm of a former attempt: after an undo an
// existing ReplicaSet is used again, and the condition stays until the next
// step forward (kubernetes/kubernetes#49637).
func detectStaleDeadline(f *facts.Facts, w *facts.Workload) []Finding {
	c, past := pastDeadline(w)
	if w.Deployment == nil || !past || rolledOut(w) || w.New == nil || !w.New.Created.Before(c.LastUpdate) || w.Deployment.Generation < 2 {
		return nil
	}
	for _, e := range slices.Backward(w.Events) {
		m := scaledTo.FindStringSubmatch(e.Message)
		if e.Reason != "ScalingReplicaSet" || m == nil || m[1] != "up" || m[2] != w.New.Name {
			continue
		}
		if !e.Last.After(c.LastUpdate) || f.Now.Sub(e.Last) > staleFor {
			return nil
		}
		fd := seenIn(w, "deadline-stale-after-undo", Certain, fmt.Sprintf("the passed deadline of %s belongs to the attempt before; revision %s was taken up again %s ago and has not had time to report", w.Ref(), w.New.Number, f.Now.Sub(e.Last).Round(time.Second)),
			Evidence{Text: "the deadline passed before", Receipt: w.Receipt("status.conditions[Progressing]", c.Message, c.LastUpdate)},
			Evidence{Text: "the former revision was scaled up after it", Receipt: e.Receipt()})
		fd.Since, fd.Explains = e.Last, []string{"progress-deadline-exceeded"}
		return []Finding{fd}
	}
	return nil
}

// noDeadline is the value that switches the progress deadline off.
const noDeadline = math.MaxInt32

// defaultDeadline is how long the controller waits where nothing is set.
const defaultDeadline = 10 * time.Minute

// detectNoDeadline sees an unfinished rollout of which no tool will ever say
// that it failed.
func detectNoDeadline(f *facts.Facts, w *facts.Workload) []Finding {
	if w.Deployment == nil || rolledOut(w) || w.Paused || f.Now.Sub(w.Started) < defaultDeadline {
		return nil
	}
	s := w.Deployment.Spec.ProgressDeadlineSeconds
	if s == nil || *s < noDeadline {
		return nil
	}
	return []Finding{seenIn(w, "no-progress-deadline", Certain, fmt.Sprintf("%s has its progress deadline switched off, so nothing will report that this rollout, begun %s ago, fails", w.Ref(), f.Now.Sub(w.Started).Round(time.Minute)),
		Evidence{Text: "this value means no deadline", Receipt: w.Receipt("spec.progressDeadlineSeconds", fmt.Sprint(*s), time.Time{})})}
}

// degradedAfter is how long pods may be missing before it is worth a word.
const degradedAfter = 2 * time.Minute

// neverUp is how soon after its making the condition of a Deployment that was
// never available is set.
const neverUp = 5 * time.Second

// detectMinUnavailable reports that fewer pods serve than the strategy allows:
// users notice this one. A Deployment that never served has no users yet.
func detectMinUnavailable(f *facts.Facts, w *facts.Workload) []Finding {
	c := w.Condition("Available")
	if w.Deployment == nil || c.Status != "False" || w.Desired == 0 || w.Available >= w.Desired || f.Now.Sub(c.LastTransition) < degradedAfter ||
		c.LastTransition.Sub(w.Created) < neverUp {
		return nil
	}
	return []Finding{seenIn(w, "min-replicas-unavailable", Certain, fmt.Sprintf("%s has %d of %d pods available, fewer than its strategy allows", w.Ref(), w.Available, w.Desired),
		Evidence{Text: "too few pods are available", Receipt: w.Receipt("status.conditions[Available]", c.Message, c.LastTransition)})}
}

// detectDegraded reports a rollout that had finished and lost pods since. The
// controller no longer watches its progress (kubernetes/kubernetes#106054).
func detectDegraded(f *facts.Facts, w *facts.Workload) []Finding {
	c := w.Condition("Progressing")
	if w.Deployment == nil || c.Reason != "NewReplicaSetAvailable" || w.Available >= w.Desired || w.Generation > w.ObservedGeneration {
		return nil
	}
	since := w.Condition("Available").LastTransition
	for _, p := range waitingPods(w) {
		if t := p.Condition(corev1.PodReady).LastTransition; t.After(since) {
			since = t
		}
	}
	if f.Now.Sub(since) < degradedAfter {
		return nil
	}
	fd := seenIn(w, "complete-but-degraded", Certain, fmt.Sprintf("the rollout of %s had finished; since then only %d of %d pods are available", w.Ref(), w.Available, w.Desired),
		Evidence{Text: "the controller counts the rollout as done", Receipt: w.Receipt("status.conditions[Progressing]", c.Message, c.LastUpdate)},
		Evidence{Text: "pods available now", Receipt: w.Receipt("status.availableReplicas", fmt.Sprint(w.Available), f.Now)})
	for _, p := range waitingPods(w) {
		fd.touch(p, nil)
	}
	return []Finding{fd}
}

// detectOldUnhealthy reports old pods that are not available and hold the
// rollout, because too few others are for any to be taken away.
func detectOldUnhealthy(_ *facts.Facts, w *facts.Workload) []Finding {
	b, ok := rollingBudget(w)
	old := livePods(w.OldPods())
	if !ok || w.New == nil || len(old) == 0 {
		return nil
	}
	var sick []*facts.Pod
	for _, p := range old {
		if p.Phase != facts.PhaseReady {
			sick = append(sick, p)
		}
	}
	newPods := livePods(w.NewPods())
	spare := int32(len(old)+len(newPods)) - (w.Desired - b.Unavailable) - (w.New.Desired - readyPods(newPods))
	if len(sick) == 0 || spare > 0 {
		return nil
	}
	fd := seenIn(w, "rollout-old-rs-unhealthy", Certain, fmt.Sprintf("%s of the former revision of %s %s not available, and none may be taken away: %d pods exist, %d must stay, %d new ones are not available",
		countPods(int32(len(sick))), w.Ref(), plural(int32(len(sick)), "is", "are"), len(old)+len(newPods), w.Desired-b.Unavailable, w.New.Desired-readyPods(newPods)))
	for _, p := range sick {
		c := p.Condition(corev1.PodReady)
		fd.Evidence = append(fd.Evidence, Evidence{Text: "an old pod is not Ready", Receipt: p.Receipt("status.conditions[Ready]", c.Message, c.LastTransition)})
		fd.touch(p, nil)
	}
	fd.Old = true
	return []Finding{fd}
}

// detectSlow reports a rollout that moves: pods of the new revision have got
// Ready, the last one not longer ago than twice what the slowest took.
func detectSlow(f *facts.Facts, w *facts.Workload) []Finding {
	if rolledOut(w) || w.Paused || w.Job != nil || w.Kind == "Pod" || f.Now.Sub(w.Started) < degradedAfter {
		return nil
	}
	var took []time.Duration
	var last *facts.Pod
	for _, p := range w.NewPods() {
		if p.Phase != facts.PhaseReady {
			continue
		}
		took = append(took, max(p.Condition(corev1.PodReady).LastTransition.Sub(p.Obj.CreationTimestamp.Time), time.Second))
		if last == nil || p.Condition(corev1.PodReady).LastTransition.After(last.Condition(corev1.PodReady).LastTransition) {
			last = p
		}
	}
	done, want := int32(len(took)), w.Desired
	if last == nil || done >= want {
		return nil
	}
	slices.Sort(took)
	at := last.Condition(corev1.PodReady).LastTransition
	if at.IsZero() || at.Before(w.Started) || f.Now.Sub(at) > 2*max(took[len(took)-1], degradedAfter/2) {
		return nil
	}
	batch := int32(1)
	if b, ok := rollingBudget(w); ok {
		batch = max(b.Surge+b.Unavailable, 1)
	}
	typical := took[len(took)/2]
	eta := time.Duration((want-done+batch-1)/batch) * typical
	fd := seenIn(w, "slow-but-progressing", Certain, fmt.Sprintf("%s moves: %d of %d new pods are Ready, each takes about %s, so about %s more", w.Ref(), done, want, typical.Round(time.Second), eta.Round(time.Second)),
		Evidence{Text: "the newest pod that got Ready", Receipt: last.Receipt("status.conditions[Ready]", "True", at)})
	fd.Since = w.Started
	return []Finding{fd}
}

// detectUnknown reports a refusal whose text no rule knows. The API server
// says no; which of its parts, and why, is not known.
func detectUnknown(_ *facts.Facts, w *facts.Workload) []Finding {
	r, ok := refusedAs(w, "unknown")
	if !ok {
		return nil
	}
	text := firstLine(refusalText(r.Message))
	if text == "" {
		text = "without a reason"
	}
	fd := r.finding(w, "unknown", "the API server refuses to create the pods, for a reason not known to this tool ("+strings.TrimSuffix(text, ".")+")")
	fd.Confidence = Possible // the refusal is a fact, its cause is not known
	return []Finding{fd}
}
