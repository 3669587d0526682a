package cause_test

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/unjam-dev/unjam/internal/cause"
	"github.com/unjam-dev/unjam/internal/facts"
	"github.com/unjam-dev/unjam/internal/snapshot"
	"github.com/unjam-dev/unjam/internal/snapshot/snaptest"
)

// textRow is one text of a table and what it must be taken for.
type textRow struct {
	what, want  string
	image, text string
	more        []func(*snaptest.Builder)
}

// check fails unless the wanted cause stands, or is named as a rival of what does.
func (r textRow) check(t *testing.T) {
	t.Helper()
	all := findingsOf(pull(r.image, r.text, r.more...))
	if !names(all, r.want) {
		t.Errorf("%s: found %v, want %s\n\t%s", r.what, unexplained(all, nil), r.want, r.text)
	}
}

// names reports whether a cause is found or left open as a rival.
func names(all []cause.Finding, code string) bool {
	return slices.ContainsFunc(all, func(f cause.Finding) bool {
		return f.Cause == code || slices.ContainsFunc(f.Rivals, func(r cause.Rival) bool { return r.Cause == code })
	})
}

const (
	ecrPublic = "public.ecr.aws/acme/web:v1"
	jfrog     = "acme.jfrog.io/shop/web:v1"
	ghURL     = "https://ghcr.io/v2/acme/web/manifests/v1"
)

var registryTexts = []textRow{
	{"Docker Hub: limit without account", "rate-limit-dockerhub-anonymous", hub, hubLimit + "You have reached your unauthenticated pull rate limit. https://www.docker.com/increase-rate-limit", nil},
	{"Docker Hub: private or missing", "private-or-nonexistent", hub, resolving(hub, scope), nil},
	{"Docker Hub: name without a registry", "private-or-nonexistent", "web:v1", resolving("docker.io/library/web:v1", scope), nil},
	{"ECR: no credential", "ecr-no-basic-auth", ecr, resolving(ecr, noBasic), nil},
	{"ECR: expired", "ecr-token-expired", ecr, status(ecr, ecrURL, "403 Forbidden") + "\ndenied: Your authorization token has expired. Reauthenticate and try again.", nil},
	{"ECR: no right", "ecr-iam-denied", ecr, iamDenied, nil},
	{"ECR: missing repository", "repo-not-found", ecr, resolving(ecr, ecr+": not found"), nil},
	{"ECR: layers in S3 blocked", "blob-cdn-blocked", ecr, `failed to pull and unpack image "` + ecr + `": failed to copy: httpReadSeeker: failed open: failed to do request: Get "https://prod-eu-west-1-starport-layer-bucket.s3.eu-west-1.amazonaws.com/x": dial tcp 52.218.0.1:443: i/o timeout`, nil},
	{"ECR Public: too fast", "rate-limit-ecr-public", ecrPublic, "Error response from daemon: toomanyrequests: Rate exceeded", nil},
	{"ECR Public: expired token breaks public pulls", "stale-credential-breaks-public-pull", ecrPublic, status(ecrPublic, "https://public.ecr.aws/v2/acme/web/manifests/v1", "403 Forbidden") + "\ndenied: Your authorization token has expired. Reauthenticate and try again.", nil},
	{"GAR: principal without right", "gar-permission-denied", gar, status(gar, "https://europe-west3-docker.pkg.dev/v2/acme/shop/web/manifests/v1", "403 Forbidden") + "\n" + `denied: Permission "artifactregistry.repositories.downloadArtifacts" denied on resource "projects/acme/locations/europe-west3/repositories/shop" (or it may not exist)`, nil},
	{"GAR: no principal", "gar-permission-denied", gar, status(gar, "https://europe-west3-docker.pkg.dev/v2/acme/shop/web/manifests/v1", "403 Forbidden") + "\n" + `denied: Unauthenticated requests do not have permission "artifactregistry.repositories.downloadArtifacts" on resource "projects/acme/locations/europe-west3/repositories/shop" (or it may not exist)`, nil},
	{"ACR: identity", "acr-unauthorized", acr, resolving(acr, "failed to authorize: failed to fetch oauth token: unexpected status from GET request to https://acme.azurecr.io/oauth2/token?scope=x: 401 Unauthorized"), nil},
	{"ACR: firewall", "acr-firewall", acr, acrWall, nil},
	{"GHCR: without account", "anonymous-denied", ghcr, resolving(ghcr, anonymous), nil},
	{"GHCR: expired PAT", "forbidden-403", ghcr, status(ghcr, ghURL, "403 Forbidden") + "\ndenied: denied", nil},
	{"Quay", "quay-unauthorized", quay, "reading manifest v1 in quay.io/acme/web: unauthorized: access to the requested resource is not authorized", nil},
	{"GitLab: token service", "gitlab-registry-denied", glab, resolving(glab, "failed to authorize: failed to fetch oauth token: unexpected status from GET request to https://gitlab.com/jwt/auth?scope=repository%3Aacme%2Fweb%3Apull&service=container_registry: 403 Forbidden"), nil},
	{"Harbor", "harbor-unauthorized", lab, "Error response from daemon: unauthorized: unauthorized to access repository: shop/web, action: pull: unauthorized to access repository: shop/web, action: pull", nil},
	{"Artifactory: manifest", "tag-not-found", jfrog, resolving(jfrog, "unexpected status from HEAD request to https://acme.jfrog.io/v2/shop/web/manifests/v1: 404 Not Found") + "\nmanifest unknown: The named manifest is not known to the registry.", nil},
	{"Artifactory: blob that the remote cannot get", "layer-blob-missing", jfrog, `failed to pull and unpack image "` + jfrog + `": failed to copy: httpReadSeeker: failed open: could not fetch content descriptor ` + layer + ` (application/vnd.oci.image.layer.v1.tar+gzip) from remote: not found`, nil},
	{"CRI-O: 429 after its own tries", "rate-limit-other", lab, "initializing source docker://" + lab + ": reading manifest v1 in registry.lab:5000/shop/web: too many requests to registry", nil},
}

