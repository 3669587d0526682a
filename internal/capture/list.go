package capture

import (
	"context"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	corev1 "k8s.io/api/core/v1"

	"github.com/unjam-dev/unjam/internal/snapshot"
)

// list reads all objects of a kind in a namespace (empty for all), page by
// page. What was read before an error stays; the error becomes a gap.
func (c *capture) list(ctx context.Context, k *snapshot.Kind, namespace, selector string) bool {
	err := c.pages(ctx, k, namespace, selector)
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil {
		c.first = append(c.first, err)
		c.snap.Gaps = append(c.snap.Gaps, gapOf(k, "list", namespace, "", err))
		return false
	}
	c.read++
	return true
}

// listPart reads some objects of a kind beside the main list. The namespace
// itself stays unread, which the origin already says, so an error is no gap
// of its own.
func (c *capture) listPart(ctx context.Context, k *snapshot.Kind, namespace, selector string) {
	_ = c.pages(ctx, k, namespace, selector)
}

// partialError is an error after some pages were read.
type partialError struct{ error }

func (e partialError) Unwrap() error { return e.error }

func (c *capture) pages(ctx context.Context, k *snapshot.Kind, namespace, selector string) error {
	ctx, cancel := context.WithTimeout(ctx, c.opt.ListTimeout)
	defer cancel()
	objects := &c.snap.Objects
	opt := metav1.ListOptions{Limit: c.opt.PageSize, FieldSelector: selector}
	start, restarted := k.Len(objects), false
	for {
		list := k.NewList()
		err := c.client.page(ctx, k, namespace, opt, list)
		if apierrors.IsResourceExpired(err) && opt.Continue != "" && !restarted {
			// The list outlived the server's history: take it in one piece.
			restarted = true
			k.Truncate(objects, start)
			opt.Continue, opt.Limit = "", 0
			continue
		}
		if err != nil {
			if k.Len(objects) > start {
				err = partialError{err}
			}
			return err
		}
		k.Take(objects, list)
		m, err := meta.ListAccessor(list)
		if err != nil {
			return err
		}
		if opt.Continue = m.GetContinue(); opt.Continue == "" {
			return nil
		}
	}
}

// neighbours reads the pods of all other namespaces for scheduling arithmetic,
// but only when a pod here waits for a node: it is the one list that grows
// with the cluster instead of the namespace.
func (c *capture) neighbours(ctx context.Context) {
	k := snapshot.KindOfResource("pods")
	here := []string{c.opt.Namespace}
	if !unscheduled(c.snap.Objects.Pods) {
		c.gap(snapshot.Gap{Resource: k.Resource, Except: here, Reason: snapshot.GapNotNeeded, Detail: "no pod here waits for a node"})
		return
	}
	ctx, cancel := context.WithTimeout(ctx, c.opt.ListTimeout)
	defer cancel()
	pods := []*corev1.Pod{}
	opt := metav1.ListOptions{Limit: c.opt.PageSize,
		FieldSelector: "spec.nodeName!=,status.phase!=Succeeded,status.phase!=Failed,metadata.namespace!=" + c.opt.Namespace}
	for {
		list := &corev1.PodList{}
		if err := c.client.page(ctx, k, "", opt, list); err != nil {
			g := gapOf(k, "list", "", "", err)
			g.Except = here
			c.gap(g)
			return
		}
		for i := range list.Items {
			pods = append(pods, snapshot.Neighbour(&list.Items[i]))
		}
		if opt.Continue = list.Continue; opt.Continue == "" {
			break
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.snap.Objects.Neighbours = pods
}

// unscheduled reports whether a live pod has no node yet.
func unscheduled(pods []*corev1.Pod) bool {
	for _, p := range pods {
		if p.Spec.NodeName == "" && p.DeletionTimestamp == nil && len(p.Spec.SchedulingGates) == 0 && p.Status.Phase != corev1.PodSucceeded && p.Status.Phase != corev1.PodFailed {
			return true
		}
	}
	return false
}
