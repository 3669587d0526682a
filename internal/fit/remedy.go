package fit

import (
	"cmp"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
)

// Action is one small change that may make a pod fit.
type Action string

// The actions in the order of how little they change.
const (
	Wait     Action = "wait"     // for terminating pods of the node
	Shrink   Action = "shrink"   // the request of one resource
	Uncordon Action = "uncordon" // the node
	Tolerate Action = "tolerate" // a taint
	Label    Action = "label"    // the node
	Relax    Action = "relax"    // a spread or affinity rule of the pod
	Leave    Action = "leave"    // pods in the way go
)

// Remedy is a change that was tried out: with all of its steps done, Node takes the pod.
type Remedy struct {
	Node  string
	Steps []RemedyStep
	// node and retry are the changed node and the trial with the change.
	node  *corev1.Node
	retry *trial
}

// RemedyStep is one action of a remedy.
type RemedyStep struct {
	Action Action
	// Resource and Amount are of Shrink: the largest request that fits.
	Resource corev1.ResourceName
	Amount   int64
	Taint    corev1.Taint
	// Key and Value are of Label.
	Key, Value string
	// Pods are those waited for or leaving.
	Pods []*corev1.Pod
	// Check is the failure the step removes.
	Check Check
}

// tried bounds how many nodes are tried out per pod.
const tried = 8

// remedies tries the cheapest nodes with the change each of their failures asks
// for, and keeps those that then fit.
func (c *Cluster) remedies(e *Evaluation) []Remedy {
	nodes := slices.Clone(e.Nodes)
	slices.SortStableFunc(nodes, func(a, b NodeFit) int { return cmp.Compare(c.price(e.Pod, a), c.price(e.Pod, b)) })
	var out []Remedy
	seen := map[string]bool{}
	for _, n := range nodes[:min(len(nodes), tried)] {
		if controlPlane(n) && !controlPlane(nodes[0]) {
			continue // kept free on purpose while there are other nodes
		}
		r, ok := c.tryOut(e, n)
		if !ok {
			continue
		}
		// Equal changes on several nodes say nothing new.
		key := ""
		for _, s := range r.Steps {
			key += string(s.Action) + string(s.Resource) + s.Taint.Key + s.Key
		}
		if !seen[key] {
			seen[key] = true
			out = append(out, r)
		}
	}
	slices.SortStableFunc(out, func(a, b Remedy) int {
		return cmp.Or(cmp.Compare(len(a.Steps), len(b.Steps)), cmp.Compare(a.reach(), b.reach()))
	})
	return out
}

// reach ranks a remedy by the step that touches most: first what changes
// nothing, then the pod's own size, a node, the pod's rules, other pods.
func (r Remedy) reach() int {
	most := 0
	for _, s := range r.Steps {
		most = max(most, slices.Index([]Action{Wait, Shrink, Uncordon, Tolerate, Label, Relax, Leave}, s.Action))
	}
	return most
}

func controlPlane(n NodeFit) bool {
	f, ok := n.Failed(Taint)
	return ok && ClassOf(f.Taint) == TaintControlPlane
}

