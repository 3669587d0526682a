package report

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/unjam-dev/unjam/internal/plan"
	"github.com/unjam-dev/unjam/internal/snapshot"
)

// clean is text of a cluster, fit to print: redacted, and without what would
// drive a terminal or turn the reading direction. Anybody who may write an
// event or a termination message writes into reports.
func clean(s string) string {
	s = snapshot.Redact(s)
	if !strings.ContainsFunc(s, drives) {
		return s
	}
	var b strings.Builder
	for _, r := range strings.ReplaceAll(s, "\r\n", "\n") {
		switch {
		case r == '\t':
			b.WriteByte(' ')
		case drives(r) && r < 0x100:
			fmt.Fprintf(&b, `\x%02x`, r)
		case drives(r):
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

func drives(r rune) bool {
	return r != '\n' && (unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r))
}

func cleanAll(list []string) []string {
	out := make([]string, 0, len(list))
	for _, s := range list {
		out = append(out, clean(s))
	}
	return out
}

func cleanGaps(gaps []snapshot.Gap) []snapshot.Gap {
	out := append([]snapshot.Gap{}, gaps...)
	for i := range out {
		g := &out[i]
		g.Resource, g.Namespace, g.Name, g.Detail, g.Settle = clean(g.Resource), clean(g.Namespace), clean(g.Name), clean(g.Detail), clean(g.Settle)
	}
	return out
}

func cleanFixes(fixes []plan.Fix) []plan.Fix {
	out := append([]plan.Fix{}, fixes...)
	for i := range out {
		out[i].Text, out[i].Undo = clean(out[i].Text), clean(out[i].Undo)
	}
	return out
}

func cleanChecks(checks []plan.Check) []plan.Check {
	for i := range checks {
		checks[i].Text = clean(checks[i].Text)
	}
	return checks
}
