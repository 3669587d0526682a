package cause_test

import (
	"fmt"
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/unjam-dev/unjam/internal/cause"
	"github.com/unjam-dev/unjam/internal/snapshot/snaptest"
)

// crowded is a rollout of n replicas on one node that the old pods fill.
func crowded(b *snaptest.Builder, n int, strategy *appsv1.DeploymentStrategy) {
	b.Node("n1")
	cpu := fmt.Sprintf("%dm", 4000/n)
	s := b.Deployment("web", "registry.example.com/shop/web:v2", int32(n), asking("cpu", cpu))
	s.Old("registry.example.com/shop/web:v1", "n1", n)
	if strategy != nil {
		s.Deployment.Spec.Strategy = *strategy
	}
	s.Pod("").Unschedulable("0/1 nodes are available: 1 Insufficient cpu. preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.")
}

// deadline is a Deployment past its progress deadline with one pod that is
// only running.
func deadline(b *snaptest.Builder) *snaptest.Set {
	b.Node("n1")
	s := b.Deployment("web", "registry.example.com/shop/web:v1", 1)
	s.Deployment.CreationTimestamp = snaptest.Ago(time.Hour)
	s.Pod("n1").Running()
	c := &s.Deployment.Status.Conditions[1]
	c.Status, c.Reason, c.Message = corev1.ConditionFalse, "ProgressDeadlineExceeded", `ReplicaSet "web-hash1" has timed out progressing.`
	return s
}

// set is a StatefulSet of n pods, those from number "from" on at the new
// revision; all are Ready.
func set(b *snaptest.Builder, n, from int) (*appsv1.StatefulSet, []*snaptest.Pod) {
	b.Node("n1")
	s := b.StatefulSet("db", "registry.example.com/shop/db:v2", int32(n))
	s.Status.UpdateRevision, s.Status.CurrentRevision = "db-rev2", "db-rev1"
	s.Status.Replicas, s.Status.UpdatedReplicas = int32(n), int32(n-from)
	s.Status.ReadyReplicas, s.Status.AvailableReplicas = int32(n), int32(n)
	var pods []*snaptest.Pod
	for i := range n {
		p := b.PodOf("StatefulSet", "db", s, fmt.Sprintf("db-%d", i), s.Spec.Template.Spec, "n1").Ready()
		if i >= from {
			p.Obj.Labels["controller-revision-hash"] = "db-rev2"
		}
		pods = append(pods, p)
	}
	return s, pods
}

func partitioned(at int32) appsv1.StatefulSetUpdateStrategy {
	return appsv1.StatefulSetUpdateStrategy{Type: appsv1.RollingUpdateStatefulSetStrategyType, RollingUpdate: &appsv1.RollingUpdateStatefulSetStrategy{Partition: &at}}
}

// daemons is a DaemonSet with one Ready pod per node, the first at the new
// revision, the others at the old one.
func daemons(b *snaptest.Builder, nodes ...string) (*appsv1.DaemonSet, []*snaptest.Pod) {
	d := b.DaemonSet("agent", "registry.example.com/agent:v2", int32(len(nodes)))
	d.Status.UpdatedNumberScheduled, d.Status.NumberReady, d.Status.NumberAvailable = 1, int32(len(nodes)), int32(len(nodes))
	yes := true
	b.Snap.Objects.ControllerRevisions = append(b.Snap.Objects.ControllerRevisions, &appsv1.ControllerRevision{Revision: 2, ObjectMeta: metav1.ObjectMeta{
		Namespace: snaptest.Namespace, Name: "agent-rev2", Labels: map[string]string{"controller-revision-hash": "agent-rev2"}, CreationTimestamp: snaptest.Ago(5 * time.Minute),
		OwnerReferences: []metav1.OwnerReference{{Kind: "DaemonSet", Name: "agent", UID: d.UID, Controller: &yes}}}})
	var pods []*snaptest.Pod
	for i, n := range nodes {
		p := b.PodOf("DaemonSet", "agent", d, "agent-"+n, d.Spec.Template.Spec, n).Ready()
		if i == 0 {
			p.Obj.Labels["controller-revision-hash"] = "agent-rev2"
		}
		pods = append(pods, p)
	}
	return d, pods
}

