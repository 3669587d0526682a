package capture

import (
	"context"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	"github.com/unjam-dev/unjam/internal/snapshot"
)

// PullSecret is a Secret with its content. It is read only when a caller names
// the pod or the Secret, and must stay in memory.
type PullSecret struct {
	Namespace, Name string
	// Secret is nil when there is none of that name.
	Secret *corev1.Secret
}

// PodPulls are what the kubelet takes for the pulls of one pod.
type PodPulls struct {
	// Secrets are those that the pod names, in its order. Admission has copied
	// the ServiceAccount's into the pod when it was made.
	Secrets []PullSecret
	// Account is the pod's ServiceAccount; AccountSecrets are those it names
	// and the pod does not.
	Account        string
	AccountSecrets []string
}

// NamedError says that an object that a caller named could not be read.
type NamedError struct {
	Resource, Namespace, Name string
	Err                       error
}

func (e *NamedError) Error() string {
	return fmt.Sprintf("cannot read %s %s/%s: %v", e.Resource, e.Namespace, e.Name, e.Err)
}

func (e *NamedError) Unwrap() error { return e.Err }

// NotFound tells an object that does not exist from one that cannot be read.
func (e *NamedError) NotFound() bool { return isNotFound(e.Err) }

// ReadPodPulls reads a pod's pull Secrets with their content.
func ReadPodPulls(ctx context.Context, cfg *rest.Config, namespace, pod string) (PodPulls, error) {
	cl, err := newClient(cfg)
	if err != nil {
		return PodPulls{}, err
	}
	p := &corev1.Pod{}
	if err := cl.get(ctx, snapshot.KindOfResource("pods"), namespace, pod, p); err != nil {
		return PodPulls{}, &NamedError{"pod", namespace, pod, err}
	}
	out := PodPulls{Account: p.Spec.ServiceAccountName}
	for _, ref := range p.Spec.ImagePullSecrets {
		s, err := cl.pullSecret(ctx, namespace, ref.Name)
		if err != nil {
			return PodPulls{}, err
		}
		out.Secrets = append(out.Secrets, s)
	}
	if len(out.Secrets) == 0 && out.Account != "" {
		a := &corev1.ServiceAccount{}
		// Without the right to read it this note is simply not made.
		if cl.get(ctx, snapshot.KindOfResource("serviceaccounts"), namespace, out.Account, a) == nil {
			for _, ref := range a.ImagePullSecrets {
				out.AccountSecrets = append(out.AccountSecrets, ref.Name)
			}
		}
	}
	return out, nil
}

// ReadPullSecret reads one Secret with its content.
func ReadPullSecret(ctx context.Context, cfg *rest.Config, namespace, name string) (PullSecret, error) {
	cl, err := newClient(cfg)
	if err != nil {
		return PullSecret{}, err
	}
	return cl.pullSecret(ctx, namespace, name)
}

func (c *client) pullSecret(ctx context.Context, namespace, name string) (PullSecret, error) {
	s := &corev1.Secret{}
	switch err := c.get(ctx, snapshot.KindOfResource("secrets"), namespace, name, s); {
	case isNotFound(err):
		return PullSecret{Namespace: namespace, Name: name}, nil
	case err != nil:
		return PullSecret{}, &NamedError{"secret", namespace, name, err}
	}
	return PullSecret{Namespace: namespace, Name: name, Secret: s}, nil
}

// ReadPlatforms lists the platforms (os/arch) of the cluster's nodes by their
// labels, most frequent first, from at most one page of nodes.
func ReadPlatforms(ctx context.Context, cfg *rest.Config) ([]string, error) {
	cl, err := newClient(cfg)
	if err != nil {
		return nil, err
	}
	list := &metav1.PartialObjectMetadataList{}
	if err := cl.metadataPage(ctx, snapshot.KindOfResource("nodes"), metav1.ListOptions{Limit: 1000}, list); err != nil {
		return nil, err
	}
	count := map[string]int{}
	for i := range list.Items {
		l := list.Items[i].Labels
		if os, arch := l[corev1.LabelOSStable], l[corev1.LabelArchStable]; os != "" && arch != "" {
			count[os+"/"+arch]++
		}
	}
	var out []string
	for p := range count {
		out = append(out, p)
	}
	slices.SortFunc(out, func(a, b string) int {
		if count[a] != count[b] {
			return count[b] - count[a]
		}
		if a < b {
			return -1
		}
		return 1
	})
	return out, nil
}
