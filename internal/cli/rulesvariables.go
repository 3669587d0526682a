package cli

import (
	"github.com/spf13/cobra"

	"github.com/unjam-dev/unjam/internal/report"
	"github.com/unjam-dev/unjam/internal/rules"
)

func (a *app) rulesVariablesCommand() *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use:     "variables",
		Short:   "List what rules can look at: evidence, variables, fields, placeholders",
		Example: a.examples("rules variables", "rules variables -o md"),
		Args:    noArgs,
		RunE: func(*cobra.Command, []string) error {
			ref := rules.NewReference()
			switch output {
			case "text":
				return ref.WriteText(a.out)
			case "md":
				return ref.WriteMarkdown(a.out)
			case "json":
				return report.WriteJSON(a.out, ref)
			}
			return usagef("unknown output format %q: choose text, md or json", output)
		},
	}
	cmd.Flags().StringVarP(&output, "output", "o", "text", "output format: text, md or json")
	return cmd
}
