package rules

import (
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/unjam-dev/unjam/internal/cause"
	"github.com/unjam-dev/unjam/internal/facts"
	"github.com/unjam-dev/unjam/internal/pullerror"
	"github.com/unjam-dev/unjam/internal/snapshot"
)

// condition is a status condition with the kind of object that carries it.
type condition struct {
	of string // Workload, Pod or Node
	c  facts.Condition
}

// namespace is a namespace that may not have been read.
type namespace struct {
	name string
	obj  *corev1.Namespace
}

// node is a node that may be unknown, or absent while the pod is not bound.
type node struct {
	name string
	obj  *corev1.Node
}

// pullTry is one distinct error of a pull.
type pullTry struct {
	pull *facts.Pull
	err  *pullerror.Error
}

var conditionType = object[condition]("condition", "A status condition.",
	text("of", "whose it is: Workload, Pod or Node", func(c condition) string { return c.of }),
	text("type", "for example Ready or PodScheduled", func(c condition) string { return c.c.Type }),
	text("status", "True, False or Unknown", func(c condition) string { return c.c.Status }),
	text("reason", "the reason in CamelCase", func(c condition) string { return c.c.Reason }),
	text("message", "the message", func(c condition) string { return snapshot.Redact(c.c.Message) }),
	moment("since", "when the status last changed", func(c condition) time.Time { return c.c.LastTransition }),
)

var workloadType = object[*facts.Workload]("workload", "The object that owns the rollout.",
	text("kind", "Deployment, StatefulSet, DaemonSet, Job, Rollout, ReplicaSet or Pod", func(w *facts.Workload) string { return w.Kind }),
	text("name", "its name", func(w *facts.Workload) string { return w.Name }),
	pairs("labels", "its own labels", func(w *facts.Workload) map[string]string { return metaOf(w).GetLabels() }),
	pairs("annotations", "its own annotations", func(w *facts.Workload) map[string]string { return redacted(metaOf(w).GetAnnotations()) }),
	pairs("podLabels", "labels of its newest pod template", func(w *facts.Workload) map[string]string { return templateOf(w).Labels }),
	pairs("podAnnotations", "annotations of its newest pod template", func(w *facts.Workload) map[string]string { return redacted(templateOf(w).Annotations) }),
	pairs("nodeSelector", "node selector of its newest pod template", func(w *facts.Workload) map[string]string { return templateOf(w).Spec.NodeSelector }),
	texts("images", "images of its newest pod template, init containers first", func(w *facts.Workload) []string { return imagesOf(&templateOf(w).Spec) }),
	text("serviceAccount", "service account of its newest pod template", func(w *facts.Workload) string { return accountOf(&templateOf(w).Spec) }),
	number("desired", "pods wanted", func(w *facts.Workload) int64 { return int64(w.Desired) }),
	number("updated", "pods of the newest revision", func(w *facts.Workload) int64 { return int64(w.Updated) }),
	number("ready", "pods that are Ready", func(w *facts.Workload) int64 { return int64(w.Ready) }),
	number("available", "pods that are available", func(w *facts.Workload) int64 { return int64(w.Available) }),
	truth("paused", "whether it is paused", func(w *facts.Workload) bool { return w.Paused }),
	text("revision", "the newest revision; empty when unknown", func(w *facts.Workload) string { return w.Revision }),
	moment("started", "when the newest attempt began", func(w *facts.Workload) time.Time { return w.Started }),
	several("conditions", conditionType, "its status conditions", func(w *facts.Workload) []condition { return conditionsOf(w) }),
)

var namespaceType = object[namespace]("namespace", "The workload's namespace.",
	text("name", "its name", func(n namespace) string { return n.name }),
	pairs("labels", "its labels; none when the namespace could not be read", func(n namespace) map[string]string {
		if n.obj == nil {
			return nil
		}
		return n.obj.Labels
	}),
	pairs("annotations", "its annotations; none when it could not be read", func(n namespace) map[string]string {
		if n.obj == nil {
			return nil
		}
		return redacted(n.obj.Annotations)
	}),
)

