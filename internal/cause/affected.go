package cause

import (
	"slices"

	"github.com/unjam-dev/unjam/internal/facts"
)

// touch records that the finding concerns a pod and, where given, one of its
// containers. Names are kept sorted and without repeats.
func (fd *Finding) touch(p *facts.Pod, c *facts.Container) {
	fd.Pods = insert(fd.Pods, p.Name())
	if n := p.NodeName(); n != "" {
		fd.Nodes = insert(fd.Nodes, n)
	}
	if c != nil {
		fd.Containers = insert(fd.Containers, c.Name)
	}
	fd.Old = fd.Old && !p.New
}

func insert(list []string, s string) []string {
	i, found := slices.BinarySearch(list, s)
	if found {
		return list
	}
	return slices.Insert(list, i, s)
}

// waitingPods are the live pods of the workload that are not Ready, newest
// revision first: those a cause has to account for.
func waitingPods(w *facts.Workload) []*facts.Pod {
	var out []*facts.Pod
	for _, p := range livePods(w.Pods) {
		if p.Phase != facts.PhaseReady {
			out = append(out, p)
		}
	}
	return out
}
