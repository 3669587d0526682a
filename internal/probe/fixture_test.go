package probe

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/unjam-dev/unjam/internal/snapshot"
)

// quick limits keep tests of silence short.
var quick = Limits{Total: 20 * time.Second, Step: 3 * time.Second, Request: 4 * time.Second}

// platformImage is a random image that says it is for a platform.
func platformImage(t *testing.T, size int64, os, arch string) v1.Image {
	t.Helper()
	img, err := random.Image(size, 2)
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := img.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	cfg = cfg.DeepCopy()
	cfg.OS, cfg.Architecture = os, arch
	if img, err = mutate.ConfigFile(img, cfg); err != nil {
		t.Fatal(err)
	}
	return img
}

// inProcess serves requests by a handler, without a network.
type inProcess struct{ http.Handler }

func (p inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	rec := httptest.NewRecorder()
	if r.Body == nil {
		r.Body = http.NoBody
	}
	p.ServeHTTP(rec, r)
	out := rec.Result()
	out.Request = r
	return out, nil
}

// store is a registry with shop/web:v1 (linux/amd64, small layers),
// shop/big:v1 (layers over the sample), shop/multi:v1 (an index of amd64 and
// arm64) and private/web:v1.
func store(t *testing.T) http.Handler {
	t.Helper()
	h := registry.New(registry.Logger(log.New(io.Discard, "", 0)), registry.WithReferrersSupport(true))
	direct := remote.WithTransport(inProcess{h})
	tag := func(s string) name.Tag {
		out, err := name.NewTag("registry.test/"+s, name.Insecure)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	amd, arm := platformImage(t, 4<<10, "linux", "amd64"), platformImage(t, 4<<10, "linux", "arm64")
	index := mutate.AppendManifests(empty.Index,
		mutate.IndexAddendum{Add: amd, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: "amd64"}}},
		mutate.IndexAddendum{Add: arm, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: "arm64", Variant: "v8"}}})
	for _, err := range []error{
		remote.Write(tag("shop/web:v1"), amd, direct), remote.Write(tag("shop/web:v1.1"), amd, direct), remote.Write(tag("private/web:v1"), amd, direct),
		remote.Write(tag("shop/big:v1"), platformImage(t, 300<<10, "linux", "amd64"), direct), remote.WriteIndex(tag("shop/multi:v1"), index, direct),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return h
}

// authority signs certificates for tests.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pool *x509.CertPool
}

func newAuthority(t *testing.T) authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"}, NotBefore: time.Now().Add(-1000 * time.Hour), NotAfter: time.Now().Add(10000 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(cert)
	return authority{cert, key, pool}
}

// issue makes a server certificate; without names it has a common name only.
func (a authority) issue(t *testing.T, from, to time.Duration, selfSigned bool, names ...string) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "registry.test"}, NotBefore: time.Now().Add(from), NotAfter: time.Now().Add(to),
		DNSNames: names, KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
	parent, signer := a.cert, a.key
	if selfSigned {
		parent, signer = tmpl, key
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, parent, &key.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// serve runs a handler on loopback and returns its port.
func serve(t *testing.T, h http.Handler) string {
	t.Helper()
	srv := httptest.NewUnstartedServer(h)
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	srv.Start()
	t.Cleanup(srv.Close)
	return portOf(srv.Listener)
}

func serveTLS(t *testing.T, h http.Handler, cfg *tls.Config) string {
	t.Helper()
	srv := httptest.NewUnstartedServer(h)
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	srv.TLS = cfg
	srv.StartTLS()
	t.Cleanup(srv.Close)
	return portOf(srv.Listener)
}

// accept runs f on every connection to a port.
func accept(t *testing.T, f func(net.Conn)) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go f(c)
		}
	}()
	return portOf(ln)
}

func portOf(ln net.Listener) string {
	_, port, _ := net.SplitHostPort(ln.Addr().String())
	return port
}

// closedPort is a port on which nothing listens.
func closedPort(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return portOf(ln)
}

// here is a place where every name ending in .test is this machine.
func here() Place {
	return Place{ProbePlace: snapshot.ProbePlace{Kind: "here", Name: "testbox"}, Lookup: func(_ context.Context, network, host string) ([]netip.Addr, string, error) {
		if network == "ip4" && strings.HasSuffix(host, ".test") {
			return []netip.Addr{netip.MustParseAddr("127.0.0.1")}, "10.0.0.2:53", nil
		}
		return nil, "10.0.0.2:53", &net.DNSError{Err: "no such host", Name: host, Server: "10.0.0.2:53", IsNotFound: true}
	}}
}

// look probes an image over plain HTTP with quick limits.
func look(t *testing.T, image string, change ...func(*Request)) snapshot.Probe {
	t.Helper()
	return lookFrom(t, here(), image, append([]func(*Request){func(r *Request) { r.InsecureHTTP = true }}, change...)...)
}

func lookFrom(t *testing.T, p Place, image string, change ...func(*Request)) snapshot.Probe {
	t.Helper()
	r := Request{Image: image, Platforms: []string{"linux/amd64"}, PlatformsFrom: "test", Limits: quick, As: Anonymous()}
	for _, f := range change {
		f(&r)
	}
	return Run(t.Context(), p, r)
}

// wantFailure holds a probe to the stage that failed and its cause.
func wantFailure(t *testing.T, p snapshot.Probe, stage, cause string) *snapshot.ProbeStage {
	t.Helper()
	f := p.Failed()
	if f == nil {
		t.Fatalf("nothing failed, want %s at %s\n%s", cause, stage, dump(p))
	}
	if f.Name != stage || f.Cause != cause {
		t.Errorf("failed at %s with %q, want %s with %q\n%s", f.Name, f.Cause, stage, cause, dump(p))
	}
	return f
}

func dump(p snapshot.Probe) string {
	var b strings.Builder
	for _, s := range p.Stages {
		b.WriteString(s.Name + " " + string(s.Status) + " " + s.Cause + ": " + s.Detail + "\n")
	}
	return b.String()
}
