package kinds

import (
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/unjam-dev/unjam/internal/snapshot"
	"github.com/unjam-dev/unjam/internal/snapshot/snaptest"
)

const (
	image    = "registry.example.com/shop/web:v2"
	oldImage = "registry.example.com/shop/web:v1"
)

// fault is one thing that goes wrong, told apart from the kind of workload.
type fault struct {
	name  string
	cause string
	// state is stalled unless set.
	state string
	// spec changes the template, node the nodes.
	spec func(*corev1.PodSpec)
	node func(*corev1.Node)
	// objects adds what else is in the namespace.
	objects func(b *snaptest.Builder)
	// refused is the API server's answer to every new pod; else pod spoils the
	// newest one.
	refused string
	pod     func(b *snaptest.Builder, p *snaptest.Pod)
	// unbound faults leave the pod without a node.
	unbound bool
	// skip are the kinds on which the fault cannot happen, with the reason.
	skip map[string]string
	// other are the causes that are right on kinds that have their own.
	other map[string]string
	// otherState is the same for states.
	otherState map[string]string
}

var noController = "a bare pod is refused to the one who makes it, so there is no object"

func requests(cpu, memory string) func(*corev1.PodSpec) {
	return func(s *corev1.PodSpec) {
		s.Containers[0].Resources.Requests = corev1.ResourceList{"cpu": resource.MustParse(cpu), "memory": resource.MustParse(memory)}
	}
}

func probe(path string) *corev1.Probe {
	return &corev1.Probe{PeriodSeconds: 5, FailureThreshold: 3, ProbeHandler: corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Path: path, Port: intstr.FromInt32(8080)}}}
}

func crashes(exit int32, reason, lastLine string) func(*snaptest.Builder, *snaptest.Pod) {
	return func(b *snaptest.Builder, p *snaptest.Pod) {
		if p.Obj.Spec.RestartPolicy == corev1.RestartPolicyNever {
			s := p.Status("app")
			s.State = corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: exit, Reason: reason, StartedAt: snaptest.Ago(3 * time.Minute), FinishedAt: snaptest.Ago(3*time.Minute - 2*time.Second)}}
			p.Obj.Status.Phase = corev1.PodFailed
		} else {
			p.Crashes(exit, reason, 5)
		}
		if lastLine != "" {
			b.Snap.Logs = append(b.Snap.Logs, snapshot.LogTail{Namespace: snaptest.Namespace, Pod: p.Obj.Name, Container: "app", Previous: p.Obj.Status.Phase != corev1.PodFailed, Lines: []string{lastLine}})
		}
	}
}

func pulls(text string) func(*snaptest.Builder, *snaptest.Pod) {
	return func(_ *snaptest.Builder, p *snaptest.Pod) { p.PullFails(text) }
}

func waits(reason, message string) func(*snaptest.Builder, *snaptest.Pod) {
	return func(_ *snaptest.Builder, p *snaptest.Pod) {
		p.Waiting(reason, message)
		p.Event("Warning", "Failed", "Error: "+message, 4*time.Minute, 10*time.Second, 12)
	}
}

func unschedulable(reason string) func(*snaptest.Builder, *snaptest.Pod) {
	return func(_ *snaptest.Builder, p *snaptest.Pod) {
		p.Unschedulable(fmt.Sprintf("0/5 nodes are available: 5 %s. preemption: 0/5 nodes are available: 5 Preemption is not helpful for scheduling.", reason))
	}
}

const head = "failed to pull and unpack image \"" + image + "\": failed to resolve reference \"" + image + "\": "

