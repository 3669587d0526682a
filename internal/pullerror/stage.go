package pullerror

import "strings"

// stageWords tell the stage; the last one in the text is the innermost and wins.
var stageWords = []struct {
	words phrase
	stage Stage
}{
	{say("failed to parse image reference"), StageName},
	{say("couldn't parse image"), StageName},
	{say("invalid reference format"), StageName},
	{say("short name mode"), StageName},
	{say("short-name"), StageName},
	{say("initializing source"), StagePing},
	{say("pinging container registry"), StagePing},
	{say("pinging docker registry"), StagePing},
	{say("failed to fetch oauth token"), StageToken},
	{say("failed to fetch anonymous token"), StageToken},
	{say("unable to retrieve auth token"), StageToken},
	{say("requesting bearer token"), StageToken},
	{say("decoding bearer token"), StageToken},
	{say("failed to authorize"), StageToken},
	{say("failed to resolve reference"), StageResolve},
	{say("failed to resolve image"), StageResolve},
	{say("pulling from host"), StageResolve},
	{say("failed with status code [manifests"), StageResolve},
	{say("reading manifest"), StageManifest},
	{say("fetching target platform image"), StageManifest},
	{say("get image config descriptor"), StageManifest},
	{say("no match for platform"), StageManifest},
	{say("choosing an image from"), StageManifest},
	{say("choosing image instance"), StageManifest},
	{say("no matching manifest for"), StageManifest},
	{say("source image rejected"), StagePolicy},
	{say("failed to copy"), StageBlob},
	{say("could not fetch content descriptor"), StageBlob},
	{say("error pulling image configuration"), StageBlob},
	{say("parsing image configuration"), StageBlob},
	{say("reading blob"), StageBlob},
	{say("reading config blob"), StageBlob},
	{say("writing blob"), StageBlob},
	{say("failed to read expected number of bytes"), StageBlob},
	{say("short read"), StageBlob},
	{say("failed commit on ref"), StageVerify},
	{say("failed to prepare extraction snapshot"), StageUnpack},
	{say("failed to extract layer"), StageUnpack},
	{say("failed to unpack"), StageUnpack},
	{say("error unpacking image"), StageUnpack},
	{say("failed to register layer"), StageUnpack},
	{say("unable to initialize unpacker"), StageUnpack},
	{say("hcsshim::"), StageUnpack},
	{say("storing blob to"), StageUnpack},
	{say("committing the finished image"), StageUnpack},
}

// readStage takes the innermost stage word, then the path of the request.
func (p *parser) readStage() {
	at := -1
	for i := range stageWords {
		if w := &stageWords[i]; p.may(&w.words) {
			if j := strings.LastIndex(p.words, w.words.text); j > at {
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
