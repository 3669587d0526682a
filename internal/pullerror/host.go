package pullerror

import "strings"

// DockerHub is the registry that a reference without a host means.
const dockerHub = "docker.io"

// hostOfImage returns the registry host[:port] of a reference, by the rule of
// distribution/reference: the first component is a host when it holds a dot or
// a colon, or is localhost.
func hostOfImage(ref string) string {
	if ref == "" {
		return ""
	}
	ref = strings.TrimPrefix(ref, "docker://")
	if !hasHost(ref) {
		return dockerHub
	}
	first, _, _ := strings.Cut(ref, "/")
	first = strings.ToLower(first)
	if sameHub(first) {
		return dockerHub
	}
	return first
}

// hasHost tells whether a reference names its registry.
func hasHost(ref string) bool {
	first, _, ok := strings.Cut(ref, "/")
	return ok && (strings.ContainsAny(first, ".:") || first == "localhost")
}

func sameHub(host string) bool {
	switch strings.TrimSuffix(host, ":443") {
	case dockerHub, "registry-1.docker.io", "index.docker.io", "registry.docker.io":
		return true
	}
	return false
}

// storageHosts are hosts to which registries redirect blobs, by suffix.
var storageHosts = []string{
	".cloudflare.docker.com", "production.cloudfront.docker.com", ".r2.cloudflarestorage.com", ".cloudfront.net",
	".amazonaws.com.cn", ".blob.core.windows.net", ".data.azurecr.io", ".cdn.mscr.io", "pkg-containers.githubusercontent.com",
	".quay.io", "storage.googleapis.com", ".storage.googleapis.com", ".googleusercontent.com", "objects.githubusercontent.com",
}

// storageHost tells whether a host is object storage or a CDN in front of it.
func storageHost(host string) bool {
	if strings.Contains(host, "starport-layer-bucket") || strings.Contains(host, ".s3.") || strings.Contains(host, ".s3-") {
		return true
	}
	for _, s := range storageHosts {
		if strings.HasSuffix(host, s) {
			return true
		}
	}
	return false
}

// redirectedBackend tells whether a registry is known to redirect even manifests
// to another registry: registry.k8s.io answers with a regional Artifact Registry.
func redirectedBackend(image, host string) bool {
	return (image == "registry.k8s.io" || image == "k8s.gcr.io") && strings.HasSuffix(host, ".pkg.dev")
}

// readTarget tells what the asked host is with respect to the image.
func (p *parser) readTarget() {
	e := &p.e
	switch e.Kind {
	case ProxyDown, ProxyDenied, ProxyConfig:
		e.Target = TargetProxy
		return
	}
	host := e.URLHost
	if host == "" {
		return
	}
	image := e.ImageHost
	same := host == image || sameHub(host) && image == dockerHub || strings.TrimSuffix(host, ":443") == image
	path := pathOfURL(e.URL)
	switch {
	case e.Stage == StageToken:
		e.Target = TargetToken
	case e.MirrorOf != "":
		e.Target = TargetMirror
	case same:
		e.Target = TargetRegistry
	case image == "":
		// Nothing to compare with.
	case redirectedBackend(image, host):
		e.Target = TargetCDN
	case e.Runtime == CRIO && !hasHost(p.image):
		// CRI-O tries its search registries for a name without a host.
		e.Target = TargetRegistry
	case e.Stage == StageBlob && (storageHost(host) || !strings.HasPrefix(path, "/v2/")):
		e.Target = TargetCDN
	case storageHost(host):
		e.Target = TargetCDN
	case strings.HasPrefix(path, "/v2/"), e.URL == "" && e.Stage != StageBlob:
		// A registry request to another host: a mirror that was not marked by ns.
		e.Target = TargetMirror
	}
}
