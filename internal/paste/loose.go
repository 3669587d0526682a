package paste

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/unjam-dev/unjam/internal/pattern"
	"github.com/unjam-dev/unjam/internal/pullerror"
)

var startWith = pattern.New(`failed to \\*"(\w+)\\*" for \\*"([^"\\]+)\\*" with (\w+): \\*"?`)

// loose reads a line that is no table: a log line or a bare message. It returns
// the number of lines used.
func (d *draft) loose(lines []string) int {
	raw := strings.TrimSpace(lines[0])
	if describedForm.MatchString(raw) || describedLoose.MatchString(raw) || describedOld.MatchString(raw) {
		return d.rows(lines, func(l string) *line { return describedRow(l, objectRef{}) })
	}
	if listedForm.MatchString(raw) || listedOld.MatchString(raw) {
		m := listedForm.FindStringSubmatch(raw)
		return d.rows(lines, func(l string) *line { return listedRow(l, m != nil && m[1] != "", false) })
	}
	if row := podRow.FindStringSubmatch(raw); row != nil && podStatus.MatchString(row[5]) {
		d.podRow(objectRef{"Pod", row[1], row[2]}, row[3] == row[4], row[5], number(row[6]), age(row[7]))
		return 1
	}
	if n := d.fragment(lines); n > 0 {
		return n
	}
	if d.nodeCondition(nil, raw) {
		return 1
	}
	if value, n := yamlText(lines); n > 0 && !d.loosely[value] && len(d.loosely) < maxLoose {
		d.loosely[value] = true
		d.words(objectRef{kind: "Pod"}, []string{value})
		return n
	}
	if d.loosely[raw] || len(d.loosely) >= maxLoose {
		d.counts.Ignored++
		return 1
	}
	d.loosely[raw] = true
	used := 1
	text := raw
	// A runtime error may go on in the next line (errors.Join).
	for used < len(lines) && used < 4 && continues(lines[used]) {
		text += "\n" + strings.TrimSpace(lines[used])
		used++
	}
	l := unwrapLog(text)
	if l.event != nil {
		d.counts.Events++
		d.event(*l.event)
		return used
	}
	if l.calm && !slices.ContainsFunc(l.messages, troubled) {
		d.counts.Ignored++
		return used
	}
	d.words(l.ref, l.messages)
	return used
}

// words takes messages of which the first that means something known decides.
func (d *draft) words(ref objectRef, messages []string) {
	for _, m := range messages {
		if foreign.MatchString(m) {
			d.counts.Ignored++
			return
		}
		for _, core := range cores(m) {
			if d.message(ref, core) {
				d.counts.Lines++
				return
			}
		}
	}
	d.counts.Ignored++
	for _, m := range messages {
		d.said = append(d.said, Saying{Text: m, Logged: len(messages) > 1})
	}
}

// foreign are troubles of the tool that printed the text: kubectl that does not
// reach the API server, or that may not read. No rollout hangs by them.
var foreign = pattern.New(`couldn't get current server API group list|^The connection to the server \S+ was refused|^Unable to connect to the server|is forbidden: User "[^"]*" cannot |You must be logged in to the server|Operation cannot be fulfilled on `)

// troubled tells a line of the level "info" that reports an error all the same.
func troubled(m string) bool {
	return startWith.MatchString(m) || strings.Contains(m, "Error response from daemon") || strings.Contains(m, "no fit") || strings.Contains(m, "Fit failure") || strings.Contains(m, "nodes are available") || troubleWord.MatchString(m)
}

var troubleWord = pattern.New(`(?i)\b(?:fail(?:ed|ure)|error|denied|refused|unable|cannot|timed? ?out|back-off|warning|evict)`)

