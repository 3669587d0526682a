package report

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/unjam-dev/unjam/internal/snapshot"
)

// WriteMarkdown renders the report for tickets, pull requests and job summaries.
func (r *Report) WriteMarkdown(w io.Writer) error {
	var b strings.Builder
	t := &textWriter{now: r.TakenAt}
	fmt.Fprintf(&b, "### unjam: %s\n\n", orNone(t.counts(r.Summary)))
	fmt.Fprintf(&b, "Seen at %s.\n", r.TakenAt.UTC().Format("2006-01-02 15:04:05 UTC"))
	for _, v := range r.Verdicts {
		markdownVerdict(&b, t, v)
	}
	title := "\n#### Not seen\n\n"
	for _, g := range r.Gaps {
		if g.Reason == snapshot.GapNotNeeded {
			continue
		}
		fmt.Fprintf(&b, "%s- %s\n", title, escape(gapText(g)))
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
	fmt.Fprintf(b, "\n#### %s `%s/%s` in `%s`\n\n", strings.ToUpper(v.State), strings.ToLower(v.Workload.Kind), v.Workload.Name, v.Workload.Namespace)
	if v.Primary == nil {
		fmt.Fprintf(b, "%s\n", escape(v.Reason))
		return
	}
	markdownFinding(b, t, *v.Primary, v.Workload.Pods)
	for _, c := range v.Contributing {
		fmt.Fprintf(b, "\nAlso **%s**: %s\n", c.Cause, escape(c.Summary))
	}
	if len(v.Explained) > 0 {
		fmt.Fprintf(b, "\nEffects of the above: %s\n", causeNames(v.Explained))
	}
}

func markdownFinding(b *strings.Builder, t *textWriter, f Finding, p Pods) {
	fmt.Fprintf(b, "**%s**\n\n- cause: `%s` (%s, %s)%s\n", escape(f.Summary), f.Cause, f.Confidence, f.Class, t.since(f))
	if who := affected(f, p); who != "" {
		fmt.Fprintf(b, "- affected: %s\n", escape(who+where(f)))
	}
	for _, r := range f.Rivals {
		fmt.Fprintf(b, "- not ruled out: `%s`; settled by: %s\n", r.Cause, escape(r.SettledBy))
	}
	if len(f.Evidence) > 0 {
		b.WriteString("\n<details><summary>Evidence</summary>\n\n")
		for _, e := range f.Evidence {
			fmt.Fprintf(b, "- %s: `%s %s/%s %s`\n\n%s\n", escape(e.Text), e.Receipt.Time.UTC().Format("15:04:05"), strings.ToLower(e.Receipt.Kind), e.Receipt.Name, e.Receipt.Field, fence(e.Receipt.Text, "  "))
		}
		b.WriteString("\n</details>\n")
	}
	for i, fix := range f.Fix {
		fmt.Fprintf(b, "\n%d. %s", i+1, escape(fix.Text))
		if fix.Approver != "" {
			fmt.Fprintf(b, " (%s)", fix.Approver)
		}
		b.WriteString("\n")
		if fix.Command != "" {
			fmt.Fprintf(b, "\n%s\n", fence(fix.Command, "   "))
		}
		if fix.Undo != "" {
			fmt.Fprintf(b, "\n   Undo: `%s`\n", fix.Undo)
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

func escape(s string) string { return markdownEscaper.Replace(s) }

// WriteMarkdown renders the findings of a pasted text.
func (f *Findings) WriteMarkdown(w io.Writer, now time.Time) error {
	var b strings.Builder
	t := &textWriter{now: now}
	if len(f.Findings) == 0 {
		b.WriteString("No known cause is in this text.\n")
	}
	for _, fd := range f.Findings {
		markdownFinding(&b, t, fd, Pods{})
		b.WriteString("\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}
