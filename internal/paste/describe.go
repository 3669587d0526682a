package paste

import (
	"slices"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/unjam-dev/unjam/internal/pattern"
)

// describeStart is the first line of kubectl describe: "Name:   web-0".
var describeStart = pattern.New(`^Name: +\S+$`)

// partHead is a section of kubectl describe pod, for pastes that begin in the
// middle.
var partHead = pattern.New(`^(Containers|Init Containers|Conditions|Status|Controlled By|Node|Node-Selectors|Volumes|QoS Class):(\s|$)`)

func describeCut(l string) bool {
	return partHead.MatchString(l) || l == "Events:" || containerField.MatchString(l)
}

// containerField is a line of the part of a container, for pastes that begin
// there.
var containerField = pattern.New(`^ *(?:State: +(?:Waiting|Running|Terminated)|Last State: +Terminated|Restart Count: +\d+|Container ID: .*|Image ID: .*)$`)

// headless puts the heads before a text that begins in the part of a container.
func headless(lines []string) []string {
	if !containerField.MatchString(lines[0]) {
		return lines
	}
	out := []string{"Containers:", "  " + someContainer + ":"}
	shift := max(0, 4-indentOf(lines[0]))
	for i, l := range lines {
		if m := fieldLine.FindStringSubmatch(l); m == nil && strings.TrimSpace(l) != "" || i > 0 && m != nil && len(m[1]) < indentOf(lines[0]) {
			return append(out, lines[i:]...)
		}
		out = append(out, strings.Repeat(" ", shift)+l)
	}
	return out
}

// field is one "Key:  value" line of kubectl describe.
var fieldLine = pattern.New(`^( *)([A-Za-z][A-Za-z0-9 ()./_-]*?):(?: +(.*))?$`)

// describe reads one object of kubectl describe and returns the number of lines.
func (d *draft) describe(lines []string) int {
	if whole := headless(lines); len(whole) != len(lines) {
		return d.describe(whole) - (len(whole) - len(lines))
	}
	end := len(lines)
	for i := 1; i < len(lines); i++ {
		if l := lines[i]; describeStart.MatchString(l) || strings.HasPrefix(l, "$ ") || podHeader(l) || klogHead.MatchString(l) {
			end = i
			break
		}
	}
	body := lines[:end]
	top := map[string]string{}
	events := -1
	rows := false // of a node's conditions
	for i, l := range body {
		if strings.HasPrefix(l, "Events:") {
			events = i
			break
		}
		rows = rows || nodeCondition.MatchString(l)
		if m := fieldLine.FindStringSubmatch(l); m != nil && m[1] == "" {
			if _, seen := top[m[2]]; !seen {
				top[m[2]] = strings.TrimSpace(m[3])
			}
		}
	}
	ref := objectRef{kindOf(top), top["Namespace"], top["Name"]}
	if rows {
		ref.kind, ref.name = "Node", first(ref.name, someNode)
	}
	head := body
	if events >= 0 {
		head = body[:events]
	}
	switch ref.kind {
	case "":
		// Nothing that has pods, such as a HelmRelease or an Argo CD application.
		return 1
	case "Pod":
		d.describePod(ref, top, head)
		ref = objectRef{"Pod", d.pod(ref).obj.Namespace, d.pod(ref).obj.Name}
	case "Node":
		d.describeNode(ref.name, head)
	case "Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "Job", "PersistentVolumeClaim":
		d.owner(line{ref: orDefault(ref)})
		d.describeReplicas(orDefault(ref), top)
		d.describeConditions(orDefault(ref), head)
		if ref.kind == "PersistentVolumeClaim" && strings.HasPrefix(top["Status"], "Bound") {
			d.bound = append(d.bound, orDefault(ref))
		}
	}
	if events >= 0 {
		n := d.eventTable(body[events+1:], ref)
		return events + 1 + n
	}
	return end
}

func orDefault(ref objectRef) objectRef {
	if ref.namespace == "" {
		ref.namespace = someNamespace
	}
	return ref
}

// kindOf tells the kind of a described object by the fields only it has.
func kindOf(top map[string]string) string {
	has := func(keys ...string) bool {
		for _, k := range keys {
			if _, ok := top[k]; ok {
				return true
			}
		}
		return false
	}
	switch {
	case has("Strategy", "SetWeight", "Health Status", "Sync Status"): // Argo
		return ""
	case has("Status") && top["Status"] == "": // a custom resource
		return ""
	case has("Taints", "Allocatable", "Unschedulable"):
		return "Node"
	case has("StrategyType", "RollingUpdateStrategy", "NewReplicaSet"):
		return "Deployment"
	case has("Update Strategy") && has("Desired Number of Nodes Scheduled") || has("Desired Number of Nodes Scheduled"):
		return "DaemonSet"
	case has("Update Strategy", "Volume Claims"):
		return "StatefulSet"
	case has("Parallelism", "Completions", "Backoff Limit", "Pods Statuses"):
		return "Job"
	case has("StorageClass", "Access Modes", "Used By"):
		return "PersistentVolumeClaim"
	case has("Pods Status", "Replicas"):
		return "ReplicaSet"
	}
	if has("Node", "Node-Selectors", "QoS Class", "Containers", "Init Containers", "Controlled By", "IP", "Start Time", "Service Account", "Tolerations") {
		return "Pod"
	}
	for key := range top {
		if !slices.Contains(metaFields, key) {
			return ""
		}
	}
	return "Pod" // too little to tell
}

