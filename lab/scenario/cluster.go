package scenario

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/util/retry"
)

// fieldManager owns what scenarios apply.
const fieldManager = "unjam-scenario"

// Cluster applies scenarios to a cluster.
type Cluster struct {
	typed   kubernetes.Interface
	dynamic dynamic.Interface
	mapper  meta.RESTMapper
	mu      sync.Mutex // the mapper's cache is filled by one caller at a time
}

// Connect opens the cluster of a kubeconfig file.
func Connect(kubeconfig string) (*Cluster, error) {
	cfg, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, fmt.Errorf("kubeconfig %s: %w", kubeconfig, err)
	}
	cfg.WarningHandler = rest.NoWarnings{} // bad manifests are the point
	cfg.QPS = -1                           // a lab has one user; waiting for tokens would only add time
	return newCluster(cfg)
}

func newCluster(cfg *rest.Config) (*Cluster, error) {
	typed, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		return nil, err
	}
	dyn, err := dynamic.NewForConfig(cfg)
	if err != nil {
		return nil, err
	}
	disco, err := discovery.NewDiscoveryClientForConfig(cfg)
	if err != nil {
		return nil, err
	}
	return &Cluster{typed: typed, dynamic: dyn, mapper: restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(disco))}, nil
}

func (c *Cluster) resource(gvk schema.GroupVersionKind, namespace string) (dynamic.ResourceInterface, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	m, err := c.mapper.RESTMapping(gvk.GroupKind(), gvk.Version)
	if err != nil {
		return nil, err
	}
	if m.Scope.Name() == meta.RESTScopeNameNamespace {
		return c.dynamic.Resource(m.Resource).Namespace(namespace), nil
	}
	return c.dynamic.Resource(m.Resource), nil
}

// Apply applies objects in order with server-side apply. A namespace is
// followed by a wait for its default ServiceAccount, without which the first
// pods would be refused.
func (c *Cluster) Apply(ctx context.Context, objs []*unstructured.Unstructured) error {
	for _, u := range objs {
		ri, err := c.resource(u.GroupVersionKind(), u.GetNamespace())
		if err != nil {
			return err
		}
		body, err := json.Marshal(u)
		if err != nil {
			return err
		}
		force := true
		if _, err := ri.Patch(ctx, u.GetName(), types.ApplyPatchType, body, metav1.PatchOptions{FieldManager: fieldManager, Force: &force}); err != nil {
			return fmt.Errorf("apply %s %s: %w", u.GetKind(), u.GetName(), err)
		}
		if u.GetKind() == "Namespace" {
			if err := c.waitServiceAccount(ctx, u.GetName()); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *Cluster) waitServiceAccount(ctx context.Context, namespace string) error {
	return poll(ctx, time.Minute, func() (bool, error) {
		_, err := c.typed.CoreV1().ServiceAccounts(namespace).Get(ctx, "default", metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			return false, nil
		}
		return err == nil, err
	})
}

// Remove deletes what Apply made, cluster-scoped objects first because
// webhooks among them could refuse the rest, and strips finalizers from pods.
func (c *Cluster) Remove(ctx context.Context, objs []*unstructured.Unstructured) error {
	var errs []error
	for pass := range 2 {
		for _, u := range objs {
			last := u.GetNamespace() != "" || u.GetKind() == "Namespace" || u.GetKind() == "PersistentVolume"
			if last != (pass == 1) || (pass == 1 && u.GetNamespace() != "") {
				continue
			}
			if u.GetKind() == "Namespace" {
				errs = append(errs, c.stripFinalizers(ctx, u.GetName()))
			}
			ri, err := c.resource(u.GroupVersionKind(), u.GetNamespace())
			if err != nil {
				errs = append(errs, err)
				continue
			}
			if err := ri.Delete(ctx, u.GetName(), metav1.DeleteOptions{}); err != nil && !apierrors.IsNotFound(err) {
				errs = append(errs, err)
			}
		}
	}
	return errors.Join(errs...)
}

// Clean removes a scenario that an earlier run left in the cluster.
func (c *Cluster) Clean(ctx context.Context, s Scenario) error {
	objs, err := s.Objects("manifest.yaml", Vars{"LAB_IP": "127.0.0.1", "LAB_CA": "", "NODE": "any"})
	if err != nil {
		return err
	}
	return c.Remove(ctx, objs)
}

// WaitGone waits until a namespace that was removed no longer exists.
func (c *Cluster) WaitGone(ctx context.Context, namespace string) error {
	err := poll(ctx, 2*time.Minute, func() (bool, error) {
		_, err := c.typed.CoreV1().Namespaces().Get(ctx, namespace, metav1.GetOptions{})
		return apierrors.IsNotFound(err), nil
	})
	if err != nil {
		return fmt.Errorf("namespace %s does not go: %w", namespace, err)
	}
	return nil
}

func (c *Cluster) stripFinalizers(ctx context.Context, namespace string) error {
	pods, err := c.typed.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	for i := range pods.Items {
		if len(pods.Items[i].Finalizers) == 0 {
			continue
		}
		// Their StatefulSet goes first, or it would make new pods with finalizers.
		err := c.typed.AppsV1().StatefulSets(namespace).DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{})
		if err != nil {
			return err
		}
		_, err = c.typed.CoreV1().Pods(namespace).Patch(ctx, pods.Items[i].Name, types.MergePatchType, []byte(`{"metadata":{"finalizers":null}}`), metav1.PatchOptions{})
		if err != nil && !apierrors.IsNotFound(err) {
			return err
		}
	}
	return nil
}

// WaitComplete waits until every wanted pod of a workload is of the newest
// revision and available.
func (c *Cluster) WaitComplete(ctx context.Context, namespace, workload string, limit time.Duration) error {
	kind, name, err := splitWorkload(workload)
	if err != nil {
		return err
	}
	get := map[string]func() (bool, error){
		"deployment": func() (bool, error) {
			d, err := c.typed.AppsV1().Deployments(namespace).Get(ctx, name, metav1.GetOptions{})
			if err != nil {
				return false, err
			}
			s, n := d.Status, *d.Spec.Replicas
			return s.ObservedGeneration >= d.Generation && s.UpdatedReplicas == n && s.AvailableReplicas == n && s.Replicas == n, nil
		},
		"statefulset": func() (bool, error) {
			d, err := c.typed.AppsV1().StatefulSets(namespace).Get(ctx, name, metav1.GetOptions{})
			if err != nil {
				return false, err
			}
			return d.Status.ObservedGeneration >= d.Generation && d.Status.ReadyReplicas == *d.Spec.Replicas, nil
		},
		"daemonset": func() (bool, error) {
			d, err := c.typed.AppsV1().DaemonSets(namespace).Get(ctx, name, metav1.GetOptions{})
			if err != nil {
				return false, err
			}
			s := d.Status
			return s.ObservedGeneration >= d.Generation && s.DesiredNumberScheduled > 0 && s.NumberAvailable == s.DesiredNumberScheduled, nil
		},
	}[kind]
	if get == nil {
		return fmt.Errorf("cannot wait for a %s", kind)
	}
	if err := poll(ctx, limit, get); err != nil {
		return fmt.Errorf("%s/%s not complete after %v: %w", namespace, workload, limit, err)
	}
	return nil
}

// Nodes returns the names of the Ready nodes.
func (c *Cluster) Nodes(ctx context.Context) ([]string, error) {
	list, err := c.typed.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, err
	}
	var out []string
	for _, n := range list.Items {
		for _, cond := range n.Status.Conditions {
			if cond.Type == corev1.NodeReady && cond.Status == corev1.ConditionTrue {
				out = append(out, n.Name)
			}
		}
	}
	return out, nil
}

