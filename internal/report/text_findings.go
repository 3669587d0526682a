package report

import (
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
		t.line(faint.Render("Paste the Events part of `kubectl describe pod`, or `kubectl get events`, where the first error is."))
	}
	for i, fd := range f.Findings {
		if i > 0 {
			t.line("")
		}
		t.wrapped("", bold.Render(strings.ToUpper(fd.Confidence))+"  "+t.sentence(fd.Summary), 2)
		t.line("")
		t.finding(fd, Workload{})
	}
	_, err := io.WriteString(w, t.b.String())
	return err
}

// NewFindingsDocument wraps findings as a document.
func NewFindingsDocument(list []Finding) *Findings {
	return &Findings{APIVersion: APIVersion, Kind: "Findings", Findings: list}
}
