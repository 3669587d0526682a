package cause_test

import (
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/unjam-dev/unjam/internal/cause"
	"github.com/unjam-dev/unjam/internal/snapshot/snaptest"
)

var diskText = unpacking("failed to extract layer " + layer + ": mount callback failed on /var/lib/containerd/tmpmounts/containerd-mount252943319: write /var/lib/containerd/tmpmounts/containerd-mount252943319/app: no space left on device: unknown")

// creating is a container that cannot be created after a good pull.
func creating(message string) func(*snaptest.Builder) {
	return func(b *snaptest.Builder) {
		b.Node("n1")
		b.Deployment("web", lab, 1).Pod("n1").Waiting("CreateContainerError", message).
			Event("Normal", "Pulled", `Container image "`+lab+`" already present on machine`, 4*time.Minute, 10*time.Second, 9).
			Event("Warning", "Failed", "Error: "+message, 4*time.Minute, 10*time.Second, 9)
	}
}

// nodeSays adds an event about node n1.
func nodeSays(reason, message string) func(*snaptest.Builder) {
	return func(b *snaptest.Builder) {
		b.Event("Node", "", "n1", "", "Warning", reason, message, 4*time.Minute, time.Minute, 3)
	}
}

// withoutSandbox is a pod whose sandbox cannot be made.
func withoutSandbox(message string, more ...func(*snaptest.Builder)) func(*snaptest.Builder) {
	return func(b *snaptest.Builder) {
		b.Node("n1")
		for _, f := range more {
			f(b)
		}
		b.Deployment("web", lab, 1).Pod("n1").Condition("PodReadyToStartContainers", corev1.ConditionFalse, "", "").
			Event("Warning", "FailedCreatePodSandBox", message, 50*time.Second, 10*time.Second, 5)
	}
}

// evicted is a pod that was evicted and never replaced.
func evicted(started bool) func(*snaptest.Builder) {
	return func(b *snaptest.Builder) {
		b.Node("n1")
		p := b.Deployment("web", lab, 1).Pod("n1")
		p.Obj.Status.Phase, p.Obj.Status.Reason, p.Obj.Status.Message = corev1.PodFailed, "Evicted", "The node was low on resource: ephemeral-storage. "
		p.Event("Normal", "Pulling", `Pulling image "`+lab+`"`, 2*time.Minute, 2*time.Minute, 1)
		if started {
			p.Event("Normal", "Started", "Started container app", 90*time.Second, 90*time.Second, 1)
		}
		p.Event("Warning", "Evicted", "The node was low on resource: ephemeral-storage. ", time.Minute, time.Minute, 1)
	}
}

const gcFailed = "Failed to garbage collect required amount of images. Attempted to free 2000000000 bytes, but only found 0 bytes eligible to free."

