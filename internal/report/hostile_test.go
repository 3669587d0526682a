package report_test

import (
	"bytes"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/charmbracelet/x/ansi"

	"github.com/unjam-dev/unjam/internal/cause"
	"github.com/unjam-dev/unjam/internal/facts"
	"github.com/unjam-dev/unjam/internal/report"
	"github.com/unjam-dev/unjam/internal/snapshot"
	"github.com/unjam-dev/unjam/internal/verdict"
)

// hostile is text that anybody who may write an event can put into a report.
const hostile = "a `b` | c <script>alert(1)</script> [x](http://evil) **d** _e_\n# heading\n```\n| - | - |\n> f"

// reportOf is the report of one stalled workload with the text in every place.
func reportOf(text string) *report.Report {
	now := time.Date(2026, 1, 2, 10, 0, 0, 0, time.UTC)
	fd := cause.Finding{Cause: "tag-not-found", Confidence: cause.Likely, Summary: text, Since: now.Add(-time.Minute), Pods: []string{"web-1"},
		Evidence: []cause.Evidence{{Text: text, Receipt: facts.Receipt{Kind: "Pod", Namespace: "shop", Name: "web-1", Field: "event/Failed", Text: text}}},
		Rivals:   []cause.Rival{{Cause: "repo-not-found", SettledBy: text}},
		Vars:     map[string]string{"namespace": "shop", "workload": "deployment/web", "container": "app", "image": text, "repository": text, "registry": text, "tag": text}}
	w := &facts.Workload{Kind: "Deployment", Namespace: "shop", Name: "web", Desired: 1}
	return report.New(cause.BuiltIn, &snapshot.Snapshot{TakenAt: now, Gaps: []snapshot.Gap{{Resource: "secrets", Reason: snapshot.GapForbidden, Detail: text}}},
		[]verdict.Verdict{{Workload: w, State: verdict.Stalled, Primary: &fd, Contributing: []cause.Finding{fd}},
			{Workload: w, State: verdict.Unknown, Reason: text, Gaps: []snapshot.Gap{{Resource: "pods", Reason: snapshot.GapFailed, Detail: text}}}},
		[]verdict.Stall{{Cause: fd.Cause, Key: text, State: verdict.Stalled, Members: []int{0, 1}, Nodes: []string{text}}}, false)
}

// TestMarkdownIsEscaped reads the page as a renderer would, line by line: no
// line outside a fence begins a block that the report did not mean, and no
// mark-up of the text survives.
func TestMarkdownIsEscaped(t *testing.T) {
	fence := ""
	for line := range strings.Lines(markdown(t, reportOf(hostile))) {
		trimmed := strings.TrimSpace(line)
		if ticks := trimmed[:len(trimmed)-len(strings.TrimLeft(trimmed, "`"))]; len(ticks) >= 3 {
			switch {
			case fence == "":
				fence = ticks
			case ticks == trimmed && len(ticks) >= len(fence):
				fence = ""
			}
			continue
		}
		if fence != "" {
			continue
		}
		switch {
		case strings.Contains(line, "<script"), strings.Contains(line, " [x]("), strings.Contains(line, "**d**"), strings.Contains(line, " `b` "):
			t.Errorf("mark-up survives: %s", line)
		case strings.HasPrefix(trimmed, "# "), strings.HasPrefix(trimmed, "> "), strings.HasPrefix(trimmed, "|"):
			t.Errorf("a block begins: %s", line)
		}
	}
	if fence != "" {
		t.Errorf("a fence %s stays open", fence)
	}
}

// TestTerminalIsNotDriven holds text from a cluster to showing text: no escape
// sequence, carriage return or bidirectional override reaches the terminal.
func TestTerminalIsNotDriven(t *testing.T) {
	const evil = "a \x1b]0;title\x07 \x1b[2J\x1b[31mred \x9b1m b\rover \x08\x08 \u202egnp.exe\u202c \x00 end"
	r := reportOf(evil)
	for _, o := range []report.TextOptions{{Width: 80}, {Width: 80, Evidence: true}, {Width: 80, Brief: true}} {
		var b bytes.Buffer
		if err := r.WriteText(&b, o); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(b.String(), "\x1b]") || strings.Contains(b.String(), "\x1b[2J") {
			t.Error("an escape sequence passes through")
		}
		for _, c := range ansi.Strip(b.String()) {
			if c != '\n' && (unicode.IsControl(c) || unicode.Is(unicode.Bidi_Control, c)) {
				t.Errorf("%U is printed", c)
			}
		}
		if !strings.Contains(b.String(), "end") {
			t.Error("the text is gone")
		}
	}
	for _, c := range markdown(t, r) {
		if c != '\n' && (unicode.IsControl(c) || unicode.Is(unicode.Bidi_Control, c)) {
			t.Errorf("%U is in the Markdown", c)
		}
	}
}

// TestHugeMessageIsShortenedInTheMiddle keeps both ends: what was tried, and
// why it failed.
func TestHugeMessageIsShortenedInTheMiddle(t *testing.T) {
	r := reportOf("Failed to pull image web: " + strings.Repeat("and so on ", 2000) + ": connection refused")
	for _, width := range []int{0, 40, 80} {
		var b bytes.Buffer
		if err := r.WriteText(&b, report.TextOptions{Width: width}); err != nil {
			t.Fatal(err)
		}
		got := strings.Join(strings.Fields(ansi.Strip(b.String())), " ")
		if !strings.Contains(got, "“Failed to pull image web: and so on") || !strings.Contains(got, " … ") || !strings.Contains(got, "on : connection refused”") {
			t.Errorf("width %d: the evidence lost an end", width)
		}
		if len(got) > 9_000 {
			t.Errorf("width %d: %d bytes of text for one huge message", width, len(got))
		}
	}
	full := text(t, r, report.TextOptions{Evidence: true})
	if strings.Count(full, "and so on ") < 2000 {
		t.Error("--explain-evidence shortens")
	}
}

// TestWideRunesAreCut holds the cut to columns: whatever mixture of narrow and
// wide runes, none is split, both ends stay and the rest fits.
func TestWideRunesAreCut(t *testing.T) {
	for _, unit := range []string{"错误", "a错", "é", "e\u0301", "👩‍👩‍👧"} {
		for _, n := range []int{1, 100, 145, 150, 200, 400, 2000} {
			got := text(t, reportOf("first "+strings.Repeat(unit, n)+" last"), report.TextOptions{})
			if strings.ContainsRune(got, '\uFFFD') || !strings.Contains(got, "“first") || !strings.Contains(got, "last”") {
				t.Errorf("%d of %q: split, or an end is lost", n, unit)
			}
			for line := range strings.Lines(got) {
				if w := ansi.StringWidth(line); w > 700 {
					t.Errorf("%d of %q: a line of %d columns", n, unit, w)
				}
			}
		}
	}
}
