package cause_test

import (
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/unjam-dev/unjam/internal/cause"
	"github.com/unjam-dev/unjam/internal/snapshot/snaptest"
)

func execProbe(command ...string) *corev1.Probe {
	return &corev1.Probe{PeriodSeconds: 5, FailureThreshold: 3, ProbeHandler: corev1.ProbeHandler{Exec: &corev1.ExecAction{Command: command}}}
}

func grpcProbe(port int32) *corev1.Probe {
	return &corev1.Probe{PeriodSeconds: 5, FailureThreshold: 3, ProbeHandler: corev1.ProbeHandler{GRPC: &corev1.GRPCAction{Port: port}}}
}

func gated(gate corev1.PodConditionType) func(*corev1.PodSpec) {
	return func(s *corev1.PodSpec) { s.ReadinessGates = []corev1.PodReadinessGate{{ConditionType: gate}} }
}

// waitsForGate is a pod whose containers are Ready and whose gate is not.
func waitsForGate(p *snaptest.Pod, since time.Duration) *snaptest.Pod {
	p.Running()
	p.Status("app").Ready = true
	p.Condition("ContainersReady", corev1.ConditionTrue, "", "")
	for i := range p.Obj.Status.Conditions {
		p.Obj.Status.Conditions[i].LastTransitionTime = snaptest.Ago(since)
	}
	return p.Condition(corev1.PodReady, corev1.ConditionFalse, "ReadinessGatesNotReady", `corresponding condition of pod readiness gate "example.com/lb-ready" does not exist.`)
}

const probeRefused = `Readiness probe failed: Get "http://10.0.1.7:8080/healthz": dial tcp 10.0.1.7:8080: connect: connection refused`

