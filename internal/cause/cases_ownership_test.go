package cause_test

import (
	"time"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/unjam-dev/unjam/internal/cause"
	"github.com/unjam-dev/unjam/internal/snapshot/snaptest"
)

// scaler is an autoscaler of a Deployment.
func scaler(b *snaptest.Builder, target string) *autoscalingv2.HorizontalPodAutoscaler {
	h := &autoscalingv2.HorizontalPodAutoscaler{ObjectMeta: metav1.ObjectMeta{Namespace: snaptest.Namespace, Name: target},
		Spec: autoscalingv2.HorizontalPodAutoscalerSpec{ScaleTargetRef: autoscalingv2.CrossVersionObjectReference{Kind: "Deployment", Name: target}, MaxReplicas: 10}}
	b.Snap.Objects.HPAs = append(b.Snap.Objects.HPAs, h)
	return h
}

// scales adds the Deployment's event about one move of a ReplicaSet.
func scales(b *snaptest.Builder, s *snaptest.Set, message string, lastAgo time.Duration, count int32) {
	b.Event("Deployment", snaptest.Namespace, s.Deployment.Name, s.Deployment.UID, "Normal", "ScalingReplicaSet", message, 9*time.Minute, lastAgo, count)
}

func fighting(b *snaptest.Builder, downTo string) {
	b.Node("n1")
	s := b.Deployment("web", "registry.example.com/shop/web:v1", 2).Healthy()
	s.Pod("n1").Ready()
	s.Pod("n1").Ready()
	h := scaler(b, "web")
	b.Event("HorizontalPodAutoscaler", snaptest.Namespace, h.Name, "", "Normal", "SuccessfulRescale", "New size: 5; reason: cpu resource utilization (percentage of request) above target", 9*time.Minute, time.Minute, 3)
	if downTo == "" {
		b.Event("HorizontalPodAutoscaler", snaptest.Namespace, h.Name, "", "Normal", "SuccessfulRescale", "New size: 2; reason: All metrics below target", 9*time.Minute, time.Minute, 3)
		downTo = "2"
	}
	scales(b, s, "Scaled up replica set web-hash1 from 2 to 5", time.Minute, 3)
	scales(b, s, "Scaled down replica set web-hash1 from 5 to "+downTo, 30*time.Second, 3)
}

// flipping is a Deployment whose two revisions were taken up again by turns.
func flipping(b *snaptest.Builder, owned bool) {
	b.Node("n1")
	s := b.Deployment("web", "registry.example.com/shop/web:v2", 1)
	s.Old("registry.example.com/shop/web:v1", "n1", 1)
	for _, rs := range b.Snap.Objects.ReplicaSets {
		rs.Annotations["deployment.kubernetes.io/revision-history"] = "3,5"
	}
	if owned {
		s.Deployment.Annotations["argocd.argoproj.io/tracking-id"] = "shop:apps/Deployment:shop/web"
	}
	s.Pod("n1").Running()
	scales(b, s, "Scaled up replica set web-hash1 from 0 to 1", 20*time.Second, 3)
}

// paused is a Deployment whose template was changed while it was paused.
func paused(b *snaptest.Builder) *snaptest.Set {
	b.Node("n1")
	s := b.Deployment("web", "registry.example.com/shop/web:v1", 1).Healthy()
	s.Pod("n1").Ready()
	s.Deployment.Spec.Paused = true
	return s
}

var ownershipCases = []testCase{
	{code: "deployment-paused", name: "since it was made", confidence: cause.Certain, build: func(b *snaptest.Builder) {
		s := b.Deployment("web", "registry.example.com/shop/web:v1", 1)
		s.Deployment.Spec.Paused = true
		s.Deployment.Status.Replicas, s.Deployment.Status.UpdatedReplicas = 0, 0
		b.Snap.Objects.ReplicaSets = nil
	}},
	{code: "deployment-paused", name: "a changed template waits, old pods serve", build: func(b *snaptest.Builder) {
		s := paused(b)
		s.Deployment.Spec.Template.Spec.Containers[0].Image = "registry.example.com/shop/web:v2"
		s.Deployment.Status.UpdatedReplicas = 0
	}},
	{code: "deployment-paused", name: "in mid-rollout", build: func(b *snaptest.Builder) {
		b.Node("n1")
		s := b.Deployment("web", "registry.example.com/shop/web:v2", 3)
		s.Old("registry.example.com/shop/web:v1", "n1", 2)
		s.Pod("n1").Ready()
		s.Deployment.Spec.Paused, s.Deployment.Status.UpdatedReplicas = true, 1
	}},
	{code: "deployment-paused", name: "paused with nothing left to do", near: true, build: func(b *snaptest.Builder) { paused(b) }},
	{code: "replicas-zero", name: "scaled to zero", confidence: cause.Certain, build: func(b *snaptest.Builder) {
		s := b.Deployment("web", "registry.example.com/shop/web:v1", 0).Healthy()
		s.Deployment.Annotations["kube-green.dev/replicas"] = "3"
	}},
	{code: "replicas-zero", name: "complete", near: true, build: func(b *snaptest.Builder) {
		b.Node("n1")
		b.Deployment("web", "registry.example.com/shop/web:v1", 1).Healthy().Pod("n1").Ready()
	}},
	{code: "job-suspended", name: "in a queue", confidence: cause.Certain, build: func(b *snaptest.Builder) {
		j := b.Job("import", "registry.example.com/shop/import:v1")
		yes := true
		j.Spec.Suspend, j.Status.Active, j.Labels = &yes, 0, map[string]string{"kueue.x-k8s.io/queue-name": "batch"}
	}},
	{code: "job-suspended", name: "no pods because of a quota", near: true, want: []string{"quota-exceeded"}, build: func(b *snaptest.Builder) {
		j := b.Job("import", "registry.example.com/shop/import:v1")
		j.Status.Active = 0
		b.Event("Job", snaptest.Namespace, "import", j.UID, "Warning", "FailedCreate", "Error creating: "+fullQuota, 4*time.Minute, 10*time.Second, 5)
	}},
	{code: "hpa-fighting", name: "something sets the manifest's number again", confidence: cause.Certain, build: func(b *snaptest.Builder) { fighting(b, "2") }},
	{code: "hpa-fighting", name: "the autoscaler itself goes up and down", near: true, build: func(b *snaptest.Builder) { fighting(b, "") }},
	{code: "gitops-reverts", name: "Argo CD puts its state back", confidence: cause.Likely, build: func(b *snaptest.Builder) { flipping(b, true) }},
	{code: "gitops-reverts", name: "nobody owns the object", near: true, build: func(b *snaptest.Builder) { flipping(b, false) }},
}

func readyCondition(status corev1.ConditionStatus, ago time.Duration) corev1.NodeCondition {
	return corev1.NodeCondition{Type: corev1.NodeReady, Status: status, LastTransitionTime: snaptest.Ago(ago)}
}
