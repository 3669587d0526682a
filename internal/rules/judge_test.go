package rules_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/unjam-dev/unjam/internal/cause"
	"github.com/unjam-dev/unjam/internal/facts"
	"github.com/unjam-dev/unjam/internal/rules"
	"github.com/unjam-dev/unjam/internal/snapshot"
	"github.com/unjam-dev/unjam/internal/snapshot/snaptest"
	"github.com/unjam-dev/unjam/internal/verdict"
)

// rule writes a file of one rule with the given match, summary and more fields.
func rule(match, summary string, more ...string) string {
	return "apiVersion: unjam.dev/v1alpha1\nkind: Rules\nrules:\n  - code: acme-it\n    family: admission\n    class: terminal\n    title: It\n    means: It is so.\n" +
		"    fix: [{text: Ask Acme about {workload}.}]\n    summary: \"" + summary + "\"\n    match:\n" + match + "\n" + strings.Join(more, "\n") + "\n"
}

func causesOf(t *testing.T, text string) cause.Set {
	t.Helper()
	text = strings.Replace(text, "{text: Ask Acme about {workload}.}", "{text: \"Ask Acme about {workload}.\"}", 1)
	r, err := load(text)
	if err != nil {
		t.Fatal(err)
	}
	set, err := r.Extend(cause.BuiltIn)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func judge(t *testing.T, set cause.Set, snap *snapshot.Snapshot) verdict.Verdict {
	t.Helper()
	f := facts.Build(snap)
	if len(f.Workloads) != 1 {
		t.Fatalf("%d workloads", len(f.Workloads))
	}
	return verdict.Judge(set, f, f.Workloads[0])
}

const denial = `admission webhook "sign.acme.internal" denied the request: image reg.acme/web:v2 has no signature by pipeline`

func refused(message string) *snapshot.Snapshot {
	b := snaptest.New()
	b.Node("n1")
	b.Deployment("web", "reg.acme/web:v2", 2).FailedCreate(message)
	return b.Snap
}

func TestRefusalRule(t *testing.T) {
	set := causesOf(t, rule(`      - {on: refusal, message: 'image (?P<image>\S+) has no signature by (?P<signer>\S+)'}`, "{image} is not signed by {signer}", "    key: signer {signer}"))
	v := judge(t, set, refused(denial))
	p := v.Primary
	if p == nil || p.Cause != "acme-it" || p.Summary != "reg.acme/web:v2 is not signed by pipeline" || p.Key != "signer pipeline" || p.Confidence != cause.Likely || v.State != verdict.Stalled {
		t.Fatalf("%s %+v", v.State, p)
	}
	if len(v.Contributing) != 0 || !slices.ContainsFunc(v.Explained, func(fd cause.Finding) bool { return fd.Cause == "admission-webhook-denied" }) {
		t.Errorf("the general reading of the same refusal is not explained: also %v, explained %v", v.Contributing, v.Explained)
	}
	if len(p.Evidence) != 1 || !strings.Contains(p.Evidence[0].Receipt.Text, "has no signature") || p.Attempts != 9 {
		t.Errorf("evidence %+v, attempts %d", p.Evidence, p.Attempts)
	}
	if v := judge(t, set, refused(`admission webhook "sign.acme.internal" denied the request: other`)); v.Primary.Cause != "admission-webhook-denied" {
		t.Errorf("near miss: %s", v.Primary.Cause)
	}
}

// TestSpecificBuiltInStands: a built-in cause that is not general is not hidden
// by a rule that does not name it.
func TestSpecificBuiltInStands(t *testing.T) {
	words := `pods "web-x" is forbidden: violates PodSecurity "restricted:latest": runAsNonRoot != true (pod or container "app" must set securityContext.runAsNonRoot=true)`
	match := `      - {on: refusal, message: 'violates PodSecurity "(?P<level>[^"]+)"'}`
	v := judge(t, causesOf(t, rule(match, "level {level}")), refused(words))
	if v.Primary.Cause != "podsecurity-violation" || len(v.Contributing) != 1 || v.Contributing[0].Cause != "acme-it" {
		t.Errorf("likely beside certain: primary %s, also %v", v.Primary.Cause, v.Contributing)
	}
	v = judge(t, causesOf(t, rule(match, "level {level}", "    confidence: certain")), refused(words))
	if v.Primary.Cause != "acme-it" || len(v.Contributing) != 1 || v.Contributing[0].Cause != "podsecurity-violation" {
		t.Errorf("equally firm: primary %s, also %v", v.Primary.Cause, v.Contributing)
	}
	v = judge(t, causesOf(t, rule(match, "level {level}", "    explains: [podsecurity-violation]")), refused(words))
	if v.Primary.Cause != "acme-it" || len(v.Contributing) != 0 || len(v.Explained) == 0 {
		t.Errorf("named in explains: primary %s, also %v", v.Primary.Cause, v.Contributing)
	}
}

// crashing is a Deployment of n pods whose container app died.
func crashing(n int, message string) *snapshot.Snapshot {
	b := snaptest.New()
	b.Node("n1", func(n *corev1.Node) { n.Labels["pool"] = "blue"; n.Annotations = map[string]string{"note": "x"} })
	d := b.Deployment("web", "reg.acme/web:v2", int32(n))
	for range n {
		p := d.Pod("n1").Crashes(1, "Error", 4)
		p.Obj.Status.ContainerStatuses[0].LastTerminationState.Terminated.Message = message
	}
	return b.Snap
}

func TestSubjects(t *testing.T) {
	for _, c := range []struct{ name, match, summary, want string }{
		{"death", `      - {on: container-death, message: 'license (?P<id>\S+) expired', when: death.exitCode == 1 && container.name == 'app'}`, "license {id} of {container}, exit {exitCode}", "license L-7 of app, exit 1 (2 pods)"},
		{"pod", `      - {on: pod, when: "pod.labels.app == 'web' && node.labels['pool'] == 'blue' && pod.containers.exists(c, c.restarts > 0)", vars: {pool: "node.labels.pool"}}`, "pool {pool}", "pool blue (2 pods)"},
		{"workload", `      - {on: workload, when: "workload.kind == 'Deployment' && workload.available < workload.desired && now - workload.started > duration('1m')"}`, "{name}", "web"},
		{"condition", `      - {on: condition, when: "condition.of == 'Node' && condition.type == 'Ready' && condition.status == 'True'"}`, "{reason} on {node}", "KubeletReady on n1 (2 pods)"},
		{"event", `      - {on: event, message: 'Back-off', when: event.warning && pod.newest}`, "{reason}", "BackOff (2 pods)"},
		{"absent label", `      - {on: pod, when: "pod.labels['no-such'] == 'x'"}`, "never", ""},
		{"taken apart", `      - {on: container-death, when: "death.message.split(' ')[1] == 'L-7'", vars: {id: "death.message.split(' ')[1].lowerAscii()"}}`, "{id}", "l-7 (2 pods)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := judge(t, causesOf(t, rule(c.match, c.summary)), crashing(2, "license L-7 expired"))
			got := ""
			for _, fd := range append(slices.Clone(v.Contributing), *v.Primary) {
				if fd.Cause == "acme-it" {
					got = fd.Summary
				}
			}
			if got != c.want || len(v.Gaps) > 0 {
				t.Errorf("%q, want %q; gaps %v", got, c.want, v.Gaps)
			}
		})
	}
}

