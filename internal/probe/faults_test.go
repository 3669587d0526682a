package probe

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/unjam-dev/unjam/internal/snapshot"
)

func status(code int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(code)
		_, _ = io.WriteString(w, body)
	}
}

// onBlobs answers GETs of blobs other than the first, which is the
// configuration, and passes the rest.
func onBlobs(h http.Handler, f func(w http.ResponseWriter, r *http.Request, body []byte)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet || !strings.Contains(r.URL.Path, "/blobs/") {
			h.ServeHTTP(w, r)
			return
		}
		rec := httptest.NewRecorder()
		whole := r.Clone(r.Context())
		whole.Header.Del("Range")
		h.ServeHTTP(rec, whole)
		if strings.HasPrefix(rec.Body.String(), "{") {
			_, _ = w.Write(rec.Body.Bytes())
			return
		}
		f(w, r, rec.Body.Bytes())
	})
}

// TestAnswers: what a registry answers, and where and as what that shows.
func TestAnswers(t *testing.T) {
	t.Parallel()
	h := store(t)
	storage := serve(t, status(403, "<Error/>"))
	dead := closedPort(t)
	redirect := func(to string) http.Handler {
		return onBlobs(h, func(w http.ResponseWriter, r *http.Request, _ []byte) {
			http.Redirect(w, r, to, http.StatusTemporaryRedirect)
		})
	}
	for _, c := range []struct {
		name         string
		h            http.Handler
		stage, cause string
	}{
		{"500", status(500, ""), "manifest", "registry-5xx"},
		{"502", status(502, "<html>"), "manifest", "registry-5xx"},
		{"503", status(503, ""), "manifest", "registry-5xx"},
		{"429", status(429, ""), "manifest", "rate-limit-other"},
		{"403", status(403, `{"errors":[{"code":"DENIED","message":"no"}]}`), "manifest", "forbidden-403"},
		{"404 everywhere", status(404, ""), "manifest", "repo-not-found"},
		{"portal", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			_, _ = io.WriteString(w, "<html>log in</html>")
		}), "manifest", "unexpected-media-type"},
		{"schema 1", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/vnd.docker.distribution.manifest.v1+prettyjws")
		}), "manifest", "schema1-manifest"},
		{"silence", http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }), "ping", "response-header-timeout"},
		{"NTLM", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("WWW-Authenticate", "NTLM")
			w.WriteHeader(401)
		}), "ping", "auth-scheme-unsupported"},
		{"no challenge", status(401, ""), "ping", "auth-scheme-unsupported"},
		{"no realm", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("WWW-Authenticate", `Bearer service="x"`)
			w.WriteHeader(401)
		}), "ping", "auth-scheme-unsupported"},
		{"layer missing", onBlobs(h, func(w http.ResponseWriter, _ *http.Request, _ []byte) { w.WriteHeader(404) }), "blob", "layer-blob-missing"},
		{"layer wrong", onBlobs(h, func(w http.ResponseWriter, _ *http.Request, b []byte) { b[len(b)/2] ^= 1; _, _ = w.Write(b) }), "blob", "digest-mismatch"},
		{"layer empty", onBlobs(h, func(http.ResponseWriter, *http.Request, []byte) {}), "blob", "empty-body-digest"},
		{"layer short", onBlobs(h, func(w http.ResponseWriter, _ *http.Request, b []byte) {
			w.Header().Set("Content-Length", fmt.Sprint(len(b)))
			_, _ = w.Write(b[:100])
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}), "blob", "mid-transfer-eof"},
		{"layer drips", onBlobs(h, func(w http.ResponseWriter, r *http.Request, b []byte) {
			for i := range b {
				if _, err := w.Write(b[i : i+1]); err != nil || r.Context().Err() != nil {
					return
				}
				_ = http.NewResponseController(w).Flush()
				time.Sleep(200 * time.Millisecond)
			}
		}), "blob", "pull-hangs-drip"},
		{"storage 403", redirect("http://storage.test:" + storage + "/x?X-Amz-Signature=0123456789abcdef"), "blob", "blob-cdn-403"},
		{"storage down", redirect("http://storage.test:" + dead + "/x"), "blob", "blob-cdn-blocked"},
		{"storage unknown", redirect("http://storage.invalid/x"), "blob", "blob-cdn-blocked"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := look(t, "registry.test:"+serve(t, c.h)+"/shop/web:v1")
			f := wantFailure(t, p, c.stage, c.cause)
			if strings.Contains(f.Detail, "0123456789abcdef") {
				t.Errorf("shows the signature: %s", f.Detail)
			}
		})
	}
}