var nodeStorageCases = []testCase{
	leans("disk-full", "no word from the node", lab, diskText),
	fires("disk-full", "kubelet reclaims", lab, diskText, nodeSays("EvictionThresholdMet", "Attempting to reclaim ephemeral-storage")),
	not("disk-full", "inodes", "inodes-exhausted", lab, diskText, nodeSays("EvictionThresholdMet", "Attempting to reclaim inodes")),
	fires("inodes-exhausted", "kubelet reclaims inodes", lab, diskText, nodeSays("EvictionThresholdMet", "Attempting to reclaim inodes")),
	not("inodes-exhausted", "bytes", "disk-full", lab, diskText, nodeSays("EvictionThresholdMet", "Attempting to reclaim ephemeral-storage")),
	{code: "image-gc-failing", name: "while a pull fails for space", build: pull(lab, diskText, nodeSays("ImageGCFailed", gcFailed)), want: []string{"disk-full", "image-gc-failing"}},
	not("image-gc-failing", "the pull fails for another reason", "tag-not-found", lab, missing, nodeSays("ImageGCFailed", gcFailed)),
	{code: "image-gc-churn", name: "pulled again", confidence: cause.Likely, want: []string{"image-gc-churn", "image-gc-failing"}, build: churn("v1.34.2")},
	{code: "image-gc-churn", name: "kubelet that verifies credentials", near: true, build: churn("v1.37.1"), want: []string{"image-gc-failing"}},
	{code: "evicted-during-pull", name: "before the first start", confidence: cause.Certain, build: evicted(false)},
	{code: "evicted-during-pull", name: "after it ran", near: true, build: evicted(true), want: []string{"evicted-storage"}},
	fires("storage-read-only-or-io-error", "read-only", lab, unpacking("failed to extract layer "+layer+": write /var/lib/containerd/x: read-only file system")),
	not("storage-read-only-or-io-error", "full", "disk-full", lab, diskText),
	fires("unpack-mount-failed", "nested overlay", lab, unpacking("failed to extract layer "+layer+": failed to mount /var/lib/containerd/tmpmounts/containerd-mount895935883: operation not permitted: unknown")),
	not("unpack-mount-failed", "full", "disk-full", lab, diskText),
	fires("unpack-permission", "whiteout", lab, unpacking(`failed to extract layer `+layer+`: failed to convert whiteout file "etc/alternatives/.wh.pager.1.gz": operation not permitted`)),
	not("unpack-permission", "broken archive", "corrupt-layer-tar", lab, unpacking("failed to extract layer "+layer+": archive/tar: invalid tar header: unknown")),
	fires("xfs-no-dtype", "ftype", lab, "/var/lib/containerd does not support d_type. If the backing filesystem is xfs, please reformat with ftype=1 to enable d_type support"),
	not("xfs-no-dtype", "snapshotter not installed", "snapshotter-not-found", lab, unpacking("snapshotter nydus was not found: not found")),
	fires("snapshot-parent-missing", "parent gone", lab, "rpc error: code = NotFound desc = "+unpacking(`failed to prepare extraction snapshot "extract-795119289-7389 `+layer+`": parent snapshot `+layer+` does not exist: not found`)),
	not("snapshot-parent-missing", "missing tag", "tag-not-found", lab, missing),
	{code: "content-missing", name: "after a good pull", confidence: cause.Certain, build: creating("failed to create containerd container: error unpacking image: failed to resolve rootfs: content digest " + layer + ": not found")},
	not("content-missing", "missing tag", "tag-not-found", lab, missing),
	fires("crio-storage-corrupt", "layer not known", lab, `committing the finished image: error reading layer "0123" for blob "`+layer+`": error creating overlay mount to /var/lib/containers/storage/overlay/x/merged: no such file or directory`),
	not("crio-storage-corrupt", "registry", "registry-5xx", lab, status(lab, manV, "500 Internal Server Error")),
	fires("snapshotter-not-found", "not installed", lab, unpacking("snapshotter nydus was not found: not found")),
	not("snapshotter-not-found", "missing tag", "tag-not-found", lab, missing),
	{code: "image-inspect-failed", name: "runtime hangs", confidence: cause.Certain, build: func(b *snaptest.Builder) {
		b.Node("n1")
		text := `Failed to inspect image "": rpc error: code = DeadlineExceeded desc = context deadline exceeded`
		b.Deployment("web", lab, 1).Pod("n1").Waiting("ImageInspectError", text).Event("Warning", "InspectFailed", text, 4*time.Minute, 10*time.Second, 3)
	}},
	not("image-inspect-failed", "the pull fails", "tcp-timeout", lab, labFails(timedOut)),
	fires("runtime-socket-down", "dial unix", lab, `rpc error: code = Unavailable desc = connection error: desc = "transport: Error while dialing: dial unix /run/containerd/containerd.sock: connect: connection refused"`),
	not("runtime-socket-down", "dial tcp", "tcp-refused", lab, labFails(connRefused)),
	fires("runtime-restarted-mid-pull", "EOF of the runtime", lab, "rpc error: code = Unavailable desc = error reading from server: EOF"),
	not("runtime-restarted-mid-pull", "no progress", "pull-progress-timeout", lab, "cancel pulling image "+lab+" because of no progress in 1m0s"),
	fires("mirror-config-conflict-cri-disabled", "both set", lab, "`mirrors` cannot be set when `config_path` is provided"),
	not("mirror-config-conflict-cri-disabled", "socket", "runtime-socket-down", lab, `rpc error: code = Unavailable desc = connection error: desc = "transport: Error while dialing: dial unix /run/containerd/containerd.sock: connect: connection refused"`),
	{code: "sandbox-image-pull-failed", name: "never there", confidence: cause.Certain, build: withoutSandbox(pauseFails)},
	{code: "sandbox-image-pull-failed", name: "network plugin", near: true, want: []string{"cni-setup-failed"}, build: withoutSandbox(`Failed to create pod sandbox: rpc error: code = Unknown desc = failed to setup network for sandbox "x": plugin type="calico" failed (add): stat /var/lib/calico/nodename: no such file or directory`)},
	{code: "sandbox-image-gced", name: "the node ran pods", confidence: cause.Likely, build: withoutSandbox(pauseFails, neighbour("other", "registry.lab:5000/shop/other:v1", "n1"))},
	{code: "sandbox-image-gced", name: "new node", near: true, want: []string{"sandbox-image-pull-failed"}, build: withoutSandbox(pauseFails)},
	{code: "container-name-reserved", name: "reserved", confidence: cause.Certain, build: creating(`failed to reserve container name "app_web_shop_0": name "app_web_shop_0" is reserved for "a865"`)},
	{code: "container-name-reserved", name: "content", near: true, want: []string{"content-missing"}, build: creating("failed to create containerd container: error unpacking image: failed to resolve rootfs: content digest " + layer + ": not found")},
	{code: "image-volume-mount-failed", name: "not supported", confidence: cause.Certain, build: creating("ImageVolumeMountFailed: failed to mount image volume: unsupported")},
	{code: "image-volume-mount-failed", name: "name reserved", near: true, want: []string{"container-name-reserved"}, build: creating(`failed to reserve container name "app_web_shop_0": name "app_web_shop_0" is reserved for "a865"`)},
}

