package cause_test

import (
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/unjam-dev/unjam/internal/cause"
	"github.com/unjam-dev/unjam/internal/snapshot/snaptest"
)

// absent is containerd's answer for an image that is not found.
func absent(image string) string {
	return "rpc error: code = NotFound desc = " + resolving(image, image+": not found")
}

// crio makes n1 a CRI-O node.
func crio(b *snaptest.Builder) {
	b.Snap.Objects.Nodes[0].Status.NodeInfo.ContainerRuntimeVersion = "cri-o://1.34.0"
}

// invalid is a pod whose image name the kubelet refuses.
func invalid(image, why string) func(*snaptest.Builder) {
	return func(b *snaptest.Builder) {
		b.Node("n1")
		text := `Failed to apply default image tag "` + image + `": couldn't parse image name "` + image + `": invalid reference format` + why
		b.Deployment("web", image, 1).Pod("n1").Waiting("InvalidImageName", text).Event("Warning", "InspectFailed", text, 4*time.Minute, 5*time.Second, 9)
	}
}

// volumeImage mounts an image volume.
func volumeImage(ref string) func(*corev1.PodSpec) {
	return func(s *corev1.PodSpec) {
		s.Volumes = append(s.Volumes, corev1.Volume{Name: "models", VolumeSource: corev1.VolumeSource{Image: &corev1.ImageVolumeSource{Reference: ref}}})
	}
}

const byDigest = "registry.lab:5000/shop/web@sha256:0123012301230123012301230123012301230123012301230123012301230123"

