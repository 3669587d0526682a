// Package paste reads text that people paste (kubectl describe, get events,
// status YAML, scheduler messages, kubelet and runtime log lines) into a
// snapshot, so that the same engine judges it. What the text does not show is a
// gap.
package paste

import (
	"strings"

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
	maxParts   = 50   // of YAML, since each is parsed
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
	// Original are messages of the text by the words of today that the snapshot
	// holds in their place.
	Original map[string]string
	Counts   Counts
}

// Read turns text into a snapshot. It never fails: text in which nothing is
// recognised gives a snapshot without objects.
func Read(text string) Reading {
	s := structured(text)
	lines := clean(text)
	if s == nil {
		s = structured(strings.Join(lines, "\n"))
	}
	switch {
	case s == nil:
		d := newDraft()
		d.lines(lines)
		return d.reading()
	case alone(s):
		return ofEvents(s).reading()
	case quiet(s):
		d := newDraft()
		d.lines(lines)
		r := d.reading()
		r.Snapshot, r.Dated = s, true
		return r
	}
	r := Reading{Snapshot: s, Dated: true, Counted: true, Counts: Counts{Events: len(s.Objects.Events)}}
	r.Counts.countObjects(s)
	return r
}

// reading is what the draft came to.
func (d *draft) reading() Reading {
	s := d.snapshot()
	d.counts.Past = d.past
	d.counts.countObjects(s)
	return Reading{Snapshot: s, Dated: d.absolute, Counted: d.counted, Said: d.said, Original: d.original, Counts: d.counts}
}

// Assume reads the text as the error of an image pull although only words that
// other programs print too say so. ok is false when not even those are there.
func (r Reading) Assume() (assumed Reading, ok bool) {
	d := newDraft()
	d.said = r.Said
	if !d.assume() {
		return r, false
	}
	r = d.reading()
	r.Dated = false
	return r, true
}

// Unnamed tells the made-up names of objects that the text does not name.
func Unnamed(name string) bool { return strings.Contains(name, "unnamed-") }

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
