package properties

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/unjam-dev/unjam/internal/snapshot"
)

// The ten traps are what other tools fell into on the same recordings; see
// docs/accuracy.md.

var blanks = regexp.MustCompile(`\s+`)

// flat is the report with all white space made single, so that line breaks do
// not hide words.
func (s *scene) flat(t *testing.T) string { return blanks.ReplaceAllString(s.text(t, s.snap), " ") }

func mustHold(t *testing.T, s *scene, text string, words ...string) {
	t.Helper()
	for _, w := range words {
		if !strings.Contains(text, w) {
			t.Errorf("%s: the report does not say %q:\n%s", s.name, w, text)
		}
	}
}

// TestTrap01ReasonAtTheEnd: a pull error names the image three times before
// the first useful word. The report must show the words after them.
func TestTrap01ReasonAtTheEnd(t *testing.T) {
	for name, words := range map[string]string{
		"dns-nxdomain": "no such host", "dns-servfail": "server misbehaving", "dns-timeout": "i/o timeout", "connection-refused": "connection refused",
		"tls-untrusted": "signed by unknown authority", "tls-wrong-hostname": "not wronghost.lab", "tls-expired": "expired",
		"tls-handshake-timeout": "TLS handshake timeout", "http-to-https-client": "server gave HTTP response to HTTPS client",
		"io-timeout": "i/o timeout", "no-answer": "awaiting response headers", "registry-403": "403 Forbidden", "registry-429": "429 Too Many Requests",
		"registry-500": "500 Internal Server Error", "registry-502": "502 Bad Gateway", "registry-503": "503 Service Unavailable",
		"auth-basic-wrong-secret": "401 Unauthorized", "corrupt-layer": "digest", "captive-html": "text/html",
	} {
		s := sceneOf(t, name)
		mustHold(t, s, s.flat(t), words, s.want.Cause)
	}
}

// TestTrap02NoGenericHint: a fault that no credential mends is not answered
// with advice about pull secrets.
func TestTrap02NoGenericHint(t *testing.T) {
	n := 0
	for _, s := range scenes(t) {
		if s.family != "network" && s.family != "registry" && s.family != "content" && s.name != "missing-tag" && s.name != "digest-missing" {
			continue
		}
		n++
		text := strings.ToLower(s.flat(t))
		for _, hint := range []string{"imagepullsecret", "pull secret", "docker-registry", "docker login"} {
			if strings.Contains(text, hint) {
				t.Errorf("%s: speaks of %q:\n%s", s.name, hint, text)
			}
		}
	}
	if n < 25 {
		t.Errorf("only %d recordings", n)
	}
}

// TestTrap03AnySamplingInstant: a crash loop is seen whichever of its states
// the sample hits.
func TestTrap03AnySamplingInstant(t *testing.T) {
	for _, name := range []string{"crashloop", "oomkilled", "wrong-platform", "init-fail", "bad-workdir", "bad-command", "exit-zero", "segfault", "abort", "exit-2-usage", "liveness-fail", "rollout-crashloop"} {
		s := sceneOf(t, name)
		for state, set := range map[string]func(*corev1.ContainerStatus, corev1.ContainerStateTerminated){
			"waiting": func(c *corev1.ContainerStatus, d corev1.ContainerStateTerminated) {
				c.State = corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "CrashLoopBackOff", Message: "back-off 1m20s restarting failed container=" + c.Name}}
				c.LastTerminationState = corev1.ContainerState{Terminated: &d}
			},
			"terminated": func(c *corev1.ContainerStatus, d corev1.ContainerStateTerminated) {
				c.State = corev1.ContainerState{Terminated: &d}
			},
			"running": func(c *corev1.ContainerStatus, d corev1.ContainerStateTerminated) {
				yes := true
				c.State = corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: d.FinishedAt}}
				c.LastTerminationState, c.Started = corev1.ContainerState{Terminated: &d}, &yes
				c.RestartCount++
			},
		} {
			if state == "running" && s.family == "start-config" {
				continue // it never ran
			}
			moved := deepCopyOf(s.snap)
			if flip(moved, set) == 0 {
				t.Fatalf("%s: no container died", name)
			}
			v, err := s.judge(moved)
			if err != nil {
				t.Fatal(err)
			}
			if v.State != "stalled" || primary(v) != primary(s.base) {
				t.Errorf("%s sampled %s: %s, want %s", name, state, answer(v), answer(s.base))
			}
		}
	}
}