var imageNameCases = []testCase{
	{code: "invalid-image-name", name: "capital letters", confidence: cause.Certain, build: invalid("registry.lab:5000/Shop/Web:v1", ": repository name (Shop/Web) must be lowercase")},
	{code: "invalid-image-name", name: "empty tag", confidence: cause.Certain, build: invalid("registry.lab:5000/shop/web:", "")},
	not("invalid-image-name", "missing tag", "tag-not-found", lab, missing),
	fires("crio-short-name-enforced", "ambiguous", "alpine:latest", "short name mode is enforcing, but image name alpine:latest returns ambiguous list", crio),
	not("crio-short-name-enforced", "full name", "tag-not-found", quay, "reading manifest v1 in quay.io/acme/web: manifest unknown", crio),
	leans("crio-unqualified-search-wrong-registry", "Quay answers for a Hub image", "wazuh/wazuh-kibana-odfe:4.2.6", "reading manifest 4.2.6 in quay.io/wazuh/wazuh-kibana-odfe: unauthorized: access to the requested resource is not authorized", crio),
	not("crio-unqualified-search-wrong-registry", "registry named", "quay-unauthorized", quay, "reading manifest v1 in quay.io/acme/web: unauthorized: access to the requested resource is not authorized", crio),
	{code: "never-policy-image-absent", name: "absent", confidence: cause.Certain, build: neverPolicy(false)},
	{code: "never-policy-image-absent", name: "present, hidden", near: true, want: []string{"never-policy-no-credential"}, build: neverPolicy(true)},

	leans("tag-not-found", "no witness", lab, missing),
	leans("tag-not-found", "transfer service", lab, "failed to pull and unpack image \""+lab+"\": failed to resolve image: "+lab+": not found"),
	fires("tag-not-found", "another tag runs", lab, missing, neighbour("other", "registry.lab:5000/shop/web:v0", "n2")),
	fires("tag-not-found", "a node holds another tag", lab, missing, holds("n1", "registry.lab:5000/shop/web@"+layer, "registry.lab:5000/shop/web:v0")),
	leans("tag-not-found", "the same tag runs elsewhere", lab, missing, neighbour("other", lab, "n2")),
	{code: "tag-not-found", name: "old revision runs another tag", confidence: cause.Certain, build: func(b *snaptest.Builder) {
		b.Node("n1")
		s := b.Deployment("web", lab, 1)
		s.Old("registry.lab:5000/shop/web:v0", "n1", 2)
		s.Pod("n1").PullFails(missing)
	}},
	{code: "tag-not-found", name: "old kubelet, cause only in the event", confidence: cause.Likely, build: func(b *snaptest.Builder) {
		b.Node("n1")
		b.Deployment("web", lab, 1).Pod("n1").Waiting("ImagePullBackOff", `Back-off pulling image "`+lab+`"`).Event("Warning", "Failed", `Failed to pull image "`+lab+`": `+missing, 4*time.Minute, time.Minute, 3)
	}},
	{code: "tag-not-found", name: "events gone", confidence: cause.Likely, build: func(b *snaptest.Builder) {
		b.Deployment("web", lab, 1).Pod("n1").Waiting("ImagePullBackOff", `Back-off pulling image "`+lab+`": ErrImagePull: `+missing)
	}},
	not("tag-not-found", "platform", "platform-mismatch", lab, "rpc error: code = NotFound desc = "+unpacking("no match for platform in manifest: not found")),
	not("tag-not-found", "tag named not-found", "registry-5xx", "registry.lab:5000/shop/web:not-found", status("registry.lab:5000/shop/web:not-found", "https://registry.lab:5000/v2/shop/web/manifests/not-found", "500 Internal Server Error")),
	fires("repo-not-found", "registry says so", lab, "Error response from daemon: repository registry.lab:5000/shop/web not found: name unknown: The repository with name 'shop/web' does not exist in the registry with id '1'"),
	not("repo-not-found", "does not say", "tag-not-found", lab, missing),
	leans("digest-not-found", "no witness", byDigest, absent(byDigest)),
	fires("digest-not-found", "repository runs", byDigest, absent(byDigest), neighbour("other", "registry.lab:5000/shop/web:v0", "n2")),
	not("digest-not-found", "tag", "tag-not-found", lab, missing),
	leans("image-moved-or-retired", "bitnami", "docker.io/bitnami/kafka:3.4", absent("docker.io/bitnami/kafka:3.4")),
	not("image-moved-or-retired", "another publisher", "tag-not-found", hub, absent(hub)),
	leans("image-only-local", "loaded on another node", "web:dev", resolving("docker.io/library/web:dev", scope), func(b *snaptest.Builder) { b.Node("n2"); holds("n2", "docker.io/library/web:dev")(b) }),
	not("image-only-local", "pulled there", "private-or-nonexistent", "web:dev", resolving("docker.io/library/web:dev", scope), func(b *snaptest.Builder) {
		b.Node("n2")
		holds("n2", "docker.io/library/web@"+layer, "docker.io/library/web:dev")(b)
	}),
	fires("registry-localhost-reference", "nothing there", "localhost:5000/web:v1", requesting("localhost:5000/web:v1", "http://localhost:5000/v2/web/manifests/v1", "dial tcp [::1]:5000: connect: connection refused")),
	not("registry-localhost-reference", "works on another node", "tcp-refused", "localhost:5000/web:v1", requesting("localhost:5000/web:v1", "http://localhost:5000/v2/web/manifests/v1", "dial tcp [::1]:5000: connect: connection refused"), neighbour("other", "localhost:5000/web:v1", "n2")),
	{code: "image-volume-pull-failed", name: "tag of the volume missing", confidence: cause.Likely, build: func(b *snaptest.Builder) {
		b.Node("n1")
		ref := "registry.lab:5000/models/big:v7"
		b.Deployment("web", lab, 1, volumeImage(ref)).Pod("n1").Waiting("ImagePullBackOff", `Back-off pulling image "`+ref+`": ErrImagePull: `+absent(ref))
	}},
	{code: "image-volume-pull-failed", name: "the container's own image", near: true, want: []string{"tag-not-found"}, build: func(b *snaptest.Builder) {
		b.Node("n1")
		b.Deployment("web", lab, 1, volumeImage("registry.lab:5000/models/big:v7")).Pod("n1").PullFails(missing)
	}},
	fires("registry-blocked-by-config", "CRI-O", lab, "registry registry.lab:5000 is blocked in one of /etc/containers/registries.conf"),
	not("registry-blocked-by-config", "network", "tcp-timeout", lab, labFails(timedOut)),
	fires("signature-validation-failed", "no signature", lab, "image pull failed for "+lab+" because the signature validation failed: Source image rejected: A signature was required, but no signature exists"),
	not("signature-validation-failed", "403", "forbidden-403", lab, forbidden),
	fires("image-verifier-blocked", "verifier", lab, "image verifier policy blocked pull of "+lab+" with digest "+layer+" for reason: not signed by us"),
	not("image-verifier-blocked", "CRI-O signature", "signature-validation-failed", lab, "Source image rejected: A signature was required, but no signature exists"),
}