// TestRegistries: what each registry says in its own words.
func TestRegistries(t *testing.T) {
	for _, r := range registryTexts {
		t.Run(r.what, r.check)
	}
}

// decisions are message classes, each with every candidate that must stay open
// or stand when nothing but the text is known.
var decisions = []struct {
	class, image, text string
	open               []string
}{
	{"not found", lab, missing, []string{"tag-not-found", "repo-not-found"}},
	{"no match for platform", lab, "rpc error: code = NotFound desc = failed to pull and unpack image \"" + lab + "\": no match for platform in manifest: not found", []string{"platform-mismatch"}},
	{"insufficient_scope", hub, resolving(hub, scope), []string{"private-or-nonexistent"}},
	{"401 with a credential", lab, oauth, []string{"bad-credentials"}},
	{"401 without one", ghcr, resolving(ghcr, anonymous), []string{"anonymous-denied", "private-or-nonexistent"}},
	{"403", lab, forbidden, []string{"forbidden-403"}},
	{"bare Forbidden", lab, labFails("Forbidden"), []string{"proxy-connect-denied"}},
	{"429", lab, status(lab, manV, "429 Too Many Requests"), []string{"rate-limit-other"}},
	{"pull QPS", lab, "pull QPS exceeded", []string{"pull-qps-exceeded"}},
	{"5xx", lab, status(lab, manV, "503 Service Unavailable"), []string{"registry-5xx"}},
	{"5xx of a mirror", hub, status(hub, "http://mirror.lab:1234/v2/acme/web/manifests/v1?ns=docker.io", "503 Service Unavailable"), []string{"mirror-error-masks-upstream"}},
	{"no such host", lab, labFails(lookup + "no such host"), []string{"dns-nxdomain"}},
	{"server misbehaving", lab, labFails(lookup + "server misbehaving"), []string{"dns-servfail"}},
	{"i/o timeout of a lookup", lab, labFails("dial tcp: lookup registry.lab on 10.0.0.2:53: read udp 10.0.0.5:3333->10.0.0.2:53: i/o timeout"), []string{"dns-timeout"}},
	{"i/o timeout of a dial", lab, labFails(timedOut), []string{"tcp-timeout"}},
	{"refused", lab, labFails(connRefused), []string{"tcp-refused"}},
	{"reset", lab, labFails("read tcp 10.0.0.5:3333->10.0.0.9:5000: read: connection reset by peer"), []string{"tcp-reset"}},
	{"unreachable", lab, labFails("dial tcp [2001:db8::9]:5000: connect: network is unreachable"), []string{"no-route-or-no-ip-family"}},
	{"unknown authority", lab, labFails("tls: failed to verify certificate: x509: certificate signed by unknown authority"), []string{"tls-unknown-ca"}},
	{"expired", lab, labFails("tls: failed to verify certificate: x509: certificate has expired or is not yet valid: current time 2026-01-02T10:06:00Z is after 2025-12-01T00:00:00Z"), []string{"tls-expired"}},
	{"not yet valid", lab, labFails("tls: failed to verify certificate: x509: certificate has expired or is not yet valid: current time 2026-01-02T10:06:00Z is before 2026-02-01T00:00:00Z"), []string{"tls-not-yet-valid-clock-skew"}},
	{"handshake timeout", lab, labFails("net/http: TLS handshake timeout"), []string{"tls-handshake-timeout"}},
	{"unexpected EOF", lab, `failed to pull and unpack image "` + lab + `": failed to copy: unexpected EOF`, []string{"mid-transfer-eof"}},
	{"digest mismatch", lab, `failed to pull and unpack image "` + lab + `": failed commit on ref "layer": unexpected commit digest sha256:1111111111111111111111111111111111111111111111111111111111111111, expected ` + layer + `: failed precondition`, []string{"digest-mismatch"}},
	{"empty body", lab, `failed to pull and unpack image "` + lab + `": failed commit on ref "layer": unexpected commit digest sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855, expected ` + layer + `: failed precondition`, []string{"empty-body-digest"}},
	{"wrong diff id", lab, `failed to pull and unpack image "` + lab + `": failed to extract layer ` + layer + `: wrong diff id calculated on extraction "sha256:11"`, []string{"diffid-mismatch"}},
	{"no space", lab, diskText, []string{"disk-full"}},
	{"context canceled", lab, `rpc error: code = Canceled desc = failed to pull and unpack image "` + lab + `": context canceled`, []string{"pull-progress-timeout", "runtime-restarted-mid-pull"}},
}

