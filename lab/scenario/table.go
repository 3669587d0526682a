package scenario

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
)

// WriteTable prints one line per scenario and the counts, failures last so
// that they are in sight. A brief table has no lines of what is as expected at
// the first try.
func WriteTable(w io.Writer, results []Result, brief bool) (passed int, err error) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, pass := range []bool{true, false} {
		for _, r := range results {
			if r.Passed() != pass {
				continue
			}
			if brief && pass && r.First == nil {
				passed++
				continue
			}
			fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\n", mark(r), r.Scenario.Name, orNone(r.State), orNone(r.Cause), r.Judging.Round(time.Millisecond), problem(r))
			if pass {
				passed++
			}
		}
	}
	if err := t.Flush(); err != nil {
		return passed, err
	}
	_, err = fmt.Fprintf(w, "%d of %d scenarios as expected\n", passed, len(results))
	return passed, err
}

func mark(r Result) string {
	switch {
	case r.Err != nil:
		return "ERROR"
	case len(r.Wrong) > 0:
		return "WRONG"
	case r.First != nil:
		return "ok at the second try"
	}
	return "ok"
}

func problem(r Result) string {
	if r.Passed() && r.First != nil {
		return "first: " + strings.Join(r.First, "; ")
	}
	return strings.Join(r.problems(), "; ")
}

func (r Result) problems() []string {
	if r.Err == nil {
		return r.Wrong
	}
	return append([]string{strings.ReplaceAll(r.Err.Error(), "\n", "; ")}, r.Wrong...)
}
