package cause

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"

	"github.com/unjam-dev/unjam/internal/facts"
	"github.com/unjam-dev/unjam/internal/pattern"
)

// hpasOf are the autoscalers that scale the workload.
func hpasOf(f *facts.Facts, w *facts.Workload) []*autoscalingv2.HorizontalPodAutoscaler {
	var out []*autoscalingv2.HorizontalPodAutoscaler
	for _, h := range f.Snap.Objects.HPAs {
		if ref := h.Spec.ScaleTargetRef; h.Namespace == w.Namespace && ref.Kind == w.Kind && ref.Name == w.Name {
			out = append(out, h)
		}
	}
	return out
}

func hpaReceipt(h *autoscalingv2.HorizontalPodAutoscaler, field, text string, at time.Time) facts.Receipt {
	return facts.Receipt{Kind: "HorizontalPodAutoscaler", Namespace: h.Namespace, Name: h.Name, Field: field, Text: text, Time: at}
}

// hpaQuiet is how long pods may be Ready before an autoscaler must have
// metrics: two of its rounds.
const hpaQuiet = 30 * time.Second

// detectHPACannotCompute sees an autoscaler that has not worked for the whole
// of an unfinished rollout. Metrics missing for pods that are not Ready are an
// effect, so some pod must have been Ready for a while.
func detectHPACannotCompute(f *facts.Facts, w *facts.Workload) []Finding {
	if len(f.Snap.Objects.HPAs) == 0 || w.Desired == 0 || rolledOut(w) || !anyReadyFor(f, w, hpaQuiet) {
		return nil
	}
	for _, h := range hpasOf(f, w) {
		for _, c := range h.Status.Conditions {
			broken := c.Type == autoscalingv2.ScalingActive && c.Reason != "ScalingDisabled" || c.Type == autoscalingv2.AbleToScale
			if c.Status != corev1.ConditionFalse || !broken || f.Now.Sub(c.LastTransitionTime.Time) < hpaQuiet {
				continue
			}
			fd := seenIn(w, "hpa-cannot-compute", Certain, fmt.Sprintf("autoscaler %s/%s cannot tell how many replicas %s needs (%s), so the number stays as it is", h.Namespace, h.Name, w.Ref(), c.Reason),
				Evidence{Text: "what the autoscaler lacks", Receipt: hpaReceipt(h, "status.conditions["+string(c.Type)+"]", c.Message, c.LastTransitionTime.Time)})
			fd.Vars["hpa"], fd.Vars["reason"] = h.Name, c.Reason
			return []Finding{fd}
		}
	}
	return nil
}

func anyReadyFor(f *facts.Facts, w *facts.Workload, d time.Duration) bool {
	return slices.ContainsFunc(w.Pods, func(p *facts.Pod) bool {
		c := p.Condition(corev1.PodReady)
		return p.Phase == facts.PhaseReady && f.Now.Sub(c.LastTransition) >= d
	})
}

// scaledTo reads "Scaled up replica set web-1 from 2 to 5" (since 1.32) and
// "Scaled up replica set web-1 to 5" (before).
var scaledTo = pattern.New(`^Scaled (up|down) replica set (\S+) (?:from \d+ )?to (\d+)`)

var newSize = pattern.New(`^New size: (\d+); reason: `)

// fightWindow is how near each other opposite moves must be; autoscalers wait
// five minutes before they scale down, so they do not make them alone.
const fightWindow = 10 * time.Minute

// detectHPAFighting sees the replica count of one ReplicaSet go up and down
// while an autoscaler asks for other numbers than are set.
func detectHPAFighting(f *facts.Facts, w *facts.Workload) []Finding {
	if w.Deployment == nil || w.New == nil || len(f.Snap.Objects.HPAs) == 0 || len(livePods(w.OldPods())) > 0 {
		return nil
	}
	up, down := scaleMoves(f, w)
	if up == nil || down == nil || up.Count+down.Count < 3 {
		return nil
	}
	for _, h := range hpasOf(f, w) {
		asked := map[int]bool{}
		for _, e := range f.EventsOf("HorizontalPodAutoscaler", h.Namespace, h.Name, h.UID) {
			if m := newSize.FindStringSubmatch(e.Message); m != nil {
				n, _ := strconv.Atoi(m[1])
				asked[n] = true
			}
		}
		foreign, ours := up, down
		if asked[scaleTarget(up)] {
			foreign, ours = down, up
		}
		if len(asked) == 0 || asked[scaleTarget(foreign)] {
			continue
		}
		fd := seenIn(w, "hpa-fighting", Certain, fmt.Sprintf("autoscaler %s/%s sets %d replicas of %s and something else sets %d again, %d times within %s",
			h.Namespace, h.Name, scaleTarget(ours), w.Ref(), scaleTarget(foreign), foreign.Count, fightWindow),
			Evidence{Text: "the autoscaler's move", Receipt: ours.Receipt()}, Evidence{Text: "a move the autoscaler did not ask for", Receipt: foreign.Receipt()})
		fd.Vars["hpa"], fd.Vars["replicas"] = h.Name, strconv.Itoa(scaleTarget(foreign))
		return []Finding{fd}
	}
	return nil
}

// scaleMoves are the newest moves up and down of the newest ReplicaSet.
func scaleMoves(f *facts.Facts, w *facts.Workload) (up, down *facts.Event) {
	for _, e := range w.Events {
		m := scaledTo.FindStringSubmatch(e.Message)
		if e.Reason != "ScalingReplicaSet" || m == nil || m[2] != w.New.Name || f.Now.Sub(e.Last) > fightWindow {
			continue
		}
		if m[1] == "up" {
			up = e
		} else {
			down = e
		}
	}
	return up, down
}

func scaleTarget(e *facts.Event) int {
	m := scaledTo.FindStringSubmatch(e.Message)
	if m == nil {
		return -1
	}
	n, _ := strconv.Atoi(m[3])
	return n
}
