package cause

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/unjam-dev/unjam/internal/facts"
	"github.com/unjam-dev/unjam/internal/pattern"
)

// What runc, crun and the runtimes around them say of a process or root
// filesystem that cannot be set up.
var (
	execTarget  = pattern.New(`exec: "([^"]{1,512})":|exec container process (?:.)?([^ :` + "`" + `']{1,512})|executable file (?:.)?([^ :` + "`" + `']{1,512})(?:.)? not found`)
	execMissing = pattern.New(`executable file (?:\S+ )?not found|exec: "[^"]*": (?:stat [^:]*: )?no such file or directory|starting container process caused.*no such file or directory|No such file or directory: OCI runtime attempted to invoke a command`)
	execDenied  = pattern.New(`exec: "[^"]*": (?:stat [^:]*: )?permission denied|exec user process caused: permission denied|exec /[^:]{1,512}: permission denied|OCI permission denied`)
	execIsDir   = pattern.New(`exec: "[^"]*": (?:stat [^:]*: )?is a directory`)
	badFormat   = pattern.New(`exec format error`)
	workDir     = pattern.New(`(?:chdir to cwd \("|mkdir |chdir to .?)(/[^":` + "`" + `]{0,512})`)
	workDirText = pattern.New(`chdir to cwd|during container init: mkdir|mkdir /[^:]*: (?:not a directory|permission denied|read-only file system)`)
	mountText   = pattern.New(`error mounting|(?:failed to )?mount(?:ing)? .* to rootfs|not a directory: unknown: Are you trying|mount through procfd|path "[^"]*" is mounted on "[^"]*" but it is not a shared|cannot create directory`)
	mountPath   = pattern.New(`to rootfs at "([^"]{1,512})"|failed to stat "([^"]{1,512})"`)
	cgroupText  = pattern.New(`cgroup`)
	initOOM     = pattern.New(`container init was OOM-killed|memory limit too low|unable to set memory limit|Cannot allocate memory: OCI runtime`)
	cgroupsPath = pattern.New(`expected cgroupsPath to be of format|cgroup driver|systemd cgroup flag passed, but`)
	nameTaken   = pattern.New(`failed to reserve container name|is reserved for "|container name .* is already in use`)
	diskFull    = pattern.New(`no space left on device|disk quota exceeded`)
)

// startText is the runtime's refusal to create or start the container, with
// its evidence; empty when the container got further.
func startText(c *facts.Container) (string, Evidence) {
	d := c.LastDeath()
	if w := c.Waiting; w != nil {
		switch w.Reason {
		case "RunContainerError", "CreateContainerError":
			if text, proof := failedText(c); text != "" {
				return text, proof
			}
		case "CrashLoopBackOff":
		default:
			return "", Evidence{}
		}
	}
	if c.Running != nil || d == nil || d.Reason != "StartError" && d.Reason != "ContainerCannotRun" {
		return "", Evidence{}
	}
	if d.Message != "" {
		r := d.Receipt
		r.Text = quote(r.Text)
		return clipMiddle(d.Message), Evidence{Text: "the runtime could not start the process", Receipt: r}
	}
	e := newestEvent(c.Pod, func(e *facts.Event) bool {
		return e.Reason == "Failed" && e.Container == c.Name && strings.HasPrefix(e.Message, "Error: ")
	})
	if e == nil {
		return "", Evidence{}
	}
	return clipMiddle(strings.TrimPrefix(e.Message, "Error: ")), eventProof("the runtime could not start the process", e)
}

// startErrorSightings reads containers that the runtime could not create or start.
func startErrorSightings(f *facts.Facts, w *facts.Workload) []sighting {
	return rememberedAs("start", readStartError)(f, w)
}

func readStartError(f *facts.Facts, w *facts.Workload) []sighting {
	var out []sighting
	for _, p := range crashPods(w) {
		for _, c := range p.Containers {
			text, proof := startText(c)
			if text == "" {
				continue
			}
			s := sighting{pod: p, c: c, confidence: Certain, evidence: []Evidence{proof}}
			s.since, s.last, s.attempts = spanOf(p, func(e *facts.Event) bool {
				return e.Reason == "Failed" && e.Container == c.Name && strings.HasPrefix(e.Message, "Error: ")
			})
			s.since = cmp.Or(s.since, podStart(p))
			s.attempts = max(s.attempts, int(c.Restarts)+1)
			s.readStart(f, text)
			if s.code != "" {
				out = append(out, s)
			}
		}
	}
	return out
}

