package capture

import (
	"context"

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
	objects := &c.snap.Objects
	start := k.Len(objects)
	for a := range c.answers(ctx, k, namespace, selector) {
		if a.restart {
			k.Truncate(objects, start)
		}
		err := a.err
		if err == nil {
			err = a.into(c, objects)
		}
		if err != nil {
			if k.Len(objects) > start {
				err = partialError{err}
			}
			return err
		}
	}
	return nil
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
	pods := []*corev1.Pod{}
	selector := "spec.nodeName!=,status.phase!=Succeeded,status.phase!=Failed,metadata.namespace!=" + c.opt.Namespace
	for a := range c.answers(ctx, k, "", selector) {
		var page snapshot.Objects
		err := a.err
		if err == nil {
			err = a.into(c, &page)
		}
		if err != nil {
			g := gapOf(k, "list", "", "", err)
			g.Except = here
			c.gap(g)
			return
		}
		if a.restart {
			pods = pods[:0]
		}
		for _, p := range page.Pods {
			pods = append(pods, snapshot.Neighbour(p))
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