// TestSlow: slow is a warning, for the image can be pulled.
func TestSlow(t *testing.T) {
	t.Parallel()
	h := onBlobs(store(t), func(w http.ResponseWriter, _ *http.Request, b []byte) {
		for len(b) > 0 {
			n := min(len(b), 4<<10)
			if _, err := w.Write(b[:n]); err != nil {
				return
			}
			_ = http.NewResponseController(w).Flush()
			b = b[n:]
			time.Sleep(40 * time.Millisecond)
		}
	})
	p := look(t, "registry.test:"+serve(t, h)+"/shop/big:v1")
	if s := p.Stage("blob"); p.Failed() != nil || s.Cause != "slow-transfer" || s.Status != snapshot.ProbeWarning {
		t.Errorf("%s", dump(p))
	}
}

func TestTLS(t *testing.T) {
	t.Parallel()
	h := store(t)
	ca := newAuthority(t)
	day := 24 * time.Hour
	cfg := func(c tls.Certificate) *tls.Config { return &tls.Config{Certificates: []tls.Certificate{c}} }
	old := cfg(ca.issue(t, -day, 90*day, false, "registry.test"))
	old.MinVersion, old.MaxVersion = tls.VersionTLS10, tls.VersionTLS10
	place := here()
	place.Roots = ca.pool
	for _, c := range []struct {
		name, port, cause, says string
	}{
		{"expired", serveTLS(t, h, cfg(ca.issue(t, -30*day, -12*day, false, "registry.test"))), "tls-expired", "expired 12 days ago"},
		{"not yet valid", serveTLS(t, h, cfg(ca.issue(t, day*3, 90*day, false, "registry.test"))), "tls-not-yet-valid-clock-skew", "the certificate is wrong"},
		{"other name", serveTLS(t, h, cfg(ca.issue(t, -day, 90*day, false, "other.test"))), "tls-name-mismatch", "is for other.test, not for registry.test"},
		{"common name only", serveTLS(t, h, cfg(ca.issue(t, -day, 90*day, false))), "tls-cn-only", "common name (registry.test)"},
		{"self-signed", serveTLS(t, h, cfg(ca.issue(t, -day, 90*day, true, "registry.test"))), "tls-unknown-ca", "signed by itself"},
		{"other authority", serveTLS(t, h, cfg(newAuthority(t).issue(t, -day, 90*day, false, "registry.test"))), "tls-unknown-ca", `comes from "test authority"`},
		{"self-signed, expired, other name", serveTLS(t, h, cfg(ca.issue(t, -30*day, -day, true, "other.test"))), "tls-expired", "besides, the certificate of registry.test is signed by itself"},
		{"old protocol", serveTLS(t, h, old), "tls-handshake-failure", "speaks only TLS 1.0"},
		{"plain HTTP", serve(t, h), "tls-http-response", "--insecure-http"},
		{"silence", accept(t, func(c net.Conn) { _, _ = io.Copy(io.Discard, c); c.Close() }), "tls-handshake-timeout", "does not finish"},
		{"reset", accept(t, func(c net.Conn) {
			_, _ = c.Read(make([]byte, 1))
			_ = c.(*net.TCPConn).SetLinger(0)
			c.Close()
		}), "tcp-reset", "in the TLS handshake"},
		{"hangs up on TLS", accept(t, func(c net.Conn) {
			defer c.Close()
			if b, err := bufio.NewReader(c).Peek(1); err == nil && b[0] != 0x16 {
				_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
			}
		}), "tls-http-response", "--insecure-http"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := lookFrom(t, place, "registry.test:"+c.port+"/shop/web:v1")
			if f := wantFailure(t, p, "tls", c.cause); !strings.Contains(f.Detail, c.says) {
				t.Errorf("does not say %q: %s", c.says, f.Detail)
			}
		})
	}
	t.Run("wrong clock", func(t *testing.T) {
		t.Parallel()
		behind := place
		behind.Now = func() time.Time { return time.Now().Add(-400*day - time.Hour) }
		p := lookFrom(t, behind, "registry.test:"+serveTLS(t, h, cfg(ca.issue(t, -day, 90*day, false, "registry.test")))+"/shop/web:v1")
		f := wantFailure(t, p, "tls", "tls-not-yet-valid-clock-skew")
		if !strings.Contains(f.Detail, "differs from that of registry.test by 400 days") {
			t.Error(f.Detail)
		}
	})
	t.Run("ends soon", func(t *testing.T) {
		t.Parallel()
		p := lookFrom(t, place, "registry.test:"+serveTLS(t, h, cfg(ca.issue(t, -day, 3*day+time.Hour, false, "registry.test")))+"/shop/web:v1")
		if s := p.Stage("tls"); p.Failed() != nil || s.Status != snapshot.ProbeWarning || !strings.Contains(s.Detail, "ends in 3 days") {
			t.Errorf("%s", dump(p))
		}
	})
	t.Run("asked in plain HTTP", func(t *testing.T) {
		t.Parallel()
		port := serveTLS(t, h, cfg(ca.issue(t, -day, 90*day, false, "registry.test")))
		wantFailure(t, look(t, "registry.test:"+port+"/shop/web:v1"), "ping", "http-request-to-https")
	})
}

