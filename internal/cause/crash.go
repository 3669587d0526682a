package cause

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/unjam-dev/unjam/internal/facts"
)

// crash is a container that died and has not recovered.
type crash struct {
	c *facts.Container
	// death is the newest termination; deaths counts all that are known.
	death  *facts.Death
	deaths int
	// kill is the kubelet's own event that ended the instance, nil when the
	// process ended by itself or nobody saw who ended it.
	kill     *facts.Event
	killKind killKind
	// blind is true when a kill by the kubelet may have left no trace: the pod
	// has no events at all, or a probe that kills is known to fail.
	blind bool
}

// flapWindow is how long after its last death a running container that is not
// Ready still counts as crash-looping: the kubelet forgets back-off after it.
const flapWindow = 10 * time.Minute

// proven is the number of deaths of one container from which a crash loop is
// taken to be deterministic. That other pods die alike is no proof: they share
// what they wait for.
const proven = 4 // the first start and three restarts

// crashesOf lists the containers of the workload that died and did not recover.
func crashesOf(f *facts.Facts, w *facts.Workload) []crash {
	var out []crash
	for _, p := range crashPods(w) {
		for _, c := range p.Containers {
			if cr, ok := crashOf(f, c); ok {
				out = append(out, cr)
			}
		}
	}
	return out
}

func crashOf(f *facts.Facts, c *facts.Container) (crash, bool) {
	if c.Status == nil || c.Ready && c.Kind != facts.InitContainer {
		return crash{}, false
	}
	waiting := ""
	if c.Waiting != nil {
		waiting = c.Waiting.Reason
	}
	switch waiting {
	case "", "CrashLoopBackOff", "RunContainerError", "PostStartHookError":
	default:
		return crash{}, false // something else holds the next instance back
	}
	d := c.LastDeath()
	if d == nil && waiting == "" {
		return crash{}, false
	}
	cr := crash{c: c, death: d, deaths: int(c.Restarts), blind: len(c.Pod.Events) == 0 || killingProbeFails(c)}
	if c.Running == nil {
		cr.deaths++
	} else if c.Restarts < 2 || f.Now.Sub(d.Finished) > flapWindow {
		return crash{}, false
	}
	if d == nil {
		cr.death = &facts.Death{Receipt: c.Pod.Receipt(c.StatusPath()+".state.waiting", waiting+": "+c.Waiting.Message, f.Now)}
	}
	if d != nil && d.ExitCode == 0 && d.Signal == 0 && d.Reason != "OOMKilled" && !restarts(c) {
		return crash{}, false // done, as it should be
	}
	cr.kill, cr.killKind = killOf(c, cr.death)
	return cr, true
}

// restarts reports whether the kubelet starts the container again after it
// succeeded: only with restartPolicy Always, the pod's or the sidecar's own.
func restarts(c *facts.Container) bool {
	if c.Kind == facts.Sidecar {
		return true
	}
	return cmp.Or(c.Pod.Obj.Spec.RestartPolicy, "Always") == "Always" && c.Kind == facts.AppContainer
}

// whoIs names a container in a sentence.
func whoIs(c *facts.Container) string {
	switch c.Kind {
	case facts.InitContainer:
		return "init container " + c.Name
	case facts.Sidecar:
		return "sidecar " + c.Name
	}
	return "container " + c.Name
}

// lived is how long the instance ran, zero when unknown.
func (cr crash) lived() time.Duration {
	if cr.death.Started.Unix() <= 0 || !cr.death.Finished.After(cr.death.Started) {
		return 0
	}
	return cr.death.Finished.Sub(cr.death.Started)
}

// times words how often it happened.
func (cr crash) times() string {
	if cr.deaths == 1 {
		return "once so far"
	}
	return itoa(cr.deaths) + " times"
}

// sighting fills what every crash shares.
func (cr crash) sighting(code, summary string) sighting {
	c := cr.c
	r := cr.death.Receipt
	r.Text = quote(r.Text)
	s := sighting{code: code, same: c.Name, pod: c.Pod, c: c, summary: summary, confidence: Certain, attempts: cr.deaths,
		since: cr.since(), last: cr.death.Finished, vars: map[string]string{"exitcode": itoa(cr.death.ExitCode)}}
	s.evidence = append(s.evidence, Evidence{Text: whoIs(c) + " died (" + cr.times() + ")", Receipt: r})
	if c.Waiting != nil && c.Waiting.Reason == "CrashLoopBackOff" && !cr.death.Finished.IsZero() {
		if d := backOffOf(c.Waiting.Message); d > 0 {
			s.next = cr.death.Finished.Add(d)
		}
	}
	if cr.kill != nil {
		s.evidence = append(s.evidence, eventProof("the kubelet ended it", cr.kill))
	}
	return s
}

// backOffOf reads "back-off 1m20s restarting failed container=…".
func backOffOf(message string) time.Duration {
	rest, ok := strings.CutPrefix(message, "back-off ")
	if !ok {
		return 0
	}
	word, _, _ := strings.Cut(rest, " ")
	d, err := time.ParseDuration(word)
	if err != nil || d < 0 {
		return 0
	}
	return d
}

// withLog quotes the last telling line of the log.
func (s *sighting) withLog(line string) {
	if line == "" {
		return
	}
	s.summary += fmt.Sprintf("; its log ends with %q", quote(line))
	s.evidence = append(s.evidence, logProof(s.c, "the end of its log", line))
	s.vars["lastline"] = quote(line)
}

// since is when the loop began, as well as it can be told: the first back-off
// or kill that is still remembered, else the death that is known.
func (cr crash) since() time.Time {
	first, _, _ := spanOf(cr.c.Pod, func(e *facts.Event) bool {
		return (e.Reason == "BackOff" && strings.HasPrefix(e.Message, "Back-off restarting") || e.Reason == "Killing") && about(cr.c, e)
	})
	if !first.IsZero() {
		return first
	}
	if cr.deaths > 1 && cr.death.Finished.Sub(podStart(cr.c.Pod)) < time.Hour {
		return podStart(cr.c.Pod)
	}
	return cr.death.Finished
}
