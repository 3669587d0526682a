package facts

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/unjam-dev/unjam/internal/fit"
)

// addPods makes the facts of all pods, side by side in three slices: a cluster
// has many pods and most of them have nothing to say.
func (f *Facts) addPods() {
	objs := f.Snap.Objects.Pods
	n := 0
	for _, obj := range objs {
		n += len(obj.Spec.InitContainers) + len(obj.Spec.Containers)
	}
	pods, containers, refs := make([]Pod, len(objs)), make([]Container, n), make([]*Container, n)
	for i := range containers {
		refs[i] = &containers[i]
	}
	f.Pods = make([]*Pod, len(objs))
	for i, obj := range objs {
		n := len(obj.Spec.InitContainers) + len(obj.Spec.Containers)
		if n > 0 {
			pods[i].Containers = refs[:n:n]
		}
		refs = refs[n:]
		f.readPod(&pods[i], obj)
		f.Pods[i] = &pods[i]
	}
}

func (f *Facts) readPod(p *Pod, obj *corev1.Pod) {
	p.Obj, p.Node, p.Events = obj, f.nodes[obj.Spec.NodeName], f.EventsOf("Pod", obj.Namespace, obj.Name, obj.UID)
	for i := range obj.Spec.InitContainers {
		spec := &obj.Spec.InitContainers[i]
		kind := InitContainer
		if spec.RestartPolicy != nil && *spec.RestartPolicy == corev1.ContainerRestartPolicyAlways {
			kind = Sidecar
		}
		f.readContainer(p.Containers[i], p, kind, spec, obj.Status.InitContainerStatuses)
	}
	for i := range obj.Spec.Containers {
		f.readContainer(p.Containers[len(obj.Spec.InitContainers)+i], p, AppContainer, &obj.Spec.Containers[i], obj.Status.ContainerStatuses)
	}
	p.Phase = phaseOf(p)
	if p.Phase == PhaseSchedule {
		p.Scheduling = schedulingOf(p)
	}
	for _, c := range p.Containers {
		c.Pull = f.pullOf(c)
	}
}

func (f *Facts) readContainer(c *Container, p *Pod, kind ContainerKind, spec *corev1.Container, statuses []corev1.ContainerStatus) {
	c.Pod, c.Kind, c.Name, c.Image, c.Spec = p, kind, spec.Name, spec.Image, spec
	for i := range statuses {
		st := &statuses[i]
		if st.Name != spec.Name {
			continue
		}
		c.Status, c.Restarts, c.Ready = st, st.RestartCount, st.Ready
		c.Waiting, c.Running = st.State.Waiting, st.State.Running
		c.Started = st.Started != nil && *st.Started
		c.addDeath(st.LastTerminationState.Terminated, false)
		c.addDeath(st.State.Terminated, true)
		break
	}
	for _, e := range p.Events {
		if e.Container == spec.Name {
			c.Events = append(c.Events, e)
		}
	}
	if len(f.logs) == 0 {
		return
	}
	ns, pod := p.Obj.Namespace, p.Obj.Name
	if l := f.Log(ns, pod, spec.Name, true); l != nil && len(l.Lines) > 0 {
		c.LogTail = l.Lines
	} else if l := f.Log(ns, pod, spec.Name, false); l != nil {
		c.LogTail = l.Lines
	}
}

// addDeath records a termination. An init container that completed is not one.
func (c *Container) addDeath(t *corev1.ContainerStateTerminated, current bool) {
	if t == nil || (c.Kind == InitContainer && t.ExitCode == 0 && t.Signal == 0) {
		return
	}
	field := ".lastState.terminated"
	if current {
		field = ".state.terminated"
	}
	text := "exit code " + itoa(t.ExitCode) + ", reason " + t.Reason
	if t.Message != "" {
		text += ": " + t.Message
	}
	c.Deaths = append(c.Deaths, Death{ExitCode: t.ExitCode, Signal: t.Signal, Reason: t.Reason, Message: t.Message,
		Started: t.StartedAt.Time, Finished: t.FinishedAt.Time, Current: current,
		Receipt: c.Pod.Receipt(c.StatusPath()+field, text, t.FinishedAt.Time)})
}

