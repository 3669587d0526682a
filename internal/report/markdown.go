package report

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/unjam-dev/unjam/internal/facts"
	"github.com/unjam-dev/unjam/internal/snapshot"
)

// WriteMarkdown renders the report for tickets, pull requests and job summaries.
func (r *Report) WriteMarkdown(w io.Writer) error {
	var b strings.Builder
	t := &textWriter{now: r.TakenAt}
	fmt.Fprintf(&b, "### unjam: %s\n\n", orNone(t.counts(r.Summary)))
	fmt.Fprintf(&b, "Seen at %s.\n", r.TakenAt.UTC().Format("2006-01-02 15:04:05 UTC"))
	for _, e := range r.entries(false) {
		if e.stall != nil {
			markdownStall(&b, t, *e.stall)
		} else {
			markdownVerdict(&b, t, *e.verdict)
		}
	}
	title := "\n#### Not seen\n\n"
	for _, g := range r.Gaps {
		if g.Reason == snapshot.GapNotNeeded {
			continue
		}
		fmt.Fprintf(&b, "%s- %s\n", title, inline(gapText(g)))
		title = ""
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func orNone(s string) string {
	if s == "" {
		return "no workloads"
	}
	return s
}

func markdownVerdict(b *strings.Builder, t *textWriter, v Verdict) {
	fmt.Fprintf(b, "\n#### %s %s in %s\n\n", strings.ToUpper(v.State), span(strings.ToLower(v.Workload.Kind)+"/"+v.Workload.Name), span(v.Workload.Namespace))
	if v.Primary == nil {
		fmt.Fprintf(b, "%s\n", inline(v.Reason))
		return
	}
	markdownFinding(b, t, *v.Primary, v.Workload)
	for _, c := range v.Contributing {
		fmt.Fprintf(b, "\nAlso **%s**: %s\n", c.Cause, inline(c.Summary))
	}
	if len(v.Explained) > 0 {
		fmt.Fprintf(b, "\nEffects of the above: %s\n", causeNames(v.Explained))
	}
	for _, g := range v.Gaps {
		if g.Reason == snapshot.GapStopped {
			fmt.Fprintf(b, "\nNot seen: %s\n", inline(gapText(g)))
		}
	}
}

// markdownStall has the shared cause, whom it holds up, and the first
// workload in full.
func markdownStall(b *strings.Builder, t *textWriter, s Stall) {
	fmt.Fprintf(b, "\n#### %s %d workloads\n\n**%s**\n\n", strings.ToUpper(s.State), len(s.Workloads), inline(s.Summary))
	fmt.Fprintf(b, "- cause: `%s` (%s, %s)%s\n- affected: %s\n", s.Cause, s.Confidence, s.Class, t.stallSince(s), inline(reach(s)))
	if len(s.Nodes) > 0 {
		fmt.Fprintf(b, "- nodes: %s\n", inline(names(s.Nodes, 12)))
	}
	if len(s.Causes) > 0 {
		fmt.Fprintf(b, "- effects of the above: %s\n", strings.Join(s.Causes, ", "))
	}
	fmt.Fprintf(b, "- workloads: %s\n", inline(t.memberNames(s, 60)))
	b.WriteString("\nFor example:\n")
	markdownVerdict(b, t, *s.members[0])
}

func markdownFinding(b *strings.Builder, t *textWriter, f Finding, w Workload) {
	fmt.Fprintf(b, "**%s**\n\n- cause: `%s` (%s, %s)%s%s\n", inline(f.Summary), f.Cause, f.Confidence, f.Class, t.since(f), escape(ownRule(f.Rule)))
	if who := affected(f, w); who != "" {
		fmt.Fprintf(b, "- affected: %s\n", inline(who+where(f)))
	}
	if a := f.Attribution; a != nil && a.To != "unknown" {
		fmt.Fprintf(b, "- lies with: the %s (%s)\n", a.To, inline(a.Because))
	}
	for _, r := range f.Rivals {
		fmt.Fprintf(b, "- not ruled out: `%s`; settled by: %s\n", r.Cause, inline(r.SettledBy))
	}
	if len(f.Evidence) > 0 {
		b.WriteString("\n<details><summary>Evidence</summary>\n\n")
		for _, e := range f.Evidence {
			fmt.Fprintf(b, "- %s: %s\n\n%s\n", inline(e.Text), span(receiptRef(e.Receipt)), fence(e.Receipt.Text, "  "))
		}
		b.WriteString("\n</details>\n")
	}
	for i, fix := range f.Fix {
		fmt.Fprintf(b, "\n%d. %s", i+1, inline(fix.Text))
		if fix.Approver != "" {
			fmt.Fprintf(b, " (%s)", fix.Approver)
		}
		b.WriteString("\n")
		if fix.Command != "" {
			fmt.Fprintf(b, "\n%s\n", fence(fix.Command, "   "))
		}
		if fix.Undo != "" {
			fmt.Fprintf(b, "\n   Undo: %s\n", undoText(fix.Undo))
		}
	}
}

// fence wraps text in a code fence longer than any run of backquotes in it.
func fence(s, indent string) string {
	ticks := "```"
	for strings.Contains(s, ticks) {
		ticks += "`"
	}
	lines := append(append([]string{ticks}, strings.Split(strings.TrimRight(s, "\n"), "\n")...), ticks)
	return indent + strings.Join(lines, "\n"+indent)
}

var markdownEscaper = strings.NewReplacer("\\", "\\\\", "`", "\\`", "*", "\\*", "_", "\\_", "<", "&lt;", "|", "\\|", "[", "\\[")

// inline is text that must stay one line of running text: it begins no block.
func inline(s string) string {
	s = escape(strings.Join(strings.Fields(s), " "))
	if s != "" && strings.Contains("#>+-=~", s[:1]) {
		return "\\" + s
	}
	return s
}

// span is a code span, which knows no escapes.
func span(s string) string {
	return "`" + strings.ReplaceAll(strings.Join(strings.Fields(s), " "), "`", "'") + "`"
}

// undoText shows an undo that is a command as code, a sentence as text.
func undoText(s string) string {
	if strings.HasPrefix(s, "kubectl ") {
		return span(s)
	}
	return inline(s)
}

// receiptRef names the place of a receipt and, where it is known, its time.
func receiptRef(r facts.Receipt) string {
	ref := strings.ToLower(r.Kind) + "/" + r.Name + " " + r.Field
	if r.Time.IsZero() {
		return ref
	}
	return r.Time.UTC().Format("15:04:05") + " " + ref
}

func escape(s string) string { return markdownEscaper.Replace(s) }

// WriteMarkdown renders the findings of a pasted text.
func (f *Findings) WriteMarkdown(w io.Writer, now time.Time) error {
	var b strings.Builder
	t := &textWriter{now: now}
	if len(f.Findings) == 0 {
		b.WriteString("No known cause is in this text.\n")
	}
	for _, fd := range f.Findings {
		markdownFinding(&b, t, fd, Workload{})
		b.WriteString("\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}