// TestDecisionTable: a text leaves exactly those causes open that it cannot
// tell apart.
func TestDecisionTable(t *testing.T) {
	for _, d := range decisions {
		t.Run(d.class, func(t *testing.T) {
			all := findingsOf(pull(d.image, d.text))
			for _, code := range d.open {
				if !names(all, code) {
					t.Errorf("%s is neither found nor open, found %v", code, unexplained(all, nil))
				}
			}
			if len(d.open) == 1 {
				return
			}
			for _, f := range all {
				if slices.Contains(d.open, f.Cause) && f.Confidence == cause.Certain {
					t.Errorf("%s is certain though %v fit", f.Cause, d.open)
				}
			}
		})
	}
}

// TestDecisionTableWithoutText are the rows in which a state speaks, not words.
func TestDecisionTableWithoutText(t *testing.T) {
	for want, build := range map[string]func(*snaptest.Builder){
		"not-pulling-yet": func(b *snaptest.Builder) {
			b.Node("n1")
			p := b.Deployment("web", lab, 1).Pod("n1")
			p.Obj.CreationTimestamp = snaptest.Ago(4 * time.Minute)
		},
		"sandbox-image-pull-failed": withoutSandbox(`Failed to create pod sandbox: rpc error: code = Unknown desc = failed to get sandbox image "registry.k8s.io/pause:3.10": failed to pull image "registry.k8s.io/pause:3.10": failed to pull and unpack image "registry.k8s.io/pause:3.10": failed to resolve reference "registry.k8s.io/pause:3.10": failed to do request: Head "https://registry.k8s.io/v2/pause/manifests/3.10": dial tcp 10.0.0.9:443: i/o timeout`),
		"container-name-reserved":   creating(`failed to reserve container name "app_web_shop_0": name "app_web_shop_0" is reserved for "a865"`),
		"wrong-arch-at-exec":        execFails("exec /app: exec format error"),
	} {
		t.Run(want, func(t *testing.T) {
			if all := findingsOf(build); !names(all, want) {
				t.Errorf("found %v", unexplained(all, nil))
			}
		})
	}
}

