package fit

import (
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/selection"
)

// spread is one hard topology spread constraint with its counts
// (pkg/scheduler/framework/plugins/podtopologyspread/filtering.go).
type spread struct {
	constraint corev1.TopologySpreadConstraint
	self       int
	counts     map[string]int
	lowest     int
	lowestAt   string
	// everything is true of an empty selector, which counts nobody.
	everything bool
}

func (t *trial) newSpreads() []spread {
	var out []spread
	for _, c := range t.pod.Spec.TopologySpreadConstraints {
		if c.WhenUnsatisfiable != corev1.DoNotSchedule {
			continue
		}
		sel, err := metav1.LabelSelectorAsSelector(c.LabelSelector)
		if err != nil {
			continue
		}
		sel = withLabelKeys(sel, c.MatchLabelKeys, selection.In, t.pod.Labels)
		s := spread{constraint: c, counts: map[string]int{}, everything: sel.Empty()}
		if sel.Matches(labels.Set(t.pod.Labels)) {
			s.self = 1
		}
		out = append(out, t.count(s, sel))
	}
	return out
}

func (t *trial) count(s spread, sel labels.Selector) spread {
	for _, state := range t.c.states {
		v, ok := state.node.Labels[s.constraint.TopologyKey]
		if !ok || !t.hasAllSpreadKeys(state.node) || !t.included(s.constraint, state.node) {
			continue
		}
		n := 0
		for _, p := range state.pods {
			if sel.Empty() {
				break // matches the pod itself, but counts nobody (podtopologyspread, countPodsMatchSelector)
			}
			if !t.gone[p] && p.DeletionTimestamp == nil && p.Namespace == t.pod.Namespace && sel.Matches(labels.Set(p.Labels)) {
				n++
			}
		}
		s.counts[v] += n
	}
	s.measure()
	return s
}

// measure finds the domain with the fewest pods.
func (s *spread) measure() {
	first := true
	s.lowest, s.lowestAt = 0, ""
	for v, n := range s.counts {
		if first || n < s.lowest || n == s.lowest && v < s.lowestAt {
			s.lowest, s.lowestAt, first = n, v, false
		}
	}
	if m := s.constraint.MinDomains; m != nil && len(s.counts) < int(*m) {
		s.lowest, s.lowestAt = 0, ""
	}
}

func (t *trial) hasAllSpreadKeys(node *corev1.Node) bool {
	for _, c := range t.pod.Spec.TopologySpreadConstraints {
		if c.WhenUnsatisfiable == corev1.DoNotSchedule && !hasLabel(node, c.TopologyKey) {
			return false
		}
	}
	return true
}

func (t *trial) included(c corev1.TopologySpreadConstraint, node *corev1.Node) bool {
	if c.NodeAffinityPolicy == nil || *c.NodeAffinityPolicy == corev1.NodeInclusionPolicyHonor {
		if ok, err := t.affinity.Match(node); !ok || err != nil {
			return false
		}
	}
	return c.NodeTaintsPolicy == nil || *c.NodeTaintsPolicy != corev1.NodeInclusionPolicyHonor || !slices.ContainsFunc(node.Spec.Taints, t.repelled)
}

func (t *trial) spreadChecks(node *corev1.Node) []Failure {
	for _, s := range t.spreads {
		key := s.constraint.TopologyKey
		v, ok := node.Labels[key]
		if !ok {
			return []Failure{{Check: SpreadLabel, Object: key, Detail: "label " + key + " missing"}}
		}
		if skew := s.counts[v] + s.self - s.lowest; skew > int(s.constraint.MaxSkew) {
			where := "the fewest anywhere is"
			if s.lowestAt != "" {
				where = s.lowestAt + " has"
			}
			return []Failure{{Check: Spread, Object: key, Detail: fmt.Sprintf("%s %s already has %d, %s %d, and maxSkew is %d", key, v, s.counts[v], where, s.lowest, s.constraint.MaxSkew)}}
		}
	}
	return nil
}
