package paste

import (
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/unjam-dev/unjam/internal/pattern"
	"github.com/unjam-dev/unjam/internal/pullerror"
)

var (
	assigned     = pattern.New(`Successfully assigned (\S+)/(\S+) to (\S+)`)
	restarting   = pattern.New(`(?i)back-off (?:\S+ )?restarting failed container(?:[ =]([a-z0-9-]+))?`)
	backOff      = pattern.New(`(?i)back-off (\S+) restarting`)
	lostSecrets  = pattern.New(`image pull secrets \(([^)]*)\)`)
	killFor      = pattern.New(`Container (\S+) failed (liveness|startup) probe`)
	ociTrouble   = pattern.New(`OCI runtime|oci runtime|runc create failed|containerd task|exec format error|executable file not found|starting container process|error during container init`)
	configWrong  = pattern.New(`(?i)(configmap|secret) "[^"]+" not found|couldn't find key|runAsNonRoot|failed to (?:prepare subPath|create subPath directory)|cannot find volume "|failed to sync (configmap|secret) cache`)
	nameReserved = pattern.New(`(?i)name "[^"]+" is reserved|context deadline exceeded|failed to reserve|failed to create container|failed to generate`)
)

// infer sets the state of a pod that an event implies, where the text itself
// does not show the state.
func (d *draft) infer(p *podDraft, l *line) {
	at := metav1.NewTime(d.now.Add(-max(l.last, 0)))
	if m := assigned.FindStringSubmatch(l.message); m != nil {
		p.bind(m[3])
	}
	switch l.reason {
	case "FailedScheduling", "NotTriggerScaleUp", "TriggeredScaleUp", "Nominated":
		if l.source == "" && karpenterSays.MatchString(l.message) {
			l.source = "karpenter"
		}
		p.unplaced(l, at.Time)
		if len(p.obj.Spec.Containers) == 0 {
			p.obj.Spec.Containers = []corev1.Container{{Name: someContainer}}
		}
		return
	case "FailedToRetrieveImagePullSecret":
		if m := lostSecrets.FindStringSubmatch(l.message); m != nil && len(p.obj.Spec.ImagePullSecrets) == 0 {
			for _, name := range strings.Split(m[1], ",") {
				p.obj.Spec.ImagePullSecrets = append(p.obj.Spec.ImagePullSecrets, corev1.LocalObjectReference{Name: strings.TrimSpace(name)})
			}
		}
		return
	case "Scheduled", "SuccessfulCreate", "SuccessfulDelete", "ScalingReplicaSet":
		return
	}
	if p.obj.Spec.NodeName == "" && !p.conditions {
		p.bind("")
	}
	if reason := rejection(l.message); reason != "" && p.obj.Status.Reason == "" {
		p.obj.Status.Phase, p.obj.Status.Reason, p.obj.Status.Message = corev1.PodFailed, reason, l.message
		return
	}
	if l.reason == "Evicted" || l.reason == "Preempted" && strings.HasPrefix(l.message, "Preempted") {
		if p.obj.Status.Reason == "" && l.reason == "Evicted" {
			p.obj.Status.Phase, p.obj.Status.Reason, p.obj.Status.Message = corev1.PodFailed, "Evicted", l.message
		}
		return
	}
	if l.container == "" {
		if m := restarting.FindStringSubmatch(l.message); m != nil && m[1] != "in" {
			l.container = m[1]
		} else if m := killFor.FindStringSubmatch(l.message); m != nil {
			l.container = m[1]
		}
	}
	c := p.container(l.container)
	l.container = c.Name
	if image := imageIn(l.message); image != "" {
		if s := p.spec(c.Name); s != nil && s.Image == "" {
			s.Image, c.Image = image, image
		}
	}
	if !p.states {
		stateFrom(p, c, l, at)
	}
}

// neverPull is the kubelet's own text, for sources that show the reason alone.
func neverPull(image string) string {
	return fmt.Sprintf("Container image %q is not present with pull policy of Never", image)
}

// karpenterSays are the words of Karpenter's FailedScheduling and Nominated
// events, for tables without the column of the source.
var karpenterSays = pattern.New(`nodepool|instance type|^Pod should schedule on: |did not tolerate taint|does not have known values|unsatisfiable topology constraint`)

// unplaced sets the condition of a pod without a node. What an autoscaler says
// is not the scheduler's message, but implies one.
func (p *podDraft) unplaced(l *line, at time.Time) {
	if p.obj.Spec.NodeName != "" {
		return
	}
	scheduler := l.reason == "FailedScheduling" && !strings.Contains(l.source, "karpenter")
	for _, c := range p.obj.Status.Conditions {
		if c.Type == corev1.PodScheduled && (c.Message != "" && !strings.HasPrefix(c.Message, noWord) || c.Status == corev1.ConditionTrue) && !scheduler {
			return
		}
	}
	switch {
	case !scheduler:
		p.condition(corev1.PodScheduled, corev1.ConditionFalse, "Unschedulable", noWord, at)
	case strings.Contains(l.message, "SchedulerError") || strings.HasPrefix(l.message, "running ") || strings.Contains(l.message, "binding volumes: "):
		p.condition(corev1.PodScheduled, corev1.ConditionFalse, "SchedulerError", l.message, at)
	case strings.Contains(l.message, "scheduling gates"):
		p.condition(corev1.PodScheduled, corev1.ConditionFalse, "SchedulingGated", l.message, at)
		if _, names, ok := strings.Cut(l.message, "scheduling gates: "); ok {
			for _, name := range strings.FieldsFunc(names, func(r rune) bool { return strings.ContainsRune("[], .", r) && r != '.' }) {
				p.obj.Spec.SchedulingGates = append(p.obj.Spec.SchedulingGates, corev1.PodSchedulingGate{Name: name})
			}
		}
	default:
		p.condition(corev1.PodScheduled, corev1.ConditionFalse, "Unschedulable", l.message, at)
	}
}

