// Package probe_test runs the product's probe, as built, against every fault
// of the lab's registries and of its name server.
package probe_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/unjam-dev/unjam/lab/dns"
	"github.com/unjam-dev/unjam/lab/registry"
)

// listen is an address of the loopback net that no other test uses: the faults
// have fixed ports.
const listen = "127.77.0.1"

type bench struct{ unjam, ca, resolver, dir string }

func setUp(t *testing.T) bench {
	t.Helper()
	dir := t.TempDir()
	b := bench{unjam: filepath.Join(dir, "unjam"), ca: filepath.Join(dir, "ca.crt"), dir: dir}
	build := exec.Command("go", "build", "-o", b.unjam, "./cmd/unjam")
	build.Dir = filepath.Join("..", "..")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build unjam: %v\n%s", err, out)
	}
	authority, err := registry.NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(b.ca, authority.PEM, 0o644); err != nil {
		t.Fatal(err)
	}
	server := registry.NewServer(net.ParseIP(listen).To4(), authority, registry.Faults)
	push(t, server, "shop/web", 8<<10)
	push(t, server, "shop/slow", 128<<10)
	push(t, server, "private/web", 8<<10)
	if err := server.Listen(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	names := dns.NewServer(net.ParseIP(listen))
	if err := names.Listen(listen + ":0"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(names.Close)
	b.resolver = names.Addr()
	return b
}

func push(t *testing.T, server *registry.Server, repository string, size int) {
	t.Helper()
	img, err := mutate.AppendLayers(empty.Image, static.NewLayer(bytes.Repeat([]byte(repository+"\n"), size/len(repository)), types.OCIUncompressedLayer))
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(server.Store())
	defer srv.Close()
	ref, err := name.NewTag(strings.TrimPrefix(srv.URL, "http://") + "/" + repository + ":v1")
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.Write(ref, img); err != nil {
		t.Fatal(err)
	}
}

// answer is what of a probe's JSON is judged here.
type answer struct {
	Probes []struct {
		State, FailedAt, Cause, Answer string
		Rivals                         []struct{ Cause string }
		Probe                          struct {
			Stages []struct{ Name, Status, Cause, Detail string }
		}
	}
}

// probe runs the command; password, when given, is a docker login.
func (b bench) probe(t *testing.T, image, password string, args ...string) (answer, int) {
	t.Helper()
	home := t.TempDir()
	if password != "" {
		host, _, _ := strings.Cut(image, "/")
		login := fmt.Sprintf(`{"auths":{%q:{"username":%q,"password":%q}}}`, host, registry.User, password)
		if err := os.WriteFile(filepath.Join(home, "config.json"), []byte(login), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, b.unjam, append([]string{"probe", image, "-o", "json", "--resolver", b.resolver}, args...)...)
	cmd.Env = []string{"HOME=" + home, "DOCKER_CONFIG=" + home, "CI=true"}
	out, err := cmd.Output()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if password != "" && bytes.Contains(out, []byte(password)) {
		t.Errorf("shows the password: %s", out)
	}
	if bytes.Contains(out, []byte("X-Amz-Signature=0")) {
		t.Errorf("shows a signed address: %s", out)
	}
	var a answer
	if err := json.Unmarshal(out, &a); err != nil || len(a.Probes) != 1 {
		t.Fatalf("%v: %s%s", err, out, exit.Stderr)
	}
	return a, cmd.ProcessState.ExitCode()
}

func TestEveryFault(t *testing.T) {
	b := setUp(t)
	const plain, secure = "--insecure-http", "--ca"
	old := "eyJhbGciOiJub25lIn0.eyJleHAiOjE3MDAwMDAwMDB9.c2lnbmF0dXJl" // a token that ended in 2023
	cases := []struct {
		fault, image, scheme, password string
		stage, cause                   string // empty for an image that can be pulled
		warns                          string // the cause of a warning
	}{
		{"ok", "shop/web", plain, "", "", "", ""},
		{"ok", "shop/nothing", plain, "", "manifest", "repo-not-found", ""},
		{"ok", "shop/web:v9", plain, "", "manifest", "tag-not-found", ""},
		{"secure", "shop/web", secure, "", "", "", ""},
		{"auth-basic", "shop/web", plain, "", "manifest", "anonymous-denied", ""},
		{"auth-basic", "shop/web", plain, registry.Password, "", "", ""},
		{"auth-basic", "shop/web", plain, "old-password", "manifest", "bad-credentials", ""},
		{"auth-bearer", "shop/web", plain, "", "", "", ""},
		{"auth-bearer", "shop/nothing", plain, "", "manifest", "repo-not-found", ""},
		{"auth-bearer", "private/web", plain, "", "manifest", "private-or-nonexistent", ""},
		{"auth-bearer", "private/web", plain, registry.Password, "", "", ""},
		{"auth-bearer", "private/web", plain, "old-password", "token", "bad-credentials", ""},
		{"auth-bearer", "shop/web", plain, "old-password", "token", "stale-credential-breaks-public-pull", ""},
		{"token-expired", "shop/web", plain, old, "manifest", "ecr-token-expired", ""},
		{"token-endpoint-500", "shop/web", plain, "", "token", "token-endpoint-failed", ""},
		{"token-realm-unknown", "shop/web", plain, "", "token", "token-realm-unreachable", ""},
		{"http-403", "shop/web", plain, "", "manifest", "forbidden-403", ""},
		{"http-429", "shop/web", plain, "", "manifest", "rate-limit-other", ""},
		{"http-500", "shop/web", plain, "", "manifest", "registry-5xx", ""},
		{"http-502", "shop/web", plain, "", "manifest", "registry-5xx", ""},
		{"http-503", "shop/web", plain, "", "manifest", "registry-5xx", ""},
		{"flaky", "shop/web", plain, "", "manifest", "registry-5xx", ""},
		{"captive-html", "shop/web", plain, "", "manifest", "unexpected-media-type", ""},
		{"no-answer", "shop/web", plain, "", "ping", "response-header-timeout", ""},
		{"tcp-refused", "shop/web", plain, "", "tcp", "tcp-refused", ""},
		{"down", "shop/web", plain, "", "tcp", "tcp-refused", ""},
		{"down-tls", "shop/web", secure, "", "tcp", "tcp-refused", ""},
		{"tcp-timeout", "shop/web", plain, "", "tcp", "tcp-timeout", ""},
		{"tcp-reset", "shop/web", plain, "", "ping", "tcp-reset", ""},
		{"tls-untrusted", "shop/web", secure, "", "tls", "tls-unknown-ca", ""},
		{"tls-http-response", "shop/web", secure, "", "tls", "tls-http-response", ""},
		{"tls-handshake-timeout", "shop/web", secure, "", "tls", "tls-handshake-timeout", ""},
		{"tls-expired", "shop/web", secure, "", "tls", "tls-expired", ""},
		{"tls-not-yet-valid", "shop/web", secure, "", "tls", "tls-not-yet-valid-clock-skew", ""},
		{"tls-old-protocol", "shop/web", secure, "", "tls", "tls-handshake-failure", ""},
		{"http-request-to-https", "shop/web", plain, "", "ping", "http-request-to-https", ""},
		{"slow", "shop/slow", plain, "", "", "", "slow-transfer"},
		{"drip", "shop/web", plain, "", "blob", "pull-hangs-drip", ""},
		{"corrupt", "shop/web", plain, "", "blob", "digest-mismatch", ""},
		{"truncated", "shop/web", plain, "", "blob", "mid-transfer-eof", ""},
		{"blob-missing", "shop/web", plain, "", "blob", "layer-blob-missing", ""},
		{"blob-host-blocked", "shop/web", plain, "", "blob", "blob-cdn-blocked", ""},
		{"blob-host-403", "shop/web", plain, "", "blob", "blob-cdn-403", ""},
	}
	seen := map[string]bool{}
	for _, c := range cases {
		seen[c.fault] = true
		f, ok := registry.FaultByName(c.fault)
		if !ok {
			t.Fatalf("no fault %s", c.fault)
		}
		image := fmt.Sprintf("%s:%d/%s", f.Host, f.Port, c.image)
		if !strings.Contains(c.image, ":") {
			image += ":v1"
		}
		args := []string{c.scheme}
		if c.scheme == secure {
			args = append(args, b.ca)
		}
		t.Run(c.fault+" "+c.image+" "+c.password, func(t *testing.T) {
			t.Parallel()
			a, code := b.probe(t, image, c.password, args...)
			check(t, a, code, c.stage, c.cause, c.warns)
		})
	}
	for _, f := range registry.Faults {
		if !seen[f.Name] {
			t.Errorf("the fault %s is not probed", f.Name)
		}
	}
}

func check(t *testing.T, a answer, code int, stage, cause, warns string) {
	t.Helper()
	p := a.Probes[0]
	if p.FailedAt != stage || p.Cause != cause || (code == 0) != (stage == "") {
		t.Errorf("failed at %q with %q, exit %d; want %q with %q\n%s\n%+v", p.FailedAt, p.Cause, code, stage, cause, p.Answer, p.Probe.Stages)
	}
	for _, s := range p.Probe.Stages {
		if warns != "" && s.Status == "warning" && s.Cause == warns {
			return
		}
	}
	if warns != "" {
		t.Errorf("does not warn of %s: %+v", warns, p.Probe.Stages)
	}
}

// TestNames: faults of name resolution, and a name that the certificate lacks.
func TestNames(t *testing.T) {
	b := setUp(t)
	for _, c := range []struct{ image, stage, cause string }{
		{"absent.registry.example:5000/shop/web:v1", "dns", "dns-nxdomain"},
		{"servfail.registry.example:5000/shop/web:v1", "dns", "dns-servfail"},
		{"timeout.registry.example:5000/shop/web:v1", "dns", "dns-timeout"},
		{"moving.lab:5000/shop/web:v1", "dns", "dns-nxdomain"},
		{"registry.shop.svc.cluster.local:5000/web:v1", "dns", "dns-cluster-name-on-node"},
		{"wronghost.lab:5002/shop/web:v1", "tls", "tls-name-mismatch"},
	} {
		t.Run(c.image, func(t *testing.T) {
			t.Parallel()
			a, code := b.probe(t, c.image, "", "--ca", b.ca)
			check(t, a, code, c.stage, c.cause, "")
		})
	}
}
