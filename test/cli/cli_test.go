// Package cli_test runs whole command lines of unjam in-process: exit code,
// standard output and standard error, as a user gets them.
package cli_test

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/unjam-dev/unjam/internal/cli"
)

func TestMain(m *testing.M) {
	run := func() { os.Exit(cli.Run(os.Args, os.Stdin, os.Stdout, os.Stderr, os.Environ())) }
	testscript.Main(m, map[string]func(){"unjam": run, "kubectl-unjam": run})
}

// TestSessions runs testdata/*.txtar. Beyond testscript's own commands,
// "exitcode N unjam …" wants that exit code, and "schema FILE" holds JSON to
// the published schema. "hostile" and "refused" are in hostile_test.go.
func TestSessions(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(env *testscript.Env) error {
			// A user without a kubeconfig, whose terminal has colours.
			env.Setenv("HOME", env.WorkDir)
			env.Setenv("KUBECONFIG", env.WorkDir+"/none")
			env.Setenv("TERM", "xterm-256color")
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"exitcode": exitCode, "schema": matchesSchema, "hostile": hostile, "refused": refused},
	})
}

func exitCode(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: exitcode N command [args]")
	}
	got := "0"
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		got = err.Error()
		if len(got) > 12 && got[:12] == "exit status " {
			got = got[12:]
		}
	}
	if got != args[0] {
		ts.Fatalf("exit code %s, want %s", got, args[0])
	}
}

func matchesSchema(ts *testscript.TestScript, neg bool, args []string) {
	schema, err := jsonschema.NewCompiler().Compile("../../docs/schema/report.schema.json")
	ts.Check(err)
	var doc any
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &doc))
	if err := schema.Validate(doc); (err != nil) != neg {
		ts.Fatalf("%s: %v", args[0], err)
	}
}
