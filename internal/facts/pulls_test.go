package facts_test

import (
	"fmt"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/unjam-dev/unjam/internal/facts"
	"github.com/unjam-dev/unjam/internal/pullerror"
	"github.com/unjam-dev/unjam/internal/snapshot/snaptest"
)

const image = "registry.lab:5000/shop/web:v9"

const notFound = `failed to resolve image: registry.lab:5000/shop/web:v9: not found`

// failing is a pod whose pull failed n times, the last one so long ago.
func failing(b *snaptest.Builder, n int32, ago time.Duration) *snaptest.Pod {
	p := b.BarePod("web", image, "n1").Waiting("ImagePullBackOff", fmt.Sprintf("Back-off pulling image %q: ErrImagePull: %s", image, notFound))
	p.Event("Normal", "Pulling", fmt.Sprintf("Pulling image %q", image), 4*time.Minute, ago, n)
	return p.Event("Warning", "Failed", fmt.Sprintf("Failed to pull image %q: %s", image, notFound), 4*time.Minute, ago, n)
}

func pullIn(b *snaptest.Builder) *facts.Pull { return facts.Build(b.Snap).Pods[0].Containers[0].Pull }

// TestBackOff is the kubelet's ladder: 10 s doubling to 300 s, counted by
// attempts (kubelet.go imageBackOffPeriod, MaxImageBackOff).
func TestBackOff(t *testing.T) {
	for attempts, want := range map[int32]time.Duration{1: 10, 2: 20, 3: 40, 4: 80, 5: 160, 6: 300, 7: 300, 50: 300, 1 << 30: 300} {
		b := snaptest.New()
		failing(b, attempts, time.Second)
		p := pullIn(b)
		want *= time.Second
		if p.BackOff != want || p.Attempts != attempts || !p.NextRetry.Equal(before(time.Second).Add(want)) {
			t.Errorf("%d attempts: %d, back-off %s, next retry in %s", attempts, p.Attempts, p.BackOff, p.NextRetry.Sub(snaptest.Now))
		}
	}
}

// TestNextRetry gives the pod worker its 15 s, after which the time is unknown
// rather than long past.
func TestNextRetry(t *testing.T) {
	for _, c := range []struct {
		ago   time.Duration
		known bool
	}{{0, true}, {10 * time.Second, true}, {25 * time.Second, true}, {26 * time.Second, false}, {time.Hour, false}} {
		b := snaptest.New()
		failing(b, 1, c.ago)
		if p := pullIn(b); p.NextRetry.IsZero() == c.known {
			t.Errorf("failed %s ago: next retry %s", c.ago, p.NextRetry)
		}
	}
}

// TestAttempts counts pulls and failures, never the back-offs between them.
func TestAttempts(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*snaptest.Pod)
		want   int32
	}{
		{"as many as both say", func(*snaptest.Pod) {}, 3},
		{"back-offs do not count", func(p *snaptest.Pod) {
			p.Event("Normal", "BackOff", `Back-off pulling image "`+image+`"`, 4*time.Minute, 0, 40)
		}, 3},
		{"nor does the short error", func(p *snaptest.Pod) { p.Event("Warning", "Failed", "Error: ErrImagePull", 4*time.Minute, 0, 40) }, 3},
		{"a pull whose failure was not recorded counts", func(p *snaptest.Pod) {
			p.Event("Normal", "Pulling", fmt.Sprintf("Pulling image %q", image), 9*time.Minute, 5*time.Minute, 4)
		}, 7},
		{"different failures add up", func(p *snaptest.Pod) {
			p.Event("Warning", "Failed", fmt.Sprintf("Failed to pull image %q: dial tcp 10.0.0.1:443: i/o timeout", image), 3*time.Minute, 2*time.Second, 2)
		}, 5},
		{"another container's do not", func(p *snaptest.Pod) {
			p.Event("Warning", "Failed", fmt.Sprintf("Failed to pull image %q: %s", "other", notFound), 3*time.Minute, 0, 9)
			p.LastEvent().InvolvedObject.FieldPath = "spec.containers{sidecar}"
		}, 3},
		{"an old kubelet names no container, but the image", func(p *snaptest.Pod) {
			p.Event("Warning", "Failed", fmt.Sprintf("Failed to pull image %q: EOF", image), 3*time.Minute, 0, 4)
			p.LastEvent().InvolvedObject.FieldPath = ""
		}, 7},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := snaptest.New()
			c.change(failing(b, 3, time.Second))
			if p := pullIn(b); p.Attempts != c.want || p.State != facts.PullFailing {
				t.Errorf("%d attempts in state %s, want %d", p.Attempts, p.State, c.want)
			}
		})
	}
	b := snaptest.New()
	failing(b, 3, time.Second)
	b.Snap.Objects.Events = nil
	if p := pullIn(b); p.Attempts != 1 || !p.NextRetry.IsZero() || !p.First.Equal(before(5*time.Minute)) {
		t.Errorf("without events: %d attempts, next %s, first %s", p.Attempts, p.NextRetry, p.First)
	}
}

