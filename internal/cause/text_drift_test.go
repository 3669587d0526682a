package cause_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/unjam-dev/unjam/internal/cause"
	"github.com/unjam-dev/unjam/internal/facts"
	"github.com/unjam-dev/unjam/internal/snapshot/snaptest"
)

// drift is one thing that Kubernetes words differently from version to version.
type drift struct {
	what string
	// want is the cause that every wording must give.
	want string
	// words are the wordings, oldest first.
	words []string
	build func(b *snaptest.Builder, words string)
}

func refusedBy(clause string) func(*snaptest.Builder, string) {
	return func(b *snaptest.Builder, words string) { waits(b, refusal(1, "1 "+words, clause), mountsClaim("data")) }
}

var textDrift = []drift{
	{"taints", "untolerated-taint", []string{"node(s) had taint {dedicated: db}, that the pod didn't tolerate", "node(s) had untolerated taint {dedicated: db}", "node(s) had untolerated taint(s)"},
		func(b *snaptest.Builder, words string) {
			b.Node("n1", nodeTaint("dedicated", "db"))
			refusedBy(notHelpful)(b, words)
		}},
	{"affinity of a volume", "volume-node-affinity-conflict", []string{"node(s) had volume node affinity conflict", "node(s) didn't match PersistentVolume's node affinity"},
		func(b *snaptest.Builder, words string) {
			b.Node("n1")
			addClaim(b, "data", "gp3", "pv1", corev1.ReadWriteOnce)
			addVolume(b, "pv1", "zone", "a")
			refusedBy(notHelpful)(b, words)
		}},
	{"volume of one pod", "rwop-in-use", []string{"node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode", "node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode already in-use by another pod"},
		func(b *snaptest.Builder, words string) { unseen(b, "nodes"); refusedBy(noVictims)(b, words) }},
	{"volume attached elsewhere", "multi-attach", []string{`Multi-Attach error for volume "pv1" Volume is already exclusively attached to one node and can't be attached to another`, `Waiting for detach for volume "pv1" Volume is already exclusively attached to one node, waiting on detach before it can be attached to another node`},
		func(b *snaptest.Builder, words string) { failsAttach(b, words, mountsClaim("data")) }},
	{"preemption clause", "node-unschedulable", []string{"0/1 nodes are available: 1 node(s) were unschedulable.", refusal(1, "1 node(s) were unschedulable", notHelpful)},
		func(b *snaptest.Builder, words string) { b.Node("n1", cordon); waits(b, words) }},
	{"probe that errs", "probe-exec", []string{
		`Readiness probe errored: rpc error: code = Unknown desc = failed to exec in container: failed to start exec "x": OCI runtime exec failed: exec failed: unable to start container process: exec: "curl": executable file not found in $PATH: unknown`,
		`Readiness probe errored and resulted in unknown state: rpc error: code = Unknown desc = failed to exec in container: failed to start exec "x": OCI runtime exec failed: exec failed: unable to start container process: exec: "curl": executable file not found in $PATH: unknown`},
		func(b *snaptest.Builder, words string) {
			runningFor(webPod(b, readiness(execProbe("curl", "-f", "http://localhost:8080"))), 4*time.Minute).Event("Warning", "Unhealthy", words, 4*time.Minute, 3*time.Second, 40)
		}},
	{"events of containers", "crashloop-app-error", []string{"Created container app", "Created container: app", "Container created"},
		func(b *snaptest.Builder, words string) {
			p := webPod(b).Crashes(1, "Error", 5)
			p.Event("Normal", "Created", words, 4*time.Minute, 32*time.Second, 6)
			p.Event("Normal", "Started", map[bool]string{true: "Container started", false: "Started container app"}[words == "Container created"], 4*time.Minute, 32*time.Second, 6)
			logOf(b, p, "app", "fatal: bye")
		}},
	{"scaling of ReplicaSets", "deadline-stale-after-undo", []string{"Scaled up replica set web-hash1 to 1", "Scaled up replica set web-hash1 from 0 to 1"},
		func(b *snaptest.Builder, words string) {
			s := deadline(b)
			s.Deployment.Generation, s.Deployment.Status.ObservedGeneration = 3, 3
			s.ReplicaSet.CreationTimestamp = snaptest.Ago(time.Hour)
			scales(b, s, words, 5*time.Second, 1)
		}},
	{"pods that the kubelet rejects", "kubelet-out-of-resource", []string{
		"Pod Node didn't have enough resource: cpu, requested: 500, used: 3800, capacity: 4000", "Pod was rejected: Node didn't have enough resource: cpu, requested: 500, used: 3800, capacity: 4000"},
		func(b *snaptest.Builder, words string) { b.Node("n1"); rejected(b, "OutOfcpu", words) }},
	{"back-off of restarts", "crashloop-app-error", []string{"Back-off restarting failed container", "Back-off restarting failed container app in pod web-hash1-1_shop(uid-0005)"},
		func(b *snaptest.Builder, words string) {
			p := webPod(b).Crashes(1, "Error", 5)
			p.LastEvent().Message = words
			logOf(b, p, "app", "fatal: bye")
		}},
	// No text: the node counts as lost after 40 s of silence up to 1.31, after 50 s since.
	{"grace of nodes", "node-notready-unknown", []string{"42s", "52s"},
		func(b *snaptest.Builder, words string) {
			silence, _ := time.ParseDuration(words)
			wasReady(onNode(b, lostNode, func(n *corev1.Node) {
				for i := range n.Status.Conditions {
					n.Status.Conditions[i].LastHeartbeatTime, n.Status.Conditions[i].LastTransitionTime = snaptest.Ago(silence), snaptest.Ago(time.Second)
				}
			}))
		}},
	{"wait for volumes", "volume-wait-silent", []string{"Unable to attach or mount volumes: unmounted volumes=[data], unattached volumes=[], failed to process volumes=[]: timed out waiting for the condition", ""},
		func(b *snaptest.Builder, words string) {
			if words == "" {
				before(b, mountsClaim("data"))
				return
			}
			failsMount(b, words, mountsClaim("data"))
		}},
	// The status in the autoscaler's ConfigMap was free text up to 1.29 and is YAML
	// since; its events did not change and are what is read.
	{"status of the cluster autoscaler", "ca-backoff", []string{"Scale-up failed for group workers: stockout", "Scale-up failed for group workers: out of capacity"},
		func(b *snaptest.Builder, words string) {
			autoscaler(noRoom(b), ca, "Normal", "NotTriggerScaleUp", "pod didn't trigger scale-up: 1 in backoff after failed scale-up", 3*time.Minute, 10*time.Second)
			b.Event("ConfigMap", "kube-system", "cluster-autoscaler-status", "", "Warning", "FailedToScaleUpGroup", words, 4*time.Minute, 4*time.Minute, 1)
		}},
	{"maxUnavailable of StatefulSets", "statefulset-maxunavailable", []string{"v1.36.3", "v1.37.0"},
		func(b *snaptest.Builder, words string) {
			b.Snap.Origin.ServerVersion = words
			s, pods := set(b, 3, 2)
			one := intstr.FromInt32(1)
			s.Spec.UpdateStrategy.RollingUpdate = &appsv1.RollingUpdateStatefulSetStrategy{MaxUnavailable: &one}
			unready(pods[2])
		}},
	{"quota without requests", "quota-missing-requests", []string{"failed quota: compute: must specify limits.cpu,limits.memory", "failed quota: compute: must specify limits.cpu for: app; limits.memory for: app"},
		func(b *snaptest.Builder, words string) { refused(`pods "web-x" is forbidden: ` + words)(b) }},
}

// TestTextDrift: each wording of the same thing gives the same cause, as firmly.
func TestTextDrift(t *testing.T) {
	for _, d := range textDrift {
		t.Run(d.what, func(t *testing.T) {
			var first *cause.Finding
			for i, words := range d.words {
				b := snaptest.New()
				d.build(b, words)
				all := detectAll(facts.Build(b.Snap))
				if got := unexplained(all, []string{d.want}); !slices.Contains(got, d.want) {
					t.Errorf("%q gives %v, want %s", words, got, d.want)
					continue
				}
				at := slices.IndexFunc(all, func(f cause.Finding) bool { return f.Cause == d.want })
				if first == nil {
					first = &all[at]
				} else if got, want := fmt.Sprint(all[at].Confidence, all[at].Class), fmt.Sprint(first.Confidence, first.Class); got != want {
					t.Errorf("wording %d is %s, wording 0 is %s", i, got, want)
				}
			}
		})
	}
}
