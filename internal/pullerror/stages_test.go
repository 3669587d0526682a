package pullerror

import (
	"strings"
	"testing"
)

const (
	stageImage  = "registry.example.com/shop/web:v1"
	stageDigest = "sha256:9f512416141424b3aaf592a1e69d883f6b457bc73bb0eff2942b676e7cc9a59b"
	stageURL    = "https://registry.example.com/v2/shop/web/manifests/v1"
	stageBlob   = "https://registry.example.com/v2/shop/web/blobs/" + stageDigest
	pullOf      = `failed to pull and unpack image "` + stageImage + `": `
	resolveOf   = `failed to resolve reference "` + stageImage + `": `
)

// wrapperStages are the words around an error, by the stage that they tell. The
// innermost words are the same wherever that makes sense, so that only the
// wrapper can tell.
var wrapperStages = []struct {
	words string
	stage Stage
	cred  Credential
	text  string
}{
	{"failed to parse image reference", StageName, "", `failed to parse image reference "Web:v1": invalid reference format`},
	{"Failed to apply default image tag", StageName, "", `Failed to apply default image tag "Web": couldn't parse image name "Web": invalid reference format: repository name (Web) must be lowercase`},
	{"failed to resolve reference", StageResolve, "", pullOf + resolveOf + `failed to do request: Head "` + stageURL + `": dial tcp 10.0.0.9:443: connect: connection refused`},
	{"failed to resolve image", StageResolve, "", pullOf + `failed to resolve image: failed to do request: Head "` + stageURL + `": dial tcp 10.0.0.9:443: connect: connection refused`},
	{"failed to fetch oauth token", StageToken, CredentialSent, pullOf + resolveOf + `failed to authorize: failed to fetch oauth token: Post "https://auth.example.com/token": dial tcp 10.0.0.9:443: connect: connection refused`},
	{"failed to fetch anonymous token", StageToken, CredentialNone, pullOf + resolveOf + `failed to authorize: failed to fetch anonymous token: Get "https://auth.example.com/token?scope=x": dial tcp 10.0.0.9:443: connect: connection refused`},
	{"no basic auth credentials", StageResolve, CredentialNone, pullOf + resolveOf + `pull access denied, repository does not exist or may require authorization: authorization failed: no basic auth credentials`},
	{"failed to copy: httpReadSeeker: failed open", StageBlob, "", pullOf + `failed to copy: httpReadSeeker: failed open: failed to do request: Get "` + stageBlob + `": dial tcp 10.0.0.9:443: connect: connection refused`},
	{"httpReadSeeker at a manifest", StageManifest, "", pullOf + `failed to copy: httpReadSeeker: failed open: failed to do request: Get "` + stageURL + `": dial tcp 10.0.0.9:443: connect: connection refused`},
	{"failed to copy: read tcp", StageBlob, "", pullOf + `failed to copy: read tcp 10.0.0.2:4711->10.0.0.9:443: read: connection reset by peer`},
	{"short read", StageBlob, "", pullOf + `short read: expected 1048576 bytes but got 4096: unexpected EOF`},
	{"failed to read expected number of bytes", StageBlob, "", pullOf + `failed to copy: failed to read expected number of bytes: unexpected EOF`},
	{"failed commit on ref", StageVerify, "", pullOf + `failed commit on ref "layer-` + stageDigest + `": unexpected commit digest sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855, expected ` + stageDigest + `: failed precondition`},
	{"failed to prepare extraction snapshot", StageUnpack, "", pullOf + `failed to prepare extraction snapshot "extract-1 ` + stageDigest + `": parent snapshot ` + stageDigest + ` does not exist: not found`},
	{"failed to extract layer", StageUnpack, "", pullOf + `failed to extract layer ` + stageDigest + `: archive/tar: invalid tar header: unknown`},
	{"failed to unpack image on snapshotter", StageUnpack, "", pullOf + `failed to unpack image on snapshotter overlayfs: write /var/lib/containerd/layer: no space left on device`},
	{"no match for platform in manifest", StageManifest, "", `rpc error: code = NotFound desc = ` + pullOf + `no match for platform in manifest: not found`},

	{"short name mode is enforcing", StageName, "", `short name mode is enforcing, but image name alpine:latest returns ambiguous list`},
	{"short-name did not resolve", StageName, "", `short-name "web" did not resolve to an alias and no unqualified-search registries are defined in "/etc/containers/registries.conf"`},
	{"initializing source", StagePing, "", `initializing source docker://` + stageImage + `: Get "https://registry.example.com/v2/": dial tcp 10.0.0.9:443: connect: connection refused`},
	{"pinging container registry", StagePing, "", `pinging container registry registry.example.com: Get "https://registry.example.com/v2/": dial tcp 10.0.0.9:443: connect: connection refused`},
	{"Requesting bearer token", StageToken, "", `initializing source docker://` + stageImage + `: Requesting bearer token: invalid status code from registry 401 (Unauthorized)`},
	{"unable to retrieve auth token", StageToken, "", `initializing source docker://` + stageImage + `: unable to retrieve auth token: invalid username/password: unauthorized: authentication required`},
	{"reading manifest", StageManifest, "", `initializing source docker://` + stageImage + `: reading manifest v1 in registry.example.com/shop/web: manifest unknown`},
	{"choosing an image from manifest list", StageManifest, "", `choosing an image from manifest list docker://` + stageImage + `: no image found in image index for architecture "arm64", variant "v8", OS "linux"`},
	{"copying system image from manifest list", StageManifest, "", `copying system image from manifest list: choosing image instance: no image found in manifest list for architecture "arm64", variant "", OS "linux"`},
	{"Source image rejected", StagePolicy, "", `copying system image from manifest list: Source image rejected: A signature was required, but no signature exists`},
	{"parsing image configuration", StageBlob, "", `parsing image configuration: Get "https://cdn.example.net/x": dial tcp 10.0.0.9:443: connect: connection refused`},
	{"reading blob", StageBlob, "", `copying system image from manifest list: reading blob ` + stageDigest + `: Get "https://cdn.example.net/x": dial tcp 10.0.0.9:443: i/o timeout`},
	{"reading config blob", StageBlob, "", `reading config blob ` + stageDigest + `: Get "https://cdn.example.net/x": dial tcp 10.0.0.9:443: i/o timeout`},
	{"writing blob", StageBlob, "", `writing blob: happened during read: unexpected EOF`},
	{"committing the finished image", StageUnpack, "", `committing the finished image: layer not known`},
}

