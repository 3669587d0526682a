package registry

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// lab starts every fault on free ports, with one image in shop/web:v1 and
// private/web:v1.
func lab(t *testing.T) *Server {
	t.Helper()
	a, err := NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	faults := append([]Fault(nil), Faults...)
	for i := range faults {
		faults[i].Port = 0
	}
	s := NewServer(net.IPv4(127, 0, 0, 1), a, faults)
	for _, repository := range []string{"shop/web", "private/web"} {
		push(t, s.Store(), repository)
	}
	if err := s.Listen(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

var layerBytes = bytes.Repeat([]byte("0123456789abcdef"), 512) // 8 KiB

func push(t *testing.T, h http.Handler, repository string) {
	t.Helper()
	img, err := mutate.AppendLayers(empty.Image, static.NewLayer(layerBytes, types.OCIUncompressedLayer))
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(h)
	defer srv.Close()
	ref, err := name.NewTag(strings.TrimPrefix(srv.URL, "http://") + "/" + repository + ":v1")
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.Write(ref, img); err != nil {
		t.Fatal(err)
	}
}

// pull fetches an image as a node would, layers included.
func pull(s *Server, fault, repository string, opts ...remote.Option) error {
	ref, err := name.NewTag(s.Addr(fault)+"/"+repository+":v1", name.Insecure)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	noRetry := remote.WithRetryBackoff(remote.Backoff{Steps: 1})
	img, err := remote.Image(ref, append([]remote.Option{remote.WithContext(ctx), noRetry, remote.WithRetryStatusCodes()}, opts...)...)
	if err != nil {
		return err
	}
	layers, err := img.Layers()
	if err != nil {
		return err
	}
	for _, l := range layers {
		if err := read(l); err != nil {
			return err
		}
	}
	return nil
}

func read(l v1.Layer) error {
	r, err := l.Compressed()
	if err != nil {
		return err
	}
	defer r.Close()
	_, err = io.Copy(io.Discard, r)
	return err
}

// TestFaultAnswers pulls through every fault that shows in the answer, sees it
// fail for the stated reason, lifts it and sees the pull succeed.
func TestFaultAnswers(t *testing.T) {
	s := lab(t)
	for _, tc := range []struct{ fault, repository, want string }{
		{"auth-basic", "shop/web", "authentication required"},
		{"auth-bearer", "private/web", "requested access to the resource is denied"},
		{"http-429", "shop/web", "TOOMANYREQUESTS"},
		{"http-500", "shop/web", "UNKNOWN: Internal Server Error"},
		{"http-502", "shop/web", "UNKNOWN: Bad Gateway"},
		{"http-503", "shop/web", "UNKNOWN: Service Unavailable"},
		{"flaky", "shop/web", "UNKNOWN: Service Unavailable"},
		{"http-403", "shop/web", "UNKNOWN: Forbidden"},
		{"captive-html", "shop/web", "invalid character '<'"},
		{"corrupt", "shop/web", "error verifying sha256 checksum"},
		{"truncated", "shop/web", "unexpected EOF"},
		{"blob-missing", "shop/web", "BLOB_UNKNOWN"},
		{"token-endpoint-500", "shop/web", "token service failed"},
		{"token-realm-unknown", "shop/web", "auth.does-not-exist.example"},
		{"tcp-refused", "shop/web", "connection refused"},
		{"down", "shop/web", "connection refused"},
		{"tcp-reset", "shop/web", "connection reset by peer"},
		{"tcp-timeout", "shop/web", "context deadline exceeded"},
		{"no-answer", "shop/web", "context deadline exceeded"},
		{"drip", "shop/web", "context deadline exceeded"},
	} {
		t.Run(tc.fault, func(t *testing.T) {
			t.Parallel()
			err := pull(s, tc.fault, tc.repository)
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Fatalf("pull with %s on: got %v, want %q", tc.fault, err, tc.want)
			}
			if err := s.Set(tc.fault, false, 0); err != nil {
				t.Fatal(err)
			}
			if err := pull(s, tc.fault, tc.repository); err != nil {
				t.Errorf("pull with %s lifted: %v", tc.fault, err)
			}
			if err := s.Set(tc.fault, true, 0); err != nil {
				t.Fatal(err)
			}
			if err := pull(s, tc.fault, tc.repository); err == nil {
				t.Errorf("pull with %s set again succeeds", tc.fault)
			}
		})
	}
}

func TestCredentials(t *testing.T) {
	s := lab(t)
	right := remote.WithAuth(&authn.Basic{Username: User, Password: Password})
	wrong := remote.WithAuth(&authn.Basic{Username: User, Password: "guess"})
	for _, tc := range []struct {
		name, fault, repository string
		auth                    remote.Option
		want                    string // empty: works
	}{
		{"basic right", "auth-basic", "shop/web", right, ""},
		{"basic wrong", "auth-basic", "shop/web", wrong, "authentication required"},
		{"bearer anonymous on public", "auth-bearer", "shop/web", remote.WithAuth(authn.Anonymous), ""},
		{"bearer right", "auth-bearer", "private/web", right, ""},
		{"bearer wrong", "auth-bearer", "private/web", wrong, "incorrect username or password"},
		{"bearer wrong on public", "auth-bearer", "shop/web", wrong, "incorrect username or password"},
		{"expired", "token-expired", "shop/web", right, "token has expired"},
		{"bearer missing repository", "auth-bearer", "shop/nothing", remote.WithAuth(authn.Anonymous), "NAME_UNKNOWN"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			err := pull(s, tc.fault, tc.repository, tc.auth)
			if tc.want == "" && err != nil {
				t.Errorf("got %v, want success", err)
			}
			if tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)) {
				t.Errorf("got %v, want %q", err, tc.want)
			}
		})
	}
}

