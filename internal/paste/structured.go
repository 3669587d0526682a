package paste

import (
	"encoding/json"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/unjam-dev/unjam/internal/pattern"
	"github.com/unjam-dev/unjam/internal/snapshot"
)

// structured reads YAML and JSON as kubectl prints them; nil when the text is
// neither. Text that is cut short is read as far as it goes.
func structured(text string) *snapshot.Snapshot {
	if !strings.Contains(text, "apiVersion") {
		return nil
	}
	t := strings.TrimSpace(text)
	if !strings.HasPrefix(t, "{") {
		at := firstField.FindStringSubmatchIndex(t)
		if at == nil {
			return nil
		}
		t = t[at[0]:] // after the command that printed it
	}
	if s := decoded(t); s != nil {
		return s
	}
	if strings.HasPrefix(t, "{") {
		return decoded(mendJSON(t))
	}
	// What follows the YAML, or its last line, may be no YAML.
	for range 8 {
		i := strings.LastIndexByte(strings.TrimRight(t, "\n"), '\n')
		if i < 0 {
			break
		}
		t = t[:i]
		if s := decoded(t); s != nil {
			return s
		}
	}
	return nil
}

func decoded(t string) *snapshot.Snapshot {
	s, err := snapshot.Decode("text", strings.NewReader(t), snapshot.Limits{})
	if err != nil || s.Objects.Len() == 0 {
		return nil
	}
	return s
}

var firstField = pattern.New(`(?m)^(?:apiVersion: |\{$|\{ ?"(?:apiVersion|kind|items|metadata)")`)

// deepest is how deep objects may lie in each other.
const deepest = 200

// mendJSON closes what is open at the end of JSON that is cut short, and drops
// what follows its end.
func mendJSON(t string) string {
	var stack []byte
	safe, closers := 0, ""
	inString, escaped := false, false
	mark := func(at int) {
		safe = at
		closers = string(stack)
	}
	for i := 0; i < len(t); i++ {
		c := t[i]
		switch {
		case escaped:
			escaped = false
		case inString:
			escaped, inString = c == '\\', c != '"'
		case c == '"':
			inString = true
		case c == '{' || c == '[':
			if len(stack) == deepest {
				return ""
			}
			stack = append(stack, c+2) // the closing bracket of either
		case c == '}' || c == ']':
			if len(stack) == 0 {
				return t[:i]
			}
			stack = stack[:len(stack)-1]
			mark(i + 1)
			if len(stack) == 0 {
				return t[:i+1]
			}
		case c == ',':
			mark(i)
		}
	}
	out := []byte(t[:safe])
	for i := len(closers) - 1; i >= 0; i-- {
		out = append(out, closers[i])
	}
	return string(out)
}

// alone tells a snapshot of events without the objects that they are about.
func alone(s *snapshot.Snapshot) bool {
	o := &s.Objects
	return len(o.Events) > 0 && len(o.Pods)+len(o.Deployments)+len(o.ReplicaSets)+len(o.StatefulSets)+len(o.DaemonSets)+len(o.Jobs) == 0
}

// ofEvents reads events like those of a table, since their objects are missing.
func ofEvents(s *snapshot.Snapshot) *draft {
	d := newDraft()
	d.now, d.absolute = s.TakenAt, true
	if d.now.IsZero() {
		d.now = Epoch
	}
	ago := func(t time.Time) time.Duration {
		if t.IsZero() {
			return -1
		}
		return max(d.now.Sub(t), 0)
	}
	for _, e := range s.Objects.Events {
		last := e.LastTimestamp.Time
		if last.IsZero() {
			last = e.EventTime.Time
		}
		source := e.Source.Component
		if source == "" {
			source = e.ReportingController
		}
		l := line{ref: objectRef{e.InvolvedObject.Kind, e.InvolvedObject.Namespace, e.InvolvedObject.Name}, typ: e.Type, reason: e.Reason, message: e.Message,
			source: source, container: containerOf(e.InvolvedObject.FieldPath), first: ago(e.FirstTimestamp.Time), last: ago(last), count: e.Count}
		if e.Series != nil {
			l.count = max(l.count, e.Series.Count)
		}
		d.counts.Events++
		d.event(l)
	}
	return d
}