// readStart decides what the runtime's words mean. The order matters: several
// texts hold the words "no such file or directory".
func (s *sighting) readStart(f *facts.Facts, text string) {
	c := s.c
	who := whoIs(c)
	target := execName(text, c)
	s.vars = map[string]string{"command": target}
	s.same = c.Name
	switch {
	case nameTaken.MatchString(text):
		return // container-name-reserved, in the node-storage family
	case diskFull.MatchString(text) && !cgroupText.MatchString(text):
		return // the node's disk, in the node-storage family
	case initOOM.MatchString(text):
		s.code = "memory-limit-too-low"
		s.summary = fmt.Sprintf("the memory limit of %s%s is too low for the runtime to start it", who, limitClause(c))
	case cgroupsPath.MatchString(text):
		s.code, s.same, s.key = "kubelet-misconfigured", s.pod.NodeName(), "node "+s.pod.NodeName()
		s.summary = fmt.Sprintf("the kubelet and the runtime of %s disagree on the cgroup driver", s.pod.NodeName())
	case badFormat.MatchString(text):
		s.execFormat(f)
	case workDirText.MatchString(text):
		s.code = "start-error-mount-or-cgroup"
		dir := cmp.Or(c.Spec.WorkingDir, firstGroup(workDir, text))
		s.vars["workdir"] = dir
		s.summary = fmt.Sprintf("the working directory %s of %s cannot be entered: %s", dir, who, quote(tail(text)))
	case execDenied.MatchString(text):
		s.code = "start-error-exec-not-found"
		s.summary = fmt.Sprintf("%s in %s may not be executed (permission denied), so %s never starts", target, imageOf(c), who)
	case execIsDir.MatchString(text):
		s.code = "start-error-exec-not-found"
		s.summary = fmt.Sprintf("%s in %s is a directory, so %s never starts", target, imageOf(c), who)
	case execMissing.MatchString(text):
		s.code = "start-error-exec-not-found"
		s.summary = fmt.Sprintf("%s has no %s, so %s never starts", imageOf(c), target, who)
	case mountText.MatchString(text):
		s.code = "start-error-mount-or-cgroup"
		s.vars["path"] = firstGroup(mountPath, text)
		s.summary = fmt.Sprintf("a mount of %s fails: %s", who, quote(tail(text)))
		s.unlessRepeated()
	case cgroupText.MatchString(text):
		s.code, s.key = "start-error-mount-or-cgroup", "node "+s.pod.NodeName()
		s.summary = fmt.Sprintf("node %s cannot make the cgroup of %s: %s", s.pod.NodeName(), who, quote(tail(text)))
		s.unlessRepeated()
	case c.Waiting != nil && c.Waiting.Reason == "CreateContainerError" || strings.Contains(text, "deadline exceeded"):
		s.code = "create-container-error"
		s.summary = fmt.Sprintf("the runtime of %s cannot create %s: %s", s.pod.NodeName(), who, quote(tail(text)))
		if strings.Contains(text, "no command specified") {
			s.class = Terminal
			s.summary = fmt.Sprintf("neither %s nor the pod names a command for %s", imageOf(c), who)
			return
		}
		if strings.Contains(text, "no such file or directory") {
			s.class, s.vars["path"] = Terminal, firstGroup(mountPath, text)
		}
		s.unlessRepeated()
		s.repeatedOr(3)
	default:
		s.code = "start-error-mount-or-cgroup"
		s.summary = fmt.Sprintf("the runtime of %s cannot start %s: %s", s.pod.NodeName(), who, quote(tail(text)))
		s.confidence = Likely
		s.unlessRepeated()
	}
}

// unlessRepeated keeps a first failure from being called final.
func (s *sighting) unlessRepeated() {
	if s.attempts < 2 {
		s.confidence, s.class = Likely, SelfHealing
	}
}

// tail is the part of a wrapped runtime error that says what failed.
func tail(text string) string {
	text = strings.TrimSuffix(strings.TrimSpace(text), ": unknown")
	for _, cut := range []string{"unable to start container process: ", "OCI runtime create failed: ", "failed to create shim task: ", "failed to create containerd task: ", "rpc error: code = Unknown desc = "} {
		if i := strings.LastIndex(text, cut); i >= 0 {
			return strings.TrimPrefix(text[i+len(cut):], "error during container init: ")
		}
	}
	return text
}

// imageOf is "image NAME"; a text or a status may not say which image it is.
func imageOf(c *facts.Container) string {
	if c.Image == "" || strings.HasPrefix(c.Image, noImage) {
		return noImage
	}
	return "image " + c.Image
}

// execName is the program that was to be run: as the runtime names it, else
// as the pod asks for it.
func execName(text string, c *facts.Container) string {
	if n := firstGroup(execTarget, text); n != "" {
		return n
	}
	if len(c.Spec.Command) > 0 {
		return c.Spec.Command[0]
	}
	if len(c.Spec.Args) > 0 {
		return c.Spec.Args[0]
	}
	return "its entrypoint"
}

func firstGroup(re *pattern.Pattern, text string) string {
	m := re.FindStringSubmatch(text)
	if m == nil {
		return ""
	}
	i := slices.IndexFunc(m[1:], func(g string) bool { return g != "" })
	if i < 0 {
		return ""
	}
	return m[i+1]
}
