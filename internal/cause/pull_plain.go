package cause

import (
	"fmt"
	"strings"

	"github.com/unjam-dev/unjam/internal/facts"
	"github.com/unjam-dev/unjam/internal/pullerror"
)

// shared says what a plain cause folds over.
type shared int

const (
	byImage shared = iota
	byNode
	byHost
)

// plainCause is a cause that its kind of error names outright.
type plainCause struct {
	code string
	// summary has one %s or more, filled with image, nodes and host in the order
	// of args.
	summary string
	args    string // letters: i image, n nodes, h host, t text of the error, r registry
	shared  shared
}

var plainCauses = map[pullerror.Kind]plainCause{
	pullerror.InspectFailed:     {"image-inspect-failed", "the runtime of %s cannot say whether it holds %s: %s", "nit", byNode},
	pullerror.PullQPS:           {"pull-qps-exceeded", "the kubelet of %s starts no more pulls per second than it is allowed to, and put %s off", "ni", byNode},
	pullerror.RuntimeDown:       {"runtime-socket-down", "the container runtime of %s does not answer the kubelet, so %s cannot be pulled", "ni", byNode},
	pullerror.MirrorConflict:    {"mirror-config-conflict-cri-disabled", "containerd on %s refused its own configuration (mirrors beside config_path), so it serves no images at all", "n", byNode},
	pullerror.CredentialPlugin:  {"credential-plugin-failed", "the credential plugin of the kubelet on %s failed for %s: %s", "nit", byNode},
	pullerror.RegistryBlocked:   {"registry-blocked-by-config", "the runtime of %s is configured to refuse %s", "nr", byHost},
	pullerror.SignatureInvalid:  {"signature-validation-failed", "the signature policy of %s rejects %s: %s", "nit", byImage},
	pullerror.VerifierBlocked:   {"image-verifier-blocked", "an image verifier on %s blocks %s: %s", "nit", byImage},
	pullerror.PullRecordFailed:  {"pull-record-io-failed", "the kubelet of %s cannot write its record of the pull of %s: %s", "nit", byNode},
	pullerror.RecordCheckFailed: {"pull-record-io-failed", "the kubelet of %s cannot read its records of earlier pulls, which %s needs: %s", "nit", byNode},
	pullerror.AuthScheme:        {"auth-scheme-unsupported", "%s asks for a kind of login that the runtime does not know, so %s cannot be pulled", "hi", byHost},
	pullerror.Schema1:           {"schema1-manifest", "image %s is stored in the old schema 1 format, which the runtime of %s no longer reads", "in", byImage},
	pullerror.ManifestTooLarge:  {"manifest-too-large", "the manifest of %s is larger than the runtime accepts", "i", byImage},
	pullerror.ProxyDown:         {"proxy-unreachable", "the proxy that %s uses for pulls cannot be reached: %s", "nt", byNode},
	pullerror.ProxyDenied:       {"proxy-connect-denied", "the proxy that %s uses refuses to connect to %s: %s", "nht", byHost},
	pullerror.ProxyConfig:       {"proxy-misconfigured", "the proxy setting of the runtime on %s is not usable: %s", "nt", byNode},
	pullerror.HTTPToHTTPS:       {"http-request-to-https", "%s asks %s with plain HTTP, and it speaks HTTPS", "nh", byHost},
	pullerror.TLSConfigBroken:   {"tls-config-file-bad", "a certificate file that %s is told to use for %s cannot be read: %s", "nht", byNode},
	pullerror.ReadOnlyFS:        {"storage-read-only-or-io-error", "the disk of %s has become read-only, so %s cannot be unpacked", "ni", byNode},
	pullerror.IOError:           {"storage-read-only-or-io-error", "the disk of %s gives read or write errors while %s is unpacked", "ni", byNode},
	pullerror.DiffIDMismatch:    {"diffid-mismatch", "image %s is inconsistent: a layer unpacks to other bytes than its configuration promises", "i", byImage},
	pullerror.CorruptTar:        {"corrupt-layer-tar", "a layer of %s is not a readable archive: %s", "it", byImage},
	pullerror.UnpackMount:       {"unpack-mount-failed", "%s cannot mount the layers of %s: %s", "nit", byNode},
	pullerror.UnpackPermission:  {"unpack-permission", "the runtime of %s lacks a right it needs to unpack %s: %s", "nit", byNode},
	pullerror.TooManyLayers:     {"too-many-layers", "image %s has more layers than %s can stack", "in", byImage},
	pullerror.XFSNoDtype:        {"xfs-no-dtype", "the XFS file system under the runtime of %s was made without ftype=1, which overlay needs", "n", byNode},
	pullerror.SnapshotParent:    {"snapshot-parent-missing", "the store of %s lost a layer that %s builds on", "ni", byNode},
	pullerror.ContentMissing:    {"content-missing", "the store of %s lists %s but lost a part of it", "ni", byNode},
	pullerror.StorageCorrupt:    {"crio-storage-corrupt", "CRI-O's layer store on %s is damaged: %s", "nt", byNode},
	pullerror.SnapshotterAbsent: {"snapshotter-not-found", "the runtime of %s is set to a snapshotter it does not have, so %s cannot be unpacked", "ni", byNode},
	pullerror.IngestLocked:      {"ingest-locked", "another pull of a layer of %s holds its lock on %s", "in", byNode},
	pullerror.ImageVolume:       {"image-volume-mount-failed", "the runtime of %s cannot mount the image volume: %s", "nt", byNode},
	pullerror.NameReserved:      {"container-name-reserved", "the runtime of %s still holds the container's name from an earlier, unfinished try", "n", byNode},
	pullerror.SandboxImage:      {"sandbox-image-pull-failed", "%s cannot get its own pause image, so no pod starts there: %s", "nt", byNode},
	pullerror.MirrorConfig:      {"mirror-config-ignored", "the mirror settings of %s cannot be read, so %s is asked directly: %s", "nrt", byNode},
	pullerror.ImageGC:           {"image-gc-failing", "the kubelet of %s cannot free space for images: %s", "nt", byNode},
	pullerror.ExecFormat:        {"wrong-arch-at-exec", "image %s is built for another processor than %s has", "in", byImage},
}