// quiet tells a snapshot in which nothing can be judged, such as one of a
// HelmRelease alone. Its words are read then.
func quiet(s *snapshot.Snapshot) bool {
	o := &s.Objects
	return len(o.Events)+len(o.Pods)+len(o.Deployments)+len(o.ReplicaSets)+len(o.StatefulSets)+len(o.DaemonSets)+len(o.Jobs)+len(o.Nodes)+len(o.PVCs) == 0
}

// take adds a pod that is known as an object.
func (d *draft) take(pod *corev1.Pod) {
	if pod.Name == "" {
		pod.Name = somePod
	}
	if pod.Namespace == "" {
		pod.Namespace = someNamespace
	}
	p := d.pod(objectRef{"Pod", pod.Namespace, pod.Name})
	pod.UID = p.obj.UID
	if pod.Spec.RestartPolicy == "" {
		pod.Spec.RestartPolicy = corev1.RestartPolicyAlways
	}
	if pod.Status.Phase == "" {
		pod.Status.Phase = corev1.PodPending
	}
	specs := map[string]bool{}
	for _, c := range append(pod.Spec.Containers, pod.Spec.InitContainers...) {
		specs[c.Name] = true
	}
	name := func(states []corev1.ContainerStatus, list *[]corev1.Container) {
		for i := range states {
			c := &states[i]
			if c.Name == "" {
				c.Name = someContainer
			}
			if c.State.Running != nil {
				pod.Status.Phase = corev1.PodRunning
			}
			if !specs[c.Name] {
				*list = append(*list, corev1.Container{Name: c.Name, Image: c.Image})
			}
		}
	}
	name(pod.Status.InitContainerStatuses, &pod.Spec.InitContainers)
	name(pod.Status.ContainerStatuses, &pod.Spec.Containers)
	if pod.Spec.NodeName == "" && len(pod.Status.ContainerStatuses)+len(pod.Status.InitContainerStatuses) > 0 {
		pod.Spec.NodeName = someNode
	}
	p.obj = pod
	p.states = len(pod.Status.ContainerStatuses) > 0
	p.conditions = len(pod.Status.Conditions) > 0
	for _, c := range pod.Status.Conditions {
		p.ready = p.ready || c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue
	}
	if p.states && !p.conditions {
		p.condition(corev1.PodReady, corev1.ConditionFalse, "", "", d.now)
	}
}

// podOf makes a pod of a part of one: of its status, of the status of a
// container, of a state. ok is false when the part is of something else.
func podOf(part any) (pod *corev1.Pod, ok bool) {
	if list, isList := part.([]any); isList {
		switch first, _ := firstOf(list).(map[string]any); {
		case has(first, "state", "lastState", "restartCount"):
			part = map[string]any{"containerStatuses": list}
		case has(first, "lastTransitionTime", "status"):
			part = map[string]any{"conditions": list}
		default:
			return nil, false
		}
	}
	m, isMap := part.(map[string]any)
	if !isMap {
		return nil, false
	}
	if has(m, "waiting", "terminated", "running") {
		m = map[string]any{"state": m}
	}
	if has(m, "state", "lastState") {
		m = map[string]any{"containerStatuses": []any{m}}
	}
	if has(m, "containerStatuses", "initContainerStatuses", "conditions", "phase") {
		m = map[string]any{"status": m}
	}
	status, _ := m["status"].(map[string]any)
	spec, _ := m["spec"].(map[string]any)
	if has(spec, "template") || has(status, "observedGeneration", "replicas", "capacity", "nodeInfo") && !has(status, "containerStatuses") || !has(status, "containerStatuses", "initContainerStatuses") && !podConditions(status) {
		return nil, false
	}
	raw, err := json.Marshal(m)
	if err != nil {
		return nil, false
	}
	pod = &corev1.Pod{}
	if json.Unmarshal(raw, pod) != nil {
		return nil, false
	}
	pod.Kind, pod.APIVersion = "Pod", "v1"
	return pod, true
}

// podConditions tells the conditions of a pod from those of other kinds.
func podConditions(status map[string]any) bool {
	list, _ := status["conditions"].([]any)
	for _, c := range list {
		m, _ := c.(map[string]any)
		switch m["type"] {
		case "PodScheduled", "Initialized", "ContainersReady", "PodReadyToStartContainers":
			return true
		}
	}
	return false
}

func has(m map[string]any, keys ...string) bool {
	for _, k := range keys {
		if _, ok := m[k]; ok {
			return true
		}
	}
	return false
}

func firstOf(list []any) any {
	if len(list) == 0 {
		return nil
	}
	return list[0]
}
