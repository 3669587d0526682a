package cause

import (
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/unjam-dev/unjam/internal/facts"
)

// How long a container may run without being Ready before its failing probe is
// more than a slow start, where nothing is known of earlier starts.
const startGrace = 30 * time.Second

// How many failures in a row say that an answer is meant: a wrong path, a
// timeout under load, a command.
const (
	steadyStatus  = 3
	steadyTimeout = 5
	steadyCommand = 3
)

// probeKilled words a container that a probe gets killed.
func (cr crash) probeKilled(code, kind string, p *corev1.Probe) sighting {
	c := cr.c
	s := cr.sighting(code, fmt.Sprintf("the kubelet kills %s because its %s probe fails, %s", whoIs(c), kind, cr.times()))
	s.vars["probe"] = kind
	name := map[string]string{"liveness": "Liveness", "startup": "Startup"}[kind]
	if pf := lastFailure(c, name); pf != nil {
		s.summary += ": " + quote(pf.text)
		s.evidence = append(s.evidence, eventProof("what the probe found", pf.event))
	}
	if p != nil {
		s.evidence = append(s.evidence, fieldProof(c.Pod, "the probe as configured", specPath(c)+"."+kind+"Probe", probeWords(c, p)))
		if have, odd := undeclared(c, p); odd {
			s.summary += fmt.Sprintf("; the probe asks port %s, the container declares %s", portText(c, p), have)
		}
		if l := cr.lived(); l > 0 {
			s.vars["lived"] = age(l)
		}
	}
	return s
}

// lastFailure is the newest complaint about a probe of any instance.
func lastFailure(c *facts.Container, name string) *probeFailure {
	for _, e := range slices.Backward(c.Pod.Events) {
		if e.Reason != "Unhealthy" || !about(c, e) {
			continue
		}
		if m := probeMessage.FindStringSubmatch(clipMiddle(e.Message)); m != nil && m[1] == name {
			return &probeFailure{event: e, text: m[3], first: e.First, last: e.Last, count: int(e.Count)}
		}
	}
	return nil
}

// notReadySightings reads containers that run and are not Ready.
func notReadySightings(f *facts.Facts, w *facts.Workload) []sighting {
	return rememberedAs("probe", readNotReady)(f, w)
}

func readNotReady(f *facts.Facts, w *facts.Workload) []sighting {
	pods := startingPods(w)
	if len(pods) == 0 {
		return nil
	}
	usual := usualStart(w)
	var out []sighting
	for _, p := range pods {
		for _, c := range p.Containers {
			if c.Running == nil || c.Ready || c.Kind == facts.InitContainer {
				continue
			}
			if _, dead := crashOf(f, c); dead {
				continue
			}
			out = append(out, notReady(f, c, usual)...)
		}
	}
	return out
}

// usualStart is the longest time that pods of the workload which are Ready and
// never restarted took from start to Ready; 0 when none is known.
func usualStart(w *facts.Workload) time.Duration {
	var usual time.Duration
	for _, p := range w.Pods[:min(len(w.Pods), 50)] {
		if p.Phase != facts.PhaseReady {
			continue
		}
		ready := p.Condition(corev1.PodReady).LastTransition
		for _, c := range p.Containers {
			if c.Running != nil && c.Restarts == 0 && c.Kind == facts.AppContainer {
				// A pod that was Ready for a while and came back later says nothing of its start.
				if d := ready.Sub(c.Running.StartedAt.Time); d > usual && d < 15*time.Minute {
					usual = d
				}
			}
		}
	}
	return usual
}

