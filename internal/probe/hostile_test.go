package probe

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/unjam-dev/unjam/internal/snapshot"
)

// endless writes until the client has had enough.
func endless(w http.ResponseWriter, chunk []byte) {
	for {
		if _, err := w.Write(chunk); err != nil {
			return
		}
	}
}

// TestHostile: whatever a registry does costs bounded time and memory, and ends
// in a stage.
func TestHostile(t *testing.T) {
	h := store(t)
	var zip bytes.Buffer
	z, _ := gzip.NewWriterLevel(&zip, gzip.BestCompression)
	_, _ = z.Write(make([]byte, 64<<20))
	_ = z.Close()
	page := bytes.Repeat([]byte(" "), 64<<10)
	manifests := func(f http.HandlerFunc) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodGet && strings.Contains(r.URL.Path, "/manifests/") {
				f(w, r)
				return
			}
			h.ServeHTTP(w, r)
		})
	}
	token := func(f http.HandlerFunc) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/token" {
				f(w, r)
				return
			}
			w.Header().Set("WWW-Authenticate", `Bearer realm="http://`+r.Host+`/token",service="x"`)
			w.WriteHeader(401)
		})
	}
	lists := func(f http.HandlerFunc) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch {
			case strings.HasSuffix(r.URL.Path, "/tags/list"), strings.HasSuffix(r.URL.Path, "/_catalog"):
				f(w, r)
			case r.URL.Path == "/v2/":
			default:
				w.WriteHeader(404)
			}
		})
	}
	for _, c := range []struct {
		name         string
		h            http.Handler
		stage, cause string
	}{
		{"endless manifest", manifests(func(w http.ResponseWriter, _ *http.Request) { endless(w, page) }), "platform", "manifest-too-large"},
		{"zipped manifest", manifests(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(zip.Bytes())
		}), "platform", "digest-mismatch"},
		{"empty manifest", manifests(func(http.ResponseWriter, *http.Request) {}), "platform", "empty-body-digest"},
		{"dripping manifest", manifests(func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				_, _ = io.WriteString(w, " ")
				_ = http.NewResponseController(w).Flush()
				time.Sleep(50 * time.Millisecond)
			}
		}), "platform", "pull-hangs-drip"},
		{"endless token", token(func(w http.ResponseWriter, _ *http.Request) { endless(w, page) }), "token", "token-endpoint-failed"},
		{"token not JSON", token(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"token":`) }), "token", "token-endpoint-failed"},
		{"token without one", token(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"token":["x"]}`) }), "token", "token-endpoint-failed"},
		{"token that ends the header", token(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, `{"token":"a\r\nX-Evil: 1"}`)
		}), "token", "token-endpoint-failed"},
		{"token dripping", token(func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				_, _ = io.WriteString(w, " ")
				_ = http.NewResponseController(w).Flush()
				time.Sleep(50 * time.Millisecond)
			}
		}), "token", "token-endpoint-failed"},
		{"endless tag list", lists(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, `{"tags":["`)
			endless(w, page)
		}), "manifest", "tag-not-found"},
		{"many tags", lists(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, `{"tags":["`+strings.Repeat(`a","`, 200000)+`b"]}`)
		}), "manifest", "tag-not-found"},
		{"tags not JSON", lists(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"tags":{}}`) }), "manifest", "tag-not-found"},
		{"tags that are no tags", lists(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, `{"tags":["../../evil","v1\n\u001b[31m","`+strings.Repeat("x", 10000)+`"]}`)
		}), "manifest", "tag-not-found"},
		{"redirects to itself", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.Path+"x", 302) }), "ping", ""},
		{"redirects to a file", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Location", "file:///etc/passwd")
			w.WriteHeader(302)
		}), "ping", ""},
		{"redirects to the metadata service", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://169.254.169.254/latest/", 302)
		}), "ping", ""},
		{"disguised address", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "http://2852039166/", 302) }), "ping", ""},
		{"manifest as text", manifests(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") }), "platform", "digest-mismatch"},
	} {
		t.Run(c.name, func(t *testing.T) {
			wantBounded(t, c.h, c.stage, c.cause)
		})
	}
	for name, head := range map[string]string{
		"endless header":    "HTTP/1.1 200 OK\r\nX: ",
		"endless headers":   "HTTP/1.1 200 OK\r\n",
		"endless 1xx":       "",
		"not HTTP":          "SSH-2.0-OpenSSH_9.6\r\n",
		"too long a length": "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			port := accept(t, func(c net.Conn) {
				defer c.Close()
				_ = c.SetDeadline(time.Now().Add(10 * time.Second))
				_, _ = c.Read(make([]byte, 4096))
				_, _ = io.WriteString(c, head)
				for i := 0; !strings.Contains(name, "not") && !strings.Contains(name, "length"); i++ {
					chunk := strings.Repeat("a", 4096)
					switch name {
					case "endless headers":
						chunk = fmt.Sprintf("X-%d: %s\r\n", i, chunk[:1000])
					case "endless 1xx":
						chunk = "HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n"
					}
					if _, err := io.WriteString(c, chunk); err != nil {
						return
					}
				}
			})
			start := time.Now()
			p := look(t, "registry.test:"+port+"/shop/web:v1")
			if p.Failed() == nil || p.Failed().Name != "ping" || time.Since(start) > 15*time.Second {
				t.Errorf("after %s\n%s", time.Since(start), dump(p))
			}
		})
	}
}

func wantBounded(t *testing.T, h http.Handler, stage, cause string) {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := time.Now()
	p := look(t, "registry.test:"+serve(t, h)+"/shop/web:v9", func(r *Request) {
		if stage == "platform" {
			r.Image = strings.Replace(r.Image, ":v9", ":v1", 1)
		}
	})
	runtime.ReadMemStats(&after)
	wantFailure(t, p, stage, cause)
	if d := time.Since(start); d > 10*time.Second {
		t.Errorf("took %s", d)
	}
	// All that was ever allocated, not what was held: a read that doubles its
	// buffer up to the limit allocates a few times the limit.
	if got := after.TotalAlloc - before.TotalAlloc; got > 64<<20 {
		t.Errorf("allocated %d MiB", got>>20)
	}
	out, err := json.Marshal(p)
	if err != nil || len(out) > 20<<10 || bytes.ContainsRune(out, 0x1b) {
		t.Errorf("%d bytes of report, %v", len(out), err)
	}
}

// TestTotalTime: a registry that spends every limit of a single request cannot
// spend more than the whole.
func TestTotalTime(t *testing.T) {
	t.Parallel()
	port := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(300 * time.Millisecond)
		http.Redirect(w, r, "/v2/"+r.URL.Path, 302)
	}))
	start := time.Now()
	p := look(t, "registry.test:"+port+"/shop/web:v1", func(r *Request) { r.Limits.Total = 700 * time.Millisecond })
	if d := time.Since(start); d > 5*time.Second || p.Failed() == nil {
		t.Errorf("took %s\n%s", d, dump(p))
	}
}

// TestGuard: a registry may not send to addresses that only this machine
// reaches, unless it is one of them itself.
func TestGuard(t *testing.T) {
	t.Parallel()
	blocked := []string{"127.0.0.1", "127.8.8.8", "0.0.0.0", "169.254.169.254", "fe80::1", "fe80::1%eth0", "::1", "::", "::ffff:127.0.0.1", "::ffff:169.254.169.254",
		"64:ff9b::a9fe:a9fe", "fd00:ec2::254", "100.100.100.200", "168.63.129.16", "224.0.0.1", "255.255.255.255", "ff02::1"}
	for _, a := range blocked {
		if (guard{}).address(netip.MustParseAddr(a)) == nil {
			t.Errorf("%s may be contacted", a)
		}
	}
	for _, a := range []string{"10.0.0.1", "192.168.1.1", "203.0.113.7", "2001:db8::1", "fd12::1"} {
		if err := (guard{}).address(netip.MustParseAddr(a)); err != nil {
			t.Error(err)
		}
	}
	g := guard{}
	g.allow([]netip.Addr{netip.MustParseAddr("127.0.0.1")})
	if g.address(netip.MustParseAddr("127.0.0.2")) != nil || g.address(netip.MustParseAddr("169.254.169.254")) == nil {
		t.Error("a registry on loopback may send to loopback and nowhere else")
	}
	for _, h := range []string{"localhost", "LOCALHOST.", "a.localhost", "metadata.google.internal", "2130706433", "0x7f000001", "127.1", "0177.0.0.1", "[::1]", "[fe80::1]"} {
		if (guard{}).host(h) == nil {
			t.Errorf("%s may be contacted", h)
		}
	}
	for _, h := range []string{"registry.example.com", "a.b", "x1", "[2001:db8::1]", "1and1.com", "127.0.0.1.nip.io"} {
		if err := (guard{}).host(h); err != nil {
			t.Error(err)
		}
	}
}

// TestRebinding: a name that resolves to loopback at the second asking is not
// contacted either, for addresses are judged when they are dialled.
func TestRebinding(t *testing.T) {
	t.Parallel()
	reached := false
	inner := serve(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached = true }))
	s := newSession(here().withDefaults(), Request{Limits: quick.withDefaults()})
	defer s.close()
	s.host, s.port = "registry.test", inner
	_, err := s.do(t.Context(), ask{method: http.MethodGet, url: "http://registry.test:" + inner + "/", limit: 10})
	if err == nil || reached {
		t.Errorf("reached loopback without permission: %v", err)
	}
	if cause, what := networkFault(err); cause != "" || !strings.Contains(what, "loopback") {
		t.Errorf("%q %q", cause, what)
	}
}

// TestCanaries: a registry that sends back what it was sent, wherever it can,
// gets none of it into a probe.
func TestCanaries(t *testing.T) {
	t.Parallel()
	const password, token = "pass-canary-Zx81q", "token-canary-77Qy"
	echo := func(r *http.Request) string {
		_, p, _ := r.BasicAuth()
		return strings.Join([]string{r.Header.Get("Authorization"), p, password}, " ")
	}
	for _, code := range []int{200, 401, 403, 404, 429, 500} {
		for _, scheme := range []string{"Basic", "Bearer"} {
			t.Run(fmt.Sprint(scheme, code), func(t *testing.T) {
				t.Parallel()
				h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					said := echo(r)
					if r.URL.Path == "/token" {
						if code == 403 {
							w.WriteHeader(code)
							fmt.Fprintf(w, `{"errors":[{"code":"DENIED","message":%q}]}`, said)
							return
						}
						fmt.Fprintf(w, `{"token":%q,"expires_in":60}`, token)
						return
					}
					for _, name := range []string{"Docker-Content-Digest", "Docker-Ratelimit-Source", "Retry-After", "Content-Type", "Date"} {
						w.Header().Set(name, said)
					}
					w.Header().Set("Ratelimit-Limit", "100;w=21600")
					w.Header().Set("Ratelimit-Remaining", "0;w=21600")
					if r.Header.Get("Authorization") == "" {
						w.Header().Set("WWW-Authenticate", scheme+` realm="http://joe:`+password+`@`+r.Host+`/token?secret=`+password+`",service="`+password+`"`)
						w.WriteHeader(401)
						return
					}
					if code == 200 && strings.Contains(r.URL.Path, "/manifests/") {
						http.Redirect(w, r, "/elsewhere/"+password+"?X-Amz-Signature="+token, 307)
						return
					}
					if strings.Contains(r.URL.Path, "/tags/") || strings.Contains(r.URL.Path, "_catalog") {
						fmt.Fprintf(w, `{"tags":[%q],"repositories":[%q]}`, said, said)
						return
					}
					w.WriteHeader(code)
					fmt.Fprintf(w, `{"errors":[{"code":%q,"message":%q}]}`, said, said)
				})
				id := FromSecrets("registry.test:1/shop/web:v1", snapshot.ProbeIdentity{Kind: "secret", Name: "shop/regcred"}, nil)
				port := serve(t, h)
				image := "registry.test:" + port + "/shop/web:v1"
				id = FromSecrets(image, id.ProbeIdentity, []PullSecret{secret("regcred", `{"auths":{"registry.test:`+port+`":{"username":"joe","password":"`+password+`"}}}`)})
				if len(id.Credentials) != 1 {
					t.Fatalf("identity %+v", id)
				}
				p := look(t, image, func(r *Request) { r.As = id })
				out, err := json.Marshal(p)
				if err != nil {
					t.Fatal(err)
				}
				text := fmt.Sprintf("%+v %s", p, out)
				for _, canary := range []string{password, token, "Zx81q", "77Qy", basic(id.Credentials[0])[6:]} {
					if strings.Contains(text, canary) {
						t.Errorf("shows %q: %s\n%s", canary, out, dump(p))
					}
				}
			})
		}
	}
}
