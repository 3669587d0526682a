package fit

import (
	"cmp"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/component-helpers/scheduling/corev1/nodeaffinity"
)

// Failure is one check a node fails for a pod.
type Failure struct {
	Check Check
	// Resource, Need, Free and Total belong to Resources and Slots: millicores
	// for cpu, else bytes or units. Total is the node's allocatable.
	Resource          corev1.ResourceName
	Need, Free, Total int64
	// Taint is the first taint that is not tolerated.
	Taint corev1.Taint
	// Holders are the pods in the way: of a port, by anti-affinity, of a claim.
	Holders []*corev1.Pod
	// Detail is what the node lacks, in a few words without the node's name.
	Detail string
	// Object is the claim, volume or topology key concerned.
	Object string
}

// Never is true when even the empty node would not do.
func (f Failure) Never() bool { return f.Check == Resources && f.Need > f.Total }

// NodeFit is one node with every check it fails; none means the pod fits.
type NodeFit struct {
	Node     *corev1.Node
	Failures []Failure
}

// Failed returns the failure of a check.
func (n NodeFit) Failed(c Check) (Failure, bool) {
	for _, f := range n.Failures {
		if f.Check == c {
			return f, true
		}
	}
	return Failure{}, false
}

// Evaluation is a pod against every node.
type Evaluation struct {
	Pod   *corev1.Pod
	Nodes []NodeFit
	// Claims is what a claim of the pod lacks whatever the node: it does not
	// exist, has lost its volume or is not bound. The scheduler then looks at no
	// node at all.
	Claims []Failure
	trial  *trial
}

// Group is a set of nodes that fail the same checks.
type Group struct {
	Key   string
	Nodes []NodeFit
}

// Groups sorts the nodes by the set of checks they fail, the smallest set first.
func (e *Evaluation) Groups() []Group {
	index := map[string]int{}
	var out []Group
	for _, n := range e.Nodes {
		names := make([]string, 0, len(n.Failures))
		for _, f := range n.Failures {
			names = append(names, string(f.Check)+string(f.Resource))
		}
		k := strings.Join(names, "+")
		i, ok := index[k]
		if !ok {
			i = len(out)
			index[k] = i
			out = append(out, Group{Key: k})
		}
		out[i].Nodes = append(out[i].Nodes, n)
	}
	slices.SortStableFunc(out, func(a, b Group) int {
		return cmp.Or(cmp.Compare(len(a.Nodes[0].Failures), len(b.Nodes[0].Failures)), cmp.Compare(a.Key, b.Key))
	})
	return out
}

// Fitting are the nodes that fail nothing; none while a claim is not ready.
func (e *Evaluation) Fitting() []*corev1.Node {
	if len(e.Claims) > 0 {
		return nil
	}
	return e.open()
}

// open are the nodes that fail nothing themselves.
func (e *Evaluation) open() []*corev1.Node {
	var out []*corev1.Node
	for _, n := range e.Nodes {
		if len(n.Failures) == 0 {
			out = append(out, n.Node)
		}
	}
	return out
}

// Evaluate computes every check of every node. Answers are kept, so asking
// again for the same pod, or for one like it, costs nothing.
func (c *Cluster) Evaluate(pod *corev1.Pod) *Evaluation {
	c.index()
	c.mu.Lock()
	defer c.mu.Unlock()
	id := identity(pod)
	if e := c.evals[id]; e != nil {
		return e.of(pod)
	}
	e := c.evaluate(pod, nil, "")
	c.evals[id] = e
	return e
}

// of is the same answer for another pod of the shape.
func (e *Evaluation) of(pod *corev1.Pod) *Evaluation {
	if e.Pod == pod {
		return e
	}
	out := *e
	out.Pod = pod
	return &out
}

// FitsIfGone tells whether some node would take the pod once the given pods
// have left; with none given, whether it fits now. It is false when that cannot
// be known, because nodes or pods were not seen or the pod claims devices.
func (c *Cluster) FitsIfGone(pod *corev1.Pod, gone []*corev1.Pod) bool {
	if !c.Decides(pod) {
		return false
	}
	c.index()
	return len(c.evaluate(pod, gone, "").Fitting()) > 0
}

// evaluate asks all nodes, or only the named one.
func (c *Cluster) evaluate(pod *corev1.Pod, gone []*corev1.Pod, only string) *Evaluation {
	t := c.newTrial(pod, gone)
	e := &Evaluation{Pod: pod, Claims: t.claims, trial: t}
	if only != "" {
		if s := c.byName[only]; s != nil {
			e.Nodes = append(e.Nodes, NodeFit{s.node, t.check(s, s.node)})
		}
		return e
	}
	for _, s := range c.states {
		e.Nodes = append(e.Nodes, NodeFit{s.node, t.check(s, s.node)})
	}
	return e
}

// trial is one pod tried on nodes, with what is computed once for all of them.
type trial struct {
	c        *Cluster
	pod      *corev1.Pod
	need     amounts
	ports    []hostPort
	affinity nodeaffinity.RequiredNodeAffinity
	gone     map[*corev1.Pod]bool
	spreads  []spread
	peers    peerRules
	volumes  []podVolume
	more     map[*nodeState]int // pods of this shape put there in the trial
	claims   []Failure          // what a claim's state forbids on every node
}

func (c *Cluster) newTrial(pod *corev1.Pod, gone []*corev1.Pod) *trial {
	t := &trial{c: c, pod: pod, need: podAmounts(pod), ports: hostPorts(pod), affinity: nodeaffinity.GetRequiredNodeAffinity(pod),
		gone: make(map[*corev1.Pod]bool, len(gone)+1)}
	for _, p := range gone {
		t.gone[p] = true
	}
	t.gone[pod] = true // a bound pod does not stand in its own way
	t.volumes = c.podVolumes(pod)
	for i := range t.volumes {
		t.volumes[i].holder = t.rwopHolder(t.volumes[i])
	}
	t.claims = t.claimState()
	t.spreads = t.newSpreads()
	t.peers = t.newPeerRules()
	return t
}

// check runs the scheduler's filters in its order without stopping at the
// first. node may be a changed copy of the state's node.
func (t *trial) check(s *nodeState, node *corev1.Node) []Failure {
	out := t.cordoned(node)
	out = append(out, t.taints(node)...)
	out = append(out, t.nodeAffinity(node)...)
	out = append(out, t.hostPorts(s)...)
	out = append(out, t.resources(s)...)
	out = append(out, t.volumeChecks(s, node)...)
	out = append(out, t.spreadChecks(node)...)
	return append(out, t.peerChecks(node)...)
}

// podsOn are the pods that count on a node in this trial.
func (t *trial) podsOn(s *nodeState) []*corev1.Pod {
	if len(t.gone) == 0 {
		return s.pods
	}
	out := make([]*corev1.Pod, 0, len(s.pods))
	for _, p := range s.pods {
		if !t.gone[p] {
			out = append(out, p)
		}
	}
	return out
}
