package cause_test

import (
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/unjam-dev/unjam/internal/cause"
	"github.com/unjam-dev/unjam/internal/snapshot"
	"github.com/unjam-dev/unjam/internal/snapshot/snaptest"
)

// as is a case of a pod that names the Secret "regcred".
func as(code, name string, conf cause.Confidence, image, text string, more ...func(*snaptest.Builder)) testCase {
	return testCase{code: code, name: name, confidence: conf, build: pullAs(named("regcred"), image, text, more...)}
}

func notAs(code, name, want, image, text string, more ...func(*snaptest.Builder)) testCase {
	return testCase{code: code, name: name, near: true, want: []string{want}, build: pullAs(named("regcred"), image, text, more...)}
}

func cred(host string) snapshot.Credential { return snapshot.Credential{HostKey: host, User: "robot"} }

// shaped is the Secret "regcred", changed.
func shaped(e snapshot.Credential, change func(*snapshot.SecretShape)) func(*snaptest.Builder) {
	return func(b *snaptest.Builder) { change(addSecret(b, snaptest.Namespace, "regcred", e)) }
}

var (
	matching  = pullSecret("regcred", cred("registry.lab:5000"))
	refused40 = status(lab, manV, "401 Unauthorized")
	forbidden = status(lab, manV, "403 Forbidden")
	oauth     = resolving(lab, "failed to authorize: failed to fetch oauth token: unexpected status from GET request to https://registry.lab:5000/token?scope=repository%3Ashop%2Fweb%3Apull: 401 Unauthorized")
	anonymous = "failed to authorize: failed to fetch anonymous token: unexpected status from GET request to https://ghcr.io/token?scope=repository%3Aacme%2Fweb%3Apull&service=ghcr.io: 401 Unauthorized"
)

const (
	ghcr   = "ghcr.io/acme/web:v1"
	ecrURL = "https://111122223333.dkr.ecr.eu-west-1.amazonaws.com/v2/shop/web/manifests/v1"
	gar    = "europe-west3-docker.pkg.dev/acme/shop/web:v1"
	acr    = "acme.azurecr.io/shop/web:v1"
	quay   = "quay.io/acme/web:v1"
	glab   = "registry.gitlab.com/acme/web:v1"
)