// Cordon makes nodes unschedulable or schedulable again.
func (c *Cluster) Cordon(ctx context.Context, nodes []string, on bool) error {
	for _, n := range nodes {
		patch := fmt.Sprintf(`{"spec":{"unschedulable":%v}}`, on)
		if _, err := c.typed.CoreV1().Nodes().Patch(ctx, n, types.StrategicMergePatchType, []byte(patch), metav1.PatchOptions{}); err != nil {
			return err
		}
	}
	return nil
}

// Taint adds or removes a taint written as key=value:effect.
func (c *Cluster) Taint(ctx context.Context, nodes []string, taint string, on bool) error {
	kv, effect, ok := strings.Cut(taint, ":")
	key, value, ok2 := strings.Cut(kv, "=")
	if !ok || !ok2 {
		return fmt.Errorf("taint %q is not key=value:effect", taint)
	}
	for _, name := range nodes {
		// The kubelet and the node controller write the same object.
		err := retry.RetryOnConflict(retry.DefaultBackoff, func() error {
			n, err := c.typed.CoreV1().Nodes().Get(ctx, name, metav1.GetOptions{})
			if err != nil {
				return err
			}
			n.Spec.Taints = slices.DeleteFunc(n.Spec.Taints, func(t corev1.Taint) bool { return t.Key == key })
			if on {
				n.Spec.Taints = append(n.Spec.Taints, corev1.Taint{Key: key, Value: value, Effect: corev1.TaintEffect(effect)})
			}
			_, err = c.typed.CoreV1().Nodes().Update(ctx, n, metav1.UpdateOptions{FieldManager: fieldManager})
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

var errTimeout = errors.New("time is up")

func poll(ctx context.Context, limit time.Duration, done func() (bool, error)) error {
	ctx, cancel := context.WithTimeoutCause(ctx, limit, errTimeout)
	defer cancel()
	var last error
	for {
		ok, err := done()
		if ok {
			return nil
		}
		if err != nil {
			last = err
		}
		if err := sleep(ctx, 500*time.Millisecond); err != nil {
			return errors.Join(context.Cause(ctx), last)
		}
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