// tryOut builds the changed pod and node and evaluates all checks again.
func (c *Cluster) tryOut(e *Evaluation, n NodeFit) (Remedy, bool) {
	pod := e.Pod
	state := c.byName[n.Node.Name]
	changedPod, changedNode := pod.DeepCopy(), n.Node.DeepCopy()
	r := Remedy{Node: n.Node.Name}
	gone := []*corev1.Pod{pod}
	shrunk := amounts{}
	for _, f := range n.Failures {
		step := RemedyStep{Check: f.Check}
		switch f.Check {
		case Resources:
			if leaving := freedBy(state, f); leaving != nil {
				step.Action, step.Pods = Wait, leaving
				gone = append(gone, leaving...)
				break
			}
			if f.Free <= 0 {
				return Remedy{}, false
			}
			step.Action, step.Resource, step.Amount = Shrink, f.Resource, f.Free
			shrunk[f.Resource] = f.Free
		case Cordoned:
			step.Action = Uncordon
			changedNode.Spec.Unschedulable = false
			changedNode.Spec.Taints = slices.DeleteFunc(changedNode.Spec.Taints, func(t corev1.Taint) bool { return t.Key == corev1.TaintNodeUnschedulable })
		case Taint:
			if ClassOf(f.Taint) != TaintDedicated && ClassOf(f.Taint) != TaintControlPlane {
				return Remedy{}, false
			}
			step.Action, step.Taint = Tolerate, f.Taint
			changedPod.Spec.Tolerations = append(changedPod.Spec.Tolerations, corev1.Toleration{Key: f.Taint.Key, Operator: corev1.TolerationOpEqual, Value: f.Taint.Value, Effect: f.Taint.Effect})
		case NodeAffinity:
			k, v, ok := oneLabel(pod, n.Node)
			if !ok {
				return Remedy{}, false
			}
			step.Action, step.Key, step.Value = Label, k, v
			if changedNode.Labels == nil {
				changedNode.Labels = map[string]string{}
			}
			changedNode.Labels[k] = v
		case HostPort, AntiAffinity, ExistingAnti, RWOP:
			step.Action, step.Pods = Leave, f.Holders
			gone = append(gone, f.Holders...)
		case Spread, SpreadLabel:
			step.Action = Relax
			changedPod.Spec.TopologySpreadConstraints = nil
		default:
			return Remedy{}, false
		}
		r.Steps = append(r.Steps, step)
	}
	t := c.retry(e.trial, changedPod, gone)
	for name, n := range shrunk {
		t.need[name] = n
	}
	r.node, r.retry = changedNode, t
	return r, len(t.check(state, changedNode)) == 0
}

// retry is a new trial. Counts over the whole cluster are taken from the first
// one when they cannot have changed: no pod leaves and no rule is dropped.
func (c *Cluster) retry(first *trial, pod *corev1.Pod, gone []*corev1.Pod) *trial {
	if len(gone) > 1 || len(pod.Spec.Tolerations) != len(first.pod.Spec.Tolerations) || len(pod.Spec.TopologySpreadConstraints) != len(first.pod.Spec.TopologySpreadConstraints) {
		return c.newTrial(pod, gone)
	}
	t := *first
	t.pod, t.need = pod, maps.Clone(first.need)
	return &t
}

// freedBy are the terminating pods of a node whose end makes room, nil when
// they do not suffice.
func freedBy(s *nodeState, f Failure) []*corev1.Pod {
	var out []*corev1.Pod
	freed := int64(0)
	for _, p := range s.pods {
		if p.DeletionTimestamp != nil {
			freed += podAmounts(p)[f.Resource]
			out = append(out, p)
		}
	}
	if freed == 0 || f.Free+freed < f.Need {
		return nil
	}
	return out
}

// oneLabel is the single nodeSelector label a node lacks to be chosen. Labels
// that describe what a node is (arch, os, zone, name) cannot be given.
func oneLabel(pod *corev1.Pod, node *corev1.Node) (key, value string, ok bool) {
	for k, v := range pod.Spec.NodeSelector {
		if have, found := node.Labels[k]; found && have == v {
			continue
		}
		if ok || fixedLabel(k) {
			return "", "", false
		}
		key, value, ok = k, v, true
	}
	return key, value, ok
}

func fixedLabel(key string) bool {
	switch key {
	case corev1.LabelHostname, corev1.LabelArchStable, corev1.LabelOSStable, corev1.LabelTopologyZone, corev1.LabelTopologyRegion, corev1.LabelInstanceTypeStable,
		corev1.LabelFailureDomainBetaZone, corev1.LabelFailureDomainBetaRegion, corev1.LabelInstanceType, "beta.kubernetes.io/arch", "beta.kubernetes.io/os":
		return true
	}
	return false
}
