package properties

import (
	"fmt"
	"slices"
	"testing"

	"github.com/unjam-dev/unjam/internal/report"
	"github.com/unjam-dev/unjam/internal/snapshot"
)

// truthOf are the other causes that are true once an object is really gone.
var truthOf = map[string]string{
	"secrets":        "pull-secret-missing", // it is
	"pods":           "quota-exceeded",      // no old pod holds what the quota lacks any more
	"replicasets":    "quota-exceeded",
	"resourcequotas": "quota-exceeded", // it refused the pods and is gone since
}

// TestOneObjectLess takes out any one object. A stall never becomes health by
// it, and no other cause becomes certain unless it is true then.
func TestOneObjectLess(t *testing.T) {
	judged := 0
	for _, s := range scenes(t) {
		for _, k := range slots {
			for i := range k.size(&s.snap.Objects) {
				less := copyOf(s.snap)
				k.remove(&less.Objects, i)
				v, err := s.judge(less)
				if err != nil {
					continue // the workload itself is gone
				}
				judged++
				what := fmt.Sprintf("%s without %s[%d]", s.name, k.resource, i)
				if k.resource == "events" {
					e := s.snap.Objects.Events[i]
					what += fmt.Sprintf(" (%s %s %.60s)", e.InvolvedObject.Kind, e.Reason, e.Message)
				}
				for _, p := range s.holds(v, primary(v) != truthOf[k.resource]) {
					t.Errorf("%s: %s", what, p)
				}
			}
		}
	}
	t.Logf("%d verdicts", judged)
}

// TestOnePermissionLess takes the right to read one resource away. The answer
// stays, gets less certain, or names the gap.
func TestOnePermissionLess(t *testing.T) {
	judged := 0
	for _, s := range scenes(t) {
		for _, k := range slots {
			v, err := s.judge(without(s.snap, k))
			if err != nil {
				continue // not found, and the error names the gap
			}
			judged++
			for _, p := range s.holds(v, true) {
				t.Errorf("%s may not read %s: %s", s.name, k.resource, p)
			}
			if s.base.State == "stalled" && (primary(v) == "-" || symptom(v)) && len(v.Gaps) == 0 {
				t.Errorf("%s may not read %s: %s without a cause, and no gap is named", s.name, k.resource, v.State)
			}
		}
	}
	t.Logf("%d verdicts", judged)
}

// TestLessHistory takes away all events, all logs, and the UIDs by which
// events point at their objects.
func TestLessHistory(t *testing.T) {
	judged := 0
	for _, c := range []struct {
		name string
		cut  func(*snapshot.Snapshot)
	}{
		{"events", func(s *snapshot.Snapshot) { s.Objects.Events = nil }},
		{"logs", func(s *snapshot.Snapshot) { s.Logs = nil }},
		{"events and logs", func(s *snapshot.Snapshot) { s.Objects.Events, s.Logs = nil, nil }},
		{"UIDs in events", func(s *snapshot.Snapshot) {
			for _, e := range s.Objects.Events {
				e.InvolvedObject.UID = ""
			}
		}},
		{"all but pods", func(s *snapshot.Snapshot) {
			pods := s.Objects.Pods
			s.Objects = snapshot.Objects{Pods: pods}
			s.Logs = nil
			for _, k := range slots {
				if k.resource != "pods" {
					s.Gaps = append(s.Gaps, snapshot.Gap{Resource: k.resource, Reason: snapshot.GapForbidden})
				}
			}
		}},
		{"all but pods and events", func(s *snapshot.Snapshot) {
			s.Objects = snapshot.Objects{Pods: s.Objects.Pods, Events: s.Objects.Events}
			s.Logs = nil
			for _, k := range slots {
				if k.resource != "pods" && k.resource != "events" {
					s.Gaps = append(s.Gaps, snapshot.Gap{Resource: k.resource, Reason: snapshot.GapForbidden})
				}
			}
		}},
	} {
		for _, s := range scenes(t) {
			less := deepCopyOf(s.snap)
			c.cut(less)
			v, err := s.judge(less)
			if err != nil {
				continue
			}
			judged++
			if c.name == "UIDs in events" && answer(v) != answer(s.base) {
				t.Errorf("%s without %s: %s, want %s", s.name, c.name, answer(v), answer(s.base))
			}
			for _, p := range s.holds(v, true) {
				t.Errorf("%s without %s: %s", s.name, c.name, p)
			}
		}
	}
	t.Logf("%d verdicts", judged)
}

// holds lists what is wrong with a verdict on less evidence than there was.
// strict is set when nothing of the world has changed, only what is known.
func (s *scene) holds(v report.Verdict, strict bool) []string {
	var wrong []string
	if s.base.State != "healthy" && v.State == "healthy" && s.base.State != "waiting" && s.base.State != "progressing" {
		wrong = append(wrong, s.base.State+" became healthy")
	}
	if v.State != "healthy" && v.Primary == nil && v.Reason == "" {
		wrong = append(wrong, v.State+" without a cause or a reason")
	}
	if symptom(v) || primary(v) == "unknown" {
		if v.State == "stalled" {
			wrong = append(wrong, "stalled by a mere effect, "+primary(v))
		}
		return wrong
	}
	if strict && s.base.Primary != nil && certain(v) && primary(v) != primary(s.base) && !allows(v, primary(s.base)) && !s.known(v) {
		wrong = append(wrong, fmt.Sprintf("%s (%s) became certain %s: %s", primary(s.base), s.base.Primary.Confidence, primary(v), v.Primary.Summary))
	}
	if strict && s.base.Primary == nil && v.State == "stalled" {
		wrong = append(wrong, fmt.Sprintf("%s became stalled by %s", s.base.State, primary(v)))
	}
	return wrong
}

// symptom reports whether only an effect is known.
func symptom(v report.Verdict) bool { return v.Primary != nil && v.Primary.Class == "symptom" }

// known reports whether the recording's own expectation allows the cause, or
// the full evidence names it beside the primary one.
func (s *scene) known(v report.Verdict) bool {
	return v.Primary.Cause == s.want.Cause || slices.Contains(s.want.Acceptable, v.Primary.Cause) ||
		slices.ContainsFunc(s.base.Contributing, func(f report.Finding) bool { return f.Cause == v.Primary.Cause })
}