// TestPullStates tells failing, pulling, not yet and done apart.
func TestPullStates(t *testing.T) {
	pulling := fmt.Sprintf("Pulling image %q", image)
	for _, c := range []struct {
		name   string
		change func(*snaptest.Pod)
		want   facts.PullState // empty: no pull at all
		errs   int
	}{
		{"nothing said yet", func(*snaptest.Pod) {}, facts.PullNotYet, 0},
		{"the first pull", func(p *snaptest.Pod) { p.Event("Normal", "Pulling", pulling, time.Minute, time.Minute, 1) }, facts.PullActive, 0},
		{"a retry under way keeps the failure before it", func(p *snaptest.Pod) {
			p.Event("Warning", "Failed", fmt.Sprintf("Failed to pull image %q: %s", image, notFound), 2*time.Minute, 2*time.Minute, 1)
			p.Event("Normal", "Pulling", pulling, 3*time.Minute, time.Minute, 2)
		}, facts.PullActive, 1},
		{"failing", func(p *snaptest.Pod) { p.Waiting("ErrImagePull", notFound) }, facts.PullFailing, 1},
		{"an image that may not be pulled", func(p *snaptest.Pod) { p.Waiting("ErrImageNeverPull", "x") }, facts.PullFailing, 1},
		{"pulled, the container is being made", func(p *snaptest.Pod) {
			p.Event("Normal", "Pulled", "Successfully pulled image", time.Minute, time.Minute, 1)
		}, "", 0},
		{"running", func(p *snaptest.Pod) { p.Running() }, "", 0},
		{"crash loop", func(p *snaptest.Pod) { p.Crashes(1, "Error", 3) }, "", 0},
		{"a crash, and then the image is gone", func(p *snaptest.Pod) { p.Crashes(1, "Error", 3).Waiting("ImagePullBackOff", notFound) }, facts.PullFailing, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := snaptest.New()
			c.change(b.BarePod("web", image, "n1"))
			p := pullIn(b)
			switch {
			case c.want == "" && p != nil:
				t.Errorf("a pull in state %s", p.State)
			case c.want != "" && (p == nil || p.State != c.want || len(p.Errs) != c.errs):
				t.Errorf("%+v, want state %s with %d errors", p, c.want, c.errs)
			}
		})
	}
	b := snaptest.New()
	b.BarePod("web", image, "")
	if p := pullIn(b); p != nil {
		t.Errorf("an unbound pod pulls: %+v", p)
	}
}

// TestPullError takes the newest error that says more than "back-off".
func TestPullError(t *testing.T) {
	b := snaptest.New()
	p := b.BarePod("web", image, "n1").Waiting("ImagePullBackOff", fmt.Sprintf("Back-off pulling image %q", image)) // kubelets before 1.32
	p.Event("Warning", "Failed", fmt.Sprintf("Failed to pull image %q: dial tcp: lookup registry.lab: no such host", image), 4*time.Minute, 3*time.Minute, 1)
	p.Event("Warning", "Failed", fmt.Sprintf("Failed to pull image %q: %s", image, notFound), 2*time.Minute, time.Minute, 1)
	got := pullIn(b)
	newest := pullerror.Parse("Failed to pull image \""+image+"\": "+notFound, image)
	if got.Err.Kind != newest.Kind || got.Receipt.Field != "event/Failed" || len(got.Errs) != 3 {
		t.Errorf("kind %s from %s, %d errors", got.Err.Kind, got.Receipt.Field, len(got.Errs))
	}
	if !got.First.Equal(before(4*time.Minute)) || !got.Last.Equal(before(time.Minute)) {
		t.Errorf("from %s to %s", got.First, got.Last)
	}
}

