// Package cli is the command line: one file per command, and the only place
// that wires sources, the diagnosis and renderers together.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/unjam-dev/unjam/internal/capture"
	"github.com/unjam-dev/unjam/internal/diagnose"
	"github.com/unjam-dev/unjam/internal/report"
	"github.com/unjam-dev/unjam/internal/snapshot"
	"github.com/unjam-dev/unjam/internal/strictyaml"
)

// app is what every command shares: streams, environment, the exit code.
type app struct {
	in       io.Reader
	out, err io.Writer
	env      []string
	// program is how the user calls it: "unjam" or "kubectl unjam".
	program string
	color   string
	// code is set by a command whose answer is not 0.
	code int
}

// Run carries out one command line and returns the exit code.
func Run(args []string, in io.Reader, out, errw io.Writer, env []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	a := &app{in: in, out: out, err: errw, env: env, program: programName(args[0])}
	root := a.root()
	root.SetArgs(args[1:])
	root.SetIn(in)
	root.SetOut(out)
	root.SetErr(errw)
	if err := root.ExecuteContext(ctx); err != nil {
		a.complain(err)
		return exitCode(err)
	}
	return a.code
}

// programName is "kubectl unjam" when called as the kubectl plugin.
func programName(argv0 string) string {
	if strings.HasPrefix(filepath.Base(argv0), "kubectl-") {
		return "kubectl unjam"
	}
	return "unjam"
}

// complain prints an error on one line, but faults of rules one a line, as
// compilers do.
func (a *app) complain(err error) {
	var faults strictyaml.Errors
	if !errors.As(err, &faults) {
		fmt.Fprintf(a.err, "%s: %s\n", a.program, oneLine(err))
		return
	}
	for _, p := range faults {
		fmt.Fprintln(a.err, p)
	}
}

func oneLine(err error) string {
	return strings.Join(strings.Fields(strings.ReplaceAll(err.Error(), "\n", " ")), " ")
}

// usageError marks an error of the caller: exit code 2.
type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

func usagef(format string, args ...any) error { return &usageError{fmt.Errorf(format, args...)} }

func exitCode(err error) int {
	var (
		usage       *usageError
		notFound    *diagnose.NotFoundError
		broken      *snapshot.DecodeError
		unreachable *capture.UnreachableError
		login       *capture.LoginError
		config      *configError
		configMap   *capture.ConfigMapError
		faults      strictyaml.Errors
		named       *capture.NamedError
	)
	switch {
	case errors.As(err, &usage), errors.As(err, &notFound), errors.As(err, &broken), errors.As(err, &faults), errors.As(err, &configMap):
		return report.ExitUsage
	case errors.As(err, &unreachable), errors.As(err, &login), errors.As(err, &config), errors.As(err, &named):
		return report.ExitUnreachable
	}
	return report.ExitFailure
}

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "unjam",
		Short: "Say why a Kubernetes rollout is stalled, prove it, and say how to mend it",
		Long: `unjam says within seconds why a Kubernetes rollout is stalled: which image,
credential, registry, quota, node or probe holds it up, the evidence for that,
who is affected, and the command that mends it. It only reads.`,
		Example:       a.examples("why deploy/web -n shop", "why -A", "why --from bundle.tgz", "demo"),
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          noArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		Annotations:   map[string]string{cobra.CommandDisplayNameAnnotation: a.program},
	}
	root.PersistentFlags().StringVar(&a.color, "color", "auto", "colour: auto (on a terminal), always or never; NO_COLOR wins over auto")
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usagef("%w; see %s --help", err, cmd.CommandPath())
	})
	root.AddCommand(a.whyCommand(), a.probeCommand(), a.explainCommand(), a.causesCommand(), a.captureCommand(), a.demoCommand(), a.rulesCommand(), a.exitCodesCommand(), a.versionCommand())
	return root
}

// noArgs is cobra.NoArgs with an error that counts as the caller's.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if !cmd.HasSubCommands() {
		return usagef("%s takes no arguments, got %q; see %s --help", cmd.CommandPath(), args[0], cmd.CommandPath())
	}
	hint := ""
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		hint = "; did you mean " + strings.Join(near, " or ") + "?"
	}
	return usagef("unknown command %q for %q%s; see %s --help", args[0], cmd.CommandPath(), hint, cmd.CommandPath())
}

// examples renders command lines as help examples under the name in use.
func (a *app) examples(lines ...string) string {
	return "  " + a.program + " " + strings.Join(lines, "\n  "+a.program+" ")
}
