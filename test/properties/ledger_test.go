package properties

import (
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"

	"github.com/unjam-dev/unjam/internal/plan"
	"github.com/unjam-dev/unjam/internal/report"
)

type (
	finding    = report.Finding
	fix        = plan.Fix
	replicaSet = appsv1.ReplicaSet
)

// stalls are the 74 stalled rollouts on which other tools were measured.
var stalls = strings.Fields(`
missing-tag unknown-repository unknown-repository-bearer auth-basic-wrong-secret auth-basic-secret-missing auth-bearer-no-secret
auth-bearer-wrong-secret dns-nxdomain dns-servfail dns-timeout connection-refused tls-untrusted tls-wrong-hostname tls-expired
tls-handshake-timeout http-to-https-client io-timeout no-answer captive-html truncated-layer corrupt-layer registry-403 registry-429
registry-500 registry-502 registry-503 wrong-platform wrong-platform-index invalid-image-name never-absent
crashloop exit-zero oomkilled init-fail readiness-fail liveness-fail startup-fail poststart-hook bad-command bad-command-path bad-workdir
missing-configmap-env missing-configmap-key missing-secret-volume missing-pvc pvc-unbound run-as-nonroot missing-serviceaccount
cpu-too-large memory-too-large extended-resource node-selector anti-affinity host-port-conflict scheduling-gate
quota-exceeded quota-needs-requests limitrange-violation psa-restricted webhook-down progress-deadline readiness-gate paused
rollout-missing-tag rollout-not-ready rollout-crashloop rollout-insufficient-cpu rollout-quota rollout-maxunavailable-zero-quota
rollout-recreate-missing-tag rollout-missing-configmap rollout-paused untolerated-taint cordoned`)

// TestLedger scores the 74 stalls on the scale of docs/accuracy.md: 3 names
// the true cause in words of its own, what to do, and who is affected; 2 lacks
// one of the last two, or names it as the rival of an equal; 1 names only an effect; 0 is silent or wrong.
func TestLedger(t *testing.T) {
	if len(stalls) != 74 {
		t.Fatalf("%d names, want 74", len(stalls))
	}
	count, sure, late := map[int]int{}, 0, []string(nil)
	for _, name := range stalls {
		s := sceneOf(t, name)
		points, why := s.score(t)
		count[points]++
		if p := s.base.Primary; p != nil && p.Confidence == "certain" {
			sure++
		}
		if s.base.State != s.want.State {
			late = append(late, name+" "+s.base.State)
		}
		t.Logf("%d  %-34s %-32s %s", points, name, primary(s.base), why)
		if points == 0 {
			t.Errorf("%s: %s", name, why)
		}
	}
	t.Logf("3: %d, 2: %d, 1: %d, 0: %d of %d; sum %d of %d", count[3], count[2], count[1], count[0], len(stalls), 3*count[3]+2*count[2]+count[1], 3*len(stalls))
	t.Logf("%d certain; in another state than in the end: %v", sure, late)
	if count[3] < 70 {
		t.Errorf("%d of 74 reach 3, want at least 70", count[3])
	}
}

func (s *scene) score(t *testing.T) (int, string) {
	p := s.base.Primary
	if p == nil {
		return 0, "no cause: " + s.base.Reason
	}
	if p.Class == "symptom" {
		return 1, "only an effect"
	}
	if p.Cause != s.want.Cause && !slices.Contains(s.want.Acceptable, p.Cause) {
		return 0, "wrong, it is " + s.want.Cause
	}
	if p.Cause != s.want.Cause && slices.Contains(s.want.Rivals, p.Cause) {
		return 2, s.want.Cause + " is named as the rival of an equal"
	}
	text := s.flat(t)
	if !strings.Contains(text, p.Cause) || !strings.Contains(text, p.Summary) {
		return 0, "the report does not print the cause"
	}
	if !slices.ContainsFunc(p.Fix, func(f fix) bool { return f.Text != "" && strings.Contains(text, f.Text) }) {
		return 2, "no fix"
	}
	if !s.saysWho(text) {
		return 2, "does not say who is affected"
	}
	return 3, ""
}

// saysWho reports whether the pods concerned are named, or how many are
// missing or still serve.
func (s *scene) saysWho(text string) bool {
	for _, pod := range s.base.Primary.Affected.Pods {
		if strings.Contains(text, pod) {
			return true
		}
	}
	for _, words := range []string{"no pod exists", "no new pod exists", "pods exist", "still serve", "of the former revision serve", "never created"} {
		if strings.Contains(text, words) {
			return true
		}
	}
	return false
}

// TestFirstRemedyStandsAlone: what is listed first does not continue another.
func TestFirstRemedyStandsAlone(t *testing.T) {
	for _, s := range scenes(t) {
		if p := s.base.Primary; p != nil && len(p.Fix) > 0 && strings.HasPrefix(p.Fix[0].Text, "Or ") {
			t.Errorf("%s: %s: %s", s.name, p.Cause, p.Fix[0].Text)
		}
	}
}