var containerType = object[*facts.Container]("container", "One container of the pod.",
	text("name", "its name", func(c *facts.Container) string { return c.Name }),
	text("kind", "app, init or sidecar", func(c *facts.Container) string { return string(c.Kind) }),
	text("image", "the image as written in the pod", func(c *facts.Container) string { return c.Image }),
	text("registry", "the image's registry host, docker.io when none is written", func(c *facts.Container) string { return imageOf(c).Registry }),
	text("repository", "the image's path below the registry", func(c *facts.Container) string { return imageOf(c).Repository }),
	text("tag", "the image's tag; latest when neither tag nor digest is written", func(c *facts.Container) string { return imageOf(c).Tag }),
	text("digest", "the image's digest", func(c *facts.Container) string { return imageOf(c).Digest }),
	text("waiting", "the reason of its waiting state, for example CrashLoopBackOff", func(c *facts.Container) string {
		if c.Waiting == nil {
			return ""
		}
		return c.Waiting.Reason
	}),
	truth("ready", "whether it is Ready", func(c *facts.Container) bool { return c.Ready }),
	truth("running", "whether it runs", func(c *facts.Container) bool { return c.Running != nil }),
	number("restarts", "how often it was restarted", func(c *facts.Container) int64 { return int64(c.Restarts) }),
	decimal("cpuRequest", "requested CPUs", func(c *facts.Container) float64 { return specOf(c).Resources.Requests.Cpu().AsApproximateFloat64() }),
	number("memoryRequest", "requested memory in bytes", func(c *facts.Container) int64 { return specOf(c).Resources.Requests.Memory().Value() }),
	number("memoryLimit", "memory limit in bytes", func(c *facts.Container) int64 { return specOf(c).Resources.Limits.Memory().Value() }),
	texts("envNames", "names of its environment variables; values are never shown to rules", func(c *facts.Container) []string {
		var out []string
		for _, e := range specOf(c).Env {
			out = append(out, e.Name)
		}
		return out
	}),
	texts("log", "the last lines of its log, of the instance that died if one did", func(c *facts.Container) []string { return logOf(c) }),
)

var podType = object[*facts.Pod]("pod", "The pod that is not Ready. All fields are empty where the evidence is about the workload itself.",
	text("name", "its name", func(p *facts.Pod) string { return p.Name() }),
	text("phase", "Pending, Running, Succeeded, Failed or Unknown", func(p *facts.Pod) string { return string(p.Obj.Status.Phase) }),
	text("stage", "where it is on its way: schedule, volume, sandbox, init, pull, start, run, failed or unknown", func(p *facts.Pod) string { return string(p.Phase) }),
	text("reason", "status.reason, for example Evicted", func(p *facts.Pod) string { return p.Obj.Status.Reason }),
	truth("newest", "whether it is of the newest revision", func(p *facts.Pod) bool { return p.New }),
	pairs("labels", "its labels", func(p *facts.Pod) map[string]string { return p.Obj.Labels }),
	pairs("annotations", "its annotations", func(p *facts.Pod) map[string]string { return redacted(p.Obj.Annotations) }),
	pairs("nodeSelector", "its node selector", func(p *facts.Pod) map[string]string { return p.Obj.Spec.NodeSelector }),
	text("serviceAccount", "its service account", func(p *facts.Pod) string {
		if p == noPod {
			return ""
		}
		return accountOf(&p.Obj.Spec)
	}),
	text("scheduler", "the scheduler it asks for", func(p *facts.Pod) string { return p.Obj.Spec.SchedulerName }),
	text("priorityClass", "its priority class", func(p *facts.Pod) string { return p.Obj.Spec.PriorityClassName }),
	text("runtimeClass", "its runtime class", func(p *facts.Pod) string {
		if c := p.Obj.Spec.RuntimeClassName; c != nil {
			return *c
		}
		return ""
	}),
	truth("hostNetwork", "whether it uses the node's network", func(p *facts.Pod) bool { return p.Obj.Spec.HostNetwork }),
	text("scheduling", "the scheduler's message while it is not bound", func(p *facts.Pod) string {
		if p.Scheduling == nil {
			return ""
		}
		return snapshot.Redact(p.Scheduling.Message)
	}),
	moment("created", "when it was made", func(p *facts.Pod) time.Time { return p.Obj.CreationTimestamp.Time }),
	several("conditions", conditionType, "its status conditions", func(p *facts.Pod) []condition { return podConditions(p) }),
	several("containers", containerType, "its containers, init containers first", func(p *facts.Pod) []*facts.Container { return p.Containers }),
)

