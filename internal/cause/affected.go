package cause

import (
	"slices"

	"github.com/unjam-dev/unjam/internal/facts"
)

// touch records that the finding concerns a pod and, where given, one of its
// containers. Names are kept sorted and without repeats.
func (fd *Finding) touch(p *facts.Pod, c *facts.Container) {
	fd.Pods = insert(fd.Pods, p.Name())
	if n := meantFor(p); n != "" {
		fd.Nodes = insert(fd.Nodes, n)
	}
	if c != nil {
		fd.Containers = insert(fd.Containers, c.Name)
	}
	fd.Old = fd.Old && !p.New
}

// meantFor is the node that a pod is on, or that a daemon pod without one was
// made for: its controller names that node in the pod's affinity (kubernetes
// pkg/controller/daemon/util/daemonset_util.go).
func meantFor(p *facts.Pod) string {
	if n := p.NodeName(); n != "" {
		return n
	}
	a := p.Obj.Spec.Affinity
	if p.Workload == nil || p.Workload.DaemonSet == nil || a == nil || a.NodeAffinity == nil || a.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution == nil {
		return ""
	}
	for _, t := range a.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution.NodeSelectorTerms {
		for _, r := range t.MatchFields {
			if r.Key == "metadata.name" && len(r.Values) == 1 {
				return r.Values[0]
			}
		}
	}
	return ""
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
	for _, p := range w.Pods { // nearly all are Ready: make nothing of them
		switch p.Phase {
		case facts.PhaseReady, facts.PhaseTerminate, facts.PhaseDone, facts.PhaseFailed:
		default:
			out = append(out, p)
		}
	}
	return out
}
