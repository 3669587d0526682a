package cause_test

import (
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/unjam-dev/unjam/internal/cause"
	"github.com/unjam-dev/unjam/internal/snapshot"
	"github.com/unjam-dev/unjam/internal/snapshot/snaptest"
)

// arithmeticCases are proven before anybody complains, each with its near-miss
// right at the boundary.
var arithmeticCases = []testCase{
	{code: "quota-exceeded", name: "foreseen: one millicore short", confidence: cause.Certain, build: func(b *snaptest.Builder) { newborn(b, "1999m", withQuota("2", "1")) }, want: []string{"quota-exceeded"}},
	{code: "quota-exceeded", name: "foreseen: fits to the millicore", near: true, build: func(b *snaptest.Builder) { newborn(b, "1", withQuota("2", "1")) }},
	{code: "quota-exceeded", name: "foreseen: no event although the controller had time", near: true, build: func(b *snaptest.Builder) {
		newborn(b, "2", withQuota("2", "1")).ReplicaSet.CreationTimestamp = snaptest.Ago(2 * time.Minute)
	}},
	{code: "quota-exceeded", name: "foreseen: events not read", confidence: cause.Certain, build: func(b *snaptest.Builder) {
		newborn(b, "2", withQuota("2", "1")).ReplicaSet.CreationTimestamp = snaptest.Ago(2 * time.Hour)
		b.Snap.Gaps = append(b.Snap.Gaps, snapshot.Gap{Resource: "events", Reason: snapshot.GapNotCaptured})
	}},
	{code: "quota-exceeded", name: "foreseen: LimitRanges not read, so requests may be filled in", near: true, build: func(b *snaptest.Builder) {
		newborn(b, "2", withQuota("2", "1"))
		b.Snap.Gaps = append(b.Snap.Gaps, snapshot.Gap{Resource: "limitranges", Reason: snapshot.GapForbidden})
	}},
	{code: "quota-exceeded", name: "foreseen: a LimitRange fills in more than is left", build: func(b *snaptest.Builder) {
		newborn(b, "", withQuota("2", "1"))
		defaultRequest(b, "1500m")
	}},
	{code: "quota-exceeded", name: "foreseen: a LimitRange fills in just what is left", near: true, build: func(b *snaptest.Builder) {
		newborn(b, "", withQuota("2", "1"))
		defaultRequest(b, "1")
	}},
	{code: "quota-exceeded", name: "foreseen: the quota is for another priority", near: true, build: func(b *snaptest.Builder) {
		newborn(b, "2", withQuota("2", "1", ofScope(corev1.ResourceQuotaScopePriorityClass, "high")))
	}},
	{code: "quota-exceeded", name: "foreseen: the quota is for this priority", build: func(b *snaptest.Builder) {
		newborn(b, "2", withQuota("2", "1", ofScope(corev1.ResourceQuotaScopePriorityClass, "high")), func(s *corev1.PodSpec) { s.PriorityClassName = "high" })
	}},
	{code: "quota-exceeded", name: "foreseen: the quota is for pods that end", near: true, build: func(b *snaptest.Builder) {
		newborn(b, "2", withQuota("2", "1", func(q *corev1.ResourceQuota) {
			q.Spec.Scopes = []corev1.ResourceQuotaScope{corev1.ResourceQuotaScopeTerminating}
		}))
	}},
	{code: "quota-exceeded", name: "foreseen: the quota is for pods that run on", build: func(b *snaptest.Builder) {
		newborn(b, "2", withQuota("2", "1", func(q *corev1.ResourceQuota) {
			q.Spec.Scopes = []corev1.ResourceQuotaScope{corev1.ResourceQuotaScopeNotTerminating}
		}))
	}},
	{code: "quota-exceeded", name: "foreseen: the quota is for pods without requests", near: true, build: func(b *snaptest.Builder) {
		newborn(b, "2", withQuota("2", "1", func(q *corev1.ResourceQuota) {
			q.Spec.Scopes = []corev1.ResourceQuotaScope{corev1.ResourceQuotaScopeBestEffort}
		}))
	}},
	{code: "quota-exceeded", name: "foreseen: affinity into other namespaces is counted", build: func(b *snaptest.Builder) {
		newborn(b, "2", withQuota("2", "1", ofScope(corev1.ResourceQuotaScopeCrossNamespacePodAffinity)), func(s *corev1.PodSpec) {
			s.Affinity = &corev1.Affinity{PodAntiAffinity: &corev1.PodAntiAffinity{RequiredDuringSchedulingIgnoredDuringExecution: []corev1.PodAffinityTerm{{TopologyKey: "kubernetes.io/hostname", Namespaces: []string{"other"}}}}}
		})
	}},
	{code: "quota-blocks-surge", name: "foreseen: nobody has refused yet", confidence: cause.Certain, build: func(b *snaptest.Builder) {
		rolls(b, 3, withQuota("3", "3"))
	}},
	{code: "quota-blocks-surge", name: "foreseen: room for just one more", near: true, build: func(b *snaptest.Builder) {
		rolls(b, 3, withQuota("4", "3"))
	}},
	{code: "quota-blocks-surge", name: "foreseen: four pods, a quarter may be missing", near: true, build: func(b *snaptest.Builder) {
		rolls(b, 4, withQuota("4", "4"))
	}},
	{code: "quota-blocks-surge", name: "an ending pod is still charged", near: true, want: []string{"old-pod-grace", "quota-exceeded"}, build: func(b *snaptest.Builder) {
		rolls(b, 3, withQuota("4", "4"))
		p := b.BarePod("former", "x:v1", "n1", cpuRequest("1"))
		going(p.Ready(), 20*time.Second)
	}},
	{code: "surge-no-capacity", name: "the old pods hold the host port of every node", confidence: cause.Certain, build: func(b *snaptest.Builder) {
		heldBy(b, 2, hostPort, "2 node(s) didn't have free ports for the requested pod ports")
	}},
	{code: "surge-no-capacity", name: "a third node has the port free", near: true, want: []string{"host-port-conflict"}, build: func(b *snaptest.Builder) {
		heldBy(b, 3, hostPort, "2 node(s) didn't have free ports for the requested pod ports")
	}},
	{code: "surge-no-capacity", name: "an old pod on every node keeps its like away", confidence: cause.Certain, build: func(b *snaptest.Builder) {
		heldBy(b, 2, apart, "2 node(s) didn't match pod anti-affinity rules")
	}},
	{code: "surge-no-capacity", name: "a third node has none of its like", near: true, want: []string{"pod-anti-affinity"}, build: func(b *snaptest.Builder) {
		heldBy(b, 3, apart, "2 node(s) didn't match pod anti-affinity rules")
	}},
	{code: "surge-no-capacity", name: "a first new pod is starting and lets an old one go", near: true, build: func(b *snaptest.Builder) {
		w := heldBy(b, 2, hostPort, "2 node(s) didn't have free ports for the requested pod ports")
		w.Object.(*appsv1.Deployment).Spec.Strategy.RollingUpdate = rollingUpdate(intstr.FromInt32(2), intstr.FromInt32(0))
		b.Node("n9")
		w.Pod("n9").Running().Obj.CreationTimestamp = snaptest.Ago(5 * time.Second)
	}},
	{code: "liveness-kill", name: "doomed: former pods needed longer than it allows", confidence: cause.Likely, build: func(b *snaptest.Builder) { slowStarter(b, 100*time.Second, 6, appImage) }},
	{code: "liveness-kill", name: "doomed: the same image", confidence: cause.Certain, build: func(b *snaptest.Builder) {
		slowStarter(b, 100*time.Second, 6, "registry.example.com/shop/web:v1")
	}},
	// 6 failures at 10 s and a timeout of 1 s: killed by 61 s at the latest; a
	// period of 10 s is the slack of what is known.
	{code: "liveness-kill", name: "doomed: one second too little", confidence: cause.Likely, build: func(b *snaptest.Builder) { slowStarter(b, 72*time.Second, 6, appImage) }},
	{code: "liveness-kill", name: "just enough", near: true, build: func(b *snaptest.Builder) { slowStarter(b, 71*time.Second, 6, appImage) }},
	{code: "liveness-kill", name: "another request says nothing of this one", near: true, build: func(b *snaptest.Builder) {
		s := slowStarter(b, 100*time.Second, 6, appImage)
		for _, p := range b.Snap.Objects.Pods {
			if p.Name != s.Obj.Name {
				p.Spec.Containers[0].ReadinessProbe.HTTPGet.Path = "/ready"
			}
		}
	}},
	{code: "liveness-kill", name: "one former pod alone may have been Ready before", near: true, build: func(b *snaptest.Builder) {
		slowStarter(b, 100*time.Second, 6, appImage)
		b.Snap.Objects.Pods = append(b.Snap.Objects.Pods[:1], b.Snap.Objects.Pods[2:]...)
	}},
}