var nodeType = object[node]("node", "The pod's node. All fields are empty while the pod is not bound; only the name is filled when the node could not be read.",
	text("name", "its name", func(n node) string { return n.name }),
	pairs("labels", "its labels", func(n node) map[string]string {
		if n.obj == nil {
			return nil
		}
		return n.obj.Labels
	}),
	pairs("annotations", "its annotations", func(n node) map[string]string {
		if n.obj == nil {
			return nil
		}
		return redacted(n.obj.Annotations)
	}),
	texts("taints", "its taints as key=value:Effect", func(n node) []string { return taintsOf(n.obj) }),
	truth("unschedulable", "whether it is cordoned", func(n node) bool { return n.obj != nil && n.obj.Spec.Unschedulable }),
	text("arch", "its architecture, for example arm64", func(n node) string {
		if n.obj == nil {
			return ""
		}
		return n.obj.Status.NodeInfo.Architecture
	}),
	text("runtime", "its container runtime and version", func(n node) string {
		if n.obj == nil {
			return ""
		}
		return n.obj.Status.NodeInfo.ContainerRuntimeVersion
	}),
	several("conditions", conditionType, "its status conditions", func(n node) []condition { return nodeConditions(n.obj) }),
)

var eventType = object[*facts.Event]("event", "An event about the workload, its newest revision, one of its pods that is not Ready, or a volume claim of such a pod.",
	text("reason", "the reason in CamelCase", func(e *facts.Event) string { return e.Reason }),
	text("message", "the message", func(e *facts.Event) string { return snapshot.Redact(e.Message) }),
	truth("warning", "whether it is of type Warning", func(e *facts.Event) bool { return e.Warning }),
	text("source", "the component that reported it", func(e *facts.Event) string { return e.Source }),
	text("kind", "kind of the object it is about", func(e *facts.Event) string { return e.Obj.InvolvedObject.Kind }),
	text("name", "name of the object it is about", func(e *facts.Event) string { return e.Obj.InvolvedObject.Name }),
	number("count", "how often it happened", func(e *facts.Event) int64 { return int64(e.Count) }),
	moment("first", "when it first happened", func(e *facts.Event) time.Time { return e.First }),
	moment("last", "when it last happened", func(e *facts.Event) time.Time { return e.Last }),
)

var refusalType = object[cause.Refusal]("refusal", "The API server's present refusal to create the workload's pods.",
	text("message", "the API server's words", func(r cause.Refusal) string { return snapshot.Redact(r.Message) }),
	number("attempts", "how often it was tried", func(r cause.Refusal) int64 { return int64(r.Attempts) }),
	moment("first", "when it was first refused", func(r cause.Refusal) time.Time { return r.First }),
	moment("last", "when it was last refused", func(r cause.Refusal) time.Time { return r.Last }),
)

var deathType = object[*facts.Death]("death", "One end of a container.",
	number("exitCode", "the exit code", func(d *facts.Death) int64 { return int64(d.ExitCode) }),
	number("signal", "the signal that ended it, 0 when none is known", func(d *facts.Death) int64 { return int64(d.Signal) }),
	text("reason", "for example Error or OOMKilled", func(d *facts.Death) string { return d.Reason }),
	text("message", "the termination message", func(d *facts.Death) string { return snapshot.Redact(d.Message) }),
	moment("started", "when that instance started", func(d *facts.Death) time.Time { return d.Started }),
	moment("finished", "when it ended", func(d *facts.Death) time.Time { return d.Finished }),
)

