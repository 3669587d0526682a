package verdict

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/unjam-dev/unjam/internal/cause"
	"github.com/unjam-dev/unjam/internal/facts"
	"github.com/unjam-dev/unjam/internal/snapshot/snaptest"
)

// TestFoldRegistryOutage: a registry that is down under 500 pods of 50
// workloads is one stall, whatever else is wrong or well beside it.
func TestFoldRegistryOutage(t *testing.T) {
	b := snaptest.New()
	for i := range 10 {
		b.Node(fmt.Sprintf("n%d", i))
	}
	for i := range 50 {
		image := fmt.Sprintf("down.example.com/shop/app%d:v1", i)
		s := b.Deployment(fmt.Sprintf("app%d", i), image, 10)
		for j := range 10 {
			s.Pod(fmt.Sprintf("n%d", j)).PullFails("failed to pull and unpack image \"" + image + "\": failed to resolve image: failed to do request: Head \"https://down.example.com/v2/shop/app/manifests/v1\": dial tcp 10.0.0.1:443: connect: connection refused")
		}
	}
	b.Deployment("cached", "down.example.com/shop/cached:v1", 1).Healthy().Pod("n1").Ready()
	b.Deployment("elsewhere", "up.example.com/shop/web:v1", 1).Healthy().Pod("n1").Ready()
	b.Deployment("crash", "up.example.com/shop/web:v1", 1).Pod("n2").Crashes(3, "Error", 5)

	f := facts.Build(b.Snap)
	stalls := Fold(cause.BuiltIn, f, JudgeAll(cause.BuiltIn, f))
	if len(stalls) != 2 {
		t.Fatalf("%d stalls, want the outage and the crash: %+v", len(stalls), stalls)
	}
	s := stalls[0]
	if s.Cause != "tcp-refused" || s.Key != "registry down.example.com" || len(s.Members) != 50 || s.Users != 51 || s.Pods != 500 || len(s.Nodes) != 10 || s.AllNodes != 10 {
		t.Errorf("%s %s: %d of %d workloads, %d pods, %d of %d nodes", s.Cause, s.Key, len(s.Members), s.Users, s.Pods, len(s.Nodes), s.AllNodes)
	}
	if s.Since.IsZero() || !s.Since.Before(snaptest.Now) {
		t.Errorf("since %s", s.Since)
	}
}

// workloads are verdicts made by hand: what is folded depends on nothing else.
func workloads(n int, fill func(i int, v *Verdict)) []Verdict {
	out := make([]Verdict, n)
	for i := range out {
		out[i] = Verdict{Workload: &facts.Workload{Kind: "Deployment", Namespace: "shop", Name: fmt.Sprintf("w%d", i)}, State: Stalled}
		fill(i, &out[i])
	}
	return out
}

func finding(code, key string, explains ...string) *cause.Finding {
	return &cause.Finding{Cause: code, Key: key, Confidence: cause.Certain, Explains: explains}
}

