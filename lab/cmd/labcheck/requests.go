package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// A second replica's log is read, and Secrets and ConfigMaps are listed once when
// one of many pods that start together reports a late mount. Nothing else may
// depend on the number of pods; many is a number that no one looks at one by one.
const (
	few   = 2
	many  = 50
	slack = 3
)

// failures are pods whose diagnosis needs most: a crash needs log tails, a
// refused pull needs Secrets.
var failures = map[string]corev1.PodSpec{
	"crash": {Containers: []corev1.Container{{Name: "app", Image: "registry.lab:5000/shop/web:v1", Args: []string{"-exit", "3", "-exit-after", "1s"}}}},
	"pull": {Containers: []corev1.Container{{Name: "app", Image: "registry.lab:5001/private/web:v1"}},
		ImagePullSecrets: []corev1.LocalObjectReference{{Name: "regcred"}}},
}

// requests checks that the number of API requests for one workload does not
// grow with the number of its failing pods.
func requests(ctx context.Context, l lab) (err error) {
	const namespace = "labcheck-requests"
	core := l.client.CoreV1()
	if _, err := core.Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}}, metav1.CreateOptions{}); err != nil {
		return err
	}
	defer func() {
		err = errors.Join(err, core.Namespaces().Delete(context.WithoutCancel(ctx), namespace, metav1.DeleteOptions{}))
	}()
	if err := l.wait(ctx, func() (bool, error) {
		_, err := core.ServiceAccounts(namespace).Get(ctx, "default", metav1.GetOptions{})
		return err == nil, ignoreNotFound(err)
	}); err != nil {
		return err
	}
	for name, pod := range failures {
		if _, err := l.client.AppsV1().Deployments(namespace).Create(ctx, deployment(name, pod), metav1.CreateOptions{}); err != nil {
			return err
		}
	}
	for name := range failures {
		var counts []int
		for _, n := range []int32{1, few, many} {
			if err := l.failing(ctx, namespace, name, n); err != nil {
				return err
			}
			a, err := l.unjam.why(ctx, "deployment/"+name, "-n", namespace)
			if err != nil {
				return err
			}
			counts = append(counts, a.requests)
		}
		said := fmt.Sprintf("why deployment/%s: %d API requests for 1 failing pod, %d for %d, %d for %d", name, counts[0], counts[1], few, counts[2], many)
		fmt.Println(said)
		if max(counts[1], counts[2]) > counts[0]+slack {
			return errors.New(said)
		}
		if err := l.scale(ctx, namespace, name, 0); err != nil {
			return err
		}
	}
	return nil
}

func deployment(name string, pod corev1.PodSpec) *appsv1.Deployment {
	labels := map[string]string{"app": name}
	zero, second := int32(0), int64(1)
	pod.TerminationGracePeriodSeconds = &second
	return &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: appsv1.DeploymentSpec{Replicas: &zero, Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels}, Spec: pod}},
	}
}

// failing scales a Deployment and waits until each of its pods has failed.
func (l lab) failing(ctx context.Context, namespace, name string, pods int32) error {
	if err := l.scale(ctx, namespace, name, pods); err != nil {
		return err
	}
	return l.wait(ctx, func() (bool, error) {
		list, err := l.client.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{LabelSelector: "app=" + name})
		if err != nil {
			return false, err
		}
		n := int32(0)
		for _, p := range list.Items {
			for _, c := range p.Status.ContainerStatuses {
				if c.RestartCount > 0 || (c.State.Waiting != nil && (c.State.Waiting.Reason == "ImagePullBackOff" || c.State.Waiting.Reason == "ErrImagePull")) {
					n++
				}
			}
		}
		return n == pods, nil
	})
}

// scale patches rather than updates: the controller writes the same object.
func (l lab) scale(ctx context.Context, namespace, name string, pods int32) error {
	patch := fmt.Appendf(nil, `{"spec":{"replicas":%d}}`, pods)
	_, err := l.client.AppsV1().Deployments(namespace).Patch(ctx, name, types.MergePatchType, patch, metav1.PatchOptions{})
	return err
}

// wait repeats a query for up to three minutes.
func (l lab) wait(ctx context.Context, done func() (bool, error)) error {
	ctx, cancel := context.WithTimeoutCause(ctx, 3*time.Minute, errors.New("not within three minutes"))
	defer cancel()
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	for {
		if ok, err := done(); ok || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick.C:
		}
	}
}

func ignoreNotFound(err error) error {
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}
