package diagnose

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/unjam-dev/unjam/internal/cause"
)

// mutations are what else happens to text on its way: heads of log lines, broken
// and lost lines, quotation, strange lines in between.
var mutations = map[string]func(string, *rand.Rand) string{
	"job log": func(s string, _ *rand.Rand) string {
		n := 0
		return eachLine(s, func(l string) string {
			n++
			return fmt.Sprintf("2026-03-04T12:01:%02d.%07dZ %s", n%60, n, l)
		})
	},
	"container log": func(s string, _ *rand.Rand) string {
		return eachLine(s, func(l string) string { return "2026-03-05T08:00:02.120033711Z stdout F " + l })
	},
	"wrapped": func(s string, _ *rand.Rand) string {
		// A terminal does not count colours.
		return eachLine(colours.ReplaceAllString(s, ""), func(l string) string {
			var b strings.Builder
			for len(l) > 80 {
				b.WriteString(l[:80] + "\n")
				l = l[80:]
			}
			return b.String() + l
		})
	},
	"cut at the end": func(s string, r *rand.Rand) string {
		l := strings.SplitAfter(s, "\n")
		return strings.Join(l[:1+r.IntN(len(l))], "")
	},
	"cut at the start": func(s string, r *rand.Rand) string {
		l := strings.SplitAfter(s, "\n")
		return strings.Join(l[r.IntN(len(l)):], "")
	},
	"blanks for tabs": func(s string, _ *rand.Rand) string { return strings.ReplaceAll(s, "\t", "  ") },
	"quoted twice":    func(s string, _ *rand.Rand) string { return eachLine(s, func(l string) string { return "> > " + l }) },
	"strange lines": func(s string, r *rand.Rand) string {
		lines := strings.Split(s, "\n")
		at := r.IntN(len(lines) + 1)
		return strings.Join(lines[:at], "\n") + "\n" + strings.Join([]string{"I0305 08:00:13.120033    1021 pod_startup_latency_tracker.go:104] \"Observed pod startup duration\" pod=\"store/other\"", "all good here", ""}[r.IntN(3):], "\n") + "\n" + strings.Join(lines[at:], "\n")
	},
}

var colours = regexp.MustCompile(`\x1b\[[0-9;]*[A-Za-z]`)

// TestMutations holds that no change makes a text say another certain cause than
// the text itself says, certain or not.
func TestMutations(t *testing.T) {
	texts := map[string]string{}
	for _, p := range pastedTexts(t) {
		texts[p.name] = p.text
	}
	for i, s := range samples(t) {
		if i%9 == 0 {
			texts[s.cause+" described"] = forms[1].text(s)
		}
	}
	all := map[string]int{}
	for n, name := range slices.Sorted(maps.Keys(texts)) {
		text := texts[name]
		plain, _ := Explain(cause.BuiltIn, text)
		said := map[string]bool{}
		for _, fd := range plain.Findings {
			said[fd.Cause] = true
			for _, o := range fd.Rivals {
				said[o.Cause] = true
			}
		}
		for _, what := range slices.Sorted(maps.Keys(mutations)) {
			mutate, r := mutations[what], rand.New(rand.NewPCG(uint64(n), uint64(len(what))))
			changed := mutate(text, r)
			doc, _ := Explain(cause.BuiltIn, changed)
			all[what]++
			for _, fd := range doc.Findings {
				// A text that is cut may lose the event that a trouble is over, or
				// the cause of a symptom.
				if fd.Confidence == string(cause.Certain) && !said[fd.Cause] && fd.Class != string(cause.Symptom) && !(strings.HasPrefix(what, "cut") && plain.Read.Past > 0) {
					t.Errorf("%s, %s: certain %s, which the text itself does not say\n%s", name, what, fd.Cause, changed)
				}
			}
		}
	}
	t.Logf("texts by change: %v", all)
}
