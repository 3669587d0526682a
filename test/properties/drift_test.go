package properties

import (
	"regexp"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/unjam-dev/unjam/internal/report"
	"github.com/unjam-dev/unjam/internal/snapshot"
)

// drift is how another version of Kubernetes or containerd words the same.
type drift struct {
	name    string
	rewrite func(text string) string
}

// sub makes a rewriting from a pattern.
func sub(pattern, to string) func(string) string {
	re := regexp.MustCompile(pattern)
	return func(text string) string { return re.ReplaceAllString(text, to) }
}

func chain(steps ...func(string) string) func(string) string {
	return func(text string) string {
		for _, s := range steps {
			text = s(text)
		}
		return text
	}
}

var containerd17 = chain(
	sub(`image "([^"]+)": failed to resolve image: `, `image "$1": failed to resolve reference "$1": `),
	sub(`tls: failed to verify certificate: x509`, `x509`),
	sub(`(Failed to pull image "[^"]+": )failed to`, `${1}rpc error: code = Unknown desc = failed to`),
)

var drifts = []drift{
	{"kubelet up to 1.31: the back-off does not carry the cause", sub(`^(Back-off pulling image "[^"]+"): .*$`, `$1`)},
	{"containerd 1.7", containerd17},
	{"containerd 1.6 and 1.7: status lines", chain(containerd17,
		sub(`unexpected status from HEAD request to https?://([^/]+)/\S+/manifests/(\S+): (\d{3} \w+)`, `pulling from host $1 failed with status code [manifests $2]: $3`))},
	{"scheduler up to 1.33: the taint is named", sub(`had untolerated taint\(s\)`, `had untolerated taint {dedicated: database}`)},
	{"scheduler 1.22: the taint is named, no preemption clause", chain(sub(`had untolerated taint\(s\)`, `had taint {dedicated: database}, that the pod didn't tolerate`), sub(` preemption: .*$`, ``))},
	{"scheduler up to 1.32: volume affinity", sub(`didn't match PersistentVolume's node affinity`, `had volume node affinity conflict`)},
	{"scheduler up to 1.33: single-pod volume", sub(`node\(s\) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode already in-use by another pod`, `node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode`)},
	{"no preemption clause", sub(` preemption: .*$`, ``)},
	{"kubelet up to 1.34: container events", chain(sub(`^Container created$`, `Created container app`), sub(`^Container started$`, `Started container app`))},
	{"controller up to 1.31: scaling", sub(`^(Scaled (?:up|down) replica set \S+) from \d+ to`, `$1 to`)},
	{"kubelet 1.22: restarts", sub(`^Back-off restarting failed container .*$`, `Back-off restarting failed container`)},
	{"similar events combined", sub(`^(Failed to pull image|Error creating: |MountVolume)`, `(combined from similar events): $1`)},
	{"gRPC code in front", sub(`(ErrImagePull: |Failed to pull image "[^"]+": )failed to`, `${1}rpc error: code = Unknown desc = failed to`)},
	{"pull errors wrapped", sub(`(image "[^"]+"): failed`, "$1:\n  failed")},
}

// TestWordingOfOtherVersions rewrites every text of every recording: the same
// cause, or one that leaves the true one open.
func TestWordingOfOtherVersions(t *testing.T) {
	all := 0
	for _, d := range drifts {
		changed := 0
		for _, s := range scenes(t) {
			other, n := reword(s.snap, d.rewrite)
			if n == 0 {
				continue
			}
			changed++
			all++
			v, err := s.judge(other)
			if err != nil {
				t.Fatalf("%s: %v", s.name, err)
			}
			if v.State == s.base.State && primary(v) == primary(s.base) {
				continue
			}
			for _, p := range s.holds(v, true) {
				t.Errorf("%s: %s: %s", d.name, s.name, p)
			}
			if s.base.Primary != nil && !allows(v, primary(s.base)) && !honest(v) {
				t.Errorf("%s: %s: %s, want %s", d.name, s.name, answer(v), answer(s.base))
			}
		}
		if changed == 0 {
			t.Errorf("%s: rewrites nothing", d.name)
		}
		t.Logf("%s: %d recordings reworded", d.name, changed)
	}
	t.Logf("%d rewritings, %d verdicts", len(drifts), all)
}

// honest reports whether a verdict owns up to not knowing: no cause but at
// most an effect, and no claim of health or of a stall.
func honest(v report.Verdict) bool {
	return (v.Primary == nil || symptom(v)) && v.State != "healthy" && v.State != "stalled"
}

// TestCutMessages cuts every text where event recorders, tables and chat
// windows do. What is left of a cause must not turn into another certain one.
func TestCutMessages(t *testing.T) {
	for _, limit := range []int{1024, 512, 250, 200, 150, 100} {
		same, open, moved := 0, 0, 0
		for _, s := range scenes(t) {
			cut, n := reword(s.snap, func(text string) string { return text[:min(len(text), limit)] })
			if n == 0 {
				continue
			}
			v, err := s.judge(cut)
			if err != nil {
				t.Fatalf("%s: %v", s.name, err)
			}
			for _, p := range s.holds(v, true) {
				t.Errorf("%s cut at %d: %s", s.name, limit, p)
			}
			switch {
			case primary(v) == primary(s.base):
				same++
			case honest(v) || v.State == "unknown":
				open++
			default:
				moved++
			}
		}
		t.Logf("cut at %d characters: %d the same cause, %d own up to not knowing, %d less certain", limit, same, open, moved)
	}
}

// reword rewrites all texts of a snapshot and counts the changes.
func reword(s *snapshot.Snapshot, rewrite func(string) string) (*snapshot.Snapshot, int) {
	out, n := deepCopyOf(s), 0
	apply := func(text *string) {
		if to := rewrite(*text); to != *text {
			*text = to
			n++
		}
	}
	for _, e := range out.Objects.Events {
		apply(&e.Message)
	}
	for _, p := range out.Objects.Pods {
		apply(&p.Status.Message)
		for i := range p.Status.Conditions {
			apply(&p.Status.Conditions[i].Message)
		}
		for _, list := range [][]corev1.ContainerStatus{p.Status.InitContainerStatuses, p.Status.ContainerStatuses} {
			for i := range list {
				if w := list[i].State.Waiting; w != nil {
					apply(&w.Message)
				}
			}
		}
	}
	for _, d := range out.Objects.Deployments {
		for i := range d.Status.Conditions {
			apply(&d.Status.Conditions[i].Message)
		}
	}
	return out, n
}