func TestMissingTagAndRepository(t *testing.T) {
	s := lab(t)
	for path, want := range map[string]string{
		"/v2/shop/web/manifests/v9":     "MANIFEST_UNKNOWN",
		"/v2/shop/nothing/manifests/v1": "NAME_UNKNOWN",
	} {
		resp, err := http.Get("http://" + s.Addr("ok") + path)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if resp.StatusCode != http.StatusNotFound || !strings.Contains(string(body), want) {
			t.Errorf("%s: got %d %s, want 404 %s", path, resp.StatusCode, body, want)
		}
	}
}

// TestStatusCodes asks as containerd does, with HEAD.
func TestStatusCodes(t *testing.T) {
	s := lab(t)
	for fault, want := range map[string]int{"ok": 200, "http-403": 403, "http-429": 429, "http-500": 500, "http-502": 502, "http-503": 503,
		"auth-basic": 401, "captive-html": 200, "blob-missing": 200} {
		resp, err := http.Head("http://" + s.Addr(fault) + "/v2/shop/web/manifests/v1")
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("%s: status %d, want %d", fault, resp.StatusCode, want)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	s := lab(t)
	resp, err := http.Head("http://" + s.Addr("http-429") + "/v2/shop/web/manifests/v1")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if got := resp.Header.Get("Retry-After"); got != "60" {
		t.Errorf("Retry-After %q, want 60", got)
	}
}

// TestBlobHosts follows layers that are kept elsewhere: the redirect goes to
// another port, whose fault then shows.
func TestBlobHosts(t *testing.T) {
	s := lab(t)
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	digest := fmt.Sprintf("sha256:%x", sum(layerBytes))
	for fault, port := range map[string]string{"blob-host-blocked": ":5010/", "blob-host-403": ":5016/"} {
		resp, err := client.Get("http://" + s.Addr(fault) + "/v2/shop/web/blobs/" + digest)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		location := resp.Header.Get("Location")
		if resp.StatusCode != http.StatusTemporaryRedirect || !strings.Contains(location, port) || !strings.Contains(location, "X-Amz-Signature=") {
			t.Errorf("%s: got %d to %q", fault, resp.StatusCode, location)
		}
		resp, err = client.Head("http://" + s.Addr(fault) + "/v2/shop/web/manifests/v1")
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			t.Errorf("%s: manifest %d, want 200", fault, resp.StatusCode)
		}
	}
}