func down(n *corev1.Node) {
	n.Status.Conditions[0] = readyCondition(corev1.ConditionUnknown, 10*time.Minute)
	n.Status.Conditions[0].Reason, n.Status.Conditions[0].Message = "NodeStatusUnknown", "Kubelet stopped posting node status."
}

// jobEnded ends a Job with a reason.
func jobEnded(j *batchv1.Job, reason, message string) {
	j.Status.Active, j.Status.Failed = 0, 1
	j.Status.Conditions = append(j.Status.Conditions, batchv1.JobCondition{Type: batchv1.JobFailed, Status: corev1.ConditionTrue, Reason: reason, Message: message, LastTransitionTime: snaptest.Ago(time.Minute)})
}

// twoContainers is a Job pod whose first container is done and whose second,
// of the given name, still runs.
func twoContainers(b *snaptest.Builder, second string, doneAgo time.Duration) {
	b.Node("n1")
	j := b.Job("import", "registry.example.com/shop/import:v1", func(s *corev1.PodSpec) {
		s.Containers = append(s.Containers, corev1.Container{Name: second, Image: "registry.example.com/beside:v1"})
	})
	p := b.PodOf("Job", "import", j, "import-1", j.Spec.Template.Spec, "n1").Running()
	p.Status("app").State = corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{Reason: "Completed", StartedAt: snaptest.Ago(4 * time.Minute), FinishedAt: snaptest.Ago(doneAgo)}}
	yes := true
	p.Status(second).State, p.Status(second).Started, p.Status(second).Ready = corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: snaptest.Ago(4 * time.Minute)}}, &yes, true
}

// argo is an Argo Rollout of one replica with the given status and steps.
func argo(b *snaptest.Builder, status map[string]any) *unstructured.Unstructured {
	u := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout",
		"metadata": map[string]any{"namespace": snaptest.Namespace, "name": "web", "uid": "rollout-uid"},
		"spec": map[string]any{"replicas": int64(1), "strategy": map[string]any{"canary": map[string]any{"steps": []any{
			map[string]any{"setWeight": int64(20)}, map[string]any{"pause": map[string]any{}}}}}},
		"status": status}}
	b.Snap.Objects.Others = append(b.Snap.Objects.Others, u)
	return u
}

func argoStatus(typ, status, reason, message string) map[string]any {
	return map[string]any{"conditions": []any{map[string]any{"type": typ, "status": status, "reason": reason, "message": message, "lastUpdateTime": "2026-01-02T10:05:00Z", "lastTransitionTime": "2026-01-02T10:05:00Z"}}}
}

// bluegreen is a Rollout that keeps its old ReplicaSet until the given time
// while its new pod finds no node.
func bluegreen(b *snaptest.Builder, until string) {
	b.Node("n1")
	s := b.Deployment("web", "registry.example.com/shop/web:v2", 1, asking("cpu", "4"))
	s.Old("registry.example.com/shop/web:v1", "n1", 1)
	s.Pod("").Unschedulable("0/1 nodes are available: 1 Insufficient cpu. preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.")
	b.Snap.Objects.Deployments = nil
	argo(b, map[string]any{"currentPodHash": "new", "replicas": int64(2), "updatedReplicas": int64(1)})
	for i, rs := range b.Snap.Objects.ReplicaSets {
		rs.OwnerReferences[0].Kind, rs.OwnerReferences[0].UID = "Rollout", "rollout-uid"
		rs.Labels = map[string]string{"rollouts-pod-template-hash": []string{"new", "old"}[i]}
		rs.Annotations["argo-rollouts.argoproj.io/scale-down-deadline"] = []string{"", until}[i]
	}
}

func lease(b *snaptest.Builder, age time.Duration) {
	at := metav1.NewMicroTime(snaptest.Ago(age).Time)
	b.Snap.Objects.Leases = append(b.Snap.Objects.Leases, &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Namespace: "kube-system", Name: "kube-controller-manager"}, Spec: coordinationv1.LeaseSpec{RenewTime: &at}})
}

