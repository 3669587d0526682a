package cli

import (
	"encoding/xml"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/unjam-dev/unjam/internal/cause"
	"github.com/unjam-dev/unjam/internal/diagnose"
	"github.com/unjam-dev/unjam/internal/report"
	"github.com/unjam-dev/unjam/internal/rules"
	"github.com/unjam-dev/unjam/internal/ruletest"
	"github.com/unjam-dev/unjam/internal/snapshot"
)

func (a *app) rulesTestCommand() *cobra.Command {
	var output string
	var verbose bool
	cmd := &cobra.Command{
		Use:   "test FILE|DIR...",
		Short: "Run unit tests of rules",
		Long: `Run unit tests of rules: files of kind RulesTest, in directories those whose name
ends in _test.yaml. A test gives objects, a bundle or a pasted text and the exact
set of causes that must be found; one too many fails it.

Exit code 0: all tests pass. 1: a test fails. 2: a file has faults, cannot be
read, or there is no test.`,
		Example: a.examples("rules test docs/rules", "rules test -v rules/webhook_test.yaml", "rules test rules -o junit > results.xml"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if !slices.Contains([]string{"text", "json", "junit"}, output) {
				return usagef("unknown output format %q: choose text, json or junit", output)
			}
			if len(args) == 0 {
				return usagef("name a file or directory of tests, for example: %s rules test rules/", a.program)
			}
			results, err := runSuites(cmd, args)
			if err != nil {
				return err
			}
			if slices.ContainsFunc(results, func(r ruletest.Result) bool { return !r.Pass }) {
				a.code = report.ExitFailure
			}
			switch output {
			case "json":
				return report.WriteJSON(a.out, results)
			case "junit":
				return writeJUnit(a.out, results)
			}
			return a.writeResults(results, verbose)
		},
	}
	cmd.Flags().StringVarP(&output, "output", "o", "text", "output format: text, json or junit")
	cmd.Flags().BoolVarP(&verbose, "verbose", "v", false, "name tests that pass, too")
	return cmd
}

func runSuites(cmd *cobra.Command, args []string) ([]ruletest.Result, error) {
	var paths []string
	for _, arg := range args {
		p, err := yamlFiles(arg, isTestFile)
		if err != nil {
			return nil, err
		}
		paths = append(paths, p...)
	}
	if len(paths) == 0 {
		return nil, usagef("there are no tests in %s: no file there ends in _test.yaml", strings.Join(args, ", "))
	}
	results := []ruletest.Result{}
	for _, p := range paths {
		r, err := runSuite(cmd, p)
		if err != nil {
			return nil, err
		}
		results = append(results, r...)
	}
	return results, nil
}

func runSuite(cmd *cobra.Command, path string) ([]ruletest.Result, error) {
	data, err := readSmall(path, ruletest.MaxFile)
	if err != nil {
		return nil, err
	}
	suite, err := ruletest.Parse(path, data)
	if err != nil {
		return nil, err
	}
	beside := func(p string) string {
		if filepath.IsAbs(p) {
			return p
		}
		return filepath.Join(filepath.Dir(path), p)
	}
	var sources []string
	for _, r := range suite.Rules {
		sources = append(sources, beside(r))
	}
	list, err := ruleFiles(cmd.Context(), sources, nil)
	if err != nil {
		return nil, err
	}
	own, err := rules.Load(cause.BuiltIn, list...)
	if err != nil {
		return nil, err
	}
	causes, err := own.Extend(cause.BuiltIn)
	if err != nil {
		return nil, err
	}
	return suite.Run(causes, func(p string) (*snapshot.Snapshot, error) {
		return bundleAt(beside(p)).Snapshot(cmd.Context(), diagnose.Scope{})
	}), nil
}

func bundleAt(path string) diagnose.Source { return files{path: path} }

func (a *app) writeResults(results []ruletest.Result, verbose bool) error {
	failed := 0
	for i, r := range results {
		if verbose && r.Pass {
			fmt.Fprintf(a.out, "--- PASS: %s\n", r.Name)
		}
		if !r.Pass {
			failed++
			fmt.Fprintf(a.out, "--- FAIL: %s\n        %s:%d:\n", r.Name, r.File, r.Line)
			if r.Error != "" {
				fmt.Fprintf(a.out, "        %s\n", r.Error)
			}
			for _, d := range r.Diff {
				fmt.Fprintf(a.out, "        %s\n", d)
			}
		}
		if i+1 == len(results) || results[i+1].File != r.File {
			a.writeFileResult(results, r.File)
		}
	}
	if failed > 0 {
		fmt.Fprintf(a.out, "FAIL: %d of %s (- missing, + not expected, ~ other than expected)\n", failed, count(len(results), "test"))
	}
	return nil
}

func (a *app) writeFileResult(results []ruletest.Result, file string) {
	n, ok := 0, true
	for _, r := range results {
		if r.File == file {
			n, ok = n+1, ok && r.Pass
		}
	}
	word := "ok  "
	if !ok {
		word = "FAIL"
	}
	fmt.Fprintf(a.out, "%s  %s  %s\n", word, file, count(n, "test"))
}

// junit is the form that CI systems show.
type junit struct {
	XMLName  xml.Name    `xml:"testsuite"`
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Cases    []junitCase `xml:"testcase"`
}

type junitCase struct {
	Class   string        `xml:"classname,attr"`
	Name    string        `xml:"name,attr"`
	Failure *junitFailure `xml:"failure,omitempty"`
}

type junitFailure struct {
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

func writeJUnit(w io.Writer, results []ruletest.Result) error {
	s := junit{Name: "unjam rules", Tests: len(results)}
	for _, r := range results {
		c := junitCase{Class: r.File, Name: r.Name}
		if !r.Pass {
			s.Failures++
			c.Failure = &junitFailure{Message: fmt.Sprintf("%s:%d", r.File, r.Line), Text: strings.TrimSpace(r.Error + "\n" + strings.Join(r.Diff, "\n"))}
		}
		s.Cases = append(s.Cases, c)
	}
	out, err := xml.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "%s%s\n", xml.Header, out)
	return err
}
