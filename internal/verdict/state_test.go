package verdict

import (
	"testing"
	"time"

	"github.com/unjam-dev/unjam/internal/cause"
	"github.com/unjam-dev/unjam/internal/facts"
	"github.com/unjam-dev/unjam/internal/snapshot"
	"github.com/unjam-dev/unjam/internal/snapshot/snaptest"
)

// TestSettle holds the rule against false dooms: what may heal alone is a stall
// only after four attempts, of which one failed 90 s after the first, or 150 s
// without a count.
func TestSettle(t *testing.T) {
	at := func(ago time.Duration) time.Time { return snaptest.Now.Add(-ago) }
	b := snaptest.New()
	b.Deployment("web", "registry.example.com/web:v1", 1).Pod("n1")
	f := facts.Build(b.Snap)
	w := f.Workloads[0]
	for _, c := range []struct {
		name string
		fd   cause.Finding
		want State
	}{
		{"first failure just now", cause.Finding{Class: cause.SelfHealing, Since: at(2 * time.Second), Last: at(2 * time.Second), Attempts: 1}, Recovering},
		{"three failures in 40 s", cause.Finding{Class: cause.SelfHealing, Since: at(45 * time.Second), Last: at(5 * time.Second), Attempts: 3}, Recovering},
		{"fourth failure after 72 s, just now", cause.Finding{Class: cause.SelfHealing, Since: at(73 * time.Second), Last: at(1 * time.Second), Attempts: 4}, Recovering},
		{"fourth failure after 80 s, a minute ago: the fault may be over", cause.Finding{Class: cause.SelfHealing, Since: at(140 * time.Second), Last: at(60 * time.Second), Attempts: 4}, Recovering},
		{"fourth failure after 92 s, just now", cause.Finding{Class: cause.SelfHealing, Since: at(93 * time.Second), Last: at(1 * time.Second), Attempts: 4}, Recovering},
		{"fourth failure after 92 s, ten seconds ago", cause.Finding{Class: cause.SelfHealing, Since: at(102 * time.Second), Last: at(10 * time.Second), Attempts: 4}, Stalled},
		{"room that a running Job holds, five minutes", cause.Finding{Class: cause.SelfHealing, Since: at(5 * time.Minute), Settle: 10 * time.Minute}, Recovering},
		{"room that a running Job holds, eleven minutes", cause.Finding{Class: cause.SelfHealing, Since: at(11 * time.Minute), Settle: 10 * time.Minute}, Stalled},
		{"many quick attempts in a minute", cause.Finding{Class: cause.SelfHealing, Since: at(60 * time.Second), Last: at(1 * time.Second), Attempts: 30}, Recovering},
		{"last failure long ago, no retry seen", cause.Finding{Class: cause.SelfHealing, Since: at(9 * time.Minute), Last: at(9 * time.Minute), Attempts: 1}, Recovering},
		{"three minutes without a count", cause.Finding{Class: cause.SelfHealing, Since: at(3 * time.Minute)}, Stalled},
		{"terminal and certain at once", cause.Finding{Class: cause.Terminal, Confidence: cause.Certain, Since: at(time.Second), Attempts: 1}, Stalled},
		{"terminal but open, one second old", cause.Finding{Class: cause.Terminal, Confidence: cause.Likely, Since: at(time.Second), Attempts: 1}, Progressing},
		{"terminal but open, tried twice", cause.Finding{Class: cause.Terminal, Confidence: cause.Likely, Since: at(12 * time.Second), Attempts: 2}, Stalled},
		{"by design", cause.Finding{Class: cause.Waiting, Confidence: cause.Certain}, Waiting},
		{"cannot tell", cause.Finding{Cause: "unknown", Class: cause.Terminal}, Unknown},
	} {
		if got := stateOf(cause.BuiltIn, f, w, c.fd); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

func TestWithoutCause(t *testing.T) {
	for _, c := range []struct {
		name  string
		build func(b *snaptest.Builder)
		want  State
	}{
		{"complete", func(b *snaptest.Builder) {
			s := b.Deployment("web", "web:v1", 1).Healthy()
			s.Pod("n1").Ready()
		}, Healthy},
		{"complete by its status, pods not read", func(b *snaptest.Builder) {
			b.Deployment("web", "web:v1", 1).Healthy()
			b.Snap.Gaps = []snapshot.Gap{{Resource: "pods", Reason: snapshot.GapForbidden}}
		}, Unknown},
		{"status says complete, a pod is not Ready", func(b *snaptest.Builder) {
			b.Deployment("web", "web:v1", 1).Healthy().Pod("n1").Running()
		}, Slow},
		{"young", func(b *snaptest.Builder) {
			s := b.Deployment("web", "web:v1", 1)
			s.Deployment.CreationTimestamp = snaptest.Ago(20 * time.Second)
			s.ReplicaSet.CreationTimestamp = snaptest.Ago(20 * time.Second)
			s.Deployment.Status.Conditions = nil
			p := s.Pod("n1")
			p.Obj.CreationTimestamp = snaptest.Ago(20 * time.Second)
			p.Obj.Status.Conditions = nil
		}, Progressing},
		{"change not observed yet", func(b *snaptest.Builder) {
			s := b.Deployment("web", "web:v1", 1).Healthy()
			s.Pod("n1").Ready()
			s.Deployment.Generation = 2
			s.Deployment.CreationTimestamp = snaptest.Ago(time.Hour)
		}, Slow},
	} {
		b := snaptest.New()
		c.build(b)
		f := facts.Build(b.Snap)
		got, why := withoutCause(f, f.Workloads[0])
		if got != c.want {
			t.Errorf("%s: %s (%s), want %s", c.name, got, why, c.want)
		}
	}
}
