package cause

import (
	"fmt"
	"maps"
	"slices"

	"github.com/unjam-dev/unjam/internal/facts"
)

// scope says where a failure on the way to a registry lies, by comparing with
// other nodes, images and registries of the snapshot.
type scope struct {
	// Key folds stalls: "node n1", "registry r" or "host h".
	Key string
	// Node is set when the fault is on that node and not at the registry.
	Node string
	// Words continue a summary, empty or starting with "; ".
	Words    string
	Evidence []Evidence
}

// scopeOf compares. One node that fails where another succeeds is at fault
// itself; many registries failing on one node alike are the node's doing; many
// repositories of one registry are the registry's.
func scopeOf(f *facts.Facts, t *trouble) scope {
	reg, node := t.image.Registry, t.node()
	s := scope{Key: "registry " + reg}
	if h := t.host(); h != reg && h != "" {
		s.Key = "host " + h
	}
	if node != "" {
		if other, e := f.PulledElsewhere(reg, t.nodes); e != nil && !t.first.IsZero() && e.Last.After(t.first) {
			s.Node, s.Key = node, "node "+node
			s.Words = fmt.Sprintf("; node %s pulled from %s at %s, so the fault is on node %s", other, reg, e.Last.UTC().Format("15:04:05"), node)
			s.Evidence = append(s.Evidence, Evidence{"node " + other + " pulls from the same registry meanwhile", e.Receipt()})
			return s
		}
		alike, here := f.FailingOn(node, t.err.Kind), f.FailingAt(reg, t.err.Kind)
		if alike != nil && len(alike.Registries) > 1 && (here == nil || len(here.Nodes) == 1) {
			names := slices.Sorted(maps.Keys(alike.Registries))
			s.Node, s.Key = node, "node "+node
			s.Words = fmt.Sprintf("; pulls from %d registries fail alike on node %s (%s)", len(names), node, list(names))
			return s
		}
	}
	if here := f.FailingAt(reg, t.err.Kind); here != nil && len(here.Repositories) > 1 {
		s.Words = fmt.Sprintf("; %d of its repositories fail alike on %s", len(here.Repositories), nodesWords(slices.Sorted(maps.Keys(here.Nodes))))
	}
	return s
}

// list joins up to three names.
func list(names []string) string {
	out := ""
	for i, n := range names {
		if i == 3 {
			return out + ", …"
		}
		if i > 0 {
			out += ", "
		}
		out += n
	}
	return out
}

// apply applies a scope to a finding.
func (s scope) apply(fd Finding) Finding {
	fd.Key = s.Key
	fd.Summary += s.Words
	fd.Evidence = append(fd.Evidence, s.Evidence...)
	return fd
}
