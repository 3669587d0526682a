package cause_test

import (
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/unjam-dev/unjam/internal/cause"
	"github.com/unjam-dev/unjam/internal/snapshot/snaptest"
)

const cniFailed = `Failed to create pod sandbox: rpc error: code = Unknown desc = failed to setup network for sandbox "2585": plugin type="calico" failed (add): `

const runcFailed = "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: "

var sandboxCases = []testCase{
	{code: "runtime-handler-missing", name: "kata not configured", confidence: cause.Certain, build: func(b *snaptest.Builder) {
		sandboxFails(webPod(b), `Failed to create pod sandbox: rpc error: code = Unknown desc = failed to get sandbox runtime: no runtime for "kata" is configured`, 4)
	}},
	{code: "runtime-handler-missing", name: "network fails", near: true, want: []string{"cni-setup-failed"}, build: func(b *snaptest.Builder) {
		sandboxFails(webPod(b), cniFailed+"error getting ClusterInformation: connection is unauthorized: Unauthorized", 4)
	}},
	{code: "kubelet-misconfigured", name: "cgroup drivers differ", confidence: cause.Certain, build: func(b *snaptest.Builder) {
		sandboxFails(webPod(b), `Failed to create pod sandbox: rpc error: code = Unknown desc = failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: expected cgroupsPath to be of format "slice:prefix:name" for systemd cgroups, got "/kubepods/burstable" instead: unknown`, 4)
	}},
	{code: "kubelet-misconfigured", name: "cgroup cannot be made", near: true, want: []string{"sandbox-failed-runtime"}, build: func(b *snaptest.Builder) {
		sandboxFails(webPod(b), "Failed to create pod sandbox: rpc error: code = Unknown desc = failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: unable to apply cgroup configuration: Unit already exists: unknown", 4)
	}},
	{code: "cni-version-mismatch", name: "plugin not installed", confidence: cause.Certain, build: func(b *snaptest.Builder) {
		sandboxFails(webPod(b), `Failed to create pod sandbox: rpc error: code = Unknown desc = failed to setup network for sandbox "25": failed to find plugin "portmap" in path [/opt/cni/bin]`, 4)
	}},
	{code: "cni-version-mismatch", name: "plugin installed and failing", near: true, want: []string{"cni-setup-failed"}, build: func(b *snaptest.Builder) {
		sandboxFails(webPod(b), cniFailed+"dial unix /var/run/calico.sock: connect: no such file or directory", 4)
	}},
	{code: "cni-not-ready", name: "plugin not initialised, node not among the objects", confidence: cause.Certain, build: func(b *snaptest.Builder) {
		p := b.Deployment("web", appImage, 1).Pod("n1")
		p.Condition("PodReadyToStartContainers", corev1.ConditionFalse, "", "")
		p.Event("Warning", "NetworkNotReady", "network is not ready: container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:Network plugin returns error: cni plugin not initialized", 4*time.Minute, 3*time.Second, 60)
	}},
	{code: "cni-not-ready", name: "node says so itself", near: true, want: []string{"node-notready-cni"}, build: func(b *snaptest.Builder) {
		p := onNode(b, nodeIs(corev1.NodeReady, corev1.ConditionFalse, "KubeletNotReady", "container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:Network plugin returns error: cni plugin not initialized"))
		p.Condition("PodReadyToStartContainers", corev1.ConditionFalse, "", "")
		p.Event("Warning", "NetworkNotReady", "network is not ready: container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:Network plugin returns error: cni plugin not initialized", 4*time.Minute, 3*time.Second, 60)
	}},
	{code: "cni-ip-exhausted", name: "no address for minutes", confidence: cause.Certain, build: func(b *snaptest.Builder) {
		sandboxFails(webPod(b), `Failed to create pod sandbox: rpc error: code = Unknown desc = failed to setup network for sandbox "2585": plugin type="aws-cni" name="aws-cni" failed (add): add cmd: failed to assign an IP address to container`, 15)
	}},
	{code: "cni-ip-exhausted", name: "once", confidence: cause.Likely, build: func(b *snaptest.Builder) {
		p := sandboxFails(webPod(b), cniFailed+"no IP addresses available in range set: 10.0.0.1-10.0.0.254", 1)
		e := b.Snap.Objects.Events[len(b.Snap.Objects.Events)-1]
		e.FirstTimestamp = e.LastTimestamp
		_ = p
	}},
	{code: "cni-ip-exhausted", name: "other failure of the plugin", near: true, want: []string{"cni-setup-failed"}, build: func(b *snaptest.Builder) {
		sandboxFails(webPod(b), cniFailed+`failed to set interface address: file exists`, 15)
	}},
	{code: "cni-setup-failed", name: "datastore refuses", confidence: cause.Certain, build: func(b *snaptest.Builder) {
		sandboxFails(webPod(b), cniFailed+"error getting ClusterInformation: connection is unauthorized: Unauthorized", 15)
	}},
	{code: "cni-setup-failed", name: "docker wording", build: func(b *snaptest.Builder) {
		sandboxFails(webPod(b), `Failed to create pod sandbox: rpc error: code = Unknown desc = failed to set up sandbox container "abc" network for pod "web": networkPlugin cni failed to set up pod "web_shop" network: open /run/flannel/subnet.env: no such file or directory`, 15)
	}},
	{code: "cni-setup-failed", name: "failed before, pulling since", near: true, build: func(b *snaptest.Builder) {
		p := webPod(b)
		p.Condition("PodReadyToStartContainers", corev1.ConditionFalse, "", "")
		p.Event("Warning", "FailedCreatePodSandBox", cniFailed+"Unauthorized", 4*time.Minute, time.Minute, 5)
		p.Event("Normal", "Started", "Container started", 10*time.Second, 10*time.Second, 1)
		runningFor(p, 10*time.Second)
	}},
	{code: "apiserver-unreachable", name: "network plugin cannot reach it", confidence: cause.Likely, build: func(b *snaptest.Builder) {
		sandboxFails(webPod(b), cniFailed+`error getting ClusterInformation: Get "https://10.96.0.1:443/apis/crd.projectcalico.org/v1/clusterinformations/default": dial tcp 10.96.0.1:443: i/o timeout`, 15)
	}},
	{code: "apiserver-unreachable", name: "program cannot reach it", build: func(b *snaptest.Builder) {
		p := webPod(b).Crashes(1, "Error", 4)
		logOf(b, p, "app", `Get "https://10.96.0.1:443/api/v1/namespaces": dial tcp 10.96.0.1:443: i/o timeout`)
	}},
	{code: "apiserver-unreachable", name: "program cannot reach a database", near: true, want: []string{"dependency-unavailable"}, build: func(b *snaptest.Builder) {
		p := webPod(b).Crashes(1, "Error", 4)
		logOf(b, p, "app", `dial tcp 10.20.0.9:5432: i/o timeout`)
	}},
	{code: "sandbox-failed-runtime", name: "runtime does not answer", confidence: cause.Certain, build: func(b *snaptest.Builder) {
		sandboxFails(webPod(b), "Failed to create pod sandbox: rpc error: code = DeadlineExceeded desc = context deadline exceeded", 4)
	}},
	{code: "sandbox-failed-runtime", name: "network plugin fails", near: true, want: []string{"cni-setup-failed"}, build: func(b *snaptest.Builder) {
		sandboxFails(webPod(b), cniFailed+"context deadline exceeded", 4)
	}},
	{code: "dra-prepare-failed", name: "driver not registered", confidence: cause.Certain, build: func(b *snaptest.Builder) {
		p := webPod(b)
		p.Condition("PodReadyToStartContainers", corev1.ConditionFalse, "", "")
		p.Event("Warning", "FailedPrepareDynamicResources", "Failed to prepare dynamic resources: prepare dynamic resources: DRA driver gpu.example.com is not registered", 4*time.Minute, 5*time.Second, 6)
	}},
	{code: "dra-prepare-failed", name: "prepared since", near: true, build: func(b *snaptest.Builder) {
		p := webPod(b)
		p.Event("Warning", "FailedPrepareDynamicResources", "Failed to prepare dynamic resources: DRA driver gpu.example.com is not registered", 4*time.Minute, 3*time.Minute, 3)
		p.Ready()
	}},
	{code: "prestart-device-hook", name: "plugin refuses", confidence: cause.Certain, build: func(b *snaptest.Builder) {
		p := webPod(b).Waiting("PreStartHookError", "Internal PreStartContainer hook failed: device plugin PreStartContainer rpc failed with err: rpc error: code = Unavailable")
		p.Event("Warning", "Failed", "Internal PreStartContainer hook failed: device plugin PreStartContainer rpc failed with err: rpc error: code = Unavailable", 4*time.Minute, 5*time.Second, 4)
	}},
	{code: "prestart-device-hook", name: "command absent", near: true, want: []string{"start-error-exec-not-found"}, build: func(b *snaptest.Builder) {
		startError(webPod(b), runcFailed+`exec: "PreStart": executable file not found in $PATH`)
	}},
	{code: "start-error-exec-not-found", name: "not in PATH", confidence: cause.Certain, build: func(b *snaptest.Builder) {
		startError(webPod(b), runcFailed+`exec: "serve": executable file not found in $PATH: unknown`)
	}},
	{code: "start-error-exec-not-found", name: "path absent, seen at RunContainerError", confidence: cause.Certain, build: func(b *snaptest.Builder) {
		p := startError(webPod(b), runcFailed+`exec: "/no/such/binary": stat /no/such/binary: no such file or directory`)
		p.Waiting("RunContainerError", runcFailed+`exec: "/no/such/binary": stat /no/such/binary: no such file or directory`)
	}},
	{code: "start-error-exec-not-found", name: "permission denied", build: func(b *snaptest.Builder) {
		startError(webPod(b), runcFailed+`exec: "./app": permission denied: unknown`)
	}},
	{code: "start-error-exec-not-found", name: "CRI-O with crun", build: func(b *snaptest.Builder) {
		createError(webPod(b), "container create failed: executable file `serve` not found in $PATH: No such file or directory", 5)
	}},
	{code: "start-error-exec-not-found", name: "file to mount absent", near: true, want: []string{"start-error-mount-or-cgroup"}, build: func(b *snaptest.Builder) {
		startError(webPod(b), runcFailed+`error during container init: error mounting "/var/lib/kubelet/pods/x/file" to rootfs at "/etc/x": mount /var/lib/kubelet/pods/x/file:/etc/x: no such file or directory`)
	}},
	{code: "start-error-exec-not-found", name: "program that crashes", near: true, want: []string{"crashloop-app-error"}, build: func(b *snaptest.Builder) {
		p := webPod(b).Crashes(1, "Error", 4)
		logOf(b, p, "app", "fatal: /etc/app.yaml: no such file or directory")
	}},
	{code: "start-error-mount-or-cgroup", name: "working directory", confidence: cause.Certain, build: func(b *snaptest.Builder) {
		startError(webPod(b, func(s *corev1.PodSpec) { s.Containers[0].WorkingDir = "/app/sub" }), runcFailed+"error during container init: mkdir /app: not a directory")
	}},
	{code: "start-error-mount-or-cgroup", name: "working directory forbidden", build: func(b *snaptest.Builder) {
		startError(webPod(b), runcFailed+`chdir to cwd ("/root/app") set in config.json failed: permission denied`)
	}},
	{code: "start-error-mount-or-cgroup", name: "directory onto a file", build: func(b *snaptest.Builder) {
		startError(webPod(b), runcFailed+`error mounting "/var/lib/kubelet/pods/1/volume-subpaths/cfg/app/0" to rootfs at "/etc/x": not a directory: unknown: Are you trying to mount a directory onto a file (or vice-versa)?`)
	}},
	{code: "start-error-mount-or-cgroup", name: "no cgroup left on the node", build: func(b *snaptest.Builder) {
		startError(webPod(b), runcFailed+"unable to apply cgroup configuration: mkdir /sys/fs/cgroup/memory/kubepods/x: no space left on device")
	}},
	{code: "start-error-mount-or-cgroup", name: "command absent", near: true, want: []string{"start-error-exec-not-found"}, build: func(b *snaptest.Builder) {
		startError(webPod(b), runcFailed+`exec: "/app": stat /app: no such file or directory: unknown`)
	}},
	{code: "create-container-error", name: "runtime too slow", confidence: cause.Certain, build: func(b *snaptest.Builder) {
		createError(webPod(b), "context deadline exceeded", 4)
	}},
	{code: "create-container-error", name: "no command anywhere", confidence: cause.Certain, build: func(b *snaptest.Builder) {
		createError(webPod(b), `failed to generate container "x" spec: failed to generate spec: no command specified`, 4)
	}},
	{code: "create-container-error", name: "path of the host absent", confidence: cause.Certain, build: func(b *snaptest.Builder) {
		createError(webPod(b), `failed to generate container "x" spec: failed to generate spec: failed to stat "/host/dir": stat /host/dir: no such file or directory`, 4)
	}},
	{code: "create-container-error", name: "configuration absent", near: true, want: []string{"configmap-missing-env"}, build: func(b *snaptest.Builder) {
		configError(webPod(b), `configmap "app" not found`)
	}},
}
