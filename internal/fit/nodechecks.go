package fit

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/validate/content"
	"k8s.io/component-helpers/scheduling/corev1/nodeaffinity"
)

func (t *trial) cordoned(node *corev1.Node) []Failure {
	taint := corev1.Taint{Key: corev1.TaintNodeUnschedulable, Effect: corev1.TaintEffectNoSchedule}
	if !node.Spec.Unschedulable || tolerated(t.pod.Spec.Tolerations, taint) {
		return nil
	}
	return []Failure{{Check: Cordoned, Detail: "cordoned"}}
}

// taints reports the first taint that keeps new pods away. The cordon's own
// taint is left to the cordoned check, as the scheduler does.
func (t *trial) taints(node *corev1.Node) []Failure {
	for _, taint := range node.Spec.Taints {
		if (taint.Key != corev1.TaintNodeUnschedulable || !node.Spec.Unschedulable) && t.repelled(taint) {
			return []Failure{{Check: Taint, Taint: taint, Detail: "taint " + TaintString(taint)}}
		}
	}
	return nil
}

// repelled tells whether a taint keeps the pod from being placed.
func (t *trial) repelled(taint corev1.Taint) bool {
	return (taint.Effect == corev1.TaintEffectNoSchedule || taint.Effect == corev1.TaintEffectNoExecute) && !tolerated(t.pod.Spec.Tolerations, taint)
}

// TaintString writes a taint as kubectl taint takes it.
func TaintString(t corev1.Taint) string {
	if t.Value == "" {
		return t.Key + ":" + string(t.Effect)
	}
	return t.Key + "=" + t.Value + ":" + string(t.Effect)
}

// tolerated follows corev1.Toleration.ToleratesTaint, with the comparison
// operators of 1.35 and newer.
func tolerated(list []corev1.Toleration, taint corev1.Taint) bool {
	return slices.ContainsFunc(list, func(t corev1.Toleration) bool {
		if t.Effect != "" && t.Effect != taint.Effect || t.Key != "" && t.Key != taint.Key {
			return false
		}
		switch t.Operator {
		case "", corev1.TolerationOpEqual:
			return t.Value == taint.Value
		case corev1.TolerationOpExists:
			return true
		case "Lt", "Gt":
			have, ok1 := decimal(taint.Value)
			want, ok2 := decimal(t.Value)
			return ok1 && ok2 && (t.Operator == "Lt" && have < want || t.Operator == "Gt" && have > want)
		}
		return false
	})
}

// decimal reads an integer as the API does: no plus sign, no leading zero.
func decimal(s string) (int64, bool) {
	if len(content.IsDecimalInteger(s)) > 0 {
		return 0, false
	}
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil
}

func (t *trial) nodeAffinity(node *corev1.Node) []Failure {
	if ok, err := t.affinity.Match(node); ok && err == nil {
		return nil
	}
	return []Failure{{Check: NodeAffinity, Detail: t.missingLabels(node)}}
}

// missingLabels says which wanted label the node lacks: of nodeSelector, and of
// the affinity term that comes nearest.
func (t *trial) missingLabels(node *corev1.Node) string {
	var miss []string
	for k, v := range t.pod.Spec.NodeSelector {
		if have, ok := node.Labels[k]; !ok {
			miss = append(miss, fmt.Sprintf("label %s=%s missing", k, v))
		} else if have != v {
			miss = append(miss, fmt.Sprintf("label %s is %s, not %s", k, have, v))
		}
	}
	slices.Sort(miss)
	if a := t.pod.Spec.Affinity; a != nil && a.NodeAffinity != nil && a.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution != nil {
		var best []string
		for i, term := range a.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution.NodeSelectorTerms {
			m := unmet(term, node)
			if i == 0 || len(m) < len(best) {
				best = m
			}
		}
		miss = append(miss, best...)
	}
	return cmp.Or(strings.Join(miss, ", "), "no node affinity term can match")
}

