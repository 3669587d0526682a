package cause

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/unjam-dev/unjam/internal/facts"
)

// argoCondition reads a condition of an Argo Rollout; zero for other kinds.
func argoCondition(w *facts.Workload, typ string) facts.Condition {
	if w.Rollout == nil {
		return facts.Condition{}
	}
	return w.Condition(typ)
}

func text(m map[string]any, key string) string {
	s, _ := m[key].(string)
	return s
}

func moment(m map[string]any, key string) time.Time {
	t, _ := time.Parse(time.RFC3339, text(m, key))
	return t
}

// argoStep is the canary step a Rollout stands at: "3 of 8", and how long it
// pauses there, empty for a pause without end.
func argoStep(w *facts.Workload) (step, duration string) {
	steps, _, _ := unstructured.NestedSlice(w.Rollout.Object, "spec", "strategy", "canary", "steps")
	i, ok, _ := unstructured.NestedInt64(w.Rollout.Object, "status", "currentStepIndex")
	if !ok || i < 0 || int(i) >= len(steps) {
		return "", ""
	}
	step = fmt.Sprintf("%d of %d", i+1, len(steps))
	if m, ok := steps[i].(map[string]any); ok {
		if p, ok := m["pause"].(map[string]any); ok && p["duration"] != nil {
			duration = fmt.Sprint(p["duration"])
		}
	}
	return step, duration
}

func detectArgoPaused(f *facts.Facts, w *facts.Workload) []Finding {
	if w.Rollout == nil || argoAborted(w) {
		return nil
	}
	list, _, _ := unstructured.NestedSlice(w.Rollout.Object, "status", "pauseConditions")
	if len(list) == 0 && !w.Paused || w.Paused && rolledOut(w) && len(list) == 0 {
		return nil
	}
	receipt := w.Receipt("spec.paused", "true", time.Time{})
	summary := w.Ref() + " was paused by hand"
	if len(list) > 0 {
		m, _ := list[0].(map[string]any)
		reason := text(m, "reason")
		receipt = w.Receipt("status.pauseConditions[0].reason", reason, moment(m, "startTime"))
		step, duration := argoStep(w)
		switch reason {
		case "CanaryPauseStep":
			summary = fmt.Sprintf("%s pauses at canary step %s until somebody promotes it", w.Ref(), step)
			if duration != "" {
				summary = fmt.Sprintf("%s pauses at canary step %s for %s", w.Ref(), step, duration)
			}
		case "BlueGreenPause":
			summary = w.Ref() + " has its new revision up as preview and waits for promotion"
		case "InconclusiveAnalysisRun":
			summary = w.Ref() + " pauses because an analysis was inconclusive; a person must decide"
		default:
			summary = fmt.Sprintf("%s pauses (%s)", w.Ref(), reason)
		}
	}
	if old := readyPods(w.OldPods()); old > 0 {
		summary += fmt.Sprintf("; %s of the stable revision %s", countPods(old), plural(old, "serves", "serve"))
	}
	fd := seenIn(w, "argo-rollout-paused", Certain, summary, Evidence{Text: "why the Rollout pauses", Receipt: receipt})
	if a, ok := badAnalysis(f, w); ok {
		fd.addAnalysis(a)
	}
	return []Finding{fd}
}

func argoAborted(w *facts.Workload) bool {
	abort, _, _ := unstructured.NestedBool(w.Rollout.Object, "status", "abort")
	return abort
}

func detectArgoAborted(f *facts.Facts, w *facts.Workload) []Finding {
	if w.Rollout == nil {
		return nil
	}
	c := argoCondition(w, "Progressing")
	if !argoAborted(w) && c.Reason != "RolloutAborted" {
		return nil
	}
	message, _, _ := unstructured.NestedString(w.Rollout.Object, "status", "message")
	if _, why, ok := strings.Cut(c.Message, "Rollout aborted update to revision "); ok || message == "" {
		message = c.Message
		if why = strings.TrimSpace(why); why != "" {
			message = "revision " + why
		}
	}
	summary := w.Ref() + " was aborted and went back to its stable revision"
	if message != "" {
		summary += " (" + firstLine(message) + ")"
	}
	fd := seenIn(w, "argo-rollout-aborted", Certain, summary, Evidence{Text: "the Rollout gave up", Receipt: w.Receipt("status.conditions[Progressing]", c.Message, c.LastTransition)})
	fd.Explains = []string{"argo-progress-deadline"}
	if a, ok := badAnalysis(f, w); ok {
		fd.addAnalysis(a)
	}
	if old := readyPods(w.OldPods()); old > 0 {
		fd.Summary += fmt.Sprintf("; %s of the stable revision %s", countPods(old), plural(old, "serves", "serve"))
	}
	return []Finding{fd}
}

