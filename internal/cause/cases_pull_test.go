package cause_test

import (
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/unjam-dev/unjam/internal/cause"
	"github.com/unjam-dev/unjam/internal/snapshot"
	"github.com/unjam-dev/unjam/internal/snapshot/snaptest"
)

// resolving is how containerd wraps an error of the first request for image.
func resolving(image, err string) string {
	return fmt.Sprintf("failed to pull and unpack image %q: failed to resolve reference %q: %s", image, image, err)
}

// requesting is an error below the HTTP request for image's manifest.
func requesting(image, url, err string) string {
	return resolving(image, fmt.Sprintf("failed to do request: Head %q: %s", url, err))
}

// pull is one Deployment whose only pod fails to pull the image on node n1.
func pull(image, text string, more ...func(*snaptest.Builder)) func(*snaptest.Builder) {
	return func(b *snaptest.Builder) {
		b.Node("n1")
		for _, f := range more {
			f(b)
		}
		b.Deployment("web", image, 1).Pod("n1").PullFails(text)
	}
}

// fires is a case in which the text decides for code, with certainty.
func fires(code, name, image, text string, more ...func(*snaptest.Builder)) testCase {
	return testCase{code: code, name: name, confidence: cause.Certain, build: pull(image, text, more...)}
}

// leans is a case in which code is the best answer with rivals.
func leans(code, name, image, text string, more ...func(*snaptest.Builder)) testCase {
	return testCase{code: code, name: name, confidence: cause.Likely, build: pull(image, text, more...)}
}

// not is a look-alike of code that is want.
func not(code, name, want, image, text string, more ...func(*snaptest.Builder)) testCase {
	return testCase{code: code, name: name, near: true, want: []string{want}, build: pull(image, text, more...)}
}

// neighbour is a healthy Deployment of another image on the node.
func neighbour(name, image, node string, change ...func(*corev1.PodSpec)) func(*snaptest.Builder) {
	return func(b *snaptest.Builder) {
		found := false
		for _, n := range b.Snap.Objects.Nodes {
			found = found || n.Name == node
		}
		if !found {
			b.Node(node)
		}
		b.Deployment(name, image, 1, change...).Healthy().Pod(node).Ready()
	}
}

// pullSecret adds a pull Secret with one entry and names it in pods made later.
func pullSecret(name string, e snapshot.Credential) func(*snaptest.Builder) {
	return func(b *snaptest.Builder) { addSecret(b, snaptest.Namespace, name, e) }
}

func addSecret(b *snaptest.Builder, ns, name string, e snapshot.Credential) *snapshot.SecretShape {
	s := &snapshot.SecretShape{Namespace: ns, Name: name, Type: "kubernetes.io/dockerconfigjson", Keys: []string{".dockerconfigjson"}, Created: snaptest.Now.Add(-24 * time.Hour),
		Pull: &snapshot.PullCredentials{Entries: []snapshot.Credential{e}}}
	b.Snap.Objects.Secrets = append(b.Snap.Objects.Secrets, s)
	return s
}

// named names pull Secrets in a pod.
func named(names ...string) func(*corev1.PodSpec) {
	return func(s *corev1.PodSpec) {
		for _, n := range names {
			s.ImagePullSecrets = append(s.ImagePullSecrets, corev1.LocalObjectReference{Name: n})
		}
	}
}

// pullAs is pull with pull Secrets named in the pod.
func pullAs(secrets func(*corev1.PodSpec), image, text string, more ...func(*snaptest.Builder)) func(*snaptest.Builder) {
	return func(b *snaptest.Builder) {
		b.Node("n1")
		for _, f := range more {
			f(b)
		}
		b.Deployment("web", image, 1, secrets).Pod("n1").PullFails(text)
	}
}

// unread says that a kind of object could not be read.
func unread(resource string) func(*snaptest.Builder) {
	return func(b *snaptest.Builder) {
		b.Snap.Gaps = append(b.Snap.Gaps, snapshot.Gap{Resource: resource, Reason: snapshot.GapForbidden})
	}
}

// holds puts images into a node's list.
func holds(node string, names ...string) func(*snaptest.Builder) {
	return func(b *snaptest.Builder) {
		for _, n := range b.Snap.Objects.Nodes {
			if n.Name == node {
				n.Status.Images = append(n.Status.Images, corev1.ContainerImage{Names: names})
			}
		}
	}
}

// kubelet sets the version of node n1.
func kubelet(version string) func(*snaptest.Builder) {
	return func(b *snaptest.Builder) { b.Snap.Objects.Nodes[0].Status.NodeInfo.KubeletVersion = version }
}

const (
	lab  = "registry.lab:5000/shop/web:v1"
	hub  = "docker.io/acme/web:v1"
	ecr  = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/shop/web:v1"
	manV = "https://registry.lab:5000/v2/shop/web/manifests/v1"

	noBasic = "pull access denied, repository does not exist or may require authorization: authorization failed: no basic auth credentials"
	scope   = "pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed"
)
