package cause

import (
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/unjam-dev/unjam/internal/facts"
	"github.com/unjam-dev/unjam/internal/pullerror"
)

func isECR(host string) bool {
	return strings.Contains(host, ".dkr.ecr.") && strings.Contains(host, ".amazonaws.com")
}

func isGoogle(host string) bool {
	return host == "gcr.io" || strings.HasSuffix(host, ".gcr.io") || strings.HasSuffix(host, "-docker.pkg.dev")
}

func isACR(host string) bool { return strings.HasSuffix(host, ".azurecr.io") }

func isGitLab(host, user string) bool {
	return host == "registry.gitlab.com" || strings.Contains(host, "gitlab") || user == "gitlab-ci-token" || strings.HasPrefix(user, "gitlab+deploy-token")
}

// words is all a registry's answer may be recognised by, in lower case.
func words(e pullerror.Error) string {
	return strings.ToLower(e.ServerCode + " " + e.ServerMessage + " " + e.Text)
}

// saidByRegistry reads answers that name their cause outright, whatever the
// pod's Secrets are.
func saidByRegistry(f *facts.Facts, w *facts.Workload, t *trouble) (Finding, bool) {
	text, reg := words(t.err), t.image.Registry
	a := newAuth(f, t)
	who := a.credentialWords()
	switch {
	case strings.Contains(text, "authorization token has expired"):
		if reg == "public.ecr.aws" {
			return a.finding(w, "stale-credential-breaks-public-pull", Certain, a.match, fmt.Sprintf("public.ecr.aws refuses %s because %s has expired; without it the image could be pulled", t.text, who)), true
		}
		return a.finding(w, "ecr-token-expired", Certain, a.match, fmt.Sprintf("%s refuses %s because the ECR token sent has expired: it is %s", reg, t.text, who)), true
	case strings.Contains(text, "not authorized to perform: ecr:"):
		return a.finding(w, "ecr-iam-denied", Certain, a.match, fmt.Sprintf("%s refuses %s: the AWS identity may not pull it%s", reg, t.text, said(t.err))), true
	case strings.Contains(text, "client with ip") && strings.Contains(text, "not allowed access"):
		fd := a.finding(w, "acr-firewall", Certain, nil, fmt.Sprintf("the firewall of %s does not let %s in%s", reg, nodesWords(t.nodes), said(t.err)))
		return fd, true
	case strings.Contains(text, "artifactregistry.repositories.downloadartifacts") && !strings.Contains(text, "unauthenticated request"):
		fd := a.finding(w, "gar-permission-denied", Likely, a.match, fmt.Sprintf("%s is reached with an identity that may not read %s, or the repository does not exist%s", reg, t.image.Repository, said(t.err)),
			rival("repo-not-found", "gcloud artifacts repositories list, in the project and location that the image names"))
		return fd, true
	}
	return Finding{}, false
}

// blobRefused: storage behind the registry refused the layer, not the registry.
func blobRefused(_ *facts.Facts, w *facts.Workload, t *trouble) (Finding, bool) {
	text := words(t.err)
	xml := strings.Contains(text, "<error>") && (strings.Contains(text, "accessdenied") || strings.Contains(text, "authorizationfailure"))
	if t.err.Target == pullerror.TargetRegistry && t.err.Kind == pullerror.Forbidden && t.err.Stage == pullerror.StageBlob && !xml {
		// containerd 1.x names the address it asked first, not the one it was sent
		// to. The manifest was given under the same right, so the registry itself
		// hardly refuses the layer.
		fd := t.finding(w, "blob-cdn-403", Likely, fmt.Sprintf("%s lets the image be read, but its layers are refused%s, probably by the storage it sends nodes to for them", t.image.Registry, t.status()),
			rival("forbidden-403", "ask for the layer from the node: curl -si "+t.err.URL+" (a redirect names the storage)"))
		fd.Key = "host " + t.host()
		return fd, true
	}
	if t.err.Target != pullerror.TargetCDN && !xml {
		return Finding{}, false
	}
	fd := t.finding(w, "blob-cdn-403", Certain, fmt.Sprintf("%s lets the image be read, but the storage it keeps layers in (%s) refuses them%s", t.image.Registry, t.host(), t.status()))
	fd.Key = "host " + t.host()
	return fd, true
}