// metaFields are fields that kubectl describe prints for a pod among others.
var metaFields = []string{"Name", "Namespace", "Labels", "Annotations", "Status", "Reason", "Message", "Priority", "Conditions", "Events", "Volumes"}

// section is a part of a description with its lines.
func section(lines []string, name string) []string {
	for i, l := range lines {
		if strings.HasPrefix(l, name+":") {
			end := i + 1
			for end < len(lines) && (strings.HasPrefix(lines[end], " ") || lines[end] == "") {
				end++
			}
			return lines[i+1 : end]
		}
	}
	return nil
}

func (d *draft) describePod(ref objectRef, top map[string]string, lines []string) {
	p := d.pod(ref)
	for _, v := range []string{top["Start Time"]} {
		d.clock(v)
	}
	if node, _, _ := strings.Cut(top["Node"], "/"); node != "" && node != "<none>" {
		p.bind(node)
	}
	status := strings.Fields(top["Status"] + " ")
	if len(status) > 0 {
		switch status[0] {
		case "Running", "Pending", "Failed", "Succeeded", "Unknown":
			p.obj.Status.Phase = corev1.PodPhase(status[0])
		case "Terminating":
			at := metav1.NewTime(d.now)
			p.obj.DeletionTimestamp = &at
		}
	}
	if p.obj.Status.Phase == corev1.PodFailed {
		p.obj.Status.Reason, p.obj.Status.Message = top["Reason"], top["Message"]
	}
	if kind, name, ok := strings.Cut(top["Controlled By"], "/"); ok {
		yes := true
		p.obj.OwnerReferences = []metav1.OwnerReference{{APIVersion: "apps/v1", Kind: kind, Name: name, Controller: &yes}}
	}
	d.containers(p, section(lines, "Init Containers"), true)
	d.containers(p, section(lines, "Containers"), false)
	p.conditions = len(section(lines, "Conditions")) > 0
	for _, l := range section(lines, "Conditions") {
		if f := strings.Fields(l); len(f) == 2 && (f[1] == "True" || f[1] == "False" || f[1] == "Unknown") {
			p.condition(corev1.PodConditionType(f[0]), corev1.ConditionStatus(f[1]), "", "", d.now)
			p.ready = p.ready || f[0] == "Ready" && f[1] == "True"
		}
	}
	if p.obj.Spec.NodeName == "" && len(section(lines, "Conditions")) > 0 {
		p.condition(corev1.PodScheduled, corev1.ConditionFalse, "Unschedulable", "", d.now)
	}
	if s := top["Node-Selectors"]; s != "" && s != "<none>" {
		p.obj.Spec.NodeSelector = map[string]string{}
		for _, kv := range strings.Fields(strings.ReplaceAll(s, ",", " ")) {
			k, v, _ := strings.Cut(kv, "=")
			p.obj.Spec.NodeSelector[k] = v
		}
	}
}

// containers reads the Containers part: names at indent 2, fields below.
func (d *draft) containers(p *podDraft, lines []string, init bool) {
	var spec *corev1.Container
	var st *corev1.ContainerStatus
	part := ""
	for _, l := range lines {
		m := fieldLine.FindStringSubmatch(l)
		if m == nil {
			continue
		}
		indent, key, value := len(m[1]), m[2], strings.TrimSpace(m[3])
		switch {
		case indent == 2 && value == "":
			spec, st = p.newContainer(key, init)
			part = ""
		case spec == nil:
		case indent == 4:
			part = key
			d.containerField(p, spec, st, key, value)
		case indent >= 6:
			d.stateField(spec, st, part, key, value)
		}
	}
}

func (p *podDraft) newContainer(name string, init bool) (*corev1.Container, *corev1.ContainerStatus) {
	specs, states := &p.obj.Spec.Containers, &p.obj.Status.ContainerStatuses
	if init {
		specs, states = &p.obj.Spec.InitContainers, &p.obj.Status.InitContainerStatuses
	}
	*specs = append(*specs, corev1.Container{Name: name})
	*states = append(*states, corev1.ContainerStatus{Name: name})
	return &(*specs)[len(*specs)-1], &(*states)[len(*states)-1]
}

