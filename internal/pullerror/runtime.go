package pullerror

import "strings"

// runtimeWords tell whose wording a text is. Texts that two runtimes share (Go's
// network errors) tell nothing.
var runtimeWords = []struct {
	words   string
	runtime Runtime
}{
	{"failed to pull and unpack", Containerd},
	{"failed to resolve reference", Containerd},
	{"failed to resolve image", Containerd},
	{"httpreadseeker", Containerd},
	{"failed to do request", Containerd},
	{"failed to authorize", Containerd},
	{"pulling from host", Containerd},
	{"unexpected status from", Containerd},
	{"unexpected status code ~", Containerd},
	{"get image config descriptor", Containerd},
	{"failed commit on ref", Containerd},
	{"on snapshotter", Containerd},
	{"failed to extract layer", Containerd},
	{"failed to prepare extraction", Containerd},
	{"failed to read expected number of bytes", Containerd},
	{"short read: expected", Containerd},
	{"no match for platform", Containerd},
	{"image verifier", Containerd},
	{"authorization failed: no basic auth", Containerd},
	{"server message: insufficient_scope", Containerd},
	{"failed to create containerd container", Containerd},
	{"initializing source", CRIO},
	{"pinging container registry", CRIO},
	{"reading manifest", CRIO},
	{"copying system image", CRIO},
	{"writing blob", CRIO},
	{"reading blob", CRIO},
	{"short name mode", CRIO},
	{"short-name", CRIO},
	{"source image rejected", CRIO},
	{"choosing an image from manifest list", CRIO},
	{"no image found in image index", CRIO},
	{"parsing image configuration", CRIO},
	{"unable to retrieve auth token", CRIO},
	{"requesting bearer token", CRIO},
	{"decoding bearer token", CRIO},
	{"committing the finished image", CRIO},
	{"too many requests to registry", CRIO},
	{"unable to pull image or oci artifact", CRIO},
	{"in cri-o", CRIO},
	{"layer not known", CRIO},
	{"requires 'docker login'", Docker},
	{"may require 'docker login'", Docker},
	{"error pulling image configuration", Docker},
	{"failed to register layer", Docker},
	{"filesystem layer verification failed", Docker},
	{"docker daemon", Docker},
	{"pull qps exceeded", Kubelet},
	{"is not present with pull policy of never", Kubelet},
	{"failed to apply default image tag", Kubelet},
	{"unable to retrieve some image pull secrets", Kubelet},
	{"unable to parse auth field", Kubelet},
	{"image pull intent", Kubelet},
	{"external registry credential provider", Kubelet},
}

func (p *parser) readRuntime() {
	if p.e.Runtime != RuntimeUnknown {
		return
	}
	for i := range runtimeWords {
		if w := &runtimeWords[i]; strings.Contains(p.words, w.words) {
			p.e.Runtime = w.runtime
			return
		}
	}
}