// noWord stands where the scheduler's message is not in the text.
const noWord = "unnamed-message"

func waiting(c *corev1.ContainerStatus, reason, message string) {
	c.State = corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: message}}
}

// stateFrom sets the state of a container as the kubelet would report it after
// such an event.
func stateFrom(p *podDraft, c *corev1.ContainerStatus, l *line, at metav1.Time) {
	p.condition(corev1.PodReady, corev1.ConditionFalse, "ContainersNotReady", "", at.Time)
	m := l.message
	switch l.reason {
	case "Failed":
		switch {
		case strings.HasPrefix(m, "Failed to pull image"):
			waiting(c, "ErrImagePull", m)
		case strings.HasPrefix(m, "Error: ErrImageNeverPull"):
			waiting(c, "ErrImageNeverPull", neverPull(c.Image))
		case pullerror.Parse(m, c.Image).Kind == pullerror.SecretMalformed:
			waiting(c, "ErrImagePull", strings.TrimPrefix(m, "Error: "))
		case strings.HasPrefix(m, "Error: ImagePullBackOff"), strings.HasPrefix(m, "Error: ErrImagePull"):
			if w := c.State.Waiting; w == nil || w.Message == "" {
				waiting(c, strings.TrimPrefix(m, "Error: "), "")
			}
		case strings.HasPrefix(m, "Error: InvalidImageName"), strings.HasPrefix(m, "Error: ImageInspectError"):
			if w := c.State.Waiting; w == nil || w.Reason == "ContainerCreating" {
				waiting(c, strings.TrimPrefix(m, "Error: "), "")
			}
		case configWrong.MatchString(m):
			waiting(c, "CreateContainerConfigError", strings.TrimPrefix(m, "Error: "))
		case ociTrouble.MatchString(m):
			startError(c, strings.TrimPrefix(m, "Error: "), at, l.count)
		case nameReserved.MatchString(m):
			waiting(c, "CreateContainerError", strings.TrimPrefix(m, "Error: "))
		default:
			waiting(c, "CreateContainerError", strings.TrimPrefix(m, "Error: "))
		}
	case "InspectFailed":
		waiting(c, "InvalidImageName", m)
		if !strings.Contains(m, "invalid reference") && !strings.Contains(m, "parse image name") {
			waiting(c, "ImageInspectError", m)
		}
	case "ErrImageNeverPull":
		waiting(c, "ErrImageNeverPull", m)
	case "BackOff":
		switch {
		case restarting.MatchString(m):
			crashLoop(c, m, l.count)
		case c.State.Waiting == nil || c.State.Waiting.Message == "":
			waiting(c, "ImagePullBackOff", m)
		}
	case "Unhealthy", "ProbeWarning":
		if w := c.State.Waiting; w == nil || w.Reason == "ContainerCreating" {
			c.State = corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: at}}
			p.obj.Status.Phase = corev1.PodRunning
		}
	case "FailedPostStartHook", "FailedPreStopHook", "Killing":
		p.obj.Status.Phase = corev1.PodRunning
	case "FailedMount", "FailedAttachVolume", "FailedMapVolume", "FailedCreatePodSandBox", "NetworkNotReady", "SandboxChanged":
		p.condition("PodReadyToStartContainers", corev1.ConditionFalse, "", "", at.Time)
	}
}

// restartsAt is the number of restarts that a back-off of this length follows:
// the kubelet waits 10 s after the first and twice as long after each, up to 5
// minutes.
func restartsAt(message string) int32 {
	m := backOff.FindStringSubmatch(message)
	if m == nil {
		return 1
	}
	wait, err := time.ParseDuration(m[1])
	if err != nil {
		return 1
	}
	n := int32(1)
	for step := 10 * time.Second; step < wait && n < 6; step *= 2 {
		n++
	}
	return n
}

func crashLoop(c *corev1.ContainerStatus, message string, count int32) {
	waiting(c, "CrashLoopBackOff", message)
	c.RestartCount = max(c.RestartCount, count, restartsAt(message))
}

// startError is a container that the runtime could not start: exit 128.
func startError(c *corev1.ContainerStatus, message string, at metav1.Time, count int32) {
	waiting(c, "RunContainerError", message)
	c.RestartCount = max(c.RestartCount, count, 1)
	c.LastTerminationState.Terminated = &corev1.ContainerStateTerminated{ExitCode: 128, Reason: "StartError", Message: message, StartedAt: at, FinishedAt: at}
}