func TestTCP(t *testing.T) {
	t.Parallel()
	wantFailure(t, look(t, "registry.test:"+closedPort(t)+"/shop/web:v1"), "tcp", "tcp-refused")
	wantFailure(t, look(t, "127.0.0.1:"+closedPort(t)+"/shop/web:v1"), "tcp", "registry-localhost-reference")
	port := serve(t, store(t))
	p := here()
	p.Lookup = func(_ context.Context, network, _ string) ([]netip.Addr, string, error) {
		if network == "ip4" {
			return []netip.Addr{netip.MustParseAddr("127.0.0.2"), netip.MustParseAddr("127.0.0.1")}, "r", nil
		}
		return nil, "r", nil
	}
	got := lookFrom(t, p, "half.test:"+port+"/shop/web:v1", func(r *Request) { r.InsecureHTTP = true })
	if s := got.Stage("tcp"); got.Failed() != nil || s.Status != snapshot.ProbeWarning || !strings.Contains(s.Detail, "open at 1 of 2") {
		t.Errorf("%s", dump(got))
	}
	reset := accept(t, func(c net.Conn) {
		_, _ = c.Read(make([]byte, 1))
		_ = c.(*net.TCPConn).SetLinger(0)
		c.Close()
	})
	wantFailure(t, look(t, "registry.test:"+reset+"/shop/web:v1"), "ping", "tcp-reset")
}

// TestDNS asks a name server of its own through the machine's resolver code.
func TestDNS(t *testing.T) {
	t.Parallel()
	server, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	go nameServer(server)
	place := Place{Lookup: SystemLookup(server.LocalAddr().String())}
	for host, cause := range map[string]string{"absent.example.com": "dns-nxdomain", "broken.example.com": "dns-servfail", "silent.example.com": "dns-timeout", "registry.shop.svc": "dns-cluster-name-on-node"} {
		t.Run(host, func(t *testing.T) {
			t.Parallel()
			f := wantFailure(t, lookFrom(t, place, host+"/shop/web:v1"), "dns", cause)
			if !strings.Contains(f.Detail, server.LocalAddr().String()) && cause != "dns-cluster-name-on-node" {
				t.Errorf("does not name the resolver: %s", f.Detail)
			}
		})
	}
	t.Run("both families", func(t *testing.T) {
		t.Parallel()
		p := lookFrom(t, place, "both.example.com:"+closedPort(t)+"/shop/web:v1")
		if d := p.DNS; len(d.Addresses) != 2 || d.Addresses[0].IP != "127.0.0.1" || d.Addresses[1].IP != "::1" || d.Resolver != server.LocalAddr().String() {
			t.Errorf("%+v", d)
		}
	})
	wantFailure(t, lookFrom(t, Place{Lookup: SystemLookup("127.0.0.1:" + closedPort(t))}, "a.example.com/x"), "dns", "dns-timeout")
}