// judgePlain handles kinds that leave no question.
func judgePlain(w *facts.Workload, t *trouble) []Finding {
	p, ok := plainCauses[t.err.Kind]
	if !ok {
		return []Finding{unread(w, t)}
	}
	var args []any
	for _, a := range p.args {
		switch a {
		case 'i':
			args = append(args, t.text)
		case 'n':
			args = append(args, nodesWords(t.nodes))
		case 'h':
			args = append(args, t.host())
		case 'r':
			args = append(args, t.image.Registry)
		case 't':
			args = append(args, clip(t.err.Text))
		}
	}
	fd := t.finding(w, p.code, Certain, fmt.Sprintf(p.summary, args...))
	switch node := t.node(); {
	case p.shared == byHost:
		fd.Key = "host " + t.host()
	case p.shared == byNode && node != "":
		fd.Key = "node " + node
	default:
		fd.Key = "image " + t.image.String()
	}
	return []Finding{fd}
}

// pluginToken is a failing credential plugin whose text is about the
// ServiceAccount token (pkg/credentialprovider/plugin/plugin.go, KEP-4412).
func pluginToken(f *facts.Facts, w *facts.Workload) []Finding {
	var out []Finding
	for _, t := range troubles(w, []pullerror.Kind{pullerror.CredentialPlugin}) {
		t.locate(f)
		if serviceAccountText(t.err) {
			fd := t.finding(w, "credential-plugin-sa-token", Certain, fmt.Sprintf("the credential plugin on %s gets no token of ServiceAccount %s: %s", nodesWords(t.nodes), serviceAccount(t.pod()), clip(t.err.Text)))
			fd.Key, fd.Explains = "serviceaccount "+w.Namespace+"/"+serviceAccount(t.pod()), []string{"credential-plugin-failed"}
			out = mergeFinding(out, fd)
		}
	}
	return out
}

func serviceAccountText(e pullerror.Error) bool {
	return strings.Contains(strings.ToLower(e.Text), "service account")
}