// flip puts every container that died into another state of its loop.
func flip(s *snapshot.Snapshot, set func(*corev1.ContainerStatus, corev1.ContainerStateTerminated)) int {
	n := 0
	for _, p := range s.Objects.Pods {
		for _, list := range [][]corev1.ContainerStatus{p.Status.InitContainerStatuses, p.Status.ContainerStatuses} {
			for i := range list {
				c := &list[i]
				d := c.State.Terminated
				if d == nil {
					d = c.LastTerminationState.Terminated
				}
				if d == nil || d.Reason == "Completed" && len(p.Status.InitContainerStatuses) > 0 || c.RestartCount == 0 {
					continue
				}
				c.Ready = false
				set(c, *d)
				n++
			}
		}
	}
	return n
}

// TestTrap04TheKillIsNotTheCrash: what the exit code and "Error" hide is told
// apart, with the probe, the hook, the command or the log that says so.
func TestTrap04TheKillIsNotTheCrash(t *testing.T) {
	for name, words := range map[string][]string{
		"liveness-fail":  {"liveness-kill", "liveness probe"},
		"startup-fail":   {"startup-probe-failed", "startup probe"},
		"poststart-hook": {"poststart-hook", "postStart"},
		"bad-command":    {"start-error-exec-not-found"},
		"crashloop":      {"crashloop-app-error", "exit code 3", "fatal: stopping with exit code 3"},
		"init-fail":      {"init-container-failing", "exit code"},
		"wrong-platform": {"wrong-arch-at-exec", "exec format error"},
		"oomkilled":      {"oomkilled", "memory"},
	} {
		s := sceneOf(t, name)
		mustHold(t, s, s.flat(t), words...)
	}
}

// TestTrap05SomePodsRunWhileOthersAreRefused: a refusal counts while some of
// the pods exist.
func TestTrap05SomePodsRunWhileOthersAreRefused(t *testing.T) {
	for name, words := range map[string][]string{
		"quota-exceeded":  {"STALLED", "quota-exceeded/compute", "1 of 3 pods exists"},
		"quota-pod-count": {"STALLED", "2 of 4 pods exist"},
		"rollout-quota":   {"STALLED", "quota"},
	} {
		s := sceneOf(t, name)
		mustHold(t, s, s.flat(t), words...)
	}
}

// TestTrap06WaitingByDesign: what somebody asked to wait is not called broken,
// nor passed over in silence.
func TestTrap06WaitingByDesign(t *testing.T) {
	for name, words := range map[string][]string{
		"paused": {"paused"}, "rollout-paused": {"paused", "rollout resume"}, "statefulset-partition": {"partition"}, "statefulset-ondelete": {"OnDelete"},
		"daemonset-ondelete": {"OnDelete"}, "job-suspended": {"suspended"}, "scheduling-gate": {"gate"}, "min-ready-seconds": {"inReadySeconds"},
	} {
		s := sceneOf(t, name)
		if s.base.State != "waiting" {
			t.Errorf("%s: %s, want waiting", name, answer(s.base))
		}
		text := s.flat(t)
		mustHold(t, s, text, append(words, "WAITING")...)
		if strings.Contains(text, "STALLED") {
			t.Errorf("%s is called stalled:\n%s", name, text)
		}
	}
	for _, name := range []string{"rollout-under-way", "slow-start-early", "init-waits", "job-running"} {
		s := sceneOf(t, name)
		if s.base.State == "stalled" || s.base.State == "unknown" || s.base.State == "healthy" {
			t.Errorf("%s: %s, but it is on its way", name, answer(s.base))
		}
	}
}

// TestTrap07OneNodeIsNoCause: failing workloads that only share a node keep
// each its own cause.
func TestTrap07OneNodeIsNoCause(t *testing.T) {
	names := []string{"missing-tag", "readiness-fail", "crashloop", "missing-configmap-env", "registry-503", "oomkilled"}
	for _, name := range names {
		s := sceneOf(t, name)
		all := deepCopyOf(s.snap)
		all.Origin.Namespace = ""
		for _, other := range names {
			if other != name {
				join(all, sceneOf(t, other).snap)
			}
		}
		for i, p := range all.Objects.Pods {
			if p.Spec.NodeName != "" {
				p = p.DeepCopy()
				p.Spec.NodeName = "node-1"
				all.Objects.Pods[i] = p
			}
		}
		v, err := s.judge(all)
		if err != nil {
			t.Fatal(err)
		}
		if v.State != "stalled" || primary(v) != primary(s.base) || v.Primary.Key == "node node-1" {
			t.Errorf("%s on one node with the others: %s (%s), want %s", name, answer(v), v.Primary.Key, answer(s.base))
		}
		for _, f := range slices.Concat(v.Contributing, v.Explained) {
			if f.Family == "node-health" {
				t.Errorf("%s: the node is blamed: %s", name, f.Summary)
			}
		}
	}
}