func notReady(f *facts.Facts, c *facts.Container, usual time.Duration) []sighting {
	runs := f.Now.Sub(c.Running.StartedAt.Time)
	s := sighting{same: c.Name, pod: c.Pod, c: c, confidence: Certain, since: c.Running.StartedAt.Time, last: f.Now,
		evidence: []Evidence{fieldProof(c.Pod, whoIs(c)+" runs and is not Ready", c.StatusPath()+".ready", "running since "+c.Running.StartedAt.UTC().Format(time.RFC3339))}}
	s.evidence[0].Receipt.Time = c.Running.StartedAt.Time
	if !c.Started && c.Spec.StartupProbe != nil {
		return []sighting{starting(s, f, runs)}
	}
	p := c.Spec.ReadinessProbe
	if p == nil {
		return nil
	}
	grace := max(startGrace, 3*usual, time.Duration(p.InitialDelaySeconds+orInt(p.PeriodSeconds, 10)*orInt(p.FailureThreshold, 3))*time.Second)
	words := fieldProof(c.Pod, "the probe as configured", specPath(c)+".readinessProbe", probeWords(c, p))
	pf := probeFailureOf(c, "Readiness")
	if pf == nil {
		if lf := probeFailureOf(c, "Liveness"); lf != nil && runs < grace {
			pf = lf
		}
	}
	if pf == nil {
		s.slow(runs, usual)
		s.evidence = append(s.evidence, words)
		if runs > grace {
			s.confidence = Possible
			s.summary = fmt.Sprintf("%s has run for %s and is not Ready; no event tells what its readiness probe finds", whoIs(c), age(runs))
			s.rivals = []Rival{{Cause: rivalOf(p), SettledBy: fmt.Sprintf("kubectl -n %s describe pod %s (events \"Readiness probe failed\")", c.Pod.Obj.Namespace, c.Pod.Name())}}
		}
		return []sighting{s}
	}
	s.evidence = append([]Evidence{eventProof("what the probe found", pf.event), words}, s.evidence...)
	s.since, s.last, s.attempts = pf.first, pf.last, pf.count
	s.vars = map[string]string{"probe": "readiness", "port": portText(c, p)}
	s.readProbe(f, p, pf, runs, grace)
	if s.code == "" {
		s.since = c.Running.StartedAt.Time
		s.slow(runs, usual)
		s.summary += "; so far its readiness probe answers: " + quote(pf.text)
		return []sighting{s}
	}
	out := []sighting{s}
	if dep, ok := waitsOn(f, s); ok {
		out = append(out, dep)
	}
	return out
}

// starting words a container whose startup probe has not passed yet. Until its
// failures run out this is a start, not a fault.
func starting(s sighting, f *facts.Facts, runs time.Duration) sighting {
	c, p := s.c, s.c.Spec.StartupProbe
	s.slow(runs, 0)
	if c.Kind == facts.Sidecar {
		s.code = "sidecar-blocks-start"
		s.summary = fmt.Sprintf("%s has run for %s and its startup probe has not passed, so the pod's other containers do not start", whoIs(c), age(runs))
	}
	budget := time.Duration(p.InitialDelaySeconds+orInt(p.PeriodSeconds, 10)*orInt(p.FailureThreshold, 3)) * time.Second
	if left := budget - runs; left > 0 {
		s.summary += fmt.Sprintf("; its startup probe allows %s more", age(left))
		s.next = f.Now.Add(left)
	}
	if pf := probeFailureOf(c, "Startup"); pf != nil {
		s.summary += "; so far it answers: " + quote(pf.text)
		s.evidence = append(s.evidence, eventProof("what the probe found", pf.event))
	}
	s.evidence = append(s.evidence, fieldProof(c.Pod, "the probe as configured", specPath(c)+".startupProbe", probeWords(c, p)))
	return s
}

// slow words a start that is not over.
func (s *sighting) slow(runs, usual time.Duration) {
	s.code = "slow-start"
	s.summary = fmt.Sprintf("%s started %s ago and is not Ready yet", whoIs(s.c), age(runs))
	if usual > 0 {
		s.summary += fmt.Sprintf("; earlier pods took up to %s", age(usual))
	}
}

// rivalOf is the cause a probe that fails unseen most likely has.
func rivalOf(p *corev1.Probe) string {
	switch {
	case p.Exec != nil:
		return "probe-exec"
	case p.GRPC != nil:
		return "probe-grpc"
	case p.TCPSocket != nil:
		return "readiness-conn-refused"
	}
	return "readiness-http-status"
}