// providerAnonymous names provider-specific forms of "no credential".
func providerAnonymous(w *facts.Workload, t *trouble, rivals []Rival) (Finding, bool) {
	text, reg := words(t.err), t.image.Registry
	make := func(code, summary string, more ...Rival) (Finding, bool) {
		fd := t.finding(w, code, Likely, summary, append(rivals, more...)...)
		fd.Key = "registry " + reg
		return fd, true
	}
	open := rival("repo-not-found", "look for the repository with an account that sees the whole project (crane ls "+t.image.Name()+")")
	plugin := rival("credential-plugin-failed", "journalctl -u kubelet on the node, and its metric kubelet_credential_provider_plugin_errors_total")
	switch {
	case strings.Contains(text, "artifactregistry.repositories.downloadartifacts"), isGoogle(reg) && t.err.Status == 403:
		return make("gar-permission-denied", fmt.Sprintf("%s got no identity that may read %s%s", reg, t.image.Repository, said(t.err)), open, plugin)
	case reg == "quay.io" && t.err.Kind != pullerror.Forbidden:
		return make("quay-unauthorized", fmt.Sprintf("quay.io refuses %s: it is private or misspelt, Quay answers both alike", t.image.Repository), open)
	case strings.Contains(text, "unauthorized to access repository"):
		return make("harbor-unauthorized", fmt.Sprintf("Harbor at %s lets nobody without a right pull %s, and no credential was sent", reg, t.image.Repository), open)
	case strings.Contains(text, "denied: access forbidden"):
		return make("gitlab-registry-denied", fmt.Sprintf("the registry %s refuses %s in GitLab's words: its token is revoked, expired or lacks read_registry", reg, t.text), rival("forbidden-403", "is the registry a GitLab? curl -si https://"+reg+"/v2/ | grep -i www-authenticate"))
	case isACR(reg) && t.err.Credential == pullerror.CredentialUnknown && t.err.Kind == pullerror.Unauthorized:
		return make("acr-unauthorized", fmt.Sprintf("%s refuses %s: the node's identity lacks the right to pull, or the tag does not exist", reg, t.text), rival("tag-not-found", "az acr repository show-tags for the repository"), plugin)
	}
	return Finding{}, false
}

// providerSent names provider-specific refusals of a credential.
func (a *auth) providerSent(w *facts.Workload) (Finding, bool) {
	t, reg := a.t, a.t.image.Registry
	text, who := words(t.err), a.credentialWords()
	user := ""
	if a.match != nil && a.match.entry != nil {
		user = a.match.entry.User
	}
	forbidden := t.err.Kind == pullerror.Forbidden || t.err.Kind == pullerror.TokenDenied
	switch {
	case reg == "public.ecr.aws" && forbidden:
		return a.finding(w, "stale-credential-breaks-public-pull", Likely, a.match, fmt.Sprintf("public.ecr.aws refuses %s%s, though it serves everybody: %s is what it refuses", t.text, t.status(), who),
			rival("forbidden-403", "ask for the manifest without a credential (crane digest "+t.text+", logged out)")), true
	case isECR(reg) && forbidden:
		return a.ecrForbidden(w), true
	case isGoogle(reg) && forbidden:
		return a.finding(w, "gar-permission-denied", Likely, a.match, fmt.Sprintf("%s does not let %s read %s, or the repository does not exist%s", reg, who, t.image.Repository, t.status()),
			rival("repo-not-found", "gcloud artifacts repositories list, in the project and location that the image names")), true
	case isGitLab(t.host(), user) || isGitLab(reg, user):
		if forbidden || user == "gitlab-ci-token" || strings.Contains(text, "access forbidden") {
			return a.finding(w, "gitlab-registry-denied", Certain, a.match, fmt.Sprintf("GitLab refuses %s for %s%s: the token is revoked, expired or lacks read_registry", who, t.text, t.status())), true
		}
	case strings.Contains(text, "unauthorized to access repository"):
		fd := a.finding(w, "harbor-unauthorized", Certain, a.match, fmt.Sprintf("Harbor at %s does not let %s pull %s", reg, who, t.image.Repository))
		if user != "" && !strings.Contains(user, "$") && strings.HasPrefix(user, "robot") {
			fd.Summary += "; the user name has lost its $ part"
		}
		return fd, true
	case reg == "quay.io" && !forbidden:
		return a.finding(w, "quay-unauthorized", Likely, a.match, fmt.Sprintf("quay.io refuses %s for %s: the account has no right to it, or it is misspelt", who, t.image.Repository),
			rival("repo-not-found", "curl https://quay.io/api/v1/repository/"+t.image.Repository+" (200 means that it is public)")), true
	case isACR(reg) && a.match == nil:
		fd := a.finding(w, "acr-unauthorized", Likely, nil, fmt.Sprintf("%s refuses the node's identity for %s%s", reg, t.text, t.status()), rival("bad-credentials", "az aks check-acr, or log in by hand with the identity the node uses"))
		if young(a.pod.Node, a.when()) {
			fd.Class = SelfHealing
			fd.Summary += "; the node is new, and its rights take a minute or two to arrive"
		}
		return fd, true
	case t.err.Kind == pullerror.TokenDenied && (reg == "ghcr.io" || reg == "docker.io"):
		return a.finding(w, "forbidden-403", Likely, a.match, fmt.Sprintf("%s forbids %s to pull %s%s: the token is bad, expired or lacks the right to read packages", reg, who, t.image.Repository, t.status()),
			rival("stale-credential-breaks-public-pull", "ask for the manifest without a credential (crane digest "+t.text+", logged out): if that works, the image is public and only the credential is in the way")), true
	}
	return Finding{}, false
}

