// Package pullerror parses the text of a failed image pull (kubelet wrappers
// around containerd, CRI-O and docker wordings) into a typed error.
//
// Parsing strips wrappers and image references first, because a tag may hold
// "429" or "not-found", finds the stage from the wrapper words, and only then
// reads the innermost words. It is pure and linear in the length of the text.
package pullerror

// Error is one parsed pull error. The zero value is "nothing known".
type Error struct {
	// Kind is what the innermost words say went wrong.
	Kind Kind
	// Stage is how far the pull got, from the wrapper words.
	Stage Stage
	// Text is the innermost error in the runtime's own words, without wrappers,
	// redacted, never cut.
	Text string
	// Wrapper is the waiting reason found inside a back-off message
	// ("ErrImagePull", "RegistryUnavailable", …), empty otherwise.
	Wrapper string
	// Code is the gRPC code that was kept in the text ("NotFound"), else empty.
	Code string
	// Status is the HTTP status, 0 when none was named.
	Status int
	// Method and URL are of the failed request; the URL has no query except
	// scope and service of a token request.
	Method, URL string
	// URLHost is the host[:port] that was asked; ImageHost the registry host of
	// the image ("docker.io" when the reference names none).
	URLHost, ImageHost string
	// Target tells what URLHost is with respect to the image.
	Target Target
	// MirrorOf is the upstream named in a ?ns= query, set when URLHost is a mirror.
	MirrorOf string
	// Dial is the address of a TCP or UDP error ("10.0.0.1:443"); Resolver the
	// DNS server asked ("10.96.0.10:53"); Lookup the name looked up.
	Dial, Resolver, Lookup string
	// Digest is the digest found, WantDigest the one expected.
	Digest, WantDigest string
	// Credential says whether a credential was sent, as far as the words tell.
	Credential Credential
	// ServerCode and ServerMessage are what the registry itself said
	// ("toomanyrequests", "Your authorization token has expired").
	ServerCode, ServerMessage string
	// Runtime is the wording's origin.
	Runtime Runtime
	// Platform is the platform a runtime looked for, where named.
	Platform string
	// Sandbox is set when the image is the sandbox's (pause) image, which the
	// runtime pulls for itself; Kind then still tells why that pull failed, and
	// is SandboxImage only when the words inside say nothing.
	Sandbox bool
	// Elements are the errors of an aggregate, one per credential or mirror
	// tried; the fields above describe the one that got furthest.
	Elements []Error
}

// Stage is how far a pull got.
type Stage string

// The stages in order.
const (
	StageUnknown  Stage = ""
	StageName     Stage = "name"     // parsing the reference
	StagePing     Stage = "ping"     // GET /v2/
	StageToken    Stage = "token"    // asking the token service
	StageResolve  Stage = "resolve"  // HEAD or GET of the manifest
	StageManifest Stage = "manifest" // reading manifest, index or platform
	StageBlob     Stage = "blob"     // GET of config or layers
	StageVerify   Stage = "verify"   // checking what was downloaded
	StageUnpack   Stage = "unpack"   // extracting layers
	StagePolicy   Stage = "policy"   // signature or verifier policy
	StageLocal    Stage = "local"    // before any network: policy Never, kubelet limiter, runtime down
)

// Target is what the asked host is with respect to the image's registry.
type Target string

// The targets.
const (
	TargetUnknown  Target = ""
	TargetRegistry Target = "registry" // the image's own registry host
	TargetToken    Target = "token"    // the token realm
	TargetMirror   Target = "mirror"   // a configured mirror (?ns=)
	TargetCDN      Target = "cdn"      // storage the registry redirected to
	TargetProxy    Target = "proxy"
)

// Credential says whether a credential was sent with the refused request.
type Credential string

// The answers.
const (
	CredentialUnknown Credential = ""
	CredentialSent    Credential = "sent"
	CredentialNone    Credential = "none"
)

// Runtime is the software whose wording was recognised.
type Runtime string

// The runtimes.
const (
	RuntimeUnknown Runtime = ""
	Containerd     Runtime = "containerd"
	CRIO           Runtime = "cri-o"
	Docker         Runtime = "docker"
	Kubelet        Runtime = "kubelet" // the kubelet's own text
)
