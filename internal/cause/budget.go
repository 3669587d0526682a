package cause

import (
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	apiequality "k8s.io/apimachinery/pkg/api/equality"

	"github.com/unjam-dev/unjam/internal/facts"
)

// budgetSightings read containers that a probe will get killed before they can
// have started: pods of the former revision needed longer than the probe allows
// until the very same request was answered.
func budgetSightings(f *facts.Facts, w *facts.Workload) []sighting {
	return rememberedAs("budget", readBudgets)(f, w)
}

// killedOrDoomed is the Detect of a probe that kills: it has, or it must.
func killedOrDoomed(code string) func(*facts.Facts, *facts.Workload) []Finding {
	return func(f *facts.Facts, w *facts.Workload) []Finding {
		if out := sighted(crashSightings, code)(f, w); len(out) > 0 {
			return out
		}
		return sighted(budgetSightings, code)(f, w)
	}
}

func readBudgets(f *facts.Facts, w *facts.Workload) []sighting {
	if len(w.Old) == 0 {
		return nil
	}
	var out []sighting
	for _, p := range startingPods(w) {
		if !p.New {
			continue
		}
		for _, c := range p.Containers {
			if s, ok := doomed(f, w, c); ok {
				out = append(out, s)
			}
		}
	}
	return out
}

// doomed judges one container that runs its first time.
func doomed(f *facts.Facts, w *facts.Workload, c *facts.Container) (sighting, bool) {
	if c.Running == nil || c.Ready || c.Restarts > 0 || c.Kind == facts.InitContainer {
		return sighting{}, false
	}
	code, kind, p := "startup-probe-failed", "startup", c.Spec.StartupProbe
	if p == nil {
		code, kind, p = "liveness-kill", "liveness", c.Spec.LivenessProbe
	} else if c.Started {
		return sighting{}, false
	}
	if p == nil {
		return sighting{}, false
	}
	needed, known := knownStart(w, c, p)
	budget := killBy(p)
	if known == nil || needed <= budget {
		return sighting{}, false
	}
	ends := c.Running.StartedAt.Add(budget)
	s := sighting{code: code, same: c.Name, pod: c.Pod, c: c, confidence: Certain, since: c.Running.StartedAt.Time, last: f.Now, next: ends,
		vars: map[string]string{"probe": kind}, explains: []string{"slow-start", "sidecar-blocks-start"},
		summary: fmt.Sprintf("the %s probe of %s gives it %s, and no pod of the former revision answered the same probe before %s: the kubelet kills it at %s and will again",
			kind, whoIs(c), age(budget), age(needed), ends.UTC().Format("15:04:05")),
		evidence: []Evidence{fieldProof(c.Pod, fmt.Sprintf("the probe as configured: %s at the most until the kill", age(budget)), specPath(c)+"."+kind+"Probe", probeWords(c, p)),
			{Text: fmt.Sprintf("the quickest of the former pods needed %s or more to become Ready", age(needed)),
				Receipt: known.Pod.Receipt("status.conditions[Ready]", "started "+known.Running.StartedAt.UTC().Format(time.RFC3339), known.Pod.Condition(corev1.PodReady).LastTransition)}}}
	if known.Image != c.Image {
		s.confidence = Likely
		s.rivals = []Rival{{Cause: "slow-start", SettledBy: fmt.Sprintf("kubectl -n %s get pod %s -w: the new image may start sooner; if the pod is not Ready by %s it does not", w.Namespace, c.Pod.Name(), ends.UTC().Format("15:04:05"))}}
	}
	return s, true
}

// killBy is the latest moment after its start at which a probe that never
// succeeded gets the container killed (pkg/kubelet/prober/worker.go).
func killBy(p *corev1.Probe) time.Duration {
	return probeBudget(p) + time.Duration(orInt(p.PeriodSeconds, 10)+orInt(p.TimeoutSeconds, 1))*time.Second
}

// minWitnesses is how many former pods must agree: the Ready condition of a
// single one may have moved later for another reason.
const minWitnesses = 2

// knownStart is the least time that a container of the former revision needed
// until it answered the probe's request, with the quickest container as witness;
// nil when it is not known. A pod is Ready one period, at most, after its
// readiness probe could first have succeeded.
func knownStart(w *facts.Workload, c *facts.Container, p *corev1.Probe) (time.Duration, *facts.Container) {
	var least time.Duration
	var witness *facts.Container
	n := 0
	for _, old := range w.OldPods() {
		if old.Phase != facts.PhaseReady {
			continue
		}
		i := slices.IndexFunc(old.Containers, func(o *facts.Container) bool { return o.Name == c.Name })
		if i < 0 || old.Containers[i].Running == nil || old.Containers[i].Restarts > 0 || len(old.Containers) != 1 {
			continue // of several containers the slowest made the pod wait
		}
		o := old.Containers[i]
		r := o.Spec.ReadinessProbe
		if r == nil || !apiequality.Semantic.DeepEqual(r.ProbeHandler, p.ProbeHandler) || r.SuccessThreshold > 1 || len(old.Obj.Spec.ReadinessGates) > 0 {
			continue
		}
		took := old.Condition(corev1.PodReady).LastTransition.Sub(o.Running.StartedAt.Time)
		slack := time.Duration(orInt(r.PeriodSeconds, 10)) * time.Second
		if s := o.Spec.StartupProbe; s != nil {
			slack += time.Duration(s.InitialDelaySeconds+orInt(s.PeriodSeconds, 10)) * time.Second
		}
		if took <= time.Duration(r.InitialDelaySeconds)*time.Second+slack {
			took = 0 // it may have been able to answer long before it was asked
		} else {
			took -= slack
		}
		if n++; witness == nil || took < least {
			least, witness = took, o
		}
	}
	if n < minWitnesses {
		return 0, nil
	}
	return least, witness
}