var credentialCases = []testCase{
	as("pull-secret-missing", "absent, Basic", cause.Certain, lab, resolving(lab, noBasic)),
	as("pull-secret-missing", "absent, Bearer", cause.Likely, lab, resolving(lab, scope)),
	{code: "pull-secret-missing", name: "only the kubelet says so", confidence: cause.Certain, build: func(b *snaptest.Builder) {
		unread("secrets")(b)
		b.Node("n1")
		b.Deployment("web", lab, 1, named("regcred")).Pod("n1").PullFails(resolving(lab, noBasic)).
			Event("Warning", "FailedToRetrieveImagePullSecret", "Unable to retrieve some image pull secrets (other, regcred); attempting to pull the image may not succeed.", 4*time.Minute, 5*time.Second, 9)
	}},
	{code: "pull-secret-missing", name: "absent and not needed", near: true, want: []string{"tag-not-found"}, build: pullAs(named("regcred"), lab, missing)},
	{code: "pull-secret-missing", name: "absent, and the pod runs", near: true, build: func(b *snaptest.Builder) {
		b.Node("n1")
		b.Deployment("web", lab, 1, named("regcred")).Healthy().Pod("n1").Ready().Event("Warning", "FailedToRetrieveImagePullSecret", "Unable to retrieve some image pull secrets (regcred); attempting to pull the image may not succeed.", 4*time.Minute, 5*time.Second, 9)
	}},
	as("pull-secret-wrong-namespace", "in another namespace", cause.Certain, lab, resolving(lab, noBasic), func(b *snaptest.Builder) { addSecret(b, "build", "regcred", cred("registry.lab:5000")) }),
	notAs("pull-secret-wrong-namespace", "nowhere", "pull-secret-missing", lab, resolving(lab, noBasic)),
	as("pull-secret-wrong-type", "Opaque", cause.Certain, lab, resolving(lab, noBasic), shaped(cred("registry.lab:5000"), func(s *snapshot.SecretShape) { s.Type = "Opaque" })),
	as("pull-secret-wrong-type", "key missing", cause.Certain, lab, resolving(lab, noBasic), shaped(cred("registry.lab:5000"), func(s *snapshot.SecretShape) { s.Keys = []string{"config.json"} })),
	notAs("pull-secret-wrong-type", "right type, wrong password", "bad-credentials", lab, refused40, matching),
	as("pull-secret-malformed", "kubelet's error", cause.Certain, lab, "unable to parse auth field, must be formatted as base64(username:password)", shaped(snapshot.Credential{HostKey: "quay.io", Malformed: "no colon"}, func(*snapshot.SecretShape) {})),
	{code: "pull-secret-malformed", name: "error as waiting reason", build: func(b *snaptest.Builder) {
		b.Node("n1")
		b.Deployment("web", lab, 1, named("regcred")).Pod("n1").Waiting("unable to parse auth field, must be formatted as base64(username:password)", "")
	}, want: []string{"pull-secret-malformed"}},
	notAs("pull-secret-malformed", "wrong password", "bad-credentials", lab, refused40, matching),
	as("pull-secret-empty-auth", "desktop export", cause.Certain, lab, resolving(lab, noBasic), pullSecret("regcred", snapshot.Credential{HostKey: "registry.lab:5000", Empty: true, Ignored: "credsStore"})),
	notAs("pull-secret-empty-auth", "password refused", "bad-credentials", lab, refused40, matching),
	as("pull-secret-wrong-host-key", "port missing", cause.Certain, lab, resolving(lab, noBasic), pullSecret("regcred", cred("registry.lab"))),
	as("pull-secret-wrong-host-key", "other host", cause.Certain, lab, resolving(lab, noBasic), pullSecret("regcred", cred("ghcr.io"))),
	as("pull-secret-wrong-host-key", "Docker Hub without slash", cause.Likely, hub, resolving(hub, scope), pullSecret("regcred", cred("https://index.docker.io/v1"))),
	notAs("pull-secret-wrong-host-key", "matches, refused", "bad-credentials", lab, refused40, matching),
	{code: "sa-pull-secret-not-applied", name: "added later", confidence: cause.Certain, build: pull(lab, resolving(lab, noBasic), matching, func(b *snaptest.Builder) {
		b.Snap.Objects.ServiceAccounts[0].ImagePullSecrets = []corev1.LocalObjectReference{{Name: "regcred"}}
	})},
	{code: "sa-pull-secret-not-applied", name: "copied", near: true, want: []string{"bad-credentials"}, build: pullAs(named("regcred"), lab, refused40, matching, func(b *snaptest.Builder) {
		b.Snap.Objects.ServiceAccounts[0].ImagePullSecrets = []corev1.LocalObjectReference{{Name: "regcred"}}
	})},

	as("bad-credentials", "Basic", cause.Certain, lab, refused40, matching),
	as("bad-credentials", "Bearer, secrets unread", cause.Certain, lab, oauth, unread("secrets")),
	as("bad-credentials", "line break in the password", cause.Certain, lab, refused40, pullSecret("regcred", snapshot.Credential{HostKey: "registry.lab:5000", User: "robot", TrailingNewline: true})),
	not("bad-credentials", "none was sent", "anonymous-denied", ghcr, resolving(ghcr, anonymous)),
	leans("private-or-nonexistent", "Basic, no secret", lab, resolving(lab, noBasic)),
	leans("private-or-nonexistent", "Bearer, no secret", lab, resolving(lab, scope)),
	leans("private-or-nonexistent", "docker's words, no registry named", "web:v1", "Error response from daemon: pull access denied for web, repository does not exist or may require 'docker login': denied: requested access to the resource is denied"),
	fires("private-or-nonexistent", "another pod runs it", lab, resolving(lab, scope), neighbour("other", "registry.lab:5000/shop/web:v0", "n2")),
	{code: "private-or-nonexistent", name: "image on the node already", confidence: cause.Likely, want: []string{"private-or-nonexistent"}, build: pull(lab, resolving(lab, noBasic), neighbour("other", lab, "n1", named("regcred")), matching)},
	not("private-or-nonexistent", "not found", "tag-not-found", lab, missing),
	leans("anonymous-denied", "anonymous token refused", ghcr, resolving(ghcr, anonymous)),
	notAs("anonymous-denied", "credential sent", "bad-credentials", lab, oauth, matching),
	fires("forbidden-403", "no secret", lab, forbidden),
	as("forbidden-403", "with secret", cause.Certain, lab, forbidden, matching),
	not("forbidden-403", "proxy", "proxy-connect-denied", lab, labFails("Forbidden")),
	as("stale-credential-breaks-public-pull", "another pod pulls it without", cause.Likely, lab, oauth, matching, neighbour("other", "registry.lab:5000/shop/web:v0", "n2")),
	fires("stale-credential-breaks-public-pull", "ECR Public", "public.ecr.aws/x/y:v1", resolving("public.ecr.aws/x/y:v1", "unexpected status from HEAD request to https://public.ecr.aws/v2/x/y/manifests/v1: 403 Forbidden\ndenied: Your authorization token has expired. Reauthenticate and try again.")),
	notAs("stale-credential-breaks-public-pull", "nobody else pulls it", "bad-credentials", lab, oauth, matching),
	{code: "mixed-credential-errors", name: "two refusals", confidence: cause.Certain, build: pullAs(named("regcred"), lab, "[rpc error: code = Unknown desc = "+oauth+", rpc error: code = Unknown desc = "+resolving(lab, "failed to authorize: failed to fetch anonymous token: unexpected status from GET request to https://registry.lab:5000/token?scope=x: 401 Unauthorized")+"]", matching)},
	notAs("mixed-credential-errors", "one refusal", "bad-credentials", lab, oauth, matching),

	leans("ecr-no-basic-auth", "no credential", ecr, resolving(ecr, noBasic)),
	not("ecr-no-basic-auth", "another registry", "private-or-nonexistent", lab, resolving(lab, noBasic)),
	as("ecr-token-expired", "expiry in the Secret", cause.Certain, ecr, status(ecr, ecrURL, "403 Forbidden"), pullSecret("regcred", snapshot.Credential{HostKey: "111122223333.dkr.ecr.eu-west-1.amazonaws.com", User: "AWS", Kind: "ecr", Expires: snaptest.Now.Add(-time.Hour)})),
	fires("ecr-token-expired", "own words", ecr, status(ecr, ecrURL, "403 Forbidden")+"\ndenied: Your authorization token has expired. Reauthenticate and try again."),
	not("ecr-token-expired", "no right", "ecr-iam-denied", ecr, iamDenied),
	fires("ecr-iam-denied", "own words", ecr, iamDenied),
	notAs("ecr-iam-denied", "expired", "ecr-token-expired", ecr, status(ecr, ecrURL, "403 Forbidden"), pullSecret("regcred", snapshot.Credential{HostKey: "111122223333.dkr.ecr.eu-west-1.amazonaws.com", User: "AWS", Expires: snaptest.Now.Add(-time.Hour)})),
	leans("gar-permission-denied", "principal without right", gar, status(gar, "https://europe-west3-docker.pkg.dev/v2/acme/shop/web/manifests/v1", "403 Forbidden")+"\n"+`denied: Permission "artifactregistry.repositories.downloadArtifacts" denied on resource "projects/acme/locations/europe-west3/repositories/shop" (or it may not exist)`),
	not("gar-permission-denied", "not found", "tag-not-found", gar, "rpc error: code = NotFound desc = "+resolving(gar, gar+": not found")),
	leans("acr-unauthorized", "node's identity", acr, resolving(acr, "failed to authorize: failed to fetch oauth token: unexpected status from GET request to https://acme.azurecr.io/oauth2/token?scope=repository%3Ashop%2Fweb%3Apull: 401 Unauthorized")),
	not("acr-unauthorized", "firewall", "acr-firewall", acr, acrWall),
	fires("acr-firewall", "address not let in", acr, acrWall),
	not("acr-firewall", "identity", "acr-unauthorized", acr, resolving(acr, "failed to authorize: failed to fetch oauth token: unexpected status from GET request to https://acme.azurecr.io/oauth2/token?scope=x: 401 Unauthorized")),
	leans("quay-unauthorized", "CRI-O", quay, "reading manifest v1 in quay.io/acme/web: unauthorized: access to the requested resource is not authorized"),
	not("quay-unauthorized", "missing tag", "tag-not-found", quay, "reading manifest v1 in quay.io/acme/web: manifest unknown"),
	as("harbor-unauthorized", "robot without right", cause.Certain, lab, "Error response from daemon: unauthorized: unauthorized to access repository: shop/web, action: pull: unauthorized to access repository: shop/web, action: pull", matching),
	notAs("harbor-unauthorized", "another product", "bad-credentials", lab, oauth, matching),
	fires("gitlab-registry-denied", "token service", glab, resolving(glab, "failed to authorize: failed to fetch oauth token: unexpected status from GET request to https://gitlab.com/jwt/auth?scope=repository%3Aacme%2Fweb%3Apull&service=container_registry: 403 Forbidden")),
	not("gitlab-registry-denied", "another registry", "forbidden-403", lab, forbidden),

	fires("credential-plugin-failed", "kubelet log", ecr, "error execing credential provider plugin ecr-credential-provider for image "+ecr+": context deadline exceeded"),
	not("credential-plugin-failed", "only anonymous", "ecr-no-basic-auth", ecr, resolving(ecr, noBasic)),
	{code: "credential-plugin-not-configured", name: "older kubelet pulls it", confidence: cause.Likely, build: pull(ecr, resolving(ecr, noBasic), func(b *snaptest.Builder) {
		b.Node("old", func(n *corev1.Node) { n.Status.NodeInfo.KubeletVersion = "v1.26.9" })
		b.Deployment("other", ecr, 1).Healthy().Pod("old").Ready()
	})},
	not("credential-plugin-not-configured", "same kubelets", "ecr-no-basic-auth", ecr, resolving(ecr, noBasic), neighbour("other", "111122223333.dkr.ecr.eu-west-1.amazonaws.com/shop/web:v0", "n2")),
	fires("credential-plugin-sa-token", "no token", ecr, "failed to get service account token: serviceaccounts \"default\" is forbidden"),
	not("credential-plugin-sa-token", "plugin itself", "credential-plugin-failed", ecr, "error execing credential provider plugin ecr-credential-provider for image "+ecr+": context deadline exceeded"),
	{code: "never-policy-no-credential", name: "image is there", confidence: cause.Likely, build: neverPolicy(true)},
	{code: "never-policy-no-credential", name: "image is not there", near: true, want: []string{"never-policy-image-absent"}, build: neverPolicy(false)},
	fires("pull-record-io-failed", "disk full", lab, "Failed to record image pull intent for container image \""+lab+"\": failed to record image pull intent: open /var/lib/kubelet/image_manager/pulling/x: no space left on device"),
	not("pull-record-io-failed", "runtime's disk", "disk-full", lab, diskText),
}

