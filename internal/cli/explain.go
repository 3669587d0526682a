package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

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
		Use:   "explain [FILE | CAUSE]",
		Short: "Name the cause in pasted text, or show the playbook of a cause",
		Long: `explain reads text from a file, or from standard input, and names the causes in
it, worst first: the output of kubectl describe, get events, get pods, get -o yaml
or rollout status, of Helm, Argo CD, Flux or a CI job, log lines of the kubelet,
the scheduler or a runtime, whole or cut. No cluster is asked. What the text
alone cannot tell stands as rivals, with the check that decides.

With a cause it prints that cause's playbook: what it means, how to verify it,
how to mend it and take the mending back.

The exit code is 0 whether or not the text holds a cause; programs read "findings"
of -o json, which is empty then. It is 2 when the text cannot be read.`,
		Example: "  kubectl describe pod web-0 | " + a.program + " explain\n" +
			"  " + a.program + " explain job.log\n" +
			"  " + a.program + " explain -o json < events.txt\n" + a.examples("explain tag-not-found"),
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usagef("explain takes at most one file or cause; see %s causes", a.program)
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
			if len(args) == 1 && args[0] != "-" {
				if causes.ByCode(args[0]) != nil {
					return a.playbook(causes, args[0], output)
				}
				return a.explainFile(causes, args[0], output, evidence)
			}
			if f, ok := a.in.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
				fmt.Fprintln(a.err, "Paste the text, then press Ctrl-D on a line of its own.")
			}
			return a.explain(causes, a.in, output, evidence)
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

func (a *app) explainFile(causes cause.Set, path, output string, evidence bool) error {
	f, err := os.Open(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && !strings.ContainsAny(path, "./"):
		return usagef("there is no cause %q, nor a file of that name; list the causes with: %s causes", path, a.program)
	case err != nil:
		return fileError(path, err)
	}
	defer f.Close()
	return a.explain(causes, f, output, evidence)
}

func (a *app) explain(causes cause.Set, in io.Reader, output string, evidence bool) error {
	text, err := io.ReadAll(io.LimitReader(in, maxPaste+1))
	if err != nil {
		return usagef("cannot read the text: %w", err)
	}
	if len(text) > maxPaste {
		text = text[:maxPaste]
		fmt.Fprintf(a.err, "%s: only the first %d MiB of the text are read\n", a.program, maxPaste>>20)
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