const pauseFails = `Failed to create pod sandbox: rpc error: code = Unknown desc = failed to get sandbox image "registry.k8s.io/pause:3.9": failed to pull image "registry.k8s.io/pause:3.9": failed to pull and unpack image "registry.k8s.io/pause:3.9": failed to resolve reference "registry.k8s.io/pause:3.9": failed to do request: Head "https://registry.k8s.io/v2/pause/manifests/3.9": dial tcp 34.96.108.209:443: i/o timeout`

// churn is a node that ran the image, frees its disk, and pulls it again.
func churn(version string) func(*snaptest.Builder) {
	return func(b *snaptest.Builder) {
		b.Node("n1")
		kubelet(version)(b)
		nodeSays("FreeDiskSpaceFailed", gcFailed)(b)
		b.Deployment("other", lab, 1, func(s *corev1.PodSpec) { s.Containers[0].ImagePullPolicy = corev1.PullIfNotPresent }).Pod("n1")
		old := b.Snap.Objects.Pods[len(b.Snap.Objects.Pods)-1]
		old.Status.Phase = corev1.PodSucceeded
		old.Status.ContainerStatuses[0].State = corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: 0, Reason: "Completed", FinishedAt: snaptest.Ago(4 * time.Minute)}}
		b.Snap.Objects.Deployments = b.Snap.Objects.Deployments[:0]
		b.Snap.Objects.ReplicaSets = b.Snap.Objects.ReplicaSets[:0]
		b.Deployment("web", lab, 1, func(s *corev1.PodSpec) { s.Containers[0].ImagePullPolicy = corev1.PullIfNotPresent }).Pod("n1").
			Event("Normal", "Pulling", `Pulling image "`+lab+`"`, 30*time.Second, 30*time.Second, 1)
	}
}
