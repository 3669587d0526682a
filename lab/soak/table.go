package soak

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
)

// Totals are the sums of a run.
type Totals struct {
	Rollouts, Complete, Dooms, Moments, Stalled int
}

// Sum adds up the records of the classes given, of all without any.
func Sum(records []Record, classes ...Class) Totals {
	var t Totals
	for _, r := range records {
		if len(classes) > 0 && !slices.Contains(classes, r.Class) {
			continue
		}
		t.Rollouts++
		t.Moments += r.Moments
		t.Stalled += r.Stalled
		if r.Completed > 0 {
			t.Complete++
		}
		if r.Doom {
			t.Dooms++
		}
	}
	return t
}

// WriteTable prints a line per kind and the sums.
func WriteTable(w io.Writer, records []Record) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "class\tkind\trollouts\tcomplete\tfalse dooms\tmoments\tstalled\tafter the act\tcause named after\tright\twrong\tlongest")
	for _, class := range []Class{Heals, Slow, Node, Deadline, Acted} {
		for _, name := range KindNames() {
			var of []Record
			for _, r := range records {
				if r.Kind == name && r.Class == class {
					of = append(of, r)
				}
			}
			if len(of) > 0 {
				line(t, string(class), name, of)
			}
		}
	}
	for _, class := range []Class{Heals, Slow, Node, Deadline, Acted} {
		of := slices.DeleteFunc(slices.Clone(records), func(r Record) bool { return r.Class != class })
		if len(of) > 0 {
			line(t, string(class), "all", of)
		}
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, r := range records {
		switch {
		case r.Error != "":
			fmt.Fprintf(w, "ERROR %s %s %s: %s\n", r.Namespace, r.Kind, r.Workload, strings.ReplaceAll(r.Error, "\n", "; "))
		case r.Incomplete != "":
			fmt.Fprintf(w, "NOT COMPLETE %s %s %s: %s\n", r.Namespace, r.Kind, r.Workload, strings.ReplaceAll(r.Incomplete, "\n", "; "))
		case r.Changed:
			fmt.Fprintf(w, "CHANGED %s %s %s\n", r.Namespace, r.Kind, r.Workload)
		case !r.HealthyAtEnd:
			fmt.Fprintf(w, "NOT CALLED HEALTHY %s %s %s\n", r.Namespace, r.Kind, r.Workload)
		}
		if r.Doom {
			fmt.Fprintf(w, "FALSE DOOM %s %s %s: %s\n", r.Namespace, r.Kind, r.Workload, r.story())
		}
	}
	d := Sum(records, Heals, Slow, Node)
	_, err := fmt.Fprintf(w, "%d false dooms in %d rollouts that recover or are slow (%d complete), %d moments\n", d.Dooms, d.Rollouts, d.Complete, d.Moments)
	return err
}

func line(w io.Writer, class, name string, of []Record) {
	t := Sum(of)
	var named []float64
	trouble, right, wrong, after := 0, 0, 0, 0
	longest := Seconds(0)
	for _, r := range of {
		trouble, right, wrong, after = trouble+r.Trouble, right+r.Right, wrong+r.Wrong, after+r.AfterAct
		longest = max(longest, r.Completed)
		if r.Named > 0 && r.Signal > 0 {
			named = append(named, max(0, float64(r.Named-r.Signal)))
		}
	}
	share := "-"
	if trouble > 0 {
		share = fmt.Sprintf("%d %%", 100*right/trouble)
	}
	fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%d\t%d\t%d\t%d\t%s\t%s\t%d\t%.0fs\n", class, name, t.Rollouts, t.Complete, t.Dooms, t.Moments, t.Stalled, after, median(named), share, wrong, float64(longest))
}

func median(list []float64) string {
	if len(list) == 0 {
		return "-"
	}
	slices.Sort(list)
	return fmt.Sprintf("%.1fs", list[len(list)/2])
}

// story is the rollout's verdicts in one line.
func (r Record) story() string {
	var parts []string
	for _, s := range r.Steps {
		parts = append(parts, fmt.Sprintf("[%s at %.0fs]", s.What, float64(s.At)))
	}
	for _, s := range r.Spans {
		parts = append(parts, fmt.Sprintf("%.0f-%.0fs %s %s", float64(s.From), float64(s.To), s.State, s.Cause))
	}
	return strings.Join(append(parts, fmt.Sprintf("complete at %.0fs", float64(r.Completed))), ", ")
}
