package cause_test

import (
	"time"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/unjam-dev/unjam/internal/snapshot/snaptest"
)

func mountsClaim(name string) func(*corev1.PodSpec) {
	return func(s *corev1.PodSpec) {
		s.Volumes = append(s.Volumes, corev1.Volume{Name: "v", VolumeSource: corev1.VolumeSource{PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: name}}})
	}
}

// addClaim adds a claim of a class; volume is empty while it is not bound.
func addClaim(b *snaptest.Builder, name, class, volume string, modes ...corev1.PersistentVolumeAccessMode) *corev1.PersistentVolumeClaim {
	c := &corev1.PersistentVolumeClaim{ObjectMeta: metav1.ObjectMeta{Namespace: snaptest.Namespace, Name: name}}
	c.Spec.AccessModes, c.Spec.VolumeName = modes, volume
	if class != "" {
		c.Spec.StorageClassName = &class
	}
	c.Status.Phase = corev1.ClaimPending
	if volume != "" {
		c.Status.Phase = corev1.ClaimBound
	}
	b.Snap.Objects.PVCs = append(b.Snap.Objects.PVCs, c)
	return c
}

func addClass(b *snaptest.Builder, name, provisioner string) {
	b.Snap.Objects.StorageClasses = append(b.Snap.Objects.StorageClasses, &storagev1.StorageClass{ObjectMeta: metav1.ObjectMeta{Name: name}, Provisioner: provisioner})
}

// addVolume adds a volume usable where the label has the value.
func addVolume(b *snaptest.Builder, name, key, value string) *corev1.PersistentVolume {
	v := &corev1.PersistentVolume{ObjectMeta: metav1.ObjectMeta{Name: name}}
	v.Spec.Capacity = corev1.ResourceList{"storage": resource.MustParse("1Gi")}
	if key != "" {
		v.Spec.NodeAffinity = &corev1.VolumeNodeAffinity{Required: &corev1.NodeSelector{NodeSelectorTerms: []corev1.NodeSelectorTerm{{MatchExpressions: []corev1.NodeSelectorRequirement{{Key: key, Operator: "In", Values: []string{value}}}}}}}
	}
	b.Snap.Objects.PVs = append(b.Snap.Objects.PVs, v)
	return v
}

// before is a pod on n1 that has neither volumes nor sandbox.
func before(b *snaptest.Builder, change ...func(*corev1.PodSpec)) *snaptest.Pod {
	b.Node("n1")
	return b.Deployment("web", image, 1, change...).Pod("n1").Condition("PodReadyToStartContainers", corev1.ConditionFalse, "", "")
}

func failsMount(b *snaptest.Builder, message string, change ...func(*corev1.PodSpec)) *snaptest.Pod {
	return before(b, change...).Event("Warning", "FailedMount", message, 4*time.Minute, 20*time.Second, 8)
}

func failsAttach(b *snaptest.Builder, message string, change ...func(*corev1.PodSpec)) *snaptest.Pod {
	return before(b, change...).Event("Warning", "FailedAttachVolume", message, 4*time.Minute, 20*time.Second, 8)
}

// mounted adds the start that follows a failure.
func mounted(p *snaptest.Pod) {
	p.Condition("PodReadyToStartContainers", corev1.ConditionTrue, "", "").Event("Normal", "Started", "Started container app", 10*time.Second, 10*time.Second, 1).Ready()
}

const unboundText = "0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims. preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling."

