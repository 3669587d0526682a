package pullerror

import "strings"

// unwrap takes off, layer by layer, what the kubelet, gRPC and the runtime put
// around an error, and keeps what those layers tell.
func (p *parser) unwrap(text string) {
	text = squash(text)
	for range maxRounds {
		text = p.stripAll(text)
		before := text
		if s, ok := logValue(text); ok {
			text = s
		}
		text = squash(unescape(text))
		text = p.stripAll(text)
		p.raw = pairsOf(text)
		if i := anchor(text, &p.raw); i > 0 {
			text = text[i:]
		}
		// Nothing came off after the prefixes, so another round would find nothing.
		if text == before {
			break
		}
	}
	p.text = redact(text)
	if p.text != text {
		p.raw = pairsOf(p.text)
	}
}

// stripAll takes off prefixes until none fits.
func (p *parser) stripAll(s string) string {
	for range maxRounds {
		rest, ok := p.strip(s)
		if !ok || rest == "" {
			return s
		}
		s = rest
	}
	return s
}

// plainWrappers are prefixes without an argument.
var plainWrappers = []struct {
	prefix  string
	wrapper string
	hint    Kind
	runtime Runtime
	sandbox bool
}{
	{prefix: "(combined from similar events): "},
	{prefix: "Error: "},
	{prefix: "Error response from daemon: ", runtime: Docker},
	{prefix: "ErrImagePull: ", wrapper: "ErrImagePull"},
	{prefix: "ImagePullBackOff: ", wrapper: "ImagePullBackOff"},
	{prefix: "RegistryUnavailable: ", wrapper: "RegistryUnavailable", hint: RegistryDown},
	{prefix: "SignatureValidationFailed: ", wrapper: "SignatureValidationFailed", hint: SignatureInvalid},
	{prefix: "ImageInspectError: ", wrapper: "ImageInspectError", hint: InspectFailed},
	{prefix: "ErrImageNeverPull: ", wrapper: "ErrImageNeverPull", hint: NeverPull},
	{prefix: "InvalidImageName: ", wrapper: "InvalidImageName", hint: InvalidName},
	{prefix: "Failed to create pod sandbox: ", sandbox: true},
	{prefix: "Failed create pod sandbox: ", sandbox: true},
	{prefix: "failed to create pod sandbox: ", sandbox: true},
	{prefix: "Failed to pull image: "},
	{prefix: "failed to pull image: "},
	{prefix: "desc = "},
}

// imageWrappers are prefixes that quote an image; a colon follows the quote.
var imageWrappers = []struct {
	prefix  string
	stage   Stage
	hint    Kind
	runtime Runtime
	sandbox bool
}{
	{prefix: "Failed to pull image "},
	{prefix: "Back-off pulling image ", hint: BackOffOnly},
	{prefix: "Failed to inspect image ", stage: StageLocal, hint: InspectFailed},
	{prefix: "Failed to apply default image tag ", stage: StageName, hint: InvalidName},
	{prefix: "failed to pull and unpack image ", runtime: Containerd},
	{prefix: "failed to resolve reference ", stage: StageResolve, runtime: Containerd},
	{prefix: "failed to resolve image ", stage: StageResolve, runtime: Containerd},
	{prefix: "failed to get sandbox image ", hint: SandboxImage, sandbox: true, runtime: Containerd},
	{prefix: "failed to pull image "},
	{prefix: "failed pulling image ", hint: SandboxImage, sandbox: true, runtime: Docker},
	{prefix: "PullImage "},
}

// strip takes one wrapper off the front.
func (p *parser) strip(s string) (string, bool) {
	if rest, ok := p.stripRPC(s); ok {
		return rest, true
	}
	for i := range plainWrappers {
		w := &plainWrappers[i]
		if rest, ok := strings.CutPrefix(s, w.prefix); ok && rest != "" {
			p.note(w.wrapper, w.hint, StageUnknown, w.runtime, w.sandbox)
			return rest, true
		}
	}
	for i := range imageWrappers {
		w := &imageWrappers[i]
		if rest, ok := strings.CutPrefix(s, w.prefix); ok {
			if rest, ok = p.stripImage(rest); ok {
				p.note("", w.hint, w.stage, w.runtime, w.sandbox)
				p.pulling = true
				return rest, true
			}
		}
	}
	// The transfer service of containerd 2.1 and newer does not name the image.
	if rest, ok := strings.CutPrefix(s, "failed to resolve image: "); ok {
		p.note("", Unknown, StageResolve, Containerd, false)
		return rest, true
	}
	if rest, ok := p.stripStart(s); ok {
		return rest, true
	}
	return p.stripKubeletVerdict(s)
}

func (p *parser) note(wrapper string, hint Kind, stage Stage, runtime Runtime, sandbox bool) {
	if wrapper != "" {
		p.e.Wrapper = wrapper
	}
	if hint != Unknown && p.hint == Unknown || p.hint == BackOffOnly {
		p.hint = hint
	}
	if stage != StageUnknown {
		p.stage = stage
	}
	if runtime != RuntimeUnknown {
		p.e.Runtime = runtime
	}
	p.sandbox = p.sandbox || sandbox
}

