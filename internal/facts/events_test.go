package facts_test

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/unjam-dev/unjam/internal/facts"
	"github.com/unjam-dev/unjam/internal/snapshot/snaptest"
)

// before is Now minus d.
func before(d time.Duration) time.Time { return snaptest.Now.Add(-d) }

// TestEventTimes resolves the times and counts that the three generations of
// event writers leave in different fields.
func TestEventTimes(t *testing.T) {
	for _, c := range []struct {
		name        string
		change      func(*corev1.Event)
		first, last time.Duration // before Now
		count       int32
	}{
		{"core/v1", func(e *corev1.Event) {}, 4 * time.Minute, time.Minute, 5},
		{"count left out", func(e *corev1.Event) { e.Count = 0 }, 4 * time.Minute, time.Minute, 1},
		{"events.k8s.io, once", func(e *corev1.Event) {
			e.FirstTimestamp, e.LastTimestamp, e.Count = metav1.Time{}, metav1.Time{}, 0
			e.EventTime = metav1.NewMicroTime(before(3 * time.Minute))
		}, 3 * time.Minute, 3 * time.Minute, 1},
		{"events.k8s.io, a series", func(e *corev1.Event) {
			e.FirstTimestamp, e.LastTimestamp, e.Count = metav1.Time{}, metav1.Time{}, 0
			e.EventTime = metav1.NewMicroTime(before(3 * time.Minute))
			e.Series = &corev1.EventSeries{Count: 9, LastObservedTime: metav1.NewMicroTime(before(10 * time.Second))}
		}, 3 * time.Minute, 10 * time.Second, 9},
		{"a series behind its own copy", func(e *corev1.Event) {
			e.Series = &corev1.EventSeries{Count: 2, LastObservedTime: metav1.NewMicroTime(before(2 * time.Minute))}
		}, 4 * time.Minute, time.Minute, 5},
		{"no times but that of its creation", func(e *corev1.Event) {
			e.FirstTimestamp, e.LastTimestamp = metav1.Time{}, metav1.Time{}
			e.CreationTimestamp = snaptest.Ago(7 * time.Minute)
		}, 7 * time.Minute, 7 * time.Minute, 5},
		{"only a last time", func(e *corev1.Event) { e.FirstTimestamp = metav1.Time{} }, time.Minute, time.Minute, 5},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := snaptest.New()
			p := b.BarePod("web", "web:v1", "n1")
			c.change(b.Event("Pod", "shop", "web", p.Obj.UID, "Warning", "Failed", "text", 4*time.Minute, time.Minute, 5))
			got := facts.Build(b.Snap).EventsOf("Pod", "shop", "web", p.Obj.UID)
			if len(got) != 1 {
				t.Fatalf("%d events", len(got))
			}
			if e := got[0]; !e.First.Equal(before(c.first)) || !e.Last.Equal(before(c.last)) || e.Count != c.count {
				t.Errorf("first %s, last %s, count %d", snaptest.Now.Sub(e.First), snaptest.Now.Sub(e.Last), e.Count)
			}
		})
	}
}

func TestEventTextAndContainer(t *testing.T) {
	for _, c := range []struct{ message, path, wantMessage, wantContainer string }{
		{"Back-off pulling", "spec.containers{app}", "Back-off pulling", "app"},
		{"(combined from similar events): Failed to pull", "spec.initContainers{init-db}", "Failed to pull", "init-db"},
		{"x", "spec.ephemeralContainers{debug}", "x", "debug"},
		{"x", "spec.containers[0]", "x", ""},
		{"x", "", "x", ""},
		{"x (combined from similar events): y", "status.containers{app}", "x (combined from similar events): y", ""},
	} {
		b := snaptest.New()
		e := b.Event("Pod", "shop", "web", "u", "Warning", "Failed", c.message, time.Minute, time.Minute, 1)
		e.InvolvedObject.FieldPath = c.path
		got := facts.Build(b.Snap).EventsOf("Pod", "shop", "web", "u")[0]
		if got.Message != c.wantMessage || got.Container != c.wantContainer || !got.Warning {
			t.Errorf("%q at %q: message %q, container %q", c.message, c.path, got.Message, got.Container)
		}
	}
}

func TestEventSource(t *testing.T) {
	b := snaptest.New()
	old := b.Event("Pod", "shop", "web", "u", "Normal", "Scheduled", "x", 2*time.Minute, 2*time.Minute, 1)
	old.Source.Component = "default-scheduler"
	fresh := b.Event("Pod", "shop", "web", "u", "Normal", "Nominated", "x", time.Minute, time.Minute, 1)
	fresh.ReportingController, fresh.Source.Component = "karpenter", "old"
	got := facts.Build(b.Snap).EventsOf("Pod", "shop", "web", "u")
	if len(got) != 2 || got[0].Source != "default-scheduler" || got[1].Source != "karpenter" || got[0].Warning {
		t.Errorf("%+v", got)
	}
}

// TestEventsOf finds events by UID, and by name only where that cannot take
// those of an earlier object of the same name.
func TestEventsOf(t *testing.T) {
	build := func(uids ...string) *facts.Facts {
		b := snaptest.New()
		for i, uid := range uids {
			b.Event("Pod", "shop", "web", "", "Normal", uid, "x", time.Duration(9-i)*time.Minute, time.Duration(9-i)*time.Minute, 1).InvolvedObject.UID = typesUID(uid)
		}
		b.Event("Pod", "bank", "web", "", "Normal", "other namespace", "x", time.Minute, time.Minute, 1)
		b.Event("ReplicaSet", "shop", "web", "", "Normal", "other kind", "x", time.Minute, time.Minute, 1)
		return facts.Build(b.Snap)
	}
	for _, c := range []struct {
		name string
		uids []string
		ask  string
		want []string
	}{
		{"by UID", []string{"old", "new"}, "new", []string{"new"}},
		{"the source lost the events' UIDs", []string{"", ""}, "new", []string{"", ""}},
		{"the source lost the object's UID", []string{"old", "new"}, "", []string{"old", "new"}},
		{"only an earlier life", []string{"old"}, "new", nil},
		{"an earlier life and one without UID", []string{"old", ""}, "new", []string{""}},
		{"none", nil, "new", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			for _, e := range build(c.uids...).EventsOf("Pod", "shop", "web", typesUID(c.ask)) {
				got = append(got, e.Reason)
			}
			equal(t, got, c.want)
		})
	}
}

// TestEventsAreInOrder holds the order to time, and ties to a stable order.
func TestEventsAreInOrder(t *testing.T) {
	b := snaptest.New()
	for _, e := range []struct {
		reason      string
		first, last time.Duration
	}{{"c", 3, 1}, {"a", 9, 5}, {"b", 5, 1}, {"d", 1, 0}} {
		b.Event("Pod", "shop", "web", "u", "Normal", e.reason, "x", e.first*time.Minute, e.last*time.Minute, 1)
	}
	var got []string
	for _, e := range facts.Build(b.Snap).EventsOf("Pod", "shop", "web", "u") {
		got = append(got, e.Reason)
	}
	equal(t, got, []string{"a", "b", "c", "d"})
}
