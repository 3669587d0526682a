package cause

import (
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/unjam-dev/unjam/internal/facts"
	"github.com/unjam-dev/unjam/internal/pattern"
)

// What logs say when something outside the container is at fault.
var (
	formatLine   = pattern.New(`exec format error`)
	usageLine    = pattern.New(`(?i)^\s*(?:usage:|panic: |panic\(|flag provided but not defined|unknown (?:shorthand )?flag|unrecognized (?:option|arguments?)|invalid option|(?:[\w./-]+: )?error: (?:unrecognized arguments|the following arguments are required|unknown flag))`)
	refusedLine  = pattern.New(`(?i)connection refused|ECONNREFUSED|no such host|ENOTFOUND|EAI_AGAIN|name or service not known|temporary failure in name resolution|could not translate host name|getaddrinfo|server misbehaving|connection timed out|ETIMEDOUT|no route to host|EHOSTUNREACH|dial (?:tcp|udp):? (?:lookup )?\S+: i/o timeout|lookup \S+(?: on \S+)?: i/o timeout|could not connect to server|can't connect to (?:\w+ )?server|connection reset by peer|UnknownHostException|ConnectException`)
	apiLine      = pattern.New(`https?://(?:kubernetes(?:\.default\S*)?|10\.(?:96|43|152|100)\.0\.1|10\.0\.0\.1|172\.20\.0\.1|172\.30\.0\.1)(?::443|:6443)?[/"]`)
	forbiddenSA  = pattern.New(`is forbidden: User \\?"system:serviceaccount:([a-z0-9.-]{1,253}):([a-z0-9.-]{1,253})\\?" cannot (\w+) resource \\?"([^"\\]{1,253})\\?"(?: in API group \\?"([^"\\]{0,253})\\?")?`)
	dependency   = pattern.New(`(?i)(?:dial (?:tcp|udp):? (?:lookup )?|connect(?:ing|ion)? to |host(?:name)? |https?://|ECONNREFUSED |ENOTFOUND |getaddrinfo \w+ |lookup )"?([a-zA-Z0-9][a-zA-Z0-9._-]{1,252}(?::\d{1,5})?)`)
	signalOfCode = map[int32]string{129: "SIGHUP", 130: "SIGINT", 131: "SIGQUIT", 132: "SIGILL", 133: "SIGTRAP", 134: "SIGABRT", 135: "SIGBUS",
		136: "SIGFPE", 137: "SIGKILL", 139: "SIGSEGV", 140: "SIGUSR2", 141: "SIGPIPE", 142: "SIGALRM", 143: "SIGTERM", 152: "SIGXCPU", 153: "SIGXFSZ", 159: "SIGSYS"}
)

// crashSightings names the cause of every crash of the workload.
func crashSightings(f *facts.Facts, w *facts.Workload) []sighting {
	return rememberedAs("crash", readCrash)(f, w)
}

func readCrash(f *facts.Facts, w *facts.Workload) []sighting {
	crashes := crashesOf(f, w)
	alike := map[string]map[string]bool{} // container and exit code → pods
	for _, cr := range crashes {
		id := cr.fingerprint()
		if alike[id] == nil {
			alike[id] = map[string]bool{}
		}
		alike[id][cr.c.Pod.Name()] = true
	}
	var out []sighting
	for _, cr := range crashes {
		s, ok := cr.name(f)
		if !ok {
			continue
		}
		if w.Job != nil {
			// A Job makes a new pod for each attempt, so pods count as restarts.
			cr.deaths += len(alike[cr.fingerprint()]) - 1
			s.attempts = max(s.attempts, cr.deaths)
		}
		if !steady(s, cr, f.Now) && !gaveUp(w) {
			if s.confidence == Certain {
				s.confidence = Likely
			}
			s.class = SelfHealing
		}
		out = append(out, s)
	}
	return out
}

// gaveUp reports whether the workload is a Job that its controller has failed:
// nothing is tried again.
func gaveUp(w *facts.Workload) bool {
	return w.Job != nil && w.Condition("Failed").Status == "True"
}

// fingerprint is the same for crashes that are alike.
func (cr crash) fingerprint() string {
	return cr.c.Name + "/" + itoa(cr.death.ExitCode) + "/" + cr.death.Reason + "/" + lastLine(cr.c)
}

// atOnce are the causes whose first death is already decisive.
var atOnce = map[string]bool{"exec-format-error": true, "serviceaccount-rbac-missing": true, "container-status-unknown": true, "exit-143-sigterm": true}

// steady reports whether the crash was seen often enough to be called
// deterministic: three restarts of one container; a memory kill or a failing
// hook is known at its second death, a wrong program at its first.
func steady(s sighting, cr crash, now time.Time) bool {
	switch s.code {
	case "oomkilled", "poststart-hook", "liveness-kill", "startup-probe-failed", "exit-126-127":
		return cr.deaths >= 2
	case "exit-0-completed-loop":
		return cr.deaths >= 3
	case "init-container-failing":
		// To fail until something is there is how init containers wait for it: the
		// fifth death, 150 s after the first, is later than a fault that passes.
		return cr.deaths > proven
	}
	if cr.deaths == proven && !s.next.IsZero() && now.After(s.next) {
		return false // the start that decides is due, and the log may be its
	}
	return atOnce[s.code] || cr.deaths >= proven
}

