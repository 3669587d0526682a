package snaptest

import (
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Pod is a pod under construction; Obj may be changed at will.
type Pod struct {
	b   *Builder
	Obj *corev1.Pod
}

// Pod adds the next pod of the Deployment's newest ReplicaSet: bound to the
// node and ContainerCreating, or Pending when node is "".
func (s *Set) Pod(node string) *Pod {
	s.n++
	m := s.b.meta(fmt.Sprintf("%s-%d", s.ReplicaSet.Name, s.n), 5*time.Minute)
	m.Labels = s.ReplicaSet.Spec.Template.Labels
	m.OwnerReferences = []metav1.OwnerReference{owner("apps/v1", "ReplicaSet", s.ReplicaSet.Name, s.ReplicaSet.UID)}
	return s.b.add(m, s.ReplicaSet.Spec.Template.Spec, node)
}

// PodOf adds a pod with the given controller (StatefulSet, DaemonSet, Job, …).
func (b *Builder) PodOf(kind, ownerName string, o metav1.Object, name string, spec corev1.PodSpec, node string) *Pod {
	m := b.meta(name, 5*time.Minute)
	m.Labels = map[string]string{"app": ownerName, "controller-revision-hash": ownerName + "-rev1"}
	m.OwnerReferences = []metav1.OwnerReference{owner("apps/v1", kind, ownerName, o.GetUID())}
	return b.add(m, spec, node)
}

// BarePod adds a pod without a controller.
func (b *Builder) BarePod(name, image, node string, change ...func(*corev1.PodSpec)) *Pod {
	return b.add(b.meta(name, 5*time.Minute), template(name, image, change...).Spec, node)
}

func (b *Builder) add(m metav1.ObjectMeta, spec corev1.PodSpec, node string) *Pod {
	p := &Pod{b: b, Obj: &corev1.Pod{ObjectMeta: m, Spec: *spec.DeepCopy()}}
	st := &p.Obj.Status
	st.Phase = corev1.PodPending
	if node != "" {
		p.Obj.Spec.NodeName = node
		start := ago(5 * time.Minute)
		st.StartTime = &start
		p.Condition(corev1.PodScheduled, corev1.ConditionTrue, "", "")
		p.Condition("PodReadyToStartContainers", corev1.ConditionTrue, "", "")
		p.Condition(corev1.PodReady, corev1.ConditionFalse, "ContainersNotReady", "containers with unready status: [app]")
		for _, c := range spec.InitContainers {
			st.InitContainerStatuses = append(st.InitContainerStatuses, corev1.ContainerStatus{Name: c.Name, Image: c.Image, State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "PodInitializing"}}})
		}
		for _, c := range spec.Containers {
			st.ContainerStatuses = append(st.ContainerStatuses, corev1.ContainerStatus{Name: c.Name, Image: c.Image, State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "ContainerCreating"}}})
		}
	}
	b.Snap.Objects.Pods = append(b.Snap.Objects.Pods, p.Obj)
	return p
}

// Condition sets a pod condition.
func (p *Pod) Condition(typ corev1.PodConditionType, status corev1.ConditionStatus, reason, message string) *Pod {
	c := corev1.PodCondition{Type: typ, Status: status, Reason: reason, Message: message, LastTransitionTime: ago(4 * time.Minute)}
	for i := range p.Obj.Status.Conditions {
		if p.Obj.Status.Conditions[i].Type == typ {
			p.Obj.Status.Conditions[i] = c
			return p
		}
	}
	p.Obj.Status.Conditions = append(p.Obj.Status.Conditions, c)
	return p
}

// Unschedulable sets the PodScheduled condition and the scheduler's event.
func (p *Pod) Unschedulable(message string) *Pod {
	p.Condition(corev1.PodScheduled, corev1.ConditionFalse, "Unschedulable", message)
	return p.Event("Warning", "FailedScheduling", message, 4*time.Minute, 10*time.Second, 3)
}

