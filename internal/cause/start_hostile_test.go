package cause_test

import (
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/unjam-dev/unjam/internal/facts"
	"github.com/unjam-dev/unjam/internal/snapshot/snaptest"
)

// TestHostileTexts feeds texts made to be slow or to break a reader. Nothing may
// panic, and a secret in a log may not reach a finding.
func TestHostileTexts(t *testing.T) {
	b := snaptest.New()
	b.Node("n1")
	s := b.Deployment("web", appImage, 1, readiness(httpProbe("/healthz", 8080)))
	long := strings.Repeat(`connection refused "`, 50_000)
	texts := []string{long, strings.Repeat("(", 100_000), "\xff\xfe\x00", strings.Repeat("configmap \"", 20_000), `exec: "` + strings.Repeat("a", 200_000), strings.Repeat("listening on ", 20_000)}
	for _, text := range texts {
		startError(s.Pod("n1"), text)
		configError(s.Pod("n1"), text)
		createError(s.Pod("n1"), text, 4)
		sandboxFails(s.Pod("n1"), text, 4)
		mountFails(s.Pod("n1"), `MountVolume.SetUp failed for volume "v" : `+text, 4)
		logOf(b, s.Pod("n1").Crashes(1, "Error", 4), "app", text, "password=hunter2secret failed")
		p := runningFor(s.Pod("n1"), 4*time.Minute)
		unhealthy(p, "Readiness probe failed: "+text, 40)
		currentLogOf(b, p, text)
		fallen(s.Pod("n1"), "Evicted", text)
	}
	// Times that lie, fields that are missing.
	p := s.Pod("n1").Crashes(1, "Error", 1<<30)
	p.Status("app").LastTerminationState.Terminated.FinishedAt = snaptest.Ago(-100 * time.Hour)
	s.Pod("n1").Obj.Status = corev1.PodStatus{}
	start := time.Now()
	for _, fd := range detectAll(facts.Build(b.Snap)) {
		if strings.Contains(fd.Summary, "hunter2secret") {
			t.Errorf("%s tells a password: %s", fd.Cause, fd.Summary)
		}
		for _, e := range fd.Evidence {
			if strings.Contains(e.Receipt.Text, "hunter2secret") {
				t.Errorf("%s: a receipt tells a password: %s", fd.Cause, e.Receipt.Text)
			}
		}
	}
	t.Logf("%d texts of up to 1 MB in %s", len(texts), time.Since(start))
}

// BenchmarkDetect judges one workload of 1,000 crashing pods by every cause.
func BenchmarkDetect(b *testing.B) {
	s := snaptest.New()
	s.Node("n1")
	d := s.Deployment("web", appImage, 1000)
	for range 1000 {
		logOf(s, d.Pod("n1").Crashes(1, "Error", 5), "app", append(many(20, "line"), "fatal: cannot parse configuration")...)
	}
	for b.Loop() {
		// Readings are remembered in the facts, so each round needs its own.
		detectAll(facts.Build(s.Snap))
	}
}

// BenchmarkDetectHealthy judges 1,000 healthy workloads by every cause.
func BenchmarkDetectHealthy(b *testing.B) {
	s := snaptest.New()
	s.Node("n1")
	for i := range 1000 {
		d := s.Deployment("web-"+many(1000, "x")[i][2:], appImage, 1)
		d.Pod("n1").Ready()
		d.Healthy()
	}
	for b.Loop() {
		detectAll(facts.Build(s.Snap))
	}
}
