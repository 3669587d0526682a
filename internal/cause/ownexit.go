package cause

import (
	"fmt"
	"strings"
	"time"

	"github.com/unjam-dev/unjam/internal/facts"
)

// ownExit names the cause of a process that ended by itself with an error. The
// log decides; without one the exit code says little.
func (cr crash) ownExit(f *facts.Facts, line string) (sighting, bool) {
	c, d := cr.c, cr.death
	who := whoIs(c)
	if l, m := findLine(c, forbiddenSA); m != nil {
		s := cr.sighting("serviceaccount-rbac-missing", fmt.Sprintf("ServiceAccount %s/%s may not %s %s, and %s ends because of it", m[1], m[2], m[3], m[4], who))
		s.vars["serviceaccount"], s.vars["verb"], s.vars["resource"], s.vars["sanamespace"] = m[2], m[3], m[4], m[1]
		s.key = "serviceaccount " + m[1] + "/" + m[2]
		s.evidence = append(s.evidence, logProof(c, "the API server refused the request", l))
		return s, true
	}
	if s, ok := cr.outside(); ok {
		return s, true
	}
	code := "crashloop-app-error"
	what := fmt.Sprintf("%s ends with exit code %d by itself, %s", who, d.ExitCode, cr.times())
	usage, isUsage := findLine(c, usageLine)
	signal := signalOfCode[d.ExitCode]
	switch {
	case c.Kind == facts.InitContainer:
		code = "init-container-failing"
		what = fmt.Sprintf("%s fails with exit code %d, %s, so the pod's other containers never start", who, d.ExitCode, cr.times())
	case d.ExitCode == 126:
		code, what = "exit-126-127", fmt.Sprintf("the shell of %s may not execute the command (exit code 126)", who)
	case d.ExitCode == 127:
		code, what = "exit-126-127", fmt.Sprintf("the shell of %s does not find the command (exit code 127)", who)
	case d.ExitCode == 139:
		code, what = "exit-139-segv", fmt.Sprintf("%s crashes with a segmentation fault (SIGSEGV, exit code 139), %s", who, cr.times())
	case d.ExitCode == 134:
		code, what = "exit-134-abort", fmt.Sprintf("%s aborts (SIGABRT, exit code 134), %s", who, cr.times())
	case signal != "":
		code, what = "exit-128-plus-n", fmt.Sprintf("%s was ended by %s (exit code %d), %s", who, signal, d.ExitCode, cr.times())
	case d.ExitCode == 2 && isUsage != nil:
		code, what = "exit-2-usage", fmt.Sprintf("%s ends with exit code 2 (a panic, or arguments it does not know), %s", who, cr.times())
		line = usage
	}
	s := cr.sighting(code, what)
	s.same = c.Name + "/" + itoa(d.ExitCode)
	s.vars["signal"] = signal
	if line == "" && d.Message != "" {
		s.summary += fmt.Sprintf("; it left the message %q", quote(d.Message))
	}
	s.withLog(line)
	s.unreadLog(f, cr)
	s.unseenKill(cr)
	s.elsewhere(c)
	return s, true
}

// unseen reports that the source shows that the container keeps ending, but
// not how.
func (cr crash) unseen() bool {
	return cr.death != nil && cr.death.Reason == "" && cr.c.LastDeath() == nil
}

// anyEnd names a crash of which no termination is known: the state alone fits
// every way to end.
func (cr crash) anyEnd(line string) sighting {
	code := "crashloop-app-error"
	if cr.c.Kind == facts.InitContainer {
		code = "init-container-failing"
	}
	s := cr.sighting(code, fmt.Sprintf("%s keeps ending and waits for its next start; its exit code, which tells why, was not seen", whoIs(cr.c)))
	s.confidence = Possible
	delete(s.vars, "exitcode")
	check := fmt.Sprintf("kubectl -n %s get pod %s -o jsonpath='{..lastState.terminated}'", cr.c.Pod.Obj.Namespace, cr.c.Pod.Name())
	for _, rival := range []string{"oomkilled", "liveness-kill", "exit-0-completed-loop", "exit-126-127", "exec-format-error"} {
		s.rivals = append(s.rivals, Rival{Cause: rival, SettledBy: check})
	}
	if hook := newestEvent(cr.c.Pod, func(e *facts.Event) bool { return e.Reason == "FailedPostStartHook" }); hook != nil {
		s.code, s.confidence = "poststart-hook", Likely
		s.summary = fmt.Sprintf("%s keeps ending, and its postStart hook failed: %s", whoIs(cr.c), quote(hook.Message))
		s.rivals = append([]Rival{{Cause: code, SettledBy: check}}, s.rivals...)
		s.evidence = append(s.evidence, eventProof("the hook failed", hook))
	}
	s.withLog(line)
	return s
}

