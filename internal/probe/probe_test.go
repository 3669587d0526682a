package probe

import (
	"crypto/tls"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/unjam-dev/unjam/internal/snapshot"
)

func TestHealthy(t *testing.T) {
	t.Parallel()
	h := store(t)
	ca := newAuthority(t)
	plain := serve(t, h)
	secure := serveTLS(t, h, &tls.Config{Certificates: []tls.Certificate{ca.issue(t, -time.Hour, 1000*time.Hour, false, "registry.test")}})
	place := here()
	place.Roots = ca.pool
	for _, c := range []struct {
		name   string
		p      snapshot.Probe
		gets   int
		sample bool
	}{
		{"plain", look(t, "registry.test:"+plain+"/shop/web:v1"), 1, false},
		{"TLS", lookFrom(t, place, "registry.test:"+secure+"/shop/web:v1"), 1, false},
		{"big layer", look(t, "registry.test:"+plain+"/shop/big:v1"), 1, true},
		{"index", look(t, "registry.test:"+plain+"/shop/multi:v1"), 2, false},
		{"other platform", look(t, "registry.test:"+plain+"/shop/multi:v1", func(r *Request) { r.Platforms = []string{"linux/arm64"} }), 2, false},
	} {
		if f := c.p.Failed(); f != nil {
			t.Errorf("%s: failed\n%s", c.name, dump(c.p))
			continue
		}
		if c.p.Manifest.GETs != c.gets || c.p.Blob == nil || c.p.Blob.Verified == c.sample || c.p.Blob.BytesPerSecond == 0 {
			t.Errorf("%s: manifest %+v, blob %+v", c.name, c.p.Manifest, c.p.Blob)
		}
		if c.sample && c.p.Blob.SampleBytes != sampleBytes {
			t.Errorf("%s: read %d bytes of the layer", c.name, c.p.Blob.SampleBytes)
		}
		var order []string
		for _, s := range c.p.Stages {
			order = append(order, s.Name)
		}
		if !slices.Equal(order, Stages()) {
			t.Errorf("%s: stages %v", c.name, order)
		}
	}
	p := lookFrom(t, place, "registry.test:"+secure+"/shop/web:v1")
	if p.TLS == nil || p.TLS.ExpiresInDays != 41 || p.TLS.Issuer != "test authority" || !slices.Contains(p.TLS.Names, "registry.test") || p.TLS.ClockSkewSeconds == nil || *p.TLS.ClockSkewSeconds > 5 {
		t.Errorf("TLS: %+v", p.TLS)
	}
	if p.DNS.Resolver != "10.0.0.2:53" || len(p.DNS.Addresses) != 1 || p.DNS.Addresses[0].TCP != "open" || p.DNS.Addresses[0].Family != "A" {
		t.Errorf("DNS: %+v", p.DNS)
	}
}

// TestHeadOnly: nothing but HEAD and lists is asked for.
func TestHeadOnly(t *testing.T) {
	t.Parallel()
	h := store(t)
	var gets []string
	port := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet && (strings.Contains(r.URL.Path, "/manifests/") || strings.Contains(r.URL.Path, "/blobs/")) {
			gets = append(gets, r.URL.Path)
		}
		h.ServeHTTP(w, r)
	}))
	p := look(t, "registry.test:"+port+"/shop/web:v1", func(r *Request) { r.HeadOnly = true })
	if p.Failed() != nil || len(gets) > 0 || p.Manifest.GETs != 0 || p.Stage("platform").Status != snapshot.ProbeSkipped || p.Stage("signature").Status != snapshot.ProbeOK {
		t.Errorf("asked for %v\n%s", gets, dump(p))
	}
}

func TestSignatures(t *testing.T) {
	t.Parallel()
	h := store(t)
	port := serve(t, h)
	ref := "registry.test:" + port + "/shop/web:v1"
	digest := look(t, ref).Manifest.Digest
	tag, err := name.NewTag("registry.test/shop/web:sha256-"+strings.TrimPrefix(digest, "sha256:")+".sig", name.Insecure)
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.Write(tag, platformImage(t, 64, "linux", "amd64"), remote.WithTransport(inProcess{h})); err != nil {
		t.Fatal(err)
	}
	if p := look(t, ref); !slices.Contains(p.Signatures, "cosign tag") || p.Stage("signature").Status != snapshot.ProbeOK {
		t.Errorf("signatures %v", p.Signatures)
	}
}

func TestPlatforms(t *testing.T) {
	t.Parallel()
	port := serve(t, store(t))
	want := func(platforms ...string) func(*Request) { return func(r *Request) { r.Platforms = platforms } }
	f := wantFailure(t, look(t, "registry.test:"+port+"/shop/multi:v1", want("linux/s390x")), "platform", "platform-mismatch")
	if !strings.Contains(f.Detail, "linux/arm64/v8") {
		t.Errorf("does not say what there is: %s", f.Detail)
	}
	wantFailure(t, look(t, "registry.test:"+port+"/shop/web:v1", want("linux/arm64")), "platform", "wrong-arch-at-exec")
	p := look(t, "registry.test:"+port+"/shop/multi:v1", want("linux/amd64", "windows/amd64"))
	if s := p.Stage("platform"); p.Failed() != nil || s.Status != snapshot.ProbeWarning || s.Cause != "platform-mismatch" {
		t.Errorf("some nodes only\n%s", dump(p))
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	port := serve(t, store(t))
	p := look(t, "registry.test:"+port+"/shop/web:1")
	wantFailure(t, p, "manifest", "tag-not-found")
	if p.Near == nil || p.Near.TagCount != 2 || len(p.Near.Tags) != 2 || p.Near.Tags[0].Name != "v1" || p.Near.Tags[0].Digest == "" || p.Near.Tags[0].Digest != p.Near.Tags[1].Digest {
		t.Errorf("near: %+v", p.Near)
	}
	p = look(t, "registry.test:"+port+"/shopp/web:v1")
	wantFailure(t, p, "manifest", "repo-not-found")
	if p.Near == nil || !slices.Contains(p.Near.Repositories, "shop/web") {
		t.Errorf("near: %+v", p.Near)
	}
	wantFailure(t, look(t, "registry.test:"+port+"/shop/web@sha256:"+strings.Repeat("0", 64)), "manifest", "digest-not-found")
	for _, bad := range []string{"", "shop/UPPER", "a b", "registry.test:99999999/x", "x:", "@", "http://registry.test/x"} {
		p := look(t, bad)
		if f := p.Failed(); f == nil || f.Cause != "invalid-image-name" {
			t.Errorf("%q\n%s", bad, dump(p))
		}
	}
	if p := lookFrom(t, here(), "nginx"); p.Name != "docker.io/library/nginx:latest" || p.DNS.Host != hubHost {
		t.Errorf("Docker Hub: %s at %s", p.Name, p.DNS.Host)
	}
}

// TestEncodes: a probe goes through JSON unchanged.
func TestEncodes(t *testing.T) {
	t.Parallel()
	port := serve(t, store(t))
	p := look(t, "registry.test:"+port+"/shop/web:v1")
	first, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	var back snapshot.Probe
	if err := json.Unmarshal(first, &back); err != nil {
		t.Fatal(err)
	}
	second, err := json.Marshal(back)
	if err != nil || string(first) != string(second) {
		t.Errorf("changed: %v\n%s\n%s", err, first, second)
	}
}
