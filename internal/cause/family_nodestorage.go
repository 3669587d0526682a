package cause

import "github.com/unjam-dev/unjam/internal/pullerror"

// A long file: it is a table, one entry per cause.

func nodeStorageCauses() []Cause {
	freeImages := cure("node owner", "Remove images that nothing uses (they can be pulled again).", "kubectl debug node/{node} -it --image=busybox -- chroot /host crictl rmi --prune", "nothing to take back: images are pulled again when needed")
	repairNode := Step{Text: "Repair or replace the node.", Approver: "node owner"}
	restart := cure("node owner", "Restart the runtime (running containers go on).", "kubectl debug node/{node} -it --image=busybox -- chroot /host systemctl restart containerd", "nothing to take back")
	moveAway := cure("app owner", "Let the pod be made anew on another node, after cordoning this one.", "kubectl cordon {node} && kubectl -n {namespace} delete pod {pod}", "kubectl uncordon {node}")
	dropImage := cure("node owner", "Remove the damaged copy, so that it is pulled again.", "kubectl debug node/{node} -it --image=busybox -- chroot /host crictl rmi {image}", "nothing to take back: it is pulled again")
	return []Cause{
		{Code: "disk-full", Family: NodeStorage, Class: Terminal, Title: "Node's disk for images is full", Detect: nodeCause("disk-full", pullerror.DiskFull, pullerror.QuotaExceeded),
			Playbook: Playbook{Means: "There is no room to unpack the image. A pull needs space for the packed and the unpacked bytes at once.",
				Verify: []Step{nodeDisk}, Mend: []Step{freeImages, moveAway, {Text: "Give nodes a larger disk, or lower the image clean-up thresholds.", Approver: "platform team"}}}},
		{Code: "inodes-exhausted", Family: NodeStorage, Class: Terminal, Title: "Node's file system has no free inodes", Detect: nodeCause("inodes-exhausted", pullerror.DiskFull, pullerror.InodesFull),
			Playbook: Playbook{Means: "The disk has bytes left but no room for another file: very many small files use up the inodes. The error is the same as for a full disk.",
				Verify: []Step{nodeDisk}, Mend: []Step{freeImages, moveAway, {Text: "Make the file system with more inodes, or as XFS.", Approver: "node owner"}}}},
		{Code: "image-gc-failing", Family: NodeStorage, Class: SelfHealing, Title: "Kubelet cannot free disk space", Detect: either(failingGC, pullCause("image-gc-failing", pullerror.ImageGC)),
			Playbook: Playbook{Means: "The node's disk is nearly full, and removing unused images does not free enough: what fills it is images in use, logs or volumes.",
				Verify: []Step{nodeDisk, look("See the node's events.", "kubectl get events -A --field-selector involvedObject.kind=Node,involvedObject.name={node}")}, Mend: []Step{freeImages, cordon, {Text: "Find and remove what else fills the disk.", Approver: "node owner"}}}},
		{Code: "image-gc-churn", Family: NodeStorage, Class: SelfHealing, Title: "Images are removed and pulled again", Detect: churningGC,
			Playbook: Playbook{Means: "The node ran this image before, removed it to free its disk, and pulls it again. The disk is too small for what runs there.",
				Verify: []Step{nodeDisk}, Mend: []Step{waitRetry, {Text: "Give the node a larger disk or raise the clean-up thresholds.", Approver: "platform team"}}}},
		{Code: "evicted-during-pull", Family: NodeStorage, Class: Terminal, Title: "Pod evicted while its image was pulled", Detect: evictedWhilePulling,
			Playbook: Playbook{Means: "The image filled the node's disk while it was pulled, and the kubelet evicted the very pod it was for. A new pod on the same node meets the same end.",
				Verify: []Step{nodeDisk, look("See the sum of the image's layers.", "crane manifest {image} | jq '[.layers[].size] | add'")}, Mend: []Step{freeImages, {Text: "Make the image smaller or the node's disk larger.", Approver: "platform team"}}}},
		{Code: "storage-read-only-or-io-error", Family: NodeStorage, Class: Terminal, Title: "Node's disk is read-only or failing", Detect: nodeCause("storage-read-only-or-io-error", pullerror.ReadOnlyFS, pullerror.IOError),
			Playbook: Playbook{Means: "The kernel reports read or write errors of the disk, or has made it read-only to protect it. Nothing can be unpacked there.",
				Verify: []Step{look("Read the kernel's log.", "kubectl debug node/{node} -it --image=busybox -- chroot /host dmesg -T")}, Mend: []Step{cordon, moveAway, repairNode}}},
		{Code: "unpack-mount-failed", Family: NodeStorage, Class: Terminal, Title: "Node cannot mount image layers", Detect: nodeCause("unpack-mount-failed", pullerror.UnpackMount),
			Playbook: Playbook{Means: "The kernel refuses the overlay mount that layers need: the runtime's folder lies on another overlay or an unfit file system, the module is missing, or rights are.",
				Verify: []Step{look("See what the runtime's folder lies on.", "kubectl debug node/{node} -it --image=busybox -- chroot /host findmnt -T /var/lib/containerd"), runtimeLog}, Mend: []Step{moveAway, {Text: "Put the runtime's folder on ext4 or XFS, or use another snapshotter.", Approver: "node owner"}}}},
		{Code: "unpack-permission", Family: NodeStorage, Class: Terminal, Title: "Runtime lacks rights to unpack", Detect: nodeCause("unpack-permission", pullerror.UnpackPermission),
			Playbook: Playbook{Means: "A file of the image needs an owner, a device node or an attribute that the runtime may not set: it runs rootless or nested, or on a file system without them.",
				Verify: []Step{runtimeLog}, Mend: []Step{moveAway, {Text: "Give the runtime a fit file system, id range or rights.", Approver: "node owner"}}}},
		{Code: "xfs-no-dtype", Family: NodeStorage, Class: Terminal, Title: "XFS without ftype under the runtime", Detect: nodeCause("xfs-no-dtype", pullerror.XFSNoDtype),
			Playbook: Playbook{Means: "Overlay needs a feature (d_type) that this XFS file system was made without, so the snapshotter does not load.",
				Verify: []Step{look("See the file system's settings.", "kubectl debug node/{node} -it --image=busybox -- chroot /host xfs_info /var/lib/containerd")}, Mend: []Step{moveAway, {Text: "Make the file system anew with ftype=1.", Approver: "node owner"}}}},
		{Code: "snapshot-parent-missing", Family: NodeStorage, Class: SelfHealing, Title: "Layer lost from the node's store", Detect: nodeCause("snapshot-parent-missing", pullerror.SnapshotParent),
			Playbook: Playbook{Means: "The store lost a layer that this image builds on. Once, it was a race with the clean-up and heals; again and again, the store is damaged.",
				Verify: []Step{runtimeLog, nodeImages}, Mend: []Step{waitRetry, dropImage, restart, moveAway}}},
		{Code: "content-missing", Family: NodeStorage, Class: Terminal, Title: "Image's content lost from the node's store", Detect: nodeCause("content-missing", pullerror.ContentMissing),
			Playbook: Playbook{Means: "The store says that it has the image, and a part of it is gone, often after a hard stop or when a second snapshotter is used. The registry is not to blame.",
				Verify: []Step{nodeImages, runtimeLog}, Mend: []Step{dropImage, moveAway}}},
		{Code: "crio-storage-corrupt", Family: NodeStorage, Class: Terminal, Title: "CRI-O's layer store is damaged", Detect: nodeCause("crio-storage-corrupt", pullerror.StorageCorrupt),
			Playbook: Playbook{Means: "After a hard stop CRI-O's record of layers and the layers themselves disagree. Retries do not help.",
				Verify: []Step{look("Read CRI-O's log.", "kubectl debug node/{node} -it --image=busybox -- chroot /host journalctl -u crio --since -30min")}, Mend: []Step{moveAway, {Text: "Drain the node and wipe the store (crio wipe -f).", Approver: "node owner"}}}},
		{Code: "snapshotter-not-found", Family: NodeStorage, Class: Terminal, Title: "Snapshotter not present on the node", Detect: nodeCause("snapshotter-not-found", pullerror.SnapshotterAbsent),
			Playbook: Playbook{Means: "The runtime is told to unpack with a snapshotter that is not installed or not set up for pulls on this node.",
				Verify: []Step{look("See which are loaded.", "kubectl debug node/{node} -it --image=busybox -- chroot /host ctr plugins ls"), runtimeLog}, Mend: []Step{moveAway, {Text: "Install it, or add it to unpack_config of containerd's transfer service.", Approver: "node owner"}}}},
		{Code: "image-inspect-failed", Family: NodeStorage, Class: SelfHealing, Title: "Runtime cannot inspect the image", Detect: nodeCause("image-inspect-failed", pullerror.InspectFailed),
			Playbook: Playbook{Means: "Before any pull the kubelet asks the runtime whether it has the image, and the runtime failed to say: it hangs, its disk is slow, or its store is damaged.",
				Verify: []Step{runtimeLog, look("See the node's conditions.", "kubectl describe node {node}")}, Mend: []Step{waitRetry, restart, moveAway}}},
		{Code: "runtime-socket-down", Family: NodeStorage, Class: SelfHealing, Title: "Container runtime does not answer", Detect: nodeCause("runtime-socket-down", pullerror.RuntimeDown),
			Playbook: Playbook{Means: "The kubelet cannot reach the container runtime's socket. Nothing can be pulled or started on this node until it runs again.",
				Verify: []Step{look("See the runtime's state.", "kubectl get node {node} -o jsonpath='{.status.conditions[?(@.type==\"Ready\")].message}'")}, Mend: []Step{cordon, {Text: "Start the runtime on the node and find out why it stopped.", Approver: "node owner"}}}},
		{Code: "runtime-restarted-mid-pull", Family: NodeStorage, Class: SelfHealing, Title: "Runtime restarted during the pull", Detect: nodeCause("runtime-restarted-mid-pull", pullerror.Cancelled, pullerror.RuntimeRestarted),
			Playbook: Playbook{Means: "The container runtime went away while it pulled, and all its pulls with it. The kubelet tries again by itself.",
				Verify: []Step{runtimeLog}, Mend: []Step{waitRetry, {Text: "Find out what restarted the runtime (memory, an upgrade).", Approver: "node owner"}}}},
		{Code: "mirror-config-conflict-cri-disabled", Family: NodeStorage, Class: Terminal, Title: "containerd refused its registry settings", Detect: nodeCause("mirror-config-conflict-cri-disabled", pullerror.MirrorConflict),
			Playbook: Playbook{Means: "containerd's configuration holds both the old mirror table and config_path. It then leaves out the whole Kubernetes part, so the node cannot start anything.",
				Verify: []Step{runtimeLog}, Mend: []Step{cordon, {Text: "Keep config_path and hosts.toml only, take the mirrors and configs tables out, and restart containerd.", Approver: "node owner"}}}},
		{Code: "sandbox-image-pull-failed", Family: NodeStorage, Class: Terminal, Title: "Pause image cannot be pulled", Detect: either(sandboxImage("sandbox-image-pull-failed"), pullCause("sandbox-image-pull-failed", pullerror.SandboxImage)),
			Playbook: Playbook{Means: "Every pod needs a small pause image, which the runtime names in its own settings. The node does not have it and cannot pull it, so no pod starts; the pods' own secrets are not used for it.",
				Verify: []Step{look("See which one the runtime wants.", "kubectl debug node/{node} -it --image=busybox -- chroot /host sh -c 'containerd config dump | grep -E \"sandbox_image|sandbox =\"'"), nodeImages},
				Mend:   []Step{cordon, {Text: "Import the image on the node (ctr -n k8s.io images import), or name one in a registry the node can reach.", Approver: "node owner"}}}},
		{Code: "sandbox-image-gced", Family: NodeStorage, Class: Terminal, Title: "Pause image was removed by the clean-up", Detect: sandboxImage("sandbox-image-gced"),
			Playbook: Playbook{Means: "The node had the pause image, for it ran pods, and the kubelet's image clean-up removed it: the kubelet and the runtime name different ones, so it was not protected. The runtime cannot pull it again.",
				Verify: []Step{nodeImages, nodeDisk}, Mend: []Step{cordon, {Text: "Import the image again, and set the same pinned pause image for kubelet and runtime.", Approver: "node owner"}}}},
		{Code: "container-name-reserved", Family: NodeStorage, Class: SelfHealing, Title: "Container's name still taken in the runtime", Detect: nodeCause("container-name-reserved", pullerror.NameReserved),
			Playbook: Playbook{Means: "An earlier try to make the container did not finish within the kubelet's time, and the runtime still holds its name. A slow disk or a huge image makes tries take that long; it ends when the first one does.",
				Verify: []Step{runtimeLog, seeEvents}, Mend: []Step{waitRetry, retryNow, restart}}},
		{Code: "image-volume-mount-failed", Family: NodeStorage, Class: Terminal, Title: "Image volume cannot be mounted", Detect: nodeCause("image-volume-mount-failed", pullerror.ImageVolume),
			Playbook: Playbook{Means: "The image of a volume was pulled and cannot be mounted: this runtime does not support image volumes, the artifact is of a form it cannot unpack, or the sub-path is not in it.",
				Verify: []Step{look("Compare runtimes.", "kubectl get nodes -o custom-columns=N:.metadata.name,R:.status.nodeInfo.containerRuntimeVersion"), seeEvents}, Mend: []Step{rollBack, {Text: "Upgrade the runtime, or use a runnable image for the volume.", Approver: "platform team"}}}},
	}
}
