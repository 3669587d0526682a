package pullerror

import "strings"

// maxRounds bounds how many layers of quoting and wrapping are taken off. Real
// messages have at most five; the bound keeps hostile text linear.
const maxRounds = 24

// Parse reads one message about one image. image may be empty when it is not
// known; it is then taken from the message where that quotes it.
//
// Text that fits no rule gives Kind Unknown with whatever else could be read:
// stage, hosts and status are useful even without a kind.
func Parse(text, image string) Error {
	if image == "" {
		image = ImageIn(text)
	}
	return parse(text, image, 0)
}

func parse(text, image string, depth int) Error {
	p := parser{image: image}
	p.unwrap(text)
	if depth < 4 {
		if parts := splitAggregate(p.text); parts != nil {
			return p.aggregate(parts, false, depth)
		}
		if parts := splitArtifact(p.text); parts != nil {
			p.e.Runtime = CRIO
			return p.aggregate(parts, true, depth)
		}
		if m, ok := splitMirrors(p.text); ok {
			return p.mirrors(m, depth)
		}
	}
	return p.classify()
}

// parser is the state of parsing one message.
type parser struct {
	image string // as in the pod, or as quoted by the message
	text  string // what is left after the wrappers
	words string // text in lower case without names, for matching
	pairs pairs  // of words
	raw   pairs  // of text
	stage Stage  // from the wrappers that were taken off
	hint  Kind   // what the wrappers alone say, when the words inside say nothing
	// sandbox: a wrapper was about the pod sandbox; pulling: one was about an image.
	sandbox, pulling bool
	e                Error
}

// classify fills the error from the text that is left after the wrappers.
func (p *parser) classify() Error {
	e := &p.e
	e.Text = p.text
	p.words = wordsOf(p.text)
	p.pairs = pairsOf(p.words)
	e.ImageHost = hostOfImage(p.image)
	e.Sandbox = p.sandbox && p.pulling
	if p.sandbox && !p.pulling && !Looks(p.text) {
		return *e // a sandbox fails for many reasons; this one is not an image's
	}
	p.readRuntime()
	p.readRequest()
	p.readNetwork()
	p.readStage()
	p.readStatus()
	p.readServer()
	p.readCredential()
	p.readKind()
	p.readDigests()
	p.readTarget()
	return *e
}

// readKind finds the first rule that fits, then falls back on the HTTP status,
// the registry's own code and what the wrappers say.
func (p *parser) readKind() {
	e := &p.e
	if r := p.match(); r != nil {
		e.Kind = r.kind
		if r.sets != StageUnknown {
			e.Stage = r.sets
		}
	}
	if e.Kind == Unknown || e.Kind == NotFound {
		if k := p.kindOfServerCode(); k != Unknown {
			e.Kind = k
		}
	}
	if e.Kind == Unknown {
		e.Kind = p.kindOfStatus()
	}
	if e.Kind == Unknown || (e.Kind == RequestTimeout && p.hint == InspectFailed) {
		// A back-off that does carry a cause, in words that are not known, is no
		// back-off without a cause.
		if p.hint != BackOffOnly || !strings.Contains(p.words, " ") {
			e.Kind = p.hint
		}
	}
	if e.Kind == Unknown && e.Sandbox {
		e.Kind = SandboxImage
	}
	if (e.Kind == NotFound || e.Kind == TagMissing) && p.byDigest() {
		e.Kind = DigestMissing
	}
	if e.Kind == NotFound && e.Stage == StageBlob {
		e.Kind = BlobMissing
	}
	if e.Stage == StageUnknown && strings.Contains(p.text, "<Code>") {
		e.Stage = StageBlob // XML is the language of object storage, where blobs lie
	}
	if e.Stage == StageUnknown {
		e.Stage = stageOfKind(e.Kind)
	}
}

// byDigest tells whether the manifest was asked for by digest. CRI-O names what
// it asked for, which may be an entry of the index that the tag points to.
func (p *parser) byDigest() bool {
	if strings.Contains(p.image, "@sha256:") || strings.Contains(p.text, "reading manifest sha256:") {
		return true
	}
	return p.image == "" && strings.Contains(p.text, "@sha256:")
}
