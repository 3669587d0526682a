package report

import (
	"fmt"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"github.com/unjam-dev/unjam/internal/plan"
	"github.com/unjam-dev/unjam/internal/snapshot"
	"github.com/unjam-dev/unjam/internal/verdict"
)

func stateNames() []string {
	var out []string
	for _, s := range verdict.States {
		out = append(out, string(s))
	}
	return out
}

// verdict writes one workload in full: the answer first, then who, why, since
// when, what else it could be, and what to do.
func (t *textWriter) verdict(v Verdict) {
	t.wrapped("", t.answer(v), 2)
	p := v.Primary
	if p == nil {
		t.noCause(v)
		return
	}
	t.line("")
	t.finding(*p, v.Workload)
	for _, c := range v.Contributing {
		t.field("also", fmt.Sprintf("%s: %s", bold.Render(c.Cause), t.sentence(c.Summary)))
		if len(c.Fix) > 0 {
			t.fix(0, c.Fix[0])
		}
	}
	if len(v.Explained) > 0 {
		t.field("follows", causeNames(v.Explained)+faint.Render(" (effects of the above)"))
	}
	t.stopped(v)
}

// ownRule is the receipt of a user's own cause: where it is written.
func ownRule(rule string) string {
	if rule == "" {
		return ""
	}
	return " (your rule, " + rule + ")"
}

// stopped says which rules did not look at everything.
func (t *textWriter) stopped(v Verdict) {
	for _, g := range v.Gaps {
		if g.Reason == snapshot.GapStopped {
			t.field("missing", t.sentence(gapText(g)))
		}
	}
}

func (t *textWriter) noCause(v Verdict) {
	if v.State != "healthy" {
		t.line("")
		t.field("pods", counts(v.Workload))
		if !v.Since.IsZero() {
			t.field("since", t.when(v.Since))
		}
	}
	for _, g := range v.Gaps {
		t.field("missing", t.sentence(gapText(g)))
	}
}

func (t *textWriter) finding(f Finding, w Workload) {
	t.field("cause", fmt.Sprintf("%s, %s, %s%s%s", bold.Render(f.Cause), f.Confidence, f.Class, t.since(f), faint.Render(ownRule(f.Rule))))
	if who := affected(f, w); who != "" {
		t.field("affected", who+where(f))
	}
	t.proof(f)
}

// proof is what a finding rests on, what else it could be, and what mends it.
func (t *textWriter) proof(f Finding) {
	if a := f.Attribution; a != nil && a.To != "unknown" {
		t.field("lies with", fmt.Sprintf("the %s: %s", a.To, t.sentence(a.Because)))
	}
	label := "evidence"
	for i, e := range f.Evidence {
		if i == 3 && !t.o.Evidence {
			t.field("", faint.Render(fmt.Sprintf("and %d more (--explain-evidence)", len(f.Evidence)-i)))
			break
		}
		t.evidence(label, e)
		label = ""
	}
	label = "or else"
	for _, r := range f.Rivals {
		t.field(label, fmt.Sprintf("%s; settled by: %s", bold.Render(r.Cause), t.sentence(r.SettledBy)))
		label = ""
	}
	for i, fix := range f.Fix {
		t.fix(i+1, fix)
	}
	if t.o.Evidence {
		for _, c := range f.Checks {
			t.field("check", c.Text)
			if c.Command != "" {
				t.command(c.Command)
			}
		}
	}
}

func (t *textWriter) evidence(label string, e Evidence) {
	r := e.Receipt
	at := ""
	if !r.Time.IsZero() {
		at = r.Time.UTC().Format("15:04:05") + " "
	}
	t.field(label, faint.Render(at)+t.sentence(e.Text))
	text := r.Text
	if t.o.Evidence {
		ref := strings.ToLower(r.Kind) + "/" + r.Name
		if r.Namespace != "" {
			ref = r.Namespace + " " + ref
		}
		t.wrapped(strings.Repeat(" ", labelWidth), faint.Render(ref+" "+r.Field), labelWidth)
	} else {
		text = middle(text, 280)
	}
	if text != "" {
		t.wrapped(strings.Repeat(" ", labelWidth), faint.Render("“"+strings.TrimSpace(text)+"”"), labelWidth)
	}
}

func (t *textWriter) fix(n int, f plan.Fix) {
	text := t.sentence(f.Text)
	if n > 0 {
		text = fmt.Sprintf("%d. %s", n, text)
	}
	if f.Approver != "" {
		text += faint.Render(" (" + f.Approver + ")")
	}
	label := "fix"
	if n != 1 {
		label = ""
	}
	t.field(label, text)
	if f.Command != "" {
		t.command(f.Command)
	}
	if f.Undo != "" {
		t.wrapped(strings.Repeat(" ", labelWidth+2)+faint.Render("undo: "), f.Undo, labelWidth+8)
	}
}

// since says when it began, how often it was tried and when the next try is.
func (t *textWriter) since(f Finding) string {
	var s strings.Builder
	if !f.Since.IsZero() {
		fmt.Fprintf(&s, ", since %s", t.when(f.Since))
	}
	if f.Attempts > 1 {
		fmt.Fprintf(&s, ", %d attempts", f.Attempts)
	}
	if d := f.NextRetry.Sub(t.now); !f.NextRetry.IsZero() && d > 0 {
		fmt.Fprintf(&s, ", next retry in %s", short(d))
	} else if !f.NextRetry.IsZero() {
		s.WriteString(", next retry due now")
	}
	return s.String()
}

func (t *textWriter) when(at time.Time) string {
	return fmt.Sprintf("%s (%s)", at.UTC().Format("15:04:05Z"), short(t.now.Sub(at)))
}

