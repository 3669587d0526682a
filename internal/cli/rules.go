package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/unjam-dev/unjam/internal/cause"
	"github.com/unjam-dev/unjam/internal/report"
	"github.com/unjam-dev/unjam/internal/rules"
	"github.com/unjam-dev/unjam/internal/strictyaml"
)

func (a *app) rulesCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "rules",
		Short: "Check and test your own causes",
		Long: `A file of rules adds causes of your own: your admission webhook's words, your
registry's errors, your autoscaler's events. Give it to why, explain and causes
with --rules. This command checks such files, runs their unit tests and prints
what rules can use. No cluster is asked.`,
		Example: a.examples("rules check rules.yaml", "rules test docs/rules", "rules variables"),
		Args:    noArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.SuggestionsMinimumDistance = 2
	cmd.AddCommand(a.rulesCheckCommand(), a.rulesTestCommand(), a.rulesVariablesCommand())
	return cmd
}

func (a *app) rulesCheckCommand() *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use:   "check FILE|DIR...",
		Short: "Check files of rules; every fault is listed with its line",
		Long: `Check files of rules. Every fault of every file is listed as FILE:LINE:COLUMN.
Files of one command line are checked together: they may name one another's
causes, and no code may be used twice.

Exit code 0: all is well, warnings may be listed. 2: there are faults, or a file
cannot be read.`,
		Example: a.examples("rules check rules.yaml", "rules check rules/ -o json"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if output != "text" && output != "json" {
				return usagef("unknown output format %q: choose text or json", output)
			}
			if len(args) == 0 {
				return usagef("name a file or directory of rules, for example: %s rules check rules.yaml", a.program)
			}
			files, err := ruleFiles(cmd.Context(), args, nil)
			if err != nil {
				return err
			}
			return a.checkRules(files, output)
		},
	}
	cmd.Flags().StringVarP(&output, "output", "o", "text", "output format: text or json")
	return cmd
}

// checkResult is the answer of rules check as programs read it.
type checkResult struct {
	Files    int                  `json:"files"`
	Rules    int                  `json:"rules"`
	Faults   []strictyaml.Problem `json:"faults"`
	Warnings []strictyaml.Problem `json:"warnings"`
}

func (a *app) checkRules(files []rules.File, output string) error {
	r, err := rules.Load(cause.BuiltIn, files...)
	faults, broken := err.(strictyaml.Errors)
	switch {
	case err != nil && !broken:
		return err
	case output == "json":
		res := checkResult{Files: len(files), Faults: append([]strictyaml.Problem{}, faults...), Warnings: []strictyaml.Problem{}}
		if broken {
			a.code = report.ExitUsage
		} else {
			res.Rules, res.Warnings = r.Len(), append(res.Warnings, r.Warnings...)
		}
		return report.WriteJSON(a.out, res)
	case broken:
		return err
	}
	for _, w := range r.Warnings {
		fmt.Fprintf(a.out, "%s (warning)\n", w)
	}
	fmt.Fprintf(a.out, "%s in %s, no fault\n", count(r.Len(), "rule"), count(len(files), "file"))
	return nil
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
