package facts_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/unjam-dev/unjam/internal/facts"
	"github.com/unjam-dev/unjam/internal/snapshot"
	"github.com/unjam-dev/unjam/internal/snapshot/snaptest"
)

func typesUID(s string) types.UID { return types.UID(s) }

func equal(t *testing.T, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func only(t *testing.T, f *facts.Facts) *facts.Workload {
	t.Helper()
	if len(f.Workloads) != 1 {
		var refs []string
		for _, w := range f.Workloads {
			refs = append(refs, w.Ref())
		}
		t.Fatalf("workloads %v, want one", refs)
	}
	return f.Workloads[0]
}

func podNames(pods []*facts.Pod) []string {
	var out []string
	for _, p := range pods {
		out = append(out, p.Name())
	}
	return out
}

// shape is a workload's revisions in one line: "new[pods] old[pods]…".
func shape(w *facts.Workload) string {
	part := func(r *facts.Revision) string {
		return r.Name + "[" + strings.Join(podNames(r.Pods), " ") + "]"
	}
	out := []string{"none"}
	if w.New != nil {
		out[0] = part(w.New)
	}
	for _, r := range w.Old {
		out = append(out, part(r))
	}
	return strings.Join(out, " ")
}

// TestNewestReplicaSet follows the deployment controller: the ReplicaSet with
// the Deployment's template is the newest, whatever its age or number.
func TestNewestReplicaSet(t *testing.T) {
	rollout := func() (*snaptest.Builder, *snaptest.Set) {
		b := snaptest.New()
		s := b.Deployment("web", "web:v2", 1)
		s.Pod("n1")
		s.Old("web:v1", "n1", 1)
		return b, s
	}
	const fresh, old = "web-hash1[web-hash1-1]", "web-old[web-old-2]"
	for _, c := range []struct {
		name   string
		change func(*snaptest.Builder, *snaptest.Set)
		want   string
	}{
		{"a rollout", func(*snaptest.Builder, *snaptest.Set) {}, fresh + " " + old},
		{"undo takes the old ReplicaSet up again", func(_ *snaptest.Builder, s *snaptest.Set) {
			s.Deployment.Spec.Template.Spec.Containers[0].Image = "web:v1"
		}, old + " " + fresh},
		{"undo, and the old one has its new number", func(b *snaptest.Builder, s *snaptest.Set) {
			s.Deployment.Spec.Template.Spec.Containers[0].Image = "web:v1"
			s.Deployment.Annotations["deployment.kubernetes.io/revision"] = "3"
			set(b, "web-old").Annotations["deployment.kubernetes.io/revision"] = "3"
		}, old + " " + fresh},
		{"the template is defaulted differently: the number decides", func(_ *snaptest.Builder, s *snaptest.Set) {
			s.Deployment.Spec.Template.Spec.TerminationGracePeriodSeconds = new(int64)
		}, fresh + " " + old},
		{"ten is more than nine", func(b *snaptest.Builder, s *snaptest.Set) {
			s.Deployment.Spec.Template.Spec.TerminationGracePeriodSeconds = new(int64)
			s.Deployment.Annotations["deployment.kubernetes.io/revision"] = "10"
			s.ReplicaSet.Annotations["deployment.kubernetes.io/revision"] = "10"
			set(b, "web-old").Annotations["deployment.kubernetes.io/revision"] = "9"
		}, fresh + " " + old},
		{"the controller has not seen the change yet", func(_ *snaptest.Builder, s *snaptest.Set) {
			s.Deployment.Spec.Template.Spec.Containers[0].Image = "web:v3"
			s.Deployment.Generation = 2
		}, "none " + fresh + " " + old},
		{"changed while paused", func(_ *snaptest.Builder, s *snaptest.Set) {
			s.Deployment.Spec.Template.Spec.Containers[0].Image = "web:v3"
			s.Deployment.Spec.Paused, s.Deployment.Status.UpdatedReplicas = true, 0
		}, "none " + fresh + " " + old},
		{"the new ReplicaSet could not be made", func(_ *snaptest.Builder, s *snaptest.Set) {
			s.Deployment.Spec.Template.Spec.Containers[0].Image = "web:v3"
			s.Deployment.Annotations["deployment.kubernetes.io/revision"] = "3"
		}, "none " + fresh + " " + old},
		{"Recreate waits for the old pods", func(b *snaptest.Builder, s *snaptest.Set) {
			s.Deployment.Spec.Template.Spec.Containers[0].Image = "web:v3"
			s.Deployment.Spec.Strategy.Type, s.Deployment.Status.UpdatedReplicas = appsv1.RecreateDeploymentStrategyType, 0
			s.ReplicaSet.Spec.Replicas = new(int32)
		}, "none " + fresh + " " + old},
		{"another owner's ReplicaSet", func(b *snaptest.Builder, _ *snaptest.Set) {
			set(b, "web-old").OwnerReferences[0].Name = "else"
			b.Snap.Objects.Pods = b.Snap.Objects.Pods[:1]
			b.Snap.Objects.ReplicaSets = b.Snap.Objects.ReplicaSets[:1]
		}, fresh},
	} {
		t.Run(c.name, func(t *testing.T) {
			b, s := rollout()
			c.change(b, s)
			w := only(t, facts.Build(b.Snap))
			if got := shape(w); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
			for _, p := range w.Pods {
				if p.Workload != w || p.New != slices.Contains(w.NewPods(), p) {
					t.Errorf("pod %s: workload %v, new %v", p.Name(), p.Workload, p.New)
				}
			}
		})
	}
}

func set(b *snaptest.Builder, name string) *appsv1.ReplicaSet {
	i := slices.IndexFunc(b.Snap.Objects.ReplicaSets, func(rs *appsv1.ReplicaSet) bool { return rs.Name == name })
	return b.Snap.Objects.ReplicaSets[i]
}

// TestOrphans infers the workload where only pods or ReplicaSets were seen.
func TestOrphans(t *testing.T) {
	for _, c := range []struct {
		name            string
		strip           func(*snapshot.Objects)
		ref, shape, rev string
		orphan          bool
	}{
		{"all seen", func(*snapshot.Objects) {}, "deployment/web", "web-hash1[web-hash1-1]", "1", false},
		{"no Deployment", func(o *snapshot.Objects) { o.Deployments = nil }, "deployment/web", "web-hash1[web-hash1-1]", "1", true},
		{"pods alone", func(o *snapshot.Objects) { o.Deployments, o.ReplicaSets = nil, nil }, "deployment/web", "web-hash1[web-hash1-1]", "hash1", true},
		{"pods without a hash label", func(o *snapshot.Objects) {
			o.Deployments, o.ReplicaSets = nil, nil
			o.Pods[0].Labels = nil
		}, "replicaset/web-hash1", "web-hash1[web-hash1-1]", "", true},
		{"a bare pod", func(o *snapshot.Objects) {
			o.Deployments, o.ReplicaSets = nil, nil
			o.Pods[0].OwnerReferences = nil
		}, "pod/web-hash1-1", "[web-hash1-1]", "hash1", false},
		{"a static pod is owned by its node", func(o *snapshot.Objects) {
			o.Deployments, o.ReplicaSets = nil, nil
			o.Pods[0].OwnerReferences[0].Kind, o.Pods[0].OwnerReferences[0].Name, o.Pods[0].Labels = "Node", "n1", nil
		}, "pod/web-hash1-1", "n1[web-hash1-1]", "", false},
		{"a Job not seen", func(o *snapshot.Objects) {
			o.Deployments, o.ReplicaSets = nil, nil
			o.Pods[0].OwnerReferences[0].Kind, o.Pods[0].OwnerReferences[0].Name = "Job", "migrate"
		}, "job/migrate", "migrate[web-hash1-1]", "hash1", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := snaptest.New()
			b.Deployment("web", "web:v1", 1).Pod("n1")
			c.strip(&b.Snap.Objects)
			w := only(t, facts.Build(b.Snap))
			if w.Ref() != c.ref || shape(w) != c.shape || w.Revision != c.rev || w.Orphan != c.orphan {
				t.Errorf("%s, %s, revision %q, orphan %v", w.Ref(), shape(w), w.Revision, w.Orphan)
			}
			if w.Desired != 1 || w.Template == nil {
				t.Errorf("desired %d, template %v", w.Desired, w.Template)
			}
		})
	}
}

