// Package scenarios replays what real clusters did: every recorded bundle, and
// every state written by hand for what the lab cannot produce, is judged anew
// and held to the expectation beside it.
package scenarios

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/unjam-dev/unjam/internal/cause"
	"github.com/unjam-dev/unjam/internal/diagnose"
	"github.com/unjam-dev/unjam/internal/snapshot"
)

// maxBundle keeps the repository small; a bundle that is larger holds
// something that the scenario does not need.
const maxBundle = 15 << 10

// TestReplay judges every recorded bundle. open.txt lists the scenarios that
// are not yet judged as they should be, one name a line with the reason; a
// scenario that comes right must leave the list.
func TestReplay(t *testing.T) {
	open := readOpen(t)
	files, err := filepath.Glob("*/*/bundle.tgz")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Fatal("no recorded bundles")
	}
	for _, file := range files {
		dir := filepath.Dir(file)
		name := filepath.Base(dir)
		reason, isOpen := open[name]
		t.Run(name, func(t *testing.T) {
			wrong := replay(t, dir, name)
			switch {
			case isOpen && len(wrong) == 0:
				t.Errorf("is right now: take it off open.txt")
			case isOpen:
				t.Logf("open (%s): %s", reason, strings.Join(wrong, "; "))
			case len(wrong) > 0:
				t.Error(strings.Join(wrong, "\n"))
			}
		})
	}
}

// TestWritten judges the states that the lab cannot produce: they hold the
// texts that a component's source or a public issue shows, and say which.
func TestWritten(t *testing.T) {
	files, err := filepath.Glob("*/*/" + writtenFile)
	if err != nil {
		t.Fatal(err)
	}
	recorded, err := filepath.Glob("*/*/bundle.tgz")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 40 {
		t.Errorf("%d written scenarios, want at least 40", len(files))
	}
	t.Logf("%d recorded, %d written", len(recorded), len(files))
	for _, file := range files {
		dir := filepath.Dir(file)
		t.Run(filepath.Base(dir), func(t *testing.T) {
			e := readExpect(t, dir)
			if !e.Written || e.Source == "" || e.Note == "" {
				t.Error("expect.yaml says not that it is written, what its texts are from, or what decides")
			}
			if _, err := os.Stat(filepath.Join(dir, "bundle.tgz")); err == nil {
				t.Error("a written scenario has a recording, too")
			}
			for _, wrong := range judged(t, dir, writtenFile, e) {
				t.Error(wrong)
			}
		})
	}
}

// writtenFile holds the objects of a scenario that is not played.
const writtenFile = "objects.yaml"

func readExpect(t *testing.T, dir string) expect {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "expect.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var e expect
	if err := yaml.Unmarshal(text, &e); err != nil {
		t.Fatal(err)
	}
	return e
}

func replay(t *testing.T, dir, name string) []string {
	e := readExpect(t, dir)
	if e.Written {
		t.Error("a recorded scenario calls itself written")
	}
	return judged(t, dir, "bundle.tgz", e)
}

// judged compares the verdict on a file of the scenario with the expectation.
func judged(t *testing.T, dir, file string, e expect) []string {
	t.Helper()
	name := filepath.Base(dir)
	b, err := os.ReadFile(filepath.Join(dir, file))
	if err != nil {
		t.Fatal(err)
	}
	if len(b) > maxBundle {
		t.Errorf("%s has %d bytes, at most %d are allowed", file, len(b), maxBundle)
	}
	snap, err := snapshot.Decode(file, bytes.NewReader(b), snapshot.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	targets, err := diagnose.ParseTargets([]string{e.Workload})
	if err != nil {
		t.Fatal(err)
	}
	r, err := diagnose.Judge(cause.BuiltIn, snap, diagnose.Scope{Namespace: name, Targets: targets})
	if err != nil {
		return []string{err.Error()}
	}
	return e.compare(r.Verdicts[0])
}

func readOpen(t *testing.T) map[string]string {
	b, err := os.ReadFile("open.txt")
	if os.IsNotExist(err) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for line := range strings.Lines(string(b)) {
		name, reason, _ := strings.Cut(strings.TrimSpace(line), " ")
		if name != "" && !strings.HasPrefix(name, "#") {
			out[name] = strings.TrimSpace(reason)
		}
	}
	return out
}
