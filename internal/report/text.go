package report

import (
	"fmt"
	"io"
	"strings"
	"time"

	"charm.land/lipgloss/v2"

	"github.com/unjam-dev/unjam/internal/plan"
)

// TextOptions shape the terminal rendering.
type TextOptions struct {
	// Width is the number of columns; 0 does not wrap.
	Width int
	// Evidence shows every receipt in full: object, field, time and text.
	Evidence bool
	// Brief gives each workload two lines: the answer, and the first fix.
	Brief bool
	// Program is the command name in hints ("unjam", "kubectl unjam").
	Program string
}

// briefFrom is how many stalls make the brief form the default:
// more than fit a screen in full.
const briefFrom = 4

// WriteText renders the report for people. It writes ANSI styles; the caller's
// writer strips them where there is no terminal.
func (r *Report) WriteText(w io.Writer, o TextOptions) error {
	t := &textWriter{o: o, now: r.TakenAt}
	if o.Program == "" {
		t.o.Program = "unjam"
	}
	brief := o.Brief || (len(r.Stalls) >= briefFrom && !o.Evidence)
	for i, v := range r.entries(brief) {
		if i > 0 && !brief {
			t.line("")
		}
		switch {
		case v.stall != nil && brief && v.stall.State == "waiting" && v.stall.Cause != "":
			t.waiting(*v.stall)
		case v.stall != nil:
			t.stall(*v.stall, brief)
		case brief:
			t.brief(*v.verdict)
		default:
			t.verdict(*v.verdict)
		}
	}
	t.footer(r, brief)
	_, err := io.WriteString(w, t.b.String())
	return err
}

type textWriter struct {
	b   strings.Builder
	o   TextOptions
	now time.Time
}

// labelWidth is the column in which values start.
const labelWidth = 13

var (
	bold  = lipgloss.NewStyle().Bold(true)
	faint = lipgloss.NewStyle().Faint(true)
	code  = lipgloss.NewStyle().Foreground(lipgloss.Cyan)

	stateStyle = map[string]lipgloss.Style{
		"stalled":     bold.Foreground(lipgloss.Red),
		"unknown":     bold.Foreground(lipgloss.Magenta),
		"recovering":  bold.Foreground(lipgloss.Yellow),
		"slow":        bold.Foreground(lipgloss.Yellow),
		"waiting":     bold.Foreground(lipgloss.Blue),
		"progressing": bold.Foreground(lipgloss.Cyan),
		"healthy":     bold.Foreground(lipgloss.Green),
	}
)

func (t *textWriter) line(s string) { t.b.WriteString(strings.TrimRight(s, " ") + "\n") }

// wrapped writes text after a prefix, wrapped, later lines indented by indent.
func (t *textWriter) wrapped(prefix, text string, indent int) {
	lines := strings.Split(text, "\n")
	if t.o.Width > indent+20 {
		lines = wrap(text, t.o.Width-indent)
	}
	pad := strings.Repeat(" ", indent)
	for i, l := range lines {
		if i == 0 {
			t.line(prefix + l)
		} else {
			t.line(pad + l)
		}
	}
}

func (t *textWriter) field(label, text string) {
	t.wrapped("  "+faint.Render(label)+strings.Repeat(" ", max(1, labelWidth-2-len(label))), text, labelWidth)
}

// command writes a line to paste; it is never wrapped.
func (t *textWriter) command(s string) {
	for _, l := range strings.Split(s, "\n") {
		t.line(strings.Repeat(" ", labelWidth+2) + code.Render(l))
	}
}

func head(v Verdict) string {
	ref := strings.ToLower(v.Workload.Kind) + "/" + v.Workload.Name
	return stateStyle[v.State].Render(strings.ToUpper(v.State)) + "  " + bold.Render(ref) + " in " + v.Workload.Namespace + ": "
}

func (t *textWriter) answer(v Verdict) string {
	if v.Primary == nil {
		return head(v) + t.sentence(v.Reason)
	}
	return head(v) + t.sentence(v.Primary.Summary)
}

