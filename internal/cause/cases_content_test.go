package cause_test

import (
	corev1 "k8s.io/api/core/v1"

	"github.com/unjam-dev/unjam/internal/snapshot"
	"github.com/unjam-dev/unjam/internal/snapshot/snaptest"
)

const (
	layer      = "sha256:55ae1f0ae1f0ae1f0ae1f0ae1f0ae1f0ae1f0ae1f0ae1f0ae1f0ae1f0ae1f0ae"
	digestText = `rpc error: code = FailedPrecondition desc = failed to pull and unpack image "` + lab + `": failed commit on ref "layer-` + layer + `": unexpected commit digest sha256:a8f2a8f2a8f2a8f2a8f2a8f2a8f2a8f2a8f2a8f2a8f2a8f2a8f2a8f2a8f2a8f2, expected ` + layer + `: failed precondition`
	emptyText  = `rpc error: code = FailedPrecondition desc = failed to pull and unpack image "` + lab + `": failed commit on ref "layer-` + layer + `": unexpected commit digest sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855, expected ` + layer + `: failed precondition`
	missing    = `rpc error: code = NotFound desc = failed to pull and unpack image "` + lab + `": failed to resolve reference "` + lab + `": ` + lab + `: not found`
)

func unpacking(err string) string { return `failed to pull and unpack image "` + lab + `": ` + err }

// execFails is a pod that dies because its program cannot be executed.
func execFails(line string) func(*snaptest.Builder) {
	return func(b *snaptest.Builder) {
		b.Node("n1")
		p := b.Deployment("web", lab, 1).Pod("n1").Crashes(1, "Error", 4)
		b.Snap.Logs = append(b.Snap.Logs, snapshot.LogTail{Namespace: snaptest.Namespace, Pod: p.Obj.Name, Container: "app", Previous: true, Lines: []string{line}})
	}
}

var contentCases = []testCase{
	fires("platform-mismatch", "index without amd64", lab, "rpc error: code = NotFound desc = "+unpacking("no match for platform in manifest: not found")),
	{code: "platform-mismatch", name: "runs on the other processor", want: []string{"platform-mismatch"}, build: pull(lab, "rpc error: code = NotFound desc = "+unpacking("no match for platform in manifest: not found"), func(b *snaptest.Builder) {
		b.Node("n2", func(n *corev1.Node) { n.Status.NodeInfo.Architecture = "arm64" })
		b.Deployment("arm", lab, 1).Healthy().Pod("n2").Ready()
	})},
	not("platform-mismatch", "missing tag", "tag-not-found", lab, missing),
	{code: "wrong-arch-at-exec", name: "log", build: execFails("exec /app: exec format error")},
	{code: "wrong-arch-at-exec", name: "ordinary crash", near: true, want: []string{"crashloop-app-error"}, build: execFails("panic: no configuration")},
	fires("schema1-manifest", "containerd 2.1", lab, unpacking(`not implemented: media type "application/vnd.docker.distribution.manifest.v1+prettyjws" is no longer supported since containerd v2.1, please rebuild the image`)),
	not("schema1-manifest", "web page", "unexpected-media-type", lab, "rpc error: code = NotFound desc = "+unpacking("failed to unpack image on snapshotter overlayfs: unexpected media type text/html for "+layer+": not found")),
	fires("unexpected-media-type", "web page", lab, "rpc error: code = NotFound desc = "+unpacking("failed to unpack image on snapshotter overlayfs: unexpected media type text/html for "+layer+": not found")),
	not("unexpected-media-type", "missing tag", "tag-not-found", lab, missing),
	fires("manifest-too-large", "rejecting", lab, resolving(lab, "rejecting 5000000 byte manifest for "+lab+": not found")),
	not("manifest-too-large", "missing tag", "tag-not-found", lab, missing),
	fires("layer-blob-missing", "content descriptor", lab, "rpc error: code = NotFound desc = "+unpacking("failed to copy: httpReadSeeker: failed open: could not fetch content descriptor "+layer+" (application/vnd.docker.image.rootfs.diff.tar.gzip) from remote: not found")),
	not("layer-blob-missing", "missing tag", "tag-not-found", lab, missing),
	fires("digest-mismatch", "wrong bytes", lab, digestText),
	{code: "digest-mismatch", name: "same wrong bytes on two nodes", build: func(b *snaptest.Builder) {
		b.Node("n1")
		b.Node("n2")
		s := b.Deployment("web", lab, 2)
		s.Pod("n1").PullFails(digestText)
		s.Pod("n2").PullFails(digestText)
	}},
	not("digest-mismatch", "no bytes at all", "empty-body-digest", lab, emptyText),
	fires("empty-body-digest", "checksum of nothing", lab, emptyText),
	not("empty-body-digest", "other bytes", "digest-mismatch", lab, digestText),
	fires("diffid-mismatch", "wrong diff id", lab, unpacking(`wrong diff id "`+layer+`" calculated on extraction "sha256:aaaa", desc "sha256:bbbb"`)),
	not("diffid-mismatch", "transport", "digest-mismatch", lab, digestText),
	fires("corrupt-layer-tar", "tar header", lab, unpacking("failed to extract layer "+layer+": mount callback failed on /var/lib/containerd/tmpmounts/containerd-mount670304630: archive/tar: invalid tar header: unknown")),
	not("corrupt-layer-tar", "transport", "digest-mismatch", lab, digestText),
	fires("too-many-layers", "max depth", lab, "writing blob: adding layer with blob \""+layer+"\": max depth exceeded"),
	not("too-many-layers", "mount refused", "unpack-mount-failed", lab, unpacking(`failed to extract layer `+layer+`: failed to mount /var/lib/containerd/tmpmounts/containerd-mount895935883: operation not permitted: unknown`)),
}