// TestDeaths lists terminations oldest first; an init container that did its
// work did not die.
func TestDeaths(t *testing.T) {
	b := snaptest.New()
	p := b.BarePod("web", image, "n1", func(s *corev1.PodSpec) {
		always := corev1.ContainerRestartPolicyAlways
		s.InitContainers = []corev1.Container{{Name: "done"}, {Name: "fails"}, {Name: "side", RestartPolicy: &always}}
	})
	ended := func(code int32, signal int32, message string, ago time.Duration) *corev1.ContainerStateTerminated {
		return &corev1.ContainerStateTerminated{ExitCode: code, Signal: signal, Reason: "Error", Message: message, FinishedAt: snaptest.Ago(ago)}
	}
	p.Status("done").State = corev1.ContainerState{Terminated: ended(0, 0, "", time.Minute)}
	p.Status("fails").State = corev1.ContainerState{Terminated: ended(2, 0, "", time.Minute)}
	p.Status("side").State = corev1.ContainerState{Terminated: ended(0, 0, "", time.Minute)}
	app := p.Status("app")
	app.State = corev1.ContainerState{Terminated: ended(137, 9, "killed", time.Second)}
	app.LastTerminationState.Terminated = ended(1, 0, "", time.Minute)
	deaths := map[string][]facts.Death{}
	for _, c := range facts.Build(b.Snap).Pods[0].Containers {
		deaths[c.Name] = c.Deaths
		if last := c.LastDeath(); (last == nil) != (len(c.Deaths) == 0) {
			t.Errorf("%s: last death %v", c.Name, last)
		}
	}
	if len(deaths["done"]) != 0 || len(deaths["fails"]) != 1 || len(deaths["side"]) != 1 || len(deaths["app"]) != 2 {
		t.Fatalf("deaths %v", deaths)
	}
	first, last := deaths["app"][0], deaths["app"][1]
	if first.Current || !last.Current || first.ExitCode != 1 || last.ExitCode != 137 || last.Signal != 9 {
		t.Errorf("first %+v, last %+v", first, last)
	}
	if last.Receipt.Field != "status.containerStatuses[app].state.terminated" || last.Receipt.Text != "exit code 137, reason Error: killed" {
		t.Errorf("receipt %+v", last.Receipt)
	}
	if got := deaths["fails"][0].Receipt.Field; got != "status.initContainerStatuses[fails].state.terminated" {
		t.Errorf("receipt of an init container at %s", got)
	}
}

// TestRetryTiming is the kubelet's timetable after the first failure: attempts
// become possible at 0, 10, 30, 70, 150, 310, 610 and 910 s (each pull taking no
// time), the pod worker adds up to 15 s, and the step follows from the attempts,
// not from the BackOff events, which repeat at every sync.
func TestRetryTiming(t *testing.T) {
	at := []time.Duration{0, 10, 30, 70, 150, 310, 610, 910}
	for i := range len(at) - 1 {
		b := snaptest.New()
		failing(b, int32(i+1), 0)
		b.Event("Pod", snaptest.Namespace, "web", "", "Normal", "BackOff", fmt.Sprintf("Back-off pulling image %q", image), 4*time.Minute, 0, 99)
		step := (at[i+1] - at[i]) * time.Second
		if p := pullIn(b); p.NextRetry.Sub(snaptest.Now) != step {
			t.Errorf("after attempt %d the next is in %s, want %s", i+1, p.NextRetry.Sub(snaptest.Now), step)
		}
	}
	b := snaptest.New()
	failing(b, 7, 314*time.Second) // 300 s and the worker's 15
	if p := pullIn(b); p.NextRetry.IsZero() {
		t.Error("a retry that may still come is given up")
	}
	b = snaptest.New()
	p := failing(b, 2, time.Second)
	p.Event("Normal", "Pulled", fmt.Sprintf("Successfully pulled image %q in 1s (1s including waiting). Image size: 1 bytes.", image), 0, 0, 1)
	p.Ready()
	if got := pullIn(b); got != nil && got.State == facts.PullFailing {
		t.Error("a pull that succeeded still fails")
	}
}
