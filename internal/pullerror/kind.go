package pullerror

// Kind is what the innermost words of a pull error say. Kinds are about text
// alone; which cause it is may need Secrets, nodes or peers beside it.
type Kind string

// The kinds, by stage.
const (
	Unknown Kind = "" // words not known: never guessed

	// BackOffOnly is a back-off message that carries no cause.
	BackOffOnly Kind = "back-off-only"

	// Local: before any request.
	InvalidName       Kind = "invalid-name"
	ShortName         Kind = "short-name" // CRI-O short-name mode, unresolved alias
	InspectFailed     Kind = "inspect-failed"
	NeverPull         Kind = "never-pull" // policy Never, image not present
	PullQPS           Kind = "pull-qps"
	RuntimeDown       Kind = "runtime-down" // CRI socket gone
	RuntimeRestarted  Kind = "runtime-restarted"
	MirrorConflict    Kind = "mirror-conflict" // CRI disabled: mirrors and config_path both set
	SecretMalformed   Kind = "secret-malformed"
	CredentialPlugin  Kind = "credential-plugin"
	RegistryBlocked   Kind = "registry-blocked"   // blocked by runtime configuration
	RegistryDown      Kind = "registry-down"      // kubelet RegistryUnavailable
	SignatureInvalid  Kind = "signature-invalid"  // SignatureValidationFailed, Source image rejected
	VerifierBlocked   Kind = "verifier-blocked"   // containerd image verifier plugin
	PullRecordFailed  Kind = "pull-record-failed" // kubelet cannot write its pull records
	SandboxImage      Kind = "sandbox-image"      // the pause image
	AuthScheme        Kind = "auth-scheme"        // unsupported challenge
	RecordCheckFailed Kind = "record-check-failed"
	SecretMissing     Kind = "secret-missing" // kubelet could not read a pull Secret it was told to use
	MirrorConfig      Kind = "mirror-config"  // hosts.toml cannot be decoded, and is ignored
	ImageGC           Kind = "image-gc"       // the node cannot free space by deleting images
	Evicted           Kind = "evicted"        // the node ran out of storage during or after the pull

	// Not found.
	NotFound         Kind = "not-found"    // 404, tag and repository not told apart
	TagMissing       Kind = "tag-missing"  // the registry says the manifest is unknown
	RepoMissing      Kind = "repo-missing" // the registry says the repository is unknown
	DigestMissing    Kind = "digest-missing"
	BlobMissing      Kind = "blob-missing"
	PlatformMismatch Kind = "platform-mismatch"
	Schema1          Kind = "schema1"
	MediaType        Kind = "media-type" // HTML or other unexpected content
	ManifestTooLarge Kind = "manifest-too-large"

	// Auth.
	AccessDenied      Kind = "access-denied"      // insufficient_scope, pull access denied: private or absent
	NoBasicAuth       Kind = "no-basic-auth"      // Basic challenge, no credential to send
	Unauthorized      Kind = "unauthorized"       // 401 on registry request
	TokenUnauthorized Kind = "token-unauthorized" // token service refused the credential
	TokenDenied       Kind = "token-denied"       // token service 403
	Forbidden         Kind = "forbidden"          // 403

	// Registry service.
	RateLimited   Kind = "rate-limited"
	ServerError   Kind = "server-error"   // 5xx from registry or mirror
	TokenEndpoint Kind = "token-endpoint" // token service 5xx, 404 or nonsense
	HTTPStatus    Kind = "http-status"    // any other unexpected status

	// Network.
	DNSNotFound     Kind = "dns-nxdomain"
	DNSServfail     Kind = "dns-servfail"
	DNSTimeout      Kind = "dns-timeout"
	DNSRefused      Kind = "dns-refused" // nothing answers on the resolver's port
	TCPRefused      Kind = "tcp-refused"
	TCPTimeout      Kind = "tcp-timeout"
	TCPReset        Kind = "tcp-reset"
	NoRoute         Kind = "no-route"
	HandshakeTime   Kind = "tls-handshake-timeout"
	HeaderTimeout   Kind = "response-header-timeout"
	RequestTimeout  Kind = "request-timeout" // deadline exceeded with no better word
	TransferEOF     Kind = "transfer-eof"
	ProxyDown       Kind = "proxy-unreachable"
	ProxyDenied     Kind = "proxy-denied"
	ProxyConfig     Kind = "proxy-misconfigured"
	Cancelled       Kind = "cancelled" // context canceled: progress timeout, restart or deletion
	ProgressTimeout Kind = "progress-timeout"

	// TLS.
	TLSUnknownCA    Kind = "tls-unknown-ca"
	TLSExpired      Kind = "tls-expired"
	TLSNotYetValid  Kind = "tls-not-yet-valid"
	TLSValidity     Kind = "tls-validity" // expired or not yet valid; the text does not say which
	TLSName         Kind = "tls-name-mismatch"
	TLSCNOnly       Kind = "tls-cn-only"
	HTTPResponse    Kind = "http-response"     // server gave HTTP response to HTTPS client
	HTTPToHTTPS     Kind = "http-to-https"     // client sent HTTP to an HTTPS server
	TLSHandshake    Kind = "tls-handshake"     // remote alert, protocol or cipher mismatch
	TLSConfigBroken Kind = "tls-config-broken" // CA or client key file unreadable

	// Node storage and content.
	DiskFull          Kind = "disk-full"
	InodesFull        Kind = "inodes-full"
	QuotaExceeded     Kind = "disk-quota"
	ReadOnlyFS        Kind = "read-only-fs"
	IOError           Kind = "io-error"
	DigestMismatch    Kind = "digest-mismatch"
	EmptyBody         Kind = "empty-body"
	SizeMismatch      Kind = "size-mismatch"
	DiffIDMismatch    Kind = "diffid-mismatch"
	CorruptTar        Kind = "corrupt-tar"
	UnpackMount       Kind = "unpack-mount"
	UnpackPermission  Kind = "unpack-permission"
	TooManyLayers     Kind = "too-many-layers"
	XFSNoDtype        Kind = "xfs-no-dtype"
	SnapshotParent    Kind = "snapshot-parent"
	ContentMissing    Kind = "content-missing"
	StorageCorrupt    Kind = "storage-corrupt" // CRI-O containers/storage
	SnapshotterAbsent Kind = "snapshotter-absent"
	IngestLocked      Kind = "ingest-locked"
	NameReserved      Kind = "name-reserved"
	ImageVolume       Kind = "image-volume"
	ExecFormat        Kind = "exec-format"
)