// unmet lists the requirements of a term that the node does not meet.
func unmet(term corev1.NodeSelectorTerm, node *corev1.Node) []string {
	var out []string
	one := func(r corev1.NodeSelectorRequirement, t corev1.NodeSelectorTerm, have string, ok bool) {
		s, err := nodeaffinity.NewNodeSelector(&corev1.NodeSelector{NodeSelectorTerms: []corev1.NodeSelectorTerm{t}})
		if err == nil && s.Match(node) {
			return
		}
		text := fmt.Sprintf("%s %s", r.Key, strings.ToLower(string(r.Operator)))
		if len(r.Values) > 0 {
			text += " [" + strings.Join(r.Values, " ") + "]"
		}
		if ok {
			text += " wanted, is " + cmp.Or(have, `""`)
		} else {
			text += " wanted, label missing"
		}
		out = append(out, text)
	}
	for _, r := range term.MatchExpressions {
		have, ok := node.Labels[r.Key]
		one(r, corev1.NodeSelectorTerm{MatchExpressions: []corev1.NodeSelectorRequirement{r}}, have, ok)
	}
	for _, r := range term.MatchFields {
		one(r, corev1.NodeSelectorTerm{MatchFields: []corev1.NodeSelectorRequirement{r}}, node.Name, true)
	}
	return out
}

// TargetNode is the one node a DaemonSet's pod is meant for, by its required
// affinity to metadata.name; empty for other pods.
func TargetNode(pod *corev1.Pod) string {
	a := pod.Spec.Affinity
	if a == nil || a.NodeAffinity == nil || a.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution == nil {
		return ""
	}
	name := ""
	for _, term := range a.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution.NodeSelectorTerms {
		found := ""
		for _, r := range term.MatchFields {
			if r.Key == "metadata.name" && r.Operator == corev1.NodeSelectorOpIn && len(r.Values) == 1 {
				found = r.Values[0]
			}
		}
		if found == "" || name != "" && found != name {
			return ""
		}
		name = found
	}
	return name
}

func (t *trial) hostPorts(s *nodeState) []Failure {
	if len(t.ports) > 0 && t.more[s] > 0 {
		want := t.ports[0]
		return []Failure{{Check: HostPort, Holders: []*corev1.Pod{t.pod}, Object: fmt.Sprintf("%d/%s", want.port, want.protocol), Detail: "port taken by its own kind"}}
	}
	for _, want := range t.ports {
		for _, u := range s.ports {
			if !t.gone[u.pod] && want.conflicts(u.port) {
				return []Failure{{Check: HostPort, Holders: []*corev1.Pod{u.pod}, Object: fmt.Sprintf("%d/%s", want.port, want.protocol),
					Detail: fmt.Sprintf("port %d/%s taken by %s/%s", want.port, want.protocol, u.pod.Namespace, u.pod.Name)}}
			}
		}
	}
	return nil
}

func (t *trial) resources(s *nodeState) []Failure {
	var out []Failure
	count := int64(t.more[s])
	used := amounts{}
	for name, n := range t.need {
		used[name] = s.used[name] + count*n
	}
	for _, p := range s.pods {
		if !t.gone[p] {
			count++
			continue
		}
		for name, n := range podAmounts(p) {
			if _, asked := used[name]; asked {
				used[name] -= n
			}
		}
	}
	for _, p := range t.c.nominated[s.node.Name] {
		if t.gone[p] || priority(p) < priority(t.pod) {
			continue
		}
		count++
		for name, n := range podAmounts(p) {
			if _, asked := used[name]; asked {
				used[name] += n
			}
		}
	}
	// A node that has not reported its limit takes no pod yet.
	if limit := s.alloc[corev1.ResourcePods]; count+1 > limit {
		out = append(out, Failure{Check: Slots, Resource: corev1.ResourcePods, Need: 1, Free: max(limit-count, 0), Total: limit,
			Detail: fmt.Sprintf("runs %d pods of %d", count, limit)})
	}
	for _, r := range sortedNeed(t.need) {
		if free := s.alloc[r.Resource] - used[r.Resource]; r.Amount > free {
			out = append(out, Failure{Check: Resources, Resource: r.Resource, Need: r.Amount, Free: max(free, 0), Total: s.alloc[r.Resource],
				Detail: fmt.Sprintf("short of %s by %s", r.Resource, Quantity(r.Resource, r.Amount-max(free, 0)))})
		}
	}
	return out
}

func sortedNeed(a amounts) []Request {
	out := make([]Request, 0, len(a))
	for name, n := range a {
		if n > 0 {
			out = append(out, Request{name, n})
		}
	}
	slices.SortFunc(out, func(x, y Request) int { return cmp.Compare(x.Resource, y.Resource) })
	return out
}

func priority(p *corev1.Pod) int32 {
	if p.Spec.Priority != nil {
		return *p.Spec.Priority
	}
	return 0
}
