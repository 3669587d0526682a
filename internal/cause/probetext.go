package cause

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/unjam-dev/unjam/internal/facts"
	"github.com/unjam-dev/unjam/internal/pattern"
)

// probeFailure is the newest complaint of the kubelet about one probe.
type probeFailure struct {
	event *facts.Event
	// errored is true when the probe could not be carried out: the kubelet then
	// counts it neither as success nor as failure.
	errored bool
	text    string
	// first and last span the failures of the running instance, count counts them.
	first, last time.Time
	count       int
}

// probeMessage is pkg/kubelet/prober/prober.go before and after 1.33.
var (
	probeMessage = pattern.New(`^(Liveness|Readiness|Startup) probe (failed|errored(?: and resulted in \w+ state)?|warning): (?s:(.*))$`)
	statusText   = pattern.New(`HTTP probe failed with statuscode: (\d{3})`)
	refusedText  = pattern.New(`connection refused|actively refused`)
	timeoutText  = pattern.New(`context deadline exceeded|Client\.Timeout|i/o timeout|no route to host|network is unreachable|TLS handshake timeout`)
	listenLine   = pattern.New(`(?i)\b(?:listen(?:ing|s)?|serving|started|bound|running)\b.{0,80}?(?:(127\.0\.0\.1|localhost|\[::1\]|0\.0\.0\.0|\*|\[::\])?:|port:?[ =]?"?)(\d{2,5})\b`)
)

// probeFailureOf finds the failures of one probe ("Readiness") of the running
// instance of a container; nil when there are none.
func probeFailureOf(c *facts.Container, probe string) *probeFailure {
	var pf *probeFailure
	started := time.Time{}
	if c.Running != nil {
		started = c.Running.StartedAt.Time
	}
	for i := len(c.Pod.Events) - 1; i >= 0; i-- {
		e := c.Pod.Events[i]
		if e.Reason != "Unhealthy" || !about(c, e) || e.Last.Before(started.Add(-time.Second)) {
			continue
		}
		m := probeMessage.FindStringSubmatch(clipMiddle(e.Message))
		if m == nil || m[1] != probe {
			continue
		}
		first := e.First
		if first.Before(started) {
			first = started
		}
		if pf == nil {
			pf = &probeFailure{event: e, errored: strings.HasPrefix(m[2], "errored"), text: m[3], first: first, last: e.Last}
		}
		if first.Before(pf.first) {
			pf.first = first
		}
		pf.count += int(e.Count)
	}
	return pf
}

// probeWords says what a probe asks, as it is configured.
func probeWords(c *facts.Container, p *corev1.Probe) string {
	if p == nil {
		return ""
	}
	what := "a probe"
	switch {
	case p.HTTPGet != nil:
		what = fmt.Sprintf("GET %s://:%s%s", strings.ToLower(or(string(p.HTTPGet.Scheme), "http")), portText(c, p), or(p.HTTPGet.Path, "/"))
	case p.TCPSocket != nil:
		what = "TCP connect to port " + portText(c, p)
	case p.GRPC != nil:
		what = "gRPC health check on port " + portText(c, p)
	case p.Exec != nil:
		what = "exec " + strings.Join(p.Exec.Command, " ")
	}
	return fmt.Sprintf("%s, every %ds, timeout %ds, %d failures in a row count", what, orInt(p.PeriodSeconds, 10), orInt(p.TimeoutSeconds, 1), orInt(p.FailureThreshold, 3))
}

// probePort is the port a probe asks, 0 when it asks none.
func probePort(c *facts.Container, p *corev1.Probe) int32 {
	switch {
	case p == nil:
		return 0
	case p.GRPC != nil:
		return p.GRPC.Port
	}
	port := ""
	switch {
	case p.HTTPGet != nil:
		port = p.HTTPGet.Port.String()
	case p.TCPSocket != nil:
		port = p.TCPSocket.Port.String()
	}
	if n, err := strconv.ParseInt(port, 10, 32); err == nil {
		return int32(n)
	}
	for _, cp := range c.Spec.Ports {
		if cp.Name == port && port != "" {
			return cp.ContainerPort
		}
	}
	return 0
}

func portText(c *facts.Container, p *corev1.Probe) string {
	if n := probePort(c, p); n != 0 {
		return itoa(n)
	}
	switch {
	case p.HTTPGet != nil:
		return p.HTTPGet.Port.String()
	case p.TCPSocket != nil:
		return p.TCPSocket.Port.String()
	}
	return "?"
}

// undeclared reports whether the probe asks a port that no container of the pod
// declares, and the ports that are declared. Declaring ports is optional, so a
// pod that declares none tells nothing.
func undeclared(c *facts.Container, p *corev1.Probe) (string, bool) {
	port := probePort(c, p)
	if port == 0 || len(c.Spec.Ports) == 0 {
		return "", false
	}
	var have []string
	for _, o := range c.Pod.Containers {
		for _, cp := range o.Spec.Ports {
			if cp.ContainerPort == port {
				return "", false
			}
			if o == c {
				have = append(have, itoa(cp.ContainerPort))
			}
		}
	}
	return strings.Join(have, ", "), true
}

// listensOn reads from the log where the process listens; port 0 when the log
// does not say. local is true for an address that only the pod itself reaches.
func listensOn(lines []string) (port int32, local bool, line string) {
	for i := len(lines) - 1; i >= 0; i-- {
		if m := listenLine.FindStringSubmatch(lines[i]); m != nil {
			n, _ := strconv.ParseInt(m[2], 10, 32)
			return int32(n), m[1] == "127.0.0.1" || m[1] == "localhost" || m[1] == "[::1]", lines[i]
		}
	}
	return 0, false, ""
}

func or(a, b string) string {
	if a == "" {
		return b
	}
	return a
}

func orInt(n, fallback int32) int32 {
	if n == 0 {
		return fallback
	}
	return n
}