// outside reads a log that ends because something else does not answer.
func (cr crash) outside() (sighting, bool) {
	c := cr.c
	l, m := findLine(c, refusedLine)
	if m == nil || cr.death.ExitCode > 128 {
		return sighting{}, false
	}
	kubectlLogs := fmt.Sprintf("kubectl -n %s logs %s -c %s --previous", c.Pod.Obj.Namespace, c.Pod.Name(), c.Name)
	own := "crashloop-app-error"
	if c.Kind == facts.InitContainer {
		own = "init-container-failing"
	}
	if apiLine.MatchString(l) {
		s := cr.sighting("apiserver-unreachable", fmt.Sprintf("%s cannot reach the API server and ends, %s", whoIs(c), cr.times()))
		s.same, s.confidence = c.Name, Likely
		s.rivals = []Rival{{Cause: own, SettledBy: "ask the API server from a pod on " + c.Pod.NodeName() + ": wget -qO- --no-check-certificate https://kubernetes.default/version"}}
		s.withLog(l)
		return s, true
	}
	s := cr.sighting("dependency-unavailable", fmt.Sprintf("%s ends with exit code %d, %s, because something it needs does not answer", whoIs(c), cr.death.ExitCode, cr.times()))
	if target := dependencyOf(l); target != "" {
		s.summary = fmt.Sprintf("%s ends with exit code %d, %s, because %s does not answer", whoIs(c), cr.death.ExitCode, cr.times(), target)
		s.vars["dependency"], s.key = target, "dependency "+target
	}
	s.confidence = Likely
	s.rivals = []Rival{{Cause: own, SettledBy: kubectlLogs + "; then try the address it names from another pod: if it answers there, the release's configuration is wrong"}}
	s.withLog(l)
	return s, true
}

// dependencyOf is the host a log line complains about; empty when it names none.
func dependencyOf(line string) string {
	m := dependency.FindStringSubmatch(line)
	if m == nil || !strings.ContainsAny(m[1], ".:") {
		return ""
	}
	return strings.TrimRight(m[1], ".:")
}

// unreadLog keeps open what only the log could tell: a program that the kernel
// refused leaves exit code 1 or 255 and one line, and a missing dependency is
// known by the log alone. A log that was read and is empty closes both.
func (s *sighting) unreadLog(f *facts.Facts, cr crash) {
	c, ns, pod := cr.c, cr.c.Pod.Obj.Namespace, cr.c.Pod.Name()
	if f.Log(ns, pod, c.Name, true) != nil || f.Log(ns, pod, c.Name, false) != nil || cr.death.ExitCode > 125 && cr.death.ExitCode != 255 {
		return
	}
	s.confidence = Likely
	by := fmt.Sprintf("kubectl -n %s logs %s -c %s --previous", ns, pod, c.Name)
	if (cr.death.ExitCode == 1 || cr.death.ExitCode == 255) && cr.lived() <= 2*time.Second {
		s.rivals = append(s.rivals, Rival{Cause: "exec-format-error", SettledBy: by})
	}
	s.rivals = append(s.rivals, Rival{Cause: "dependency-unavailable", SettledBy: by})
}

// unseenKill adds the kill of a probe or of the postStart hook as a rival where
// no event could show it.
func (s *sighting) unseenKill(cr crash) {
	if !cr.blind || cr.c.Kind == facts.InitContainer {
		return
	}
	kinds := []string{mayBeProbeKill(cr.c, cr.lived())}
	if l := cr.c.Spec.Lifecycle; l != nil && l.PostStart != nil {
		kinds = append(kinds, "poststart-hook")
	}
	for _, kind := range kinds {
		if kind == "" {
			continue
		}
		s.confidence = Likely
		s.rivals = append(s.rivals, Rival{Cause: kind, SettledBy: fmt.Sprintf("kubectl -n %s get events --field-selector involvedObject.name=%s,reason=Killing", cr.c.Pod.Obj.Namespace, cr.c.Pod.Name())})
	}
}

// elsewhere tells when the same revision runs well on another node, or when
// older pods fail alike: then the release alone is not to blame.
func (s *sighting) elsewhere(c *facts.Container) {
	w := c.Pod.Workload
	if w == nil || len(w.Pods) > 200 {
		return
	}
	ready := map[string]bool{}
	for _, p := range w.Pods {
		if p.New == c.Pod.New && p.Phase == facts.PhaseReady {
			ready[p.NodeName()] = true
		}
	}
	if n := len(ready); n > 0 && !ready[c.Pod.NodeName()] {
		s.vars["runselsewhere"] = itoa(n)
		s.evidence = append(s.evidence, fieldProof(c.Pod, fmt.Sprintf("pods of the same revision are Ready on %d other %s", n, plural(int32(n), "node", "nodes")), "spec.nodeName", c.Pod.NodeName()))
	}
}
