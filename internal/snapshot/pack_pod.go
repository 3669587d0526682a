package snapshot

import (
	"bytes"

	corev1 "k8s.io/api/core/v1"
)

// Fields of PodStatus and ContainerStatus (k8s.io/api core/v1/generated.proto).
const (
	podConditions   = 2
	podContainers   = 8
	podInits        = 10
	containerState  = 2
	containerLast   = 3
	containerReady  = 4
	containerCount  = 5
	containerID     = 8
	containerStart  = 9
	containerMounts = 12
	containerUser   = 13
	tokenVolume     = "kube-api-access-"
	tokenSuffix     = "xxxxx"
	tokenVolumeSize = len(tokenVolume) + len(tokenSuffix)
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
	if quiet(p) {
		slim(p)
		plainTokenVolume(spec)
	} else {
		p.Status = corev1.PodStatus{}
		if err := p.Status.Unmarshal(status); err != nil {
			return err
		}
	}
	return k.podSpec(spec, &p.Spec, &k.buf)
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

// containerStatus decodes one status: name, image and resources are the same
// in every pod of an owner.
func (k *packer) containerStatus(raw []byte, list *[]corev1.ContainerStatus) error {
	own, same := k.buf.own[:0], k.buf.a[:0]
	err := fields(raw, func(f wireField) error {
		switch f.num {
		case containerID, containerMounts, containerUser:
		case containerState, containerLast, containerReady, containerCount, containerStart:
			own = append(own, f.raw...)
		default:
			same = append(same, f.raw...)
		}
		return nil
	})
	k.buf.own, k.buf.a = own, same
	if err != nil {
		return err
	}
	shared, err := part(k.Shared, k.statuses, same)
	if err != nil {
		return err
	}
	st := *shared
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
	for i := range st.InitContainerStatuses {
		if c := &st.InitContainerStatuses[i]; c.State.Terminated != nil {
			c.State.Terminated.ContainerID = ""
		}
	}
}

// plainTokenVolume writes over the random end that admission gives the name of
// each pod's token volume (plugin/pkg/admission/serviceaccount), in place, so that
// the pods of an owner are alike.
func plainTokenVolume(spec []byte) {
	for i := 0; ; {
		n := bytes.Index(spec[i:], []byte(tokenVolume))
		if n < 0 {
			return
		}
		i += n
		if i > 0 && int(spec[i-1]) == tokenVolumeSize && i+tokenVolumeSize <= len(spec) {
			copy(spec[i+len(tokenVolume):], tokenSuffix)
		}
		i += len(tokenVolume)
	}
}
