package cli

import (
	"io"

	"github.com/spf13/cobra"

	"github.com/unjam-dev/unjam/internal/cause"
	"github.com/unjam-dev/unjam/internal/diagnose"
	"github.com/unjam-dev/unjam/internal/report"
)

// maxPaste bounds what explain reads: 16 MiB, far above any paste.
const maxPaste = 16 << 20

func (a *app) explainCommand() *cobra.Command {
	var output string
	var evidence bool
	var own []string
	cmd := &cobra.Command{
		Use:   "explain [CAUSE]",
		Short: "Name the cause in pasted text, or show the playbook of a cause",
		Long: `Without an argument explain reads text on standard input and names the causes in
it, best first: a pasted kubectl describe, kubectl get events, status YAML, a
scheduler message, a kubelet or runtime log line. No cluster is asked.

With a cause it prints that cause's playbook: what it means, how to verify it,
how to mend it and take the mending back.`,
		Example: "  kubectl describe pod web-0 | " + a.program + " explain\n" +
			"  " + a.program + " explain < events.txt -o json\n" + a.examples("explain tag-not-found"),
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usagef("explain takes at most one cause; see %s causes", a.program)
			}
			return nil
		},
		ValidArgs: codes(),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := checkFormat(output); err != nil {
				return err
			}
			causes, err := readRules(cmd.Context(), own, nil)
			if err != nil {
				return err
			}
			if len(args) == 1 {
				return a.playbook(causes, args[0], output)
			}
			return a.explain(causes, output, evidence)
		},
	}
	cmd.Flags().StringVarP(&output, "output", "o", "text", "output format: text, json, yaml or md")
	cmd.Flags().BoolVar(&evidence, "explain-evidence", false, "show every receipt in full, and the checks")
	addRulesFlag(cmd, &own, "")
	return cmd
}

func codes() []string {
	var out []string
	for c := range cause.BuiltIn.All() {
		out = append(out, c.Code)
	}
	return out
}

func (a *app) explain(causes cause.Set, output string, evidence bool) error {
	text, err := io.ReadAll(io.LimitReader(a.in, maxPaste))
	if err != nil {
		return usagef("cannot read standard input: %w", err)
	}
	doc, now := diagnose.Explain(causes, string(text))
	switch output {
	case "json":
		return report.WriteJSON(a.out, doc)
	case "yaml":
		return report.WriteYAML(a.out, doc)
	case "md":
		return doc.WriteMarkdown(a.out, now)
	}
	w, err := a.styled()
	if err != nil {
		return err
	}
	return doc.WriteText(w, report.TextOptions{Width: a.width(), Evidence: evidence, Program: a.program}, now)
}

func (a *app) playbook(causes cause.Set, code, output string) error {
	c := causes.ByCode(code)
	if c == nil {
		return usagef("there is no cause %q; list them with: %s causes", code, a.program)
	}
	switch output {
	case "json":
		return report.WriteJSON(a.out, report.NewEntry(*c))
	case "yaml":
		return report.WriteYAML(a.out, report.NewEntry(*c))
	case "md":
		return report.WriteCausePage(a.out, *c)
	}
	w, err := a.styled()
	if err != nil {
		return err
	}
	return report.WritePlaybook(w, *c, report.TextOptions{Width: a.width(), Program: a.program})
}
