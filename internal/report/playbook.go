package report

import (
	"fmt"
	"io"
	"strings"

	"github.com/unjam-dev/unjam/internal/cause"
	"github.com/unjam-dev/unjam/internal/plan"
)

// WritePlaybook renders the page of one cause for the terminal.
func WritePlaybook(w io.Writer, c cause.Cause, o TextOptions) error {
	t := &textWriter{o: o}
	t.line(bold.Render(c.Code) + ": " + c.Title)
	t.line("")
	t.field("family", fmt.Sprintf("%s, exit code %d when a rollout stalls on it", c.Family, StallCode(c.Family)))
	t.field("class", string(c.Class))
	if c.Rule != "" {
		t.field("written in", c.Rule)
	}
	t.field("means", plan.Reference(c.Playbook.Means))
	t.steps("verify", c.Playbook.Verify)
	t.steps("mend", c.Playbook.Mend)
	_, err := io.WriteString(w, t.b.String())
	return err
}

func (t *textWriter) steps(label string, steps []cause.Step) {
	for i, s := range steps {
		text := fmt.Sprintf("%d. %s", i+1, plan.Reference(s.Text))
		if s.Approver != "" {
			text += faint.Render(" (" + s.Approver + ")")
		}
		t.field(label, text)
		label = ""
		if s.Command != "" {
			t.command(plan.Reference(s.Command))
		}
		if s.Undo != "" {
			t.wrapped(strings.Repeat(" ", labelWidth+2)+faint.Render("undo: "), plan.Reference(s.Undo), labelWidth+8)
		}
	}
}

// WriteCausePage writes the Markdown page docs/causes/<code>.md.
func WriteCausePage(w io.Writer, c cause.Cause) error {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n\n%s.\n\n| | |\n|---|---|\n| family | %s |\n| class | %s |\n| exit code | %d |\n\n", c.Code, c.Title, c.Family, c.Class, StallCode(c.Family))
	fmt.Fprintf(&b, "## Meaning\n\n%s\n", escape(plan.Reference(c.Playbook.Means)))
	for _, part := range []struct {
		title string
		steps []cause.Step
	}{{"Verify", c.Playbook.Verify}, {"Mend", c.Playbook.Mend}} {
		fmt.Fprintf(&b, "\n## %s\n", part.title)
		for i, s := range part.steps {
			fmt.Fprintf(&b, "\n%d. %s", i+1, escape(plan.Reference(s.Text)))
			if s.Approver != "" {
				fmt.Fprintf(&b, " Usually approved by: %s.", s.Approver)
			}
			b.WriteString("\n")
			if s.Command != "" {
				fmt.Fprintf(&b, "\n%s\n", fence(plan.Reference(s.Command), "   "))
			}
			if s.Undo != "" {
				fmt.Fprintf(&b, "\n   Undo: %s\n", undoText(plan.Reference(s.Undo)))
			}
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}