// pullConfig is a pull Secret as the API holds it.
func pullConfig(typ corev1.SecretType, config string) func(*snaptest.Builder) {
	return func(b *snaptest.Builder) {
		key := ".dockerconfigjson"
		if typ == corev1.SecretTypeDockercfg {
			key = ".dockercfg"
		}
		s := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: snaptest.Namespace, Name: "regcred", CreationTimestamp: snaptest.Ago(time.Hour)}, Type: typ, Data: map[string][]byte{key: []byte(config)}}
		b.Snap.Objects.Secrets = append(b.Snap.Objects.Secrets, snapshot.SecretShapeOf(s))
	}
}

func entry(host, auth string) string { return fmt.Sprintf(`{"auths":{%q:{"auth":%q}}}`, host, auth) }

func b64(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

// TestSecretChecks goes through the list of what can be wrong with a pull Secret.
func TestSecretChecks(t *testing.T) {
	const json = corev1.SecretTypeDockerConfigJson
	host, robot := "registry.lab:5000", b64("robot:secret")
	jwt := func(exp time.Time) string {
		return "eyJhbGciOiJub25lIn0." + base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, `{"exp":%d}`, exp.Unix())) + ".x"
	}
	for _, c := range []struct {
		what, want, text string
		secret           func(*snaptest.Builder)
	}{
		{"1: missing", "pull-secret-missing", resolving(lab, noBasic), func(*snaptest.Builder) {}},
		{"1: in another namespace", "pull-secret-wrong-namespace", resolving(lab, noBasic), func(b *snaptest.Builder) { addSecret(b, "build", "regcred", cred(host)) }},
		{"2: another type", "pull-secret-wrong-type", resolving(lab, noBasic), pullConfig(corev1.SecretTypeOpaque, entry(host, robot))},
		{"2: the older type", "bad-credentials", refused40, pullConfig(corev1.SecretTypeDockercfg, fmt.Sprintf(`{%q:{"auth":%q}}`, host, robot))},
		{"3: no entry", "pull-secret-wrong-host-key", resolving(lab, noBasic), pullConfig(json, `{"auths":{}}`)},
		{"3: empty entry", "pull-secret-empty-auth", resolving(lab, noBasic), pullConfig(json, fmt.Sprintf(`{"auths":{%q:{}}}`, host))},
		{"3: store on the desktop", "pull-secret-empty-auth", resolving(lab, noBasic), pullConfig(json, fmt.Sprintf(`{"auths":{%q:{}},"credsStore":"desktop"}`, host))},
		{"4: one bad entry spoils all", "pull-secret-malformed", "unable to parse auth field, must be formatted as base64(username:password)", pullConfig(json, fmt.Sprintf(`{"auths":{%q:{"auth":%q},"quay.io":{"auth":%q}}}`, host, robot, b64("nocolon")))},
		{"5: line break at the end", "bad-credentials", refused40, pullConfig(json, entry(host, b64("robot:secret\n")))},
		{"6: token that has run out", "bad-credentials", refused40, pullConfig(json, entry(host, b64("robot:"+jwt(snaptest.Now.Add(-time.Hour)))))},
		{"8: port missing in the key", "pull-secret-wrong-host-key", resolving(lab, noBasic), pullConfig(json, entry("registry.lab", robot))},
		{"8: port 443 is not none", "pull-secret-wrong-host-key", resolving(lab, noBasic), pullConfig(json, entry("registry.lab:443", robot))},
		{"8: version without the last slash", "pull-secret-wrong-host-key", resolving(lab, noBasic), pullConfig(json, entry("https://registry.lab:5000/v2", robot))},
	} {
		t.Run(c.what, func(t *testing.T) {
			all := findingsOf(pullAs(named("regcred"), lab, c.text, c.secret))
			if !names(all, c.want) {
				t.Errorf("found %v, want %s", unexplained(all, nil), c.want)
			}
			text := ""
			for _, f := range all {
				text += said(f)
			}
			if strings.Contains(text, robot) || strings.Contains(text, "eyJ") {
				t.Error("the credential is printed")
			}
			if strings.HasPrefix(c.what, "5") && !strings.Contains(text, "line break") && !strings.Contains(text, "newline") {
				t.Errorf("the line break is not named:\n%s", text)
			}
			if strings.HasPrefix(c.what, "6") && !strings.Contains(text, "expired") && !strings.Contains(text, "ran out") {
				t.Errorf("the expiry is not named:\n%s", text)
			}
		})
	}
	t.Run("6: expiry of ECR", func(t *testing.T) {
		token := base64.RawStdEncoding.EncodeToString(fmt.Appendf(nil, `{"payload":"x","expiration":%d}`, snaptest.Now.Add(-time.Hour).Unix()))
		all := findingsOf(pullAs(named("regcred"), ecr, status(ecr, ecrURL, "403 Forbidden"), pullConfig(json, entry("111122223333.dkr.ecr.eu-west-1.amazonaws.com", b64("AWS:"+token)))))
		if !names(all, "ecr-token-expired") {
			t.Errorf("found %v", unexplained(all, nil))
		}
	})
	t.Run("7: not named by the pod", func(t *testing.T) {
		all := findingsOf(pull(lab, resolving(lab, noBasic), matching, func(b *snaptest.Builder) {
			b.Snap.Objects.ServiceAccounts[0].ImagePullSecrets = []corev1.LocalObjectReference{{Name: "regcred"}}
		}))
		if !names(all, "sa-pull-secret-not-applied") {
			t.Errorf("found %v", unexplained(all, nil))
		}
	})
}