var pullType = object[pullTry]("pull", "A failing image pull.",
	text("kind", "what the error was read as, for example not-found; empty when the words are unknown", func(t pullTry) string { return string(t.err.Kind) }),
	text("message", "the innermost error in the runtime's words", func(t pullTry) string { return t.err.Text }),
	text("stage", "how far the pull got: name, ping, token, resolve, manifest, blob, verify, unpack, policy or local", func(t pullTry) string { return string(t.err.Stage) }),
	number("status", "the HTTP status, 0 when none was named", func(t pullTry) int64 { return int64(t.err.Status) }),
	text("host", "host and port that was asked", func(t pullTry) string { return t.err.URLHost }),
	text("serverMessage", "what the registry itself said", func(t pullTry) string { return t.err.ServerMessage }),
	text("runtime", "whose wording it is: containerd, cri-o, docker or kubelet", func(t pullTry) string { return string(t.err.Runtime) }),
	number("attempts", "how often it was tried, as far as known", func(t pullTry) int64 { return int64(t.pull.Attempts) }),
)

// noPod stands for the pod where there is none.
var noPod = &facts.Pod{Obj: &corev1.Pod{}}

// objects are all types, in the order of the reference page.
var objects = []*objectType{workloadType, namespaceType, podType, containerType, nodeType, conditionType, refusalType, eventType, deathType, pullType}

func logOf(c *facts.Container) []string {
	tail := c.LogTail[max(0, len(c.LogTail)-maxLog):]
	out := make([]string, 0, len(tail))
	for _, line := range tail {
		out = append(out, clip(snapshot.Redact(line)))
	}
	return out
}

// redacted takes credentials out of annotations, and the copy of the object
// that kubectl apply keeps in one of them.
func redacted(annotations map[string]string) map[string]string {
	out := make(map[string]string, len(annotations))
	for k, v := range annotations {
		if k != corev1.LastAppliedConfigAnnotation {
			out[k] = snapshot.Redact(v)
		}
	}
	return out
}

// maxLog is how many lines from the end of a log rules read.
const maxLog = 60

func conditionsOf(w *facts.Workload) []condition {
	out := make([]condition, 0, len(w.Conditions))
	for _, c := range w.Conditions {
		out = append(out, condition{"Workload", c})
	}
	return out
}

func podConditions(p *facts.Pod) []condition {
	out := make([]condition, 0, len(p.Obj.Status.Conditions))
	for _, c := range p.Obj.Status.Conditions {
		out = append(out, condition{"Pod", p.Condition(c.Type)})
	}
	return out
}

func nodeConditions(n *corev1.Node) []condition {
	if n == nil {
		return nil
	}
	out := make([]condition, 0, len(n.Status.Conditions))
	for _, c := range n.Status.Conditions {
		out = append(out, condition{"Node", facts.Condition{Type: string(c.Type), Status: string(c.Status), Reason: c.Reason, Message: c.Message,
			LastTransition: c.LastTransitionTime.Time, LastUpdate: c.LastHeartbeatTime.Time}})
	}
	return out
}

func taintsOf(n *corev1.Node) []string {
	if n == nil {
		return nil
	}
	var out []string
	for _, t := range n.Spec.Taints {
		out = append(out, t.ToString())
	}
	slices.Sort(out)
	return out
}

func imagesOf(spec *corev1.PodSpec) []string {
	var out []string
	for _, c := range spec.InitContainers {
		out = append(out, c.Image)
	}
	for _, c := range spec.Containers {
		out = append(out, c.Image)
	}
	return out
}

func accountOf(spec *corev1.PodSpec) string {
	if spec.ServiceAccountName == "" {
		return "default"
	}
	return spec.ServiceAccountName
}

func imageOf(c *facts.Container) facts.Image {
	img, _ := facts.ParseImage(c.Image)
	return img
}

// specOf is the container's specification, never nil.
func specOf(c *facts.Container) *corev1.Container {
	if c.Spec == nil {
		return &corev1.Container{}
	}
	return c.Spec
}

// templateOf is the newest pod template, never nil.
func templateOf(w *facts.Workload) *corev1.PodTemplateSpec {
	if w.Template == nil {
		return &corev1.PodTemplateSpec{}
	}
	return w.Template
}
