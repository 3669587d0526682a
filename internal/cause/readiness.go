package cause

import (
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/unjam-dev/unjam/internal/facts"
	"github.com/unjam-dev/unjam/internal/pattern"
)

var (
	grpcMissing = pattern.New(`does not implement the grpc health protocol`)
	execAbsent  = pattern.New(`executable file not found|no such file or directory|permission denied|command not found|: not found`)
)

// readProbe decides what a failing readiness probe shows; the code stays empty
// while it may be an ordinary start.
func (s *sighting) readProbe(f *facts.Facts, p *corev1.Probe, pf *probeFailure, runs, grace time.Duration) {
	c := s.c
	early := runs < grace
	switch {
	case p.Exec != nil:
		s.readExec(p, pf, early)
	case p.GRPC != nil:
		if grpcMissing.MatchString(pf.text) {
			s.code, s.class = "probe-grpc", Terminal
			s.summary = fmt.Sprintf("%s does not offer the gRPC health service that its readiness probe asks on port %s", whoIs(c), portText(c, p))
		} else if !early && pf.count >= steadyCommand {
			s.code = "probe-grpc"
			s.summary = fmt.Sprintf("the gRPC readiness probe of %s on port %s fails: %s", whoIs(c), portText(c, p), quote(pf.text))
		}
	case statusText.MatchString(pf.text):
		s.readStatus(p, pf, early)
	case refusedText.MatchString(pf.text):
		s.readRefused(f, p, pf, runs, early)
	case timeoutText.MatchString(pf.text):
		if early || pf.count < 2 {
			return
		}
		s.code = "readiness-timeout"
		s.summary = fmt.Sprintf("the readiness probe of %s gets no answer within %ds on port %s", whoIs(c), orInt(p.TimeoutSeconds, 1), portText(c, p))
		if strings.Contains(pf.text, "no route to host") || strings.Contains(pf.text, "unreachable") {
			s.summary = fmt.Sprintf("the kubelet of %s cannot reach port %s of %s: %s", c.Pod.NodeName(), portText(c, p), c.Pod.Name(), quote(pf.text))
		}
		if pf.count < steadyTimeout {
			s.confidence = Likely
		}
	case !early:
		// The listener is there and breaks off or speaks another protocol.
		s.code, s.confidence = "readiness-conn-refused", Likely
		s.summary = fmt.Sprintf("the readiness probe of %s gets no usable answer on port %s: %s", whoIs(c), portText(c, p), quote(pf.text))
		if strings.Contains(pf.text, "HTTP response to HTTPS client") || strings.Contains(pf.text, "malformed HTTP response") {
			s.confidence, s.class = Certain, Terminal
		}
	}
}

func (s *sighting) readStatus(p *corev1.Probe, pf *probeFailure, early bool) {
	c := s.c
	status := statusText.FindStringSubmatch(pf.text)[1]
	path := "/"
	if p.HTTPGet != nil {
		path = or(p.HTTPGet.Path, "/")
	}
	s.vars["status"], s.vars["path"] = status, path
	switch {
	case status[0] == '4' && status != "408" && status != "425" && status != "429":
		if pf.count < steadyStatus {
			return
		}
		s.code, s.class = "readiness-http-status", Terminal
		s.summary = fmt.Sprintf("%s answers its readiness probe GET :%s%s with %s", whoIs(c), portText(c, p), path, status+statusHint(status))
	case early || pf.count < steadyStatus:
		return
	default:
		s.code = "readiness-http-status"
		s.summary = fmt.Sprintf("%s answers its readiness probe GET :%s%s with %s, %d times", whoIs(c), portText(c, p), path, status, pf.count)
	}
	if line := lastOf(currentLog(c)); line != "" {
		s.withLog(line)
	}
}

func statusHint(status string) string {
	switch status {
	case "404":
		return " (no such path)"
	case "401", "403":
		return " (the probe would have to sign in)"
	case "400":
		return " (bad request)"
	}
	return ""
}