var probeCases = []testCase{
	{code: "liveness-kill", name: "exit code 2 of the kill", confidence: cause.Certain, build: func(b *snaptest.Builder) {
		p := webPod(b, liveness(httpProbe("/live", 8080))).Crashes(2, "Error", 5)
		unhealthy(p, "Liveness probe failed: HTTP probe failed with statuscode: 503", 12)
		killed(p, "liveness", 6)
	}},
	{code: "liveness-kill", name: "killed once so far", confidence: cause.Likely, build: func(b *snaptest.Builder) {
		p := webPod(b, liveness(httpProbe("/live", 8080))).Crashes(137, "Error", 0)
		unhealthy(p, "Liveness probe failed: dial tcp 10.0.1.7:8080: i/o timeout", 3)
		killed(p, "liveness", 1)
	}},
	{code: "liveness-kill", name: "killed long ago, crashes since", near: true, want: []string{"crashloop-app-error"}, build: func(b *snaptest.Builder) {
		p := webPod(b, liveness(httpProbe("/live", 8080))).Crashes(1, "Error", 4)
		p.Event("Normal", "Killing", "Container app failed liveness probe, will be restarted", 4*time.Minute, 4*time.Minute, 1)
		logOf(b, p, "app", "fatal: cannot parse configuration")
	}},
	{code: "startup-probe-failed", name: "wrong port", confidence: cause.Certain, build: func(b *snaptest.Builder) {
		p := webPod(b, startup(httpProbe("/", 9999)), readiness(httpProbe("/", 8080))).Crashes(2, "Error", 5)
		unhealthy(p, "Startup probe failed: dial tcp 10.244.11.41:9999: connect: connection refused", 18)
		killed(p, "startup", 6)
	}},
	{code: "startup-probe-failed", name: "within its budget", near: true, build: func(b *snaptest.Builder) {
		probe := httpProbe("/", 8080)
		probe.FailureThreshold = 60
		p := runningFor(webPod(b, startup(probe)), 2*time.Minute)
		no := false
		p.Status("app").Started = &no
		p.Event("Warning", "Unhealthy", "Startup probe failed: dial tcp 10.244.11.41:8080: connect: connection refused", 110*time.Second, 3*time.Second, 22)
	}},
	{code: "readiness-http-status", name: "503 for minutes", confidence: cause.Certain, build: func(b *snaptest.Builder) {
		p := runningFor(webPod(b, readiness(httpProbe("/healthz", 8080))), 4*time.Minute)
		unhealthy(p, "Readiness probe failed: HTTP probe failed with statuscode: 503", 24)
	}},
	{code: "readiness-http-status", name: "no such path", confidence: cause.Certain, build: func(b *snaptest.Builder) {
		p := runningFor(webPod(b, readiness(httpProbe("/helthz", 8080))), 25*time.Second)
		p.Event("Warning", "Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 404", 20*time.Second, 4*time.Second, 4)
	}},
	{code: "readiness-http-status", name: "just started", near: true, build: func(b *snaptest.Builder) {
		p := runningFor(webPod(b, readiness(httpProbe("/healthz", 8080))), 12*time.Second)
		p.Event("Warning", "Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 503", 10*time.Second, 2*time.Second, 2)
	}},
	{code: "readiness-http-status", name: "failed at first, Ready since", near: true, build: func(b *snaptest.Builder) {
		s := web(b, readiness(httpProbe("/healthz", 8080)))
		p := s.Pod("n1").Ready()
		unhealthy(p, "Readiness probe failed: HTTP probe failed with statuscode: 503", 4)
		s.Healthy()
	}},
	{code: "readiness-conn-refused", name: "listens on another port", confidence: cause.Certain, build: func(b *snaptest.Builder) {
		p := runningFor(webPod(b, readiness(httpProbe("/healthz", 8080))), 20*time.Second)
		p.Event("Warning", "Unhealthy", probeRefused, 18*time.Second, 3*time.Second, 4)
		currentLogOf(b, p, "server listening on 0.0.0.0:3000")
	}},
	{code: "readiness-conn-refused", name: "listens on the loopback address", confidence: cause.Certain, build: func(b *snaptest.Builder) {
		p := runningFor(webPod(b, readiness(httpProbe("/healthz", 8080))), 20*time.Second)
		p.Event("Warning", "Unhealthy", probeRefused, 18*time.Second, 3*time.Second, 4)
		currentLogOf(b, p, "Listening on http://127.0.0.1:8080")
	}},
	{code: "readiness-conn-refused", name: "asks a port that is not declared", confidence: cause.Likely, build: func(b *snaptest.Builder) {
		p := runningFor(webPod(b, readiness(httpProbe("/healthz", 9999))), 4*time.Minute)
		unhealthy(p, `Readiness probe failed: Get "http://10.0.1.7:9999/healthz": dial tcp 10.0.1.7:9999: connect: connection refused`, 40)
	}},
	{code: "readiness-conn-refused", name: "long after its start", confidence: cause.Certain, build: func(b *snaptest.Builder) {
		unhealthy(runningFor(webPod(b, readiness(httpProbe("/healthz", 8080))), 4*time.Minute), probeRefused, 40)
	}},
	{code: "readiness-conn-refused", name: "just started", near: true, build: func(b *snaptest.Builder) {
		p := runningFor(webPod(b, readiness(httpProbe("/healthz", 8080))), 8*time.Second)
		p.Event("Warning", "Unhealthy", probeRefused, 6*time.Second, 2*time.Second, 2)
	}},
	{code: "readiness-conn-refused", name: "as slow as its predecessors", near: true, build: func(b *snaptest.Builder) {
		s := web(b, readiness(httpProbe("/healthz", 8080)))
		for _, o := range s.Old("registry.example.com/shop/web:v1", "n1", 1) {
			o.Status("app").State.Running.StartedAt = snaptest.Ago(6 * time.Minute) // Ready two minutes later
		}
		p := runningFor(s.Pod("n1"), 4*time.Minute)
		unhealthy(p, probeRefused, 40)
	}},
	{code: "readiness-timeout", name: "no answer in time", confidence: cause.Certain, build: func(b *snaptest.Builder) {
		p := runningFor(webPod(b, readiness(httpProbe("/healthz", 8080))), 4*time.Minute)
		unhealthy(p, `Readiness probe failed: Get "http://10.0.1.7:8080/healthz": context deadline exceeded (Client.Timeout exceeded while awaiting headers)`, 20)
	}},
	{code: "readiness-timeout", name: "refused", near: true, want: []string{"readiness-conn-refused"}, build: func(b *snaptest.Builder) {
		unhealthy(runningFor(webPod(b, readiness(httpProbe("/timeout", 8080))), 4*time.Minute), probeRefused, 40)
	}},
	{code: "probe-exec", name: "command absent from the image", confidence: cause.Certain, build: func(b *snaptest.Builder) {
		p := runningFor(webPod(b, readiness(execProbe("curl", "-f", "http://localhost:8080"))), 25*time.Second)
		p.Event("Warning", "Unhealthy", `Readiness probe errored and resulted in unknown state: rpc error: code = Unknown desc = failed to exec in container: failed to start exec "x": OCI runtime exec failed: exec failed: unable to start container process: exec: "curl": executable file not found in $PATH: unknown`, 20*time.Second, 3*time.Second, 4)
	}},
	{code: "probe-exec", name: "old wording, too slow", build: func(b *snaptest.Builder) {
		p := runningFor(webPod(b, readiness(execProbe("/check"))), 4*time.Minute)
		unhealthy(p, `Readiness probe errored: rpc error: code = DeadlineExceeded desc = failed to exec in container: command timed out: "/check" timed out after 1s`, 40)
	}},
	{code: "probe-exec", name: "HTTP probe", near: true, want: []string{"readiness-http-status"}, build: func(b *snaptest.Builder) {
		p := runningFor(webPod(b, readiness(httpProbe("/exec", 8080))), 4*time.Minute)
		unhealthy(p, "Readiness probe failed: HTTP probe failed with statuscode: 500", 40)
	}},
	{code: "probe-grpc", name: "health service not offered", confidence: cause.Certain, build: func(b *snaptest.Builder) {
		p := runningFor(webPod(b, readiness(grpcProbe(8080))), 12*time.Second)
		p.Event("Warning", "Unhealthy", "Readiness probe failed: error: this server does not implement the grpc health protocol (grpc.health.v1.Health): unknown service grpc.health.v1.Health", 10*time.Second, 3*time.Second, 2)
	}},
	{code: "probe-grpc", name: "not serving", build: func(b *snaptest.Builder) {
		unhealthy(runningFor(webPod(b, readiness(grpcProbe(8080))), 4*time.Minute), `Readiness probe failed: service unhealthy (responded with "NOT_SERVING")`, 40)
	}},
	{code: "probe-grpc", name: "timeout of an HTTP probe", near: true, want: []string{"readiness-timeout"}, build: func(b *snaptest.Builder) {
		unhealthy(runningFor(webPod(b, readiness(httpProbe("/grpc", 8080))), 4*time.Minute), `Readiness probe failed: Get "http://10.0.1.7:8080/grpc": context deadline exceeded`, 40)
	}},
	{code: "readiness-gate", name: "nobody sets it", confidence: cause.Certain, build: func(b *snaptest.Builder) {
		waitsForGate(webPod(b, gated("example.com/lb-ready")), 4*time.Minute)
	}},
	{code: "readiness-gate", name: "load balancer says no", build: func(b *snaptest.Builder) {
		p := waitsForGate(webPod(b, gated("target-health.elbv2.k8s.aws/tgb-1")), 4*time.Minute)
		p.Condition("target-health.elbv2.k8s.aws/tgb-1", corev1.ConditionFalse, "Target.FailedHealthChecks", "Health checks failed")
	}},
	{code: "readiness-gate", name: "program not Ready", near: true, want: []string{"readiness-http-status"}, build: func(b *snaptest.Builder) {
		p := runningFor(webPod(b, gated("example.com/lb-ready"), readiness(httpProbe("/healthz", 8080))), 4*time.Minute)
		p.Condition("ContainersReady", corev1.ConditionFalse, "ContainersNotReady", "")
		unhealthy(p, "Readiness probe failed: HTTP probe failed with statuscode: 503", 24)
	}},
	{code: "sidecar-blocks-start", name: "startup probe has not passed", build: func(b *snaptest.Builder) {
		p := webPod(b, initContainer("proxy", true), func(s *corev1.PodSpec) { s.InitContainers[0].StartupProbe = httpProbe("/ready", 15021) })
		no := false
		st := p.Status("proxy")
		st.State, st.Started = corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: snaptest.Ago(4 * time.Minute)}}, &no
		p.Waiting("PodInitializing", "")
	}},
	{code: "sidecar-blocks-start", name: "sidecar started, program fails its probe", near: true, want: []string{"readiness-http-status"}, build: func(b *snaptest.Builder) {
		p := runningFor(webPod(b, initContainer("proxy", true), readiness(httpProbe("/healthz", 8080))), 4*time.Minute)
		yes := true
		st := p.Status("proxy")
		st.State, st.Started, st.Ready = corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: snaptest.Ago(4 * time.Minute)}}, &yes, true
		unhealthy(p, "Readiness probe failed: HTTP probe failed with statuscode: 503", 24)
	}},
	{code: "init-container-waiting", name: "waits for a database", confidence: cause.Certain, build: func(b *snaptest.Builder) {
		p := webPod(b, initContainer("wait-db", false))
		p.Status("wait-db").State = corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: snaptest.Ago(4 * time.Minute)}}
		p.Waiting("PodInitializing", "")
	}},
	{code: "init-container-waiting", name: "fails", near: true, want: []string{"init-container-failing"}, build: func(b *snaptest.Builder) {
		p := initDies(webPod(b, initContainer("wait-db", false)), "wait-db", 1, 4)
		logOf(b, p, "wait-db", "error: no schema")
	}},
	{code: "ready-flapping", name: "Ready between two deaths", build: func(b *snaptest.Builder) {
		p := webPod(b).Crashes(1, "Error", 5).Ready()
		p.Condition(corev1.PodReady, corev1.ConditionTrue, "", "")
		for i := range p.Obj.Status.Conditions {
			p.Obj.Status.Conditions[i].LastTransitionTime = snaptest.Ago(10 * time.Second)
		}
	}},
	{code: "ready-flapping", name: "restarted a few times days ago", near: true, build: func(b *snaptest.Builder) {
		s := web(b)
		p := s.Pod("n1").Crashes(1, "Error", 5).Ready()
		p.Status("app").LastTerminationState.Terminated.FinishedAt = snaptest.Ago(48 * time.Hour)
		s.Healthy()
	}},
	{code: "min-ready-seconds", name: "Ready and not available", confidence: cause.Certain, build: func(b *snaptest.Builder) {
		s := web(b)
		s.Deployment.Spec.MinReadySeconds = 300
		s.Pod("n1").Ready()
		s.Deployment.Status.ReadyReplicas = 1
	}},
	{code: "min-ready-seconds", name: "time is over", near: true, build: func(b *snaptest.Builder) {
		s := web(b)
		s.Deployment.Spec.MinReadySeconds = 60
		s.Pod("n1").Ready()
		s.Healthy()
	}},
	{code: "slow-start", name: "no word from its probe yet", build: func(b *snaptest.Builder) {
		runningFor(webPod(b, readiness(httpProbe("/healthz", 8080))), 10*time.Second)
	}},
	{code: "slow-start", name: "crashes", near: true, want: []string{"crashloop-app-error"}, build: func(b *snaptest.Builder) {
		logOf(b, webPod(b, readiness(httpProbe("/healthz", 8080))).Crashes(1, "Error", 4), "app", "fatal: bye")
	}},
	{code: "resize-infeasible", name: "on a pod that is not Ready", want: []string{"resize-infeasible", "slow-start"}, build: func(b *snaptest.Builder) {
		runningFor(webPod(b, readiness(httpProbe("/healthz", 8080))), 10*time.Second).Condition("PodResizePending", corev1.ConditionTrue, "Infeasible", "Node didn't have enough capacity: cpu")
	}},
	{code: "resize-infeasible", name: "pod is Ready", near: true, build: func(b *snaptest.Builder) {
		s := web(b)
		s.Pod("n1").Ready().Condition("PodResizePending", corev1.ConditionTrue, "Infeasible", "Node didn't have enough capacity: cpu")
		s.Healthy()
	}},
	{code: "resize-deferred", name: "on a pod that is not Ready", want: []string{"resize-deferred", "slow-start"}, build: func(b *snaptest.Builder) {
		runningFor(webPod(b, readiness(httpProbe("/healthz", 8080))), 10*time.Second).Condition("PodResizePending", corev1.ConditionTrue, "Deferred", "Node didn't have enough resource: cpu")
	}},
	{code: "resize-deferred", name: "pod is Ready", near: true, build: func(b *snaptest.Builder) {
		s := web(b)
		s.Pod("n1").Ready().Condition("PodResizePending", corev1.ConditionTrue, "Deferred", "Node didn't have enough resource: cpu")
		s.Healthy()
	}},
	{code: "probe-warning-noise", name: "redirect to another host", want: []string{"probe-warning-noise", "slow-start"}, build: func(b *snaptest.Builder) {
		p := runningFor(webPod(b, readiness(httpProbe("/healthz", 8080))), 10*time.Second)
		p.Event("Warning", "ProbeWarning", "Liveness probe warning: Probe terminated redirects, Response body: <a href=\"https://sso.example.com\">Found</a>", 8*time.Second, 2*time.Second, 2)
	}},
	{code: "probe-warning-noise", name: "pod is Ready", near: true, build: func(b *snaptest.Builder) {
		s := web(b)
		s.Pod("n1").Ready().Event("Warning", "ProbeWarning", "Readiness probe warning: Probe terminated redirects", 4*time.Minute, 2*time.Second, 40)
		s.Healthy()
	}},
}