// short is a duration as people say it: two units at most.
func short(d time.Duration) string {
	d = d.Round(time.Second)
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%ds", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%dm%02ds", int(d.Minutes()), int(d.Seconds())%60)
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh%02dm", int(d.Hours()), int(d.Minutes())%60)
	}
	return fmt.Sprintf("%dd", int(d.Hours())/24)
}

// counts says how far a workload is in the words of its kind.
func counts(w Workload) string {
	if w.Kind == "Job" {
		return fmt.Sprintf("%d of %d completions, %d running", w.Pods.Available, w.Pods.Desired, w.Pods.Updated)
	}
	return fmt.Sprintf("%d of %d available, %d of the newest revision", w.Pods.Available, w.Pods.Desired, w.Pods.Updated)
}

// affected counts who a finding holds up, in the words of the kind: pods of a
// whole, nodes of those a DaemonSet wants, a Job's completions.
func affected(f Finding, w Workload) string {
	pods, nodes := len(f.Affected.Pods), len(f.Affected.Nodes)
	var parts []string
	switch {
	case pods == 0:
	case w.Kind == "Job":
		parts = append(parts, fmt.Sprintf("%d pod%s", pods, plural(pods))+onNodes(nodes))
	case w.Kind == "DaemonSet" && nodes > 0:
		parts = append(parts, fmt.Sprintf("%d of %d nodes", nodes, max(w.Pods.Desired, int32(nodes))))
	default:
		parts = append(parts, fmt.Sprintf("%d of %d pods", pods, max(w.Pods.Desired, int32(pods)))+onNodes(nodes))
	}
	if w.Kind == "Job" {
		parts = append(parts, fmt.Sprintf("%d of %d completions", w.Pods.Available, w.Pods.Desired))
	}
	if more := serving(f, w.Pods); more != "" {
		parts = append(parts, more)
	}
	return strings.Join(parts, "; ")
}

func onNodes(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf(" on %d node%s", n, plural(n))
}

func serving(f Finding, p Pods) string {
	if p.OldReady == 0 || f.OldRevision {
		return ""
	}
	if p.OldReady == 1 {
		return "1 pod of the old revision still serves"
	}
	return fmt.Sprintf("%d pods of the old revision still serve", p.OldReady)
}

func where(f Finding) string {
	if len(f.Affected.Pods) == 0 {
		return ""
	}
	s := ": " + names(f.Affected.Pods, 4)
	if len(f.Affected.Containers) > 0 {
		s += ", container " + names(f.Affected.Containers, 3)
	}
	if len(f.Affected.Nodes) > 0 {
		s += ", on " + names(f.Affected.Nodes, 4)
	}
	return s
}

// names lists up to n names and counts the rest.
func names(list []string, n int) string {
	if len(list) <= n {
		return strings.Join(list, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(list[:n], ", "), len(list)-n)
}

func rivalNames(rivals []Rival) string {
	var out []string
	for _, r := range rivals {
		out = append(out, r.Cause)
	}
	return names(out, 3)
}

func causeNames(findings []Finding) string {
	seen := map[string]bool{}
	var out []string
	for _, f := range findings {
		if !seen[f.Cause] {
			seen[f.Cause] = true
			out = append(out, f.Cause)
		}
	}
	return names(out, 4)
}

func plural(n int) string {
	if n == 1 {
		return ""
	}
	return "s"
}

// maxSentence is how many columns a sentence of a finding may take unless all
// evidence is asked for. Sentences are short; the names in them need not be.
const maxSentence = 500

// sentence shortens one that holds a text too long to be meant.
func (t *textWriter) sentence(s string) string {
	if t.o.Evidence {
		return s
	}
	return middle(s, maxSentence)
}

// middle shortens text in its middle to at most n columns: messages begin with
// what was tried and end with why it failed, and both ends matter.
func middle(s string, n int) string {
	if ansi.StringWidth(s) <= n {
		return s
	}
	head := n / 3
	return ansi.Truncate(s, head, "") + " … " + ansi.TruncateLeft(s, ansi.StringWidth(s)-(n-head-3), "")
}

// gaps names what was not seen. Kinds that a file simply does not hold share
// one line; every refused or failed read has its own, with what would settle it.
func (t *textWriter) gaps(r *Report) {
	var absent []string
	var failed []snapshot.Gap
	for _, g := range r.Gaps {
		if g.Reason == snapshot.GapNotNeeded {
			continue
		}
		if g.Reason == snapshot.GapNotCaptured && g.Name == "" {
			if len(g.Except) > 0 {
				continue // seen where it was looked for
			}
			absent = append(absent, g.Resource)
		} else {
			failed = append(failed, g)
		}
	}
	if len(absent)+len(failed) == 0 {
		return
	}
	t.line("")
	if len(absent) > 0 {
		show := 6
		if t.o.Evidence {
			show = len(absent)
		}
		t.wrapped("", faint.Render("not in this source: "+names(absent, show)), 2)
	}
	for i, g := range failed {
		if i == 8 && !t.o.Evidence {
			t.line(fmt.Sprintf("not seen: %d more (--explain-evidence lists all)", len(failed)-i))
			break
		}
		t.wrapped("not seen: ", t.sentence(gapText(g)), 10)
	}
}

func gapText(g snapshot.Gap) string {
	s := g.Resource
	if g.Namespace != "" {
		s += " in " + g.Namespace
	}
	if g.Name != "" {
		s += " " + g.Name
	}
	s += ": " + string(g.Reason)
	if g.Detail != "" {
		s += ", " + g.Detail
	}
	if g.Settle != "" {
		s += "; needs: " + g.Settle
	}
	return s
}
