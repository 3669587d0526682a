package report

import (
	"fmt"
	"io"
	"strings"

	"github.com/unjam-dev/unjam/internal/cause"
	"github.com/unjam-dev/unjam/internal/plan"
)

// Entry is one cause of the catalogue as programs read it.
type Entry struct {
	Code     string       `json:"code"`
	Family   string       `json:"family"`
	Class    string       `json:"class"`
	Title    string       `json:"title"`
	ExitCode int          `json:"exitCode"`
	Means    string       `json:"means"`
	Verify   []plan.Check `json:"verify"`
	Fix      []plan.Fix   `json:"fix"`
	// Rule is where a user's own cause is written.
	Rule string `json:"rule,omitempty"`
}

// NewEntry describes a cause with its placeholders shown as <name>.
func NewEntry(c cause.Cause) Entry {
	e := Entry{Code: c.Code, Family: string(c.Family), Class: string(c.Class), Title: c.Title, ExitCode: StallCode(c.Family),
		Means: plan.Reference(c.Playbook.Means), Verify: []plan.Check{}, Fix: []plan.Fix{}, Rule: c.Rule}
	for _, s := range c.Playbook.Verify {
		e.Verify = append(e.Verify, plan.Check{Text: plan.Reference(s.Text), Command: plan.Reference(s.Command)})
	}
	for _, s := range c.Playbook.Mend {
		e.Fix = append(e.Fix, plan.Fix{Text: plan.Reference(s.Text), Command: plan.Reference(s.Command), Undo: plan.Reference(s.Undo), Approver: s.Approver})
	}
	return e
}

// Entries lists a set of causes by family; an unknown family is an error.
func Entries(causes cause.Set, family string) ([]Entry, error) {
	out := []Entry{}
	known := family == ""
	for _, f := range cause.Families {
		if family != "" && string(f) != family {
			continue
		}
		known = true
		for c := range causes.All() {
			if c.Family == f {
				out = append(out, NewEntry(*c))
			}
		}
	}
	if !known {
		var names []string
		for _, f := range cause.Families {
			names = append(names, string(f))
		}
		return nil, fmt.Errorf("unknown family %q: choose one of %s", family, strings.Join(names, ", "))
	}
	return out, nil
}

// WriteEntries lists causes for the terminal, under a heading per family.
func WriteEntries(w io.Writer, entries []Entry) error {
	t := &textWriter{}
	family := ""
	width := 0
	for _, e := range entries {
		width = max(width, len(e.Code))
	}
	for _, e := range entries {
		if e.Family != family {
			if family != "" {
				t.line("")
			}
			t.line(bold.Render(e.Family) + faint.Render(fmt.Sprintf(" (exit %d)", e.ExitCode)))
			family = e.Family
		}
		t.line(fmt.Sprintf("  %-*s  %-12s  %s%s", width, e.Code, e.Class, e.Title, faint.Render(ownRule(e.Rule))))
	}
	t.line("")
	t.line(fmt.Sprintf("%d causes", len(entries)))
	_, err := io.WriteString(w, t.b.String())
	return err
}

// WriteEntriesMarkdown writes the index docs/causes/README.md.
func WriteEntriesMarkdown(w io.Writer, entries []Entry) error {
	var b strings.Builder
	fmt.Fprintf(&b, "# Causes\n\n%d causes, by family.\n", len(entries))
	family := ""
	for _, e := range entries {
		if e.Family != family {
			fmt.Fprintf(&b, "\n## %s\n\nExit code %d.\n\n| cause | class | what is wrong |\n|---|---|---|\n", e.Family, e.ExitCode)
			family = e.Family
		}
		fmt.Fprintf(&b, "| [%s](%s.md) | %s | %s |\n", e.Code, e.Code, e.Class, escape(e.Title))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// WriteExitCodes writes docs/exit-codes.md.
func WriteExitCodes(w io.Writer) error {
	var b strings.Builder
	b.WriteString("# Exit codes\n\n| code | meaning |\n|---|---|\n")
	for _, c := range ExitCodes() {
		fmt.Fprintf(&b, "| %d | %s |\n", c.Code, c.Meaning)
	}
	b.WriteString("\n`--exit-code=simple` folds them: 0 no stall, 1 stalled or refused, 2 anything else.\n")
	_, err := io.WriteString(w, b.String())
	return err
}
