package fit

import (
	"maps"

	corev1 "k8s.io/api/core/v1"
)

// maxTogether bounds how many node checks a trial of many pods may take.
const maxTogether = 50_000

// Together is how many of n pods of this shape the remedy would place at once,
// each of them counted against the next: one that frees a node for a single pod
// does not mend a workload that waits with ten.
func (x *Explanation) Together(r Remedy, n int) int {
	if r.retry == nil {
		return 0
	}
	t := *r.retry
	t.more = map[*nodeState]int{}
	t.own()
	node := func(s *nodeState) *corev1.Node {
		if s.node.Name == r.Node {
			return r.node
		}
		return s.node
	}
	placed, checks := 0, 0
	for before := -1; placed > before && placed < n; {
		before = placed
		for _, s := range t.c.states {
			// With rules over domains one pod at a time goes to each node, so that
			// they spread; else a node is filled.
			for placed < n && checks < maxTogether {
				checks++
				if len(t.check(s, node(s))) > 0 {
					break
				}
				t.settle(s, node(s))
				if placed++; len(t.spreads) > 0 {
					break
				}
			}
		}
	}
	return placed
}

// own copies what settle changes, so that other trials keep theirs.
func (t *trial) own() {
	spreads := make([]spread, len(t.spreads))
	for i, s := range t.spreads {
		s.counts = maps.Clone(s.counts)
		spreads[i] = s
	}
	t.spreads = spreads
	t.peers.attract, t.peers.repel, t.peers.barred = maps.Clone(t.peers.attract), maps.Clone(t.peers.repel), maps.Clone(t.peers.barred)
	t.volumes = append([]podVolume(nil), t.volumes...)
}

// settle counts one more pod of the trial on the node.
func (t *trial) settle(s *nodeState, node *corev1.Node) {
	t.more[s]++
	for i := range t.spreads {
		x := &t.spreads[i]
		v := node.Labels[x.constraint.TopologyKey]
		if _, counted := x.counts[v]; counted && x.self == 1 && !x.everything && t.included(x.constraint, node) {
			x.counts[v]++
			x.measure()
		}
	}
	if t.peers.selfMatch {
		for _, a := range t.peers.affinity {
			if v, ok := node.Labels[a.key]; ok {
				t.peers.attract[domain{a.key, v}]++
			}
		}
	}
	for _, a := range t.peers.anti {
		if v, ok := node.Labels[a.key]; ok && t.c.matches(a, t.pod) {
			t.peers.repel[domain{a.key, v}] = t.pod
		}
	}
	for i := range t.volumes {
		if v := &t.volumes[i]; v.holder == nil && !v.ephemeral && oncePod(v.claim) {
			v.holder = t.pod
		}
	}
}
