package cause

import (
	"fmt"
	"strings"
	"time"

	"github.com/unjam-dev/unjam/internal/facts"
)

// seenIn starts a finding about the workload object itself.
func seenIn(w *facts.Workload, code string, confidence Confidence, summary string, evidence ...Evidence) Finding {
	fd := Finding{Cause: code, Confidence: confidence, Summary: summary, Evidence: evidence, Vars: workloadVars(w)}
	for _, e := range evidence {
		if t := e.Receipt.Time; !t.IsZero() && (fd.Since.IsZero() || t.Before(fd.Since)) {
			fd.Since = t
		}
		if e.Receipt.Time.After(fd.Last) {
			fd.Last = e.Receipt.Time
		}
	}
	return fd
}

// detectPaused sees a Deployment whose change waits because it is paused. A
// paused Deployment with nothing left to do is none.
func detectPaused(_ *facts.Facts, w *facts.Workload) []Finding {
	old := int32(len(livePods(w.OldPods())))
	if w.Deployment == nil || !w.Paused || w.Updated >= w.Desired && old == 0 {
		return nil
	}
	since := w.Started
	if c := w.Condition("Progressing"); c.Reason == "DeploymentPaused" {
		since = c.LastTransition
	}
	var summary string
	switch {
	case w.New == nil && len(w.Old) == 0:
		summary = fmt.Sprintf("%s is paused since it was made, so its %s %s never created", w.Ref(), countPods(w.Desired), plural(w.Desired, "was", "were"))
	case w.New == nil:
		serving := max(readyPods(w.OldPods()), w.Ready)
		summary = fmt.Sprintf("%s is paused, so the change of its template waits; %s of the former revision %s", w.Ref(), countPods(serving), plural(serving, "serves", "serve"))
	default:
		summary = fmt.Sprintf("%s was paused in mid-rollout: %d of %d pods are of the new revision", w.Ref(), w.Updated, w.Desired)
		if old > 0 {
			summary += fmt.Sprintf(", %s of the former still %s", countPods(old), plural(old, "serves", "serve"))
		}
	}
	fd := seenIn(w, "deployment-paused", Certain, summary, Evidence{Text: "the Deployment is paused", Receipt: w.Receipt("spec.paused", "true", since)})
	for _, p := range w.NewPods() {
		if p.Phase != facts.PhaseReady && p.Phase != facts.PhaseTerminate {
			fd.touch(p, nil)
		}
	}
	return []Finding{fd}
}

// scalers are annotations and labels by which tools that scale to zero say so.
var scalers = []struct{ prefix, tool string }{
	{"keda.sh/", "KEDA"}, {"scaledobject.keda.sh/", "KEDA"}, {"kube-green.com/", "kube-green"}, {"kube-green.dev/", "kube-green"},
	{"downscaler/", "kube-downscaler"}, {"autoscaling.knative.dev/", "Knative"}, {"sleepmode.loft.sh/", "vcluster sleep mode"},
}

func detectReplicasZero(f *facts.Facts, w *facts.Workload) []Finding {
	if w.Desired != 0 || w.Orphan || w.Deployment == nil && w.StatefulSet == nil && w.Rollout == nil {
		return nil
	}
	summary := w.Ref() + " is scaled to zero, so it has no pods"
	evidence := []Evidence{{Text: "no replica is asked for", Receipt: w.Receipt("spec.replicas", "0", time.Time{})}}
	if tool := scaledBy(w); tool != "" {
		summary += "; its labels say that " + tool + " scales it"
	}
	for _, h := range hpasOf(f, w) {
		for _, c := range h.Status.Conditions {
			if c.Reason == "ScalingDisabled" {
				summary += "; its autoscaler rests while replicas are zero"
				evidence = append(evidence, Evidence{Text: "the autoscaler does nothing at zero replicas", Receipt: hpaReceipt(h, "status.conditions["+string(c.Type)+"]", c.Message, c.LastTransitionTime.Time)})
			}
		}
	}
	return []Finding{seenIn(w, "replicas-zero", Certain, summary, evidence...)}
}

func scaledBy(w *facts.Workload) string {
	var maps []map[string]string
	switch {
	case w.Deployment != nil:
		maps = []map[string]string{w.Deployment.Annotations, w.Deployment.Labels}
	case w.StatefulSet != nil:
		maps = []map[string]string{w.StatefulSet.Annotations, w.StatefulSet.Labels}
	case w.Rollout != nil:
		maps = []map[string]string{w.Rollout.GetAnnotations(), w.Rollout.GetLabels()}
	}
	for _, s := range scalers {
		for _, m := range maps {
			for k := range m {
				if strings.HasPrefix(k, s.prefix) {
					return s.tool
				}
			}
		}
	}
	return ""
}

func detectJobSuspended(_ *facts.Facts, w *facts.Workload) []Finding {
	if w.Job == nil || !w.Paused || rolledOut(w) {
		return nil
	}
	summary := w.Ref() + " is suspended, so it makes no pods"
	c := w.Condition("Suspended")
	evidence := []Evidence{{Text: "the Job is suspended", Receipt: w.Receipt("spec.suspend", "true", c.LastTransition)}}
	fd := seenIn(w, "job-suspended", Certain, summary, evidence...)
	if q := w.Job.Labels["kueue.x-k8s.io/queue-name"]; q != "" {
		fd.Summary = fmt.Sprintf("%s is suspended until queue %s of Kueue admits it", w.Ref(), q)
		fd.Vars["queue"] = q
		fd.Key = "queue " + w.Namespace + "/" + q
	}
	return []Finding{fd}
}