func (s *sighting) readRefused(f *facts.Facts, p *corev1.Probe, pf *probeFailure, runs time.Duration, early bool) {
	c := s.c
	port := portText(c, p)
	lines := currentLog(c)
	at, local, line := listensOn(lines)
	say := fmt.Sprintf("nothing listens on port %s, which the readiness probe of %s asks", port, whoIs(c))
	switch {
	case line != "" && pf.count >= 2 && (itoa(at) != port || local):
		s.code, s.class = "readiness-conn-refused", Terminal
		s.summary = say + fmt.Sprintf("; its log says it listens on port %d", at)
		if local {
			s.summary += " of the loopback address, which the kubelet cannot reach"
		}
		s.evidence = append(s.evidence, logProof(c, "where the process listens", line))
		s.vars["listens"] = itoa(at)
		return
	case early:
		return
	}
	s.code, s.summary = "readiness-conn-refused", say
	if have, odd := undeclared(c, p); odd {
		s.summary += "; the container declares " + have
		s.class, s.confidence = Terminal, Likely
		s.vars["listens"] = have
		s.rivals = []Rival{{Cause: "slow-start", SettledBy: fmt.Sprintf("kubectl -n %s logs %s -c %s (does it say on which port it listens?)", c.Pod.Obj.Namespace, c.Pod.Name(), c.Name)}}
		return
	}
	if runs < 2*time.Minute {
		s.confidence = Likely
		s.rivals = []Rival{{Cause: "slow-start", SettledBy: fmt.Sprintf("kubectl -n %s logs %s -c %s (is it still starting?)", c.Pod.Obj.Namespace, c.Pod.Name(), c.Name)}}
	}
	if line := lastOf(lines); line != "" {
		s.withLog(line)
	}
}

func (s *sighting) readExec(p *corev1.Probe, pf *probeFailure, early bool) {
	c := s.c
	cmd := strings.Join(p.Exec.Command, " ")
	s.vars["command"] = cmd
	switch {
	case execAbsent.MatchString(pf.text) && pf.count >= 2 && (pf.errored || strings.Contains(pf.text, "exec failed") || strings.Contains(pf.text, "executable file not found")):
		s.code, s.class = "probe-exec", Terminal
		s.summary = fmt.Sprintf("the readiness command of %s cannot be run: %s", whoIs(c), quote(tail(pf.text)))
	case early || pf.count < steadyCommand:
		return
	case strings.Contains(pf.text, "timed out"):
		s.code = "probe-exec"
		s.summary = fmt.Sprintf("the readiness command of %s (%s) does not end within %ds", whoIs(c), quote(cmd), orInt(p.TimeoutSeconds, 1))
	default:
		s.code = "probe-exec"
		s.summary = fmt.Sprintf("the readiness command of %s (%s) fails: %s", whoIs(c), quote(cmd), or(quote(pf.text), "it printed nothing"))
	}
}

// waitsOn reads a not-Ready container's log for something that does not answer;
// the failing probe is then its effect.
func waitsOn(f *facts.Facts, s sighting) (sighting, bool) {
	if s.class == Terminal || s.code == "slow-start" {
		return sighting{}, false
	}
	c := s.c
	lines := currentLog(c)
	for i := len(lines) - 1; i >= max(0, len(lines)-15); i-- {
		if !refusedLine.MatchString(lines[i]) {
			continue
		}
		d := sighting{code: "dependency-unavailable", same: c.Name, pod: c.Pod, c: c, confidence: Likely, since: s.since, last: s.last, attempts: s.attempts,
			summary: whoIs(c) + " runs and is not Ready because something it needs does not answer", explains: []string{s.code}, vars: map[string]string{}}
		if target := dependencyOf(lines[i]); target != "" {
			d.summary = fmt.Sprintf("%s runs and is not Ready because %s does not answer", whoIs(c), target)
			d.vars["dependency"], d.key = target, "dependency "+target
		}
		d.rivals = []Rival{{Cause: s.code, SettledBy: "try the address that the log names from another pod: if it answers there, the fault is in this release"}}
		d.withLog(lines[i])
		d.evidence = append(d.evidence, s.evidence[0])
		return d, true
	}
	return sighting{}, false
}

// currentLog is the log of the instance that runs; LogTail may be of the one before.
func currentLog(c *facts.Container) []string {
	if c.Restarts == 0 {
		return logEnd(c)
	}
	return nil
}

// lastOf is the last line that says something, of lines already cleaned.
func lastOf(lines []string) string {
	for i := len(lines) - 1; i >= max(0, len(lines)-15); i-- {
		if telling.MatchString(lines[i]) && !noise.MatchString(lines[i]) {
			return lines[i]
		}
	}
	return ""
}
