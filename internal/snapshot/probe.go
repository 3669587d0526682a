package snapshot

import "time"

// Probe is one active check of an image from one place: the registry seen
// stage by stage. It holds no password, token or signed query; whoever makes
// one has taken them out.
type Probe struct {
	// Place is where it was looked from. It proves nothing about other places.
	Place ProbePlace `json:"place"`
	// Image is the reference as given, Name the normalised one.
	Image string    `json:"image"`
	Name  string    `json:"name,omitempty"`
	At    time.Time `json:"at"`
	// TookMS is the time of the whole probe in milliseconds.
	TookMS float64 `json:"tookMs"`
	// As says with whose credentials it was asked.
	As ProbeIdentity `json:"as"`
	// Stages are in the order in which they were judged.
	Stages      []ProbeStage      `json:"stages"`
	Credentials []ProbeCredential `json:"credentials,omitempty"`
	DNS         *ProbeDNS         `json:"dns,omitempty"`
	Proxy       *ProbeProxy       `json:"proxy,omitempty"`
	TLS         *ProbeTLS         `json:"tls,omitempty"`
	Auth        *ProbeAuth        `json:"auth,omitempty"`
	Manifest    *ProbeManifest    `json:"manifest,omitempty"`
	Blob        *ProbeBlob        `json:"blob,omitempty"`
	RateLimit   *ProbeRateLimit   `json:"rateLimit,omitempty"`
	// Signatures name what vouches for the image, e.g. "cosign tag".
	Signatures []string   `json:"signatures,omitempty"`
	Near       *ProbeNear `json:"near,omitempty"`
}

// ProbePlace is where a probe was made.
type ProbePlace struct {
	// Kind is "here" (the machine the command ran on) or "node".
	Kind string `json:"kind"`
	// Name is the host or node name.
	Name string `json:"name,omitempty"`
}

// ProbeIdentity is whose credentials a probe used.
type ProbeIdentity struct {
	// Kind is "anonymous", "docker-config", "secret" or "pod".
	Kind string `json:"kind"`
	// Name is namespace/name of the Secret or pod.
	Name string `json:"name,omitempty"`
}

// ProbeStatus is how a stage ended.
type ProbeStatus string

// The ways for a stage to end.
const (
	ProbeOK      ProbeStatus = "ok"
	ProbeWarning ProbeStatus = "warning" // the pull works, or may, in spite of it
	ProbeFailed  ProbeStatus = "failed"
	ProbeSkipped ProbeStatus = "skipped" // not asked, or out of reach
)

// ProbeStage is one step of a pull, judged by itself.
type ProbeStage struct {
	Name   string      `json:"name"`
	Status ProbeStatus `json:"status"`
	// TookMS is the time in milliseconds.
	TookMS float64 `json:"tookMs"`
	// Detail is one sentence without a final dot.
	Detail string `json:"detail,omitempty"`
	// Cause is a code of the catalogue; empty where no cause fits.
	Cause string `json:"cause,omitempty"`
	// Rivals are causes that the stage cannot exclude.
	Rivals []ProbeRival `json:"rivals,omitempty"`
}

// ProbeRival is another cause, and what would settle it.
type ProbeRival struct {
	Cause     string `json:"cause"`
	SettledBy string `json:"settledBy"`
}

// ProbeCredential is one credential that the kubelet would try, or would pass
// over, in its order.
type ProbeCredential struct {
	// Source is namespace/name of the Secret, or "docker config".
	Source string `json:"source"`
	Credential
	// Matches is true when its key matches the image by the kubelet's rules.
	Matches bool `json:"matches"`
	// Outcome is "accepted", "refused", "denied" (known, but without the right),
	// "not tried" or a reason why it is not used.
	Outcome string `json:"outcome"`
}

// ProbeDNS is the answer for the registry's name.
type ProbeDNS struct {
	Host string `json:"host"`
	// Resolver is the address of the name server, "hosts file" or "none".
	Resolver  string         `json:"resolver,omitempty"`
	Addresses []ProbeAddress `json:"addresses,omitempty"`
}

// ProbeAddress is one address and whether it takes connections.
type ProbeAddress struct {
	IP     string `json:"ip"`
	Family string `json:"family"` // "A" or "AAAA"
	// TCP is "open", "refused", "timeout", "unreachable", "reset", "failed" or
	// empty when it was not tried.
	TCP    string  `json:"tcp,omitempty"`
	TookMS float64 `json:"tookMs,omitempty"`
}

// ProbeProxy is the proxy that the environment names for the registry.
type ProbeProxy struct {
	// URL is the proxy's address without user and password.
	URL string `json:"url,omitempty"`
	// Answer is its status line for CONNECT.
	Answer string `json:"answer,omitempty"`
}

