package cause_test

import (
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/unjam-dev/unjam/internal/snapshot"
	"github.com/unjam-dev/unjam/internal/snapshot/snaptest"
)

const appImage = "registry.example.com/shop/web:v2"

// web adds the node n1 and the Deployment web of one replica.
func web(b *snaptest.Builder, change ...func(*corev1.PodSpec)) *snaptest.Set {
	b.Node("n1")
	return b.Deployment("web", appImage, 1, change...)
}

// webPod is web with its pod on n1.
func webPod(b *snaptest.Builder, change ...func(*corev1.PodSpec)) *snaptest.Pod {
	return web(b, change...).Pod("n1")
}

// logOf adds the log of the instance that died.
func logOf(b *snaptest.Builder, p *snaptest.Pod, container string, lines ...string) {
	b.Snap.Logs = append(b.Snap.Logs, snapshot.LogTail{Namespace: p.Obj.Namespace, Pod: p.Obj.Name, Container: container, Previous: true, Lines: lines})
}

// currentLogOf adds the log of the running instance.
func currentLogOf(b *snaptest.Builder, p *snaptest.Pod, lines ...string) {
	b.Snap.Logs = append(b.Snap.Logs, snapshot.LogTail{Namespace: p.Obj.Namespace, Pod: p.Obj.Name, Container: "app", Lines: lines})
}

// configError is a container the kubelet cannot configure.
func configError(p *snaptest.Pod, message string) *snaptest.Pod {
	p.Waiting("CreateContainerConfigError", message)
	return p.Event("Warning", "Failed", "Error: "+message, 4*time.Minute, 5*time.Second, 11)
}

// startError is a container the runtime cannot start, in back-off.
func startError(p *snaptest.Pod, message string) *snaptest.Pod {
	p.Crashes(128, "StartError", 4)
	p.Status("app").LastTerminationState.Terminated.Message = message
	return p.Event("Warning", "Failed", "Error: "+message, 4*time.Minute, 30*time.Second, 5)
}

// createError is a container the runtime cannot create.
func createError(p *snaptest.Pod, message string, count int32) *snaptest.Pod {
	p.Waiting("CreateContainerError", message)
	return p.Event("Warning", "Failed", "Error: "+message, 4*time.Minute, 5*time.Second, count)
}

// sandboxFails is a pod whose sandbox cannot be made.
func sandboxFails(p *snaptest.Pod, message string, count int32) *snaptest.Pod {
	p.Condition("PodReadyToStartContainers", corev1.ConditionFalse, "PodSandboxNotReady", "no pod sandbox exists")
	return p.Event("Warning", "FailedCreatePodSandBox", message, 4*time.Minute, 5*time.Second, count)
}

// mountFails is a pod one of whose volumes cannot be set up.
func mountFails(p *snaptest.Pod, message string, count int32) *snaptest.Pod {
	p.Condition("PodReadyToStartContainers", corev1.ConditionFalse, "PodSandboxNotReady", "no pod sandbox exists")
	return p.Event("Warning", "FailedMount", message, 4*time.Minute, 5*time.Second, count)
}

// killed adds the kubelet's kill of the instance that died last.
func killed(p *snaptest.Pod, probe string, count int32) *snaptest.Pod {
	return p.Event("Normal", "Killing", "Container app failed "+probe+" probe, will be restarted", 4*time.Minute, 31*time.Second, count)
}

// unhealthy adds a probe's failures up to now.
func unhealthy(p *snaptest.Pod, message string, count int32) *snaptest.Pod {
	return p.Event("Warning", "Unhealthy", message, 230*time.Second, 4*time.Second, count)
}

func httpProbe(path string, port int) *corev1.Probe {
	return &corev1.Probe{PeriodSeconds: 5, TimeoutSeconds: 1, FailureThreshold: 3,
		ProbeHandler: corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Path: path, Port: intstr.FromInt32(int32(port)), Scheme: "HTTP"}}}
}

func readiness(p *corev1.Probe) func(*corev1.PodSpec) {
	return func(s *corev1.PodSpec) {
		s.Containers[0].ReadinessProbe = p
		s.Containers[0].Ports = []corev1.ContainerPort{{Name: "http", ContainerPort: 8080}}
	}
}

func liveness(p *corev1.Probe) func(*corev1.PodSpec) {
	return func(s *corev1.PodSpec) { s.Containers[0].LivenessProbe = p }
}

func startup(p *corev1.Probe) func(*corev1.PodSpec) {
	return func(s *corev1.PodSpec) { s.Containers[0].StartupProbe = p }
}

func memory(limit string) func(*corev1.PodSpec) {
	return func(s *corev1.PodSpec) {
		s.Containers[0].Resources.Limits = corev1.ResourceList{"memory": resource.MustParse(limit)}
	}
}

