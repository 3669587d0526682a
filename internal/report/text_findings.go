package report

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"time"
)

// WriteText renders the findings of a pasted text. now is the time in the text
// that counts as the present.
func (f *Findings) WriteText(w io.Writer, o TextOptions, now time.Time) error {
	t := &textWriter{o: o, now: now}
	if len(f.Findings) == 0 {
		t.line("No known cause is in this text.")
		if f.Read != nil && f.Read.Past > 0 {
			t.line(faint.Render("It tells of troubles, and that they are over."))
		} else {
			t.line(faint.Render("Paste the Events part of `kubectl describe pod`, or `kubectl get events`, where the first error is."))
		}
	}
	grouped := f.several()
	for i, fd := range f.Findings {
		if i > 0 {
			t.line("")
		}
		if grouped && (i == 0 || fd.About != f.Findings[i-1].About) {
			t.line(bold.Render(cmp.Or(fd.About, "elsewhere in the text")))
		}
		t.wrapped("", bold.Render(strings.ToUpper(fd.Confidence))+"  "+t.sentence(fd.Summary), 2)
		t.line("")
		t.finding(fd, Workload{})
	}
	if f.Read != nil {
		t.line("")
		t.line(faint.Render(f.Read.String()))
	}
	_, err := io.WriteString(w, t.b.String())
	return err
}

// several tells whether the findings concern more than one thing.
func (f *Findings) several() bool {
	for _, fd := range f.Findings {
		if fd.About != f.Findings[0].About {
			return true
		}
	}
	return false
}

// String says what was read: "read: 1 pod, 4 events; ignored 12 lines".
func (r TextRead) String() string {
	var parts []string
	add := func(n int, one, many string) {
		switch {
		case n == 1:
			parts = append(parts, "1 "+one)
		case n > 1:
			parts = append(parts, fmt.Sprintf("%d %s", n, many))
		}
	}
	add(r.Pods, "pod", "pods")
	add(r.Workloads, "workload", "workloads")
	add(r.Nodes, "node", "nodes")
	add(r.Others, "other object", "other objects")
	events := "events"
	one := "event"
	if r.Past > 0 {
		over := fmt.Sprintf(" (%d of troubles that are over)", r.Past)
		events, one = events+over, one+over
	}
	add(r.Events, one, events)
	add(r.Lines, "message", "messages")
	if len(parts) == 0 {
		parts = []string{"nothing known"}
	}
	s := "read: " + strings.Join(parts, ", ")
	switch {
	case r.Ignored == 1:
		s += "; ignored 1 line"
	case r.Ignored > 1:
		s += fmt.Sprintf("; ignored %d lines", r.Ignored)
	}
	return s
}

// NewFindingsDocument wraps findings as a document.
func NewFindingsDocument(list []Finding) *Findings {
	return &Findings{APIVersion: APIVersion, Kind: "Findings", Findings: list}
}