// TestWrapperStages: the stage comes from the words of the wrapper, whatever
// failed inside.
func TestWrapperStages(t *testing.T) {
	for _, c := range wrapperStages {
		for _, outer := range []string{"", "rpc error: code = Unknown desc = ", `Failed to pull image "` + stageImage + `": `} {
			if outer != "" && strings.HasPrefix(c.text, "Failed") {
				continue
			}
			e := Parse(outer+c.text, stageImage)
			if e.Stage != c.stage {
				t.Errorf("%s: stage %q, want %q\n\t%s", c.words, e.Stage, c.stage, outer+c.text)
			}
			if c.cred != "" && e.Credential != c.cred {
				t.Errorf("%s: credential %q, want %q", c.words, e.Credential, c.cred)
			}
		}
	}
}

// TestSandboxImageWrapper: the runtime's own pull of the pause image, in the
// words of 1.6 to 2.1 and of 2.4.
func TestSandboxImageWrapper(t *testing.T) {
	inner := `failed to resolve reference "registry.k8s.io/pause:3.10": failed to do request: Head "https://registry.k8s.io/v2/pause/manifests/3.10": dial tcp 10.0.0.9:443: i/o timeout`
	for _, text := range []string{
		`Failed to create pod sandbox: rpc error: code = Unknown desc = failed to get sandbox image "registry.k8s.io/pause:3.10": failed to pull image "registry.k8s.io/pause:3.10": failed to pull and unpack image "registry.k8s.io/pause:3.10": ` + inner,
		`Failed to create pod sandbox: rpc error: code = DeadlineExceeded desc = failed to start sandbox "2585": failed to pull image "registry.k8s.io/pause:3.10": failed to pull and unpack image "registry.k8s.io/pause:3.10": ` + inner,
	} {
		if e := Parse(text, ""); !e.Sandbox || e.Kind != TCPTimeout {
			t.Errorf("sandbox %v, kind %q\n\t%s", e.Sandbox, e.Kind, text)
		}
	}
}