// name decides which cause the crash shows.
func (cr crash) name(f *facts.Facts) (sighting, bool) {
	c, d := cr.c, cr.death
	if text, _ := startText(c); text != "" {
		return sighting{}, false // it never ran; read as a start error
	}
	line := lastLine(c)
	switch {
	case d.Reason == "OOMKilled":
		return cr.oom(f), true
	case cr.killKind == killedHook:
		return cr.hook(), true
	case cr.killKind == killedLiveness:
		return cr.probeKilled("liveness-kill", "liveness", c.Spec.LivenessProbe), true
	case cr.killKind == killedStartup:
		return cr.probeKilled("startup-probe-failed", "startup", c.Spec.StartupProbe), true
	case cr.killKind == killedChange:
		return sighting{}, false
	case d.Reason == "ContainerStatusUnknown" || d.ExitCode == 255 && d.Reason == "Unknown":
		s := cr.sighting("container-status-unknown", fmt.Sprintf("the runtime of %s lost track of %s, so how it ended is not known", c.Pod.NodeName(), whoIs(c)))
		s.key = "node " + c.Pod.NodeName()
		return s, true
	}
	if cr.unseen() {
		return cr.anyEnd(line), true
	}
	if l, m := findLine(c, formatLine); m != nil && d.ExitCode != 0 {
		s := cr.sighting("exec-format-error", "")
		s.execFormat(f)
		s.evidence = append(s.evidence, logProof(c, "the kernel refused the program's format", l))
		return s, true
	}
	switch {
	case d.ExitCode == 0:
		s := cr.sighting("exit-0-completed-loop", fmt.Sprintf("%s ends successfully (exit code 0, %s), but a %s restarts what ends", whoIs(c), cr.times(), orPod(c)))
		s.withLog(line)
		s.unseenKill(cr) // a program that heeds SIGTERM ends with 0, too
		return s, true
	case d.ExitCode == 137:
		return cr.killed9(f), true
	case d.ExitCode == 143:
		return cr.terminated(), true
	}
	return cr.ownExit(f, line)
}

func orPod(c *facts.Container) string {
	if w := c.Pod.Workload; w != nil {
		return w.Kind
	}
	return "pod with restartPolicy Always"
}

// execFormat words a program that the node cannot run: built for another
// processor, or a script without #!. The same image running on another node
// with this processor leaves only the second.
func (s *sighting) execFormat(f *facts.Facts) {
	s.code = "exec-format-error"
	s.vars["arch"] = archOf(s.pod)
	s.summary = fmt.Sprintf("the program of %s in %s is not of a format that %s can run", whoIs(s.c), imageOf(s.c), nodeArch(s.pod))
	other := f.RanElsewhere(f.Image(s.c.Image), []string{s.pod.NodeName()})
	if other != nil && other.Ready && s.vars["arch"] != "" && archOf(other.Pod) == s.vars["arch"] {
		s.summary += fmt.Sprintf("; the image itself runs on %s, so the program is a script without #! or a damaged file", nodeArch(other.Pod))
		s.evidence = append(s.evidence, fieldProof(other.Pod, "the image runs on a node with the same processor", "spec.nodeName", other.Pod.NodeName()))
		return
	}
	s.confidence = Likely
	s.rivals = []Rival{{Cause: "wrong-arch-at-exec", SettledBy: "crane config " + s.c.Image + " | jq -r .architecture"}}
}

func archOf(p *facts.Pod) string {
	if p.Node == nil {
		return ""
	}
	return p.Node.Status.NodeInfo.Architecture
}

func nodeArch(p *facts.Pod) string {
	if a := archOf(p); a != "" {
		return "node " + p.NodeName() + " (" + p.Node.Status.NodeInfo.OperatingSystem + "/" + a + ")"
	}
	return "node " + p.NodeName()
}

// oom words a kill for memory, by the container's limit or the node's shortage.
func (cr crash) oom(f *facts.Facts) sighting {
	c := cr.c
	who := whoIs(c)
	limit := memoryLimit(c)
	if limit == "" {
		s := cr.sighting("oomkilled", fmt.Sprintf("%s was killed for lack of memory, %s, and has no memory limit of its own", who, cr.times()))
		s.confidence = Likely
		s.rivals = []Rival{{Cause: "node-system-oom", SettledBy: "kubectl get events -A --field-selector involvedObject.kind=Node,reason=SystemOOM"}}
		return s
	}
	s := cr.sighting("oomkilled", fmt.Sprintf("%s was killed because it used more memory than its limit of %s, %s", who, limit, cr.times()))
	if l := cr.lived(); l > 0 {
		s.summary += fmt.Sprintf(", %s after its start", age(l))
	}
	s.vars["limit"] = limit
	s.evidence = append(s.evidence, fieldProof(c.Pod, "its memory limit", specPath(c)+".resources.limits.memory", limit))
	if e := systemOOM(f, c.Pod, cr.death.Finished); e != nil {
		s.confidence = Likely
		s.rivals = []Rival{{Cause: "node-system-oom", SettledBy: "kubectl describe node " + c.Pod.NodeName() + " (SystemOOM events at the time of the kill)"}}
	}
	return s
}

