// Package paste reads text that people paste (kubectl describe, get events,
// status YAML, scheduler messages, kubelet and runtime log lines) into a
// snapshot, so that the same engine judges it. What the text does not show is a
// gap.
package paste

import (
	"strings"

	"github.com/unjam-dev/unjam/internal/pattern"
	"github.com/unjam-dev/unjam/internal/snapshot"
)

// Bounds of what is looked at: a paste is not a data set.
const (
	maxLines   = 50_000
	maxLine    = 64 << 10
	maxEvents  = 2000 // different ones
	maxPods    = 2000
	maxLoose   = 2000 // different lines without a form
	maxObjects = 1000 // described ones
)

// Reading is what a text shows.
type Reading struct {
	Snapshot *snapshot.Snapshot
	// Dated is true when the text holds absolute times; else all times are ages
	// counted back from Epoch and must not be shown.
	Dated bool
	// Counted is true when the text says how many pods there are.
	Counted bool
	// Said are the messages in the text, in order.
	Said []Saying
}

// Read turns text into a snapshot. It never fails: text in which nothing is
// recognised gives a snapshot without objects.
func Read(text string) Reading {
	if s := structured(text); s != nil {
		return Reading{Snapshot: s, Dated: true, Counted: true}
	}
	d := newDraft()
	d.lines(clean(text))
	s := d.snapshot()
	return Reading{Snapshot: s, Dated: d.absolute, Counted: d.counted, Said: d.said}
}

// Assume reads the text as the error of an image pull although only words that
// other programs print too say so. ok is false when not even those are there.
func (r Reading) Assume() (assumed Reading, ok bool) {
	d := newDraft()
	d.said = r.Said
	if !d.assume() {
		return r, false
	}
	s := d.snapshot()
	return Reading{Snapshot: s, Said: d.said}, true
}

// Unnamed tells the made-up names of objects that the text does not name.
func Unnamed(name string) bool { return strings.Contains(name, "unnamed-") }

// structured reads YAML and JSON as kubectl prints them; nil when the text is
// neither.
func structured(text string) *snapshot.Snapshot {
	t := strings.TrimSpace(text)
	if !strings.HasPrefix(t, "{") && !strings.Contains(t, "apiVersion:") {
		return nil
	}
	if !strings.HasPrefix(t, "{") {
		if at := firstField.FindStringSubmatchIndex(t); at != nil {
			t = t[at[0]:] // after the command that printed it
		}
	}
	s, err := snapshot.Decode("text", strings.NewReader(t), snapshot.Limits{})
	if err != nil || s.Objects.Len() == 0 {
		return nil
	}
	return s
}

var firstField = pattern.New(`(?m)^apiVersion: `)

// lines walks the text, giving each part to the reader that knows its form.
func (d *draft) lines(lines []string) {
	for i := 0; i < len(lines); {
		l := lines[i]
		switch {
		case strings.TrimSpace(l) == "":
			i++
		case describeStart.MatchString(l) || describeCut(l):
			if d.described++; d.described > maxObjects {
				return
			}
			i += d.describe(lines[i:])
		case eventHeader(l) != nil:
			i += d.eventTable(lines[i:], objectRef{})
		case podHeader(l):
			i += d.podTable(lines[i:])
		default:
			i += d.loose(lines[i:])
		}
	}
}