// unseenChange is a Deployment whose first generation no controller has seen.
func unseenChange(b *snaptest.Builder, lag time.Duration) {
	s := b.Deployment("web", "registry.example.com/shop/web:v1", 1)
	s.Deployment.CreationTimestamp = snaptest.Ago(lag)
	s.Deployment.Status = appsv1.DeploymentStatus{}
	b.Snap.Objects.ReplicaSets = nil
}

// budgeted adds disruption budgets over "web", whose only pod is not Ready on
// a node being drained.
func budgeted(b *snaptest.Builder, cordoned bool, names ...string) []*policyv1.PodDisruptionBudget {
	b.Node("n1", func(n *corev1.Node) { n.Spec.Unschedulable = cordoned })
	b.Deployment("web", "registry.example.com/shop/web:v1", 1).Pod("n1").Running()
	for _, name := range names {
		b.Snap.Objects.PDBs = append(b.Snap.Objects.PDBs, &policyv1.PodDisruptionBudget{ObjectMeta: metav1.ObjectMeta{Namespace: snaptest.Namespace, Name: name},
			Spec:   policyv1.PodDisruptionBudgetSpec{Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": "web"}}},
			Status: policyv1.PodDisruptionBudgetStatus{ExpectedPods: 1, DesiredHealthy: 1}})
	}
	return b.Snap.Objects.PDBs
}

// moving is a rollout of four whose newest pod got Ready so long ago.
func moving(b *snaptest.Builder, ago time.Duration) {
	b.Node("n1")
	s := b.Deployment("web", "registry.example.com/shop/web:v1", 4)
	p := s.Pod("n1").Ready()
	p.Obj.CreationTimestamp = snaptest.Ago(ago + 40*time.Second)
	for i := range p.Obj.Status.Conditions {
		p.Obj.Status.Conditions[i].LastTransitionTime = snaptest.Ago(ago)
	}
	s.Pod("n1").Running()
}

var rolloutCases = slices.Concat(deploymentCases, setCases, jobCases, argoCases)

var deploymentCases = []testCase{
	{code: "surge-no-capacity", name: "the old pod fills the node", confidence: cause.Certain, build: func(b *snaptest.Builder) { crowded(b, 1, nil) }},
	{code: "surge-no-capacity", name: "three pods, a quarter rounds to none", build: func(b *snaptest.Builder) { crowded(b, 3, nil) }},
	{code: "surge-no-capacity", name: "one may be unavailable", near: true, want: []string{"insufficient-cpu"}, build: func(b *snaptest.Builder) {
		s := rolling(1, 1)
		crowded(b, 1, &s)
	}},
	{code: "replicaset-create-error", name: "quota on objects", confidence: cause.Certain, build: func(b *snaptest.Builder) {
		s := b.Deployment("web", "registry.example.com/shop/web:v1", 1)
		b.Snap.Objects.ReplicaSets = nil
		s.Deployment.Status.Replicas, s.Deployment.Status.UpdatedReplicas = 0, 0
		c := &s.Deployment.Status.Conditions[1]
		c.Status, c.Reason, c.Message = corev1.ConditionFalse, "ReplicaSetCreateError", `Failed to create new replica set "web-1": replicasets.apps "web-1" is forbidden: exceeded quota: objects, requested: count/replicasets.apps=1, used: count/replicasets.apps=5, limited: count/replicasets.apps=5`
	}},
	{code: "replicaset-create-error", name: "the pods are refused", near: true, want: []string{"serviceaccount-missing"}, build: refused(noAccount)},
	{code: "selector-selecting-all", name: "empty selector", confidence: cause.Certain, build: func(b *snaptest.Builder) {
		s := b.Deployment("web", "registry.example.com/shop/web:v1", 1)
		b.Event("Deployment", snaptest.Namespace, "web", s.Deployment.UID, "Warning", "SelectingAll", "This deployment is selecting all pods. A non-empty selector is required.", time.Minute, time.Minute, 1)
	}},
	{code: "selector-selecting-all", name: "healthy", near: true, build: func(b *snaptest.Builder) {
		b.Node("n1")
		b.Deployment("web", "registry.example.com/shop/web:v1", 1).Healthy().Pod("n1").Ready()
	}},
	{code: "controller-manager-lag", name: "stale lease", confidence: cause.Certain, build: func(b *snaptest.Builder) {
		unseenChange(b, 2*time.Minute)
		lease(b, 3*time.Minute)
	}},
	{code: "controller-manager-lag", name: "fresh lease, long lag", build: func(b *snaptest.Builder) {
		unseenChange(b, 2*time.Minute)
		lease(b, 2*time.Second)
	}},
	{code: "controller-manager-lag", name: "lease not seen", confidence: cause.Possible, build: func(b *snaptest.Builder) { unseenChange(b, 2*time.Minute) }},
	{code: "controller-manager-lag", name: "a change made just now", near: true, build: func(b *snaptest.Builder) {
		unseenChange(b, 5*time.Second)
		lease(b, 2*time.Second)
	}},
	{code: "progress-deadline-exceeded", name: "nothing else is known", build: func(b *snaptest.Builder) { deadline(b) }},
	{code: "progress-deadline-exceeded", name: "still in time", near: true, build: func(b *snaptest.Builder) {
		b.Node("n1")
		b.Deployment("web", "registry.example.com/shop/web:v1", 1).Pod("n1").Running()
	}},
	{code: "deadline-stale-after-undo", name: "former revision scaled up just now", build: func(b *snaptest.Builder) {
		s := deadline(b)
		s.Deployment.Generation, s.Deployment.Status.ObservedGeneration = 3, 3
		s.ReplicaSet.CreationTimestamp = snaptest.Ago(time.Hour)
		scales(b, s, "Scaled up replica set web-hash1 from 0 to 1", 5*time.Second, 1)
	}},
	{code: "deadline-stale-after-undo", name: "no undo", near: true, build: func(b *snaptest.Builder) { deadline(b) }},
	{code: "no-progress-deadline", name: "switched off", build: func(b *snaptest.Builder) {
		s := b.Deployment("web", "registry.example.com/shop/web:v1", 1)
		s.Deployment.CreationTimestamp, s.ReplicaSet.CreationTimestamp = snaptest.Ago(time.Hour), snaptest.Ago(time.Hour)
		never := int32(2147483647)
		s.Deployment.Spec.ProgressDeadlineSeconds = &never
	}},
	{code: "no-progress-deadline", name: "the default", near: true, build: func(b *snaptest.Builder) { deadline(b) }},
	{code: "min-replicas-unavailable", name: "it served before", build: func(b *snaptest.Builder) {
		s := deadline(b)
		s.Deployment.Status.Conditions[1].Status = corev1.ConditionTrue
	}},
	{code: "min-replicas-unavailable", name: "it never served", near: true, build: func(b *snaptest.Builder) {
		b.Node("n1")
		b.Deployment("web", "registry.example.com/shop/web:v1", 1).Pod("n1").Running()
	}},
	{code: "complete-but-degraded", name: "a pod was lost later", build: func(b *snaptest.Builder) {
		b.Node("n1")
		s := b.Deployment("web", "registry.example.com/shop/web:v1", 2).Healthy()
		s.Pod("n1").Ready()
		s.Pod("n1").Running()
		s.Deployment.Status.AvailableReplicas, s.Deployment.Status.ReadyReplicas = 1, 1
	}},
	{code: "complete-but-degraded", name: "healthy", near: true, build: func(b *snaptest.Builder) {
		b.Node("n1")
		b.Deployment("web", "registry.example.com/shop/web:v1", 1).Healthy().Pod("n1").Ready()
	}},
	{code: "rollout-old-rs-unhealthy", name: "old and new are sick", build: func(b *snaptest.Builder) {
		b.Node("n1")
		s := b.Deployment("web", "registry.example.com/shop/web:v2", 2)
		s.Old("registry.example.com/shop/web:v1", "n1", 2)[0].Condition(corev1.PodReady, corev1.ConditionFalse, "ContainersNotReady", "")
		one := int32(1)
		s.ReplicaSet.Spec.Replicas = &one
		s.Pod("n1").Running()
	}},
	{code: "rollout-old-rs-unhealthy", name: "only the new one is", near: true, build: func(b *snaptest.Builder) {
		b.Node("n1")
		s := b.Deployment("web", "registry.example.com/shop/web:v2", 2)
		s.Old("registry.example.com/shop/web:v1", "n1", 2)
		s.Pod("n1").Running()
	}},
	{code: "slow-but-progressing", name: "a pod got Ready just now", build: func(b *snaptest.Builder) { moving(b, 10*time.Second) }},
	{code: "slow-but-progressing", name: "no pod for minutes", near: true, build: func(b *snaptest.Builder) { moving(b, 4*time.Minute) }},
	{code: "recreate-waits-old-pods", name: "old pod in its grace period", build: func(b *snaptest.Builder) {
		b.Node("n1")
		s := b.Deployment("web", "registry.example.com/shop/web:v2", 1)
		p := s.Old("registry.example.com/shop/web:v1", "n1", 1)[0]
		end := snaptest.Ago(-20 * time.Second)
		p.Obj.DeletionTimestamp = &end
		s.Deployment.Spec.Strategy.Type = appsv1.RecreateDeploymentStrategyType
	}},
	{code: "recreate-waits-old-pods", name: "the controller made no new ReplicaSet yet", build: func(b *snaptest.Builder) {
		b.Node("n1")
		s := b.Deployment("web", "registry.example.com/shop/web:v1", 1)
		s.ReplicaSet.Spec.Replicas = new(int32)
		p := s.Pod("n1").Ready()
		end := snaptest.Ago(-20 * time.Second)
		p.Obj.DeletionTimestamp = &end
		s.Deployment.Spec.Strategy.Type = appsv1.RecreateDeploymentStrategyType
		s.Deployment.Spec.Template.Spec.Containers[0].Image = "registry.example.com/shop/web:v2"
		s.Deployment.Status.UpdatedReplicas = 0
	}},
	{code: "recreate-waits-old-pods", name: "new pods are there", near: true, build: func(b *snaptest.Builder) {
		b.Node("n1")
		s := b.Deployment("web", "registry.example.com/shop/web:v2", 1)
		s.Deployment.Spec.Strategy.Type = appsv1.RecreateDeploymentStrategyType
		s.Pod("n1").Running()
	}},
	{code: "hpa-cannot-compute", name: "no metrics", build: func(b *snaptest.Builder) { scaledBlind(b, corev1.ConditionFalse, "FailedGetResourceMetric") }},
	{code: "hpa-cannot-compute", name: "resting at zero", near: true, build: func(b *snaptest.Builder) { scaledBlind(b, corev1.ConditionFalse, "ScalingDisabled") }},
	{code: "pdb-blocks-eviction", name: "drain of a node with a sick pod", build: func(b *snaptest.Builder) { budgeted(b, true, "web") }},
	{code: "pdb-blocks-eviction", name: "nobody drains", near: true, build: func(b *snaptest.Builder) { budgeted(b, false, "web") }},
	{code: "pdb-multiple", name: "two budgets", build: func(b *snaptest.Builder) { budgeted(b, true, "web", "web-too") }},
	{code: "pdb-multiple", name: "one budget", near: true, build: func(b *snaptest.Builder) { budgeted(b, true, "web") }},
	{code: "pdb-sync-failed", name: "no owner with a size", build: func(b *snaptest.Builder) {
		budgeted(b, false, "web")[0].Status.Conditions = []metav1.Condition{{Type: policyv1.DisruptionAllowedCondition, Status: metav1.ConditionFalse, Reason: policyv1.SyncFailedReason, Message: `found no controllers for pod "web-1"`}}
	}},
	{code: "pdb-sync-failed", name: "too few healthy pods", near: true, build: func(b *snaptest.Builder) {
		budgeted(b, false, "web")[0].Status.Conditions = []metav1.Condition{{Type: policyv1.DisruptionAllowedCondition, Status: metav1.ConditionFalse, Reason: policyv1.InsufficientPodsReason}}
	}},
}

var setCases = []testCase{
	{code: "statefulset-partition", name: "upper part done", confidence: cause.Certain, build: func(b *snaptest.Builder) {
		s, _ := set(b, 3, 2)
		s.Spec.UpdateStrategy = partitioned(2)
	}},
	{code: "statefulset-partition", name: "above every pod", build: func(b *snaptest.Builder) {
		s, _ := set(b, 2, 2)
		s.Spec.UpdateStrategy = partitioned(5)
	}},
	{code: "statefulset-partition", name: "upper part still rolls", near: true, build: func(b *snaptest.Builder) {
		s, _ := set(b, 3, 2)
		s.Spec.UpdateStrategy = partitioned(1)
	}},
	{code: "statefulset-partition", name: "complete", near: true, build: func(b *snaptest.Builder) {
		s, _ := set(b, 2, 0)
		s.Spec.UpdateStrategy = partitioned(1)
	}},
	{code: "statefulset-ondelete", name: "old pods run on", confidence: cause.Certain, build: func(b *snaptest.Builder) {
		s, _ := set(b, 2, 1)
		s.Spec.UpdateStrategy.Type = appsv1.OnDeleteStatefulSetStrategyType
	}},
	{code: "statefulset-ondelete", name: "all pods are new", near: true, build: func(b *snaptest.Builder) {
		s, _ := set(b, 2, 0)
		s.Spec.UpdateStrategy.Type = appsv1.OnDeleteStatefulSetStrategyType
	}},
	{code: "statefulset-broken-revision", name: "the old pod cannot pull", confidence: cause.Certain, want: []string{"statefulset-broken-revision", "tag-not-found"}, build: func(b *snaptest.Builder) {
		_, pods := set(b, 1, 1)
		unready(pods[0]).PullFails(`rpc error: code = NotFound desc = failed to pull and unpack image "registry.example.com/shop/db:v2": failed to resolve image: registry.example.com/shop/db:v2: not found`)
	}},
	{code: "statefulset-broken-revision", name: "the old pod may still get Ready", confidence: cause.Likely, build: func(b *snaptest.Builder) {
		_, pods := set(b, 1, 1)
		unready(pods[0])
	}},
	{code: "statefulset-broken-revision", name: "the blocking pod has the wanted revision", near: true, build: func(b *snaptest.Builder) {
		_, pods := set(b, 2, 1)
		unready(pods[1])
	}},
	{code: "statefulset-broken-revision", name: "pods in parallel", near: true, build: func(b *snaptest.Builder) {
		s, pods := set(b, 1, 1)
		s.Spec.PodManagementPolicy = appsv1.ParallelPodManagement
		unready(pods[0])
	}},
	{code: "statefulset-ordered-wait", name: "the first of three", build: func(b *snaptest.Builder) {
		s, pods := set(b, 1, 0)
		three := int32(3)
		s.Spec.Replicas = &three
		unready(pods[0])
	}},
	{code: "statefulset-ordered-wait", name: "pods in parallel", near: true, build: func(b *snaptest.Builder) {
		s, pods := set(b, 1, 0)
		three := int32(3)
		s.Spec.Replicas, s.Spec.PodManagementPolicy = &three, appsv1.ParallelPodManagement
		unready(pods[0])
	}},
	{code: "statefulset-maxunavailable", name: "none to spare", build: func(b *snaptest.Builder) {
		s, pods := set(b, 3, 2)
		one := intstr.FromInt32(1)
		s.Spec.UpdateStrategy.RollingUpdate = &appsv1.RollingUpdateStatefulSetStrategy{MaxUnavailable: &one}
		unready(pods[2])
	}},
	{code: "statefulset-maxunavailable", name: "one more to spare", near: true, build: func(b *snaptest.Builder) {
		s, pods := set(b, 3, 2)
		two := intstr.FromInt32(2)
		s.Spec.UpdateStrategy.RollingUpdate = &appsv1.RollingUpdateStatefulSetStrategy{MaxUnavailable: &two}
		unready(pods[2])
	}},
	{code: "statefulset-recreate-strategy", name: "gate off", confidence: cause.Certain, build: func(b *snaptest.Builder) {
		s, _ := set(b, 1, 1)
		s.Spec.UpdateStrategy.Type = "Recreate"
		b.Event("StatefulSet", snaptest.Namespace, "db", s.UID, "Warning", "UnknownStrategy", "StatefulSet shop/db uses Recreate strategy but feature gate StatefulSetRecreateStrategy is disabled", time.Minute, time.Second, 3)
	}},
	{code: "statefulset-recreate-strategy", name: "RollingUpdate", near: true, build: func(b *snaptest.Builder) { set(b, 1, 1) }},
	{code: "daemonset-ondelete", name: "old pods run on", confidence: cause.Certain, build: func(b *snaptest.Builder) {
		b.Node("n1")
		b.Node("n2")
		d, _ := daemons(b, "n1", "n2")
		d.Spec.UpdateStrategy.Type = appsv1.OnDeleteDaemonSetStrategyType
	}},
	{code: "daemonset-ondelete", name: "all pods are new", near: true, build: func(b *snaptest.Builder) {
		b.Node("n1")
		d, _ := daemons(b, "n1")
		d.Spec.UpdateStrategy.Type = appsv1.OnDeleteDaemonSetStrategyType
	}},
	{code: "daemonset-excluded-nodes", name: "no node has the label", confidence: cause.Certain, build: func(b *snaptest.Builder) {
		b.Node("n1")
		b.DaemonSet("agent", "registry.example.com/agent:v1", 0, nodeSelector("pool", "gpu"))
	}},
	{code: "daemonset-excluded-nodes", name: "some node qualifies", near: true, build: func(b *snaptest.Builder) {
		b.Node("n1")
		b.DaemonSet("agent", "registry.example.com/agent:v1", 0)
	}},
	{code: "daemonset-dead-node-budget", name: "one node down stops all", want: []string{"daemonset-dead-node-budget", "node-notready-unknown"}, confidence: cause.Certain, build: func(b *snaptest.Builder) { deadNode(b, true) }},
	{code: "daemonset-dead-node-budget", name: "the node is back", near: true, build: func(b *snaptest.Builder) { deadNode(b, false) }},
	{code: "daemonset-failed-pod-loop", name: "five times on one node", build: func(b *snaptest.Builder) { failingDaemon(b, 5) }},
	{code: "daemonset-failed-pod-loop", name: "once", near: true, build: func(b *snaptest.Builder) { failingDaemon(b, 1) }},
}

var jobCases = []testCase{
	{code: "job-failed", name: "its deadline", confidence: cause.Certain, build: func(b *snaptest.Builder) {
		jobEnded(b.Job("import", "registry.example.com/shop/import:v1"), "DeadlineExceeded", "Job was active longer than specified deadline")
	}},
	{code: "job-failed", name: "a pod shows why", want: []string{"crashloop-app-error", "job-failed"}, build: func(b *snaptest.Builder) {
		j := b.Job("import", "registry.example.com/shop/import:v1")
		failedJobPod(b, j)
		jobEnded(j, "BackoffLimitExceeded", "Job has reached the specified backoff limit")
	}},
	{code: "job-failed", name: "complete", near: true, build: func(b *snaptest.Builder) {
		j := b.Job("import", "registry.example.com/shop/import:v1")
		j.Status.Active, j.Status.Succeeded = 0, 1
		j.Status.Conditions = append(j.Status.Conditions, batchv1.JobCondition{Type: batchv1.JobComplete, Status: corev1.ConditionTrue})
	}},
	{code: "job-backoff", name: "between two tries", want: []string{"crashloop-app-error", "job-backoff"}, build: func(b *snaptest.Builder) {
		j := b.Job("import", "registry.example.com/shop/import:v1")
		failedJobPod(b, j)
		j.Status.Active, j.Status.Failed = 0, 1
	}},
	{code: "job-backoff", name: "not yet made", near: true, build: func(b *snaptest.Builder) {
		b.Job("import", "registry.example.com/shop/import:v1").Status.Active = 0
	}},
	{code: "job-waits-terminating", name: "the old pod ends first", want: []string{"job-waits-terminating"}, build: func(b *snaptest.Builder) { replacing(b, batchv1.Failed) }},
	{code: "job-waits-terminating", name: "replaced at once", near: true, want: []string{"old-pod-grace"}, build: func(b *snaptest.Builder) { replacing(b, batchv1.TerminatingOrFailed) }},
	{code: "job-sidecar-blocks-completion", name: "a known proxy", confidence: cause.Certain, build: func(b *snaptest.Builder) { twoContainers(b, "istio-proxy", 2*time.Minute) }},
	{code: "job-sidecar-blocks-completion", name: "a container nobody knows", confidence: cause.Likely, build: func(b *snaptest.Builder) { twoContainers(b, "uploader", 2*time.Minute) }},
	{code: "job-sidecar-blocks-completion", name: "done a moment ago", near: true, build: func(b *snaptest.Builder) { twoContainers(b, "istio-proxy", 5*time.Second) }},
}

var argoCases = []testCase{
	{code: "argo-rollout-paused", name: "canary step", confidence: cause.Certain, build: func(b *snaptest.Builder) {
		argo(b, map[string]any{"currentStepIndex": int64(1), "pauseConditions": []any{map[string]any{"reason": "CanaryPauseStep", "startTime": "2026-01-02T10:05:00Z"}}})
	}},
	{code: "argo-rollout-paused", name: "aborted", near: true, want: []string{"argo-rollout-aborted"}, build: func(b *snaptest.Builder) {
		argo(b, map[string]any{"abort": true, "pauseConditions": []any{map[string]any{"reason": "CanaryPauseStep"}}})
	}},
	{code: "argo-rollout-aborted", name: "an analysis failed", confidence: cause.Certain, build: func(b *snaptest.Builder) {
		s := argoStatus("Progressing", "False", "RolloutAborted", `Rollout aborted update to revision 2: Metric "success-rate" assessed Failed due to failed (3) > failureLimit (2)`)
		s["abort"] = true
		argo(b, s)
	}},
	{code: "argo-rollout-aborted", name: "under way", near: true, build: func(b *snaptest.Builder) {
		argo(b, argoStatus("Progressing", "True", "ReplicaSetUpdated", ""))
	}},
	{code: "argo-invalid-spec", name: "service used twice", confidence: cause.Certain, build: func(b *snaptest.Builder) {
		argo(b, argoStatus("InvalidSpec", "True", "InvalidSpec", `Service "web" is managed by another Rollout`))
	}},
	{code: "argo-invalid-spec", name: "under way", near: true, build: func(b *snaptest.Builder) {
		argo(b, argoStatus("InvalidSpec", "False", "", ""))
	}},
	{code: "argo-traffic-unverified", name: "target group lags", build: func(b *snaptest.Builder) { verified(b, false) }},
	{code: "argo-traffic-unverified", name: "verified since", near: true, build: func(b *snaptest.Builder) { verified(b, true) }},
	{code: "argo-progress-deadline", name: "timed out", build: func(b *snaptest.Builder) {
		argo(b, argoStatus("Progressing", "False", "ProgressDeadlineExceeded", `ReplicaSet "web-1" has timed out progressing.`))
	}},
	{code: "argo-progress-deadline", name: "aborted", near: true, want: []string{"argo-rollout-aborted"}, build: func(b *snaptest.Builder) {
		argo(b, argoStatus("Progressing", "False", "RolloutAborted", "Rollout aborted update to revision 2"))
	}},
	{code: "argo-bluegreen-double", name: "the old colour holds the room", want: []string{"argo-bluegreen-double", "insufficient-cpu"}, build: func(b *snaptest.Builder) { bluegreen(b, "2026-01-02T10:20:00Z") }},
	{code: "argo-bluegreen-double", name: "its time is over", near: true, want: []string{"insufficient-cpu"}, build: func(b *snaptest.Builder) { bluegreen(b, "2026-01-02T10:00:00Z") }},
}