func (d *draft) containerField(p *podDraft, spec *corev1.Container, st *corev1.ContainerStatus, key, value string) {
	switch key {
	case "Image":
		spec.Image, st.Image = value, value
	case "State":
		setState(&st.State, value)
		p.states = true
	case "Last State":
		setState(&st.LastTerminationState, value)
	case "Ready":
		st.Ready = value == "True"
	case "Restart Count":
		n, _ := strconv.ParseInt(value, 10, 32)
		st.RestartCount = int32(n)
	case "Liveness":
		spec.LivenessProbe = probe(value)
	case "Readiness":
		spec.ReadinessProbe = probe(value)
	case "Startup":
		spec.StartupProbe = probe(value)
	case "Port", "Ports":
		for _, f := range strings.Split(value, ",") {
			number, _, _ := strings.Cut(strings.TrimSpace(f), "/")
			if n, err := strconv.ParseInt(number, 10, 32); err == nil {
				spec.Ports = append(spec.Ports, corev1.ContainerPort{ContainerPort: int32(n)})
			}
		}
	}
}

func setState(s *corev1.ContainerState, value string) {
	switch value {
	case "Waiting":
		s.Waiting = &corev1.ContainerStateWaiting{}
	case "Running":
		s.Running = &corev1.ContainerStateRunning{}
	case "Terminated":
		s.Terminated = &corev1.ContainerStateTerminated{}
	}
}

// stateField reads the fields under State, Last State, Limits and Requests.
func (d *draft) stateField(spec *corev1.Container, st *corev1.ContainerStatus, part, key, value string) {
	var s *corev1.ContainerState
	switch part {
	case "State":
		s = &st.State
	case "Last State":
		s = &st.LastTerminationState
	case "Limits", "Requests":
		q, err := resource.ParseQuantity(value)
		if err != nil {
			return
		}
		list := &spec.Resources.Limits
		if part == "Requests" {
			list = &spec.Resources.Requests
		}
		if *list == nil {
			*list = corev1.ResourceList{}
		}
		(*list)[corev1.ResourceName(key)] = q
		return
	default:
		return
	}
	switch {
	case s.Waiting != nil && key == "Reason":
		s.Waiting.Reason = value
	case s.Waiting != nil && key == "Message":
		s.Waiting.Message = value
	case s.Running != nil && key == "Started":
		s.Running.StartedAt = d.clock(value)
	case s.Terminated != nil:
		switch key {
		case "Reason":
			s.Terminated.Reason = value
		case "Message":
			s.Terminated.Message = value
		case "Exit Code":
			n, _ := strconv.ParseInt(value, 10, 32)
			s.Terminated.ExitCode = int32(n)
		case "Signal":
			n, _ := strconv.ParseInt(value, 10, 32)
			s.Terminated.Signal = int32(n)
		case "Started":
			s.Terminated.StartedAt = d.clock(value)
		case "Finished":
			s.Terminated.FinishedAt = d.clock(value)
		}
	}
}

// clock reads an absolute time and moves "now" up to it.
func (d *draft) clock(value string) metav1.Time {
	t, err := time.Parse(time.RFC1123Z, value)
	if err != nil {
		return metav1.Time{}
	}
	if !d.absolute || t.After(d.now) {
		d.now, d.absolute = t, true
	}
	return metav1.NewTime(t)
}

var (
	probeHTTP  = pattern.New(`^http-get (https?)://([^:/ ]*):(\S+?)(/\S*)? `)
	probeTCP   = pattern.New(`^tcp-socket ([^:]*):(\S+) `)
	probeExec  = pattern.New(`^exec \[(.*)\] `)
	probeValue = pattern.New(`(delay|timeout|period|#success|#failure)=(\d+)`)
)

// probe reads the one-line form of a probe.
func probe(value string) *corev1.Probe {
	p := &corev1.Probe{}
	switch {
	case probeHTTP.MatchString(value):
		m := probeHTTP.FindStringSubmatch(value)
		p.HTTPGet = &corev1.HTTPGetAction{Scheme: corev1.URIScheme(strings.ToUpper(m[1])), Host: m[2], Port: port(m[3]), Path: m[4]}
	case probeTCP.MatchString(value):
		p.TCPSocket = &corev1.TCPSocketAction{Port: port(probeTCP.FindStringSubmatch(value)[2])}
	case probeExec.MatchString(value):
		p.Exec = &corev1.ExecAction{Command: strings.Fields(probeExec.FindStringSubmatch(value)[1])}
	}
	for _, m := range probeValue.FindAllStringSubmatch(value, -1) {
		n, _ := strconv.ParseInt(m[2], 10, 32)
		switch m[1] {
		case "delay":
			p.InitialDelaySeconds = int32(n)
		case "timeout":
			p.TimeoutSeconds = int32(n)
		case "period":
			p.PeriodSeconds = int32(n)
		case "#success":
			p.SuccessThreshold = int32(n)
		case "#failure":
			p.FailureThreshold = int32(n)
		}
	}
	return p
}
