package cli

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// TestHelpHasRealExamples takes every command's examples apart: each calls an
// existing command with flags that it has, under the name in use.
func TestHelpHasRealExamples(t *testing.T) {
	for _, program := range []string{"unjam", "kubectl unjam"} {
		root := newRoot(program)
		for _, cmd := range append(root.Commands(), root) {
			if cmd.Example == "" || cmd.Short == "" {
				t.Errorf("%s has no example or no description", cmd.Name())
			}
			for line := range strings.Lines(cmd.Example) {
				checkExample(t, program, strings.TrimSpace(line))
			}
		}
	}
}

func newRoot(program string) *cobra.Command {
	a := &app{in: strings.NewReader(""), out: io.Discard, err: io.Discard, program: program}
	return a.root()
}

func checkExample(t *testing.T, program, line string) {
	t.Helper()
	_, call, ok := strings.Cut(line, program+" ")
	if !ok {
		t.Errorf("%q does not call %s", line, program)
		return
	}
	call, _, _ = strings.Cut(call, " | ")
	root := newRoot(program)
	cmd, rest, err := root.Find(strings.Fields(strings.ReplaceAll(call, "< ", "")))
	if err != nil || cmd == root {
		t.Errorf("%q: no such command", line)
		return
	}
	if err := cmd.ParseFlags(rest); err != nil {
		t.Errorf("%q: %v", line, err)
	}
}

// TestEveryMistakeIsUsage: whatever is typed wrong is exit code 2 and one line.
func TestEveryMistakeIsUsage(t *testing.T) {
	for _, args := range [][]string{
		{"nope"}, {"wy"}, {"--nope"}, {"why", "--nope"}, {"why", "--from"}, {"why", "-o", "xml", "--from", "x"}, {"why", "--exit-code", "odd", "--from", "x"},
		{"why", "foo/bar", "--from", "x"}, {"why", "deploy/", "--from", "x"}, {"why", "deploy", "a", "sts/b", "--from", "x"}, {"why", "--from", "nowhere"},
		{"why", "-A", "-n", "shop"}, {"explain", "a", "b"}, {"explain", "no-such-cause"}, {"explain", "-o", "xml"}, {"causes", "extra"}, {"causes", "-o", "xml"},
		{"causes", "--family", "x"}, {"capture"}, {"capture", "foo/bar", "-o", "x"}, {"capture", "-A", "-n", "shop", "-o", "x"}, {"demo", "nope"}, {"demo", "-o", "xml"},
		{"exit-codes", "extra"}, {"version", "extra"}, {"demo", "--color", "odd"},
		{"probe"}, {"probe", "a", "b"}, {"probe", "x", "--from", "moon"}, {"probe", "x", "--as-pod", "p", "--anonymous"}, {"probe", "x", "-o", "xml"},
		{"probe", "x", "--platform", "amd64"}, {"probe", "x", "--timeout", "0s"}, {"probe", "x", "--anonymous", "--ca", "nowhere"}, {"probe", "x", "--exit-code", "odd"},
	} {
		var out, errw bytes.Buffer
		code := Run(append([]string{"unjam"}, args...), strings.NewReader(""), &out, &errw, []string{"CI=true"})
		if code != 2 || strings.Count(errw.String(), "\n") != 1 || !strings.HasPrefix(errw.String(), "unjam: ") || out.Len() != 0 {
			t.Errorf("%v: exit %d, out %q, err %q", args, code, out.String(), errw.String())
		}
	}
}
