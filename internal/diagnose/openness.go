package diagnose

import (
	"slices"
	"strings"

	"github.com/unjam-dev/unjam/internal/cause"
)

// lookalike is a cause that prints the same words as another. A cluster would
// tell them apart by the pull Secret, the older ReplicaSet or a node; text does not.
type lookalike struct {
	code string
	// hosts limit it to images of these registries; an image that the text does
	// not name fits all.
	hosts string
	check string
}

const (
	askSecret   = "whether the pod has imagePullSecrets: kubectl get pod <pod> -o jsonpath='{.spec.imagePullSecrets}'"
	askExists   = "whether the pull Secret that the pod names exists: kubectl get secret <secret>"
	askRegistry = "the registry in the pod's image: kubectl get pod <pod> -o jsonpath='{..image}'"
	askPublic   = "whether anybody may pull the image: crane manifest <image> without a login"
)

var lookalikes = map[string][]lookalike{
	"rate-limit-other": {{"rate-limit-dockerhub-anonymous", "docker.io", askRegistry}, {"rate-limit-dockerhub-authenticated", "docker.io", askSecret},
		{"rate-limit-ecr-public", "public.ecr.aws", askRegistry}},
	"rate-limit-dockerhub-anonymous": {{"rate-limit-dockerhub-authenticated", "", askSecret}},
	"forbidden-403": {{"stale-credential-breaks-public-pull", "", askPublic}, {"ecr-token-expired", "amazonaws.com", "the age of the token in the pull Secret: it lasts 12 hours"},
		{"gar-permission-denied", "pkg.dev gcr.io", askRegistry}, {"gitlab-registry-denied", "gitlab.", askRegistry}, {"acr-firewall", "azurecr.io", askRegistry},
		{"image-moved-or-retired", "gcr.io docker.io", askPublic}, {"blob-cdn-403", "", "whether the request in the text went to the registry or to its storage"}},
	"gitlab-registry-denied": {{"forbidden-403", "", askSecret}},
	"ecr-token-expired":      {{"stale-credential-breaks-public-pull", "public.ecr.aws", askPublic}},
	"bad-credentials": {{"pull-secret-missing", "", askExists}, {"acr-unauthorized", "azurecr.io", askRegistry}, {"harbor-unauthorized", "harbor", askRegistry}, {"quay-unauthorized", "quay.io", askRegistry},
		{"stale-credential-breaks-public-pull", "", askPublic}},
	"anonymous-denied":       {{"pull-secret-missing", "", askExists}, {"acr-unauthorized", "azurecr.io", askRegistry}, {"quay-unauthorized", "quay.io", askRegistry}, {"bad-credentials", "", askSecret}},
	"quay-unauthorized":      {{"crio-unqualified-search-wrong-registry", "", "whether the pod's image begins with quay.io: " + askRegistry}},
	"private-or-nonexistent": {{"pull-secret-missing", "", askExists}, {"ecr-no-basic-auth", "amazonaws.com", askRegistry}},
	"tag-not-found":          {{"image-moved-or-retired", "docker.io gcr.io", askPublic}, {"repo-not-found", "", "crane ls <repository>"}},
	"mid-transfer-eof":       {{"mirror-no-blob-fallback", "", "whether the node has a mirror: ls /etc/containerd/certs.d"}},
	"quota-exceeded":         {{"quota-blocks-surge", "", "whether an older ReplicaSet of the Deployment is complete: kubectl get rs"}},
	"webhook-no-endpoints":   {{"webhook-self-deadlock", "", "whether the webhook's own pods are among those that it refuses: kubectl get pods -n <its namespace>"}},
	"apiserver-overload":     {{"webhook-timeout", "", "kubectl get validatingwebhookconfigurations,mutatingwebhookconfigurations"}},
}

// open lowers the confidence of a finding where text alone leaves more open than
// a cluster would. assumed is true when even that it is about an image is a guess.
func open(causes cause.Set, fd cause.Finding, assumed bool) cause.Finding {
	for _, l := range lookalikes[fd.Cause] {
		if image := fd.Vars["image"]; image != "" && l.hosts != "" && !slices.ContainsFunc(strings.Fields(l.hosts), func(h string) bool { return strings.Contains(image, h) }) {
			continue
		}
		fd = rivaled(causes, fd, cause.Rival{Cause: l.code, SettledBy: l.check})
	}
	if fd.Cause == "crashloop-app-error" && fd.Confidence == cause.Possible {
		fd = rivaled(causes, fd, cause.Rival{Cause: "init-container-failing", SettledBy: "whether the container is an init container: kubectl describe pod"})
	}
	if !assumed {
		return fd
	}
	fd = rivaled(causes, fd, cause.Rival{Cause: "dependency-unavailable", SettledBy: "where the line stands: in a container's log its program wrote it, in an event or the runtime's log the pull did"})
	if fd.Cause == "tcp-timeout" {
		fd = rivaled(causes, fd, cause.Rival{Cause: "webhook-timeout", SettledBy: "whether the line goes on about a webhook"})
	}
	if strings.HasPrefix(fd.Cause, "tls-") {
		fd = rivaled(causes, fd, cause.Rival{Cause: "webhook-tls", SettledBy: "whether the line goes on about a webhook"})
	}
	fd.Confidence = cause.Possible
	return fd
}

// rivaled adds a rival, if that is a known cause and not there yet.
func rivaled(causes cause.Set, fd cause.Finding, r cause.Rival) cause.Finding {
	if r.Cause == fd.Cause || causes.ByCode(r.Cause) == nil || slices.ContainsFunc(fd.Rivals, func(o cause.Rival) bool { return o.Cause == r.Cause }) {
		return fd
	}
	fd.Rivals = append(slices.Clone(fd.Rivals), r)
	if fd.Confidence == cause.Certain {
		fd.Confidence = cause.Likely
	}
	return fd
}
