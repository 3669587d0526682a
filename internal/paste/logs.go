package paste

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/unjam-dev/unjam/internal/pattern"
)

var (
	klogHead   = pattern.New(`^[IWEF]\d{4} [\d:.]+ +\d+ \S+\] ?`)
	syslogHead = pattern.New(`^(?:\w{3} +\d+ [\d:.]{8,15}|\d{4}-\d\d-\d\dT\S+) (?:\S+ )?(?:kubelet|containerd|crio|cri-o|dockerd|docker|kernel|k3s|rke2|systemd|node-problem-detector)(?:\[\d+\])?: `)
	dateHead   = pattern.New(`^\d{4}[-/]\d\d[-/]\d\d[T ][\d:.,]+(?:Z|[+-]\d\d:?\d\d)? +`)
	applyHead  = pattern.New(`^error when (?:creating|applying patch|patching|replacing) (?:"[^"]*"|\S+): `)
	kernelHead = pattern.New(`^\[ *\d+\.\d+\] `)
	levelHead  = pattern.New(`^(?:stderr|stdout) [FP] |^\[?(?:ERROR|WARN|WARNING|FATAL)\]?:? +|^(?:error|warning|Error from server \(\w+\)): +`)
	logPair    = pattern.New(`\b(msg|error|err|errMsg|pod|containerName|message|image|reason|kind|object|type|fieldPath)=("(?:[^"\\]|\\.)*"|\S+)`)
	podOfLog   = pattern.New(`\bpod="?([a-z0-9.-]+)[/_]([a-z0-9.-]+)"?|\bpods?[=\s]"?([a-z0-9.-]+)_([a-z0-9.-]+)\(`)
	sandboxMet = pattern.New(`PodSandboxMetadata\{Name:([a-z0-9.-]+),Uid:[^,]*,Namespace:([a-z0-9.-]+),`)
	containMet = pattern.New(`ContainerMetadata\{Name:([a-z0-9.-]+),`)
	pullFailed = pattern.New(`^PullImage "?([^" ]+)"? failed`)
	oldEvent   = pattern.New(`^Event\((?:v1|api)\.ObjectReference\{Kind:"(\w+)", Namespace:"([^"]*)", Name:"([^"]*)".*?FieldPath:"([^"]*)"\}\): type: '(\w+)' reason: '(\w+)' (.*)$`)
)

// calmLine is a line of the level "info" or below, in the forms of klog, logfmt,
// JSON and plain text.
var calmLine = pattern.New(`(?:^|[ \]:] ?)I\d{4} [\d:.]+ +\d+ |\blevel=(?:info|debug|trace)\b|"(?:level|severity|lvl)": ?"(?i:info|debug|trace|normal)"|^\[? ?(?:INFO|DEBUG|TRACE) ?\]|^\S+[T ]\S+ +\[?(?:INFO|DEBUG)\b`)

// logLine is a log line taken apart.
type logLine struct {
	ref objectRef
	// event is set when the line reports an event.
	event *line
	// messages are what may tell the cause, most telling first.
	messages []string
	// calm is true when the line says of itself that it is no warning.
	calm bool
}