var (
	iamDenied = status(ecr, ecrURL, "403 Forbidden") + "\ndenied: User: arn:aws:sts::111122223333:assumed-role/node/i-0 is not authorized to perform: ecr:BatchGetImage on resource: arn:aws:ecr:eu-west-1:111122223333:repository/shop/web because no identity-based policy allows the ecr:BatchGetImage action"
	acrWall   = status(acr, "https://acme.azurecr.io/v2/shop/web/manifests/v1", "403 Forbidden") + "\ndenied: client with IP '203.0.113.7' is not allowed access. Refer https://aka.ms/acr/firewall to grant access."
)

// neverPolicy is a pod with pull policy Never that the kubelet refuses.
func neverPolicy(present bool) func(*snaptest.Builder) {
	return func(b *snaptest.Builder) {
		b.Node("n1")
		holds("n1", "registry.lab:5000/shop/other:v1")(b)
		if present {
			holds("n1", lab)(b)
		}
		text := `Container image "` + lab + `" is not present with pull policy of Never`
		p := b.Deployment("web", lab, 1, func(s *corev1.PodSpec) { s.Containers[0].ImagePullPolicy = corev1.PullNever }).Pod("n1").Waiting("ErrImageNeverPull", text)
		p.Event("Warning", "ErrImageNeverPull", text, 4*time.Minute, 5*time.Second, 9)
		p.Event("Warning", "Failed", "Error: ErrImageNeverPull", 4*time.Minute, 5*time.Second, 9)
	}
}
