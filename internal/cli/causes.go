package cli

import (
	"github.com/spf13/cobra"

	"github.com/unjam-dev/unjam/internal/report"
)

func (a *app) causesCommand() *cobra.Command {
	var output, family string
	var own []string
	cmd := &cobra.Command{
		Use:     "causes",
		Short:   "List the causes unjam can name",
		Example: a.examples("causes", "causes --family credentials", "causes -o json", "causes --rules rules.yaml"),
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := checkFormat(output); err != nil {
				return err
			}
			causes, err := readRules(cmd.Context(), own, nil)
			if err != nil {
				return err
			}
			entries, err := report.Entries(causes, family)
			if err != nil {
				return &usageError{err}
			}
			switch output {
			case "json":
				return report.WriteJSON(a.out, entries)
			case "yaml":
				return report.WriteYAML(a.out, entries)
			case "md":
				return report.WriteEntriesMarkdown(a.out, entries)
			}
			w, err := a.styled()
			if err != nil {
				return err
			}
			return report.WriteEntries(w, entries)
		},
	}
	cmd.Flags().StringVarP(&output, "output", "o", "text", "output format: text, json, yaml or md")
	cmd.Flags().StringVar(&family, "family", "", "list only one family")
	addRulesFlag(cmd, &own, "")
	return cmd
}

func (a *app) exitCodesCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "exit-codes",
		Short:   "List the exit codes and what they mean",
		Example: a.examples("exit-codes"),
		Args:    noArgs,
		RunE:    func(*cobra.Command, []string) error { return report.WriteExitCodes(a.out) },
	}
}
