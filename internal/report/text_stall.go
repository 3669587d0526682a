package report

import (
	"fmt"
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// stall writes what several workloads share: what is at fault, how far it
// reaches, whom it holds up, and what mends it for all of them.
func (t *textWriter) stall(s Stall, brief bool) {
	t.wrapped("", stateStyle[s.State].Render(strings.ToUpper(s.State))+"  "+bold.Render(t.sentence(s.Summary)), 2)
	first := s.members[0]
	if brief {
		t.wrapped("  ", faint.Render(fmt.Sprintf("%s (%s)%s; %s", s.Cause, s.Confidence, t.stallSince(s), reach(s))), 2)
		t.wrapped("  ", t.list(t.memberNames(s, 6)), 2)
		t.sharedFix(s, first)
		return
	}
	t.line("")
	t.field("cause", fmt.Sprintf("%s, %s, %s%s", bold.Render(s.Cause), s.Confidence, s.Class, t.stallSince(s)))
	t.field("affected", t.sentence(reach(s)))
	show := 12
	if t.o.Evidence {
		show = len(s.Workloads) + len(s.Beside)
	}
	t.field("workloads", t.list(t.memberNames(s, show)))
	if len(s.Nodes) > 0 {
		t.field("nodes", t.list(names(s.Nodes, show)))
	}
	if len(s.Causes) > 0 {
		t.field("follows", strings.Join(s.Causes, ", ")+faint.Render(" (effects of the above)"))
	}
	if t.o.Evidence {
		for _, v := range s.members {
			t.line("")
			t.verdict(*v)
		}
		return
	}
	example := strings.ToLower(first.Workload.Kind) + "/" + first.Workload.Name + " in " + first.Workload.Namespace
	if first.Primary.Summary != s.Summary {
		example += ": " + t.sentence(first.Primary.Summary)
	}
	t.field("example", example)
	f := *first.Primary
	if len(s.Fix) > 0 {
		f.Fix = s.Fix
	}
	t.proof(f)
}

// list shortens a list of names at its end.
func (t *textWriter) list(s string) string {
	if t.o.Evidence {
		return s
	}
	return ansi.Truncate(s, maxSentence, "…")
}

// reach says how far a stall reaches: N of M.
func reach(s Stall) string {
	n := len(s.Workloads) + len(s.Beside)
	out := fmt.Sprintf("%d workloads", n)
	switch kind, _, _ := strings.Cut(s.Key, " "); {
	case s.Key != "" && s.Users == n:
		out = fmt.Sprintf("all %d workloads that depend on this %s", n, kind)
	case s.Key != "":
		out = fmt.Sprintf("%d of %d workloads that depend on this %s", n, s.Users, kind)
	}
	if s.Pods > 0 {
		out += fmt.Sprintf(", %d pod%s", s.Pods, plural(s.Pods))
	}
	if len(s.Nodes) > 0 && s.AllNodes >= len(s.Nodes) {
		out += fmt.Sprintf(", %d of %d node%s", len(s.Nodes), s.AllNodes, plural(s.AllNodes))
	}
	if other := differing(s); other != "" {
		out += "; " + other
	}
	return out
}

// differing counts the workloads that are not in the state of the stall.
func differing(s Stall) string {
	count := map[string]int{}
	for _, m := range s.Workloads {
		if m.State != s.State {
			count[m.State]++
		}
	}
	var parts []string
	for _, state := range stateNames() {
		if count[state] > 0 {
			parts = append(parts, fmt.Sprintf("%d of them %s", count[state], state))
		}
	}
	if len(s.Beside) > 0 {
		parts = append(parts, fmt.Sprintf("%d of them with another cause first", len(s.Beside)))
	}
	return strings.Join(parts, ", ")
}

func (t *textWriter) stallSince(s Stall) string {
	if s.Since.IsZero() {
		return ""
	}
	return ", since " + t.when(s.Since)
}

// memberNames lists up to n workloads, by namespace.
func (t *textWriter) memberNames(s Stall, n int) string {
	var parts []string
	namespace, left := "", n
	all := append(append([]Member{}, s.Workloads...), s.Beside...)
	for i, m := range all {
		if left == 0 {
			return strings.Join(parts, ", ") + fmt.Sprintf(" and %d more", len(all)-i)
		}
		left--
		ref := strings.ToLower(m.Kind) + "/" + m.Name
		if m.Namespace != namespace {
			ref = m.Namespace + " " + ref
		}
		namespace = m.Namespace
		parts = append(parts, ref)
	}
	return strings.Join(parts, ", ")
}

// sharedFix shows the first remedy for all, or for lack of one that of the
// first workload, which must be repeated for the others.
func (t *textWriter) sharedFix(s Stall, first *Verdict) {
	fixes, label := s.Fix, "fix: "
	if len(fixes) == 0 {
		if first.Primary == nil || len(first.Primary.Fix) == 0 {
			return
		}
		fixes, label = first.Primary.Fix, "fix, for each: "
	}
	t.line("  " + label + t.fixLine(fixes[0]))
}