// cores are the ways to read a message: from the words that a component always
// begins with, where they stand inside, then without what tools put before an
// error, then whole.
func cores(m string) []string {
	out := make([]string, 0, 3)
	m = mountedPod.ReplaceAllString(m, "")
	if at := anchors.FindStringSubmatchIndex(m); at != nil && at[0] > 0 {
		out = append(out, m[at[0]:])
	}
	rest := m
	for range 6 {
		cut := wrappers.ReplaceAllString(rest, "")
		if cut == rest || cut == "" {
			break
		}
		rest = cut
	}
	if rest != m {
		out = append(out, rest)
	}
	return append(out, m)
}

// mountedPod is what the kubelet's log says of a volume that its events do not.
var mountedPod = pattern.New(` \(UniqueName: "[^"]*"\)(?: pod "[^"]*" \(UID: "[^"]*"\))?`)

var (
	anchors  = pattern.New(`MountVolume\.(?:SetUp|MountDevice|WaitForAttach|NewMounter)|AttachVolume\.|Multi-Attach error|\b\d+/\d+ nodes are available|Failed to pull image "|Error creating: |No nodes are available that match|Back-off (?:pulling|restarting)`)
	wrappers = pattern.New(`^(?:Error: |(?:UPGRADE|INSTALLATION|INSTALL|ROLLBACK|UNINSTALL) FAILED: |Helm (?:install|upgrade|rollback) failed(?: for release \S+(?: with chart \S+)?)?: |(?:failed to create resource|failed pre-install|release \S+ failed[^:]*|one or more objects failed to apply, reason|one or more synchronization tasks completed unsuccessfully, reason): |cannot patch "[^"]*" with kind \w+: |\w+/\S+ dry-run failed(?: \(\w+\))?: |(?:Degraded|Progressing|Missing|Unknown): |Operation for ".*" failed\. No retries permitted until .*?\(durationBeforeRetry [^)]*\)\. Error: |sync "[^"]*" failed with )`)
)

// continues tells a second line of one error from a new message.
func continues(l string) bool {
	t := strings.TrimSpace(l)
	return strings.HasPrefix(t, "toomanyrequests:") || strings.HasPrefix(t, "denied:") || strings.HasPrefix(t, "unauthorized:")
}

// rows reads event rows without a header, with their continuation lines.
func (d *draft) rows(lines []string, parse func(string) *line) int {
	row := parse(lines[0])
	if row == nil {
		return 1
	}
	i := 1
	for i < len(lines) && strings.TrimSpace(lines[i]) != "" && parse(lines[i]) == nil && !eventish(lines[i]) {
		row.message += "\n" + strings.TrimSpace(lines[i])
		i++
	}
	d.counts.Events++
	d.event(*row)
	return i
}

func eventish(l string) bool {
	return describeStart.MatchString(l) || describeCut(l) || eventHeader(l) != nil || podHeader(l) ||
		describedForm.MatchString(l) || listedForm.MatchString(strings.TrimSpace(l)) || klogHead.MatchString(strings.TrimSpace(l))
}

// rule classifies a bare message as the event that carries it.
type rule struct {
	pattern *pattern.Pattern
	kind    string
	reason  string
}

