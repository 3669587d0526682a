package fit

import (
	"cmp"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Repack is the cure of fragmentation: pods that can move from one node to
// others so that the waiting pod fits.
type Repack struct {
	Node *corev1.Node
	Pods []*corev1.Pod
	// Free is the sum of free room over the nodes that fail nothing but room.
	Resource corev1.ResourceName
	Free     int64
}

// maxMoved is how many pods may move for it to count as fragmentation rather
// than a full cluster; maxNodes and maxTries bound the search.
const (
	maxMoved = 3
	maxNodes = 50
	maxTries = 500
)

// repack looks for a node that is cleared of the fewest pods, each of which
// another node with room takes, checked with all rules.
func (c *Cluster) repack(e *Evaluation) *Repack {
	var short []NodeFit
	for _, n := range e.Nodes {
		if len(n.Failures) == 1 && n.Failures[0].Check == Resources && !n.Failures[0].Never() {
			short = append(short, n)
		}
	}
	if len(short) < 2 {
		return nil
	}
	resource := short[0].Failures[0].Resource
	sum := int64(0)
	for _, n := range short {
		if n.Failures[0].Resource != resource {
			return nil
		}
		sum += n.Failures[0].Free
	}
	if sum < short[0].Failures[0].Need {
		return nil
	}
	slices.SortStableFunc(short, func(a, b NodeFit) int { return cmp.Compare(b.Failures[0].Free, a.Failures[0].Free) })
	short = short[:min(len(short), maxNodes)]
	var best []*corev1.Pod
	var at *corev1.Node
	tries := maxTries
	for _, n := range short {
		if pods := c.clear(e.Pod, n, short, &tries); pods != nil && (best == nil || len(pods) < len(best)) {
			best, at = pods, n.Node
		}
		if len(best) == 1 {
			break
		}
	}
	if best == nil {
		return nil
	}
	return &Repack{Node: at, Pods: best, Resource: resource, Free: sum}
}

// clear finds movable pods of a node that free enough and fit elsewhere.
func (c *Cluster) clear(pod *corev1.Pod, n NodeFit, others []NodeFit, tries *int) []*corev1.Pod {
	f := n.Failures[0]
	free := map[string]int64{}
	for _, o := range others {
		if o.Node.Name != n.Node.Name {
			free[o.Node.Name] = o.Failures[0].Free
		}
	}
	pods := slices.DeleteFunc(slices.Clone(c.byName[n.Node.Name].pods), func(p *corev1.Pod) bool { return !movable(p) || priority(p) > priority(pod) })
	// The largest movable pods first: fewer have to move.
	size := make(map[*corev1.Pod]int64, len(pods))
	for _, p := range pods {
		size[p] = podAmounts(p)[f.Resource]
	}
	slices.SortStableFunc(pods, func(a, b *corev1.Pod) int { return cmp.Compare(size[b], size[a]) })
	var moved []*corev1.Pod
	have := f.Free
	for _, p := range pods {
		if have >= f.Need || len(moved) == maxMoved {
			break
		}
		takes := size[p]
		if takes == 0 {
			break
		}
		for _, o := range others {
			room, ok := free[o.Node.Name]
			if !ok || room < takes || *tries <= 0 {
				continue
			}
			if *tries--; c.takes(p, o.Node.Name) {
				free[o.Node.Name] -= takes
				moved, have = append(moved, p), have+takes
				break
			}
		}
	}
	if have < f.Need {
		return nil
	}
	return moved
}

func (c *Cluster) takes(p *corev1.Pod, node string) bool {
	e := c.evaluate(p, []*corev1.Pod{p}, node)
	return len(e.Nodes) == 1 && len(e.Nodes[0].Failures) == 0
}

// movable pods are remade elsewhere by a controller and hold nothing local.
func movable(p *corev1.Pod) bool {
	ref := metav1.GetControllerOf(p)
	if ref == nil || ref.Kind == "DaemonSet" || ref.Kind == "Node" || p.DeletionTimestamp != nil || len(ClaimNames(p)) > 0 {
		return false
	}
	return p.Annotations["cluster-autoscaler.kubernetes.io/safe-to-evict"] != "false"
}
