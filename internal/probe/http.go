package probe

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/unjam-dev/unjam/internal/snapshot"
)

// Bounds on what a registry may send.
const (
	maxHeaders   = 64 << 10
	maxManifest  = 4393216 // containerd reads no larger one (remotes/docker/fetcher.go)
	maxToken     = 1 << 20
	maxList      = 1 << 20
	maxConfig    = 4 << 20
	maxErrorBody = 64 << 10
	maxRedirects = 5
	sampleBytes  = 64 << 10
)

// ask is one request.
type ask struct {
	method, url string
	auth        string // the Authorization header, sent to the first host only
	accept      string
	ranged      string // the Range header
	form        url.Values
	limit       int64 // of the body in bytes; more is cut
}

// answer is what came back, bounded.
type answer struct {
	status int
	header http.Header
	body   []byte
	// cut is true when the body is longer than the limit, broken an error that
	// ended it early.
	cut    bool
	broken error
	// bodyTime is how long the body took.
	bodyTime   time.Duration
	host       *snapshot.ProbeHost
	redirected bool
}

// requestError is an error of the network with the host it concerns and how
// far the request had got.
type requestError struct {
	host  string
	phase phase
	err   error
}

func (e *requestError) Error() string { return e.host + ": " + e.err.Error() }
func (e *requestError) Unwrap() error { return e.err }

type phase int

const (
	phaseConnect phase = iota
	phaseTLS
	phaseAnswer // the request was sent
	phaseBody
)

var (
	errRedirects = errors.New("redirects without end")
	errScheme    = errors.New("redirects to an address that is not HTTP")
)

// newClient is the HTTP client of one probe. It speaks HTTP/1.1, whose bounds
// on headers are easy to hold, asks for nothing compressed, and follows no
// redirect by itself.
func (s *session) newClient() *http.Client {
	return &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			Proxy:                  func(r *http.Request) (*url.URL, error) { return s.proxyFor(r.URL) },
			DialContext:            s.dial,
			TLSClientConfig:        s.tlsConfig(""),
			TLSHandshakeTimeout:    s.req.Limits.Request,
			DisableCompression:     true,
			MaxResponseHeaderBytes: maxHeaders,
			MaxConnsPerHost:        4,
			TLSNextProto:           map[string]func(string, *tls.Conn) http.RoundTripper{},
		},
	}
}

func (s *session) proxyFor(u *url.URL) (*url.URL, error) {
	if s.place.Proxy == nil {
		return nil, nil
	}
	proxy, err := s.place.Proxy(u)
	if proxy != nil {
		s.proxies.Store(proxyAddress(proxy), true)
	}
	return proxy, err
}

// dial connects to a host, one allowed address after the other.
func (s *session) dial(ctx context.Context, _, address string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	_, trusted := s.proxies.Load(address) // the user chose it
	trace := httptrace.ContextClientTrace(ctx)
	start := time.Now()
	addrs, err := s.lookup(ctx, host)
	if trace != nil && trace.DNSDone != nil {
		trace.DNSDone(httptrace.DNSDoneInfo{Err: &timed{time.Since(start)}})
	}
	if err != nil {
		return nil, err
	}
	last := error(&net.OpError{Op: "dial", Net: "tcp", Err: errors.New("no address")})
	for _, a := range addrs[:min(len(addrs), maxAddresses)] {
		if !trusted {
			if err := s.guard.address(a); err != nil {
				last = err
				continue
			}
		}
		d := net.Dialer{Timeout: s.req.Limits.Step}
		conn, err := d.DialContext(ctx, "tcp", net.JoinHostPort(a.String(), port))
		if err == nil {
			return conn, nil
		}
		last = err
		if ctx.Err() != nil {
			break
		}
	}
	return nil, last
}

// timed carries the time of a lookup through httptrace.
type timed struct{ d time.Duration }

func (t *timed) Error() string { return t.d.String() }

// lookup resolves a host to all its addresses, IPv4 first as it is the family
// that nodes nearly always have.
func (s *session) lookup(ctx context.Context, host string) ([]netip.Addr, error) {
	if a, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{a}, nil
	}
	ctx, cancel := context.WithTimeout(ctx, s.req.Limits.Step)
	defer cancel()
	var out []netip.Addr
	var first error
	for _, network := range []string{"ip4", "ip6"} {
		addrs, _, err := s.place.Lookup(ctx, network, host)
		if err != nil && first == nil {
			first = err
		}
		out = append(out, addrs...)
	}
	if len(out) == 0 {
		if first == nil {
			first = &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
		}
		return nil, first
	}
	return out, nil
}

// tracker notes how far a request got. The transport may call it from a
// goroutine that outlives the request.
type tracker struct {
	mu    sync.Mutex
	phase phase
	host  snapshot.ProbeHost
	conn  time.Time
	tls   time.Time
}

