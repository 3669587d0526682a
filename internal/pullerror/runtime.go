package pullerror

// runtimeWords tell whose wording a text is. Texts that two runtimes share (Go's
// network errors) tell nothing.
var runtimeWords = []struct {
	words   phrase
	runtime Runtime
}{
	{say("failed to pull and unpack"), Containerd},
	{say("failed to resolve reference"), Containerd},
	{say("failed to resolve image"), Containerd},
	{say("httpreadseeker"), Containerd},
	{say("failed to do request"), Containerd},
	{say("failed to authorize"), Containerd},
	{say("pulling from host"), Containerd},
	{say("unexpected status from"), Containerd},
	{say("unexpected status code ~"), Containerd},
	{say("get image config descriptor"), Containerd},
	{say("failed commit on ref"), Containerd},
	{say("on snapshotter"), Containerd},
	{say("failed to extract layer"), Containerd},
	{say("failed to prepare extraction"), Containerd},
	{say("failed to read expected number of bytes"), Containerd},
	{say("short read: expected"), Containerd},
	{say("no match for platform"), Containerd},
	{say("image verifier"), Containerd},
	{say("authorization failed: no basic auth"), Containerd},
	{say("server message: insufficient_scope"), Containerd},
	{say("failed to create containerd container"), Containerd},
	{say("initializing source"), CRIO},
	{say("pinging container registry"), CRIO},
	{say("reading manifest"), CRIO},
	{say("copying system image"), CRIO},
	{say("writing blob"), CRIO},
	{say("reading blob"), CRIO},
	{say("short name mode"), CRIO},
	{say("short-name"), CRIO},
	{say("source image rejected"), CRIO},
	{say("choosing an image from manifest list"), CRIO},
	{say("no image found in image index"), CRIO},
	{say("parsing image configuration"), CRIO},
	{say("unable to retrieve auth token"), CRIO},
	{say("requesting bearer token"), CRIO},
	{say("decoding bearer token"), CRIO},
	{say("committing the finished image"), CRIO},
	{say("too many requests to registry"), CRIO},
	{say("unable to pull image or oci artifact"), CRIO},
	{say("in cri-o"), CRIO},
	{say("layer not known"), CRIO},
	{say("requires 'docker login'"), Docker},
	{say("may require 'docker login'"), Docker},
	{say("error pulling image configuration"), Docker},
	{say("failed to register layer"), Docker},
	{say("filesystem layer verification failed"), Docker},
	{say("docker daemon"), Docker},
	{say("pull qps exceeded"), Kubelet},
	{say("is not present with pull policy of never"), Kubelet},
	{say("failed to apply default image tag"), Kubelet},
	{say("unable to retrieve some image pull secrets"), Kubelet},
	{say("unable to parse auth field"), Kubelet},
	{say("image pull intent"), Kubelet},
	{say("external registry credential provider"), Kubelet},
}

func (p *parser) readRuntime() {
	if p.e.Runtime != RuntimeUnknown {
		return
	}
	for i := range runtimeWords {
		if w := &runtimeWords[i]; p.says(&w.words) {
			p.e.Runtime = w.runtime
			return
		}
	}
}