func TestTLS(t *testing.T) {
	s := lab(t)
	trusted := x509.NewCertPool()
	trusted.AppendCertsFromPEM(s.authority.PEM)
	dial := func(fault, host string, roots *x509.CertPool) error {
		d := &net.Dialer{Timeout: time.Second}
		c, err := tls.DialWithDialer(d, "tcp", s.Addr(fault), &tls.Config{ServerName: host, RootCAs: roots})
		if err == nil {
			c.Close()
		}
		return err
	}
	for _, tc := range []struct{ fault, host, want string }{
		{"tls-untrusted", "selfsigned.lab", "certificate signed by unknown authority"},
		{"tls-untrusted", "wronghost.lab", "certificate is valid for selfsigned.lab, registry.lab, not wronghost.lab"},
		{"tls-expired", "expired.lab", "certificate has expired or is not yet valid"},
		{"tls-not-yet-valid", "future.lab", "is before"},
		{"tls-handshake-timeout", "hang.lab", "deadline exceeded"},
		{"tls-old-protocol", "oldtls.lab", "protocol version"},
		{"tls-http-response", "plainhttp.lab", "first record does not look like a TLS handshake"},
		{"secure", "secure.lab", ""},
		{"http-request-to-https", "tlsonly.lab", ""},
	} {
		err := dial(tc.fault, tc.host, trusted)
		if tc.want == "" {
			if err != nil {
				t.Errorf("%s: %v, want success", tc.fault, err)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: got %v, want %q", tc.fault, err, tc.want)
		}
		if err := s.Set(tc.fault, false, 0); err != nil {
			t.Fatal(err)
		}
		if err := dial(tc.fault, "registry.lab", trusted); err != nil {
			t.Errorf("%s lifted: %v", tc.fault, err)
		}
		if err := s.Set(tc.fault, true, 0); err != nil {
			t.Fatal(err)
		}
	}
	resp, err := http.Get("http://" + s.Addr("http-request-to-https") + "/v2/")
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(resp.Body)
	resp.Body.Close()
	if resp.StatusCode != http.StatusBadRequest || !strings.Contains(string(body), "HTTP request to an HTTPS server") {
		t.Errorf("plain HTTP to TLS port: %d %s", resp.StatusCode, body)
	}
}

// TestSlow measures that a rate is kept, and that lifting frees what is under way.
func TestSlow(t *testing.T) {
	s := lab(t)
	if err := s.Set("slow", true, 8<<10); err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	if err := pull(s, "slow", "shop/web"); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(start); took < 800*time.Millisecond {
		t.Errorf("8 KiB at 8 KiB/s took %v, want about a second", took)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := pull(s, "drip", "shop/web"); err != nil {
			t.Errorf("drip lifted under way: %v", err)
		}
	})
	time.Sleep(300 * time.Millisecond)
	if err := s.Set("drip", false, 0); err != nil {
		t.Fatal(err)
	}
	wg.Wait()
}

func TestSparedLayers(t *testing.T) {
	s := lab(t)
	s.Spare([]string{fmt.Sprintf("sha256:%x", sum(layerBytes))})
	if err := pull(s, "corrupt", "shop/web"); err != nil {
		t.Errorf("a spared layer is corrupt: %v", err)
	}
}

func TestSetUnknown(t *testing.T) {
	if err := lab(t).Set("nonsense", false, 0); !errors.Is(err, ErrNoFault) {
		t.Errorf("got %v, want ErrNoFault", err)
	}
}

func TestListenReportsTakenPort(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	a, err := NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	s := NewServer(net.IPv4(127, 0, 0, 1), a, []Fault{{Name: "ok", Port: ln.Addr().(*net.TCPAddr).Port}})
	if err := s.Listen(); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("got %v, want address in use", err)
	}
}
