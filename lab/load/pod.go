package load

import (
	"fmt"
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/rand"
	"k8s.io/utils/ptr"
)

func (a *app) pod(rs *appsv1.ReplicaSet, i int, node string) *corev1.Pod {
	suffix := rand.SafeEncodeString(fmt.Sprintf("%05d", (a.index*31+i*7)%100000))
	created := a.started().Add(time.Duration(i%4) * time.Second)
	p := &corev1.Pod{ObjectMeta: meta(rs.Namespace, rs.Name+"-"+suffix+rand.SafeEncodeString(fmt.Sprint(i)), created), Spec: *rs.Spec.Template.Spec.DeepCopy()}
	p.Generation = 1
	p.GenerateName, p.Labels, p.Annotations = rs.Name+"-", rs.Spec.Template.Labels, rs.Spec.Template.Annotations
	p.OwnerReferences = owner("apps/v1", "ReplicaSet", rs.Name, rs.UID)
	p.ManagedFields = managed("kube-controller-manager", "kubelet", podFields)
	a.admit(p)
	if a.trouble == NoNode {
		p.Status = corev1.PodStatus{Phase: corev1.PodPending, QOSClass: corev1.PodQOSBurstable, Conditions: []corev1.PodCondition{condition(corev1.PodScheduled, "False", created)}}
		c := &p.Status.Conditions[0]
		c.Reason = corev1.PodReasonUnschedulable
		c.Message = fmt.Sprintf("0/%d nodes are available: %d node(s) didn't match Pod's node affinity/selector. preemption: 0/%d nodes are available: %d Preemption is not helpful for scheduling.", a.size.Nodes, a.size.Nodes, a.size.Nodes, a.size.Nodes)
		return p
	}
	p.Spec.NodeName = node
	a.status(p, i)
	return p
}

// admit adds what admission adds to every pod.
func (a *app) admit(p *corev1.Pod) {
	token := "kube-api-access-" + rand.String(5)
	p.Spec.ServiceAccountName, p.Spec.DeprecatedServiceAccount = "default", "default"
	p.Spec.EnableServiceLinks, p.Spec.Priority, p.Spec.PreemptionPolicy = ptr.To(true), ptr.To[int32](0), ptr.To(corev1.PreemptLowerPriority)
	for _, list := range [][]corev1.Container{p.Spec.InitContainers, p.Spec.Containers} {
		for i := range list {
			list[i].VolumeMounts = append(list[i].VolumeMounts, corev1.VolumeMount{Name: token, MountPath: "/var/run/secrets/kubernetes.io/serviceaccount", ReadOnly: true})
		}
	}
	p.Spec.Volumes = append(p.Spec.Volumes, corev1.Volume{Name: token, VolumeSource: corev1.VolumeSource{Projected: &corev1.ProjectedVolumeSource{DefaultMode: ptr.To[int32](420), Sources: []corev1.VolumeProjection{
		{ServiceAccountToken: &corev1.ServiceAccountTokenProjection{ExpirationSeconds: ptr.To[int64](3607), Path: "token"}},
		{ConfigMap: &corev1.ConfigMapProjection{LocalObjectReference: corev1.LocalObjectReference{Name: "kube-root-ca.crt"}, Items: []corev1.KeyToPath{{Key: "ca.crt", Path: "ca.crt"}}}},
		{DownwardAPI: &corev1.DownwardAPIProjection{Items: []corev1.DownwardAPIVolumeFile{{Path: "namespace", FieldRef: &corev1.ObjectFieldSelector{APIVersion: "v1", FieldPath: "metadata.namespace"}}}}},
	}}}})
	for _, key := range []string{"node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"} {
		p.Spec.Tolerations = append(p.Spec.Tolerations, corev1.Toleration{Key: key, Operator: corev1.TolerationOpExists, Effect: corev1.TaintEffectNoExecute, TolerationSeconds: ptr.To[int64](300)})
	}
}

func condition(kind corev1.PodConditionType, status corev1.ConditionStatus, at time.Time) corev1.PodCondition {
	return corev1.PodCondition{Type: kind, Status: status, LastTransitionTime: metav1.NewTime(at.Truncate(time.Second)), ObservedGeneration: 1}
}

