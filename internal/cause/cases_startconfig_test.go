package cause_test

import (
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/unjam-dev/unjam/internal/cause"
	"github.com/unjam-dev/unjam/internal/snapshot"
	"github.com/unjam-dev/unjam/internal/snapshot/snaptest"
)

func configMap(b *snaptest.Builder, name string, keys ...string) {
	b.Snap.Objects.ConfigMaps = append(b.Snap.Objects.ConfigMaps, &snapshot.ConfigMapShape{Namespace: snaptest.Namespace, Name: name, Keys: keys})
}

func opaqueSecret(b *snaptest.Builder, name string, keys ...string) {
	b.Snap.Objects.Secrets = append(b.Snap.Objects.Secrets, &snapshot.SecretShape{Namespace: snaptest.Namespace, Name: name, Type: "Opaque", Keys: keys})
}

var startConfigCases = []testCase{
	{code: "configmap-missing-env", name: "object absent, one of like name there", confidence: cause.Certain, build: func(b *snaptest.Builder) {
		configMap(b, "app-config", "host")
		configError(webPod(b), `configmap "app-confg" not found`)
	}},
	{code: "configmap-missing-env", name: "key absent", confidence: cause.Certain, build: func(b *snaptest.Builder) {
		configMap(b, "app-config", "host", "port")
		configError(webPod(b), "couldn't find key hots in ConfigMap shop/app-config")
	}},
	{code: "configmap-missing-env", name: "secret absent", near: true, want: []string{"secret-missing-env"}, build: func(b *snaptest.Builder) {
		configError(webPod(b), `secret "app-config" not found`)
	}},
	{code: "configmap-missing-env", name: "optional and absent, pod runs", near: true, build: func(b *snaptest.Builder) {
		yes := true
		s := web(b, func(s *corev1.PodSpec) {
			s.Containers[0].EnvFrom = []corev1.EnvFromSource{{ConfigMapRef: &corev1.ConfigMapEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: "extra"}, Optional: &yes}}}
		})
		s.Pod("n1").Ready()
		s.Healthy()
	}},
	{code: "secret-missing-env", name: "object absent", confidence: cause.Certain, build: func(b *snaptest.Builder) {
		configError(webPod(b), `secret "db" not found`)
	}},
	{code: "secret-missing-env", name: "key absent, text only in the event", build: func(b *snaptest.Builder) {
		opaqueSecret(b, "db", "password")
		p := configError(webPod(b), "couldn't find key passwd in Secret shop/db")
		p.Waiting("CreateContainerConfigError", "")
	}},
	{code: "secret-missing-env", name: "absent pull secret", near: true, build: func(b *snaptest.Builder) {
		p := webPod(b)
		p.Event("Warning", "FailedToRetrieveImagePullSecret", "Unable to retrieve some image pull secrets (db); attempting to pull the image may not succeed.", 4*time.Minute, 10*time.Second, 8)
		p.Running().Ready()
	}},
	{code: "config-volume-missing", name: "secret of a volume absent", confidence: cause.Certain, build: func(b *snaptest.Builder) {
		mountFails(webPod(b), `MountVolume.SetUp failed for volume "s" : secret "no-such-secret" not found`, 8)
	}},
	{code: "config-volume-missing", name: "key of a volume absent", build: func(b *snaptest.Builder) {
		configMap(b, "app-config", "app.yaml")
		p := webPod(b, func(s *corev1.PodSpec) {
			s.Volumes = []corev1.Volume{{Name: "cfg", VolumeSource: corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{LocalObjectReference: corev1.LocalObjectReference{Name: "app-config"}}}}}
		})
		mountFails(p, `MountVolume.SetUp failed for volume "cfg" : configmap references non-existent config key: app.yml`, 8)
	}},
	{code: "config-volume-missing", name: "object not registered", near: true, build: func(b *snaptest.Builder) {
		mountFails(webPod(b), `MountVolume.SetUp failed for volume "kube-api-access" : object "shop"/"kube-root-ca.crt" not registered`, 1)
	}},
	{code: "config-volume-missing", name: "missing at first, running since", near: true, build: func(b *snaptest.Builder) {
		p := webPod(b)
		p.Event("Warning", "FailedMount", `MountVolume.SetUp failed for volume "s" : secret "late" not found`, 4*time.Minute, 3*time.Minute, 4)
		p.Ready()
	}},
	{code: "object-not-registered-noise", name: "new pod", build: func(b *snaptest.Builder) {
		mountFails(webPod(b), `MountVolume.SetUp failed for volume "kube-api-access" : object "shop"/"kube-root-ca.crt" not registered`, 1)
	}},
	{code: "object-not-registered-noise", name: "pod that ends", near: true, build: func(b *snaptest.Builder) {
		p := mountFails(webPod(b), `MountVolume.SetUp failed for volume "kube-api-access" : object "shop"/"kube-root-ca.crt" not registered`, 1)
		going(p, 10*time.Second)
	}},
	{code: "configmap-cache-sync", name: "goes on", confidence: cause.Certain, build: func(b *snaptest.Builder) {
		mountFails(webPod(b), `MountVolume.SetUp failed for volume "cfg" : failed to sync configmap cache: timed out waiting for the condition`, 5)
	}},
	{code: "configmap-cache-sync", name: "once, for the environment", confidence: cause.Likely, build: func(b *snaptest.Builder) {
		p := webPod(b).Waiting("CreateContainerConfigError", "failed to sync secret cache: timed out waiting for the condition")
		p.Event("Warning", "Failed", "Error: failed to sync secret cache: timed out waiting for the condition", 5*time.Second, 5*time.Second, 1)
	}},
	{code: "configmap-cache-sync", name: "object absent", near: true, want: []string{"config-volume-missing"}, build: func(b *snaptest.Builder) {
		mountFails(webPod(b), `MountVolume.SetUp failed for volume "cfg" : configmap "app-cfg" not found`, 5)
	}},
	{code: "projected-token-failed", name: "API server gives no token", confidence: cause.Certain, build: func(b *snaptest.Builder) {
		mountFails(webPod(b), `MountVolume.SetUp failed for volume "kube-api-access-x" : failed to fetch token: the server is currently unable to handle the request`, 4)
	}},
	{code: "projected-token-failed", name: "ConfigMap of the same volume absent", near: true, want: []string{"config-volume-missing"}, build: func(b *snaptest.Builder) {
		mountFails(webPod(b), `MountVolume.SetUp failed for volume "kube-api-access-x" : configmap "kube-root-ca.crt" not found`, 4)
	}},
	{code: "run-as-nonroot", name: "image runs as root", confidence: cause.Certain, build: func(b *snaptest.Builder) {
		configError(webPod(b), `container has runAsNonRoot and image will run as root (pod: "web-1_shop(x)", container: app)`)
	}},
	{code: "run-as-nonroot", name: "user by name", build: func(b *snaptest.Builder) {
		configError(webPod(b), `container has runAsNonRoot and image has non-numeric user (node), cannot verify user is non-root (pod: "web-1_shop(x)", container: app)`)
	}},
	{code: "run-as-nonroot", name: "absent secret", near: true, want: []string{"secret-missing-env"}, build: func(b *snaptest.Builder) {
		configError(webPod(b), `secret "runAsNonRoot" not found`)
	}},
	{code: "subpath-failed", name: "changed under a restart", confidence: cause.Certain, build: func(b *snaptest.Builder) {
		configError(webPod(b), `failed to prepare subPath for volumeMount "cfg" of container "app"`)
	}},
	{code: "subpath-failed", name: "absent key", near: true, want: []string{"configmap-missing-env"}, build: func(b *snaptest.Builder) {
		configError(webPod(b), "couldn't find key subPath in ConfigMap shop/cfg")
	}},
	{code: "volume-not-in-pod", name: "injected mount", confidence: cause.Certain, build: func(b *snaptest.Builder) {
		configError(webPod(b), `cannot find volume "vault" to mount into container "app"`)
	}},
	{code: "volume-not-in-pod", name: "absent ConfigMap of a like name", near: true, want: []string{"configmap-missing-env"}, build: func(b *snaptest.Builder) {
		configError(webPod(b), `configmap "vault" not found`)
	}},
	{code: "serviceaccount-rbac-missing", name: "forbidden in the log", confidence: cause.Certain, build: func(b *snaptest.Builder) {
		p := webPod(b).Crashes(1, "Error", 2)
		logOf(b, p, "app", "starting", `E1122 failed to list *v1.Node: nodes is forbidden: User "system:serviceaccount:shop:web" cannot list resource "nodes" in API group "" at the cluster scope`)
	}},
	{code: "serviceaccount-rbac-missing", name: "forbidden by a registry of users", near: true, want: []string{"crashloop-app-error"}, build: func(b *snaptest.Builder) {
		p := webPod(b).Crashes(1, "Error", 4)
		logOf(b, p, "app", "error: login is forbidden: User guest cannot sign in")
	}},
	{code: "memory-limit-too-low", name: "runtime's own set-up is killed", confidence: cause.Certain, build: func(b *snaptest.Builder) {
		startError(webPod(b, memory("4Mi")), "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: container init was OOM-killed (memory limit too low?): unknown")
	}},
	{code: "memory-limit-too-low", name: "program killed for its limit", near: true, want: []string{"oomkilled"}, build: func(b *snaptest.Builder) {
		webPod(b, memory("64Mi")).Crashes(137, "OOMKilled", 4)
	}},
	{code: "sysctl-apparmor-os", name: "forbidden sysctl", confidence: cause.Certain, build: func(b *snaptest.Builder) {
		fallen(webPod(b), "SysctlForbidden", `Pod was rejected: forbidden sysctl: "net.core.somaxconn" not allowlisted`)
	}},
	{code: "sysctl-apparmor-os", name: "all pods there since", near: true, build: func(b *snaptest.Builder) {
		s := web(b)
		fallen(s.Pod("n1"), "SysctlForbidden", `Pod was rejected: forbidden sysctl: "net.core.somaxconn" not allowlisted`)
		s.Pod("n1").Ready()
		s.Healthy()
	}},
}