func nameServer(server net.PacketConn) {
	buf := make([]byte, 1500)
	for {
		n, from, err := server.ReadFrom(buf)
		if err != nil {
			return
		}
		var m dnsmessage.Message
		if m.Unpack(buf[:n]) != nil || len(m.Questions) == 0 {
			continue
		}
		q := m.Questions[0]
		m.Response, m.RecursionAvailable, m.Additionals = true, true, nil
		m.RCode = dnsmessage.RCodeNameError
		switch strings.Split(q.Name.String(), ".")[0] {
		case "broken":
			m.RCode = dnsmessage.RCodeServerFailure
		case "silent":
			continue
		case "both":
			m.RCode = dnsmessage.RCodeSuccess
			h := dnsmessage.ResourceHeader{Name: q.Name, Class: q.Class, TTL: 1}
			if q.Type == dnsmessage.TypeA {
				m.Answers = []dnsmessage.Resource{{Header: h, Body: &dnsmessage.AResource{A: [4]byte{127, 0, 0, 1}}}}
			} else {
				m.Answers = []dnsmessage.Resource{{Header: h, Body: &dnsmessage.AAAAResource{AAAA: netip.MustParseAddr("::1").As16()}}}
			}
		}
		if out, err := m.Pack(); err == nil {
			_, _ = server.WriteTo(out, from)
		}
	}
}

// TestProxy goes through proxies that let pass, refuse, want a login, or are
// not there.
func TestProxy(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	port := serveTLS(t, store(t), &tls.Config{Certificates: []tls.Certificate{ca.issue(t, -time.Hour, 1000*time.Hour, false, "registry.test")}})
	through := func(f http.HandlerFunc) string { return "http://joe:proxy-canary@proxy.test:" + serve(t, f) }
	tunnel := func(w http.ResponseWriter, r *http.Request) {
		if u, p, _ := (&http.Request{Header: http.Header{"Authorization": r.Header["Proxy-Authorization"]}}).BasicAuth(); u != "joe" || p != "proxy-canary" {
			w.WriteHeader(http.StatusProxyAuthRequired)
			return
		}
		out, err := net.Dial("tcp", "127.0.0.1:"+port)
		if err != nil {
			w.WriteHeader(502)
			return
		}
		defer out.Close()
		conn, buf, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer conn.Close()
		_, _ = io.WriteString(conn, "HTTP/1.1 200 Connection established\r\n\r\n")
		go func() { _, _ = io.Copy(out, buf); _ = out.(*net.TCPConn).CloseWrite() }()
		_, _ = io.Copy(conn, out)
	}
	for _, c := range []struct{ name, proxy, cause string }{
		{"passes", through(tunnel), ""},
		{"refuses", through(status(403, "no").ServeHTTP), "proxy-connect-denied"},
		{"wants a login", through(status(407, "").ServeHTTP), "proxy-connect-denied"},
		{"down", "http://proxy.test:" + closedPort(t), "proxy-unreachable"},
		{"unknown", "http://proxy.invalid:3128", "proxy-unreachable"},
		{"odd scheme", "ftp://proxy.test:21", "proxy-misconfigured"},
		{"broken", "", "proxy-misconfigured"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			place := here()
			place.Roots = ca.pool
			lookup := place.Lookup
			place.Lookup = func(ctx context.Context, network, host string) ([]netip.Addr, string, error) {
				if host == "registry.test" { // only the proxy can resolve it
					return nil, "r", &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
				}
				return lookup(ctx, network, host)
			}
			place.Proxy = func(*url.URL) (*url.URL, error) {
				if c.proxy == "" {
					return nil, errors.New("invalid proxy address")
				}
				return url.Parse(c.proxy)
			}
			p := lookFrom(t, place, "registry.test:"+port+"/shop/web:v1")
			if c.cause == "" {
				if p.Failed() != nil || p.Stage("dns").Status != snapshot.ProbeWarning || p.Proxy.Answer == "" {
					t.Errorf("%s", dump(p))
				}
			} else {
				wantFailure(t, p, "proxy", c.cause)
			}
			if out, _ := json.Marshal(p); strings.Contains(string(out), "canary") {
				t.Errorf("shows the proxy's password: %s", out)
			}
		})
	}
}