// rules are tried in order; the first that matches decides.
var rules = []rule{
	{pattern.New(`Unable to retrieve (?:some image pull secrets|pull secret)`), "Pod", "FailedToRetrieveImagePullSecret"},
	{pattern.New(`\b\d+/\d+ nodes are available|No nodes are available that match|failed to fit in any node|(?i:fit failure) on node|no nodes available to schedule pods|pod has unbound immediate PersistentVolumeClaims|waiting for scheduling gates|persistentvolumeclaim "[^"]*" (?:not found|is being deleted)|running "[^"]*" filter plugin|running PreBind plugin|binding volumes: `), "Pod", "FailedScheduling"},
	{pattern.New(`pod didn't trigger scale-up`), "Pod", "NotTriggerScaleUp"},
	{pattern.New(`pod triggered scale-up`), "Pod", "TriggeredScaleUp"},
	{pattern.New(`^Error creating: |exceeded quota: |failed quota: |status unknown for quota|insufficient quota to match|violates PodSecurity|admission webhook "|failed calling webhook|ValidatingAdmissionPolicy '|error looking up service account|no PriorityClass with name|RuntimeClass "[^"]+" not found|(?:maximum|minimum) \S+ usage per |limit to request ratio per|unable to validate against any (?:pod security policy|security context constraint)|is forbidden: `), "ReplicaSet", "FailedCreate"},
	{pattern.New(`(?:Liveness|Readiness|Startup) probe (?:failed|errored)`), "Pod", "Unhealthy"},
	{pattern.New(`failed (?:liveness|startup) probe`), "Pod", "Killing"},
	{pattern.New(`(?i)PostStartHook failed|Exec lifecycle hook|FailedPostStartHook`), "Pod", "FailedPostStartHook"},
	{pattern.New(`(?i)failed to create pod sandbox|failed to setup network for sandbox|FailedCreatePodSandBox|CreatePodSandbox|failed to get sandbox image|RunPodSandbox`), "Pod", "FailedCreatePodSandBox"},
	{pattern.New(`(?i)^network is not ready`), "Pod", "NetworkNotReady"},
	{pattern.New(`Multi-Attach error|Waiting for detach|AttachVolume\.`), "Pod", "FailedAttachVolume"},
	{pattern.New(`MountVolume\.|MapVolume\.|NodeExpandVolume\.|Unable to attach or mount volumes|hostPath type check failed`), "Pod", "FailedMount"},
	{pattern.New(`(?i)back-off (?:\S+ )?restarting failed container|CrashLoopBackOff`), "Pod", "BackOff"},
	{pattern.New(`The node was low on resource|The node had condition`), "Pod", "Evicted"},
	{pattern.New(`is not present with pull policy of Never`), "Pod", "ErrImageNeverPull"},
	{pattern.New(`Failed to apply default image tag|(?:couldn't parse|failed to parse) image (?:name|reference)|Failed to inspect image`), "Pod", "InspectFailed"},
	{pattern.New(`Unable to retrieve some image pull secrets`), "Pod", "FailedToRetrieveImagePullSecret"},
	{configWrong, "Pod", "Failed"},
	{ociTrouble, "Pod", "Failed"},
}

var (
	oomText  = pattern.New(`(?i)\bOOMKilled\b|Memory cgroup out of memory|Out of memory: Killed process`)
	exitText = pattern.New(`(?i)\b(?:exit(?:ed)?(?: with)? ?(?:code|status))[: =]*(\d{1,3})\b`)
	nodeText = pattern.New(`(?i)kubelet (?:stopped posting|never posted) node status|container runtime network not ready|PLEG is not healthy|container runtime is down`)
)

// message classifies one message; false when it means nothing known.
func (d *draft) message(ref objectRef, text string) bool {
	if m := startWith.FindStringSubmatchIndex(text); m != nil {
		return d.syncError(ref, text, m)
	}
	text = strings.TrimSpace(text)
	for _, r := range rules {
		if !r.pattern.MatchString(text) {
			continue
		}
		l := line{ref: ref, typ: "Warning", reason: r.reason, message: text, last: -1, first: -1}
		if r.kind != "Pod" {
			l.ref = objectRef{kind: r.kind, name: someWorkload}
			if !strings.HasPrefix(text, "Error creating: ") && !strings.HasPrefix(text, "create Pod ") {
				l.message = "Error creating: " + text
			}
		}
		if m := refusedKind.FindStringSubmatchIndex(text); m != nil && l.reason == "FailedCreate" {
			// What is said of a Deployment holds for its pods.
			l.message = `Error creating: pods "` + text[m[2]:m[3]] + `" is forbidden: ` + text[m[1]:]
			d.original[strings.TrimPrefix(l.message, "Error creating: ")] = text
		}
		if l.reason == "Failed" && !strings.HasPrefix(text, "Error: ") {
			l.message = "Error: " + text
		}
		d.event(l)
		return true
	}
	if pullish(text) && (saysPull.MatchString(text) || pullerror.Parse(text, "").Kind != pullerror.Unknown) {
		d.pullFailure(ref, text)
		return true
	}
	if reason := rejection(text); reason != "" {
		d.event(line{ref: ref, typ: "Warning", reason: reason, message: text, last: -1, first: -1})
		return true
	}
	return d.death(ref, text)
}