// TestGoSuffixes: what Go's own libraries append tells who decided and where.
func TestGoSuffixes(t *testing.T) {
	for _, c := range []struct {
		suffix string
		want   Error
	}{
		{`dial tcp 10.0.0.9:443: connect: connection refused`, Error{Kind: TCPRefused, Dial: "10.0.0.9:443"}},
		{`dial tcp: lookup registry.example.com on 10.0.0.2:53: no such host`, Error{Kind: DNSNotFound, Lookup: "registry.example.com", Resolver: "10.0.0.2:53"}},
		{`proxyconnect tcp: dial tcp 10.0.0.3:3128: connect: connection refused`, Error{Kind: ProxyDown, Dial: "10.0.0.3:3128"}},
		{`Forbidden`, Error{Kind: ProxyDenied}},
		{`remote error: tls: handshake failure`, Error{Kind: TLSHandshake}},
		{`tls: failed to verify certificate: x509: certificate signed by unknown authority`, Error{Kind: TLSUnknownCA}},
	} {
		e := Parse(pullOf+resolveOf+`failed to do request: Head "`+stageURL+`": `+c.suffix, stageImage)
		if e.Kind != c.want.Kind || c.want.Dial != "" && e.Dial != c.want.Dial || e.Lookup != c.want.Lookup || e.Resolver != c.want.Resolver {
			t.Errorf("%s: kind %q, dial %q, lookup %q at %q", c.suffix, e.Kind, e.Dial, e.Lookup, e.Resolver)
		}
	}
}

// TestParsingRules holds one rule each of how a text is taken apart.
func TestParsingRules(t *testing.T) {
	cause := pullOf + resolveOf + stageImage + ": not found"
	t.Run("outer wrappers", func(t *testing.T) {
		for _, outer := range []string{`Failed to pull image "` + stageImage + `": %s`, `Back-off pulling image "` + stageImage + `": ErrImagePull: %s`, `Error: %s`,
			`failed to "StartContainer" for "app" with ErrImagePull: "%q"`, `rpc error: code = NotFound desc = %s`} {
			inner := cause
			if strings.Contains(outer, "%q") {
				outer, inner = strings.Replace(outer, "%q", "%s", 1), strings.ReplaceAll(cause, `"`, `\"`)
			}
			if e := Parse(strings.Replace(outer, "%s", inner, 1), stageImage); e.Kind != NotFound || e.Stage != StageResolve {
				t.Errorf("%s: kind %q, stage %q", outer, e.Kind, e.Stage)
			}
		}
		for _, reason := range []string{"RegistryUnavailable", "SignatureValidationFailed"} {
			if e := Parse(`Back-off pulling image "`+stageImage+`": `+reason+": pull failed", stageImage); e.Wrapper != reason {
				t.Errorf("wrapper %q, want %q", e.Wrapper, reason)
			}
		}
		if e := Parse(`Failed to inspect image "": rpc error: code = DeadlineExceeded desc = context deadline exceeded`, stageImage); e.Kind != InspectFailed {
			t.Errorf("inspect: kind %q", e.Kind)
		}
		if e := Parse(`image pull failed for `+stageImage+` because the registry is unavailable: pinging container registry registry.example.com: Get "https://registry.example.com/v2/": dial tcp 10.0.0.9:443: connect: connection refused`, stageImage); e.Stage != StagePing {
			t.Errorf("CRI-O: stage %q", e.Stage)
		}
	})
	t.Run("gRPC code is kept", func(t *testing.T) {
		for _, code := range []string{"NotFound", "FailedPrecondition", "Canceled", "DeadlineExceeded", "Unavailable"} {
			if e := Parse("rpc error: code = "+code+" desc = "+cause, stageImage); e.Code != code {
				t.Errorf("code %q, want %q", e.Code, code)
			}
		}
	})
	t.Run("the element that got furthest counts", func(t *testing.T) {
		denied := pullOf + resolveOf + "pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed"
		blob := pullOf + `failed to copy: httpReadSeeker: failed open: unexpected status code ` + stageBlob + `: 500 Internal Server Error`
		for _, text := range []string{"[" + denied + ", " + blob + "]", "[" + blob + ", " + denied + "]"} {
			if e := Parse(text, stageImage); e.Stage != StageBlob || e.Status != 500 || len(e.Elements) != 2 {
				t.Errorf("stage %q, status %d, %d elements", e.Stage, e.Status, len(e.Elements))
			}
		}
	})
	t.Run("two lines since containerd 2.1", func(t *testing.T) {
		line1 := pullOf + "unexpected status from GET request to " + stageURL + ": 429 Too Many Requests"
		for _, text := range []string{line1 + "\ntoomanyrequests: You have reached your pull rate limit.", line1 + " - Server message: toomanyrequests: You have reached your pull rate limit."} {
			if e := Parse(text, stageImage); e.Kind != RateLimited || e.Status != 429 || e.ServerCode != "toomanyrequests" {
				t.Errorf("kind %q, status %d, server %q", e.Kind, e.Status, e.ServerCode)
			}
		}
	})
	t.Run("the upstream comes after CRI-O's mirrors", func(t *testing.T) {
		e := Parse(`initializing source docker://`+stageImage+`: (Mirrors also failed: [m.example.net/shop/web:v1: pinging container registry m.example.net: Get "https://m.example.net/v2/": dial tcp 10.0.0.8:443: connect: connection refused]): `+stageImage+`: reading manifest v1 in registry.example.com/shop/web: manifest unknown`, stageImage)
		if e.Kind != TagMissing || len(e.Elements) != 2 || e.Elements[0].Target != TargetMirror {
			t.Errorf("kind %q, %d elements", e.Kind, len(e.Elements))
		}
	})
	t.Run("signed URLs lose their query", func(t *testing.T) {
		for _, q := range []string{"X-Amz-Signature=abc123", "Signature=abc123", "sig=abc123", "verify=abc123", "token=abc123"} {
			e := Parse(pullOf+`failed to copy: httpReadSeeker: failed open: failed to do request: Get "https://cdn.example.net/blob/x?`+q+`": dial tcp 10.0.0.9:443: i/o timeout`, stageImage)
			if strings.Contains(e.Text+e.URL, "abc123") {
				t.Errorf("%s is kept: %s %s", q, e.URL, e.Text)
			}
			if e.Kind != TCPTimeout {
				t.Errorf("%s: kind %q", q, e.Kind)
			}
		}
	})
	t.Run("names are not words", func(t *testing.T) {
		for _, image := range []string{"registry.example.com/shop/web:429-too-many-requests", "registry.example.com/not-found/x509:v404", "registry.example.com/no-space-left/on-device:v1"} {
			text := `failed to pull and unpack image "` + image + `": failed to resolve reference "` + image + `": failed to do request: Head "https://registry.example.com/v2/": dial tcp 10.0.0.9:443: connect: connection refused`
			if e := Parse(text, image); e.Kind != TCPRefused || e.Status != 0 {
				t.Errorf("%s: kind %q, status %d", image, e.Kind, e.Status)
			}
		}
	})
}