// TestOrphanRevisions takes the youngest revision of pods alone as the newest.
func TestOrphanRevisions(t *testing.T) {
	b := snaptest.New()
	s := b.Deployment("web", "web:v2", 1)
	s.Pod("n1")
	s.Old("web:v1", "n1", 2)
	b.Snap.Objects.Deployments, b.Snap.Objects.ReplicaSets = nil, nil
	for _, p := range b.Snap.Objects.Pods[1:] {
		p.CreationTimestamp = snaptest.Ago(time.Hour)
		p.OwnerReferences[0].Name = "web-old1"
		p.Labels = map[string]string{"pod-template-hash": "old1"}
	}
	w := only(t, facts.Build(b.Snap))
	if got, want := shape(w), "web-hash1[web-hash1-1] web-old1[web-old-2 web-old-3]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if w.Desired != 3 || w.Updated != 1 || w.Ready != 2 || w.Available != 2 {
		t.Errorf("counts %d %d %d %d", w.Desired, w.Updated, w.Ready, w.Available)
	}
}

// TestSplitByHash parts the pods of StatefulSets and DaemonSets by revision.
func TestSplitByHash(t *testing.T) {
	revision := func(b *snaptest.Builder, owner metav1.Object, kind, name string, number int64, age time.Duration) {
		yes := true
		b.Snap.Objects.ControllerRevisions = append(b.Snap.Objects.ControllerRevisions, &appsv1.ControllerRevision{Revision: number,
			ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name, CreationTimestamp: snaptest.Ago(age), Labels: map[string]string{"controller-revision-hash": name},
				OwnerReferences: []metav1.OwnerReference{{Kind: kind, Name: owner.GetName(), UID: owner.GetUID(), Controller: &yes}}}})
	}
	t.Run("StatefulSet", func(t *testing.T) {
		b := snaptest.New()
		s := b.StatefulSet("db", "db:v2", 2)
		s.Status.UpdateRevision = "db-rev2"
		b.PodOf("StatefulSet", "db", s, "db-0", s.Spec.Template.Spec, "n1")
		b.PodOf("StatefulSet", "db", s, "db-1", s.Spec.Template.Spec, "n1").Obj.Labels["controller-revision-hash"] = "db-rev2"
		revision(b, s, "StatefulSet", "db-rev2", 2, 2*time.Minute)
		w := only(t, facts.Build(b.Snap))
		if got, want := shape(w), "db-rev2[db-1] db-rev1[db-0]"; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		if !w.Started.Equal(before(2*time.Minute)) || w.Revision != "db-rev2" {
			t.Errorf("started %s, revision %s", w.Started, w.Revision)
		}
	})
	t.Run("DaemonSet", func(t *testing.T) {
		b := snaptest.New()
		d := b.DaemonSet("agent", "agent:v2", 2)
		b.PodOf("DaemonSet", "agent", d, "agent-a", d.Spec.Template.Spec, "n1").Obj.Labels["controller-revision-hash"] = "r2"
		b.PodOf("DaemonSet", "agent", d, "agent-b", d.Spec.Template.Spec, "n2").Obj.Labels["controller-revision-hash"] = "r9"
		// The number decides, not the name nor the order.
		revision(b, d, "DaemonSet", "r2", 10, time.Minute)
		revision(b, d, "DaemonSet", "r9", 9, time.Hour)
		if got, want := shape(only(t, facts.Build(b.Snap))), "r2[agent-a] r9[agent-b]"; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	})
	t.Run("DaemonSet without its revisions", func(t *testing.T) {
		b := snaptest.New()
		d := b.DaemonSet("agent", "agent:v2", 2)
		b.PodOf("DaemonSet", "agent", d, "agent-a", d.Spec.Template.Spec, "n1").Obj.Labels["controller-revision-hash"] = "r1"
		young := b.PodOf("DaemonSet", "agent", d, "agent-b", d.Spec.Template.Spec, "n2").Obj
		young.Labels["controller-revision-hash"], young.CreationTimestamp = "r2", snaptest.Ago(time.Minute)
		if got, want := shape(only(t, facts.Build(b.Snap))), "r2[agent-b] r1[agent-a]"; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	})
}

