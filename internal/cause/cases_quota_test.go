package cause_test

import (
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/unjam-dev/unjam/internal/cause"
	"github.com/unjam-dev/unjam/internal/snapshot"
	"github.com/unjam-dev/unjam/internal/snapshot/snaptest"
)

func amounts(pairs ...string) corev1.ResourceList {
	out := corev1.ResourceList{}
	for i := 0; i < len(pairs); i += 2 {
		out[corev1.ResourceName(pairs[i])] = resource.MustParse(pairs[i+1])
	}
	return out
}

func asking(pairs ...string) func(*corev1.PodSpec) {
	return func(s *corev1.PodSpec) { s.Containers[0].Resources.Requests = amounts(pairs...) }
}

func limited(pairs ...string) func(*corev1.PodSpec) {
	return func(s *corev1.PodSpec) { s.Containers[0].Resources.Limits = amounts(pairs...) }
}

func quota(b *snaptest.Builder, name string, hard, used corev1.ResourceList) {
	b.Snap.Objects.ResourceQuotas = append(b.Snap.Objects.ResourceQuotas, &corev1.ResourceQuota{
		ObjectMeta: metav1.ObjectMeta{Namespace: snaptest.Namespace, Name: name},
		Spec:       corev1.ResourceQuotaSpec{Hard: hard}, Status: corev1.ResourceQuotaStatus{Hard: hard, Used: used}})
}

func limitRange(b *snaptest.Builder, item corev1.LimitRangeItem) {
	b.Snap.Objects.LimitRanges = append(b.Snap.Objects.LimitRanges, &corev1.LimitRange{
		ObjectMeta: metav1.ObjectMeta{Namespace: snaptest.Namespace, Name: "bounds"}, Spec: corev1.LimitRangeSpec{Limits: []corev1.LimitRangeItem{item}}})
}

const (
	fullQuota  = `pods "web-7697c94f7f-jcdr9" is forbidden: exceeded quota: compute, requested: requests.cpu=100m, used: requests.cpu=100m, limited: requests.cpu=150m`
	surgeQuota = `pods "web-7df975b5b4-zkhzp" is forbidden: exceeded quota: compute, requested: requests.cpu=50m, used: requests.cpu=150m, limited: requests.cpu=150m`
	memoryMax  = `pods "web-5b9c7f5d7-2np82" is forbidden: maximum memory usage per Container is 1Gi, but limit is 2Gi`
)

// surging is a rollout of three replicas whose new pod the quota refuses.
func surging(b *snaptest.Builder, old, new string) *snaptest.Set {
	s := b.Deployment("web", "registry.example.com/shop/web:v2", 3, asking("cpu", old))
	s.Old("registry.example.com/shop/web:v1", "n1", 3)
	s.Deployment.Spec.Template.Spec.Containers[0].Resources.Requests = amounts("cpu", new)
	s.ReplicaSet.Spec.Template.Spec.Containers[0].Resources.Requests = amounts("cpu", new)
	one := int32(1)
	s.ReplicaSet.Spec.Replicas = &one
	return s
}