// stripRPC takes off `rpc error: code = X desc = ` and keeps the innermost
// code that says more than Unknown.
func (p *parser) stripRPC(s string) (string, bool) {
	rest, ok := strings.CutPrefix(s, "rpc error: code = ")
	if !ok {
		return s, false
	}
	code, rest, ok := strings.Cut(rest, " ")
	if !ok || len(code) > 32 {
		return s, false
	}
	rest, ok = strings.CutPrefix(rest, "desc = ")
	if !ok || rest == "" {
		return s, false
	}
	if p.e.Code == "" || code != "Unknown" {
		p.e.Code = code
	}
	return rest, true
}

// stripImage takes off a quoted image and the colon after it. The image of the
// pod is tried first, because an invalid name may itself hold quotes.
func (p *parser) stripImage(s string) (string, bool) {
	if len(s) == 0 || (s[0] != '"' && s[0] != '\'') {
		return s, false
	}
	quote, body := s[0], s[1:]
	end := -1
	if p.image != "" && strings.HasPrefix(body, p.image) && len(body) > len(p.image) && body[len(p.image)] == quote {
		end = len(p.image)
	} else {
		end = strings.IndexByte(body, quote)
	}
	if end < 0 {
		return s, false
	}
	rest := body[end+1:]
	if r, ok := strings.CutPrefix(rest, " failed: "); ok { // PullImage "x" failed: …
		return r, r != ""
	}
	rest, ok := strings.CutPrefix(rest, ": ")
	return rest, ok && rest != ""
}

// stripStart takes off `failed to "StartContainer" for "c" with R: "…"`, which
// the kubelet writes to its log and into pod conditions.
func (p *parser) stripStart(s string) (string, bool) {
	rest, ok := strings.CutPrefix(s, `failed to "StartContainer" for "`)
	if !ok {
		return s, false
	}
	_, rest, ok = strings.Cut(rest, `" with `)
	if !ok {
		return s, false
	}
	reason, rest, ok := strings.Cut(rest, ": ")
	if !ok || strings.ContainsRune(reason, ' ') || rest == "" {
		return s, false
	}
	p.note(reason, hintOfReason(reason), StageUnknown, RuntimeUnknown, false)
	if rest[0] != '"' {
		return rest, true
	}
	inner := quoted(rest)
	return inner, inner != ""
}

// hintOfReason is what a waiting reason alone says.
func hintOfReason(reason string) Kind {
	switch reason {
	case "ImagePullBackOff", "ErrImagePull":
		return BackOffOnly
	case "ErrImageNeverPull":
		return NeverPull
	case "InvalidImageName":
		return InvalidName
	case "ImageInspectError":
		return InspectFailed
	case "RegistryUnavailable":
		return RegistryDown
	case "SignatureValidationFailed":
		return SignatureInvalid
	}
	return Unknown
}

// stripKubeletVerdict takes off the sentence that the kubelet builds from a CRI
// error of CRI-O (pkg/kubelet/images/image_manager.go, evalCRIPullErr).
func (p *parser) stripKubeletVerdict(s string) (string, bool) {
	if !strings.HasPrefix(s, "image pull failed for ") {
		return s, false
	}
	for _, v := range []struct{ words, wrapper string }{
		{" because the registry is unavailable: ", "RegistryUnavailable"},
		{" because the signature validation failed: ", "SignatureValidationFailed"},
	} {
		if _, rest, ok := strings.Cut(s, v.words); ok && rest != "" {
			p.note(v.wrapper, hintOfReason(v.wrapper), StageUnknown, RuntimeUnknown, false)
			return rest, true
		}
	}
	return s, false
}

// anchors start a message inside a line of a log, of `kubectl describe` or of
// an event list; whatever precedes them is not part of the error.
var anchors = []phrase{
	say(`Failed to pull image "`), say(`Back-off pulling image "`), say(`Failed to inspect image "`),
	say(`Failed to apply default image tag "`), say(`failed to "StartContainer" for "`),
	say(`Failed to create pod sandbox: `), say(`failed to get sandbox image "`),
	say(`failed to pull and unpack image "`), say(`failed to resolve reference "`),
	say(`rpc error: code = `), say(`Error response from daemon: `), say(`image pull failed for `),
}

// anchor returns where the earliest anchor starts, -1 when there is none.
func anchor(s string, set *pairs) int {
	if strings.HasPrefix(s, "[") || strings.HasPrefix(s, "(Mirrors") {
		return -1
	}
	at := -1
	for i := range anchors {
		a := &anchors[i]
		if !set.may(a) {
			continue
		}
		end := len(s)
		if at >= 0 {
			end = min(len(s), at+len(a.text))
		}
		if j := strings.Index(s[:end], a.text); j >= 0 && (at < 0 || j < at) {
			at = j
		}
	}
	return at
}
