package paste

import (
	"slices"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/unjam-dev/unjam/internal/pattern"
)

var (
	headerWord = pattern.New(`\S+(?: \S+)*`)
	eventNames = []string{"LAST SEEN", "FIRST SEEN", "LASTSEEN", "FIRSTSEEN", "TYPE", "REASON", "OBJECT", "MESSAGE", "NAMESPACE", "SUBOBJECT", "SUBOBJECTPATH", "SOURCE", "COUNT", "NAME", "AGE",
		"FROM", "KIND", "TIME", "MSG", "OBJ", "LAST", "SEEN", "FIRST", "LASTTIMESTAMP", "CREATED", "HOST", "POD", "NODE", "COMPONENT"}
)

// header is a header of an events table.
type header struct {
	namespaced, wide, described bool
	// columns are the words of the header and where they begin, for tables with
	// columns of a user's choice.
	columns map[string]int
}

// eventHeader reads the header of an events table, nil when the line is none:
// "LAST SEEN  TYPE  REASON  OBJECT  MESSAGE" of kubectl get events and kubectl
// events, "Type  Reason  Age  From  Message" of kubectl describe, the forms of
// both up to Kubernetes 1.8 with the columns FirstSeen and LastSeen, and columns
// of a user's choice.
func eventHeader(l string) *header {
	if len(l) > 2000 {
		return nil
	}
	up := strings.ToUpper(l)
	if !strings.Contains(up, "REASON") || !strings.Contains(up, "MESSAGE") && !strings.Contains(up, "MSG") || !strings.Contains(up, "TYPE") && !strings.Contains(up, "OBJ") {
		return nil
	}
	h := &header{columns: map[string]int{}}
	for _, m := range headerWord.FindAllStringSubmatchIndex(up, -1) {
		word := up[m[0]:m[1]]
		if !slices.Contains(eventNames, word) {
			for w := range strings.FieldsSeq(word) { // blanks were lost
				if !slices.Contains(eventNames, w) {
					return nil
				}
			}
			h.columns = nil
		}
		if h.columns != nil {
			h.columns[word] = m[0]
		}
	}
	h.namespaced = strings.HasPrefix(strings.TrimSpace(up), "NAMESPACE")
	h.wide = strings.Contains(up, "FIRST SEEN")
	h.described = strings.Contains(up, "FROM")
	return h
}

// eventTable reads rows under an events header, which may be the first line or
// the one after it, and returns how many lines it used.
func (d *draft) eventTable(lines []string, about objectRef) int {
	i := 0
	for i < len(lines) && strings.TrimSpace(lines[i]) == "" {
		i++
	}
	if i == len(lines) {
		return i
	}
	h := eventHeader(lines[i])
	if h == nil {
		return i
	}
	indent := indentOf(lines[i])
	i++
	var current *line
	flush := func() {
		if current != nil {
			current.message = strings.TrimSpace(current.message)
			d.counts.Events++
			d.event(*current)
			current = nil
		}
	}
	for ; i < len(lines); i++ {
		l := lines[i]
		if strings.TrimSpace(l) == "" {
			// kubectl up to 1.8 put an empty line after a message of several lines.
			if i+1 < len(lines) && (indentOf(lines[i+1]) >= indent && indent > 0 || !h.described) && h.row(lines[i+1], about) != nil {
				continue
			}
			break
		}
		if strings.HasPrefix(strings.TrimSpace(l), "----") {
			continue
		}
		row := h.row(l, about)
		switch {
		case row != nil:
			flush()
			current = row
		case describeStart.MatchString(l) || eventHeader(l) != nil || podHeader(l) || indentOf(l) < indent && current == nil:
			flush()
			return i
		case current != nil && len(current.message) < maxLine:
			current.message += "\n" + strings.TrimSpace(l) // a message of several lines
		}
	}
	flush()
	return i
}

// row reads one row, nil when the line is none.
func (h *header) row(l string, about objectRef) *line {
	if h.described {
		return describedRow(l, about)
	}
	if r := listedRow(l, h.namespaced, h.wide); r != nil {
		return r
	}
	return h.cut(l)
}

// cut reads a row of a table with columns of a user's choice: each value begins
// where its header does.
func (h *header) cut(l string) *line {
	at := func(names ...string) string {
		for _, n := range names {
			from, ok := h.columns[n]
			if !ok || from >= len(l) || from > 0 && l[from-1] != ' ' {
				continue
			}
			to := len(l)
			for _, other := range h.columns {
				if other > from && other < to {
					to = other
				}
			}
			return strings.TrimSpace(l[from:to])
		}
		return ""
	}
	r := &line{typ: at("TYPE"), reason: at("REASON"), message: at("MESSAGE", "MSG"), source: at("SOURCE", "FROM"), last: -1, first: -1, count: number(at("COUNT"))}
	if r.reason == "" || r.message == "" || strings.Contains(r.reason, " ") || r.typ != "" && r.typ != "Normal" && r.typ != "Warning" {
		return nil
	}
	r.ref = objectRef{kindName(at("KIND")), at("NAMESPACE"), at("OBJECT", "OBJ", "NAME", "POD")}
	if kind, name, ok := strings.Cut(r.ref.name, "/"); ok {
		r.ref.kind, r.ref.name = kindName(kind), name
	}
	if r.ref.kind == "" {
		r.ref.kind = kindOfReason(r.reason)
	}
	r.container = containerOf(at("SUBOBJECT", "SUBOBJECTPATH"))
	r.unprefix()
	return r
}

