package fit

import (
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/selection"
)

// domain is one value of a topology key.
type domain struct{ key, value string }

// peerRules are the inter-pod rules of one trial, counted over the cluster
// (pkg/scheduler/framework/plugins/interpodaffinity/filtering.go).
type peerRules struct {
	affinity []term
	// attract counts, per domain, the pods that match all affinity terms.
	attract   map[domain]int
	selfMatch bool
	anti      []term
	// repel holds one pod per domain that the pod's own anti-affinity matches.
	repel map[domain]*corev1.Pod
	// barred holds one pod per domain whose anti-affinity matches the pod.
	barred     map[domain]*corev1.Pod
	barredKeys []string
}

// term is a pod affinity term with its selectors built.
type term struct {
	key        string
	namespaces map[string]bool
	selector   labels.Selector
	nsSelector labels.Selector // nil when absent
}

func newTerm(owner *corev1.Pod, t corev1.PodAffinityTerm) (term, bool) {
	sel, err := metav1.LabelSelectorAsSelector(t.LabelSelector)
	if err != nil {
		return term{}, false
	}
	sel = withLabelKeys(sel, t.MatchLabelKeys, selection.In, owner.Labels)
	sel = withLabelKeys(sel, t.MismatchLabelKeys, selection.NotIn, owner.Labels)
	out := term{key: t.TopologyKey, selector: sel, namespaces: map[string]bool{}}
	for _, ns := range t.Namespaces {
		out.namespaces[ns] = true
	}
	if t.NamespaceSelector != nil {
		if out.nsSelector, err = metav1.LabelSelectorAsSelector(t.NamespaceSelector); err != nil {
			return term{}, false
		}
	} else if len(t.Namespaces) == 0 {
		out.namespaces[owner.Namespace] = true
	}
	return out, true
}

// withLabelKeys adds the owner's own values of the keys to a selector. The API
// server does so when it stores a pod; a pod made from a template has yet to
// meet it, and for one that has it changes nothing.
func withLabelKeys(sel labels.Selector, keys []string, op selection.Operator, own map[string]string) labels.Selector {
	for _, k := range keys {
		if v, ok := own[k]; ok {
			if r, err := labels.NewRequirement(k, op, []string{v}); err == nil {
				sel = sel.Add(*r)
			}
		}
	}
	return sel
}

func (c *Cluster) matches(t term, p *corev1.Pod) bool {
	in := t.namespaces[p.Namespace]
	if !in && t.nsSelector != nil {
		if t.nsSelector.Empty() {
			in = true
		} else if ns := c.ns[p.Namespace]; ns != nil {
			in = t.nsSelector.Matches(labels.Set(ns.Labels))
		}
	}
	return in && t.selector.Matches(labels.Set(p.Labels))
}

func terms(owner *corev1.Pod, list []corev1.PodAffinityTerm) []term {
	var out []term
	for _, x := range list {
		if t, ok := newTerm(owner, x); ok {
			out = append(out, t)
		}
	}
	return out
}

func antiTerms(p *corev1.Pod) []term {
	if a := p.Spec.Affinity; a != nil && a.PodAntiAffinity != nil {
		return terms(p, a.PodAntiAffinity.RequiredDuringSchedulingIgnoredDuringExecution)
	}
	return nil
}

func (t *trial) newPeerRules() peerRules {
	r := peerRules{attract: map[domain]int{}, repel: map[domain]*corev1.Pod{}, barred: map[domain]*corev1.Pod{}}
	if a := t.pod.Spec.Affinity; a != nil && a.PodAffinity != nil {
		r.affinity = terms(t.pod, a.PodAffinity.RequiredDuringSchedulingIgnoredDuringExecution)
	}
	r.anti = antiTerms(t.pod)
	r.selfMatch = len(r.affinity) > 0
	for _, x := range r.affinity {
		r.selfMatch = r.selfMatch && t.c.matches(x, t.pod)
	}
	if len(r.affinity)+len(r.anti) > 0 {
		for _, s := range t.c.states {
			for _, p := range s.pods {
				if !t.gone[p] { // a terminating pod still attracts and repels
					t.countPeer(&r, p, s.node)
				}
			}
		}
	}
	for _, x := range t.c.anti {
		if t.gone[x.pod] {
			continue
		}
		for _, a := range x.terms {
			if v, ok := x.node.Labels[a.key]; ok && t.c.matches(a, t.pod) {
				r.barred[domain{a.key, v}] = x.pod
				if !slices.Contains(r.barredKeys, a.key) {
					r.barredKeys = append(r.barredKeys, a.key)
				}
			}
		}
	}
	return r
}

func (t *trial) countPeer(r *peerRules, p *corev1.Pod, node *corev1.Node) {
	t.countAnti(r, p, node)
	for _, a := range r.affinity {
		if !t.c.matches(a, p) {
			return
		}
	}
	for _, a := range r.affinity {
		if v, ok := node.Labels[a.key]; ok {
			r.attract[domain{a.key, v}]++
		}
	}
}

func (t *trial) countAnti(r *peerRules, p *corev1.Pod, node *corev1.Node) {
	for _, a := range r.anti {
		if v, ok := node.Labels[a.key]; ok && t.c.matches(a, p) {
			r.repel[domain{a.key, v}] = p
		}
	}
}

func (t *trial) peerChecks(node *corev1.Node) []Failure {
	var out []Failure
	r := &t.peers
	for _, a := range r.affinity {
		v, ok := node.Labels[a.key]
		if ok && r.attract[domain{a.key, v}] > 0 {
			continue
		}
		// The first pod of a self-affine group may go anywhere the key exists.
		if ok && len(r.attract) == 0 && r.selfMatch {
			continue
		}
		out = append(out, Failure{Check: PodAffinity, Object: a.key, Detail: fmt.Sprintf("no pod matching %q in its %s", a.selector.String(), a.key)})
		break
	}
	for _, a := range r.anti {
		if p := r.repel[domain{a.key, node.Labels[a.key]}]; p != nil && hasLabel(node, a.key) {
			out = append(out, Failure{Check: AntiAffinity, Object: a.key, Holders: []*corev1.Pod{p},
				Detail: fmt.Sprintf("%s/%s is in the same %s", p.Namespace, p.Name, a.key)})
			break
		}
	}
	for _, key := range r.barredKeys {
		if p := r.barred[domain{key, node.Labels[key]}]; p != nil && hasLabel(node, key) {
			out = append(out, Failure{Check: ExistingAnti, Object: key, Holders: []*corev1.Pod{p},
				Detail: fmt.Sprintf("the anti-affinity of %s/%s keeps it away", p.Namespace, p.Name)})
			break
		}
	}
	return out
}

func hasLabel(node *corev1.Node, key string) bool {
	_, ok := node.Labels[key]
	return ok
}