// TestKubeletTexts: what the kubelet itself says, in the versions that word it
// differently.
func TestKubeletTexts(t *testing.T) {
	for _, c := range []struct {
		versions, text string
		want           Kind
	}{
		{"up to 1.31: the back-off does not carry the cause", `Back-off pulling image "` + stageImage + `"`, BackOffOnly},
		{"since 1.32: it does", `Back-off pulling image "` + stageImage + `": ErrImagePull: ` + pullOf + resolveOf + stageImage + ": not found", NotFound},
		{"RegistryUnavailable, effective since 1.28", `RegistryUnavailable: pinging container registry registry.example.com: Get "https://registry.example.com/v2/": dial tcp 10.0.0.9:443: connect: connection refused`, TCPRefused},
		{"malformed Secret up to 1.32", `Failed to pull image "` + stageImage + `": unable to parse auth field, must be formatted as base64(username:password)`, SecretMalformed},
		{"malformed Secret since 1.33, as the reason", `unable to parse auth field, must be formatted as base64(username:password)`, SecretMalformed},
		{"empty name since 1.32", `Failed to inspect image "": rpc error: code = Unknown desc = short read`, InspectFailed},
		{"limiter", `pull QPS exceeded`, PullQPS},
		{"policy Never", `Container image "` + stageImage + `" is not present with pull policy of Never`, NeverPull},
		{"credential plugin 1.20 to 1.34", `Failed getting credential from external registry credential provider: error execing credential provider plugin ecr for image ` + stageImage + `: fork/exec /usr/local/bin/ecr: no such file or directory`, CredentialPlugin},
		{"credential plugin since 1.35", `Failed to provide credentials for image`, CredentialPlugin},
		{"images up to 1.25", `failed to garbage collect required amount of images. Wanted to free 473842483 bytes, but freed 0 bytes`, ImageGC},
		{"images 1.26 to 1.34", `Failed to garbage collect required amount of images. Attempted to free 473842483 bytes, but only found 0 bytes eligible to free.`, ImageGC},
		{"images since 1.35", `Insufficient free disk space on the node's image filesystem (95.0% of 20.0 GiB used). Failed to free sufficient space by deleting unused images (freed 0 bytes).`, ImageGC},
		{"pull Secret that cannot be read", `Unable to retrieve some image pull secrets (regcred); attempting to pull the image may not succeed.`, SecretMissing},
	} {
		e := Parse(c.text, stageImage)
		if e.Kind != c.want && !(c.want == TCPRefused && e.Kind == RegistryDown) {
			t.Errorf("%s: kind %q, want %q\n\t%s", c.versions, e.Kind, c.want, c.text)
		}
	}
}
