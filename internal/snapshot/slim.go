package snapshot

import (
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// Slim drops from a capture of a whole cluster what no judgement reads: the
// events of a healthy start of pods that still run well, and the templates of
// ReplicaSets that are history. The pods themselves are slim already when they
// come from TakePage.
func (o *Objects) Slim() {
	well := make(map[types.UID]bool, len(o.Pods))
	for _, p := range o.Pods {
		if quiet(p) {
			well[p.UID] = true
		}
	}
	for _, e := range o.Events {
		if e.Type != corev1.EventTypeNormal {
			delete(well, e.InvolvedObject.UID) // keep the story of a start that had trouble
		}
	}
	o.Events = slices.DeleteFunc(o.Events, func(e *corev1.Event) bool {
		return e.Type == corev1.EventTypeNormal && e.Count <= 1 && e.Series == nil && e.InvolvedObject.Kind == "Pod" && well[e.InvolvedObject.UID] && isStart(e.Reason)
	})
	o.Events = slices.Clip(o.Events)
	deployments := make(map[types.UID]*appsv1.Deployment, len(o.Deployments))
	for _, d := range o.Deployments {
		deployments[d.UID] = d
	}
	for _, rs := range o.ReplicaSets {
		if ref := metav1.GetControllerOfNoCopy(rs); ref != nil && isHistory(rs, deployments[ref.UID]) {
			rs.Spec.Template, rs.Spec.Selector = corev1.PodTemplateSpec{}, nil
		}
	}
}

// isStart reports that an event only says that a start went on as it should.
// Pulled is kept: it tells that a registry works.
func isStart(reason string) bool {
	return reason == "Scheduled" || reason == "Created" || reason == "Started"
}

// isHistory reports that a ReplicaSet has and wants no pods, and that its
// template is not the Deployment's: then nothing is compared with it. Templates
// with other images cannot be equal; a closer look is not worth its time.
func isHistory(rs *appsv1.ReplicaSet, d *appsv1.Deployment) bool {
	if d == nil || rs.Spec.Replicas == nil || *rs.Spec.Replicas > 0 || rs.Status.Replicas > 0 || len(rs.Status.Conditions) > 0 {
		return false
	}
	a, b := rs.Spec.Template.Spec.Containers, d.Spec.Template.Spec.Containers
	return !slices.EqualFunc(a, b, func(x, y corev1.Container) bool { return x.Image == y.Image })
}
