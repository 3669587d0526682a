package pullerror

import "strings"

// emptyDigest is the SHA-256 of no bytes at all.
const emptyDigest = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

// contentRules are about manifests, indexes, blobs and their digests.
var contentRules = []rule{
	is(EmptyBody, func(p *parser) bool { return strings.Contains(p.text, "commit digest "+emptyDigest) }),
	is(EmptyBody, func(p *parser) bool { return strings.Contains(p.text, "got "+emptyDigest) }),
	at(StageVerify, DigestMismatch, "unexpected commit digest"),
	at(StageVerify, SizeMismatch, "unexpected commit size"),
	at(StageVerify, DigestMismatch, "digest did not match, expected"),
	at(StageVerify, DigestMismatch, "layer verification failed"),
	at(StageVerify, DigestMismatch, "manifest does not match provided manifest digest"),
	at(StageVerify, DigestMismatch, "manifest verification failed for digest"),
	at(StageVerify, DigestMismatch, "digest mismatch"),
	at(StageVerify, SizeMismatch, "failed size validation"),

	at(StageManifest, PlatformMismatch, "no match for platform"),
	at(StageManifest, PlatformMismatch, "no image found in", "for architecture"),
	at(StageManifest, PlatformMismatch, "no matching manifest for"),
	at(StageManifest, PlatformMismatch, "image operating system", "cannot be used on"),
	at(StageManifest, PlatformMismatch, "does not match the specified platform"),
	at(StageManifest, PlatformMismatch, "does not provide the specified platform"),
	at(StageManifest, PlatformMismatch, "no child with platform"),
	at(StageManifest, Schema1, "is no longer supported since containerd"),
	at(StageManifest, Schema1, "schema 1 image manifests are no longer supported"),
	at(StageManifest, Schema1, "schema 1", "support", "disabled"),
	at(StageManifest, Schema1, "schema 1", "deprecat"),
	at(StageManifest, Schema1, "docker image format v1", "disabled by default"),
	at(StageManifest, Schema1, "unsupported docker v1 manifest"),
	at(StageManifest, MediaType, "unexpected media type"),
	at(StageManifest, MediaType, "number of layers and diffids don't match"),
	at(StageManifest, MediaType, "mismatched image rootfs and manifest layers"),
	at(StageManifest, MediaType, "unimplemented manifest mime type"),
	at(StageManifest, MediaType, "no processor for media-type"),
	at(StageManifest, MediaType, "unsupported media type"),
	at(StageManifest, MediaType, "unsupported mediatype"),
	at(StageManifest, MediaType, "unsupported manifest media type"),
	at(StageManifest, MediaType, "encountered remote", "when fetching"),
	at(StageManifest, MediaType, "invalid content type", "manifest"),
	at(StageManifest, MediaType, "unsupported image-specific operation on artifact"),
	at(StageManifest, ManifestTooLarge, "rejecting", "byte manifest"),
	at(StageManifest, ManifestTooLarge, "exceeds maximum manifest size"),
	at(StageBlob, BlobMissing, "could not fetch content descriptor", "not found"),
	at(StageBlob, BlobMissing, "blob unknown"),
	at(StageBlob, BlobMissing, "unknown blob"),

	has(RepoMissing, "name unknown"),
	has(RepoMissing, "repository name not known to registry"),
	has(RepoMissing, "repository with name", "does not exist"),
	has(AccessDenied, "repository ~ not found: does not exist or no pull access"),
	has(TagMissing, "manifest unknown"),
	has(TagMissing, "manifest is not known to the registry"),
	has(TagMissing, "named manifest is not known"),
	has(TagMissing, "manifest tagged by", "is not found"),
	has(TagMissing, "manifest for ~ not found"),
	has(TagMissing, "requested image not found"),
	is(TagMissing, func(p *parser) bool {
		return strings.HasPrefix(p.words, "tag ") && strings.Contains(p.words, " not found in repository ")
	}), // docker up to 1.9
	has(TagMissing, "failed to fetch ~ from request", "not found"),
	has(NotFound, "image ~ not found"),
	is(RepoMissing, func(p *parser) bool { return strings.HasPrefix(p.words, "repository ~ not found") }),
}

// notFound fits the bare "<name>: not found" of containerd, which tells neither
// tag from repository nor says what the registry answered.
func notFound(p *parser) bool {
	return p.words == "not found" || strings.HasSuffix(p.words, "~: not found") || strings.HasSuffix(p.words, ": not found: not found")
}