var quotaCases = []testCase{
	{code: "quota-exceeded", name: "one of three pods fits", confidence: cause.Certain, build: func(b *snaptest.Builder) {
		b.Node("n1")
		s := b.Deployment("web", "registry.example.com/shop/web:v1", 3, asking("cpu", "100m"))
		s.FailedCreate(fullQuota)
		s.Pod("n1").Ready()
		s.ReplicaSet.Status.Replicas = 1
		quota(b, "compute", amounts("requests.cpu", "150m"), amounts("requests.cpu", "100m"))
	}},
	{code: "quota-exceeded", name: "no quota object, only the condition of the ReplicaSet", build: func(b *snaptest.Builder) {
		s := b.Deployment("web", "registry.example.com/shop/web:v1", 3, asking("cpu", "100m"))
		s.FailedCreate(fullQuota)
		b.Snap.Objects.Events = nil
		s.ReplicaSet.Status.Conditions = append(s.ReplicaSet.Status.Conditions, replicaFailure(fullQuota))
	}},
	{code: "quota-exceeded", name: "new revision asks for more than the quota holds", build: func(b *snaptest.Builder) {
		b.Node("n1")
		surging(b, "50m", "80m").FailedCreate(`pods "web-x" is forbidden: exceeded quota: compute, requested: requests.cpu=80m, used: requests.cpu=150m, limited: requests.cpu=150m`)
		quota(b, "compute", amounts("requests.cpu", "150m"), amounts("requests.cpu", "150m"))
	}},
	{code: "quota-exceeded", name: "a StatefulSet's pod", build: func(b *snaptest.Builder) {
		s := b.StatefulSet("db", "registry.example.com/shop/db:v1", 1)
		b.Event("StatefulSet", snaptest.Namespace, "db", s.UID, "Warning", "FailedCreate", `create Pod db-0 in StatefulSet db failed error: pods "db-0" is forbidden: exceeded quota: compute, requested: pods=1, used: pods=5, limited: pods=5`, 4*time.Minute, 10*time.Second, 9)
	}},
	{code: "quota-exceeded", name: "freed since: a later pod was made", near: true, build: func(b *snaptest.Builder) {
		b.Node("n1")
		s := b.Deployment("web", "registry.example.com/shop/web:v1", 2, asking("cpu", "100m"))
		s.FailedCreate(fullQuota)
		b.Event("ReplicaSet", snaptest.Namespace, s.ReplicaSet.Name, s.ReplicaSet.UID, "Normal", "SuccessfulCreate", "Created pod: web-hash1-1", time.Second, time.Second, 1)
		s.Pod("n1").Ready()
	}},
	{code: "quota-exceeded", name: "all pods are there", near: true, build: func(b *snaptest.Builder) {
		b.Node("n1")
		s := b.Deployment("web", "registry.example.com/shop/web:v1", 1, asking("cpu", "100m"))
		s.FailedCreate(fullQuota).Healthy()
		s.Pod("n1").Ready()
	}},
	{code: "quota-exceeded", name: "a webhook quotes a quota", near: true, want: []string{"admission-webhook-denied"}, build: func(b *snaptest.Builder) {
		b.Deployment("web", "registry.example.com/shop/web:v1", 1).FailedCreate(`admission webhook "quota.example.com" denied the request: exceeded quota: team, requested: cpu=1, used: cpu=1, limited: cpu=1`)
	}},
	{code: "quota-blocks-surge", name: "maxUnavailable rounds to zero", confidence: cause.Certain, build: func(b *snaptest.Builder) {
		b.Node("n1")
		surging(b, "50m", "50m").FailedCreate(surgeQuota)
		quota(b, "compute", amounts("requests.cpu", "150m"), amounts("requests.cpu", "150m"))
	}},
	{code: "quota-blocks-surge", name: "without the quota object", build: func(b *snaptest.Builder) {
		b.Node("n1")
		b.Snap.Gaps = append(b.Snap.Gaps, snapshot.Gap{Resource: "resourcequotas", Reason: snapshot.GapForbidden})
		surging(b, "50m", "50m").FailedCreate(surgeQuota)
	}},
	{code: "quota-blocks-surge", name: "first deployment, nothing old", near: true, want: []string{"quota-exceeded"}, build: func(b *snaptest.Builder) {
		b.Deployment("web", "registry.example.com/shop/web:v1", 3, asking("cpu", "50m")).FailedCreate(surgeQuota)
	}},
	{code: "quota-blocks-surge", name: "one pod may be unavailable", near: true, want: []string{"quota-exceeded"}, build: func(b *snaptest.Builder) {
		b.Node("n1")
		s := surging(b, "50m", "50m").FailedCreate(surgeQuota)
		s.Deployment.Spec.Strategy = rolling(0, 1)
	}},
	{code: "quota-missing-requests", name: "containers named", confidence: cause.Certain, build: func(b *snaptest.Builder) {
		b.Deployment("web", "registry.example.com/shop/web:v1", 1).FailedCreate(`pods "web-758976c75c-4z7j7" is forbidden: failed quota: compute: must specify limits.memory for: app; requests.cpu for: app`)
	}},
	{code: "quota-missing-requests", name: "as Kubernetes 1.22 says it", build: func(b *snaptest.Builder) {
		b.Deployment("web", "registry.example.com/shop/web:v1", 1).FailedCreate(`pods "web-1" is forbidden: failed quota: compute: must specify limits.cpu,limits.memory`)
	}},
	{code: "quota-missing-requests", name: "a LimitRange without a limit", near: true, want: []string{"limitrange-max"}, build: func(b *snaptest.Builder) {
		b.Deployment("web", "registry.example.com/shop/web:v1", 1).FailedCreate(`pods "web-1" is forbidden: maximum cpu usage per Container is 2.  No limit is specified`)
	}},
	{code: "quota-status-unknown", name: "quota just made", build: func(b *snaptest.Builder) {
		b.Deployment("web", "registry.example.com/shop/web:v1", 1).FailedCreate(`pods "web-1" is forbidden: status unknown for quota: team-a, resources: limits.cpu`)
		quota(b, "team-a", corev1.ResourceList{}, nil)
	}},
	{code: "quota-status-unknown", name: "quota exceeded", near: true, want: []string{"quota-exceeded"}, build: func(b *snaptest.Builder) {
		b.Deployment("web", "registry.example.com/shop/web:v1", 1).FailedCreate(fullQuota)
	}},
	{code: "quota-scope-not-covered", name: "priority class without a quota", confidence: cause.Certain, build: func(b *snaptest.Builder) {
		b.Deployment("web", "registry.example.com/shop/web:v1", 1, priority("high")).FailedCreate(`pods "web-1" is forbidden: insufficient quota to match these scopes: [{PriorityClass In [high]}]`)
	}},
	{code: "quota-scope-not-covered", name: "device without a quota", build: func(b *snaptest.Builder) {
		b.Deployment("web", "registry.example.com/shop/web:v1", 1).FailedCreate(`pods "web-1" is forbidden: insufficient quota to consume: requests.nvidia.com/gpu`)
	}},
	{code: "quota-scope-not-covered", name: "priority class missing", near: true, want: []string{"priorityclass-missing"}, build: func(b *snaptest.Builder) {
		b.Deployment("web", "registry.example.com/shop/web:v1", 1, priority("high")).FailedCreate(`pods "web-" is forbidden: no PriorityClass with name high was found`)
	}},
	{code: "limitrange-max", name: "limit above the maximum", confidence: cause.Certain, build: func(b *snaptest.Builder) {
		b.Deployment("web", "registry.example.com/shop/web:v1", 1, limited("memory", "2Gi")).FailedCreate(memoryMax)
		limitRange(b, corev1.LimitRangeItem{Type: corev1.LimitTypeContainer, Max: amounts("memory", "1Gi")})
	}},
	{code: "limitrange-max", name: "several at once", build: func(b *snaptest.Builder) {
		b.Deployment("web", "registry.example.com/shop/web:v1", 1).FailedCreate(`pods "x" is forbidden: [maximum cpu usage per Container is 2, but limit is 4, maximum memory usage per Pod is 8Gi, but request is 9Gi]`)
	}},
	{code: "limitrange-max", name: "below the minimum", near: true, want: []string{"limitrange-min-or-ratio"}, build: func(b *snaptest.Builder) {
		b.Deployment("web", "registry.example.com/shop/web:v1", 1).FailedCreate(`pods "x" is forbidden: minimum memory usage per Container is 64Mi, but request is 32Mi`)
	}},
	{code: "limitrange-min-or-ratio", name: "below the minimum", confidence: cause.Certain, build: func(b *snaptest.Builder) {
		b.Deployment("web", "registry.example.com/shop/web:v1", 1, asking("memory", "32Mi")).FailedCreate(`pods "x" is forbidden: minimum memory usage per Container is 64Mi, but request is 32Mi`)
	}},
	{code: "limitrange-min-or-ratio", name: "ratio too large", build: func(b *snaptest.Builder) {
		b.Deployment("web", "registry.example.com/shop/web:v1", 1).FailedCreate(`pods "x" is forbidden: cpu max limit to request ratio per Container is 2, but provided ratio is 4.000000`)
	}},
	{code: "limitrange-min-or-ratio", name: "above the maximum", near: true, want: []string{"limitrange-max"}, build: func(b *snaptest.Builder) {
		b.Deployment("web", "registry.example.com/shop/web:v1", 1).FailedCreate(memoryMax)
	}},
	{code: "limitrange-default-inflates", name: "a default nobody asked for", want: inflated, build: func(b *snaptest.Builder) { defaulted(b, true) }},
	{code: "limitrange-default-inflates", name: "the author asked for it", near: true, want: inflated[1:], build: func(b *snaptest.Builder) { defaulted(b, false) }},
}
