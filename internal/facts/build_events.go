package facts

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
)

// combinedPrefix is put before a message by client-go's event correlator once
// more than ten similar events were seen (client-go tools/record/events_cache.go).
const combinedPrefix = "(combined from similar events): "

// fieldPath is how the kubelet names a container in involvedObject.fieldPath.
var fieldPath = regexp.MustCompile(`^spec\.(?:initContainers|containers|ephemeralContainers)\{([^}]+)\}$`)

func (f *Facts) indexEvents() {
	f.events = make(map[types.UID][]*Event)
	f.eventsName = make(map[objectKey][]*Event)
	for _, obj := range f.Snap.Objects.Events {
		e := newEvent(obj)
		o := obj.InvolvedObject
		if o.UID != "" {
			f.events[o.UID] = append(f.events[o.UID], e)
		}
		k := objectKey{o.Kind, o.Namespace, o.Name}
		f.eventsName[k] = append(f.eventsName[k], e)
	}
	for _, list := range f.events {
		sortEvents(list)
	}
	for _, list := range f.eventsName {
		sortEvents(list)
	}
}

func sortEvents(list []*Event) {
	slices.SortFunc(list, func(a, b *Event) int {
		return cmp.Or(a.Last.Compare(b.Last), a.First.Compare(b.First), cmp.Compare(a.Obj.Name, b.Obj.Name), cmp.Compare(a.Message, b.Message))
	})
}

func newEvent(obj *corev1.Event) *Event {
	e := &Event{Obj: obj, Reason: obj.Reason, Warning: obj.Type == corev1.EventTypeWarning,
		Message: strings.TrimPrefix(obj.Message, combinedPrefix), Count: max(obj.Count, 1),
		First: obj.FirstTimestamp.Time, Last: obj.LastTimestamp.Time,
		Source: cmp.Or(obj.ReportingController, obj.Source.Component)}
	if e.First.IsZero() {
		e.First = firstTime(obj.EventTime.Time, obj.LastTimestamp.Time, obj.CreationTimestamp.Time)
	}
	if obj.Series != nil {
		e.Count = max(e.Count, obj.Series.Count)
		if obj.Series.LastObservedTime.After(e.Last) {
			e.Last = obj.Series.LastObservedTime.Time
		}
	}
	if e.Last.IsZero() {
		e.Last = e.First
	}
	if m := fieldPath.FindStringSubmatch(obj.InvolvedObject.FieldPath); m != nil {
		e.Container = m[1]
	}
	return e
}

func firstTime(times ...time.Time) time.Time {
	for _, t := range times {
		if !t.IsZero() {
			return t
		}
	}
	return time.Time{}
}
