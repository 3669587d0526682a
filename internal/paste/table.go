package paste

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

var (
	headerWord = regexp.MustCompile(`\S+(?: \S+)*`)
	eventNames = []string{"LAST SEEN", "FIRST SEEN", "TYPE", "REASON", "OBJECT", "MESSAGE", "NAMESPACE", "SUBOBJECT", "SOURCE", "COUNT", "NAME", "AGE", "FROM", "KIND"}
)

// eventHeader returns the columns of an events table header, nil when the line
// is none: "LAST SEEN  TYPE  REASON  OBJECT  MESSAGE" of kubectl get events, or
// "Type  Reason  Age  From  Message" of kubectl describe.
func eventHeader(l string) map[string]int {
	up := strings.ToUpper(l)
	if !strings.Contains(up, "REASON") || !strings.Contains(up, "MESSAGE") || !strings.Contains(up, "TYPE") {
		return nil
	}
	cols := map[string]int{}
	for _, at := range headerWord.FindAllStringIndex(splitHeader(up), -1) {
		word := up[at[0]:at[1]]
		if !slices.Contains(eventNames, word) {
			return nil
		}
		cols[word] = at[0]
	}
	return cols
}

// splitHeader is the header itself: words are separated by two blanks or more,
// and the two-word names hold one blank.
func splitHeader(s string) string { return s }

// eventTable reads rows under an events header, which may be the first line or
// the one after it, and returns how many lines it used.
func (d *draft) eventTable(lines []string, about objectRef) int {
	i := 0
	for i < len(lines) && strings.TrimSpace(lines[i]) == "" {
		i++
	}
	if i == len(lines) || eventHeader(lines[i]) == nil {
		return i
	}
	_, namespaced := eventHeader(lines[i])["NAMESPACE"]
	_, wide := eventHeader(lines[i])["FIRST SEEN"]
	described := strings.Contains(strings.ToUpper(lines[i]), "FROM")
	indent := indentOf(lines[i])
	i++
	var current *line
	flush := func() {
		if current != nil {
			current.message = strings.TrimSpace(current.message)
			d.event(*current)
			current = nil
		}
	}
	for ; i < len(lines); i++ {
		l := lines[i]
		if strings.TrimSpace(l) == "" {
			break
		}
		if strings.HasPrefix(strings.TrimSpace(l), "----") {
			continue
		}
		var row *line
		if described {
			row = describedRow(l, about)
		} else {
			row = listedRow(l, namespaced, wide)
		}
		switch {
		case row != nil:
			flush()
			current = row
		case describeStart.MatchString(l) || eventHeader(l) != nil || indentOf(l) < indent && current == nil:
			flush()
			return i
		case current != nil:
			current.message += "\n" + strings.TrimSpace(l) // a message of several lines
		}
	}
	flush()
	return i
}

const ageForm = `(?:\d+[smhdy](?:\d+[smhd])?|<unknown>|<invalid>)`

var (
	describedForm = regexp.MustCompile(`^ *(Normal|Warning) +(\S+) +(` + ageForm + `)(?: \(x(\d+) over (` + ageForm + `)\))? +(\S+(?:, \S+)?) {2,}(.*)$`)
	// Some pastes lose the double blanks.
	describedLoose = regexp.MustCompile(`^ *(Normal|Warning) +(\S+) +(` + ageForm + `)(?: \(x(\d+) over (` + ageForm + `)\))? +(\S+) +(.*)$`)
	listedForm     = regexp.MustCompile(`^(?:(\S+) +)?(` + ageForm + `)(?: \(x(\d+) over (` + ageForm + `)\))? +(Normal|Warning) +(\S+) +([a-zA-Z.]+)/(\S+) +(.*)$`)
	wideTail       = regexp.MustCompile(`^(.*?) {2,}(` + ageForm + `) +(\d+) +(\S+)$`)
	wideHead       = regexp.MustCompile(`^(?:(spec\.\S+) +)?([a-z][\w-]*(?:, \S+)?) {2,}(.*)$`)
)

func describedRow(l string, about objectRef) *line {
	m := describedForm.FindStringSubmatch(l)
	if m == nil {
		m = describedLoose.FindStringSubmatch(l)
	}
	if m == nil {
		return nil
	}
	if about.kind == "" {
		about.kind = "Pod"
	}
	r := &line{ref: about, typ: m[1], reason: m[2], last: age(m[3]), first: age(m[5]), source: strings.TrimSuffix(m[6], ","), message: m[7], count: number(m[4])}
	r.unprefix()
	return r
}

// containerPrefix is what newer kubectl puts before messages in describe.
var containerPrefix = regexp.MustCompile(`^spec\.(?:initContainers|containers|ephemeralContainers)\{([^}]+)\}:? +`)

func (l *line) unprefix() {
	if m := containerPrefix.FindStringSubmatch(l.message); m != nil {
		l.container = m[1]
		l.message = l.message[len(m[0]):]
	}
}

func listedRow(l string, namespaced, wide bool) *line {
	m := listedForm.FindStringSubmatch(strings.TrimLeft(l, " "))
	if m == nil || m[1] != "" && !namespaced && !plausibleNamespace(m[1]) {
		return nil
	}
	r := &line{ref: objectRef{kindName(m[7]), m[1], m[8]}, typ: m[5], reason: m[6], last: age(m[2]), first: age(m[4]), count: number(m[3]), message: m[9]}
	if wide {
		if t := wideTail.FindStringSubmatch(r.message); t != nil {
			r.message, r.first, r.count = t[1], age(t[2]), number(t[3])
		}
		if h := wideHead.FindStringSubmatch(r.message); h != nil {
			if c := containerPrefix.FindStringSubmatch(h[1] + " "); c != nil {
				r.container = c[1]
			}
			r.source, r.message = h[2], h[3]
		}
	}
	r.unprefix()
	return r
}

