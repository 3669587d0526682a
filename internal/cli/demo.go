package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/unjam-dev/unjam/internal/cause"
	"github.com/unjam-dev/unjam/internal/demo"
	"github.com/unjam-dev/unjam/internal/diagnose"
	"github.com/unjam-dev/unjam/internal/report"
)

func (a *app) demoCommand() *cobra.Command {
	var output string
	var list bool
	cmd := &cobra.Command{
		Use:   "demo [NAME...]",
		Short: "Replay recorded real stalls; no cluster needed",
		Long: `Replay stalls recorded from a real Kubernetes cluster (API server, kubelet,
containerd and faulty registries) and show what "why" says about each.`,
		Example:   a.examples("demo", "demo --list", "demo missing-tag -o json"),
		ValidArgs: demo.Names(),
		RunE: func(_ *cobra.Command, args []string) error {
			if err := checkFormat(output); err != nil {
				return err
			}
			if list {
				for _, n := range demo.Names() {
					fmt.Fprintln(a.out, n)
				}
				return nil
			}
			if len(args) == 0 {
				args = demo.Tour
			}
			return a.demo(args, output)
		},
	}
	cmd.Flags().StringVarP(&output, "output", "o", "text", "output format: text, json, yaml or md")
	cmd.Flags().BoolVar(&list, "list", false, "list the recordings")
	return cmd
}

func (a *app) demo(names []string, output string) error {
	for i, name := range names {
		if !slices.Contains(demo.Names(), name) {
			return usagef("there is no recording %q; list them with: %s demo --list", name, a.program)
		}
		snap, err := demo.Load(name)
		if err != nil {
			return err
		}
		rep, err := diagnose.Judge(cause.BuiltIn, snap, diagnose.Scope{Namespace: name, All: true})
		if err != nil {
			return err
		}
		if output == "text" {
			if i > 0 {
				fmt.Fprintln(a.out)
			}
			if err := a.caption(fmt.Sprintf("$ %s why -n %s   (recorded %s, Kubernetes %s)", a.program, name,
				rep.TakenAt.Format("2006-01-02"), orUnknown(rep.Origin.ServerVersion))); err != nil {
				return err
			}
		}
		if err := a.write(rep, output, false); err != nil {
			return err
		}
	}
	if output == "text" {
		fmt.Fprintf(a.out, "\n%d of %d recordings shown; %s demo --list names them all.\n", len(names), len(demo.Names()), a.program)
	}
	return nil
}

func (a *app) caption(s string) error {
	w, err := a.styled()
	if err != nil {
		return err
	}
	return report.WriteCaption(w, s)
}

func orUnknown(s string) string {
	if strings.TrimSpace(s) == "" {
		return "of unknown version"
	}
	return s
}
