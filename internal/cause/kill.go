package cause

import (
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/unjam-dev/unjam/internal/facts"
	"github.com/unjam-dev/unjam/internal/pattern"
)

// killKind says why the kubelet ended a container.
type killKind string

const (
	killedLiveness killKind = "liveness"
	killedStartup  killKind = "startup"
	killedHook     killKind = "hook"
	killedStop     killKind = "stop"   // the pod is to go
	killedChange   killKind = "change" // the container's definition changed
)

// killSlack is how far a Killing event and a termination may lie apart beyond
// the grace period: events carry whole seconds and are sent asynchronously.
const killSlack = 5 * time.Second

var probeKill = pattern.New(`^Container \S+ failed (liveness|startup) probe`)

// killOf finds the kubelet's event that ended the newest instance of a
// container. An older kill does not count: the instance after it died otherwise.
func killOf(c *facts.Container, d *facts.Death) (*facts.Event, killKind) {
	hook := c.Waiting != nil && c.Waiting.Reason == "PostStartHookError"
	for i := len(c.Pod.Events) - 1; i >= 0; i-- {
		e := c.Pod.Events[i]
		if e.Reason != "Killing" && e.Reason != "FailedPostStartHook" || !about(c, e) {
			continue
		}
		kind := kindOfKill(e)
		if kind == "" || !hook && !pairs(c, d, e) {
			continue
		}
		return e, kind
	}
	if hook {
		return nil, killedHook
	}
	return nil, ""
}

// about accepts events that name the container by field path or in their words.
func about(c *facts.Container, e *facts.Event) bool {
	if e.Container != "" {
		return e.Container == c.Name
	}
	return strings.Contains(e.Message+" ", "ontainer "+c.Name+" ") || len(c.Pod.Containers) == 1
}

func kindOfKill(e *facts.Event) killKind {
	if e.Reason == "FailedPostStartHook" || e.Message == "FailedPostStartHook" || strings.Contains(e.Message, "PostStart") {
		return killedHook
	}
	if m := probeKill.FindStringSubmatch(e.Message); m != nil {
		return killKind(m[1])
	}
	switch {
	case strings.HasPrefix(e.Message, "Stopping container"):
		return killedStop
	case strings.Contains(e.Message, "definition changed"):
		return killedChange
	}
	return ""
}

// pairs reports whether the event fell into the life of the dead instance, or
// into that of the one that runs now.
func pairs(c *facts.Container, d *facts.Death, e *facts.Event) bool {
	if d.Finished.IsZero() || d.Finished.Unix() <= 0 {
		return true
	}
	started := d.Started
	if started.Unix() <= 0 {
		started = d.Finished
	}
	if e.Last.Before(started.Add(-killSlack)) {
		// The event recorder drops updates of an event that comes too often
		// (25 in a burst, then one in five minutes), so a loop of kills is
		// known by its count although the last ones left no trace.
		return e.Count >= 5 && d.Started.Sub(e.Last) < 10*time.Minute
	}
	if e.Last.After(d.Finished.Add(killSlack)) {
		return c.Running != nil
	}
	return true
}

// killingProbeFails reports whether a probe that can get the container killed
// was seen to fail. Its Killing event may have been dropped or have expired.
func killingProbeFails(c *facts.Container) bool {
	return slices.ContainsFunc(c.Pod.Events, func(e *facts.Event) bool {
		return e.Reason == "Unhealthy" && about(c, e) && (strings.HasPrefix(e.Message, "Liveness probe") || strings.HasPrefix(e.Message, "Startup probe"))
	})
}

// probeBudget is the earliest moment after its start at which a probe can get
// the container killed (pkg/kubelet/prober/worker.go).
func probeBudget(p *corev1.Probe) time.Duration {
	period, failures := max(p.PeriodSeconds, 1), max(p.FailureThreshold, 1)
	if p.PeriodSeconds == 0 {
		period = 10
	}
	if p.FailureThreshold == 0 {
		failures = 3
	}
	return time.Duration(p.InitialDelaySeconds+(failures-1)*period) * time.Second
}

// mayBeProbeKill reports whether a probe that kills could have ended an
// instance that lived so long, for pods whose events are not known.
func mayBeProbeKill(c *facts.Container, lived time.Duration) string {
	for kind, p := range map[string]*corev1.Probe{"startup-probe-failed": c.Spec.StartupProbe, "liveness-kill": c.Spec.LivenessProbe} {
		if p == nil || kind == "liveness-kill" && c.Spec.StartupProbe != nil {
			continue
		}
		if lived == 0 || lived >= probeBudget(p)-time.Second {
			return kind
		}
	}
	return ""
}