func TestJob(t *testing.T) {
	b := snaptest.New()
	j := b.Job("migrate", "migrate:v1")
	three, yes := int32(3), true
	j.Spec.Completions, j.Spec.Suspend = nil, &yes
	j.Spec.Parallelism = &three
	j.Status.Succeeded = 1
	b.PodOf("Job", "migrate", j, "migrate-a", j.Spec.Template.Spec, "n1")
	w := only(t, facts.Build(b.Snap))
	if w.Kind != "Job" || w.Desired != 3 || w.Available != 1 || !w.Paused || shape(w) != "migrate[migrate-a]" {
		t.Errorf("%s desired %d available %d paused %v: %s", w.Ref(), w.Desired, w.Available, w.Paused, shape(w))
	}
}

// TestArgoRollout reads the pod hash of the status, not revisions.
func TestArgoRollout(t *testing.T) {
	b := snaptest.New()
	s := b.Deployment("web", "web:v2", 2)
	s.Pod("n1")
	s.Old("web:v1", "n1", 1)
	b.Snap.Objects.Deployments = nil
	for i, rs := range b.Snap.Objects.ReplicaSets {
		rs.OwnerReferences[0].Kind = "Rollout"
		rs.Labels = map[string]string{"rollouts-pod-template-hash": []string{"aaa", "bbb"}[i]}
	}
	u := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout",
		"metadata": map[string]any{"name": "web", "namespace": "shop"}, "spec": map[string]any{"replicas": int64(4), "paused": true},
		"status": map[string]any{"currentPodHash": "aaa", "updatedReplicas": int64(1), "replicas": int64(3)}}}
	b.Snap.Objects.Others = append(b.Snap.Objects.Others, u)
	other := u.DeepCopy()
	other.SetAPIVersion("example.com/v1") // a kind of the same name
	other.SetName("else")
	b.Snap.Objects.Others = append(b.Snap.Objects.Others, other)
	w := only(t, facts.Build(b.Snap))
	if w.Kind != "Rollout" || w.Desired != 4 || w.Updated != 1 || !w.Paused {
		t.Errorf("%s desired %d updated %d paused %v", w.Ref(), w.Desired, w.Updated, w.Paused)
	}
	if got, want := shape(w), "web-hash1[web-hash1-1] web-old[web-old-2]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestCreateFailures takes the events, and the condition only when they are gone.