// ProbeTLS summarises the registry's certificate.
type ProbeTLS struct {
	Version string   `json:"version,omitempty"`
	Names   []string `json:"names,omitempty"`
	Issuer  string   `json:"issuer,omitempty"`
	// Chain are the subjects as sent by the server, leaf first.
	Chain     []string  `json:"chain,omitempty"`
	NotBefore time.Time `json:"notBefore,omitzero"`
	NotAfter  time.Time `json:"notAfter,omitzero"`
	// ExpiresInDays is negative for an expired certificate.
	ExpiresInDays int `json:"expiresInDays"`
	// Trust names the store of authorities that was used.
	Trust string `json:"trust,omitempty"`
	// ClockSkewSeconds is this place's clock minus the server's; nil when the
	// server did not tell.
	ClockSkewSeconds *int64 `json:"clockSkewSeconds,omitempty"`
}

// ProbeHost is another host that the registry sends to.
type ProbeHost struct {
	Host string `json:"host"`
	// Times in milliseconds, 0 when a connection was reused.
	DNSMS     float64 `json:"dnsMs,omitempty"`
	ConnectMS float64 `json:"connectMs,omitempty"`
	TLSMS     float64 `json:"tlsMs,omitempty"`
}

// ProbeAuth is how the registry wants to be asked.
type ProbeAuth struct {
	// Scheme is "none", "Basic", "Bearer" or what else the registry named.
	Scheme  string `json:"scheme"`
	Realm   string `json:"realm,omitempty"`
	Service string `json:"service,omitempty"`
	Scope   string `json:"scope,omitempty"`
	// Granted is what the token says it allows: actions, "nothing", or empty
	// when the token does not tell.
	Granted string `json:"granted,omitempty"`
	// TokenSeconds is how long the token lives.
	TokenSeconds int        `json:"tokenSeconds,omitempty"`
	RealmHost    *ProbeHost `json:"realmHost,omitempty"`
}

// ProbeManifest is what the registry says of the image.
type ProbeManifest struct {
	Digest    string `json:"digest,omitempty"`
	MediaType string `json:"mediaType,omitempty"`
	Bytes     int64  `json:"bytes,omitempty"`
	// Platforms are those the image has, Wanted those that were asked for.
	Platforms []string `json:"platforms,omitempty"`
	Wanted    []string `json:"wanted,omitempty"`
	// WantedFrom says where Wanted comes from.
	WantedFrom string `json:"wantedFrom,omitempty"`
	Layers     int    `json:"layers,omitempty"`
	// ImageBytes is the compressed size of all layers.
	ImageBytes int64 `json:"imageBytes,omitempty"`
	// GETs counts the manifests that were fetched whole; Docker Hub counts them
	// as pulls.
	GETs int `json:"gets"`
}

// ProbeBlob is the sample taken of the image's content.
type ProbeBlob struct {
	Digest string `json:"digest"`
	Bytes  int64  `json:"bytes"`
	// Host is where the layer came from after redirects.
	Host *ProbeHost `json:"host,omitempty"`
	// Redirected is true when that is not the registry itself.
	Redirected bool `json:"redirected"`
	// SampleBytes were read of the layer, at BytesPerSecond.
	SampleBytes    int64 `json:"sampleBytes"`
	BytesPerSecond int64 `json:"bytesPerSecond,omitempty"`
	// Verified is true when the whole layer was read and has its digest.
	Verified bool `json:"verified"`
}

// ProbeRateLimit is the budget the registry tells.
type ProbeRateLimit struct {
	Limit         int `json:"limit"`
	Remaining     int `json:"remaining"`
	WindowSeconds int `json:"windowSeconds,omitempty"`
	// Source is whom the registry counts: an address or an account id.
	Source string `json:"source,omitempty"`
	// RetryAfter is the registry's header, in seconds or as a date.
	RetryAfter string `json:"retryAfter,omitempty"`
}

// ProbeNear are names that exist and are like those asked for.
type ProbeNear struct {
	// Tags are near the wanted one, or the last ones when none is near.
	Tags []ProbeTag `json:"tags,omitempty"`
	// TagCount is how many tags the registry listed; it may list only a part.
	TagCount int `json:"tagCount,omitempty"`
	// Repositories are near the wanted one.
	Repositories []string `json:"repositories,omitempty"`
}

// ProbeTag is a tag that exists. Tags with one digest are one image.
type ProbeTag struct {
	Name   string `json:"name"`
	Digest string `json:"digest,omitempty"`
}

// Failed is the first stage that failed, nil when none did.
func (p *Probe) Failed() *ProbeStage {
	for i := range p.Stages {
		if p.Stages[i].Status == ProbeFailed {
			return &p.Stages[i]
		}
	}
	return nil
}

// Stage returns the stage of that name, nil when there is none.
func (p *Probe) Stage(name string) *ProbeStage {
	for i := range p.Stages {
		if p.Stages[i].Name == name {
			return &p.Stages[i]
		}
	}
	return nil
}
