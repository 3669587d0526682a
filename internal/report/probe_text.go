package report

import (
	"fmt"
	"io"
	"strings"

	"charm.land/lipgloss/v2"

	"github.com/unjam-dev/unjam/internal/snapshot"
)

var stageStyle = map[snapshot.ProbeStatus]lipgloss.Style{
	snapshot.ProbeOK:      lipgloss.NewStyle().Foreground(lipgloss.Green),
	snapshot.ProbeWarning: lipgloss.NewStyle().Foreground(lipgloss.Yellow),
	snapshot.ProbeFailed:  bold.Foreground(lipgloss.Red),
	snapshot.ProbeSkipped: faint,
}

// Columns of the table of stages.
const (
	stageColumn  = 13
	statusColumn = 9
	timeColumn   = 9
)

// WriteText renders probes for the terminal.
func (r *ProbeReport) WriteText(w io.Writer, o TextOptions) error {
	t := &textWriter{o: o, now: r.TakenAt}
	for i, e := range r.Probes {
		if i > 0 {
			t.line("")
		}
		t.probe(e)
	}
	_, err := io.WriteString(w, t.b.String())
	return err
}

func (t *textWriter) probe(e ProbeEntry) {
	t.wrapped("", probeHead(e, func(s snapshot.ProbeStatus, text string) string { return stageStyle[s].Bold(true).Render(text) }), 2)
	t.line("")
	var unreached []string
	for _, s := range e.Probe.Stages {
		if s.Status == snapshot.ProbeSkipped && s.Detail == "not reached" {
			unreached = append(unreached, s.Name)
			continue
		}
		text := s.Detail
		if s.Cause != "" && s.Status == snapshot.ProbeWarning {
			text += " (" + s.Cause + ")"
		}
		t.wrapped("  "+pad(s.Name, stageColumn)+stageStyle[s.Status].Render(string(s.Status))+strings.Repeat(" ", statusColumn-len(s.Status))+pad(took(s), timeColumn),
			clean(text), 2+stageColumn+statusColumn+timeColumn)
	}
	if len(unreached) > 0 {
		t.wrapped("  "+faint.Render("not reached: "), strings.Join(unreached, ", "), 4)
	}
	t.line("")
	for _, c := range e.Probe.Credentials {
		t.field("credential", clean(credentialLine(c)))
	}
	if n := e.Probe.Near; n != nil && len(n.Tags) > 0 {
		t.field("tags", clean(tagLine(n)))
	}
	for _, v := range e.Rivals {
		t.field("or", clean(v.Cause+"; to settle it: "+v.SettledBy))
	}
	t.probeSteps(e)
	for _, n := range e.Notes {
		t.field("note", clean(n))
	}
}

func (t *textWriter) probeSteps(e ProbeEntry) {
	for _, f := range e.Fix[:min(len(e.Fix), 2)] {
		t.field("fix", f.Text)
		if f.Command != "" {
			t.command(f.Command)
		}
	}
	for _, c := range e.Checks[:min(len(e.Checks), 2)] {
		t.field("check", c.Text)
		t.command(c.Command)
	}
	if e.Cause != "" {
		t.field("more", t.o.Program+" explain "+e.Cause)
	}
}

// probeHead is the answer in one line.
func probeHead(e ProbeEntry, style func(snapshot.ProbeStatus, string) string) string {
	if e.State == "ok" {
		return style(snapshot.ProbeOK, "OK") + "  " + clean(e.Answer)
	}
	code := ""
	if e.Cause != "" {
		code = " (" + e.Cause + ")"
	}
	return style(snapshot.ProbeFailed, "FAILED at "+e.FailedAt) + ": " + clean(e.Answer) + code
}

func pad(s string, n int) string { return s + strings.Repeat(" ", max(1, n-len(s))) }

func took(s snapshot.ProbeStage) string {
	switch {
	case s.Status == snapshot.ProbeSkipped:
		return "-"
	case s.TookMS >= 1000:
		return seconds(s.TookMS)
	}
	return fmt.Sprintf("%.0f ms", s.TookMS)
}

func credentialLine(c snapshot.ProbeCredential) string {
	var parts []string
	if c.HostKey != "" {
		parts = append(parts, "key "+c.HostKey)
	}
	if c.User != "" {
		parts = append(parts, "user "+c.User)
	}
	if c.Kind != "" && c.Kind != "password" {
		parts = append(parts, c.Kind)
	}
	if !c.Expires.IsZero() {
		parts = append(parts, "expires "+c.Expires.UTC().Format("2006-01-02 15:04 UTC"))
	}
	out := c.Source
	if len(parts) > 0 {
		out += " (" + strings.Join(parts, ", ") + ")"
	}
	return out + ": " + c.Outcome
}

// tagLine groups tags of one digest: they are one image.
func tagLine(n *snapshot.ProbeNear) string {
	var order []string
	group := map[string][]string{}
	for _, t := range n.Tags {
		key := t.Digest
		if key == "" {
			key = "tag " + t.Name
		}
		if group[key] == nil {
			order = append(order, key)
		}
		group[key] = append(group[key], t.Name)
	}
	var parts []string
	for _, key := range order {
		parts = append(parts, strings.Join(group[key], " = "))
	}
	return strings.Join(parts, ", ")
}

// WriteMarkdown renders probes for tickets and job summaries.
func (r *ProbeReport) WriteMarkdown(w io.Writer) error {
	var b strings.Builder
	for i, e := range r.Probes {
		if i > 0 {
			b.WriteString("\n")
		}
		fmt.Fprintf(&b, "### %s\n\n| stage | result | time | detail |\n|---|---|---|---|\n", inline(probeHead(e, func(_ snapshot.ProbeStatus, text string) string { return text })))
		for _, s := range e.Probe.Stages {
			fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", s.Name, s.Status, took(s), inline(clean(s.Detail)))
		}
		b.WriteString("\n")
		for _, c := range e.Probe.Credentials {
			fmt.Fprintf(&b, "- credential: %s\n", inline(clean(credentialLine(c))))
		}
		for _, v := range e.Rivals {
			fmt.Fprintf(&b, "- or `%s`; to settle it: %s\n", v.Cause, inline(clean(v.SettledBy)))
		}
		for _, f := range e.Fix[:min(len(e.Fix), 2)] {
			fmt.Fprintf(&b, "- fix: %s\n", inline(f.Text))
			if f.Command != "" {
				fmt.Fprintf(&b, "\n%s\n\n", fence(f.Command, "  "))
			}
		}
		for _, n := range e.Notes {
			fmt.Fprintf(&b, "- note: %s\n", inline(clean(n)))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}