// Status is the status of a container by name, app or init; nil when absent.
func (p *Pod) Status(container string) *corev1.ContainerStatus {
	for _, list := range [][]corev1.ContainerStatus{p.Obj.Status.ContainerStatuses, p.Obj.Status.InitContainerStatuses} {
		for i := range list {
			if list[i].Name == container {
				return &list[i]
			}
		}
	}
	return nil
}

// Waiting puts the container "app" into a waiting state.
func (p *Pod) Waiting(reason, message string) *Pod {
	p.Status("app").State = corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: message}}
	return p
}

// PullFails is a pull that failed six times in four minutes, as kubelet 1.37
// shows it: the cause in a Failed event and in the waiting message.
func (p *Pod) PullFails(cause string) *Pod {
	image := p.Obj.Spec.Containers[0].Image
	p.Waiting("ImagePullBackOff", fmt.Sprintf("Back-off pulling image %q: ErrImagePull: %s", image, cause))
	p.Event("Normal", "Pulling", fmt.Sprintf("Pulling image %q", image), 4*time.Minute, 20*time.Second, 6)
	p.Event("Warning", "Failed", fmt.Sprintf("Failed to pull image %q: %s", image, cause), 4*time.Minute, 20*time.Second, 6)
	p.Event("Warning", "Failed", "Error: ErrImagePull", 4*time.Minute, 20*time.Second, 6)
	return p.Event("Normal", "BackOff", fmt.Sprintf("Back-off pulling image %q", image), 230*time.Second, 5*time.Second, 12)
}

// Crashes is a container that died restarts times and waits in back-off.
func (p *Pod) Crashes(exit int32, reason string, restarts int32) *Pod {
	s := p.Status("app")
	s.RestartCount = restarts
	s.LastTerminationState.Terminated = &corev1.ContainerStateTerminated{ExitCode: exit, Reason: reason, StartedAt: ago(32 * time.Second), FinishedAt: ago(30 * time.Second)}
	p.Waiting("CrashLoopBackOff", fmt.Sprintf("back-off 40s restarting failed container=app pod=%s_%s(%s)", p.Obj.Name, Namespace, p.Obj.UID))
	p.Obj.Status.Phase = corev1.PodRunning
	p.Event("Normal", "Pulled", fmt.Sprintf("Container image %q already present on machine", p.Obj.Spec.Containers[0].Image), 4*time.Minute, 30*time.Second, restarts+1)
	return p.Event("Warning", "BackOff", fmt.Sprintf("Back-off restarting failed container app in pod %s_%s(%s)", p.Obj.Name, Namespace, p.Obj.UID), 3*time.Minute, 5*time.Second, 10)
}

// Running is a started container that is not Ready.
func (p *Pod) Running() *Pod {
	s := p.Status("app")
	yes := true
	s.State = corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: ago(4 * time.Minute)}}
	s.Started = &yes
	p.Obj.Status.Phase = corev1.PodRunning
	return p
}

// Ready is a running pod that is Ready.
func (p *Pod) Ready() *Pod {
	p.Running()
	s := p.Status("app")
	s.Ready = true
	s.ImageID = "registry.example.com/any@sha256:aaaa"
	p.Condition("ContainersReady", corev1.ConditionTrue, "", "")
	return p.Condition(corev1.PodReady, corev1.ConditionTrue, "", "")
}

// Event adds an event about the pod; kubelet events about images and
// containers carry the field path of the container "app".
func (p *Pod) Event(typ, reason, message string, firstAgo, lastAgo time.Duration, count int32) *Pod {
	e := p.b.Event("Pod", p.Obj.Namespace, p.Obj.Name, p.Obj.UID, typ, reason, message, firstAgo, lastAgo, count)
	switch reason {
	case "Pulling", "Pulled", "Failed", "BackOff", "Unhealthy", "Killing", "Created", "Started", "InspectFailed", "ErrImageNeverPull", "FailedPostStartHook", "FailedPreStopHook":
		e.InvolvedObject.FieldPath = "spec.containers{app}"
	}
	return p
}

// LastEvent is the event added last, to be changed further.
func (p *Pod) LastEvent() *corev1.Event {
	events := p.b.Snap.Objects.Events
	return events[len(events)-1]
}
