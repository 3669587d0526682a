package capture

import (
	"cmp"
	"iter"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/unjam-dev/unjam/internal/snapshot"
)

// name is a Secret or ConfigMap by namespace and name.
type name struct{ namespace, name string }

// need is what the failures seen so far depend on.
type need struct {
	// secrets are those whose content must be judged: pull secrets of pods that
	// cannot pull, and those a container's start-up waits for.
	secrets map[name]bool
	// configMaps are the same for ConfigMaps.
	configMaps map[name]bool
	// exist is true when a failure names some object of the kind, so that it
	// matters which exist.
	secretsExist, configMapsExist bool
}

func (n need) namespaces(of map[name]bool) []string {
	seen := map[string]bool{}
	for k := range of {
		seen[k.namespace] = true
	}
	return slices.Sorted(maps.Keys(seen))
}

// needs reads out of pods and events which Secrets and ConfigMaps matter.
func needs(o *snapshot.Objects) need {
	n := need{secrets: map[name]bool{}, configMaps: map[name]bool{}}
	accounts := map[name][]corev1.LocalObjectReference{}
	for _, a := range o.ServiceAccounts {
		accounts[name{a.Namespace, a.Name}] = a.ImagePullSecrets
	}
	mounts := failedMounts(o.Events)
	for _, p := range o.Pods {
		pull, config := waits(p)
		if pull {
			n.secretsExist = true
			refs := slices.Concat(p.Spec.ImagePullSecrets, accounts[name{p.Namespace, cmp.Or(p.Spec.ServiceAccountName, "default")}])
			for _, r := range refs {
				if r.Name != "" {
					n.secrets[name{p.Namespace, r.Name}] = true
				}
			}
		}
		if config || mounts[name{p.Namespace, p.Name}] {
			n.addReferences(p)
		}
	}
	return n
}

// waits reports whether a container of the pod waits for its image, or for its
// configuration.
func waits(p *corev1.Pod) (pull, config bool) {
	for _, list := range [][]corev1.ContainerStatus{p.Status.InitContainerStatuses, p.Status.ContainerStatuses} {
		for i := range list {
			w := list[i].State.Waiting
			if w == nil {
				continue
			}
			switch {
			case strings.Contains(w.Reason, "CreateContainerConfigError"):
				config = true
			case strings.Contains(w.Reason, "Pull"), strings.Contains(w.Reason, "Image"), strings.Contains(w.Reason, "Registry"), strings.Contains(w.Reason, "Signature"):
				pull = true
			}
		}
	}
	return pull, config
}

// failedMounts are the pods whose volumes could not be set up.
func failedMounts(events []*corev1.Event) map[name]bool {
	out := map[name]bool{}
	for _, e := range events {
		if e.Reason == "FailedMount" && (strings.Contains(e.Message, "secret") || strings.Contains(e.Message, "configmap")) {
			out[name{e.InvolvedObject.Namespace, e.InvolvedObject.Name}] = true
		}
	}
	return out
}

// addReferences adds every Secret and ConfigMap that the pod's containers and
// volumes name.
func (n *need) addReferences(p *corev1.Pod) {
	n.secretsExist, n.configMapsExist = true, true
	secret := func(s string) {
		if s != "" {
			n.secrets[name{p.Namespace, s}] = true
		}
	}
	config := func(s string) {
		if s != "" {
			n.configMaps[name{p.Namespace, s}] = true
		}
	}
	for _, list := range [][]corev1.Container{p.Spec.InitContainers, p.Spec.Containers} {
		for i := range list {
			for _, e := range list[i].EnvFrom {
				if e.SecretRef != nil {
					secret(e.SecretRef.Name)
				}
				if e.ConfigMapRef != nil {
					config(e.ConfigMapRef.Name)
				}
			}
			for _, e := range list[i].Env {
				if e.ValueFrom == nil {
					continue
				}
				if e.ValueFrom.SecretKeyRef != nil {
					secret(e.ValueFrom.SecretKeyRef.Name)
				}
				if e.ValueFrom.ConfigMapKeyRef != nil {
					config(e.ValueFrom.ConfigMapKeyRef.Name)
				}
			}
		}
	}
	for _, v := range p.Spec.Volumes {
		if v.Secret != nil {
			secret(v.Secret.SecretName)
		}
		if v.ConfigMap != nil {
			config(v.ConfigMap.Name)
		}
		if v.Projected == nil {
			continue
		}
		for _, s := range v.Projected.Sources {
			if s.Secret != nil {
				secret(s.Secret.Name)
			}
			if s.ConfigMap != nil && s.ConfigMap.Name != "kube-root-ca.crt" { // in every pod
				config(s.ConfigMap.Name)
			}
		}
	}
}

// sorted goes through a set of names in order.
func sorted(set map[name]bool) iter.Seq[name] {
	return slices.Values(slices.SortedFunc(maps.Keys(set), func(a, b name) int {
		return cmp.Or(cmp.Compare(a.namespace, b.namespace), cmp.Compare(a.name, b.name))
	}))
}
