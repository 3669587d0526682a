package pullerror

import "strings"

// readDigests finds the digest that was found and the one expected, and the
// platform looked for.
func (p *parser) readDigests() {
	s := p.text
	switch p.e.Kind {
	case DigestMismatch, EmptyBody:
		p.e.Digest = digestAfter(s, "unexpected commit digest ", ", got ")
		p.e.WantDigest = digestAfter(s, "expected ", "for digest ", "manifest digest ")
	case DiffIDMismatch:
		p.e.Digest = digestAfter(s, "calculated on extraction \"", "is \"")
		p.e.WantDigest = digestAfter(s, "desc \"", "config claims \"")
	case PlatformMismatch:
		p.e.Platform = platformIn(s)
		p.e.Digest = digestAfter(s, "in manifest ")
	case DigestMissing:
		p.e.WantDigest = digestAfter(s, "@", "reading manifest ")
		if p.e.WantDigest == "" {
			p.e.WantDigest = digestAfter(p.image, "@")
		}
	case BlobMissing, ContentMissing, SnapshotParent, MediaType:
		p.e.WantDigest = digestAfter(s, "content descriptor ", "content digest ", "parent snapshot ", " for ")
	}
}

// digestAfter returns the digest right after the first of the words.
func digestAfter(s string, words ...string) string {
	for _, w := range words {
		for from := 0; ; {
			i := strings.Index(s[from:], w)
			if i < 0 {
				break
			}
			from += i + len(w)
			rest := s[from:]
			if !strings.HasPrefix(rest, "sha256:") && !strings.HasPrefix(rest, "sha512:") {
				continue
			}
			end := 7
			for end < len(rest) && (rest[end] >= '0' && rest[end] <= '9' || rest[end] >= 'a' && rest[end] <= 'f') {
				end++
			}
			return rest[:end]
		}
	}
	return ""
}

// platformIn reads `linux/arm64/v8` or `architecture "arm64", variant "v8", OS "linux"`.
func platformIn(s string) string {
	for _, w := range []string{"no matching manifest for ", "no match for platform ", "specified platform: wanted ", "platform ("} {
		if _, rest, ok := strings.Cut(s, w); ok {
			if tok := strings.TrimRight(hostToken2(rest), ",:)"); strings.Contains(tok, "/") && len(tok) < 64 {
				return tok
			}
		}
	}
	arch := wordAfter(s, `architecture "`, "architecture ")
	if arch == "" {
		return ""
	}
	out := arch
	if os := wordAfter(s, `OS "`, "OS "); os != "" {
		out = os + "/" + arch
	}
	if v := wordAfter(s, `variant "`); v != "" {
		out += "/" + v
	}
	return out
}

// wordAfter returns the plain word after the first of the given openings.
func wordAfter(s string, openings ...string) string {
	for _, o := range openings {
		_, rest, ok := strings.Cut(s, o)
		if !ok {
			continue
		}
		end := 0
		for end < len(rest) && (rest[end] >= 'a' && rest[end] <= 'z' || rest[end] >= '0' && rest[end] <= '9' || rest[end] == '_') {
			end++
		}
		if end > 0 {
			return rest[:end]
		}
	}
	return ""
}
