package cause

import (
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/unjam-dev/unjam/internal/facts"
)

// initGrace is how long an init container may run before it is worth a word.
const initGrace = 30 * time.Second

// initSightings reads init containers that run and do not end.
func initSightings(f *facts.Facts, w *facts.Workload) []sighting {
	var out []sighting
	for _, p := range startingPods(w) {
		for _, c := range p.Containers {
			if c.Kind != facts.InitContainer || c.Running == nil {
				continue
			}
			runs := f.Now.Sub(c.Running.StartedAt.Time)
			if runs < initGrace {
				continue
			}
			s := sighting{code: "init-container-waiting", same: c.Name, pod: p, c: c, confidence: Certain, since: c.Running.StartedAt.Time, last: f.Now,
				summary: fmt.Sprintf("%s has run for %s, and the pod's other containers wait for it to end", whoIs(c), age(runs)), vars: map[string]string{}}
			s.evidence = []Evidence{fieldProof(p, whoIs(c)+" still runs", c.StatusPath()+".state.running", "startedAt "+c.Running.StartedAt.UTC().Format(time.RFC3339))}
			if lines := currentLog(c); len(lines) > 0 {
				s.withLog(lines[len(lines)-1])
			}
			out = append(out, s)
		}
	}
	return out
}

// gateOwners are the controllers known to set readiness gates, by prefix.
var gateOwners = []struct{ prefix, owner string }{
	{"target-health.elbv2.k8s.aws/", "the AWS Load Balancer Controller"},
	{"target-health.alb.ingress.k8s.aws/", "the AWS ALB ingress controller"},
	{"cloud.google.com/load-balancer-neg-ready", "the GKE NEG controller"},
	{"readiness.alibabacloud.com/", "the Alibaba Cloud load balancer controller"},
	{"InPlaceUpdateReady", "the OpenKruise controller"},
	{"KruisePodReady", "the OpenKruise controller"},
}

func gateOwner(gate string) string {
	for _, g := range gateOwners {
		if strings.HasPrefix(gate, g.prefix) {
			return g.owner
		}
	}
	if domain, _, ok := strings.Cut(gate, "/"); ok {
		return "the controller of " + domain
	}
	return "its controller"
}

// gateAbsent is how long a gate's condition may be missing before its
// controller counts as idle.
const gateAbsent = 2 * time.Minute

// gateSightings reads pods whose containers are Ready and whose readiness gates
// are not.
func gateSightings(f *facts.Facts, w *facts.Workload) []sighting {
	var out []sighting
	for _, p := range startingPods(w) {
		if len(p.Obj.Spec.ReadinessGates) == 0 || p.Condition(corev1.ContainersReady).Status != "True" {
			continue
		}
		ready := p.Condition(corev1.PodReady)
		since := p.Condition(corev1.ContainersReady).LastTransition
		for _, g := range p.Obj.Spec.ReadinessGates {
			gate := string(g.ConditionType)
			c := p.Condition(g.ConditionType)
			if c.Status == "True" {
				continue
			}
			s := sighting{code: "readiness-gate", same: gate, pod: p, confidence: Certain, since: since, last: f.Now, key: "readiness gate " + gate,
				vars:     map[string]string{"gate": gate, "controller": gateOwner(gate)},
				evidence: []Evidence{{Text: "the kubelet's word on the gate", Receipt: p.Receipt("status.conditions[Ready]", quote(ready.Message), ready.LastTransition)}}}
			switch {
			case c.Type == "" && f.Now.Sub(since) <= gateAbsent:
				s.class = Waiting
				s.summary = fmt.Sprintf("all containers are Ready and the readiness gate %s is not set yet; %s is to set it", gate, gateOwner(gate))
			case c.Type == "":
				s.class = Terminal
				s.summary = fmt.Sprintf("all containers are Ready, but nobody has set the readiness gate %s for %s; %s is not acting", gate, age(f.Now.Sub(since)), gateOwner(gate))
			default:
				s.summary = fmt.Sprintf("all containers are Ready, but %s holds the readiness gate %s at %s", gateOwner(gate), gate, c.Status)
				if c.Reason != "" {
					s.summary += " (" + c.Reason + ")"
				}
				s.evidence = append(s.evidence, Evidence{Text: "the gate's condition", Receipt: p.Receipt("status.conditions["+gate+"]", quote(c.Reason+": "+c.Message), c.LastTransition)})
			}
			out = append(out, s)
		}
	}
	return out
}

// minReady is the workload's minReadySeconds.
func minReady(w *facts.Workload) time.Duration {
	var n int64
	switch {
	case w.Deployment != nil:
		n = int64(w.Deployment.Spec.MinReadySeconds)
	case w.StatefulSet != nil:
		n = int64(w.StatefulSet.Spec.MinReadySeconds)
	case w.DaemonSet != nil:
		n = int64(w.DaemonSet.Spec.MinReadySeconds)
	case w.ReplicaSet != nil:
		n = int64(w.ReplicaSet.Spec.MinReadySeconds)
	case w.Rollout != nil:
		n, _, _ = unstructured.NestedInt64(w.Rollout.Object, "spec", "minReadySeconds")
	}
	return time.Duration(n) * time.Second
}