// TestDockerHubKeys: which keys of a pull Secret the kubelet takes for docker.io.
func TestDockerHubKeys(t *testing.T) {
	for key, matches := range map[string]bool{
		"docker.io": true, "https://docker.io": true, "https://docker.io/v1/": true, "index.docker.io": true, "https://index.docker.io/v1/": true, "https://index.docker.io/v2/": true,
		"https://index.docker.io/v1": false, "registry-1.docker.io": false, "hub.docker.com": false, "registry.hub.docker.com": false,
	} {
		all := findingsOf(pullAs(named("regcred"), hub, resolving(hub, scope), pullConfig(corev1.SecretTypeDockerConfigJson, entry(key, b64("acme:secret")))))
		if got := !names(all, "pull-secret-wrong-host-key"); got != matches {
			t.Errorf("%s: matches %v, want %v", key, got, matches)
		}
	}
}

// TestPeerPatterns: where it fails and where it works points to what is at fault.
func TestPeerPatterns(t *testing.T) {
	for _, c := range []struct {
		what, want string
		// key is how the shared thing at fault begins; empty leaves it open.
		key   string
		build func(*snaptest.Builder)
	}{
		{"one node, many images", "dns-servfail", "node n1", func(b *snaptest.Builder) {
			elsewhere(b)
			b.Node("n1")
			b.Deployment("web", lab, 1).Pod("n1").PullFails(labFails(lookup + "server misbehaving"))
			b.Deployment("api", ghcr, 1).Pod("n1").PullFails(requesting(ghcr, ghURL, "dial tcp: lookup ghcr.io on 10.0.0.2:53: server misbehaving"))
		}},
		{"some nodes, one registry", "tcp-timeout", "", func(b *snaptest.Builder) {
			elsewhere(b)
			b.Node("n1")
			b.Deployment("web", lab, 1).Pod("n1").PullFails(labFails(timedOut))
		}},
		{"all nodes, one image", "tag-not-found", "image ", func(b *snaptest.Builder) {
			b.Node("n1")
			b.Node("n2")
			neighbour("other", "registry.lab:5000/shop/web:v0", "n2")(b)
			s := b.Deployment("web", lab, 2)
			s.Pod("n1").PullFails(missing)
			s.Pod("n2").PullFails(missing)
		}},
		{"all nodes, one registry", "registry-5xx", "registry registry.lab:5000", func(b *snaptest.Builder) {
			b.Node("n1")
			b.Node("n2")
			b.Deployment("web", lab, 1).Pod("n1").PullFails(status(lab, manV, "503 Service Unavailable"))
			b.Deployment("api", "registry.lab:5000/shop/api:v1", 1).Pod("n2").PullFails(status("registry.lab:5000/shop/api:v1", "https://registry.lab:5000/v2/shop/api/manifests/v1", "503 Service Unavailable"))
		}},
		{"one namespace", "pull-secret-wrong-namespace", "", func(b *snaptest.Builder) {
			addSecret(b, "build", "regcred", cred("registry.lab:5000"))
			pullAs(named("regcred"), lab, resolving(lab, noBasic))(b)
		}},
		{"one credential", "bad-credentials", "secret ", pullAs(named("regcred"), lab, refused40, matching)},
		{"new nodes only, cached copies hide it", "tag-not-found", "image ", func(b *snaptest.Builder) {
			neighbour("other", lab, "n2")(b)
			pull(lab, missing)(b)
		}},
		{"nodes of one architecture", "platform-mismatch", "", func(b *snaptest.Builder) {
			b.Node("arm", func(n *corev1.Node) { n.Status.NodeInfo.Architecture = "arm64" })
			neighbour("other", lab, "n2")(b)
			b.Deployment("web", lab, 1).Pod("arm").PullFails(`rpc error: code = NotFound desc = failed to pull and unpack image "` + lab + `": no match for platform in manifest: not found`)
		}},
		{"since a kubelet upgrade", "credential-plugin-not-configured", "", pull(ecr, resolving(ecr, noBasic), func(b *snaptest.Builder) {
			b.Node("old", func(n *corev1.Node) { n.Status.NodeInfo.KubeletVersion = "v1.26.9" })
			b.Deployment("other", ecr, 1).Healthy().Pod("old").Ready()
		})},
		{"the storage host, everywhere", "blob-cdn-blocked", "", func(b *snaptest.Builder) {
			pull(hub, blob("https://production.cloudflare.docker.com/x", "dial tcp 104.16.0.1:443: i/o timeout"))(b)
		}},
	} {
		t.Run(c.what, func(t *testing.T) {
			b := snaptest.New()
			c.build(b)
			all := detectAll(facts.Build(b.Snap))
			at := slices.IndexFunc(all, func(f cause.Finding) bool { return f.Cause == c.want })
			if at < 0 {
				t.Fatalf("found %v, want %s", unexplained(all, nil), c.want)
			}
			if !strings.HasPrefix(all[at].Key, c.key) {
				t.Errorf("what is shared is %q, want %q", all[at].Key, c.key)
			}
		})
	}
}
