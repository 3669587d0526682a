package report_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"
	"github.com/google/go-cmp/cmp"

	"github.com/unjam-dev/unjam/internal/cause"
	"github.com/unjam-dev/unjam/internal/diagnose"
	"github.com/unjam-dev/unjam/internal/report"
	"github.com/unjam-dev/unjam/internal/snapshot"
)

var update = flag.Bool("update", false, "write the golden files of testdata anew")

// load judges all workloads of a bundle.
func load(t *testing.T, file string) *report.Report {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	snap, err := snapshot.Decode(filepath.Base(file), f, snapshot.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	r, err := diagnose.Judge(cause.BuiltIn, snap, diagnose.Scope{All: true})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func text(t *testing.T, r *report.Report, o report.TextOptions) string {
	t.Helper()
	var b bytes.Buffer
	if err := r.WriteText(&b, o); err != nil {
		t.Fatal(err)
	}
	return ansi.Strip(b.String())
}

func markdown(t *testing.T, r *report.Report) string {
	t.Helper()
	var b bytes.Buffer
	if err := r.WriteMarkdown(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func bundles(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("testdata/bundles/*.tgz")
	if err != nil || len(files) < 8 {
		t.Fatalf("%d bundles: %v", len(files), err)
	}
	return files
}

// TestGolden holds the renderings of recorded stalls as people see them. Run
// with -update after a change that is meant, and read the difference.
func TestGolden(t *testing.T) {
	for _, file := range bundles(t) {
		name := strings.TrimSuffix(filepath.Base(file), ".tgz")
		r := load(t, file)
		for golden, got := range map[string]string{
			name + ".80.txt":       text(t, r, report.TextOptions{Width: 80}),
			name + ".100.txt":      text(t, r, report.TextOptions{Width: 100}),
			name + ".evidence.txt": text(t, r, report.TextOptions{Width: 100, Evidence: true}),
			name + ".md":           markdown(t, r),
		} {
			t.Run(golden, func(t *testing.T) {
				path := filepath.Join("testdata", "golden", golden)
				if *update {
					if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
						t.Fatal(err)
					}
				}
				want, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(string(want), got); diff != "" {
					t.Errorf("(-golden +now)\n%s", diff)
				}
			})
		}
	}
}

// TestLinesFitTheWidth allows a line past the width only for commands, which
// are never wrapped, and for a single word, which is never broken.
func TestLinesFitTheWidth(t *testing.T) {
	for _, file := range bundles(t) {
		r := load(t, file)
		for _, width := range []int{40, 80, 100} {
			for _, o := range []report.TextOptions{{Width: width}, {Width: width, Evidence: true}, {Width: width, Brief: true}} {
				for line := range strings.Lines(text(t, r, o)) {
					line = strings.TrimRight(line, "\n")
					words := strings.Fields(line)
					command := strings.HasPrefix(line, strings.Repeat(" ", 15)) || strings.HasPrefix(strings.TrimSpace(line), "fix: ") || strings.Contains(line, "unjam why ")
					if ansi.StringWidth(line) > width && !command && longest(words)+25 < width {
						t.Errorf("%s at %d: %d columns: %s", filepath.Base(file), width, ansi.StringWidth(line), line)
					}
					if line != strings.TrimRight(line, " ") {
						t.Errorf("%s at %d: blanks at the end of %q", filepath.Base(file), width, line)
					}
				}
			}
		}
	}
}

func longest(words []string) int {
	n := 0
	for _, w := range words {
		n = max(n, ansi.StringWidth(w))
	}
	return n
}

// TestNarrowTextBreaksNoName finds every name and command whole on one line,
// however narrow the terminal is.
func TestNarrowTextBreaksNoName(t *testing.T) {
	for _, file := range bundles(t) {
		r := load(t, file)
		narrow := text(t, r, report.TextOptions{Width: 40})
		wide := text(t, r, report.TextOptions{})
		for _, v := range r.Verdicts {
			names := []string{v.Workload.Name}
			if v.Primary != nil {
				names = append(names, v.Primary.Cause)
				for _, f := range v.Primary.Fix {
					names = append(names, strings.Split(f.Command, "\n")...)
				}
				for _, p := range v.Primary.Affected.Pods[:min(4, len(v.Primary.Affected.Pods))] {
					names = append(names, p)
				}
			}
			for _, n := range names {
				if strings.Contains(wide, n) && !strings.Contains(narrow, n) {
					t.Errorf("%s: %q is broken at 40 columns", filepath.Base(file), n)
				}
			}
		}
		if got, want := strings.Join(strings.Fields(narrow), " "), strings.Join(strings.Fields(wide), " "); got != want {
			t.Errorf("%s: the words differ between 40 columns and no width", filepath.Base(file))
		}
	}
}

// TestStyledTextIsPlainTextWithStyles holds styles to add nothing but escapes.
func TestStyledTextIsPlainTextWithStyles(t *testing.T) {
	r := load(t, "testdata/bundles/missing-tag.tgz")
	var b bytes.Buffer
	if err := r.WriteText(&b, report.TextOptions{Width: 80}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(b.String(), "\x1b[") {
		t.Error("no styles at all")
	}
	if stripped := ansi.Strip(b.String()); strings.ContainsRune(stripped, '\x1b') {
		t.Errorf("an escape is left: %s", strconv.Quote(stripped))
	}
}
