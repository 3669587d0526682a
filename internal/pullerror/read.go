package pullerror

import "strings"

// imageQuotes stand before a quoted image.
var imageQuotes = []string{
	`pulling image `, `pull image `, `unpack image `, `inspect image `, `sandbox image `, `default image tag `, `image name `,
	`image reference `, `resolve reference `, `ontainer image `, `PullImage `, `Pulling image `, `resolve image `, ` image=`,
}

// imageBare stand before an image without quotes; the second text ends it.
var imageBare = []struct{ before, after string }{
	{"image pull failed for ", " because "}, {"manifest for ", " not found"}, {"pull access denied for ", ", repository"},
	{"blocked pull of ", " with digest"}, {"blocking pull of ", " with digest"}, {"but image name ", " returns "}, {"docker://", ""},
}

// ImageIn returns the image that a message quotes, "" when it quotes none.
func ImageIn(text string) string {
	for i := 0; i < len(text); i++ {
		j := strings.IndexByte(text[i:], '"')
		if j < 0 {
			break
		}
		i += j
		before := strings.TrimRight(text[max(0, i-40):i], `\`) // a log escapes quotes
		if !strings.HasSuffix(before, " ") && !strings.HasSuffix(before, "=") {
			continue // as all of imageQuotes end
		}
		for _, q := range imageQuotes {
			if strings.HasSuffix(before, q) {
				if end := strings.IndexAny(text[i+1:], `\"`); end > 0 {
					return text[i+1 : i+1+end]
				}
			}
		}
	}
	for _, b := range imageBare {
		_, rest, ok := strings.Cut(text, b.before)
		if !ok {
			continue
		}
		if b.after == "" {
			return hostToken2(rest)
		}
		if ref, _, ok := strings.Cut(rest, b.after); ok && ref != "" && !strings.ContainsAny(ref, " \n") {
			return ref
		}
	}
	// reading manifest TAG in REPO: …
	if _, rest, ok := strings.Cut(text, "reading manifest "); ok {
		if tag, rest, ok := strings.Cut(rest, " in "); ok && !strings.ContainsRune(tag, ' ') {
			repo := hostToken2(rest)
			if strings.HasPrefix(tag, "sha256:") {
				return repo + "@" + tag
			}
			return repo + ":" + tag
		}
	}
	return ""
}

// pullWords appear in messages about an image pull and hardly elsewhere.
var pullWords = []string{
	"pulling image", "pull image", "errimagepull", "imagepullbackoff", "errimageneverpull", "invalidimagename", "imageinspecterror",
	"failed to resolve reference", "failed to resolve image", "pull and unpack image", "inspect image", "default image tag",
	"pull qps exceeded", "pull access denied", "pull rate limit", "toomanyrequests", "image pull", "sandbox image",
	"initializing source", "pinging container registry", "reading manifest", "parsing image configuration", "writing blob",
	"source image rejected", "short name mode", "short-name", "pull policy of never", "manifest unknown", "no match for platform",
	"no matching manifest for", "httpreadseeker", "failed commit on ref", "failed to fetch oauth token", "failed to fetch anonymous token",
	"no basic auth credentials", "pullimage", "registryunavailable", "signaturevalidationfailed", "error pulling image", "image verifier",
	"get image config descriptor", "failed to extract layer", "failed to unpack image", "credential provider plugin", "unable to parse auth field",
	"repository does not exist or may require",
}

// Looks tells whether a text is about an image pull at all. A request to a
// registry path counts too.
func Looks(text string) bool {
	lower := strings.ToLower(text)
	for _, w := range pullWords {
		if strings.Contains(lower, w) {
			return true
		}
	}
	return strings.Contains(lower, "/v2/") && (strings.Contains(lower, "/manifests/") || strings.Contains(lower, "/blobs/"))
}