func (t *tracker) trace() *httptrace.ClientTrace {
	at := func(f func()) { t.mu.Lock(); defer t.mu.Unlock(); f() }
	return &httptrace.ClientTrace{
		DNSDone: func(i httptrace.DNSDoneInfo) {
			var d *timed
			if errors.As(i.Err, &d) {
				at(func() { t.host.DNSMS = millis(d.d) })
			}
		},
		ConnectStart: func(string, string) { at(func() { t.conn = time.Now() }) },
		ConnectDone: func(_, _ string, err error) {
			at(func() {
				if err == nil {
					t.host.ConnectMS = millis(time.Since(t.conn))
				}
			})
		},
		TLSHandshakeStart: func() { at(func() { t.phase, t.tls = phaseTLS, time.Now() }) },
		TLSHandshakeDone:  func(tls.ConnectionState, error) { at(func() { t.host.TLSMS = millis(time.Since(t.tls)) }) },
		WroteRequest:      func(httptrace.WroteRequestInfo) { at(func() { t.phase = phaseAnswer }) },
	}
}

func (t *tracker) seen() (phase, snapshot.ProbeHost) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.phase, t.host
}

// do sends a request, follows at most five redirects, and reads the body up to
// its limit.
func (s *session) do(ctx context.Context, a ask) (*answer, error) {
	ctx, cancel := context.WithTimeout(ctx, s.req.Limits.Request)
	defer cancel()
	at, err := url.Parse(a.url)
	if err != nil {
		return nil, fmt.Errorf("not a URL: %w", err)
	}
	first := at
	for hop := 0; ; hop++ {
		if hop > maxRedirects {
			return nil, &requestError{at.Host, phaseAnswer, errRedirects}
		}
		if at.Scheme != "http" && at.Scheme != "https" || at.Host == "" {
			return nil, &requestError{s.word(at.Host), phaseAnswer, errScheme}
		}
		if err := s.guard.host(at.Hostname()); err != nil {
			return nil, &requestError{at.Host, phaseConnect, err}
		}
		resp, track, err := s.hop(ctx, a, at, first)
		if err != nil {
			ph, _ := track.seen()
			return nil, &requestError{at.Host, ph, err}
		}
		if next := redirectOf(resp, a.method, at); next != nil {
			_ = resp.Body.Close()
			s.hideQuery(next)
			at = next
			continue
		}
		return s.read(resp, a, at, track, hop > 0 && at.Host != first.Host), nil
	}
}

func (s *session) hop(ctx context.Context, a ask, at, first *url.URL) (*http.Response, *tracker, error) {
	track := &tracker{host: snapshot.ProbeHost{Host: s.word(at.Host)}}
	var body io.Reader
	if a.form != nil {
		body = strings.NewReader(a.form.Encode())
	}
	r, err := http.NewRequestWithContext(httptrace.WithClientTrace(ctx, track.trace()), a.method, at.String(), body)
	if err != nil {
		return nil, track, err
	}
	r.Header.Set("User-Agent", "unjam-probe")
	set := func(name, value string) {
		if value != "" {
			r.Header.Set(name, value)
		}
	}
	set("Accept", a.accept)
	set("Range", a.ranged)
	// A credential is for the host that was asked, over the same scheme.
	if at.Host == first.Host && at.Scheme == first.Scheme {
		set("Authorization", a.auth)
	}
	if a.form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	resp, err := s.http.Do(r)
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err // without the URL, whose query may be signed
	}
	return resp, track, err
}

// redirectOf is where an answer sends a request on to, nil when it does not. A
// request with a form is never sent on: it carries a credential.
func redirectOf(resp *http.Response, method string, at *url.URL) *url.URL {
	switch resp.StatusCode {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
	default:
		return nil
	}
	if method != http.MethodGet && method != http.MethodHead {
		return nil
	}
	location := resp.Header.Get("Location")
	if location == "" {
		return nil
	}
	next, err := at.Parse(location)
	if err != nil {
		return &url.URL{Scheme: "invalid", Host: at.Host}
	}
	next.User = nil
	return next
}

// hideQuery hides what a redirect signs its address with.
func (s *session) hideQuery(u *url.URL) {
	const longEnough = 12
	n := 0
	for _, values := range u.Query() {
		for _, v := range values {
			if n++; len(v) >= longEnough && n < 50 {
				s.hide.add(v)
			}
		}
	}
}

func (s *session) read(resp *http.Response, a ask, at *url.URL, track *tracker, redirected bool) *answer {
	defer resp.Body.Close()
	_, host := track.seen()
	out := &answer{status: resp.StatusCode, header: resp.Header, host: &host, redirected: redirected}
	if at.Host == s.hostPort() {
		s.noteLimits(resp)
	}
	if a.method == http.MethodHead {
		return out
	}
	limit := a.limit
	if resp.StatusCode >= 400 {
		limit = maxErrorBody
	}
	start := time.Now()
	body, err := io.ReadAll(io.LimitReader(resp.Body, limit+1))
	out.bodyTime = time.Since(start)
	if int64(len(body)) > limit {
		body, out.cut = body[:limit], true
	}
	out.body = body
	if err != nil {
		out.broken = &requestError{at.Host, phaseBody, err}
	}
	return out
}

// hostPort is the registry's host as it stands in URLs.
func (s *session) hostPort() string {
	_, host, _ := strings.Cut(s.base(), "://")
	return host
}
