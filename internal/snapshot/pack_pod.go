package snapshot

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
)

// Fields of PodStatus and ContainerStatus (k8s.io/api core/v1/generated.proto).
const (
	podContainers = 8
	podInits      = 10

	statusState     = 2
	statusLast      = 3
	statusReady     = 4
	statusRestarts  = 5
	statusID        = 8
	statusStarted   = 9
	statusAllocated = 10
	statusResources = 11
	statusMounts    = 12
	statusUser      = 13
)

// pod decodes a pod. One that runs well beyond doubt is kept slim: see quiet.
func (k *packer) pod(raw []byte, p *corev1.Pod) error {
	var spec, status []byte
	err := fields(raw, func(f wireField) error {
		switch f.num {
		case fieldMeta:
			return k.objectMeta(f.value, p)
		case fieldSpec:
			spec = f.value
		case fieldStatus:
			status = f.value
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := k.podStatus(status, p); err != nil {
		return err
	}
	well := quiet(p)
	if well {
		slim(p)
	} else {
		p.Status = corev1.PodStatus{}
		if err := p.Status.Unmarshal(status); err != nil {
			return err
		}
	}
	return k.podSpec(spec, &p.Spec, &k.buf, well)
}

// podStatus decodes a status but for what slim would drop of its containers.
func (k *packer) podStatus(raw []byte, p *corev1.Pod) error {
	own := k.rest[:0]
	err := fields(raw, func(f wireField) error {
		switch f.num {
		case podContainers:
			return k.containerStatus(f.value, &p.Status.ContainerStatuses)
		case podInits:
			return k.containerStatus(f.value, &p.Status.InitContainerStatuses)
		}
		own = append(own, f.raw...)
		return nil
	})
	k.rest = own
	if err != nil {
		return err
	}
	return p.Status.Unmarshal(own)
}

// containerStatus decodes one status in parts: name and image are the same in
// every pod of an owner.
func (k *packer) containerStatus(raw []byte, list *[]corev1.ContainerStatus) error {
	own, same, resources := k.buf.own[:0], k.buf.a[:0], k.buf.b[:0]
	var state []byte
	err := fields(raw, func(f wireField) error {
		switch f.num {
		case statusID, statusMounts, statusUser:
		case statusState:
			state = f.value
		case statusLast, statusReady, statusRestarts, statusStarted:
			own = append(own, f.raw...)
		case statusAllocated, statusResources:
			resources = append(resources, f.raw...)
		default:
			same = append(same, f.raw...)
		}
		return nil
	})
	k.buf.own, k.buf.a, k.buf.b = own, same, resources
	if err != nil {
		return err
	}
	p, err := part(k.Shared, k.statuses, same)
	if err != nil {
		return err
	}
	st := *p
	if len(resources) > 0 {
		if p, err = part(k.Shared, k.statuses, resources); err != nil {
			return err
		}
		st.AllocatedResources, st.Resources = p.AllocatedResources, p.Resources
	}
	s, err := part(k.Shared, k.states, state)
	if err != nil {
		return err
	}
	st.State = *s
	if err := st.Unmarshal(own); err != nil {
		return err
	}
	*list = append(*list, st)
	return nil
}

// quiet reports that a pod runs and is Ready beyond doubt and shows nothing
// that a cause looks at: no restart, no condition that is unusual, no end in
// sight. The spec is not looked at: what it asks for is kept.
func quiet(p *corev1.Pod) bool {
	st := &p.Status
	if p.DeletionTimestamp != nil || st.Phase != corev1.PodRunning || st.Reason != "" || st.Message != "" || st.NominatedNodeName != "" || st.Resize != "" ||
		len(st.EphemeralContainerStatuses) > 0 || len(st.ContainerStatuses) == 0 {
		return false
	}
	ready := false
	for i := range st.Conditions {
		c := &st.Conditions[i]
		switch c.Type {
		case corev1.PodReady:
			ready = true
		case corev1.PodScheduled, corev1.PodInitialized, corev1.ContainersReady, corev1.PodReadyToStartContainers:
		default:
			return false
		}
		if c.Status != corev1.ConditionTrue || c.Message != "" {
			return false
		}
	}
	for i := range st.ContainerStatuses {
		if !runsWell(&st.ContainerStatuses[i]) {
			return false
		}
	}
	for i := range st.InitContainerStatuses {
		c := &st.InitContainerStatuses[i]
		done := c.State.Terminated != nil && c.State.Terminated.ExitCode == 0 && c.RestartCount == 0 && c.LastTerminationState == (corev1.ContainerState{})
		if !done && !runsWell(c) {
			return false
		}
	}
	return ready
}

func runsWell(c *corev1.ContainerStatus) bool {
	return c.Ready && c.RestartCount == 0 && c.State.Running != nil && c.State.Waiting == nil && c.State.Terminated == nil &&
		c.LastTerminationState == (corev1.ContainerState{})
}

// slim drops from the status of a quiet pod what nothing reads: conditions that
// are as true as Ready, addresses, and the runtime's own numbers.
func slim(p *corev1.Pod) {
	st := &p.Status
	for _, c := range st.Conditions {
		if c.Type == corev1.PodReady {
			st.Conditions = []corev1.PodCondition{c}
			break
		}
	}
	st.PodIP, st.PodIPs, st.HostIP, st.HostIPs = "", nil, "", nil
	p.ResourceVersion = ""
	// Init containers that are done have said all they had to say; sidecars stay.
	st.InitContainerStatuses = slices.DeleteFunc(st.InitContainerStatuses, func(c corev1.ContainerStatus) bool { return c.State.Terminated != nil })
	if len(st.InitContainerStatuses) == 0 {
		st.InitContainerStatuses = nil
	}
}
