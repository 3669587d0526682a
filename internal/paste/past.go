package paste

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/unjam-dev/unjam/internal/pullerror"
)

// step is a step of a pod's start. One that is done says that the troubles of
// the steps before it, and of itself, are over.
type step int

const (
	noStep step = iota
	placing
	preparing // volumes and sandbox
	pulling
	creating
	starting
)

// troubleOf is the step at which a warning says that a pod hangs.
func troubleOf(l *line) step {
	switch l.reason {
	case "FailedScheduling", "NotTriggerScaleUp", "TriggeredScaleUp", "Nominated":
		return placing
	case "FailedMount", "FailedAttachVolume", "FailedMapVolume", "FailedCreatePodSandBox", "NetworkNotReady", "FailedPrepareDynamicResources":
		return preparing
	case "ErrImageNeverPull", "InspectFailed", "FailedToRetrieveImagePullSecret":
		return pulling
	case "BackOff":
		if !restarting.MatchString(l.message) {
			return pulling
		}
	case "Failed":
		switch m := strings.TrimPrefix(l.message, "Error: "); {
		case strings.HasPrefix(m, "Failed to pull image"), strings.HasPrefix(m, "ErrImagePull"), strings.HasPrefix(m, "ImagePullBackOff"), pullerror.Looks(m):
			return pulling
		case configWrong.MatchString(m):
			return creating
		}
		return starting
	}
	return noStep
}

// doneBy is the last step that an event says is done.
func doneBy(l *line) step {
	switch l.reason {
	case "Scheduled":
		return placing
	case "Pulling":
		return preparing
	case "Pulled":
		return pulling
	case "Created":
		return creating
	case "Started":
		return starting
	}
	return noStep
}

// overcome tells which events are of troubles that are over: the text says that
// the pod is ready, or a later event that the step succeeded.
func (d *draft) overcome() map[int]bool {
	over := map[int]bool{}
	type done struct {
		at   int
		l    *line
		step step
	}
	last := map[objectRef][]done{} // per pod, the successes
	images := map[objectRef]map[string]bool{}
	for i, l := range d.heard {
		if l.ref.kind != "Pod" {
			continue
		}
		if image := imageIn(l.message); image != "" {
			if images[l.ref] == nil {
				images[l.ref] = map[string]bool{}
			}
			images[l.ref][image] = true
		}
		if s := doneBy(l); s != noStep && len(last[l.ref]) < 50 {
			last[l.ref] = append(last[l.ref], done{i, l, s})
		}
	}
	for i, l := range d.heard {
		if l.ref.kind == "PersistentVolumeClaim" && slices.Contains(d.bound, l.ref) {
			over[i] = true
		}
		if l.ref.kind != "Pod" {
			continue
		}
		p := d.pod(l.ref)
		trouble := troubleOf(l)
		if p.ready {
			if trouble != noStep || l.reason == "Unhealthy" || l.reason == "BackOff" || l.reason == "ProbeWarning" || l.reason == "Killing" || l.reason == "FailedSync" {
				over[i] = true
			}
			continue
		}
		if trouble == noStep {
			continue
		}
		for _, s := range last[l.ref] {
			if s.step < trouble || !later(s.l, s.at, l, i) || s.step >= pulling && trouble >= pulling && !sameContainer(s.l, l, len(images[l.ref])) {
				continue
			}
			over[i] = true
			d.wentOn(p, s.l, s.step)
		}
	}
	return over
}

// later tells whether event a came after event b: by their ages, else by their
// places in the text.
func later(a *line, at int, b *line, bt int) bool {
	if a.last >= 0 && b.last >= 0 && a.last != b.last {
		return a.last < b.last
	}
	return at > bt
}

// sameContainer tells whether two events can be of one container. Where neither
// names it, they are when the pod has no more than one image.
func sameContainer(a, b *line, images int) bool {
	if a.container != "" && b.container != "" {
		return a.container == b.container
	}
	if x, y := imageIn(a.message), imageIn(b.message); x != "" && y != "" {
		return x == y
	}
	return images < 2
}

// wentOn puts a pod whose start succeeded into the state that follows.
func (d *draft) wentOn(p *podDraft, l *line, s step) {
	if p.states || p.conditions {
		return
	}
	p.bind("")
	if s != starting {
		return
	}
	p.obj.Status.Phase = corev1.PodRunning
	c := p.container(l.container)
	c.Ready = true
	c.State = corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.NewTime(d.now.Add(-max(l.last, 0)))}}
	p.condition(corev1.PodReady, corev1.ConditionTrue, "", "", d.now)
}