// join adds the workloads of one snapshot to another of the same cluster.
func join(to, from *snapshot.Snapshot) {
	a, b := &to.Objects, &from.Objects
	for _, e := range b.Events {
		if e.Namespace == from.Origin.Namespace {
			a.Events = append(a.Events, e)
		}
	}
	a.Pods = append(a.Pods, b.Pods...)
	a.Deployments = append(a.Deployments, b.Deployments...)
	a.ReplicaSets = append(a.ReplicaSets, b.ReplicaSets...)
	a.ServiceAccounts = append(a.ServiceAccounts, b.ServiceAccounts...)
	to.Logs = append(to.Logs, from.Logs...)
}

// TestTrap08ImageIsOnTheNode: a pod that is refused for its credential may yet
// start where another pod has pulled the image: the refusal is not certain doom.
func TestTrap08ImageIsOnTheNode(t *testing.T) {
	for _, name := range []string{"auth-basic-no-secret", "auth-bearer-no-secret", "auth-basic-wrong-secret", "auth-bearer-wrong-secret"} {
		s := sceneOf(t, name)
		there := deepCopyOf(s.snap)
		for _, n := range there.Objects.Nodes {
			for _, p := range there.Objects.Pods {
				if p.Namespace == name {
					n.Status.Images = append(n.Status.Images, corev1.ContainerImage{Names: []string{p.Spec.Containers[0].Image}, SizeBytes: 1 << 20})
				}
			}
		}
		v, err := s.judge(there)
		if err != nil {
			t.Fatal(err)
		}
		if certain(v) {
			t.Errorf("%s with the image on the node: certain %s: %s", name, answer(v), v.Primary.Summary)
		}
	}
}

// TestTrap09SilenceHasNoClock: the cause is named from the first traces of it,
// five seconds after the pods were made, not after minutes.
func TestTrap09SilenceHasNoClock(t *testing.T) {
	for _, name := range []string{"missing-tag", "quota-exceeded", "cpu-too-large", "missing-configmap-env", "node-selector", "untolerated-taint", "invalid-image-name", "psa-restricted", "missing-serviceaccount"} {
		s := sceneOf(t, name)
		i := slices.IndexFunc(s.snap.Objects.ReplicaSets, func(r *replicaSet) bool { return r.Namespace == name && strings.HasPrefix(r.Name, "web-") })
		at := s.snap.Objects.ReplicaSets[i].CreationTimestamp.Add(5 * time.Second)
		v, err := s.judge(early(s.snap, at))
		if err != nil {
			t.Fatal(err)
		}
		if primary(v) != primary(s.base) || v.State != "stalled" {
			t.Errorf("%s after five seconds: %s, want %s", name, answer(v), answer(s.base))
		}
	}
}

// TestTrap10ConnectsAndPrescribes: who holds the port, which taint, which tag
// exists, who still serves, and the command to run.
func TestTrap10ConnectsAndPrescribes(t *testing.T) {
	for name, words := range map[string][]string{
		"host-port-conflict":                {"18080", "host-port-conflict/web-"},
		"untolerated-taint":                 {"dedicated=database:NoSchedule", "kubectl taint node"},
		"missing-tag":                       {"tag v9.9.9", "tag v1 of it runs", "kubectl -n missing-tag set image deployment/web"},
		"rollout-missing-tag":               {"3 pods of the old revision still serve", "rollout undo"},
		"rollout-maxunavailable-zero-quota": {"maxUnavailable", "deadlock", "kubectl"},
		"auth-basic-wrong-secret":           {"secret", "refused", "401"},
		"cordoned":                          {"kubectl uncordon"},
		"pvc-unbound":                       {"fast"},
		"missing-pvc":                       {"data"},
		"pull-secret-wrong-host":            {"secret"},
	} {
		s := sceneOf(t, name)
		mustHold(t, s, s.flat(t), words...)
	}
}
