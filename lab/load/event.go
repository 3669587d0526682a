package load

import (
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// events are what the hour before Now left: those of troubled pods, and of one
// healthy pod in ten that was made in that hour.
func (a *app) events(p *corev1.Pod, i int) []*corev1.Event {
	image := p.Spec.Containers[0].Image
	switch {
	case a.trouble == NoNode:
		return []*corev1.Event{a.event(p, 0, "Warning", "FailedScheduling", p.Status.Conditions[0].Message, "", 6)}
	case a.trouble == NoImage:
		path := "spec.containers{app}"
		if len(p.Spec.InitContainers) > 0 {
			path = "spec.initContainers{migrate}"
		}
		return []*corev1.Event{
			a.event(p, 0, "Normal", "Pulling", fmt.Sprintf("Pulling image %q", image), path, 10),
			a.event(p, 1, "Warning", "Failed", fmt.Sprintf("Failed to pull image %q: %s", image, notFound(image)), path, 10),
			a.event(p, 2, "Warning", "Failed", "Error: ErrImagePull", path, 10),
			a.event(p, 3, "Normal", "BackOff", fmt.Sprintf("Back-off pulling image %q", image), path, 110),
			a.event(p, 4, "Warning", "Failed", "Error: ImagePullBackOff", path, 110),
		}
	case a.trouble == Crash:
		return []*corev1.Event{
			a.event(p, 0, "Normal", "Pulled", fmt.Sprintf("Container image %q already present on machine", image), "spec.containers{app}", 9),
			a.event(p, 1, "Normal", "Created", "Container created", "spec.containers{app}", 9),
			a.event(p, 2, "Warning", "BackOff", fmt.Sprintf("Back-off restarting failed container app in pod %s_%s(%s)", p.Name, p.Namespace, p.UID), "spec.containers{app}", 130),
		}
	case i == 0:
		return []*corev1.Event{
			a.event(p, 0, "Normal", "Scheduled", fmt.Sprintf("Successfully assigned %s/%s to %s", p.Namespace, p.Name, p.Spec.NodeName), "", 1),
			a.event(p, 1, "Normal", "Pulling", fmt.Sprintf("Pulling image %q", image), "spec.containers{app}", 1),
			a.event(p, 2, "Normal", "Pulled", fmt.Sprintf("Successfully pulled image %q in 1.403s (1.403s including waiting). Image size: 48271033 bytes.", image), "spec.containers{app}", 1),
			a.event(p, 3, "Normal", "Created", "Container created", "spec.containers{app}", 1),
			a.event(p, 4, "Normal", "Started", "Container started", "spec.containers{app}", 1),
		}
	}
	return nil
}

func (a *app) event(p *corev1.Pod, n int, kind, reason, message, path string, count int32) *corev1.Event {
	first := metav1.NewTime(a.size.Now.Add(-29 * time.Minute).Add(time.Duration(n) * time.Second).Truncate(time.Second))
	last := first
	if count > 1 {
		last = metav1.NewTime(a.size.Now.Add(-40 * time.Second).Truncate(time.Second))
	}
	e := &corev1.Event{ObjectMeta: meta(p.Namespace, fmt.Sprintf("%s.%016x", p.Name, 0x18a0b1c2d3e4f5+n), first.Time), Reason: reason, Message: message, Type: kind, Count: count,
		FirstTimestamp: first, LastTimestamp: last, Source: corev1.EventSource{Component: "kubelet", Host: p.Spec.NodeName}, ReportingController: "kubelet", ReportingInstance: p.Spec.NodeName,
		InvolvedObject: corev1.ObjectReference{Kind: "Pod", APIVersion: "v1", Namespace: p.Namespace, Name: p.Name, UID: p.UID, FieldPath: path}}
	if p.Spec.NodeName == "" || reason == "Scheduled" {
		e.Source, e.ReportingController, e.ReportingInstance = corev1.EventSource{Component: "default-scheduler"}, "default-scheduler", ""
	}
	return e
}