var namespaceName = regexp.MustCompile(`^[a-z0-9-]+$`)

func plausibleNamespace(s string) bool { return namespaceName.MatchString(s) }

// eventKinds are the kinds whose events say something of a rollout.
var eventKinds = []string{"Pod", "ReplicaSet", "Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob", "Node", "PersistentVolumeClaim",
	"HorizontalPodAutoscaler", "PodDisruptionBudget", "ConfigMap", "Rollout", "NodeClaim", "NodePool", "Namespace"}

// kindName maps "pod", "replicaset", "deployment.apps" to the kind.
func kindName(s string) string {
	s, _, _ = strings.Cut(strings.ToLower(s), ".")
	for _, k := range eventKinds {
		if strings.ToLower(k) == strings.TrimSuffix(s, "s") || strings.ToLower(k) == s {
			return k
		}
	}
	return s
}

func number(s string) int32 {
	n, _ := strconv.ParseInt(s, 10, 32)
	return int32(n)
}

var ageUnits = map[byte]time.Duration{'s': time.Second, 'm': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour, 'y': 365 * 24 * time.Hour}

// age reads kubectl's short durations; -1 when unknown.
func age(s string) time.Duration {
	var total time.Duration
	n := 0
	for i := range len(s) {
		if s[i] >= '0' && s[i] <= '9' && n < 1e6 {
			n = n*10 + int(s[i]-'0')
			continue
		}
		u, ok := ageUnits[s[i]]
		if !ok {
			return -1
		}
		total += time.Duration(n) * u
		n = 0
	}
	if s == "" {
		return -1
	}
	return total
}

// podHeader is the header of kubectl get pods.
func podHeader(l string) bool {
	f := strings.Fields(l)
	return slices.Contains(f, "NAME") && slices.Contains(f, "READY") && slices.Contains(f, "STATUS") && slices.Contains(f, "RESTARTS")
}

var podRow = regexp.MustCompile(`^(?:(\S+) +)?(\S+) +(\d+)/(\d+) +(\S+) +(\d+)(?: \([^)]*\))? +(` + ageForm + `)\b`)

// podStatus is a word of the STATUS column.
var podStatus = regexp.MustCompile(`^(?:Init:)?[A-Z][A-Za-z]+$|^Init:\d+/\d+$|^ExitCode:\d+$|^Signal:\d+$`)

// podTable reads kubectl get pods, which shows states without their reasons.
func (d *draft) podTable(lines []string) int {
	namespaced := strings.HasPrefix(strings.TrimSpace(lines[0]), "NAMESPACE")
	i := 1
	for ; i < len(lines); i++ {
		m := podRow.FindStringSubmatch(strings.TrimLeft(lines[i], " "))
		if m == nil {
			break
		}
		if !namespaced {
			m[1] = ""
		}
		d.podRow(objectRef{"Pod", m[1], m[2]}, m[3] == m[4], m[5], number(m[6]), age(m[7]))
	}
	return i
}

func (d *draft) podRow(ref objectRef, ready bool, status string, restarts int32, old time.Duration) {
	if len(d.order) >= maxPods {
		return
	}
	p := d.pod(ref)
	p.obj.CreationTimestamp = metav1.NewTime(d.now.Add(-max(old, 0)))
	if ready || status == "Completed" || status == "Terminating" || status == "Running" {
		p.bind("")
		p.obj.Status.Phase = corev1.PodRunning
		c := p.container("")
		c.Ready, c.RestartCount, c.State = ready, restarts, corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: p.obj.CreationTimestamp}}
		p.condition(corev1.PodReady, map[bool]corev1.ConditionStatus{true: corev1.ConditionTrue, false: corev1.ConditionFalse}[ready], "", "", d.now)
		return
	}
	reason, init := strings.CutPrefix(status, "Init:")
	if reason == "Pending" || reason == "Unknown" || reason == "SchedulingGated" {
		// The table does not show what the scheduler says; that it is silent is
		// not known either.
		p.obj.Spec.Containers = []corev1.Container{{Name: someContainer}}
		p.condition(corev1.PodScheduled, corev1.ConditionFalse, "Unschedulable", "", d.now)
		return
	}
	p.bind("")
	name := someContainer
	if init {
		p.newContainer("init", true)
		name = "init"
	}
	if strings.HasPrefix(reason, "OutOf") || slices.Contains(failedReasons, reason) {
		p.obj.Status.Phase, p.obj.Status.Reason = corev1.PodFailed, reason
		return
	}
	c := p.container(name)
	c.RestartCount = restarts
	switch reason {
	case "Error", "OOMKilled", "ContainerCannotRun", "StartError":
		c.State = corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{Reason: reason, ExitCode: exitOf(reason), FinishedAt: metav1.NewTime(d.now)}}
	case "ErrImageNeverPull":
		waiting(c, reason, neverPull(""))
	default:
		waiting(c, reason, "")
	}
}

// failedReasons are words of the STATUS column that are a failed pod's reason.
var failedReasons = []string{"Evicted", "NodeAffinity", "TaintToleration", "UnexpectedAdmissionError", "TopologyAffinityError", "SMTAlignmentError", "SysctlForbidden",
	"AppArmor", "PodOSNotSupported", "VolumeAttachmentLimitExceeded", "NodeShutdown", "Shutdown", "Terminated", "Preempting"}

func exitOf(reason string) int32 {
	switch reason {
	case "OOMKilled":
		return 137
	case "StartError", "ContainerCannotRun":
		return 128
	}
	return 1
}
