package cause_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/unjam-dev/unjam/internal/cause"
	"github.com/unjam-dev/unjam/internal/facts"
	"github.com/unjam-dev/unjam/internal/plan"
	"github.com/unjam-dev/unjam/internal/snapshot/snaptest"
)

// fixesOf are the remedies of the one finding of a cause.
func fixesOf(t *testing.T, code string, build func(*snaptest.Builder)) []plan.Fix {
	t.Helper()
	b := snaptest.New()
	build(b)
	for _, f := range detectAll(facts.Build(b.Snap)) {
		if f.Cause == code {
			return plan.Fixes(cause.BuiltIn, f)
		}
	}
	t.Fatalf("%s not found", code)
	return nil
}

func hasCommand(fixes []plan.Fix, command, undo string) bool {
	return slices.ContainsFunc(fixes, func(f plan.Fix) bool { return f.Command == command && f.Undo == undo })
}

// TestSurgeCommands holds the numbers of the quota deadlock and that the undo
// restores the strategy as it was written, percentages included.
func TestSurgeCommands(t *testing.T) {
	fixes := fixesOf(t, "quota-blocks-surge", func(b *snaptest.Builder) {
		b.Node("n1")
		surging(b, "50m", "50m").FailedCreate(surgeQuota)
		quota(b, "compute", amounts("requests.cpu", "150m"), amounts("requests.cpu", "150m"))
	})
	roll := `kubectl -n shop patch deployment/web --type=merge -p '{"spec":{"strategy":{"rollingUpdate":{"maxSurge":0,"maxUnavailable":1}}}}'`
	back := `kubectl -n shop patch deployment/web --type=merge -p '{"spec":{"strategy":{"rollingUpdate":{"maxSurge": 25%, "maxUnavailable": 25% }}}}'`
	raise := `kubectl -n shop patch resourcequota compute --type=merge -p '{"spec":{"hard":{"requests.cpu":"200m"}}}'`
	lower := `kubectl -n shop patch resourcequota compute --type=merge -p '{"spec":{"hard":{"requests.cpu":"150m"}}}'`
	if !hasCommand(fixes, roll, back) || !hasCommand(fixes, raise, lower) {
		t.Errorf("fixes = %+v", fixes)
	}
	_, patch, _ := strings.Cut(back, "-p '")
	got, err := yaml.YAMLToJSON([]byte(strings.TrimSuffix(patch, "'")))
	if want := `{"spec":{"strategy":{"rollingUpdate":{"maxSurge":"25%","maxUnavailable":"25%"}}}}`; err != nil || string(got) != want {
		t.Errorf("the undo reads as %s, %v; want %s", got, err, want)
	}
}

// TestQuotaNumbers holds what the quota must allow for the missing pods.
func TestQuotaNumbers(t *testing.T) {
	fixes := fixesOf(t, "quota-exceeded", func(b *snaptest.Builder) {
		b.Node("n1")
		s := b.Deployment("web", "registry.example.com/shop/web:v1", 3, asking("cpu", "100m"))
		s.FailedCreate(fullQuota)
		s.Pod("n1").Ready()
		s.ReplicaSet.Status.Replicas = 1
		quota(b, "compute", amounts("requests.cpu", "150m"), amounts("requests.cpu", "100m"))
	})
	want := `kubectl -n shop patch resourcequota compute --type=merge -p '{"spec":{"hard":{"requests.cpu":"300m"}}}'`
	if !slices.ContainsFunc(fixes, func(f plan.Fix) bool { return f.Command == want }) {
		t.Errorf("fixes = %+v, want %s", fixes, want)
	}
}

// TestPodSecurityPatch holds that the patch offered satisfies each check named.
func TestPodSecurityPatch(t *testing.T) {
	b := snaptest.New()
	refused(restricted)(b)
	i := slices.IndexFunc(detectAll(facts.Build(b.Snap)), func(f cause.Finding) bool { return f.Cause == "podsecurity-violation" })
	f := detectAll(facts.Build(b.Snap))[i]
	var patch struct {
		Spec struct {
			Template struct {
				Spec struct {
					Containers []struct {
						Name            string
						SecurityContext map[string]any
					}
				}
			}
		}
	}
	if err := json.Unmarshal([]byte(f.Vars["patch"]), &patch); err != nil {
		t.Fatal(err)
	}
	c := patch.Spec.Template.Spec.Containers
	if len(c) != 1 || c[0].Name != "app" || len(c[0].SecurityContext) != 5 {
		t.Errorf("patch = %s", f.Vars["patch"])
	}
	if !slices.ContainsFunc(plan.Fixes(cause.BuiltIn, f), func(x plan.Fix) bool { return strings.Contains(x.Command, `"name":"app"`) }) {
		t.Errorf("no ready command in %+v", plan.Fixes(cause.BuiltIn, f))
	}
}

// TestRefusalOver holds that a refusal whose reason is gone is waiting for the
// controller's next try, not a stall.
func TestRefusalOver(t *testing.T) {
	for _, c := range []struct {
		code  string
		build func(b *snaptest.Builder)
	}{
		{"quota-exceeded", func(b *snaptest.Builder) {
			refused(fullQuota, asking("cpu", "100m"))(b)
			quota(b, "compute", amounts("requests.cpu", "900m"), amounts("requests.cpu", "100m"))
		}},
		{"serviceaccount-missing", func(b *snaptest.Builder) {
			refused(noAccount)(b)
			b.Snap.Objects.ServiceAccounts[0].Name = "no-such-sa"
		}},
		{"webhook-no-endpoints", func(b *snaptest.Builder) {
			refused(noEndpoints)(b)
			hook(b, "policy.example.com", 2)
		}},
	} {
		b := snaptest.New()
		c.build(b)
		found := detectAll(facts.Build(b.Snap))
		if !slices.ContainsFunc(found, func(f cause.Finding) bool { return f.Cause == c.code && f.Class == cause.Waiting }) {
			t.Errorf("want %s as waiting, found %+v", c.code, found)
		}
	}
}