// pullReasons are the waiting reasons of kubelet/images/types.go that concern
// the image rather than the container.
var pullReasons = []string{"ErrImagePull", "ImagePullBackOff", "ImageInspectError", "ErrImageNeverPull", "InvalidImageName",
	"RegistryUnavailable", "SignatureValidationFailed"}

var startReasons = []string{"CreateContainerConfigError", "CreateContainerError", "RunContainerError", "PostStartHookError",
	"PreStartHookError", "PreCreateHookError", "PostStartHookError", "CreatePodSandboxError"}

// IsPullReason reports whether a waiting reason is about the image. A reason
// with blanks is raw error text that the kubelet (1.33 and newer) puts there
// for a malformed pull Secret.
func IsPullReason(reason string) bool {
	return slices.Contains(pullReasons, reason) || strings.Contains(reason, " ")
}

func phaseOf(p *Pod) Phase {
	st := &p.Obj.Status
	switch {
	case p.Terminating():
		return PhaseTerminate
	case st.Phase == corev1.PodSucceeded:
		return PhaseDone
	case st.Phase == corev1.PodFailed:
		return PhaseFailed
	case p.NodeName() == "":
		return PhaseSchedule
	case p.Condition(corev1.PodReady).Status == "True":
		return PhaseReady
	}
	initDone := true
	for _, c := range p.Containers {
		if c.Kind == InitContainer && initRunning(c) || c.Kind == Sidecar && !c.Started {
			initDone = false
		}
		if w := c.Waiting; w != nil && w.Reason != "PodInitializing" && w.Reason != "ContainerCreating" {
			switch {
			case IsPullReason(w.Reason):
				return PhasePull
			case slices.Contains(startReasons, w.Reason):
				return PhaseStart
			}
		}
	}
	if p.Condition("PodReadyToStartContainers").Status == "False" || sandboxTrouble(p) {
		return volumeOrSandbox(p)
	}
	if !initDone && len(st.InitContainerStatuses) > 0 {
		return PhaseInit
	}
	for _, c := range p.Containers {
		if c.Waiting != nil && (c.Waiting.Reason == "ContainerCreating" || c.Waiting.Reason == "PodInitializing") {
			return PhasePull
		}
	}
	if len(st.ContainerStatuses) == 0 && len(st.InitContainerStatuses) == 0 {
		return volumeOrSandbox(p)
	}
	return PhaseRun
}

func initRunning(c *Container) bool {
	return c.Status == nil || c.Status.State.Terminated == nil || c.Status.State.Terminated.ExitCode != 0
}

// sandboxTrouble looks at the newest of the events that end or begin a
// sandbox, for kubelets without the PodReadyToStartContainers condition.
func sandboxTrouble(p *Pod) bool {
	for i := len(p.Events) - 1; i >= 0; i-- {
		switch p.Events[i].Reason {
		case "FailedCreatePodSandBox", "FailedMount", "FailedAttachVolume", "NetworkNotReady":
			return p.Condition("PodReadyToStartContainers").Status != "True"
		case "Pulling", "Pulled", "Created", "Started", "Failed", "BackOff":
			return false
		}
	}
	return false
}

func volumeOrSandbox(p *Pod) Phase {
	for i := len(p.Events) - 1; i >= 0; i-- {
		switch p.Events[i].Reason {
		case "FailedMount", "FailedAttachVolume", "FailedMapVolume":
			return PhaseVolume
		case "FailedCreatePodSandBox", "NetworkNotReady":
			return PhaseSandbox
		}
	}
	return PhaseSandbox
}

func schedulingOf(p *Pod) *Scheduling {
	s := &Scheduling{Condition: p.Condition(corev1.PodScheduled)}
	s.Message = s.Condition.Message
	s.Receipt = p.Receipt("status.conditions[PodScheduled]", s.Condition.Message, s.Condition.LastTransition)
	if s.Message == "" {
		for i := len(p.Events) - 1; i >= 0; i-- {
			// Karpenter writes the same reason from its own component.
			if e := p.Events[i]; e.Reason == "FailedScheduling" && !strings.Contains(e.Source, "karpenter") {
				s.Message, s.Receipt = e.Message, e.Receipt()
				break
			}
		}
	}
	s.Fit, s.Parsed = fit.ParseFitError(s.Message)
	return s
}