func specPath(c *facts.Container) string {
	if c.Kind == facts.AppContainer {
		return "spec.containers[" + c.Name + "]"
	}
	return "spec.initContainers[" + c.Name + "]"
}

func memoryLimit(c *facts.Container) string {
	if q, ok := c.Spec.Resources.Limits[corev1.ResourceMemory]; ok {
		return q.String()
	}
	if r := c.Pod.Obj.Spec.Resources; r != nil {
		if q, ok := r.Limits[corev1.ResourceMemory]; ok {
			return q.String()
		}
	}
	return ""
}

func limitClause(c *facts.Container) string {
	if l := memoryLimit(c); l != "" {
		return " (" + l + ")"
	}
	return ""
}

// hook words a postStart hook that fails.
func (cr crash) hook() sighting {
	c := cr.c
	s := cr.sighting("poststart-hook", fmt.Sprintf("the postStart hook of %s fails, so the kubelet kills the container, %s", whoIs(c), cr.times()))
	s.vars["hook"] = "postStart"
	if w := c.Waiting; w != nil && w.Reason == "PostStartHookError" && w.Message != "" {
		s.summary += ": " + quote(hookDetail(w.Message))
		s.evidence = append(s.evidence, Evidence{Text: "what the hook answered", Receipt: c.Pod.Receipt(c.StatusPath()+".state.waiting", quote(w.Message), s.last)})
	}
	if l := c.Spec.Lifecycle; l != nil && l.PostStart != nil && l.PostStart.Exec != nil {
		s.vars["command"] = strings.Join(l.PostStart.Exec.Command, " ")
		s.evidence = append(s.evidence, fieldProof(c.Pod, "the hook", specPath(c)+".lifecycle.postStart", s.vars["command"]))
	}
	return s
}

// hookDetail is the innermost error of a hook.
func hookDetail(message string) string {
	if i := strings.LastIndex(message, ", message: "); i >= 0 {
		message = message[:i]
	}
	if i := strings.Index(message, "failed - error: "); i >= 0 {
		message = message[i+len("failed - error: "):]
	}
	return tail(message)
}

// killed9 words exit code 137 without the runtime's word that memory was short
// and without a kill by the kubelet.
func (cr crash) killed9(f *facts.Facts) sighting {
	c := cr.c
	s := cr.sighting("exit-137-not-oom", fmt.Sprintf("%s was killed by SIGKILL (exit code 137, %s), not for its memory limit as far as the runtime knows", whoIs(c), cr.times()))
	s.confidence = Likely
	if kind := mayBeProbeKill(c, cr.lived()); kind != "" {
		s.rivals = append(s.rivals, Rival{Cause: kind, SettledBy: fmt.Sprintf("kubectl -n %s get events --field-selector involvedObject.name=%s,reason=Killing", c.Pod.Obj.Namespace, c.Pod.Name())})
	}
	s.rivals = append(s.rivals, Rival{Cause: "node-system-oom", SettledBy: "look for \"Out of memory: Killed process\" in the kernel log of " + c.Pod.NodeName() + " at the time of the kill"})
	return s
}

// terminated words exit code 143 without a kill by the kubelet that was seen.
func (cr crash) terminated() sighting {
	c := cr.c
	s := cr.sighting("exit-143-sigterm", fmt.Sprintf("%s was asked to end (SIGTERM, exit code 143, %s), and nothing seen says by whom", whoIs(c), cr.times()))
	s.confidence = Likely
	if cr.killKind == killedStop {
		s.summary = fmt.Sprintf("%s was asked to end by the kubelet (SIGTERM, exit code 143)", whoIs(c))
		s.confidence = Certain
	} else if kind := mayBeProbeKill(c, cr.lived()); kind != "" {
		s.rivals = append(s.rivals, Rival{Cause: kind, SettledBy: fmt.Sprintf("kubectl -n %s get events --field-selector involvedObject.name=%s,reason=Killing", c.Pod.Obj.Namespace, c.Pod.Name())})
	}
	return s
}

// systemOOM finds a SystemOOM event of the pod's node near a time.
func systemOOM(f *facts.Facts, p *facts.Pod, at time.Time) *facts.Event {
	for _, e := range f.EventsOf("Node", "", p.NodeName(), "") {
		if e.Reason != "SystemOOM" {
			continue
		}
		if at.IsZero() || !e.First.After(at.Add(30*time.Second)) && !e.Last.Before(at.Add(-30*time.Second)) {
			return e
		}
	}
	return nil
}
