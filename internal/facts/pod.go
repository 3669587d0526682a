package facts

import (
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/unjam-dev/unjam/internal/fit"
	"github.com/unjam-dev/unjam/internal/pullerror"
)

// Pod is one pod, linked to its workload, node and events.
type Pod struct {
	Obj      *corev1.Pod
	Workload *Workload // nil for a pod whose owner was not seen
	// New is true for pods of the newest revision.
	New bool
	// Node is nil when the pod is not bound or its node was not seen.
	Node       *corev1.Node
	Events     []*Event
	Containers []*Container // init containers first, then app containers
	Phase      Phase
	// Scheduling is set while the pod is not bound.
	Scheduling *Scheduling
}

// Phase is where a pod is on its way to available; the ladder of a rollout.
type Phase string

// The phases in order.
const (
	PhaseSchedule  Phase = "schedule"
	PhaseVolume    Phase = "volume"  // bound, volumes not ready
	PhaseSandbox   Phase = "sandbox" // bound, network or sandbox not ready
	PhaseInit      Phase = "init"
	PhasePull      Phase = "pull"
	PhaseStart     Phase = "start" // container cannot be created or started
	PhaseRun       Phase = "run"   // started, crashing or not ready
	PhaseReady     Phase = "ready"
	PhaseDone      Phase = "done"   // succeeded
	PhaseFailed    Phase = "failed" // phase Failed: rejected, evicted, job pod failed
	PhaseTerminate Phase = "terminate"
	PhaseUnknown   Phase = "unknown"
)

// Scheduling is what the scheduler says of an unbound pod.
type Scheduling struct {
	// Condition is PodScheduled; Type is empty when the scheduler has not
	// looked at the pod yet.
	Condition Condition
	// Message is the fullest text available: the condition, else the newest event.
	Message string
	Fit     fit.FitError
	// Parsed is false when the message is not of the "0/N nodes" form.
	Parsed  bool
	Receipt Receipt
}

// ContainerKind tells init containers, sidecars and app containers apart.
type ContainerKind string

// The kinds of container.
const (
	InitContainer ContainerKind = "init"
	Sidecar       ContainerKind = "sidecar" // init container with restartPolicy Always
	AppContainer  ContainerKind = "app"
)

// Container is one container of a pod with what happened to it.
type Container struct {
	Pod    *Pod
	Kind   ContainerKind
	Name   string
	Image  string
	Spec   *corev1.Container
	Status *corev1.ContainerStatus // nil before the kubelet reported

	Waiting  *corev1.ContainerStateWaiting // current state, nil when not waiting
	Running  *corev1.ContainerStateRunning
	Restarts int32
	place    int32 // among the containers of bound pods, from 1
	Ready    bool
	Started  bool
	// Deaths are the terminations known, oldest first: lastState, then state.
	Deaths []Death
	// Pull is set when the container's image failed, waits or is being pulled.
	Pull *Pull
	// Events are the pod's events that name this container.
	Events []*Event
	// LogTail is the best log seen: of the previous instance if it died.
	LogTail []string
}

// Death is one termination of a container.
type Death struct {
	ExitCode int32
	Signal   int32
	Reason   string
	Message  string
	Started  time.Time
	Finished time.Time
	Current  bool // state, not lastState
	Receipt  Receipt
}

// PullState is what is known about an image pull.
type PullState string

// The states of a pull.
const (
	PullFailing PullState = "failing"
	PullActive  PullState = "pulling" // a Pulling event without an end
	PullNotYet  PullState = "not-yet" // bound, nothing pulled, no Pulling event
	PullDone    PullState = "done"
)

// Pull is the history of pulling one container's image.
type Pull struct {
	Image string
	State PullState
	// Err is the newest innermost error; zero when State is not PullFailing.
	Err pullerror.Error
	// Errs are all different errors seen, newest first.
	Errs    []PullErr
	Receipt Receipt
	// First and Last are the times of the first and last failed attempt known.
	First, Last time.Time
	// Attempts is the number of attempts known (Pulling events), at least 1.
	Attempts int32
	// NextRetry is the kubelet's next attempt by its back-off arithmetic
	// (10 s doubling to 300 s, plus up to 15 s until the pod worker looks);
	// zero when it cannot be told.
	NextRetry time.Time
	// BackOff is the current back-off step.
	BackOff time.Duration
}

// PullErr is one distinct pull error with its evidence.
type PullErr struct {
	Err     pullerror.Error
	Receipt Receipt
	Last    time.Time
}

// Receipt points at a field of the pod.
func (p *Pod) Receipt(field, text string, at time.Time) Receipt {
	return Receipt{Kind: "Pod", Namespace: p.Obj.Namespace, Name: p.Obj.Name, Field: field, Text: text, Time: at}
}

// Condition returns the pod's condition of a type, or the zero value.
func (p *Pod) Condition(typ corev1.PodConditionType) Condition {
	for i := range p.Obj.Status.Conditions {
		if c := &p.Obj.Status.Conditions[i]; c.Type == typ {
			return Condition{Type: string(c.Type), Status: string(c.Status), Reason: c.Reason, Message: c.Message,
				LastTransition: c.LastTransitionTime.Time, LastUpdate: c.LastTransitionTime.Time}
		}
	}
	return Condition{}
}

// NodeName is the node the pod is bound to, empty before.
func (p *Pod) NodeName() string { return p.Obj.Spec.NodeName }

// Name is the pod's name.
func (p *Pod) Name() string { return p.Obj.Name }

// Terminating is true once deletion was asked for.
func (p *Pod) Terminating() bool { return p.Obj.DeletionTimestamp != nil }

// LastDeath returns the newest termination, nil when none is known.
func (c *Container) LastDeath() *Death {
	if len(c.Deaths) == 0 {
		return nil
	}
	return &c.Deaths[len(c.Deaths)-1]
}

// StatusPath is the field path of the container's status inside the pod.
func (c *Container) StatusPath() string {
	if c.Kind == AppContainer {
		return "status.containerStatuses[" + c.Name + "]"
	}
	return "status.initContainerStatuses[" + c.Name + "]"
}