func initContainer(name string, always bool) func(*corev1.PodSpec) {
	return func(s *corev1.PodSpec) {
		c := corev1.Container{Name: name, Image: appImage}
		if always {
			p := corev1.ContainerRestartPolicyAlways
			c.RestartPolicy = &p
		}
		s.InitContainers = append(s.InitContainers, c)
	}
}

// runningFor sets how long the container app has run.
func runningFor(p *snaptest.Pod, d time.Duration) *snaptest.Pod {
	p.Running()
	p.Status("app").State.Running.StartedAt = snaptest.Ago(d)
	return p
}

// initDies is an init container that failed restarts+1 times.
func initDies(p *snaptest.Pod, name string, exit, restarts int32) *snaptest.Pod {
	st := p.Status(name)
	st.RestartCount = restarts
	st.LastTerminationState.Terminated = &corev1.ContainerStateTerminated{ExitCode: exit, Reason: "Error", StartedAt: snaptest.Ago(40 * time.Second), FinishedAt: snaptest.Ago(39 * time.Second)}
	st.State = corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "CrashLoopBackOff", Message: "back-off 40s restarting failed container=" + name}}
	p.Waiting("PodInitializing", "")
	return p
}

// fallen is a pod that the kubelet rejected or evicted.
func fallen(p *snaptest.Pod, reason, message string) *snaptest.Pod {
	p.Obj.Status.Phase, p.Obj.Status.Reason, p.Obj.Status.Message = corev1.PodFailed, reason, message
	p.Obj.Status.ContainerStatuses = nil
	return p
}

// going is a pod under deletion whose grace period ends in left.
func going(p *snaptest.Pod, left time.Duration) *snaptest.Pod {
	t := snaptest.Ago(-left)
	grace := int64(30)
	p.Obj.DeletionTimestamp, p.Obj.DeletionGracePeriodSeconds = &t, &grace
	return p
}

// disrupted marks why the control plane ends a pod.
func disrupted(p *snaptest.Pod, reason string) *snaptest.Pod {
	return p.Condition("DisruptionTarget", corev1.ConditionTrue, reason, "")
}

// nodeIs sets a condition of a node.
func nodeIs(typ corev1.NodeConditionType, status corev1.ConditionStatus, reason, message string) func(*corev1.Node) {
	return func(n *corev1.Node) {
		c := corev1.NodeCondition{Type: typ, Status: status, Reason: reason, Message: message, LastTransitionTime: snaptest.Ago(3 * time.Minute), LastHeartbeatTime: snaptest.Ago(4 * time.Minute)}
		for i := range n.Status.Conditions {
			if n.Status.Conditions[i].Type == typ {
				n.Status.Conditions[i] = c
				return
			}
		}
		n.Status.Conditions = append(n.Status.Conditions, c)
	}
}

// nodeEvent adds an event about the node n1.
func nodeEvent(b *snaptest.Builder, reason, message string, firstAgo, lastAgo time.Duration, count int32) {
	b.Event("Node", "", "n1", types.UID("n1"), "Warning", reason, message, firstAgo, lastAgo, count)
}

// onNode is a Deployment's pod on a node n1 made with the changes.
func onNode(b *snaptest.Builder, change ...func(*corev1.Node)) *snaptest.Pod {
	b.Node("n1", change...)
	return b.Deployment("web", appImage, 1).Pod("n1")
}

// db adds a StatefulSet with its pod db-0 on n1.
func db(b *snaptest.Builder, change ...func(*corev1.Node)) *snaptest.Pod {
	b.Node("n1", change...)
	s := b.StatefulSet("db", appImage, 1)
	return b.PodOf("StatefulSet", "db", s, "db-0", s.Spec.Template.Spec, "n1")
}

// terminated is the present end of the container app.
func terminated(p *snaptest.Pod, exit int32, reason string, ago time.Duration) *snaptest.Pod {
	p.Status("app").State = corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: exit, Reason: reason, StartedAt: snaptest.Ago(time.Hour), FinishedAt: metav1.NewTime(snaptest.Now.Add(-ago))}}
	return p
}

func many(n int, text string) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprintf("%s %d", text, i)
	}
	return out
}

func rollingUpdate(surge, unavailable intstr.IntOrString) *appsv1.RollingUpdateDeployment {
	return &appsv1.RollingUpdateDeployment{MaxSurge: &surge, MaxUnavailable: &unavailable}
}

// ignores adds the i-th pod of a StatefulSet, killed at the end of its grace period.
func ignores(b *snaptest.Builder, i int) {
	if i == 0 {
		b.Node("n1")
		b.StatefulSet("db", appImage, 2)
	}
	s := b.Snap.Objects.StatefulSets[0]
	p := b.PodOf("StatefulSet", "db", s, fmt.Sprintf("db-%d", i), s.Spec.Template.Spec, "n1")
	going(terminated(p, 137, "Error", 5*time.Second), -5*time.Second)
}