// TestCostLimits: a rule that costs too much stops with a gap; others go on.
func TestCostLimits(t *testing.T) {
	deep := "pod.containers.all(a, " + strings.Repeat("'abcdefghijklmnopqrstuvwxyz'.split('').all(x, ", 4) + "x != ''" + strings.Repeat(")", 5)
	swell := "'a'" + strings.Repeat(".replace('a', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa')", 6) + " == message"
	for name, when := range map[string]string{"loops": deep, "swelling text": swell, "division by zero": "1 / (workload.desired - workload.desired) == 1"} {
		t.Run(name, func(t *testing.T) {
			on := "pod"
			if name == "swelling text" {
				on = "container-death"
			}
			text := rule("      - {on: "+on+", when: \""+when+"\"}", "never")
			text += strings.SplitN(strings.NewReplacer("acme-it", "acme-other", "never", "other").Replace(rule("      - {on: pod, when: \"true\"}", "other")), "rules:\n", 2)[1]
			text = strings.ReplaceAll(text, "{text: Ask Acme about {workload}.}", "{text: \"Ask Acme.\"}")
			set := causesOf(t, text)
			start := time.Now()
			v := judge(t, set, crashing(50, "x"))
			if d := time.Since(start); d > 5*time.Second {
				t.Errorf("took %s", d)
			}
			if len(v.Gaps) != 1 || v.Gaps[0].Reason != snapshot.GapStopped || v.Gaps[0].Resource != "rule acme-it" {
				t.Errorf("gaps %+v", v.Gaps)
			}
			if all := append(slices.Clone(v.Contributing), *v.Primary); !slices.ContainsFunc(all, func(fd cause.Finding) bool { return fd.Cause == "acme-other" }) {
				t.Errorf("the other rule was lost: %v", all)
			}
			t.Log(v.Gaps)
		})
	}
}