func cpuRequest(cpu string) func(*corev1.PodSpec) {
	return func(s *corev1.PodSpec) {
		s.Containers[0].Resources.Requests = corev1.ResourceList{"cpu": resource.MustParse(cpu)}
	}
}

// quota adds the quota "small" over CPU requests.
func withQuota(hard, used string, change ...func(*corev1.ResourceQuota)) func(*snaptest.Builder) {
	return func(b *snaptest.Builder) {
		h, u := corev1.ResourceList{"requests.cpu": resource.MustParse(hard)}, corev1.ResourceList{"requests.cpu": resource.MustParse(used)}
		q := &corev1.ResourceQuota{ObjectMeta: metav1.ObjectMeta{Namespace: snaptest.Namespace, Name: "small"}, Spec: corev1.ResourceQuotaSpec{Hard: h}, Status: corev1.ResourceQuotaStatus{Hard: h, Used: u}}
		for _, f := range change {
			f(q)
		}
		b.Snap.Objects.ResourceQuotas = append(b.Snap.Objects.ResourceQuotas, q)
	}
}

func ofScope(name corev1.ResourceQuotaScope, values ...string) func(*corev1.ResourceQuota) {
	return func(q *corev1.ResourceQuota) {
		r := corev1.ScopedResourceSelectorRequirement{ScopeName: name, Operator: corev1.ScopeSelectorOpExists}
		if len(values) > 0 {
			r.Operator, r.Values = corev1.ScopeSelectorOpIn, values
		}
		q.Spec.ScopeSelector = &corev1.ScopeSelector{MatchExpressions: []corev1.ScopedResourceSelectorRequirement{r}}
	}
}