func detectArgoInvalidSpec(_ *facts.Facts, w *facts.Workload) []Finding {
	c := argoCondition(w, "InvalidSpec")
	if c.Status != "True" {
		return nil
	}
	return []Finding{seenIn(w, "argo-invalid-spec", Certain, fmt.Sprintf("the controller refuses the spec of %s (%s) and does nothing", w.Ref(), firstLine(c.Message)),
		Evidence{Text: "what is wrong with the spec", Receipt: w.Receipt("status.conditions[InvalidSpec]", c.Message, c.LastTransition)})}
}

// argoTraffic are the events of a load balancer that does not follow (Argo
// Rollouts utils/conditions/conditions.go).
var argoTraffic = []string{"TargetGroupUnverified", "TargetGroupVerifyError", "WeightVerifyError", "LoadBalancerNotFound"}

// argoTrafficSettle is how long a load balancer may take to converge.
const argoTrafficSettle = 5 * time.Minute

func detectArgoTraffic(f *facts.Facts, w *facts.Workload) []Finding {
	if w.Rollout == nil || rolledOut(w) {
		return nil
	}
	var first, last *facts.Event
	for _, e := range w.Events {
		if slices.Contains(argoTraffic, e.Reason) {
			if first == nil {
				first = e
			}
			last = e
		} else if last != nil && (e.Reason == "TargetGroupVerified" || e.Reason == "WeightVerified") && e.Last.After(last.Last) {
			first, last = nil, nil
		}
	}
	if last == nil || f.Now.Sub(last.Last) > 2*argoTrafficSettle {
		return nil
	}
	fd := seenIn(w, "argo-traffic-unverified", Certain, fmt.Sprintf("the load balancer of %s does not take up the new pods (%s)", w.Ref(), firstLine(last.Message)),
		Evidence{Text: "the controller checks the load balancer", Receipt: last.Receipt()})
	fd.Since, fd.Last, fd.Attempts = first.First, last.Last, int(last.Count)
	return []Finding{fd}
}

func detectArgoDeadline(_ *facts.Facts, w *facts.Workload) []Finding {
	c := argoCondition(w, "Progressing")
	if c.Status != "False" || c.Reason != "ProgressDeadlineExceeded" {
		return nil
	}
	return []Finding{seenIn(w, "argo-progress-deadline", Certain, fmt.Sprintf("%s made no step forward before its deadline: %d of %d pods updated, %d available", w.Ref(), w.Updated, w.Desired, w.Available),
		Evidence{Text: "the controller's deadline has passed", Receipt: w.Receipt("status.conditions[Progressing]", c.Message, c.LastUpdate)})}
}

// scaleDownDeadline is when a ReplicaSet kept after a switch is scaled down.
const scaleDownDeadline = "argo-rollouts.argoproj.io/scale-down-deadline"

// detectArgoDouble sees new pods without a node while the revision switched
// away from is kept running for a while.
func detectArgoDouble(f *facts.Facts, w *facts.Workload) []Finding {
	if w.Rollout == nil {
		return nil
	}
	var pod *facts.Pod
	for _, p := range livePods(w.NewPods()) {
		if p.Phase == facts.PhaseSchedule {
			pod = p
		}
	}
	for _, r := range w.Old {
		if r.ReplicaSet == nil || pod == nil || len(livePods(r.Pods)) == 0 {
			continue
		}
		at := r.ReplicaSet.Annotations[scaleDownDeadline]
		end, err := time.Parse(time.RFC3339, at)
		if err != nil || !end.After(f.Now) {
			continue
		}
		fd := seenIn(w, "argo-bluegreen-double", Certain, fmt.Sprintf("%s keeps %s of revision %s until %s beside the new ones, and %s finds no node meanwhile", w.Ref(), countPods(int32(len(livePods(r.Pods)))), r.Number, end.UTC().Format("15:04:05"), pod.Name()),
			Evidence{Text: "when the former revision is scaled down", Receipt: facts.Receipt{Kind: "ReplicaSet", Namespace: w.Namespace, Name: r.Name, Field: "metadata.annotations[" + scaleDownDeadline + "]", Text: at, Time: end}})
		if pod.Scheduling != nil && pod.Scheduling.Receipt.Kind != "" {
			fd.Evidence = append(fd.Evidence, Evidence{Text: "no node takes the new pod", Receipt: pod.Scheduling.Receipt})
		}
		fd.Since, fd.NextRetry = pod.Obj.CreationTimestamp.Time, end
		fd.Vars["replicaset"] = r.Name
		fd.touch(pod, nil)
		return []Finding{fd}
	}
	return nil
}