// kindOfReason is the kind of the object that events of a reason are about,
// where a table does not show it.
func kindOfReason(reason string) string {
	switch reason {
	case "FailedCreate", "SuccessfulCreate", "SuccessfulDelete", "ReplicaSetCreateError":
		return "ReplicaSet"
	case "ScalingReplicaSet":
		return "Deployment"
	case "BackoffLimitExceeded":
		return "Job"
	case "ProvisioningFailed", "WaitForFirstConsumer", "ExternalProvisioning":
		return "PersistentVolumeClaim"
	}
	return "Pod"
}

const ageForm = `(?:\d+[smhdy](?:\d+[smhd])?|<unknown>|<invalid>)`

var (
	describedForm = pattern.New(`^ *(Normal|Warning) +(\S+) +(` + ageForm + `)(?: \(x(\d+) over (` + ageForm + `)\))? +(\S+(?:, \S+)?) {2,}(.*)$`)
	// Some pastes lose the double blanks.
	describedLoose = pattern.New(`^ *(Normal|Warning) +(\S+) +(` + ageForm + `)(?: \(x(\d+) over (` + ageForm + `)\))? +(\S+) +(.*)$`)
	listedForm     = pattern.New(`^(?:(\S+) +)?(` + ageForm + `)(?: \(x(\d+) over (` + ageForm + `)\))? +(Normal|Warning) +(\S+) +([a-zA-Z.]+)/(\S+) +(.*)$`)
	wideTail       = pattern.New(`^(.*?) {2,}(` + ageForm + `) +(\d+) +(\S+)$`)
	wideHead       = pattern.New(`^(?:(spec\.\S+) +)?([a-z][\w-]*(?:, \S+)?) {2,}(.*)$`)
	// Up to Kubernetes 1.8: first seen, last seen, count, source, object, type,
	// reason and message in kubectl describe; last seen, first seen, count, name,
	// kind, object, type, reason, source and message in kubectl get events.
	describedOld = pattern.New(`^ *(` + ageForm + `) +(` + ageForm + `) +(\d+) +(\{[^}]*\}|\S+(?:, \S+)?) +(?:(spec\.\S+) +)?(Normal|Warning) +(\S+) +(.*)$`)
	listedOld    = pattern.New(`^ *(?:(\S+) +)?(` + ageForm + `) +(` + ageForm + `) +(\d+) +(\S+) +([A-Z]\w+) +(?:(spec\.\S+) +)?(Normal|Warning) +(\S+) +(\{[^}]*\}|\S+(?:, \S+)?) +(.*)$`)
)

func describedRow(l string, about objectRef) *line {
	m := describedForm.FindStringSubmatch(l)
	if m == nil {
		m = describedLoose.FindStringSubmatch(l)
	}
	if m == nil {
		if m = describedOld.FindStringSubmatch(l); m == nil {
			return nil
		}
		r := &line{ref: orOfReason(about, m[7]), typ: m[6], reason: m[7], first: age(m[1]), last: age(m[2]), source: component(m[4]), message: m[8], count: number(m[3]), container: containerOf(m[5])}
		return r
	}
	r := &line{ref: orOfReason(about, m[2]), typ: m[1], reason: m[2], last: age(m[3]), first: age(m[5]), source: component(m[6]), message: m[7], count: number(m[4])}
	r.unprefix()
	return r
}

// orOfReason is the object, or an unnamed one of the kind that such events are
// about.
func orOfReason(about objectRef, reason string) objectRef {
	if about.kind == "" {
		if about.kind = kindOfReason(reason); about.kind != "Pod" {
			about.name = someWorkload
		}
	}
	return about
}

// component is the name of an event's source: "{kubelet node-1}", "kubelet,
// node-1" and "kubelet" are the kubelet.
func component(source string) string {
	source = strings.Trim(source, "{} ")
	if i := strings.IndexAny(source, ", "); i > 0 {
		source = source[:i]
	}
	return source
}

// containerPrefix is what newer kubectl puts before messages in describe.
var containerPrefix = pattern.New(`^spec\.(?:initContainers|containers|ephemeralContainers)\{([^}]+)\}:? +`)

func (l *line) unprefix() {
	if m := containerPrefix.FindStringSubmatch(l.message); m != nil {
		l.container = m[1]
		l.message = l.message[len(m[0]):]
	}
}

func listedRow(l string, namespaced, wide bool) *line {
	if m := listedOld.FindStringSubmatch(l); m != nil && (m[1] == "" || plausibleNamespace(m[1])) {
		return &line{ref: objectRef{kindName(m[6]), m[1], m[5]}, typ: m[8], reason: m[9], last: age(m[2]), first: age(m[3]), count: number(m[4]), source: component(m[10]), message: m[11], container: containerOf(m[7])}
	}
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

var namespaceName = pattern.New(`^[a-z0-9-]+$`)

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

var podRow = pattern.New(`^(?:(\S+) +)?(\S+) +(\d+)/(\d+) +(\S+) +(\d+)(?: \([^)]*\))? +(` + ageForm + `)\b`)

// podStatus is a word of the STATUS column.
var podStatus = pattern.New(`^(?:Init:)?[A-Z][A-Za-z]+$|^Init:\d+/\d+$|^ExitCode:\d+$|^Signal:\d+$`)

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
		p.ready = ready || status == "Completed"
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