func defaultRequest(b *snaptest.Builder, request string) {
	b.Snap.Objects.LimitRanges = append(b.Snap.Objects.LimitRanges, &corev1.LimitRange{ObjectMeta: metav1.ObjectMeta{Namespace: snaptest.Namespace, Name: "defaults"},
		Spec: corev1.LimitRangeSpec{Limits: []corev1.LimitRangeItem{{Type: corev1.LimitTypeContainer, DefaultRequest: corev1.ResourceList{"cpu": resource.MustParse(request)}}}}})
}

// newborn is a Deployment of one pod whose ReplicaSet is seconds old.
func newborn(b *snaptest.Builder, cpu string, more func(*snaptest.Builder), change ...func(*corev1.PodSpec)) *snaptest.Set {
	if cpu != "" {
		change = append(change, cpuRequest(cpu))
	}
	s := web(b, change...)
	s.ReplicaSet.CreationTimestamp = snaptest.Ago(2 * time.Second)
	s.ReplicaSet.Status.Replicas, s.Deployment.Status.Replicas, s.Deployment.Status.UpdatedReplicas = 0, 0, 0
	more(b)
	return s
}

// rolls is an update of n pods of one CPU each that began seconds ago.
func rolls(b *snaptest.Builder, n int32, more func(*snaptest.Builder)) *snaptest.Workload {
	b.Node("n1")
	w := b.Workload("Deployment", "web", appImage, n, cpuRequest("1"))
	for _, rs := range b.Snap.Objects.ReplicaSets {
		rs.CreationTimestamp = snaptest.Ago(2 * time.Second)
	}
	for range n {
		w.Old("n1", "registry.example.com/shop/web:v1")
	}
	w.Object.(*appsv1.Deployment).Status.Conditions = nil
	more(b)
	return w
}

// slowStarter is an update whose former pods took that long to answer GET
// /healthz, and whose new pod has a liveness probe for the same request. It
// returns the new pod.
func slowStarter(b *snaptest.Builder, took time.Duration, failures int32, image string) *snaptest.Pod {
	b.Node("n1")
	ask := corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Path: "/healthz", Port: intstr.FromInt32(8080)}}
	w := b.Workload("Deployment", "web", image, 2, func(s *corev1.PodSpec) {
		s.Containers[0].ReadinessProbe = &corev1.Probe{ProbeHandler: *ask.DeepCopy(), PeriodSeconds: 10}
	})
	for range 2 {
		p := w.Old("n1", "registry.example.com/shop/web:v1")
		p.Status("app").State.Running.StartedAt = snaptest.Ago(time.Hour)
		for i := range p.Obj.Status.Conditions {
			p.Obj.Status.Conditions[i].LastTransitionTime = snaptest.Ago(time.Hour - took)
		}
	}
	p := w.Pod("n1").Running()
	p.Obj.Spec.Containers[0].LivenessProbe = &corev1.Probe{ProbeHandler: *ask.DeepCopy(), PeriodSeconds: 10, FailureThreshold: failures}
	p.Status("app").State.Running.StartedAt = snaptest.Ago(5 * time.Second)
	return p
}

func hostPort(s *corev1.PodSpec) {
	s.Containers[0].Ports = []corev1.ContainerPort{{ContainerPort: 8080, HostPort: 8080}}
}

func apart(s *corev1.PodSpec) {
	s.Affinity = &corev1.Affinity{PodAntiAffinity: &corev1.PodAntiAffinity{RequiredDuringSchedulingIgnoredDuringExecution: []corev1.PodAffinityTerm{{
		TopologyKey: "kubernetes.io/hostname", LabelSelector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": "web"}}}}}}
}

// heldBy is an update of two pods, one on each of the first two of n nodes, whose
// extra pod the scheduler has just turned down.
func heldBy(b *snaptest.Builder, n int, change func(*corev1.PodSpec), reason string) *snaptest.Workload {
	for i := range n {
		b.Node(fmt.Sprintf("n%d", i+1))
	}
	w := b.Workload("Deployment", "web", appImage, 2, change)
	for i := range 2 {
		w.Old(fmt.Sprintf("n%d", i+1), "registry.example.com/shop/web:v1")
	}
	w.Object.(*appsv1.Deployment).Status.Conditions = nil
	w.Pod("").Unschedulable(fmt.Sprintf("0/2 nodes are available: %s. preemption: 0/2 nodes are available: 2 No preemption victims found for incoming pod.", reason))
	return w
}