// unwrapLog takes the heads of log lines off and reads their fields.
func unwrapLog(text string) logLine {
	body := text
	out := logLine{ref: objectRef{kind: "Pod"}, calm: calmLine.MatchString(text)}
	for _, head := range []*pattern.Pattern{syslogHead, dateHead, levelHead, kernelHead, klogHead, applyHead} {
		body = head.ReplaceAllString(body, "")
	}
	body = strings.TrimSpace(body)
	if m := podOfLog.FindStringSubmatch(body); m != nil {
		switch {
		case m[1] != "" && strings.Contains(m[0], "/"):
			out.ref.namespace, out.ref.name = m[1], m[2]
		case m[1] != "":
			out.ref.name, out.ref.namespace = m[1], m[2]
		default:
			out.ref.name, out.ref.namespace = m[3], m[4]
		}
	} else if m := sandboxMet.FindStringSubmatch(body); m != nil {
		out.ref.name, out.ref.namespace = m[1], m[2]
	}
	if m := oldEvent.FindStringSubmatch(body); m != nil {
		out.event = &line{ref: objectRef{m[1], m[2], m[3]}, typ: m[5], reason: m[6], message: m[7], container: containerOf(m[4]), last: -1, first: -1}
		return out
	}
	if strings.HasPrefix(body, "{") && out.json(body) {
		return out
	}
	fields := map[string]string{}
	for _, m := range logPair.FindAllStringSubmatch(body, 30) {
		if _, seen := fields[m[1]]; !seen {
			fields[m[1]] = unquote(m[2])
		}
	}
	if strings.HasPrefix(body, `"Event occurred"`) || strings.HasPrefix(body, "Event occurred") {
		out.event = eventOf(fields["kind"], fields["object"], fields["type"], fields["reason"], fields["message"], fields["fieldPath"])
		if out.event != nil {
			return out
		}
	}
	out.add(fields["msg"], first(fields["error"], fields["err"], fields["errMsg"]), fields["message"])
	if len(out.messages) == 0 || !strings.Contains(body, "msg=") {
		out.messages = append(out.messages, body)
	}
	return out
}

// add joins what a runtime did with the error it got.
func (l *logLine) add(msg, err, more string) {
	if err != "" {
		switch {
		case pullFailed.MatchString(msg):
			err = "Failed to pull image " + strconv.Quote(pullFailed.FindStringSubmatch(msg)[1]) + ": " + err
		case strings.HasPrefix(msg, "RunPodSandbox"):
			err = "Failed to create pod sandbox: " + err
		}
		l.messages = append(l.messages, err)
	}
	for _, m := range []string{more, msg} {
		if m != "" {
			l.messages = append(l.messages, m)
		}
	}
}

func eventOf(kind, object, typ, reason, message, path string) *line {
	if kind == "" || reason == "" {
		return nil
	}
	namespace, name, ok := strings.Cut(object, "/")
	if !ok {
		namespace, name = "", object
	}
	return &line{ref: objectRef{kind, namespace, name}, typ: typ, reason: reason, message: message, container: containerOf(path), last: -1, first: -1}
}

// containerOf reads "spec.containers{app}".
func containerOf(path string) string {
	if m := containerPrefix.FindStringSubmatch(path + " "); m != nil {
		return m[1]
	}
	return ""
}

func first(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}

func unquote(s string) string {
	if u, err := strconv.Unquote(s); err == nil {
		return u
	}
	return strings.Trim(s, `"`)
}

// json reads one JSON object a line, as structured loggers and event exporters
// write them.
func (l *logLine) json(body string) bool {
	var obj map[string]any
	if json.Unmarshal([]byte(body), &obj) != nil {
		return false
	}
	text := func(m map[string]any, key string) string { s, _ := m[key].(string); return s }
	for _, k := range []string{"involvedObject", "regarding"} {
		if o, ok := obj[k].(map[string]any); ok {
			message := first(text(obj, "message"), text(obj, "note"))
			l.event = eventOf(text(o, "kind"), text(o, "namespace")+"/"+text(o, "name"), text(obj, "type"), text(obj, "reason"), message, text(o, "fieldPath"))
			if l.event != nil {
				return true
			}
		}
	}
	if ns, name, ok := strings.Cut(text(obj, "pod"), "/"); ok {
		l.ref.namespace, l.ref.name = ns, name
	}
	l.add(text(obj, "msg"), first(text(obj, "error"), text(obj, "err")), first(text(obj, "message"), text(obj, "note")))
	for _, key := range slices.Sorted(maps.Keys(obj)) {
		if s := text(obj, key); len(s) > 20 && strings.Contains(s, " ") && !slices.Contains(l.messages, s) && len(l.messages) < 10 {
			l.messages = append(l.messages, strings.TrimSpace(s))
		}
	}
	return true
}
