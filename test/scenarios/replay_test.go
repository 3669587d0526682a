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
	"github.com/unjam-dev/unjam/internal/report"
	"github.com/unjam-dev/unjam/internal/snapshot"
)

// maxBundle keeps the repository small; a bundle that is larger holds
// something that the scenario does not need.
const maxBundle = 15 << 10

// TestReplay judges every recorded bundle, those of other runtimes too, which
// carry their name: bundle-containerd-1.6.tgz. open.txt lists the scenarios that
// are not yet judged as they should be, one name a line with the reason; a
// scenario that comes right must leave the list.
func TestReplay(t *testing.T) {
	unsettled := readOpen(t)
	files, err := filepath.Glob("*/*/bundle*.tgz")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Fatal("no recorded bundles")
	}
	for _, file := range files {
		dir := filepath.Dir(file)
		name := filepath.Base(dir)
		runtime := runtimeOf(file)
		title := name
		if runtime != "" {
			title += "-" + runtime
		}
		reason, isOpen := unsettled[title]
		t.Run(title, func(t *testing.T) {
			wrong := replay(t, file)
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
			r := open(t, file)
			if e := r.expect; !e.Written || e.Source == "" || e.Note == "" {
				t.Error("expect.yaml says not that it is written, what its texts are from, or what decides")
			}
			if _, err := os.Stat(filepath.Join(dir, "bundle.tgz")); err == nil {
				t.Error("a written scenario has a recording, too")
			}
			for _, wrong := range r.wrong() {
				t.Error(wrong)
			}
		})
	}
}

// writtenFile holds the objects of a scenario that is not played.
const writtenFile = "objects.yaml"

// recording is a bundle with its expectation, judged anew.
type recording struct {
	name, runtime string
	expect        expect
	report        *report.Report
}

// open reads and judges a bundle. It fails the test when it cannot.
func open(t *testing.T, file string) recording {
	t.Helper()
	dir := filepath.Dir(file)
	r := recording{name: filepath.Base(dir), runtime: runtimeOf(file)}
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "expect.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(text, &r.expect); err != nil {
		t.Fatal(err)
	}
	if limit := maxBundle * (1 + len(r.expect.Workloads)); len(b) > limit {
		t.Errorf("the bundle has %d bytes, at most %d are allowed", len(b), limit)
	}
	snap, err := snapshot.Decode(filepath.Base(file), bytes.NewReader(b), snapshot.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	targets, err := diagnose.ParseTargets(append([]string{r.expect.Workload}, r.expect.Workloads...))
	if err != nil {
		t.Fatal(err)
	}
	if r.report, err = diagnose.Judge(cause.BuiltIn, snap, diagnose.Scope{Namespace: r.name, Targets: targets}); err != nil {
		t.Fatal(err)
	}
	r.expect = r.expect.under(r.runtime)
	return r
}

// runtimeOf is the runtime that a bundle's name carries: containerd-1.6 of
// bundle-containerd-1.6.tgz, nothing of bundle.tgz.
func runtimeOf(file string) string {
	name, ok := strings.CutSuffix(filepath.Base(file), ".tgz")
	if !ok {
		return ""
	}
	return strings.TrimPrefix(strings.TrimPrefix(name, "bundle"), "-")
}

func replay(t *testing.T, file string) []string {
	r := open(t, file)
	if r.expect.Written {
		t.Error("a recorded scenario calls itself written")
	}
	return r.wrong()
}

// wrong is what differs from the expectation.
func (r recording) wrong() []string {
	var wrong []string
	for _, v := range r.report.Verdicts {
		for _, text := range r.expect.compare(v) {
			if len(r.expect.Workloads) > 0 {
				text = v.Workload.Kind + "/" + v.Workload.Name + ": " + text
			}
			wrong = append(wrong, text)
		}
	}
	return wrong
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