func TestCreateFailures(t *testing.T) {
	b := snaptest.New()
	s := b.Deployment("web", "web:v1", 1).FailedCreate("exceeded quota: a")
	s.ReplicaSet.Status.Conditions = []appsv1.ReplicaSetCondition{{Type: appsv1.ReplicaSetReplicaFailure, Status: corev1.ConditionTrue, Reason: "FailedCreate",
		Message: "exceeded quota: frozen", LastTransitionTime: snaptest.Ago(4 * time.Minute)}}
	got := only(t, facts.Build(b.Snap)).New.CreateFailures
	if len(got) != 1 || got[0].Message != "exceeded quota: a" || got[0].Count != 9 || got[0].Owner.Name != s.ReplicaSet.Name {
		t.Errorf("with events: %+v", got)
	}
	b.Snap.Objects.Events = nil
	got = only(t, facts.Build(b.Snap)).New.CreateFailures
	if len(got) != 1 || got[0].Message != "exceeded quota: frozen" || got[0].Receipt.Field != "status.conditions[ReplicaFailure]" {
		t.Errorf("without: %+v", got)
	}
	s.ReplicaSet.Status.Conditions[0].Status = corev1.ConditionFalse
	if got = only(t, facts.Build(b.Snap)).New.CreateFailures; len(got) != 0 {
		t.Errorf("a condition that is over: %+v", got)
	}
}

// TestKnown tells what does not exist from what was not read.
func TestKnown(t *testing.T) {
	b := snaptest.New()
	b.Snap.Objects.Secrets = append(b.Snap.Objects.Secrets, &snapshot.SecretShape{Namespace: "shop", Name: "regcred"})
	b.Snap.Objects.ConfigMaps = append(b.Snap.Objects.ConfigMaps, &snapshot.ConfigMapShape{Namespace: "shop", Name: "settings"})
	b.Snap.Gaps = []snapshot.Gap{{Resource: "secrets", Namespace: "bank", Reason: snapshot.GapForbidden}, {Resource: "configmaps", Reason: snapshot.GapNotCaptured, Except: []string{"shop"}}}
	f := facts.Build(b.Snap)
	for _, c := range []struct {
		kind, ns, name string
		found, known   bool
	}{
		{"secret", "shop", "regcred", true, true}, {"secret", "shop", "none", false, true}, {"secret", "bank", "regcred", false, false}, {"secret", "else", "x", false, true},
		{"configmap", "shop", "settings", true, true}, {"configmap", "shop", "none", false, true}, {"configmap", "bank", "settings", false, false},
	} {
		found, known := false, false
		if c.kind == "secret" {
			s, k := f.Secret(c.ns, c.name)
			found, known = s != nil, k
		} else {
			s, k := f.ConfigMap(c.ns, c.name)
			found, known = s != nil, k
		}
		if found != c.found || known != c.known {
			t.Errorf("%s %s/%s: found %v, known %v", c.kind, c.ns, c.name, found, known)
		}
	}
}
