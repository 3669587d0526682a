package pullerror

import "strings"

// elementStarts begin an element of an aggregate. A comma alone does not
// separate: "pull access denied, repository does not exist" is one error.
var elementStarts = []string{
	"rpc error: code = ", "failed to pull and unpack image ", "failed to pull image ", startContainer,
	"failed to resolve ", "failed to authorize: ", "failed to copy: ", "failed to fetch ", "failed commit on ref ",
	"failed to extract layer ", "pull access denied", "get image config descriptor: ", "unable to retrieve auth token",
	"unable to pull image", "initializing source ", "pinging container registry ", "reading manifest ", "copying system image ",
	"choosing an image ", "parsing image configuration", "writing blob", "Requesting bearer token", "Source image rejected",
	"image pull failed for ", "Error response from daemon: ", "unexpected status ", "short name mode ", "too many requests",
	"context canceled", "context deadline exceeded", "(Mirrors also failed: ", "toomanyrequests: ", "unauthorized: ", "denied: ",
}

const startContainer = `failed to "StartContainer" for `

// splitAggregate splits "[e1, e2]", which the kubelet prints when a pull was
// tried with several credentials (apimachinery's errors.NewAggregate). It
// returns nil for text that is no aggregate.
func splitAggregate(s string) []string {
	if len(s) < 3 || s[0] != '[' || s[len(s)-1] != ']' {
		return nil
	}
	body := s[1 : len(s)-1]
	if !startsElement(body) {
		return nil
	}
	if strings.HasPrefix(body, startContainer) {
		// One element per container; each may quote an aggregate of its own.
		parts := strings.Split(body, ", "+startContainer)
		for i := 1; i < len(parts); i++ {
			parts[i] = startContainer + parts[i]
		}
		return parts
	}
	var parts []string
	from := 0
	for i := 0; ; {
		j := strings.Index(body[i:], ", ")
		if j < 0 {
			break
		}
		at := i + j
		i = at + 2
		if startsElement(body[i:]) {
			parts = append(parts, body[from:at])
			from = i
		}
	}
	return append(parts, body[from:])
}

func startsElement(s string) bool {
	for _, p := range elementStarts {
		if strings.HasPrefix(s, p) {
			return true
		}
	}
	return false
}

// maxElements bounds the elements kept of one aggregate; a pod has a handful of
// credentials and a host a handful of mirrors.
const maxElements = 32

// aggregate parses the elements and describes the one that got furthest, or
// the first where the order decides.
func (p *parser) aggregate(parts []string, first bool, depth int) Error {
	if len(parts) > maxElements {
		parts = parts[:maxElements]
	}
	elements := make([]Error, 0, len(parts))
	best := 0
	for i, part := range parts {
		e := parse(part, p.image, depth+1)
		elements = append(elements, e)
		if !first && further(&elements[i], &elements[best]) {
			best = i
		}
	}
	e := elements[best]
	if len(elements) > 1 {
		e.Elements = elements
	}
	p.outer(&e)
	return e
}

// further tells whether a says more than b: it got to a later stage, or to the
// same one with words that are known, or with a credential.
func further(a, b *Error) bool {
	if known := a.Kind != Unknown && a.Kind != BackOffOnly; known != (b.Kind != Unknown && b.Kind != BackOffOnly) {
		return known
	}
	if ra, rb := rank(a.Stage), rank(b.Stage); ra != rb {
		return ra > rb
	}
	return a.Credential == CredentialSent && b.Credential != CredentialSent
}

func rank(s Stage) int {
	switch s {
	case StageLocal:
		return 1
	case StageName:
		return 2
	case StagePing:
		return 3
	case StageToken:
		return 4
	case StageResolve:
		return 5
	case StageManifest:
		return 6
	case StageBlob:
		return 7
	case StageVerify:
		return 8
	case StageUnpack:
		return 9
	case StagePolicy:
		return 10
	}
	return 0
}

// outer adds what the wrappers around an aggregate told.
func (p *parser) outer(e *Error) {
	if e.Wrapper == "" {
		e.Wrapper = p.e.Wrapper
	}
	if e.Code == "" {
		e.Code = p.e.Code
	}
	if e.Runtime == RuntimeUnknown {
		e.Runtime = p.e.Runtime
	}
	if e.Kind == Unknown {
		e.Kind = p.hint
	}
	e.Sandbox = e.Sandbox || p.sandbox && p.pulling
}

const (
	imageError    = "unable to pull image or OCI artifact: pull image err: "
	artifactError = "; artifact err: "
)

// splitArtifact splits what CRI-O 1.33 and newer print when a reference was no
// image and no OCI artifact either; the image's error comes first and decides.
func splitArtifact(s string) []string {
	rest, ok := strings.CutPrefix(s, imageError)
	if !ok {
		return nil
	}
	image, artifact, ok := strings.Cut(rest, artifactError)
	if !ok {
		return []string{rest}
	}
	return []string{image, artifact}
}

// mirrorText is CRI-O's account of several places tried for one image.
type mirrorText struct {
	before   string // words before the parenthesis, they carry the stage
	mirrors  []string
	upstream string
}

const mirrorsOpen = "(Mirrors also failed: ["

// splitMirrors splits `(Mirrors also failed: [ref: err] [ref: err]): ref: err`
// (containers/image, docker/docker_image_src.go). The upstream comes last.
func splitMirrors(s string) (mirrorText, bool) {
	before, rest, ok := strings.Cut(s, mirrorsOpen)
	if !ok {
		return mirrorText{}, false
	}
	list, upstream, ok := strings.Cut(rest, "]): ")
	if !ok {
		return mirrorText{}, false
	}
	return mirrorText{before: before, mirrors: strings.Split(list, "] ["), upstream: upstream}, true
}

// mirrors describes the upstream's error, because that is the one that decides,
// and keeps the mirrors' errors as elements before it.
func (p *parser) mirrors(m mirrorText, depth int) Error {
	if len(m.mirrors) > maxElements {
		m.mirrors = m.mirrors[:maxElements]
	}
	var elements []Error
	for _, text := range m.mirrors {
		ref, inner, ok := strings.Cut(text, ": ")
		if !ok {
			ref, inner = "", text
		}
		e := parse(inner, p.image, depth+1)
		e.Runtime, e.Target, e.MirrorOf = CRIO, TargetMirror, hostOfImage(p.image)
		if e.URLHost == "" && ref != "" {
			e.URLHost = hostOfImage(ref)
		}
		elements = append(elements, e)
	}
	_, inner, ok := strings.Cut(m.upstream, ": ")
	if !ok {
		inner = m.upstream
	}
	e := parse(m.before+inner, p.image, depth+1)
	e.Runtime = CRIO
	e.Elements = append(elements, e)
	p.outer(&e)
	return e
}
