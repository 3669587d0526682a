package cause_test

import (
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/unjam-dev/unjam/internal/cause"
	"github.com/unjam-dev/unjam/internal/snapshot"
	"github.com/unjam-dev/unjam/internal/snapshot/snaptest"
)

var crashCases = []testCase{
	{code: "crashloop-app-error", name: "same line four times", confidence: cause.Certain, build: func(b *snaptest.Builder) {
		p := webPod(b).Crashes(3, "Error", 3)
		logOf(b, p, "app", "app crash pid 1", "fatal: cannot parse configuration")
	}},
	{code: "crashloop-app-error", name: "two pods, twice each, same line", confidence: cause.Likely, build: func(b *snaptest.Builder) {
		s := web(b)
		for range 2 {
			logOf(b, s.Pod("n1").Crashes(1, "Error", 1), "app", "fatal: cannot parse configuration")
		}
	}},
	{code: "crashloop-app-error", name: "caught between two starts", confidence: cause.Certain, build: func(b *snaptest.Builder) {
		p := webPod(b).Crashes(3, "Error", 4)
		p.Status("app").State = corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: 3, Reason: "Error", StartedAt: snaptest.Ago(3 * time.Second), FinishedAt: snaptest.Ago(2 * time.Second)}}
		logOf(b, p, "app", "fatal: cannot parse configuration")
	}},
	{code: "crashloop-app-error", name: "caught while it runs", confidence: cause.Certain, build: func(b *snaptest.Builder) {
		p := webPod(b).Crashes(3, "Error", 4)
		runningFor(p, time.Second)
		logOf(b, p, "app", "fatal: cannot parse configuration")
	}},
	{code: "crashloop-app-error", name: "log not read", confidence: cause.Likely, build: func(b *snaptest.Builder) {
		webPod(b).Crashes(1, "Error", 5)
	}},
	{code: "crashloop-app-error", name: "first death", confidence: cause.Likely, build: func(b *snaptest.Builder) {
		logOf(b, webPod(b).Crashes(1, "Error", 0), "app", "fatal: cannot parse configuration")
	}},
	{code: "crashloop-app-error", name: "exit code 2 that the program means", build: func(b *snaptest.Builder) {
		logOf(b, webPod(b).Crashes(2, "Error", 4), "app", "could not read the licence")
	}},
	{code: "crashloop-app-error", name: "only the pod known, probe that kills configured", confidence: cause.Likely, build: func(b *snaptest.Builder) {
		p := b.BarePod("web", appImage, "n1", liveness(httpProbe("/live", 8080)))
		p.Crashes(2, "Error", 5)
		p.Status("app").LastTerminationState.Terminated.StartedAt = snaptest.Ago(50 * time.Second)
		b.Snap.Objects.Events = nil
		b.Snap.Gaps = append(b.Snap.Gaps, snapshot.Gap{Resource: "events", Reason: snapshot.GapNotCaptured})
	}},
	{code: "crashloop-app-error", name: "four pods of a Job", confidence: cause.Certain, build: func(b *snaptest.Builder) {
		b.Node("n1")
		j := b.Job("task", appImage)
		for i := range 4 {
			p := terminated(b.PodOf("Job", "task", j, fmt.Sprintf("task-%d", i), j.Spec.Template.Spec, "n1"), 3, "Error", 10*time.Second)
			p.Obj.Status.Phase = corev1.PodFailed
			logOf(b, p, "app", "fatal: no input")
		}
	}},
	{code: "crashloop-app-error", name: "liveness kill with exit code 2", near: true, want: []string{"liveness-kill"}, build: func(b *snaptest.Builder) {
		p := webPod(b, liveness(httpProbe("/live", 8080))).Crashes(2, "Error", 5)
		unhealthy(p, "Liveness probe failed: HTTP probe failed with statuscode: 503", 12)
		killed(p, "liveness", 6)
	}},
	{code: "crashloop-app-error", name: "died once and runs again", near: true, build: func(b *snaptest.Builder) {
		s := web(b)
		s.Pod("n1").Crashes(1, "Error", 1).Ready()
		s.Healthy()
	}},
	{code: "poststart-hook", name: "hook fails, exit code 2 of the kill", confidence: cause.Certain, build: func(b *snaptest.Builder) {
		p := webPod(b).Crashes(2, "Error", 2)
		p.Event("Warning", "FailedPostStartHook", "PostStartHook failed", 3*time.Minute, 30*time.Second, 3)
		p.Event("Normal", "Killing", "FailedPostStartHook", 3*time.Minute, 30*time.Second, 3)
	}},
	{code: "poststart-hook", name: "only the waiting reason", confidence: cause.Certain, build: func(b *snaptest.Builder) {
		p := webPod(b).Crashes(2, "Error", 3)
		p.Waiting("PostStartHookError", `Exec lifecycle hook ([/bin/false]) for Container "app" in Pod "web-1_shop(x)" failed - error: command '/bin/false' exited with 1: , message: ""`)
		b.Snap.Objects.Events = nil
	}},
	{code: "poststart-hook", name: "hook failed long ago, program crashes since", near: true, want: []string{"crashloop-app-error"}, build: func(b *snaptest.Builder) {
		p := webPod(b).Crashes(1, "Error", 4)
		p.Event("Warning", "FailedPostStartHook", "PostStartHook failed", 4*time.Minute, 4*time.Minute, 1)
		logOf(b, p, "app", "fatal: cannot parse configuration")
	}},
	{code: "oomkilled", name: "at its limit", confidence: cause.Certain, build: func(b *snaptest.Builder) {
		webPod(b, memory("64Mi")).Crashes(137, "OOMKilled", 4)
	}},
	{code: "oomkilled", name: "init container", build: func(b *snaptest.Builder) {
		p := webPod(b, initContainer("migrate", false), func(s *corev1.PodSpec) { memory("64Mi")(s); s.InitContainers[0].Resources = s.Containers[0].Resources })
		initDies(p, "migrate", 137, 4)
		p.Status("migrate").LastTerminationState.Terminated.Reason = "OOMKilled"
	}},
	{code: "oomkilled", name: "no limit", confidence: cause.Likely, build: func(b *snaptest.Builder) {
		webPod(b).Crashes(137, "OOMKilled", 4)
	}},
	{code: "oomkilled", name: "killed after a probe, exit code 137", near: true, want: []string{"liveness-kill"}, build: func(b *snaptest.Builder) {
		p := webPod(b, memory("64Mi"), liveness(httpProbe("/live", 8080))).Crashes(137, "Error", 5)
		killed(p, "liveness", 6)
	}},
	{code: "exec-format-error", name: "image runs on the same processor elsewhere", confidence: cause.Certain, build: func(b *snaptest.Builder) {
		logOf(b, webPod(b).Crashes(1, "Error", 1), "app", "exec /start.sh: exec format error")
		b.Node("n2")
		other := b.Deployment("other", appImage, 1)
		other.Pod("n2").Ready()
		other.Healthy()
	}},
	{code: "exec-format-error", name: "nothing known of the image", confidence: cause.Likely, want: []string{"wrong-arch-at-exec"}, build: func(b *snaptest.Builder) {
		logOf(b, webPod(b).Crashes(1, "Error", 1), "app", "exec /app: exec format error")
	}},
	{code: "exec-format-error", name: "old runc, refused at the start", confidence: cause.Likely, want: []string{"wrong-arch-at-exec"}, build: func(b *snaptest.Builder) {
		startError(webPod(b), "OCI runtime create failed: container_linux.go:380: starting container process caused: exec user process caused: exec format error: unknown")
	}},
	{code: "exec-format-error", name: "program that fails", near: true, want: []string{"crashloop-app-error"}, build: func(b *snaptest.Builder) {
		logOf(b, webPod(b).Crashes(1, "Error", 4), "app", "error: unknown format of input")
	}},
	{code: "exit-126-127", name: "not found by the shell", confidence: cause.Certain, build: func(b *snaptest.Builder) {
		logOf(b, webPod(b).Crashes(127, "Error", 2), "app", "/bin/sh: serve: not found")
	}},
	{code: "exit-126-127", name: "never started", near: true, want: []string{"start-error-exec-not-found"}, build: func(b *snaptest.Builder) {
		startError(webPod(b), runcFailed+`exec: "serve": executable file not found in $PATH: unknown`)
	}},
	{code: "exit-2-usage", name: "unknown flag", confidence: cause.Certain, build: func(b *snaptest.Builder) {
		logOf(b, webPod(b).Crashes(2, "Error", 4), "app", "flag provided but not defined: -new-flag", "Usage of /app:", "  -addr string")
	}},
	{code: "exit-2-usage", name: "other reason", near: true, want: []string{"crashloop-app-error"}, build: func(b *snaptest.Builder) {
		logOf(b, webPod(b).Crashes(2, "Error", 4), "app", "cannot open /data/db")
	}},
	{code: "dependency-unavailable", name: "database refuses", confidence: cause.Likely, build: func(b *snaptest.Builder) {
		logOf(b, webPod(b).Crashes(3, "Error", 4), "app", "app crash pid 1", "fatal: cannot open database: connection refused")
	}},
	{code: "dependency-unavailable", name: "name not found, init container", build: func(b *snaptest.Builder) {
		p := initDies(webPod(b, initContainer("migrate", false)), "migrate", 1, 4)
		logOf(b, p, "migrate", "dial tcp: lookup db.prod.svc.cluster.local on 10.96.0.10:53: no such host")
	}},
	{code: "dependency-unavailable", name: "runs, is not Ready", build: func(b *snaptest.Builder) {
		p := runningFor(webPod(b, readiness(httpProbe("/ready", 8080))), 4*time.Minute)
		unhealthy(p, "Readiness probe failed: HTTP probe failed with statuscode: 503", 40)
		currentLogOf(b, p, "retrying: dial tcp 10.20.0.9:5432: connect: connection refused")
	}},
	{code: "dependency-unavailable", name: "program's own error", near: true, want: []string{"crashloop-app-error"}, build: func(b *snaptest.Builder) {
		logOf(b, webPod(b).Crashes(1, "Error", 4), "app", "fatal: the order was refused")
	}},
	{code: "init-container-failing", name: "migration fails", confidence: cause.Certain, build: func(b *snaptest.Builder) {
		p := initDies(webPod(b, initContainer("migrate", false)), "migrate", 2, 4)
		logOf(b, p, "migrate", "migrate: version 12 is dirty, cannot go on")
	}},
	{code: "init-container-failing", name: "still pulls the image after it", near: true, build: func(b *snaptest.Builder) {
		p := webPod(b, initContainer("migrate", false))
		p.Status("migrate").State = corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: 0, Reason: "Completed", FinishedAt: snaptest.Ago(time.Minute)}}
		p.Waiting("PodInitializing", "")
	}},
	{code: "exit-139-segv", name: "segmentation fault", confidence: cause.Certain, build: func(b *snaptest.Builder) {
		webPod(b).Crashes(139, "Error", 4)
	}},
	{code: "exit-139-segv", name: "killed for memory", near: true, want: []string{"oomkilled"}, build: func(b *snaptest.Builder) {
		webPod(b, memory("64Mi")).Crashes(139, "OOMKilled", 4)
	}},
	{code: "exit-134-abort", name: "JVM aborts", build: func(b *snaptest.Builder) {
		logOf(b, webPod(b).Crashes(134, "Error", 4), "app", "# A fatal error has been detected by the Java Runtime Environment:")
	}},
	{code: "exit-134-abort", name: "segmentation fault", near: true, want: []string{"exit-139-segv"}, build: func(b *snaptest.Builder) {
		webPod(b).Crashes(139, "Error", 4)
	}},
	{code: "exit-0-completed-loop", name: "task in a Deployment", confidence: cause.Certain, build: func(b *snaptest.Builder) {
		webPod(b).Crashes(0, "Completed", 4)
	}},
	{code: "exit-0-completed-loop", name: "restarted on failure only", near: true, build: func(b *snaptest.Builder) {
		b.Node("n1")
		p := b.BarePod("task", appImage, "n1", func(s *corev1.PodSpec) { s.RestartPolicy = corev1.RestartPolicyOnFailure })
		terminated(p, 0, "Completed", time.Second)
		p.Obj.Status.Phase = corev1.PodSucceeded
	}},
	{code: "exit-128-plus-n", name: "illegal instruction", build: func(b *snaptest.Builder) {
		webPod(b).Crashes(132, "Error", 4)
	}},
	{code: "exit-128-plus-n", name: "never started, code 128", near: true, want: []string{"start-error-exec-not-found"}, build: func(b *snaptest.Builder) {
		startError(webPod(b), runcFailed+`exec: "serve": executable file not found in $PATH`)
	}},
	{code: "exit-137-not-oom", name: "no kill seen", confidence: cause.Likely, build: func(b *snaptest.Builder) {
		webPod(b, liveness(httpProbe("/live", 8080))).Crashes(137, "Error", 4)
	}},
	{code: "exit-137-not-oom", name: "killed for memory", near: true, want: []string{"oomkilled"}, build: func(b *snaptest.Builder) {
		webPod(b, memory("64Mi")).Crashes(137, "OOMKilled", 4)
	}},
	{code: "exit-143-sigterm", name: "nobody seen to ask", confidence: cause.Likely, build: func(b *snaptest.Builder) {
		webPod(b).Crashes(143, "Error", 4)
	}},
	{code: "exit-143-sigterm", name: "startup probe asked", near: true, want: []string{"startup-probe-failed"}, build: func(b *snaptest.Builder) {
		killed(webPod(b, startup(httpProbe("/", 8080))).Crashes(143, "Error", 4), "startup", 5)
	}},
	{code: "container-status-unknown", name: "runtime restarted", build: func(b *snaptest.Builder) {
		webPod(b).Crashes(255, "Unknown", 1)
	}},
	{code: "container-status-unknown", name: "program's own 255", near: true, want: []string{"crashloop-app-error"}, build: func(b *snaptest.Builder) {
		logOf(b, webPod(b).Crashes(255, "Error", 4), "app", "fatal: bye")
	}},
}
