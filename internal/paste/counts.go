package paste

import (
	"strings"

	"github.com/unjam-dev/unjam/internal/snapshot"
)

// Counts tell what of a text was understood.
type Counts struct {
	// Pods, Workloads, Nodes and Events are objects that the text names; Workloads
	// are also ReplicaSets, and Others volume claims and the like.
	Pods, Workloads, Nodes, Events, Others int
	// Past are those of the events whose trouble is over.
	Past int
	// Lines are log lines and messages that mean something known, Ignored those
	// and other lines that do not; empty lines are not counted.
	Lines, Ignored int
}

// countObjects counts what a snapshot holds, without what the text does not name.
func (c *Counts) countObjects(s *snapshot.Snapshot) {
	o := &s.Objects
	for _, p := range o.Pods {
		c.Pods += named(p.Name)
	}
	for _, n := range o.Nodes {
		c.Nodes += named(n.Name)
	}
	for _, w := range o.Deployments {
		c.Workloads += named(w.Name)
	}
	for _, w := range o.ReplicaSets {
		c.Workloads += named(w.Name)
	}
	for _, w := range o.StatefulSets {
		c.Workloads += named(w.Name)
	}
	for _, w := range o.DaemonSets {
		c.Workloads += named(w.Name)
	}
	for _, w := range o.Jobs {
		c.Workloads += named(w.Name)
	}
	for _, p := range o.PVCs {
		c.Others += named(p.Name)
	}
}

func named(name string) int {
	if Unnamed(name) {
		return 0
	}
	return 1
}

// About names an object for people, "pod/web-1 in shop"; empty when the text
// does not name it.
func About(kind, namespace, name string) string {
	if name == "" || Unnamed(name) {
		return ""
	}
	s := strings.ToLower(kind) + "/" + name
	if namespace != "" && !Unnamed(namespace) {
		s += " in " + namespace
	}
	return s
}