var faults = []fault{
	{name: "bad tag", cause: "tag-not-found", pod: pulls("rpc error: code = NotFound desc = " + head + image + ": not found"),
		objects: otherTagRuns},
	{name: "no credential", cause: "anonymous-denied", state: "stalled", pod: pulls(head + "failed to authorize: failed to fetch anonymous token: unexpected status from GET request to https://registry.example.com/token?scope=repository%3Ashop%2Fweb%3Apull&service=registry: 401 Unauthorized")},
	{name: "registry answers 503", cause: "registry-5xx", pod: pulls(head + "unexpected status from HEAD request to https://registry.example.com/v2/shop/web/manifests/v2: 503 Service Unavailable")},
	{name: "registry name unknown", cause: "dns-nxdomain", pod: pulls(head + "failed to do request: Head \"https://registry.example.com/v2/shop/web/manifests/v2\": dial tcp: lookup registry.example.com on 10.96.0.10:53: no such host")},
	{name: "certificate unknown", cause: "tls-unknown-ca", pod: pulls(head + "failed to do request: Head \"https://registry.example.com/v2/shop/web/manifests/v2\": tls: failed to verify certificate: x509: certificate signed by unknown authority")},
	{name: "quota", cause: "quota-exceeded", refused: `pods "web-x" is forbidden: exceeded quota: small, requested: requests.cpu=1, used: requests.cpu=4, limited: requests.cpu=4`,
		spec: requests("1", "64Mi"), objects: func(b *snaptest.Builder) {
			b.BarePod("holder", "holder:v1", "n1", requests("4", "64Mi")).Running() // what the quota counts
			hard, used := corev1.ResourceList{"requests.cpu": resource.MustParse("4")}, corev1.ResourceList{"requests.cpu": resource.MustParse("4")}
			b.Snap.Objects.ResourceQuotas = append(b.Snap.Objects.ResourceQuotas, &corev1.ResourceQuota{ObjectMeta: metav1.ObjectMeta{Namespace: snaptest.Namespace, Name: "small"}, Spec: corev1.ResourceQuotaSpec{Hard: hard}, Status: corev1.ResourceQuotaStatus{Hard: hard, Used: used}})
		}, skip: map[string]string{"Pod": noController}, other: map[string]string{"Deployment": "quota-exceeded quota-blocks-surge", "Rollout": "quota-exceeded quota-blocks-surge", "ReplicationController": "quota-exceeded", "DeploymentConfig": "quota-exceeded"}},
	{name: "webhook says no", cause: "admission-webhook-denied", refused: `admission webhook "policy.example.com" denied the request: image not signed`, skip: map[string]string{"Pod": noController}},
	{name: "pod security", cause: "podsecurity-violation", refused: `pods "web-x" is forbidden: violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false (container "app" must set securityContext.allowPrivilegeEscalation=false)`, skip: map[string]string{"Pod": noController}},
	{name: "no service account", cause: "serviceaccount-missing", refused: `pods "web-x" is forbidden: error looking up service account shop/deployer: serviceaccount "deployer" not found`, spec: func(s *corev1.PodSpec) { s.ServiceAccountName = "deployer" }, skip: map[string]string{"Pod": noController}},
	{name: "cpu larger than any node", cause: "pod-larger-than-any-node", spec: requests("16", "64Mi"), unbound: true, pod: unschedulable("Insufficient cpu")},
	{name: "taint not tolerated", cause: "untolerated-taint", unbound: true, node: func(n *corev1.Node) {
		n.Spec.Taints = []corev1.Taint{{Key: "dedicated", Value: "db", Effect: corev1.TaintEffectNoSchedule}}
	}, pod: unschedulable("node(s) had untolerated taint(s)"), skip: map[string]string{"DaemonSet": "a DaemonSet makes no pod for a node whose taint it does not tolerate"}},
	{name: "no node of that label", cause: "node-affinity-mismatch", unbound: true, spec: func(s *corev1.PodSpec) { s.NodeSelector = map[string]string{"disk": "ssd"} },
		pod: unschedulable("node(s) didn't match Pod's node affinity/selector"), skip: map[string]string{"DaemonSet": "a DaemonSet makes no pod for a node it does not select"}},
	{name: "config missing", cause: "configmap-missing-env", pod: waits("CreateContainerConfigError", `configmap "settings" not found`), spec: func(s *corev1.PodSpec) {
		s.Containers[0].EnvFrom = []corev1.EnvFromSource{{ConfigMapRef: &corev1.ConfigMapEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: "settings"}}}}
	}},
	{name: "secret of a volume missing", cause: "config-volume-missing", pod: func(_ *snaptest.Builder, p *snaptest.Pod) {
		p.Condition("PodReadyToStartContainers", corev1.ConditionFalse, "", "")
		p.Event("Warning", "FailedMount", `MountVolume.SetUp failed for volume "s" : secret "db-password" not found`, 4*time.Minute, 10*time.Second, 9)
	}, spec: func(s *corev1.PodSpec) {
		s.Volumes = []corev1.Volume{{Name: "s", VolumeSource: corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{SecretName: "db-password"}}}}
	}},
	{name: "claim missing", cause: "pvc-not-found", unbound: true, pod: func(_ *snaptest.Builder, p *snaptest.Pod) {
		p.Unschedulable(`0/5 nodes are available: persistentvolumeclaim "data" not found. not found`)
	}, spec: func(s *corev1.PodSpec) {
		s.Volumes = []corev1.Volume{{Name: "d", VolumeSource: corev1.VolumeSource{PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: "data"}}}}
	}},
	{name: "network of the sandbox", cause: "cni-setup-failed", pod: func(_ *snaptest.Builder, p *snaptest.Pod) {
		p.Condition("PodReadyToStartContainers", corev1.ConditionFalse, "", "")
		p.Event("Warning", "FailedCreatePodSandBox", `Failed to create pod sandbox: rpc error: code = Unknown desc = failed to setup network for sandbox "2585": plugin type="calico" failed (add): error getting ClusterInformation: connection is unauthorized: Unauthorized`, 4*time.Minute, 10*time.Second, 12)
	}},
	{name: "program ends with an error", cause: "crashloop-app-error", pod: crashes(1, "Error", "fatal: cannot read settings"),
		otherState: map[string]string{"Job": "recovering", "CronJob": "recovering"}}, // two of seven tries
	{name: "out of memory", cause: "oomkilled", pod: crashes(137, "OOMKilled", ""), spec: func(s *corev1.PodSpec) {
		s.Containers[0].Resources.Limits = corev1.ResourceList{"memory": resource.MustParse("64Mi")}
	}},
	{name: "program not in the image", cause: "start-error-exec-not-found", pod: func(_ *snaptest.Builder, p *snaptest.Pod) {
		text := `failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: exec: "/bin/nope": stat /bin/nope: no such file or directory`
		if p.Obj.Spec.RestartPolicy == corev1.RestartPolicyNever {
			p.Status("app").State = corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: 128, Reason: "StartError", Message: text, FinishedAt: snaptest.Ago(3 * time.Minute)}}
			p.Obj.Status.Phase = corev1.PodFailed
			return
		}
		p.Crashes(128, "StartError", 5)
		p.Status("app").LastTerminationState.Terminated.Message = text
	}},
	{name: "readiness probe 404", cause: "readiness-http-status", spec: func(s *corev1.PodSpec) { s.Containers[0].ReadinessProbe = probe("/redy") }, pod: func(_ *snaptest.Builder, p *snaptest.Pod) {
		p.Running().Event("Warning", "Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 404", 4*time.Minute, 3*time.Second, 48)
	}},
	{name: "liveness probe kills", cause: "liveness-kill", spec: func(s *corev1.PodSpec) { s.Containers[0].LivenessProbe = probe("/live") }, pod: func(_ *snaptest.Builder, p *snaptest.Pod) {
		p.Crashes(137, "Error", 5)
		p.Event("Warning", "Unhealthy", "Liveness probe failed: HTTP probe failed with statuscode: 500", 4*time.Minute, 30*time.Second, 15)
		p.Event("Normal", "Killing", "Container app failed liveness probe, will be restarted", 4*time.Minute, 31*time.Second, 5)
	}, skip: map[string]string{"Job": "with restartPolicy Never the pod fails", "CronJob": "with restartPolicy Never the pod fails"}},
	{name: "node lost", cause: "node-notready-unknown", node: func(n *corev1.Node) {
		if n.Name == "n1" {
			n.Status.Conditions = []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionUnknown, Reason: "NodeStatusUnknown", Message: "Kubelet stopped posting node status.", LastTransitionTime: snaptest.Ago(4 * time.Minute)}}
		}
	}, pod: func(_ *snaptest.Builder, p *snaptest.Pod) {
		p.Ready()
		p.Condition(corev1.PodReady, corev1.ConditionFalse, "", "")
	}},
	{name: "kubelet has no room", cause: "kubelet-out-of-resource", pod: func(_ *snaptest.Builder, p *snaptest.Pod) {
		p.Obj.Status.Phase, p.Obj.Status.Reason = corev1.PodFailed, "OutOfcpu"
		p.Obj.Status.Message = "Pod was rejected: Node didn't have enough resource: cpu, requested: 1000, used: 3500, capacity: 4000"
		p.Obj.Status.ContainerStatuses = nil
	}, state: "recovering", otherState: map[string]string{"Pod": "stalled"}}, // controllers make another pod
	{name: "slow pull", state: "slow", pod: func(_ *snaptest.Builder, p *snaptest.Pod) {
		p.Event("Normal", "Pulling", fmt.Sprintf("Pulling image %q", image), 4*time.Minute, 4*time.Minute, 1)
	}},
	{name: "hook fails", cause: "poststart-hook", spec: func(s *corev1.PodSpec) {
		s.Containers[0].Lifecycle = &corev1.Lifecycle{PostStart: &corev1.LifecycleHandler{Exec: &corev1.ExecAction{Command: []string{"/warm"}}}}
	}, pod: func(_ *snaptest.Builder, p *snaptest.Pod) {
		p.Crashes(137, "Error", 5)
		p.Waiting("PostStartHookError", "Exec lifecycle hook ([/warm]) for Container \"app\" in Pod \"web\" failed - error: command '/warm' exited with 1: , message: \"\"")
		p.Event("Warning", "FailedPostStartHook", "PostStartHook failed", 4*time.Minute, 30*time.Second, 5)
	}, skip: map[string]string{"Job": "with restartPolicy Never the pod fails", "CronJob": "with restartPolicy Never the pod fails"}},
}

// otherTagRuns is a healthy workload of the same repository, so that the
// repository is known to exist and to be readable.
func otherTagRuns(b *snaptest.Builder) {
	b.Deployment("other", oldImage, 1).Healthy().Pod("n5").Ready().
		Event("Normal", "Pulled", fmt.Sprintf("Successfully pulled image %q in 2s (2s including waiting). Image size: 1000 bytes.", oldImage), 2*time.Minute, 2*time.Minute, 1)
}
