package probe

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/unjam-dev/unjam/internal/snapshot"
)

const (
	// slowRate in bytes per second is worth a warning, hangRate is no transfer.
	slowRate = 256 << 10
	hangRate = 1 << 10
	// fairSample is how much must be read for a rate to mean something.
	fairSample = 16 << 10
)

// blob reads the image's configuration and the beginning of its largest layer
// from where the registry sends for it.
func blob(ctx context.Context, s *session) result {
	if why := s.noGet(); why != "" {
		return notAsked(why)
	}
	if s.configFault != nil {
		return *s.configFault
	}
	if s.config.digest == "" {
		return notAsked("no content for the wanted platform")
	}
	if !s.configRead {
		if _, _, bad := s.whole(ctx, s.config, "the configuration"); bad != nil {
			return *bad
		}
	}
	if len(s.layers) == 0 {
		return ok("the configuration was read; there is no layer")
	}
	return s.sample(ctx, slices.MaxFunc(s.layers, func(a, b blobRef) int { return int(max(-1, min(1, a.size-b.size))) }))
}

func (s *session) blobAsk(b blobRef, limit int64) ask {
	return ask{method: http.MethodGet, url: s.base() + "/v2/" + s.repository + "/blobs/" + b.digest, auth: s.won.header, limit: limit}
}

// whole reads a blob to its end and checks its digest.
func (s *session) whole(ctx context.Context, b blobRef, what string) ([]byte, *answer, *result) {
	a, bad := s.part(ctx, s.blobAsk(b, maxConfig), what, b)
	if bad != nil {
		return nil, nil, bad
	}
	if a.broken != nil {
		cause, words := networkFault(a.broken)
		r := fail(cause, fmt.Sprintf("%s %s with %s of %d bytes sent", hostOf(a.broken), words, plural(len(a.body), "byte", "bytes"), b.size))
		return nil, nil, &r
	}
	if !a.cut && digestOf(a.body) != b.digest {
		r := wrongBytes(a.body, what, b.digest)
		return nil, nil, &r
	}
	return a.body, a, nil
}

// part asks for a blob and judges everything but the bytes.
func (s *session) part(ctx context.Context, q ask, what string, b blobRef) (*answer, *result) {
	stop := func(r result) (*answer, *result) { return nil, &r }
	a, err := s.do(ctx, q)
	if err != nil {
		return stop(s.noStorage(err))
	}
	switch {
	case a.status == http.StatusOK || a.status == http.StatusPartialContent:
		return a, nil
	case a.status == http.StatusNotFound && a.redirected:
		return stop(fail("layer-blob-missing", fmt.Sprintf("the storage %s has no %s: %s", a.host.Host, strings.TrimPrefix(what, "the "), short(b.digest))))
	case a.status == http.StatusNotFound:
		return stop(fail("layer-blob-missing", fmt.Sprintf("%s has the manifest but not %s %s", s.host, what, short(b.digest))))
	case a.redirected && (a.status == http.StatusForbidden || a.status == http.StatusUnauthorized):
		return stop(fail("blob-cdn-403", fmt.Sprintf("the storage %s, where %s sends for layers, answers %d", a.host.Host, s.host, a.status)))
	}
	cause, words := s.statusFault(a, !s.won.anonymous())
	return stop(fail(cause, fmt.Sprintf("%s answers %d for %s%s", a.host.Host, a.status, what, words)))
}

// noStorage: the host of the blobs could not be asked.
func (s *session) noStorage(err error) result {
	host := hostOf(err)
	if host == s.hostPort() {
		return s.unreachable(err)
	}
	cause, what := networkFault(err)
	detail := fmt.Sprintf("the storage %s, where %s sends for layers, %s", s.word(host), s.host, what)
	if isNetwork(cause) || cause == "response-header-timeout" {
		return fail("blob-cdn-blocked", detail, rival(cause, "ask again later, and from another network"))
	}
	return fail(cause, detail)
}

func hostOf(err error) string {
	var re *requestError
	if errors.As(err, &re) {
		return re.host
	}
	return ""
}

// sample reads the beginning of a layer.
func (s *session) sample(ctx context.Context, b blobRef) result {
	q := s.blobAsk(b, sampleBytes)
	if b.size > sampleBytes { // registries refuse a range past the end
		q.ranged = fmt.Sprintf("bytes=0-%d", sampleBytes-1)
	}
	a, bad := s.part(ctx, q, "a layer", b)
	if bad != nil {
		return *bad
	}
	n := int64(len(a.body))
	out := &snapshot.ProbeBlob{Digest: b.digest, Bytes: b.size, Host: a.host, Redirected: a.redirected, SampleBytes: n}
	s.out.Blob = out
	if n > 0 {
		out.BytesPerSecond = int64(float64(n) / max(a.bodyTime, time.Millisecond).Seconds())
	}
	if a.broken != nil {
		cause, words := networkFault(a.broken)
		if cause == "pull-hangs-drip" && out.BytesPerSecond > hangRate {
			return warn("slow-transfer", fmt.Sprintf("%s sends at %s/s", out.Host.Host, size(out.BytesPerSecond)))
		}
		return fail(cause, fmt.Sprintf("%s %s, after %s of the layer", out.Host.Host, words, size(n)))
	}
	if n < min(b.size, sampleBytes) {
		if n == 0 {
			return wrongBytes(a.body, "a layer", b.digest)
		}
		return fail("mid-transfer-eof", fmt.Sprintf("%s ends the layer after %s of %s", out.Host.Host, size(n), size(b.size)))
	}
	if b.size <= sampleBytes && !a.cut {
		if digestOf(a.body) != b.digest {
			return wrongBytes(a.body, "a layer", b.digest)
		}
		out.Verified = true
	}
	if n > 0 && a.body[0] == '<' {
		return fail("unexpected-media-type", out.Host.Host+" serves a page of text in place of a layer")
	}
	return s.sampled(out)
}

func (s *session) sampled(out *snapshot.ProbeBlob) result {
	from := "from the registry itself"
	if out.Redirected {
		from = "from the storage " + out.Host.Host
	}
	detail := fmt.Sprintf("first %s of the largest layer (%s) %s at %s/s", size(out.SampleBytes), size(out.Bytes), from, size(out.BytesPerSecond))
	if out.Verified {
		detail = fmt.Sprintf("the largest layer (%s) %s at %s/s, digest right", size(out.Bytes), from, size(out.BytesPerSecond))
	}
	if out.SampleBytes >= fairSample && out.BytesPerSecond < slowRate {
		return warn("slow-transfer", detail+fmt.Sprintf("; at that rate the image takes %s", span(time.Duration(s.out.Manifest.ImageBytes/max(1, out.BytesPerSecond))*time.Second)))
	}
	return ok(detail)
}

// size is a number of bytes for the reader.
func size(n int64) string {
	switch {
	case n >= 1<<30:
		return fmt.Sprintf("%.1f GiB", float64(n)/(1<<30))
	case n >= 1<<20:
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	case n >= 1<<10:
		return fmt.Sprintf("%.0f KiB", float64(n)/(1<<10))
	}
	return plural(int(n), "byte", "bytes")
}