// status is what a kubelet writes.
func (a *app) status(p *corev1.Pod, i int) {
	created := p.CreationTimestamp.Time
	begun, ready := created.Add(time.Duration(2+i%3)*time.Second), created.Add(time.Duration(12+a.index%9+i%5)*time.Second)
	ip := fmt.Sprintf("10.%d.%d.%d", 64+a.index/250%64, a.index%250, i+2)
	start := metav1.NewTime(created.Truncate(time.Second))
	st := &p.Status
	*st = corev1.PodStatus{Phase: corev1.PodRunning, HostIP: "10.88.0.2", HostIPs: []corev1.HostIP{{IP: "10.88.0.2"}}, PodIP: ip, PodIPs: []corev1.PodIP{{IP: ip}}, StartTime: &start, QOSClass: corev1.PodQOSBurstable, ObservedGeneration: 1,
		Conditions: []corev1.PodCondition{condition(corev1.PodReadyToStartContainers, "True", begun), condition(corev1.PodInitialized, "True", begun.Add(2*time.Second)), condition(corev1.PodReady, "True", ready), condition(corev1.ContainersReady, "True", ready), condition(corev1.PodScheduled, "True", created)}}
	for n, c := range slices.Concat(p.Spec.InitContainers, p.Spec.Containers) {
		digest := fmt.Sprintf("@sha256:%064x", a.index*10+n)
		if c.Name == "metrics" {
			digest = fmt.Sprintf("@sha256:%064x", 4711)
		}
		cs := corev1.ContainerStatus{Name: c.Name, Ready: true, Image: c.Image, ImageID: repository(c.Image) + digest, ContainerID: fmt.Sprintf("containerd://%032x%032x", a.index, i*10+n), Started: ptr.To(true),
			State:              corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.NewTime(begun.Add(time.Duration(n) * time.Second).Truncate(time.Second))}},
			AllocatedResources: c.Resources.Requests, Resources: c.Resources.DeepCopy()}
		for _, m := range c.VolumeMounts {
			ms := corev1.VolumeMountStatus{Name: m.Name, MountPath: m.MountPath, ReadOnly: m.ReadOnly}
			if m.ReadOnly {
				ms.RecursiveReadOnly = ptr.To(corev1.RecursiveReadOnlyDisabled)
			}
			cs.VolumeMounts = append(cs.VolumeMounts, ms)
		}
		if n < len(p.Spec.InitContainers) {
			cs.State = corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{Reason: "Completed", StartedAt: metav1.NewTime(begun.Truncate(time.Second)), FinishedAt: metav1.NewTime(begun.Add(2 * time.Second).Truncate(time.Second)), ContainerID: cs.ContainerID}}
			cs.Started = ptr.To(false)
			st.InitContainerStatuses = []corev1.ContainerStatus{cs}
			continue
		}
		st.ContainerStatuses = append(st.ContainerStatuses, cs)
	}
	switch a.trouble {
	case NoImage:
		a.refused(p)
	case Crash:
		a.crashing(p)
	}
}

// refused is a pod whose image the registry does not have; an init container
// needs it first.
func (a *app) refused(p *corev1.Pod) {
	st := &p.Status
	st.Phase = corev1.PodPending
	for i := range st.Conditions {
		if c := &st.Conditions[i]; c.Type != corev1.PodScheduled && c.Type != corev1.PodReadyToStartContainers {
			c.Status, c.Reason, c.LastTransitionTime = "False", "ContainersNotReady", p.CreationTimestamp
			c.Message = "containers with unready status: [app metrics]"
			if c.Type == corev1.PodInitialized {
				c.Reason, c.Message = "ContainersNotInitialized", "containers with incomplete status: [migrate]"
			}
		}
	}
	image := p.Spec.Containers[0].Image
	waiting := func(c *corev1.ContainerStatus, reason, message string) {
		*c = corev1.ContainerStatus{Name: c.Name, Image: c.Image, Started: ptr.To(false), State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: message}}}
	}
	backOff := fmt.Sprintf("Back-off pulling image %q: ErrImagePull: %s", image, notFound(image))
	if len(st.InitContainerStatuses) > 0 {
		waiting(&st.InitContainerStatuses[0], "ImagePullBackOff", backOff)
		waiting(&st.ContainerStatuses[0], "PodInitializing", "")
		waiting(&st.ContainerStatuses[1], "PodInitializing", "")
		return
	}
	for i := range st.Conditions {
		if st.Conditions[i].Type == corev1.PodInitialized {
			st.Conditions[i].Status, st.Conditions[i].Reason, st.Conditions[i].Message = "True", "", ""
		}
	}
	waiting(&st.ContainerStatuses[0], "ImagePullBackOff", backOff)
}

func notFound(image string) string {
	return fmt.Sprintf("failed to pull and unpack image %q: failed to resolve reference %q: %s: not found", image, image, image)
}

// crashing is a pod whose app exits with 1 within a second.
func (a *app) crashing(p *corev1.Pod) {
	st := &p.Status
	for i := range st.Conditions {
		if c := &st.Conditions[i]; c.Type == corev1.PodReady || c.Type == corev1.ContainersReady {
			c.Status, c.Reason, c.Message, c.LastTransitionTime = "False", "ContainersNotReady", "containers with unready status: [app]", p.CreationTimestamp
		}
	}
	end := metav1.NewTime(a.size.Now.Add(-90 * time.Second).Truncate(time.Second))
	c := &st.ContainerStatuses[0]
	c.Ready, c.Started, c.RestartCount = false, ptr.To(false), 9
	c.State = corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "CrashLoopBackOff", Message: fmt.Sprintf("back-off 5m0s restarting failed container=app pod=%s_%s(%s)", p.Name, p.Namespace, p.UID)}}
	c.LastTerminationState = corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: 1, Reason: "Error", StartedAt: end, FinishedAt: end, ContainerID: c.ContainerID}}
}

func repository(image string) string {
	for i := len(image) - 1; i >= 0; i-- {
		if image[i] == ':' {
			return image[:i]
		}
	}
	return image
}