// TestCompleteWorkloadsAreLeftAlone: no rule makes a finished rollout a stall.
func TestCompleteWorkloadsAreLeftAlone(t *testing.T) {
	b := snaptest.New()
	b.Node("n1")
	d := b.Deployment("web", "reg.acme/web:v2", 1).Healthy()
	d.Pod("n1").Ready()
	v := judge(t, causesOf(t, rule(`      - {on: workload, when: "true"}`, "always")), b.Snap)
	if v.State != verdict.Healthy || v.Primary != nil {
		t.Errorf("%s %v", v.State, v.Primary)
	}
}

func TestSecretsStayOut(t *testing.T) {
	set := causesOf(t, rule(`      - {on: container-death, message: 'login (?P<all>.+)', vars: {whole: death.message}}`, "{all} {whole}"))
	v := judge(t, set, crashing(1, "login failed password=hunter2 token: ghp_abcdefghijklmnopqrstuvwxyz0123456789"))
	if s := fmt.Sprint(v.Primary.Summary, v.Primary.Vars, v.Contributing); strings.Contains(s, "hunter2") || strings.Contains(s, "ghp_abc") {
		t.Errorf("a secret in %s", s)
	}
}

// TestOrderOfRulesMeansNothing shuffles rules over files.
func TestOrderOfRulesMeansNothing(t *testing.T) {
	var files []rules.File
	for i, code := range []string{"acme-a", "acme-b", "acme-c", "acme-d"} {
		text := strings.NewReplacer("acme-it", code, "{text: Ask Acme about {workload}.}", "{text: \"Ask Acme.\"}").Replace(rule(`      - {on: refusal, message: 'no signature'}`, code))
		files = append(files, rules.File{Name: fmt.Sprintf("%d.yaml", i), Data: []byte(text)})
	}
	want := ""
	for seed := range uint64(8) {
		rand.New(rand.NewPCG(seed, 1)).Shuffle(len(files), func(i, j int) { files[i], files[j] = files[j], files[i] })
		r, err := rules.Load(cause.BuiltIn, files...)
		if err != nil {
			t.Fatal(err)
		}
		set, err := r.Extend(cause.BuiltIn)
		if err != nil {
			t.Fatal(err)
		}
		v := judge(t, set, refused(denial))
		got := v.Primary.Cause
		for _, fd := range v.Contributing {
			got += " " + fd.Cause
		}
		if want == "" {
			want = got
		}
		if got != want {
			t.Errorf("seed %d: %s, want %s", seed, got, want)
		}
	}
	if want != "acme-a acme-b acme-c acme-d" {
		t.Errorf("%s", want)
	}
}

func BenchmarkLoad(b *testing.B) {
	data, err := os.ReadFile("../../docs/rules/company-webhook.yaml")
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := rules.Load(cause.BuiltIn, rules.File{Name: "r.yaml", Data: data}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkJudge holds 100 rules against a workload of 100 crashing pods.
func BenchmarkJudge(b *testing.B) {
	var text strings.Builder
	head, body, _ := strings.Cut(rule(`      - {on: container-death, message: 'license (?P<id>\S+) expired', when: "container.name == 'app' && pod.labels.app == 'web'"}`, "{id}"), "  - code")
	text.WriteString(head)
	for i := range 100 {
		text.WriteString("  - code" + strings.NewReplacer("acme-it", fmt.Sprintf("acme-%d", i), "{text: Ask Acme about {workload}.}", "{text: \"Ask Acme.\"}").Replace(body))
	}
	r, err := load(text.String())
	if err != nil {
		b.Fatal(err)
	}
	snap := crashing(100, "license L-7 expired")
	for b.Loop() {
		b.StopTimer()
		f := facts.Build(snap)
		b.StartTimer()
		for _, c := range r.Causes() {
			c.Detect(f, f.Workloads[0])
		}
	}
}
