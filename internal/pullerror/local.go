package pullerror

import "strings"

// localRules are about the kubelet and the runtime on the node.
var localRules = []rule{
	at(StageLocal, PullQPS, "pull qps exceeded"),
	at(StageLocal, SecretMalformed, "unable to parse auth field"),
	at(StageLocal, SecretMalformed, "illegal base64 data"),
	at(StageLocal, SecretMissing, "unable to retrieve some image pull secrets"),
	at(StageLocal, SecretMissing, "unable to retrieve pull secret"),
	at(StageLocal, SecretMissing, "couldn't get secret", "image pull"),
	at(StageLocal, CredentialPlugin, "credential provider plugin"),
	at(StageLocal, CredentialPlugin, "external registry credential provider"),
	at(StageLocal, CredentialPlugin, "failed to provide credentials for image"),
	at(StageLocal, CredentialPlugin, "credential plugin response"),
	at(StageLocal, CredentialPlugin, "failed to get service account token"),
	at(StageLocal, CredentialPlugin, "failed to get service account data"),
	at(StageLocal, PullRecordFailed, "failed to record image pull intent"),
	at(StageLocal, RecordCheckFailed, "failed to check if", "image pull record"),
	at(StageLocal, RecordCheckFailed, "ensure image pulled records"),

	at(StageLocal, RuntimeDown, "transport: error while dialing"),
	is(RuntimeDown, runtimeSocket, "dial unix"),
	at(StageLocal, RuntimeDown, "cannot connect to the docker daemon"),
	is(RuntimeDown, mentions("runtime.v1"), "unknown service"),
	at(StageLocal, RuntimeDown, "container runtime is down"),
	at(StageLocal, RuntimeDown, "container runtime not ready"),
	at(StageLocal, RuntimeRestarted, "error reading from server"),
	at(StageLocal, RuntimeRestarted, "transport is closing"),
	at(StageLocal, RuntimeRestarted, "client connection is closing"),
	at(StageLocal, RuntimeRestarted, "server shutting down"),

	at(StageLocal, MirrorConflict, "cannot be set when `config_path` is provided"),
	at(StageLocal, MirrorConflict, "cannot be set when", "config_path"),
	at(StageLocal, MirrorConfig, "failed to decode", "~", "hosts"),
	is(MirrorConfig, mentions("hosts.toml"), "failed to decode"),
	at(StageLocal, RegistryBlocked, "registry", "is blocked in"),
	at(StagePolicy, VerifierBlocked, "image verifier", "blocked pull of"),
	at(StagePolicy, VerifierBlocked, "blocking pull of", "image verifier"),
	at(StagePolicy, SignatureInvalid, "source image rejected"),
	at(StagePolicy, SignatureInvalid, "is rejected by policy"),
	at(StagePolicy, SignatureInvalid, "a signature was required"),
	at(StagePolicy, SignatureInvalid, "none of the signatures were accepted"),
	at(StagePolicy, SignatureInvalid, "signature for identity"),
	at(StagePolicy, SignatureInvalid, "cryptographic signature verification failed"),

	has(Evicted, "the node was low on resource"),
	has(Evicted, "attempting to reclaim ephemeral-storage"),
	has(Evicted, "attempting to reclaim inodes"),
	has(ImageGC, "garbage collect required amount of images"),
	has(ImageGC, "wanted to free", "bytes, but freed"),
	has(ImageGC, "insufficient free disk space on the node's image filesystem"),
	has(ImageGC, "freediskspacefailed"),

	has(NameReserved, "failed to reserve container name"),
	has(NameReserved, "failed to reserve sandbox name"),
	has(NameReserved, "error reserving ctr name"),
	has(NameReserved, "error reserving pod name"),
	has(ImageVolume, "imagevolumemountfailed"),
	has(ImageVolume, "does not exist in image volume"),
	has(ImageVolume, "failed to generate spec", "mkdir : no such file"),
	has(ExecFormat, "exec format error"),

	has(ProgressTimeout, "because of no progress in"),
	has(ProgressTimeout, "timed out on waiting up to", "image pull progress"),
	at(StageBlob, IngestLocked, "locked for", "since"),
}

// runtimeSockets are the sockets of the runtimes; network plugins and agents
// have sockets too, and those are not about a pull.
var runtimeSockets = []string{"containerd.sock", "crio.sock", "docker.sock", "cri-dockerd.sock", "dockershim.sock"}

func runtimeSocket(p *parser) bool {
	for _, s := range runtimeSockets {
		if strings.Contains(p.text, s) {
			return true
		}
	}
	return false
}
