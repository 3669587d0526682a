package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/unjam-dev/unjam/internal/capture"
	"github.com/unjam-dev/unjam/internal/diagnose"
	"github.com/unjam-dev/unjam/internal/report"
)

type whyOptions struct {
	flags    *kubeFlags
	from     string
	allNS    bool
	all      bool
	output   string
	evidence bool
	exit     string
	rules    []string
}

func (a *app) whyCommand() *cobra.Command {
	o := &whyOptions{}
	cmd := &cobra.Command{
		Use:   "why [KIND/NAME...]",
		Short: "Say why workloads are stalled",
		Long: `Say why workloads are stalled: the cause in one sentence, who is affected, the
evidence with its times, what else it could be and the check that decides, and
the commands that mend it and undo the mending.

Without arguments every workload of the namespace that is not healthy is judged.
With --from nothing is asked of a cluster: the source is a bundle made by
"capture", a directory of files, or one YAML or JSON file as kubectl get prints
it; "-" reads standard input.

The exit code tells the family of the cause: see "` + a.program + ` exit-codes".`,
		Example: a.examples("why deploy/web -n shop", "why -A", "why sts/db job/migrate -o json",
			"why deploy/web --explain-evidence", "why --from bundle.tgz", "why -A --rules rules.yaml") +
			"\n  kubectl get deploy,rs,pods,events -o yaml | " + a.program + " why --from -",
		RunE: func(cmd *cobra.Command, args []string) error { return a.why(cmd, o, args) },
	}
	o.flags = newKubeFlags(cmd.Flags())
	cmd.Flags().BoolVarP(&o.allNS, "all-namespaces", "A", false, "judge the workloads of all namespaces")
	cmd.Flags().BoolVar(&o.all, "all", false, "list healthy workloads too")
	cmd.Flags().StringVar(&o.from, "from", "", "read a bundle, directory, YAML or JSON file instead of a cluster; - is standard input")
	cmd.Flags().BoolVar(&o.evidence, "explain-evidence", false, "show every receipt in full: object, field, time and text, and the checks")
	addOutputFlags(cmd, &o.output, &o.exit)
	addRulesFlag(cmd, &o.rules, " or configmap:NAMESPACE/NAME")
	return cmd
}

func addOutputFlags(cmd *cobra.Command, output, exit *string) {
	cmd.Flags().StringVarP(output, "output", "o", "text", "output format: text, json, yaml or md")
	cmd.Flags().StringVar(exit, "exit-code", "full", "exit codes: full (by family) or simple (0 no stall, 1 stalled, 2 anything else)")
}

func (a *app) why(cmd *cobra.Command, o *whyOptions, args []string) error {
	if err := checkFormat(o.output); err != nil {
		return err
	}
	if o.exit != "full" && o.exit != "simple" {
		return usagef("unknown --exit-code %q: choose full or simple", o.exit)
	}
	targets, err := diagnose.ParseTargets(args)
	if err != nil {
		return &usageError{err}
	}
	scope := diagnose.Scope{Targets: targets, All: o.all}
	var src diagnose.Source = files{o.from, a.in}
	var stats capture.Stats
	if o.from == "" {
		src = cluster{o.flags, &stats}
	}
	if scope.Namespace, err = o.namespace(); err != nil {
		return err
	}
	causes, err := readRules(cmd.Context(), o.rules, o.flags)
	if err != nil {
		return err
	}
	done := a.progress("reading " + sourceName(o))
	rep, err := diagnose.Why(cmd.Context(), causes, src, scope)
	done()
	if err != nil {
		return err
	}
	if err := a.write(rep, o.output, o.evidence); err != nil {
		return err
	}
	if o.evidence && o.from == "" {
		fmt.Fprintf(a.err, "%d API requests, %d bytes, %s\n", stats.Requests, stats.Bytes, stats.Duration.Round(1e6))
	}
	a.code = rep.Code()
	if o.exit == "simple" {
		a.code = report.Simple(a.code)
	}
	return nil
}

// namespace is the one to judge: -n, else all with -A or --from, else the
// context's.
func (o *whyOptions) namespace() (string, error) {
	if ns := o.flags.given(); ns != "" {
		if o.allNS {
			return "", usagef("-n %s and -A exclude each other", ns)
		}
		return ns, nil
	}
	if o.allNS || o.from != "" {
		return "", nil
	}
	return o.flags.namespace()
}

func sourceName(o *whyOptions) string {
	if o.from != "" {
		return o.from
	}
	return "the cluster"
}