// minReadySightings reads pods that are Ready and do not count as available yet.
func minReadySightings(f *facts.Facts, w *facts.Workload) []sighting {
	min := minReady(w)
	if min <= 0 || w.Available >= w.Desired {
		return nil
	}
	var out []sighting
	for _, p := range w.NewPods() {
		r := p.Condition(corev1.PodReady)
		if p.Phase != facts.PhaseReady || f.Now.Sub(r.LastTransition) >= min {
			continue
		}
		left := min - f.Now.Sub(r.LastTransition)
		out = append(out, sighting{code: "min-ready-seconds", pod: p, confidence: Certain, since: r.LastTransition, last: f.Now, next: r.LastTransition.Add(min),
			summary:  fmt.Sprintf("new pods are Ready and count as available after %s (minReadySeconds); %s has %s to go", age(min), p.Name(), age(left)),
			evidence: []Evidence{{Text: "Ready since then", Receipt: p.Receipt("status.conditions[Ready]", "True", r.LastTransition)}, {Text: "the time asked for", Receipt: w.Receipt("spec.minReadySeconds", min.String(), r.LastTransition)}}})
	}
	return out
}

// flapSightings reads pods that are Ready at the moment and keep crashing.
func flapSightings(f *facts.Facts, w *facts.Workload) []sighting {
	if minReady(w) == 0 && w.Available >= w.Desired && !justReady(f, w) {
		return nil
	}
	var out []sighting
	for _, p := range w.NewPods() {
		if p.Phase != facts.PhaseReady || f.Now.Sub(p.Condition(corev1.PodReady).LastTransition) > 2*time.Minute {
			continue
		}
		for _, c := range p.Containers {
			d := c.LastDeath()
			if d == nil || c.Restarts < 3 || c.Running == nil || f.Now.Sub(d.Finished) > flapWindow || f.Now.Sub(podStart(p)) > 24*time.Hour && c.Restarts > 1000 {
				continue
			}
			s := sighting{code: "ready-flapping", same: c.Name, pod: p, c: c, confidence: Likely, since: d.Started, last: d.Finished, attempts: int(c.Restarts),
				summary: fmt.Sprintf("%s is Ready at the moment, but has died %d times, last %s ago with exit code %d", whoIs(c), c.Restarts, age(f.Now.Sub(d.Finished)), d.ExitCode)}
			s.evidence = []Evidence{{Text: "its last death", Receipt: d.Receipt}, {Text: "Ready only since then", Receipt: p.Receipt("status.conditions[Ready]", "True", p.Condition(corev1.PodReady).LastTransition)}}
			s.rivals = []Rival{{Cause: "crashloop-app-error", SettledBy: fmt.Sprintf("kubectl -n %s logs %s -c %s --previous", p.Obj.Namespace, p.Name(), c.Name)}}
			out = append(out, s)
		}
	}
	return out
}

// justReady reports whether a pod became Ready within the last two minutes.
func justReady(f *facts.Facts, w *facts.Workload) bool {
	for _, p := range w.NewPods() {
		if p.Phase == facts.PhaseReady && f.Now.Sub(p.Condition(corev1.PodReady).LastTransition) <= 2*time.Minute {
			return true
		}
	}
	return false
}

// noiseSightings reads the kubelet's warnings about probes that pass.
func noiseSightings(f *facts.Facts, w *facts.Workload) []sighting {
	var out []sighting
	for _, p := range startingPods(w) {
		e := newestEvent(p, func(e *facts.Event) bool { return e.Reason == "ProbeWarning" })
		if e == nil {
			continue
		}
		out = append(out, sighting{code: "probe-warning-noise", pod: p, confidence: Certain, since: e.First, last: e.Last,
			summary: "a probe is answered with a redirect to another host, which the kubelet counts as success", evidence: []Evidence{eventProof("the warning", e)}})
	}
	return out
}

// resizeSightings reads pods whose in-place resize is not carried out.
func resizeSightings(f *facts.Facts, w *facts.Workload) []sighting {
	var out []sighting
	for _, p := range waitingPods(w) {
		c := p.Condition("PodResizePending")
		if c.Status != "True" {
			continue
		}
		s := sighting{pod: p, confidence: Certain, since: c.LastTransition, last: f.Now, same: p.NodeName(),
			evidence: []Evidence{{Text: "the kubelet's word on the resize", Receipt: p.Receipt("status.conditions[PodResizePending]", quote(c.Reason+": "+c.Message), c.LastTransition)}}}
		switch c.Reason {
		case "Infeasible":
			s.code = "resize-infeasible"
			s.summary = fmt.Sprintf("node %s can never give %s the resources it was resized to; the pod keeps what it has", p.NodeName(), p.Name())
		case "Deferred":
			s.code = "resize-deferred"
			s.summary = fmt.Sprintf("node %s has no room now for the resize of %s; the pod keeps what it has", p.NodeName(), p.Name())
		default:
			continue
		}
		out = append(out, s)
	}
	return out
}
