package report

import (
	"strings"
	"time"

	"github.com/unjam-dev/unjam/internal/plan"
	"github.com/unjam-dev/unjam/internal/verdict"
)

// Stall is one cause with all it holds up. Every verdict listed that is not
// healthy is in exactly one stall.
type Stall struct {
	// State is the worst of its workloads'.
	State      string `json:"state"`
	Cause      string `json:"cause,omitempty"`
	Family     string `json:"family,omitempty"`
	Class      string `json:"class,omitempty"`
	Confidence string `json:"confidence,omitempty"`
	// Key is the shared thing at fault, such as "registry ghcr.io".
	Key     string `json:"key,omitempty"`
	Summary string `json:"summary"`
	// Workloads are held up, worst first. Beside are held up too, but have another
	// cause that comes first.
	Workloads []Member `json:"workloads"`
	Beside    []Member `json:"beside,omitempty"`
	// Causes are effects of the same thing that stand first in some workloads.
	Causes []string `json:"causes,omitempty"`
	// Users is how many of the workloads judged depend on the shared thing.
	Users int `json:"users"`
	// Pods is how many pods are held up, Nodes where, AllNodes how many nodes
	// there are; 0 when nodes were not read.
	Pods     int       `json:"pods"`
	Nodes    []string  `json:"nodes"`
	AllNodes int       `json:"allNodes"`
	Since    time.Time `json:"since,omitzero"`
	// Fix are the remedies that are the same for all workloads of the stall.
	Fix []plan.Fix `json:"fix"`

	members []*Verdict
}

// Member names a workload of a stall.
type Member struct {
	Kind      string `json:"kind"`
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	State     string `json:"state"`
}

func memberOf(v *Verdict) Member {
	return Member{Kind: v.Workload.Kind, Namespace: v.Workload.Namespace, Name: v.Workload.Name, State: v.State}
}

// newStall joins what verdict.Fold found with the verdicts as they are reported.
func newStall(s verdict.Stall, reported []*Verdict) Stall {
	out := Stall{State: string(s.State), Cause: s.Cause, Confidence: string(s.Confidence), Key: clean(s.Key), Causes: s.Causes,
		Users: s.Users, Pods: s.Pods, Nodes: cleanAll(s.Nodes), AllNodes: s.AllNodes, Since: s.Since.UTC(), Workloads: []Member{}}
	for _, i := range s.Members {
		out.members = append(out.members, reported[i])
		out.Workloads = append(out.Workloads, memberOf(reported[i]))
	}
	for _, i := range s.Beside {
		out.Beside = append(out.Beside, memberOf(reported[i]))
	}
	first := out.members[0]
	if first.Primary != nil {
		out.Family, out.Class = first.Primary.Family, first.Primary.Class
	}
	out.Summary, out.Fix = out.say(first), out.sharedFixes()
	return out
}

// say is the sentence of a stall: that of its only workload, or one that fits all.
func (s *Stall) say(first *Verdict) string {
	p := first.Primary
	switch {
	case p == nil:
		return first.Reason
	case len(s.members) == 1:
		return p.Summary
	}
	same := true
	for _, v := range s.members {
		same = same && v.Primary != nil && v.Primary.Summary == p.Summary
	}
	if same {
		return p.Summary
	}
	if s.Key == "" {
		return p.Title
	}
	return s.Key + ": " + lowerFirst(p.Title)
}

// sharedFixes are the remedies that every workload of the stall has, letter for
// letter: those act on the shared thing.
func (s *Stall) sharedFixes() []plan.Fix {
	out := []plan.Fix{}
	first := s.members[0]
	if first.Primary == nil {
		return out
	}
	for _, fix := range first.Primary.Fix {
		everywhere := true
		for _, v := range s.members[1:] {
			everywhere = everywhere && hasFix(v, fix)
		}
		if everywhere {
			out = append(out, fix)
		}
	}
	return out
}

func hasFix(v *Verdict, fix plan.Fix) bool {
	if v.Primary == nil {
		return false
	}
	for _, f := range v.Primary.Fix {
		if f == fix {
			return true
		}
	}
	return false
}

// lowerFirst writes a title's first word small, unless it is an abbreviation.
func lowerFirst(s string) string {
	if len(s) > 1 && s[0] >= 'A' && s[0] <= 'Z' && s[1] >= 'a' && s[1] <= 'z' {
		return strings.ToLower(s[:1]) + s[1:]
	}
	return s
}
