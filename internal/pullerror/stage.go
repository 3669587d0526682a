package pullerror

import "strings"

// stageWords tell the stage; the last one in the text is the innermost and wins.
var stageWords = []struct {
	words string
	stage Stage
}{
	{"failed to parse image reference", StageName},
	{"couldn't parse image", StageName},
	{"invalid reference format", StageName},
	{"short name mode", StageName},
	{"short-name", StageName},
	{"initializing source", StagePing},
	{"pinging container registry", StagePing},
	{"pinging docker registry", StagePing},
	{"failed to fetch oauth token", StageToken},
	{"failed to fetch anonymous token", StageToken},
	{"unable to retrieve auth token", StageToken},
	{"requesting bearer token", StageToken},
	{"decoding bearer token", StageToken},
	{"failed to authorize", StageToken},
	{"failed to resolve reference", StageResolve},
	{"failed to resolve image", StageResolve},
	{"pulling from host", StageResolve},
	{"failed with status code [manifests", StageResolve},
	{"reading manifest", StageManifest},
	{"fetching target platform image", StageManifest},
	{"get image config descriptor", StageManifest},
	{"no match for platform", StageManifest},
	{"choosing an image from", StageManifest},
	{"choosing image instance", StageManifest},
	{"no matching manifest for", StageManifest},
	{"source image rejected", StagePolicy},
	{"failed to copy", StageBlob},
	{"could not fetch content descriptor", StageBlob},
	{"error pulling image configuration", StageBlob},
	{"parsing image configuration", StageBlob},
	{"reading blob", StageBlob},
	{"reading config blob", StageBlob},
	{"writing blob", StageBlob},
	{"failed to read expected number of bytes", StageBlob},
	{"short read", StageBlob},
	{"failed commit on ref", StageVerify},
	{"failed to prepare extraction snapshot", StageUnpack},
	{"failed to extract layer", StageUnpack},
	{"failed to unpack", StageUnpack},
	{"error unpacking image", StageUnpack},
	{"failed to register layer", StageUnpack},
	{"unable to initialize unpacker", StageUnpack},
	{"storing blob to", StageUnpack},
	{"committing the finished image", StageUnpack},
}

// readStage takes the innermost stage word, then the path of the request.
func (p *parser) readStage() {
	at := -1
	for i := range stageWords {
		if w := &stageWords[i]; len(w.words) <= len(p.words) {
			if j := strings.LastIndex(p.words, w.words); j > at {
				at, p.e.Stage = j, w.stage
			}
		}
	}
	byPath := stageOfPath(p.e.URL, p.e.ImageHost)
	switch {
	case at < 0 && p.stage != StageUnknown && p.stage != StageLocal && (byPath != StageToken):
		p.e.Stage = p.stage
	case at < 0:
		p.e.Stage = byPath
		if byPath == StageUnknown {
			p.e.Stage = p.stage
		}
	case p.e.Stage == StageBlob && byPath == StageManifest:
		// containerd's fetcher reads manifests and blobs with the same words.
		p.e.Stage = StageManifest
	case p.e.Stage == StageManifest && byPath == StageBlob, p.e.Stage == StagePing && byPath != StageUnknown:
		p.e.Stage = byPath
	}
	if p.e.Method == "HEAD" && (p.e.Stage == StageManifest || p.e.Stage == StagePing) {
		p.e.Stage = StageResolve // only manifests are asked for by HEAD
	}
}

// stageOfPath reads the stage from the request path.
func stageOfPath(u, imageHost string) Stage {
	if u == "" {
		return StageUnknown
	}
	path := pathOfURL(u)
	switch {
	case path == "/v2/" || path == "/v1/_ping" || path == "/v1/" || path == "/v2":
		return StagePing
	case strings.Contains(u, "?scope=") || strings.Contains(u, "?service=") || strings.HasSuffix(path, "/token") || path == "/jwt/auth":
		return StageToken
	case strings.Contains(path, "/blobs/"):
		return StageBlob
	case strings.Contains(path, "/manifests/"):
		return StageManifest
	case !strings.HasPrefix(path, "/v2/") && storageHost(hostOfURL(u)):
		return StageBlob
	}
	return StageUnknown
}

// stageOfKind is used when nothing else told the stage.
func stageOfKind(k Kind) Stage {
	switch k {
	case InvalidName, ShortName:
		return StageName
	case NeverPull, PullQPS, RuntimeDown, RuntimeRestarted, MirrorConflict, SecretMalformed, SecretMissing, CredentialPlugin,
		InspectFailed, PullRecordFailed, RecordCheckFailed, RegistryBlocked, MirrorConfig, NameReserved, SnapshotterAbsent, XFSNoDtype:
		return StageLocal
	case SignatureInvalid, VerifierBlocked:
		return StagePolicy
	case NotFound, DigestMissing, AccessDenied, NoBasicAuth:
		return StageResolve
	case TagMissing, RepoMissing, Schema1, MediaType, ManifestTooLarge, PlatformMismatch:
		return StageManifest
	case BlobMissing, TransferEOF:
		return StageBlob
	case DigestMismatch, EmptyBody, SizeMismatch:
		return StageVerify
	case DiffIDMismatch, CorruptTar, UnpackMount, UnpackPermission, TooManyLayers, SnapshotParent, ContentMissing, StorageCorrupt:
		return StageUnpack
	case TokenUnauthorized, TokenDenied, TokenEndpoint:
		return StageToken
	}
	return StageUnknown
}
