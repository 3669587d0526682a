package scenario

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const root = "../../test/scenarios"

// TestScenarios holds the scenarios of the repository to their own rules.
func TestScenarios(t *testing.T) {
	all, err := Load(root)
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 85 {
		t.Errorf("%d scenarios, want at least 85", len(all))
	}
	calm := 0
	for _, s := range all {
		if s.Expect.State != "stalled" {
			calm++
		}
		files, err := filepath.Glob(filepath.Join(s.Dir, "*.yaml"))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			if base := filepath.Base(f); base != "expect.yaml" {
				checkManifest(t, s, base)
			}
		}
	}
	if calm < 12 {
		t.Errorf("%d scenarios without a stall, want at least 12", calm)
	}
}

func checkManifest(t *testing.T, s Scenario, file string) {
	objs, err := s.Objects(file, Vars{"LAB_IP": "10.77.0.1", "LAB_CA": "", "NODE": "node1"})
	if err != nil {
		t.Errorf("%s: %v", s.Name, err)
		return
	}
	if file == "manifest.yaml" && (objs[0].GetKind() != "Namespace" || objs[0].GetName() != s.Name) {
		t.Errorf("%s: the manifest does not begin with its namespace", s.Name)
	}
	used := slices.ContainsFunc(s.Expect.During, func(a Action) bool { return a.Apply == file }) || file == "manifest.yaml"
	if !used {
		t.Errorf("%s: nothing applies %s", s.Name, file)
	}
	for _, u := range objs {
		// Another scenario's namespace, or a cluster-scoped name of one's own
		// choosing, would tie scenarios together.
		own := u.GetNamespace()
		if own == "" {
			own = u.GetName()
		}
		if !strings.HasPrefix(own, s.Name) {
			t.Errorf("%s: %s %s is not in its own namespace", s.Name, u.GetKind(), u.GetName())
		}
	}
}

// TestBaseline keeps the names of the recordings that other tools were scored on.
func TestBaseline(t *testing.T) {
	all, err := Load(root)
	if err != nil {
		t.Fatal(err)
	}
	for name := range strings.FieldsSeq(baseline) {
		if !slices.ContainsFunc(all, func(s Scenario) bool { return s.Name == name }) {
			t.Errorf("%s is missing", name)
		}
	}
}

const baseline = `missing-tag unknown-repository unknown-repository-bearer auth-basic-wrong-secret auth-basic-secret-missing
auth-bearer-no-secret auth-bearer-wrong-secret dns-nxdomain dns-servfail dns-timeout connection-refused tls-untrusted
tls-wrong-hostname tls-expired tls-handshake-timeout http-to-https-client io-timeout no-answer captive-html truncated-layer
corrupt-layer registry-403 registry-429 registry-500 registry-502 registry-503 wrong-platform wrong-platform-index
invalid-image-name never-absent crashloop exit-zero oomkilled init-fail readiness-fail liveness-fail startup-fail
poststart-hook bad-command bad-command-path bad-workdir missing-configmap-env missing-configmap-key missing-secret-volume
missing-pvc pvc-unbound run-as-nonroot missing-serviceaccount cpu-too-large memory-too-large extended-resource
node-selector anti-affinity host-port-conflict scheduling-gate quota-exceeded quota-needs-requests limitrange-violation
psa-restricted webhook-down progress-deadline readiness-gate paused rollout-missing-tag rollout-not-ready
rollout-crashloop rollout-insufficient-cpu rollout-quota rollout-maxunavailable-zero-quota rollout-recreate-missing-tag
rollout-missing-configmap rollout-paused untolerated-taint cordoned
ok rollout-good auth-basic-right-secret slow-pull topology-spread`

func TestLoadRefuses(t *testing.T) {
	good := "state: stalled\ncause: x\nworkload: deployment/web\nneeds: any\nsettle: 10s\nnote: n\n"
	for name, tc := range map[string]struct{ expect, want string }{
		"unknown field":       {good + "casue: y\n", "casue"},
		"unknown state":       {strings.Replace(good, "stalled", "stuck", 1), "stuck"},
		"stall, no cause":     {strings.Replace(good, "cause: x\n", "", 1), "needs a cause"},
		"no note":             {strings.Replace(good, "note: n\n", "", 1), "note is missing"},
		"bad workload":        {strings.Replace(good, "deployment/web", "web", 1), "kind/name"},
		"two verbs":           {good + "during: [{sleep: 1s, apply: a.yaml}]\n", "2 verbs"},
		"taint, no with":      {good + "setup: [{taint: all}]\n", "go together"},
		"file not there":      {good + "during: [{apply: a.yaml}]\n", "a.yaml is missing"},
		"written, played":     {good + "written: true\nsource: s\n", "nothing that is played"},
		"written, no source":  {"state: stalled\ncause: x\nworkload: deployment/web\nnote: n\nwritten: true\n", "has a source"},
		"written, no objects": {"state: stalled\ncause: x\nworkload: deployment/web\nnote: n\nwritten: true\nsource: s\n", "objects.yaml is missing"},
		"number as a span":    {strings.Replace(good, "10s", "10", 1), "duration"},
	} {
		dir := filepath.Join(t.TempDir(), "family", "name")
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		for file, text := range map[string]string{"expect.yaml": tc.expect, "manifest.yaml": "kind: Namespace\n"} {
			if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := Load(filepath.Dir(filepath.Dir(dir))); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: got %v, want %q", name, err, tc.want)
		}
	}
}

func TestObjectsWithoutVariable(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "m.yaml"), []byte("kind: A\nname: ${NODE}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	s := Scenario{Dir: dir}
	if _, err := s.Objects("m.yaml", nil); err == nil || !strings.Contains(err.Error(), "${NODE}") {
		t.Errorf("got %v, want the name of the variable", err)
	}
	objs, err := s.Objects("m.yaml", Vars{"NODE": "n1"})
	if err != nil || objs[0].Object["name"] != "n1" {
		t.Errorf("got %v, %v", objs, err)
	}
}

// TestWrittenAreLeftOut: what no lab can produce is not played.
func TestWrittenAreLeftOut(t *testing.T) {
	all, err := Load(root)
	if err != nil {
		t.Fatal(err)
	}
	written, err := filepath.Glob(filepath.Join(root, "*", "*", "objects.yaml"))
	if err != nil || len(written) == 0 {
		t.Fatal("no written scenarios", err)
	}
	for _, file := range written {
		name := filepath.Base(filepath.Dir(file))
		if slices.ContainsFunc(all, func(s Scenario) bool { return s.Name == name }) {
			t.Errorf("%s would be played", name)
		}
	}
}
