package snapshot

import (
	"encoding/json"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
)

// coreEvent reads an events.k8s.io Event into the core/v1 shape, field by
// field as the API server converts between the two (k8s.io/kubernetes
// pkg/apis/events/v1/conversion.go).
func coreEvent(raw []byte) (*corev1.Event, error) {
	var e eventsv1.Event
	if err := json.Unmarshal(raw, &e); err != nil {
		return nil, err
	}
	out := &corev1.Event{
		ObjectMeta: e.ObjectMeta, InvolvedObject: e.Regarding, Related: e.Related,
		Reason: e.Reason, Message: e.Note, Type: e.Type, Action: e.Action, EventTime: e.EventTime,
		ReportingController: e.ReportingController, ReportingInstance: e.ReportingInstance,
		Source: e.DeprecatedSource, FirstTimestamp: e.DeprecatedFirstTimestamp, LastTimestamp: e.DeprecatedLastTimestamp, Count: e.DeprecatedCount,
	}
	if e.Series != nil {
		out.Series = &corev1.EventSeries{Count: e.Series.Count, LastObservedTime: e.Series.LastObservedTime}
	}
	trim(out)
	return out, nil
}