func (t *textWriter) brief(v Verdict) {
	t.wrapped("", t.answer(v), 2)
	p := v.Primary
	if p == nil {
		return
	}
	note := p.Cause + " (" + p.Confidence + ")" + t.since(*p)
	if who := affected(*p, v.Workload); who != "" {
		note += ", " + who
	}
	if len(p.Rivals) > 0 {
		note += "; not ruled out: " + rivalNames(p.Rivals)
	}
	if len(v.Contributing) > 0 {
		note += "; also: " + causeNames(v.Contributing)
	}
	t.wrapped("  ", faint.Render(note), 2)
	if len(p.Fix) > 0 {
		t.line("  fix: " + t.fixLine(p.Fix[0]))
	}
}

// fixLine is a remedy in one line.
func (t *textWriter) fixLine(f plan.Fix) string {
	text := t.sentence(f.Text)
	if f.Command == "" {
		return text
	}
	return strings.TrimSuffix(text, ".") + ": " + code.Render(f.Command)
}

// waiting is one line for what waits by design.
func (t *textWriter) waiting(s Stall) {
	t.wrapped(stateStyle["waiting"].Render("WAITING")+"  ", fmt.Sprintf("%s (%d): %s", s.Cause, len(s.Workloads), t.list(t.memberNames(s, 6))), 9)
}

// entry is one thing to print: a stall of several workloads, or a workload.
type entry struct {
	stall   *Stall
	verdict *Verdict
}

// entries lists what to print: stalls in their order, then the workloads that
// are in none because they are healthy.
func (r *Report) entries(brief bool) []entry {
	var out []entry
	for i := range r.Stalls {
		s := &r.Stalls[i]
		if len(s.members) == 1 && !(brief && s.State == "waiting") {
			out = append(out, entry{verdict: s.members[0]})
		} else {
			out = append(out, entry{stall: s})
		}
	}
	for i := range r.Verdicts {
		if r.Verdicts[i].State == "healthy" {
			out = append(out, entry{verdict: &r.Verdicts[i]})
		}
	}
	return out
}

func (t *textWriter) footer(r *Report, brief bool) {
	trouble := len(r.Verdicts)
	if trouble == 0 {
		t.line(t.nothing(r))
	}
	if trouble != 1 || r.Verdicts[0].State != "healthy" {
		t.gaps(r)
	}
	if len(r.Verdicts) > 1 {
		t.line("")
		counts := t.counts(r.Summary)
		if n, m := len(r.Stalls), r.folded(); n < m {
			counts += fmt.Sprintf("; %d workloads with %d cause%s", m, n, plural(n))
		}
		t.line(bold.Render(counts))
	}
	if brief && trouble > 0 {
		v := r.first().Workload
		t.line(faint.Render("evidence and all fixes of one: ") + code.Render(fmt.Sprintf("%s why %s/%s -n %s", t.o.Program, strings.ToLower(v.Kind), v.Name, v.Namespace)))
	}
}

// folded counts the workloads in stalls.
func (r *Report) folded() int {
	n := 0
	for _, s := range r.Stalls {
		n += len(s.Workloads)
	}
	return n
}

// first is the workload printed first.
func (r *Report) first() *Verdict {
	if len(r.Stalls) > 0 {
		return r.Stalls[0].members[0]
	}
	return &r.Verdicts[0]
}

func (t *textWriter) nothing(r *Report) string {
	n := r.Summary["healthy"]
	switch {
	case n == 0 && len(r.Gaps) > 0:
		return stateStyle["unknown"].Render("UNKNOWN") + "  no workload could be seen"
	case n == 0:
		return "no workloads found"
	case n == 1:
		return stateStyle["healthy"].Render("HEALTHY") + "  the one workload seen is healthy"
	}
	return stateStyle["healthy"].Render("HEALTHY") + fmt.Sprintf("  all %d workloads are healthy", n)
}

func (t *textWriter) counts(summary map[string]int) string {
	var parts []string
	for _, s := range stateNames() {
		if n := summary[s]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, s))
		}
	}
	return strings.Join(parts, ", ")
}

// WriteCaption writes a line that introduces a report.
func WriteCaption(w io.Writer, s string) error {
	_, err := io.WriteString(w, faint.Render(s)+"\n\n")
	return err
}
