package fit

import (
	"cmp"
	"slices"

	corev1 "k8s.io/api/core/v1"
)

// Explanation is an evaluation weighed: which nodes come nearest and what
// would make room.
type Explanation struct {
	*Evaluation
	// Nearest are the nodes that need the smallest change, all failing the same
	// checks; empty when a node fits or none was seen.
	Nearest []NodeFit
	// Remedies are changes that were tried out and make the pod fit, smallest first.
	Remedies []Remedy
	// Repack is set when moving a few pods elsewhere makes room.
	Repack *Repack
}

// Explain evaluates and weighs. Answers are kept.
func (c *Cluster) Explain(pod *corev1.Pod) *Explanation {
	e := c.Evaluate(pod)
	c.mu.Lock()
	defer c.mu.Unlock()
	id := identity(pod)
	if x := c.explained[id]; x != nil {
		if x.Pod == pod {
			return x
		}
		out := *x
		out.Evaluation = x.of(pod)
		return &out
	}
	x := &Explanation{Evaluation: e}
	if len(e.Nodes) > 0 && len(e.open()) == 0 {
		x.Nearest = c.nearest(e)
		if c.Decides(pod) {
			x.Remedies = c.remedies(e)
			x.Repack = c.repack(e)
		}
	}
	if len(c.explained) >= c.keep() {
		clear(c.explained)
		clear(c.evals)
	}
	c.explained[id] = x
	return x
}

// keep bounds how many answers are kept: callers ask many times about one
// workload and then turn to the next.
func (c *Cluster) keep() int { return max(8, 100_000/max(len(c.nodes), 1)) }

// nearest picks the cheapest node and those that fail the same checks.
func (c *Cluster) nearest(e *Evaluation) []NodeFit {
	best, price := NodeFit{}, 0
	for _, n := range e.Nodes {
		if p := c.price(e.Pod, n); best.Node == nil || p < price {
			best, price = n, p
		}
	}
	var out []NodeFit
	for _, n := range e.Nodes {
		if sameChecks(n, best) {
			out = append(out, n)
		}
	}
	return out
}

func sameChecks(a, b NodeFit) bool {
	return slices.EqualFunc(a.Failures, b.Failures, func(x, y Failure) bool {
		return x.Check == y.Check && x.Resource == y.Resource && x.Never() == y.Never() && (x.Check != Taint || x.Taint.Key == y.Taint.Key && x.Taint.Value == y.Taint.Value)
	})
}

// price adds what it costs people to remove each failure. Resources come
// first: a node that is only full is nearer than one that is kept free on
// purpose. A node the pod does not select is farthest: not choosing it is
// the pod's own wish.
func (c *Cluster) price(pod *corev1.Pod, n NodeFit) int {
	total := 0
	for _, f := range n.Failures {
		total += priceOf(f)
	}
	if target := TargetNode(pod); target != "" && target != n.Node.Name {
		total += 10000
	}
	return total
}

func priceOf(f Failure) int {
	switch f.Check {
	case Resources:
		switch {
		case f.Total == 0:
			return 300
		case f.Never():
			return 35
		case 2*f.Free < f.Need:
			return 30
		}
		return 20
	case Slots:
		return 31
	case Cordoned:
		return 32
	case Taint:
		switch ClassOf(f.Taint) {
		case TaintHealth, TaintStartup:
			return 60
		case TaintRemoval:
			return 70
		case TaintControlPlane:
			return 90
		}
		return 40
	case HostPort, RWOP, VolumeCount:
		return 45
	case AntiAffinity, Spread:
		return 50
	case PodAffinity, ExistingAnti, SpreadLabel:
		return 55
	case VolumeNode, VolumeZone:
		return 80
	}
	return 100
}

// Price orders printed reasons when nodes were not seen: lower is nearer.
func (r Reason) Price() int {
	switch c := r.Check(); c {
	case Resources:
		return 25
	case Taint, Slots, Cordoned, HostPort, RWOP, VolumeCount, AntiAffinity, Spread, PodAffinity, ExistingAnti, SpreadLabel, VolumeNode, VolumeZone, NodeAffinity:
		return priceOf(Failure{Check: c})
	case Subset:
		return 110
	}
	// What cannot be recomputed was the last hurdle of nodes that passed the rest.
	return 10
}

// Largest is the node with the most room for one resource among those that fail
// nothing but room; ok is false when there is none.
func (e *Evaluation) Largest(r corev1.ResourceName) (best Room, ok bool) {
	for _, room := range e.rooms(r) {
		if !ok || cmp.Or(cmp.Compare(room.Free, best.Free), cmp.Compare(best.Node.Name, room.Node.Name)) > 0 {
			best, ok = room, true
		}
	}
	return best, ok
}

// LargestTotal is the node with the largest allocatable of a resource among the same nodes.
func (e *Evaluation) LargestTotal(r corev1.ResourceName) (best Room, ok bool) {
	for _, room := range e.rooms(r) {
		if !ok || room.Total > best.Total {
			best, ok = room, true
		}
	}
	return best, ok
}

// Room is what one node has of one resource.
type Room struct {
	Node        *corev1.Node
	Free, Total int64
}

// rooms lists the nodes short of r that fail nothing but resources.
func (e *Evaluation) rooms(r corev1.ResourceName) []Room {
	var out []Room
	for _, n := range e.Nodes {
		only := true
		var short *Failure
		for i, f := range n.Failures {
			if f.Check != Resources && f.Check != Slots {
				only = false
			} else if f.Resource == r {
				short = &n.Failures[i]
			}
		}
		if only && short != nil {
			out = append(out, Room{n.Node, short.Free, short.Total})
		}
	}
	return out
}