// shape is what stalls were made, in order: cause, key and members.
func shape(stalls []Stall, verdicts []Verdict) string {
	var lines []string
	for _, s := range stalls {
		var names []string
		for _, i := range s.Members {
			names = append(names, verdicts[i].Workload.Name)
		}
		line := fmt.Sprintf("%s %s %s: %s", s.State, s.Cause, s.Key, strings.Join(names, " "))
		for _, i := range s.Beside {
			line += " +" + verdicts[i].Workload.Name
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

func TestFold(t *testing.T) {
	empty := facts.Build(snaptest.New().Snap)
	for _, c := range []struct {
		name string
		n    int
		fill func(i int, v *Verdict)
		want string
	}{
		{"the same cause on different things stays apart", 3, func(i int, v *Verdict) {
			v.Primary = finding("tcp-refused", fmt.Sprintf("registry r%d", i%2))
		}, "stalled tcp-refused registry r0: w0 w2\nstalled tcp-refused registry r1: w1"},
		{"the same thing with unrelated causes stays apart", 2, func(i int, v *Verdict) {
			v.Primary = finding([]string{"disk-pressure", "node-notready-unknown"}[i], "node n1")
		}, "stalled disk-pressure node n1: w0\nstalled node-notready-unknown node n1: w1"},
		{"effects of a cause on the same thing join it", 4, func(i int, v *Verdict) {
			v.Primary = []*cause.Finding{finding("node-lost-terminating", "node n1"), finding("node-notready-unknown", "node n1", "node-lost-terminating"),
				finding("node-lost-terminating", "node n2"), finding("node-notready-unknown", "node n1", "node-lost-terminating")}[i]
		}, "stalled node-notready-unknown node n1: w1 w3 w0\nstalled node-lost-terminating node n2: w2"},
		{"an effect of an effect joins the cause", 3, func(i int, v *Verdict) {
			v.Primary = []*cause.Finding{finding("serial-pull-queue", "node n1"), finding("disk-full", "node n1", "serial-pull-queue"), finding("disk-pressure", "node n1", "disk-full")}[i]
		}, "stalled disk-pressure node n1: w2 w0 w1"},
		{"nothing shared folds nothing", 2, func(_ int, v *Verdict) { v.Primary = finding("crashloop-app-error", "") },
			"stalled crashloop-app-error : w0\nstalled crashloop-app-error : w1"},
		{"no cause folds nothing", 2, func(_ int, v *Verdict) { v.State = Unknown }, "unknown  : w0\nunknown  : w1"},
		{"waiting by design folds by cause", 3, func(i int, v *Verdict) { v.State, v.Primary = Waiting, finding("deployment-paused", "") },
			"waiting deployment-paused : w0 w1 w2"},
		{"one worse state makes the stall's", 2, func(i int, v *Verdict) {
			v.Primary = finding("registry-5xx", "registry r")
			v.State = []State{Recovering, Stalled}[i]
		}, "stalled registry-5xx registry r: w1 w0"},
		{"healthy ones are in none", 2, func(i int, v *Verdict) { v.State = Healthy }, ""},
		{"another cause first is beside", 3, func(i int, v *Verdict) {
			v.Primary = finding("registry-5xx", "registry r")
			if i == 1 {
				v.Primary, v.Contributing = finding("quota-exceeded", "quota shop/q"), []cause.Finding{*finding("registry-5xx", "registry r")}
			}
		}, "stalled registry-5xx registry r: w0 w2 +w1\nstalled quota-exceeded quota shop/q: w1"},
		{"two that explain each other", 2, func(i int, v *Verdict) {
			v.Primary = []*cause.Finding{finding("disk-pressure", "node n1", "disk-full"), finding("disk-full", "node n1", "disk-pressure")}[i]
		}, "stalled disk-full node n1: w1 w0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			verdicts := workloads(c.n, c.fill)
			want := shape(Fold(cause.BuiltIn, empty, verdicts), verdicts)
			if want != c.want {
				t.Errorf("folded to\n%s\nwant\n%s", want, c.want)
			}
			slices.Reverse(verdicts)
			if got := shape(Fold(cause.BuiltIn, empty, verdicts), verdicts); got != want {
				t.Errorf("in reverse order\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// TestFoldUsers: the M of "N of M workloads" counts who depends on the thing.
func TestFoldUsers(t *testing.T) {
	b := snaptest.New()
	b.Node("n1")
	b.Node("n2")
	uses := func(p *corev1.PodSpec) {
		p.ImagePullSecrets = []corev1.LocalObjectReference{{Name: "regcred"}}
		p.PriorityClassName = "high"
	}
	b.Deployment("a", "r.example.com/a:v1", 1, uses).Healthy().Pod("n1").Ready()
	b.Deployment("b", "r.example.com/b:v1", 1).Healthy().Pod("n2").Ready()
	b.Deployment("c", "q.example.com/b:v1", 1).Healthy().Pod("n2").Ready()
	f := facts.Build(b.Snap)
	for key, want := range map[string]int{
		"registry r.example.com": 2, "host r.example.com": 2, "repository r.example.com/b": 1, "image q.example.com/b:v1": 1,
		"node n2": 2, "secret shop/regcred": 1, "secret other/regcred": 0, "priorityclass high": 1, "serviceaccount shop/default": 3,
		"quota shop/compute": 3, "namespace shop": 3, "limits of namespace shop": 3, "workload shop/deployment/a": 1,
		"webhook policy.example.com": 3, "registry absent.example.com": 0,
	} {
		verdicts := JudgeAll(cause.BuiltIn, f)
		stalls := []Stall{{Key: key}}
		countUsers(stalls, verdicts)
		if stalls[0].Users != want {
			t.Errorf("%s: %d users, want %d", key, stalls[0].Users, want)
		}
	}
}

// BenchmarkFold folds 10,000 stalled workloads over 1,000 shared things, each
// with an effect among them, beside one pass that only builds the same keys.
func BenchmarkFold(b *testing.B) {
	empty := facts.Build(snaptest.New().Snap)
	verdicts := workloads(10_000, func(i int, v *Verdict) {
		v.Primary = finding("registry-5xx", fmt.Sprintf("registry r%d", i%1000), "backoff-wait")
		if i < 1000 {
			v.Primary = finding("backoff-wait", fmt.Sprintf("registry r%d", i))
		}
		v.Primary.Since = snaptest.Now.Add(-time.Duration(i) * time.Second)
	})
	b.Run("fold", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if got := len(Fold(cause.BuiltIn, empty, verdicts)); got != 1000 {
				b.Fatal(got)
			}
		}
	})
	b.Run("limit", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			seen := map[foldID][]int{}
			for i := range verdicts {
				id, _ := idOf(&verdicts[i])
				seen[id] = append(seen[id], i)
			}
		}
	})
}