// refusedKind begins the API server's refusal of an object that makes pods.
var refusedKind = pattern.New(`^(?:[Dd]eployment|[Rr]eplica[Ss]et|[Ss]tateful[Ss]et|[Dd]aemon[Ss]et|[Jj]ob)s?\.[a-z0-9.-]+ "([^"]*)" is forbidden: `)

// syncError reads the kubelet's `failed to "StartContainer" for "app" with
// REASON: "message"`.
func (d *draft) syncError(ref objectRef, text string, m []int) bool {
	d.said = append(d.said, Saying{Kind: "Pod", Text: text})
	action, name, reason := text[m[2]:m[3]], text[m[4]:m[5]], text[m[6]:m[7]]
	msg := strings.TrimRight(strings.ReplaceAll(strings.ReplaceAll(text[m[1]:], `\\\"`, `"`), `\"`, `"`), `"\, ]`)
	switch action {
	case "StartContainer":
		p := d.pod(ref)
		p.bind("")
		p.states = true
		c := p.container(name)
		p.condition(corev1.PodReady, corev1.ConditionFalse, "", "", d.now)
		switch w := c.State.Waiting; {
		case reason == "ImagePullBackOff" && w != nil && w.Message != "" && w.Reason != reason:
			// The first error tells more.
		case reason == "CrashLoopBackOff":
			crashLoop(c, msg, 0)
			p.obj.Status.Phase = corev1.PodRunning
		case reason == "RunContainerError":
			startError(c, msg, metav1.NewTime(d.now), 0)
		default:
			waiting(c, reason, msg)
		}
		if s := p.spec(name); s != nil && s.Image == "" {
			s.Image = pullerror.ImageIn(msg)
		}
	case "CreatePodSandbox":
		d.event(line{ref: ref, typ: "Warning", reason: "FailedCreatePodSandBox", message: msg, last: -1, first: -1})
	case "KillPodSandbox", "KillContainer":
		d.event(line{ref: ref, typ: "Warning", reason: "FailedKillPod", message: text, last: -1, first: -1})
	default:
		return false
	}
	return true
}

// death reads messages about a container that ended, and about nodes.
func (d *draft) death(ref objectRef, text string) bool {
	switch {
	case nodeText.MatchString(text):
		n := d.node(someNode)
		n.Status.Conditions = append(n.Status.Conditions, corev1.NodeCondition{Type: corev1.NodeReady, Status: corev1.ConditionFalse, Reason: "KubeletNotReady", Message: text, LastTransitionTime: metav1.NewTime(d.now)})
		if strings.Contains(text, "posting") || strings.Contains(text, "posted") {
			n.Status.Conditions[len(n.Status.Conditions)-1].Status = corev1.ConditionUnknown
			n.Status.Conditions[len(n.Status.Conditions)-1].Reason = "NodeStatusUnknown"
		}
		return true
	case oomText.MatchString(text):
		d.died(ref, 137, "OOMKilled", text)
		return true
	}
	if m := exitText.FindStringSubmatch(text); m != nil && number(m[1]) < 256 {
		d.died(ref, number(m[1]), "Error", text)
		return true
	}
	return false
}

func (d *draft) died(ref objectRef, exit int32, reason, message string) {
	p := d.pod(ref)
	p.bind("")
	p.obj.Status.Phase = corev1.PodRunning
	p.condition(corev1.PodReady, corev1.ConditionFalse, "", "", d.now)
	c := p.container("")
	c.LastTerminationState.Terminated = &corev1.ContainerStateTerminated{ExitCode: exit, Reason: reason, Message: message, FinishedAt: metav1.NewTime(d.now)}
	if c.State.Waiting == nil || c.State.Waiting.Reason == "ContainerCreating" {
		waiting(c, "CrashLoopBackOff", "")
	}
}