var volumeCases = []testCase{
	{code: "unbound-immediate-pvc", name: "no such class", build: func(b *snaptest.Builder) {
		b.Node("n1")
		addClass(b, "standard", "ebs.csi.aws.com")
		addClaim(b, "data", "fast", "")
		b.Event("PersistentVolumeClaim", snaptest.Namespace, "data", "", "Warning", "ProvisioningFailed", `storageclass.storage.k8s.io "fast" not found`, 4*time.Minute, 10*time.Second, 9)
		waits(b, "0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims. not found", mountsClaim("data"))
	}},
	{code: "provisioning-failed", name: "the cloud refuses", build: func(b *snaptest.Builder) {
		b.Node("n1")
		addClass(b, "gp3", "ebs.csi.aws.com")
		addClaim(b, "data", "gp3", "")
		b.Event("PersistentVolumeClaim", snaptest.Namespace, "data", "", "Warning", "ProvisioningFailed", `failed to provision volume with StorageClass "gp3": rpc error: code = ResourceExhausted desc = volume limit exceeded`, 4*time.Minute, 10*time.Second, 9)
		waits(b, unboundText, mountsClaim("data"))
	}},
	{code: "provisioning-failed", name: "no class, no default", build: func(b *snaptest.Builder) {
		b.Node("n1")
		addClaim(b, "data", "", "")
		b.Event("PersistentVolumeClaim", snaptest.Namespace, "data", "", "Normal", "FailedBinding", "no persistent volumes available for this claim and no storage class is set", 4*time.Minute, 10*time.Second, 9)
		waits(b, unboundText, mountsClaim("data"))
	}},
	{code: "provisioning-failed", name: "waiting for the first consumer is normal", near: true, want: []string{"insufficient-cpu"}, build: func(b *snaptest.Builder) {
		b.Node("n1")
		fill(b, "n1", requests("cpu", "4"))
		addClass(b, "gp3", "ebs.csi.aws.com")
		addClaim(b, "data", "gp3", "")
		b.Event("PersistentVolumeClaim", snaptest.Namespace, "data", "", "Normal", "WaitForFirstConsumer", "waiting for first consumer to be created before binding", 4*time.Minute, 10*time.Second, 9)
		waits(b, refusal(1, "1 Insufficient cpu", noVictims), mountsClaim("data"), requests("cpu", "1"))
	}},
	{code: "unbound-immediate-pvc", name: "the provisioner is silent", build: func(b *snaptest.Builder) {
		b.Node("n1")
		addClass(b, "gp3", "ebs.csi.aws.com")
		addClaim(b, "data", "gp3", "")
		waits(b, unboundText, mountsClaim("data"))
	}},
	{code: "unbound-immediate-pvc", name: "nothing but the pod", build: func(b *snaptest.Builder) {
		unseen(b, "nodes", "events", "persistentvolumeclaims", "storageclasses")
		waits(b, unboundText, mountsClaim("data"))
	}},
	{code: "unbound-immediate-pvc", name: "no such claim", near: true, want: []string{"pvc-not-found"}, build: func(b *snaptest.Builder) {
		b.Node("n1")
		waits(b, `0/1 nodes are available: persistentvolumeclaim "data" not found. not found`, mountsClaim("data"))
	}},
	{code: "pvc-not-found", name: "misspelt", build: func(b *snaptest.Builder) {
		b.Node("n1")
		addClaim(b, "data-web", "gp3", "pv1")
		waits(b, `0/1 nodes are available: persistentvolumeclaim "data" not found. not found`, mountsClaim("data"))
	}},
	{code: "pvc-not-found", name: "there, but not bound", near: true, want: []string{"unbound-immediate-pvc"}, build: func(b *snaptest.Builder) {
		b.Node("n1")
		addClaim(b, "data", "gp3", "")
		waits(b, unboundText, mountsClaim("data"))
	}},
	{code: "pvc-lost-or-deleting", name: "its volume is gone", build: func(b *snaptest.Builder) {
		b.Node("n1")
		addClaim(b, "data", "gp3", "pv1").Status.Phase = corev1.ClaimLost
		waits(b, `0/1 nodes are available: persistentvolumeclaim "data" bound to non-existent persistentvolume "pv1". preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.`, mountsClaim("data"))
	}},
	{code: "pvc-lost-or-deleting", name: "in another zone", near: true, want: []string{"volume-node-affinity-conflict"}, build: func(b *snaptest.Builder) {
		b.Node("n1", nodeLabel("zone", "a"))
		addClaim(b, "data", "gp3", "pv1")
		addVolume(b, "pv1", "zone", "b")
		waits(b, refusal(1, "1 node(s) had volume node affinity conflict", notHelpful), mountsClaim("data"))
	}},
	{code: "pv-no-match", name: "no volume made by hand", build: func(b *snaptest.Builder) {
		b.Node("n1")
		addClass(b, "local", "kubernetes.io/no-provisioner")
		addClaim(b, "data", "local", "")
		waits(b, refusal(1, "1 node(s) didn't find available persistent volumes to bind", notHelpful), mountsClaim("data"))
	}},
	{code: "pv-no-match", name: "bound, but elsewhere", near: true, want: []string{"volume-node-affinity-conflict"}, build: func(b *snaptest.Builder) {
		unseen(b, "nodes", "persistentvolumes")
		addClaim(b, "data", "local", "pv1")
		waits(b, refusal(1, "1 node(s) didn't match PersistentVolume's node affinity", notHelpful), mountsClaim("data"))
	}},
	{code: "volume-node-affinity-conflict", name: "the volume's node is not there", build: func(b *snaptest.Builder) {
		b.Node("n1")
		addClaim(b, "data", "local", "pv1")
		addVolume(b, "pv1", "kubernetes.io/hostname", "n9")
		waits(b, refusal(1, "1 node(s) didn't match PersistentVolume's node affinity", notHelpful), mountsClaim("data"))
	}},
	{code: "volume-node-affinity-conflict", name: "the right zone is only full", near: true, want: []string{"insufficient-cpu"}, build: func(b *snaptest.Builder) {
		b.Node("n1", nodeLabel("zone", "a"))
		b.Node("n2", nodeLabel("zone", "b"))
		fill(b, "n1", requests("cpu", "3500m"))
		addClaim(b, "data", "gp3", "pv1")
		addVolume(b, "pv1", "zone", "a")
		waits(b, refusal(2, "1 Insufficient cpu, 1 node(s) didn't match PersistentVolume's node affinity", noVictims), mountsClaim("data"), requests("cpu", "1"))
	}},
	{code: "volume-zone-conflict", name: "zone label of the volume", build: func(b *snaptest.Builder) {
		b.Node("n1", nodeLabel(corev1.LabelTopologyZone, "a"))
		addClaim(b, "data", "gp2", "pv1")
		addVolume(b, "pv1", "", "").Labels = map[string]string{corev1.LabelTopologyZone: "b"}
		waits(b, refusal(1, "1 node(s) had no available volume zone", notHelpful), mountsClaim("data"))
	}},
	{code: "volume-zone-conflict", name: "node affinity of the volume", near: true, want: []string{"volume-node-affinity-conflict"}, build: func(b *snaptest.Builder) {
		b.Node("n1", nodeLabel("zone", "a"))
		addClaim(b, "data", "gp3", "pv1")
		addVolume(b, "pv1", "zone", "b")
		waits(b, refusal(1, "1 node(s) didn't match PersistentVolume's node affinity", notHelpful), mountsClaim("data"))
	}},
	{code: "max-volume-count", name: "printed", build: func(b *snaptest.Builder) {
		b.Node("n1")
		addClaim(b, "data", "gp3", "pv1")
		waits(b, refusal(1, "1 node(s) exceed max volume count", noVictims), mountsClaim("data"))
	}},
	{code: "max-volume-count", name: "pods, not volumes", near: true, want: []string{"too-many-pods"}, build: func(b *snaptest.Builder) {
		b.Node("n1", offers("pods", "1"))
		fill(b, "n1")
		waits(b, refusal(1, "1 Too many pods", noVictims), mountsClaim("data"))
	}},
	{code: "storage-capacity", name: "pools full", build: func(b *snaptest.Builder) {
		b.Node("n1")
		waits(b, refusal(1, "1 node(s) did not have enough free storage", notHelpful), mountsClaim("data"))
	}},
	{code: "storage-capacity", name: "ephemeral storage", near: true, want: []string{"insufficient-ephemeral-storage"}, build: func(b *snaptest.Builder) {
		b.Node("n1")
		fill(b, "n1", requests("ephemeral-storage", "45Gi"))
		waits(b, refusal(1, "1 Insufficient ephemeral-storage", noVictims), requests("ephemeral-storage", "10Gi"))
	}},
	{code: "rwop-in-use", name: "the old pod has it", build: func(b *snaptest.Builder) {
		b.Node("n1")
		addClaim(b, "data", "gp3", "pv1", corev1.ReadWriteOncePod)
		b.Snap.Objects.PVs = append(b.Snap.Objects.PVs, &corev1.PersistentVolume{ObjectMeta: metav1.ObjectMeta{Name: "pv1"}})
		s := b.Deployment("web", image, 1, mountsClaim("data"))
		s.Old("registry.example.com/shop/web:v0", "n1", 1)
		s.Pod("").Unschedulable(refusal(1, "1 node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode already in-use by another pod", noVictims))
	}, want: []string{"surge-no-capacity"}},
	{code: "rwop-in-use", name: "text of 1.33, nodes not read", build: func(b *snaptest.Builder) {
		unseen(b, "nodes")
		waits(b, refusal(1, "1 node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode", noVictims), mountsClaim("data"))
	}},
	{code: "rwop-in-use", name: "attached elsewhere", near: true, want: []string{"multi-attach"}, build: func(b *snaptest.Builder) {
		failsAttach(b, `Multi-Attach error for volume "pv1" Volume is already exclusively attached to one node and can't be attached to another`, mountsClaim("data"))
	}},
	{code: "disk-conflict", name: "disk in use", build: func(b *snaptest.Builder) {
		b.Node("n1")
		waits(b, refusal(1, "1 node(s) had no available disk", noVictims))
	}},
	{code: "disk-conflict", name: "claim in use", near: true, want: []string{"multi-attach"}, build: func(b *snaptest.Builder) {
		failsAttach(b, `Waiting for detach for volume "pv1" Volume is already used by pod(s) web-old`, mountsClaim("data"))
	}},
	{code: "csi-driver-not-on-node-sched", name: "no driver", build: func(b *snaptest.Builder) {
		b.Node("n1")
		waits(b, refusal(1, "1 ebs.csi.aws.com CSI driver is not installed on the node", notHelpful), mountsClaim("data"))
	}},
	{code: "csi-driver-not-on-node-sched", name: "the kubelet's words", near: true, want: []string{"csi-driver-not-registered"}, build: func(b *snaptest.Builder) {
		failsMount(b, `MountVolume.MountDevice failed for volume "pv1" : kubernetes.io/csi: attacher.MountDevice failed to create newCsiDriverClient: driver name efs.csi.aws.com not found in the list of registered CSI drivers`, mountsClaim("data"))
	}},
	{code: "volume-bind-timeout", name: "ten minutes in vain", build: func(b *snaptest.Builder) {
		b.Node("n1")
		addClaim(b, "data", "gp3", "")
		b.Deployment("web", image, 1, mountsClaim("data")).Pod("").Condition(corev1.PodScheduled, corev1.ConditionFalse, "SchedulerError", `running PreBind plugin "VolumeBinding": binding volumes: context deadline exceeded`)
	}},
	{code: "volume-bind-timeout", name: "another plugin", near: true, want: []string{"scheduler-error"}, build: func(b *snaptest.Builder) {
		b.Node("n1")
		b.Deployment("web", image, 1, mountsClaim("data")).Pod("").Condition(corev1.PodScheduled, corev1.ConditionFalse, "SchedulerError", `running "NodePorts" filter plugin: context canceled`)
	}},
	{code: "statefulset-pvc-create-failed", name: "storage quota", build: func(b *snaptest.Builder) {
		s := b.StatefulSet("web", image, 1)
		b.Event("StatefulSet", snaptest.Namespace, "web", s.UID, "Warning", "FailedCreate", `create Claim data-web-0 for Pod web-0 in StatefulSet web failed error: persistentvolumeclaims "data-web-0" is forbidden: exceeded quota: storage, requested: requests.storage=10Gi, used: requests.storage=95Gi, limited: requests.storage=100Gi`, 4*time.Minute, 10*time.Second, 9)
	}, want: []string{"statefulset-pvc-create-failed"}},
	{code: "statefulset-pvc-create-failed", name: "both wordings of 1.37", build: func(b *snaptest.Builder) {
		s := b.StatefulSet("web", image, 1)
		b.Event("StatefulSet", snaptest.Namespace, "web", s.UID, "Warning", "FailedCreate", `Create Pod web-0 in StatefulSet web failed error: failed to create PVC data-web-0: persistentvolumeclaims "data-web-0" is forbidden: exceeded quota: storage, requested: requests.storage=10Gi, used: requests.storage=0, limited: requests.storage=1Gi`, 4*time.Minute, 4*time.Minute, 1)
		b.Event("StatefulSet", snaptest.Namespace, "web", s.UID, "Warning", "FailedCreate", `Create Claim data-web-0 for Pod web-0 in StatefulSet web failed error: persistentvolumeclaims "data-web-0" is forbidden: exceeded quota: storage, requested: requests.storage=10Gi, used: requests.storage=0, limited: requests.storage=1Gi`, 4*time.Minute, 10*time.Second, 9)
	}, want: []string{"statefulset-pvc-create-failed"}},
	{code: "statefulset-pvc-create-failed", name: "tried and made since", near: true, want: []string{}, build: func(b *snaptest.Builder) {
		b.Node("n1")
		s := b.StatefulSet("web", image, 1)
		b.Event("StatefulSet", snaptest.Namespace, "web", s.UID, "Warning", "FailedCreate", `create Claim data-web-0 for Pod web-0 in StatefulSet web failed error: persistentvolumeclaims "data-web-0" is forbidden: exceeded quota: storage`, 4*time.Minute, 3*time.Minute, 2)
		b.PodOf("StatefulSet", "web", s, "web-0", s.Spec.Template.Spec, "n1").Ready()
		s.Status.ReadyReplicas, s.Status.AvailableReplicas, s.Status.Replicas, s.Status.UpdatedReplicas = 1, 1, 1, 1
	}},
	{code: "multi-attach", name: "deadlock with the old pod", build: func(b *snaptest.Builder) {
		b.Node("n1")
		b.Node("n2")
		addClaim(b, "data", "gp3", "pv1", corev1.ReadWriteOnce)
		s := b.Deployment("web", image, 1, mountsClaim("data"))
		old := s.Old("registry.example.com/shop/web:v0", "n2", 1)[0]
		s.Pod("n1").Condition("PodReadyToStartContainers", corev1.ConditionFalse, "", "").
			Event("Warning", "FailedAttachVolume", `Multi-Attach error for volume "pv1" Volume is already used by pod(s) `+old.Obj.Name, 4*time.Minute, 4*time.Minute, 1)
	}},
	{code: "multi-attach", name: "let go since", near: true, want: []string{}, build: func(b *snaptest.Builder) {
		p := failsAttach(b, `Waiting for detach for volume "pv1" Volume is already exclusively attached to one node, waiting on detach before it can be attached to another node`, mountsClaim("data"))
		p.Event("Normal", "SuccessfulAttachVolume", `AttachVolume.Attach succeeded for volume "pv1"`, 10*time.Second, 10*time.Second, 1)
	}},
	{code: "attach-failed", name: "the driver refuses", build: func(b *snaptest.Builder) {
		failsAttach(b, `AttachVolume.Attach failed for volume "pv1" : rpc error: code = Internal desc = Could not attach volume "vol-1" to node "i-1": UnauthorizedOperation`, mountsClaim("data"))
	}},
	{code: "attach-failed", name: "only the attachment says so", build: func(b *snaptest.Builder) {
		before(b, mountsClaim("data"))
		addClaim(b, "data", "gp3", "pv1")
		pv := "pv1"
		b.Snap.Objects.VolumeAttaches = append(b.Snap.Objects.VolumeAttaches, &storagev1.VolumeAttachment{ObjectMeta: metav1.ObjectMeta{Name: "csi-1"},
			Spec:   storagev1.VolumeAttachmentSpec{NodeName: "n1", Attacher: "ebs.csi.aws.com", Source: storagev1.VolumeAttachmentSource{PersistentVolumeName: &pv}},
			Status: storagev1.VolumeAttachmentStatus{AttachError: &storagev1.VolumeError{Message: "rpc error: code = Internal desc = volume is in zone b", Time: snaptest.Ago(time.Minute)}}})
	}},
	{code: "attach-failed", name: "in use elsewhere", near: true, want: []string{"multi-attach"}, build: func(b *snaptest.Builder) {
		failsAttach(b, `Multi-Attach error for volume "pv1" Volume is already used by pod(s) web-old`, mountsClaim("data"))
	}},
	{code: "secretproviderclass-missing", name: "no such class", build: func(b *snaptest.Builder) {
		failsMount(b, `MountVolume.SetUp failed for volume "secrets" : rpc error: code = Unknown desc = failed to get secretproviderclass shop/aws-secrets, error: SecretProviderClass.secrets-store.csi.x-k8s.io "aws-secrets" not found`, mountsSecretStore)
	}},
	{code: "secretproviderclass-missing", name: "access denied", near: true, want: []string{"external-secret-access-denied"}, build: func(b *snaptest.Builder) {
		failsMount(b, deniedText, mountsSecretStore)
	}},
	{code: "external-secret-access-denied", name: "access denied", build: func(b *snaptest.Builder) { failsMount(b, deniedText, mountsSecretStore) }},
	{code: "external-secret-access-denied", name: "no such class", near: true, want: []string{"secretproviderclass-missing"}, build: func(b *snaptest.Builder) {
		failsMount(b, `MountVolume.SetUp failed for volume "secrets" : rpc error: code = Unknown desc = failed to get secretproviderclass shop/aws-secrets, error: SecretProviderClass.secrets-store.csi.x-k8s.io "aws-secrets" not found`, mountsSecretStore)
	}},
	{code: "csi-driver-not-registered", name: "no driver on the node", build: func(b *snaptest.Builder) {
		failsMount(b, `MountVolume.MountDevice failed for volume "pv1" : kubernetes.io/csi: attacher.MountDevice failed to create newCsiDriverClient: driver name efs.csi.aws.com not found in the list of registered CSI drivers`, mountsClaim("data"))
	}},
	{code: "csi-driver-not-registered", name: "it came, the pod is up", near: true, want: []string{}, build: func(b *snaptest.Builder) {
		mounted(failsMount(b, `MountVolume.MountDevice failed for volume "pv1" : kubernetes.io/csi: attacher.MountDevice failed to create newCsiDriverClient: driver name efs.csi.aws.com not found in the list of registered CSI drivers`, mountsClaim("data")))
	}},
	{code: "hostpath-type", name: "no directory", build: func(b *snaptest.Builder) {
		failsMount(b, `MountVolume.SetUp failed for volume "v" : hostPath type check failed: /data is not a directory`)
	}},
	{code: "hostpath-type", name: "another mount error", near: true, want: []string{"mount-failed"}, build: func(b *snaptest.Builder) {
		failsMount(b, `MountVolume.SetUp failed for volume "pv1" : mount failed: exit status 32 mount.nfs: Connection timed out`, mountsClaim("data"))
	}},
	{code: "mount-failed", name: "the file server is silent", build: func(b *snaptest.Builder) {
		failsMount(b, `MountVolume.SetUp failed for volume "pv1" : mount failed: exit status 32 mount.nfs: Connection timed out`, mountsClaim("data"))
	}},
	{code: "mount-failed", name: "over since", near: true, want: []string{}, build: func(b *snaptest.Builder) {
		mounted(failsMount(b, `MountVolume.MountDevice failed for volume "pv1" : mount failed: exit status 32 wrong fs type, bad option, bad superblock`, mountsClaim("data")))
	}},
	{code: "fsgroup-slow", name: "many files", build: func(b *snaptest.Builder) {
		before(b, mountsClaim("data")).Event("Warning", "VolumePermissionChangeInProgress", "Setting volume ownership for /var/lib/kubelet/pods/x/volumes/y, processed 120000 files.", 4*time.Minute, 10*time.Second, 4)
	}},
	{code: "fsgroup-slow", name: "the mount hangs", near: true, want: []string{"mount-failed"}, build: func(b *snaptest.Builder) {
		failsMount(b, `MountVolume.SetUp failed for volume "pv1" : rpc error: code = DeadlineExceeded desc = context deadline exceeded`, mountsClaim("data"))
	}},
	{code: "volume-attach-limit-kubelet", name: "refused", build: func(b *snaptest.Builder) {
		b.Node("n1")
		rejected(b, "VolumeAttachmentLimitExceeded", "Pod was rejected: Node has reached its volume attachment limit, rejecting pod.")
	}},
	{code: "volume-attach-limit-kubelet", name: "the scheduler knew", near: true, want: []string{"max-volume-count"}, build: func(b *snaptest.Builder) {
		b.Node("n1")
		waits(b, refusal(1, "1 node(s) exceed max volume count", noVictims), mountsClaim("data"))
	}},
	{code: "volume-wait-silent", name: "no event at all", build: func(b *snaptest.Builder) { before(b, mountsClaim("data")) }},
	{code: "volume-wait-silent", name: "words of 1.27", build: func(b *snaptest.Builder) {
		failsMount(b, "Unable to attach or mount volumes: unmounted volumes=[data], unattached volumes=[], failed to process volumes=[]: timed out waiting for the condition", mountsClaim("data"))
	}},
	{code: "volume-wait-silent", name: "a slow image pull", near: true, want: []string{}, build: func(b *snaptest.Builder) {
		b.Node("n1")
		b.Deployment("web", image, 1, mountsClaim("data")).Pod("n1").Event("Normal", "Pulling", `Pulling image "`+image+`"`, 10*time.Second, 10*time.Second, 1)
	}},
}

const deniedText = `MountVolume.SetUp failed for volume "secrets" : rpc error: code = Unknown desc = failed to mount secrets store objects for pod shop/web-1, err: rpc error: code = Unknown desc = us-east-1: Failed fetching secret prod/db: AccessDeniedException: User is not authorized to perform: secretsmanager:GetSecretValue`

func mountsSecretStore(s *corev1.PodSpec) {
	s.Volumes = append(s.Volumes, corev1.Volume{Name: "secrets", VolumeSource: corev1.VolumeSource{CSI: &corev1.CSIVolumeSource{Driver: "secrets-store.csi.k8s.io"}}})
}
