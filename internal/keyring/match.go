// Package keyring decodes pull Secrets and chooses the credentials for an
// image as the kubelet does (k8s.io/kubernetes pkg/credentialprovider). It
// works on values in memory; a Credential does not print its password.
package keyring

import (
	"net/url"
	"path"
	"strings"
)

// Matches reports whether the kubelet would use a credential stored under
// the host key for an image, exactly as it would decide itself
// (pkg/credentialprovider/keyring.go, Add, Lookup and URLsMatch). name is the
// normalised registry/repository without tag, e.g. "docker.io/library/nginx".
func Matches(key, name string) bool {
	key, ok := normalKey(key)
	if !ok {
		return false
	}
	if globMatches(key, name) {
		return true
	}
	// Docker Hub's historic key counts for every image without a registry.
	return key == hubKey && strings.HasPrefix(name, "docker.io/")
}

// hubKey is the host under which Docker Hub was known first.
const hubKey = "index.docker.io"

// normalKey strips the scheme and a leading /v1/ or /v2/ path: the form under
// which the kubelet files a credential.
func normalKey(key string) (string, bool) {
	if !strings.HasPrefix(key, "https://") && !strings.HasPrefix(key, "http://") {
		key = "https://" + key
	}
	u, err := url.Parse(key)
	if err != nil {
		return "", false
	}
	p := u.Path
	if strings.HasPrefix(p, "/v1/") || strings.HasPrefix(p, "/v2/") {
		p = p[len("/v1"):]
	}
	if p == "/" {
		p = ""
	}
	return u.Host + p, true
}

// globMatches compares host labels one by one as globs, ports exactly and the
// path as a plain prefix.
func globMatches(glob, target string) bool {
	globHost, globPath := SplitHost(glob)
	host, hostPath := SplitHost(target)
	globName, globPort := SplitPort(globHost)
	name, port := SplitPort(host)
	if globPort != port || !strings.HasPrefix(hostPath, globPath) {
		return false
	}
	globs, labels := strings.Split(globName, "."), strings.Split(name, ".")
	if len(globs) != len(labels) {
		return false
	}
	for i := range globs {
		if ok, err := path.Match(globs[i], labels[i]); err != nil || !ok {
			return false
		}
	}
	return true
}

// SplitHost cuts a reference without scheme after its host and port.
func SplitHost(s string) (host, rest string) {
	if i := strings.IndexByte(s, '/'); i >= 0 {
		return s[:i], s[i:]
	}
	return s, ""
}

// SplitPort cuts host:port; port is empty when there is none.
func SplitPort(host string) (name, port string) {
	if i := strings.LastIndexByte(host, ':'); i >= 0 && !strings.HasSuffix(host, "]") {
		return host[:i], host[i+1:]
	}
	return host, ""
}

// hubAliases are hosts people write for Docker Hub in a Secret.
var hubAliases = map[string]bool{"docker.io": true, "index.docker.io": true, "registry-1.docker.io": true, "hub.docker.com": true,
	"registry.hub.docker.com": true, "registry.docker.io": true, "www.docker.com": true, "auth.docker.io": true}

// HubAlias tells a host that people write for Docker Hub.
func HubAlias(host string) bool { return hubAliases[host] }

// NearMiss says why a host key that was meant for the image's registry does
// not match it; ok is false when the key is for another registry altogether.
func NearMiss(key, name string) (why string, ok bool) {
	bare := strings.TrimPrefix(strings.TrimPrefix(key, "https://"), "http://")
	keyHost, keyPath := SplitHost(bare)
	host, hostPath := SplitHost(name)
	keyName, keyPort := SplitPort(keyHost)
	hostName, port := SplitPort(host)
	switch {
	case hubAliases[keyHost] && host == "docker.io":
		return "the kubelet looks for docker.io or https://index.docker.io/v1/ (with the final slash)", true
	case !strings.EqualFold(keyName, hostName):
		return "", false
	case keyPort != port:
		if keyPort == "" {
			return "the key lacks the port " + port, true
		}
		if port == "" {
			return "the key has the port " + keyPort + ", the image has none", true
		}
		return "the key has the port " + keyPort + ", the image has " + port, true
	case keyName != hostName:
		return "upper and lower case differ", true
	case keyPath == "/v1" || keyPath == "/v2":
		return "the path " + keyPath + " needs a final slash or must go", true
	case strings.Contains(keyPath, ":"):
		return "the key must not hold a tag", true
	case !strings.HasPrefix(hostPath, keyPath):
		return "the key is limited to the path " + keyPath, true
	}
	return "the key does not match the image's host", true
}