// young reports whether a node joined within five minutes before at.
func young(n *corev1.Node, at time.Time) bool {
	return n != nil && !n.CreationTimestamp.IsZero() && at.Sub(n.CreationTimestamp.Time) < 5*time.Minute
}

// ecrTokenLife is how long an ECR login token is valid.
const ecrTokenLife = 12 * time.Hour

// ecrForbidden: the body that would tell an expired token from a missing right
// is lost (containerd up to 2.1 reads none after HEAD).
func (a *auth) ecrForbidden(w *facts.Workload) Finding {
	reg := a.t.image.Registry
	body := "ask for the manifest with GET and read the body: curl -u AWS:TOKEN https://" + reg + "/v2/" + a.t.image.Repository + "/manifests/" + a.t.image.Tag
	if s := a.match; s != nil {
		if shape, _ := a.f.Secret(a.pod.Obj.Namespace, s.name); shape != nil && !shape.Created.IsZero() && a.when().Sub(shape.Created) < ecrTokenLife {
			return a.finding(w, "ecr-iam-denied", Likely, s, fmt.Sprintf("%s forbids %s to pull %s%s; the Secret is younger than the token's 12 hours", reg, a.credentialWords(), a.t.image.Repository, a.t.status()), rival("ecr-token-expired", body))
		}
		return a.finding(w, "ecr-token-expired", Likely, s, fmt.Sprintf("%s forbids %s to pull %s%s; ECR tokens live 12 hours and the Secret is older", reg, a.credentialWords(), a.t.image.Repository, a.t.status()), rival("ecr-iam-denied", body))
	}
	if sa, _ := a.f.ServiceAccount(a.pod.Obj.Namespace, serviceAccount(a.pod)); sa != nil && len(a.secrets) == 0 {
		return a.finding(w, "ecr-iam-denied", Likely, nil, fmt.Sprintf("%s forbids the node's identity to pull %s%s; the pod names no pull secret that could have expired", reg, a.t.image.Repository, a.t.status()), rival("ecr-token-expired", body))
	}
	return a.finding(w, "ecr-token-expired", Likely, nil, fmt.Sprintf("%s forbids the credential sent to pull %s%s: an ECR token past its 12 hours, or an identity without the right", reg, a.t.image.Repository, a.t.status()), rival("ecr-iam-denied", body))
}

// ecrAnonymous: ECR was asked without a credential, which on AWS nodes means
// that the kubelet's plugin gave none.
func (a *auth) ecrAnonymous(w *facts.Workload) Finding {
	t := a.t
	if fd, ok := a.pluginGone(w); ok {
		return fd
	}
	return a.finding(w, "ecr-no-basic-auth", Likely, nil, fmt.Sprintf("ECR was asked for %s without a credential: the pod names no pull secret for it and %s has none to give", t.text, nodesWords(t.nodes)),
		rival("credential-plugin-failed", "journalctl -u kubelet on the node, and its metric kubelet_credential_provider_plugin_errors_total"),
		rival("credential-plugin-not-configured", "ps on the node: does the kubelet run with --image-credential-provider-config, and does matchImages cover "+t.image.Registry))
}

// pluginGone: an older kubelet with the built-in cloud credentials runs the
// repository, a newer one that lost them fails.
func (a *auth) pluginGone(w *facts.Workload) (Finding, bool) {
	without := 27 // AWS; taxonomy-image section 3
	switch reg := a.t.image.Registry; {
	case isACR(reg):
		without = 30
	case isGoogle(reg):
		without = 31
	}
	c, minor := a.witness, kubeletMinor(a.pod.Node)
	if c == nil || len(c.Pod.Obj.Spec.ImagePullSecrets) > 0 || minor < without {
		return Finding{}, false
	}
	if old := kubeletMinor(c.Pod.Node); old == 0 || old >= without {
		return Finding{}, false
	}
	fd := a.finding(w, "credential-plugin-not-configured", Likely, nil,
		fmt.Sprintf("%s has kubelet %s, which no longer knows cloud credentials by itself, and gives none to %s; node %s with kubelet %s pulls it", nodesWords(a.t.nodes), a.pod.Node.Status.NodeInfo.KubeletVersion, a.t.image.Registry, c.Pod.NodeName(), c.Pod.Node.Status.NodeInfo.KubeletVersion),
		rival("credential-plugin-failed", "journalctl -u kubelet on the node, and its metric kubelet_credential_provider_plugin_errors_total"))
	fd.Evidence = append(fd.Evidence, ranEvidence(c, "this pod pulled from the repository on a node with an older kubelet"))
	return fd, true
}
