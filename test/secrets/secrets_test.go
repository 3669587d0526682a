// Package secrets plants secrets in every place of a source where people leave
// them, and holds every output of unjam to show none.
package secrets

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"text/template"

	"github.com/unjam-dev/unjam/internal/cli"
	"github.com/unjam-dev/unjam/internal/snapshot"
)

// canaries maps the name of a planted secret to the text that must not come out.
type canaries map[string]string

// random plants a string as generators make them.
func (c canaries) random(name string) string {
	sum := sha256.Sum256([]byte(name))
	c[name] = "Q" + strings.ToUpper(hex.EncodeToString(sum[:3])) + "z" + hex.EncodeToString(sum[3:13])
	return c[name]
}

// word plants letters only: nothing but the place says that it is a secret.
func (c canaries) word(name string) string {
	sum := sha256.Sum256([]byte(name))
	letters := make([]byte, 14)
	for i := range letters {
		letters[i] = 'a' + sum[i]%26
	}
	c[name] = string(letters)
	return c[name]
}

// jwt plants a JSON Web Token by its signature and its claims.
func (c canaries) jwt(name string) string {
	enc := base64.RawURLEncoding.EncodeToString
	c[name+"-claims"] = enc([]byte(`{"sub":"` + name + `","n":"` + c.random(name+"-id") + `"}`))
	return enc([]byte(`{"alg":"RS256","typ":"JWT"}`)) + "." + c[name+"-claims"] + "." + c.random(name+"-signature")
}

// start is a container that cannot start: the state, and the event beside it.
type start struct{ Reason, Event, Message string }

// starts are messages of the kubelet and the runtime that quote secrets.
func (c canaries) starts() []start {
	return []start{
		{"RunContainerError", "Failed", `failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: exec: "/app --password=` + c.random("exec-equal") + `": stat /app --password=` + c.random("exec-equal") + `: no such file or directory`},
		{"ErrImagePull", "Failed", `Failed to pull image "registry.lab:5001/shop/web:v1": failed to do request: Head "https://joe:` + c.word("pull-url") + `@registry.lab:5001/v2/shop/web/manifests/v1": proxyconnect tcp: dial tcp 10.0.0.1:3128: connect: connection refused`},
		{"ImagePullBackOff", "Failed", `Failed to pull image "registry.lab:5001/shop/web:v1": failed to copy: httpReadSeeker: failed open: unexpected status code https://blobs.lab/x?X-Amz-Security-Token=` + c.random("pull-signed") + `&X-Amz-Signature=` + c.random("pull-signature") + `: 403 Forbidden`},
		{"ErrImagePull", "Failed", `Failed to pull image "registry.lab:5001/shop/web:v1": failed to fetch oauth token: unexpected status from GET request to https://auth.lab/token?service=lab&refresh_token=` + c.random("pull-refresh") + `: 401 Unauthorized, sent Authorization: Basic ` + base64.StdEncoding.EncodeToString([]byte("joe:"+c.random("pull-basic"))) + `, got bearer ` + c.jwt("pull-token")},
		{"PostStartHookError", "FailedPostStartHook", `PostStartHook failed: command 'curl -u joe:` + c.word("hook-curl") + ` -H X-Api-Key:` + c.random("hook-header") + ` https://api.lab' exited with 7: {"access_token":"` + c.word("hook-json") + `"}`},
		{"CrashLoopBackOff", "Unhealthy", `Liveness probe failed: Get "http://10.0.0.9:8080/healthz?access_token=` + c.random("probe-url") + `": dial tcp 10.0.0.9:8080: connect: connection refused`},
		{"CrashLoopBackOff", "Unhealthy", `Readiness probe failed: HTTP probe failed with statuscode: 500: {"db":{"password":"` + c.word("probe-body") + `"}}`},
		{"CreateContainerConfigError", "Failed", `secret "app-` + `settings" not found; DB_PASSWORD=` + c.word("config-env")},
	}
}

// plant fills a template of testdata.
func plant(t *testing.T, c canaries, file string) []byte {
	t.Helper()
	tpl, err := template.New(file).Funcs(template.FuncMap{"c": c.random, "w": c.word, "jwt": c.jwt, "starts": c.starts,
		"b64": func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }}).ParseFiles("testdata/" + file)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := tpl.Execute(&b, nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// source writes all planted files into a directory.
func source(t *testing.T, c canaries) string {
	t.Helper()
	dir := t.TempDir()
	for _, f := range []struct{ from, to string }{
		{"objects.yaml", "objects.yaml"}, {"kubeconfig.yaml", "kubeconfig.yaml"}, {"broken.yaml", "broken.yaml"},
		{"app.log", "logs/shop/web-h1-1/app.previous.log"},
	} {
		to := filepath.Join(dir, f.to)
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(to, plant(t, c, f.from), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// window is how many bytes of a secret in a row count as a leak.
const window = 10

// leaks names the secrets of which a part stands in the output, plain or in
// base64.
func (c canaries) leaks(out string) []string {
	var found []string
	for name, value := range c {
		forms := []string{value}
		for skip := range 3 { // base64 differs by the place in the text
			coded := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("x", skip) + value))
			forms = append(forms, strings.TrimRight(coded, "=")[4:len(coded)-4])
		}
		for _, f := range forms {
			if i := partOf(out, f); i >= 0 {
				found = append(found, fmt.Sprintf("%s in …%q…", name, out[max(0, i-120):min(len(out), i+60)]))
				break
			}
		}
	}
	return found
}

// partOf is where a window of the secret begins in the output, -1 when none does.
func partOf(out, secret string) int {
	for i := 0; i+window <= len(secret); i++ {
		if at := strings.Index(out, secret[i:i+window]); at >= 0 {
			return at
		}
	}
	return -1
}

// TestLeaksAreFound holds the search itself: a part and a coded form count.
func TestLeaksAreFound(t *testing.T) {
	c := canaries{}
	v := c.random("x")
	for _, out := range []string{"a " + v[3:15] + " b", base64.StdEncoding.EncodeToString([]byte("joe:" + v))} {
		if len(c.leaks(out)) != 1 {
			t.Errorf("not found in %q", out)
		}
	}
	if got := c.leaks("nothing " + v[:window-1] + " here"); len(got) != 0 {
		t.Errorf("found %v", got)
	}
}

func run(t *testing.T, stdin []byte, args ...string) string {
	t.Helper()
	var out, errw bytes.Buffer
	code := cli.Run(append([]string{"unjam"}, args...), bytes.NewReader(stdin), &out, &errw, []string{"CI=true"})
	if code == 1 || code == 2 {
		t.Fatalf("exit %d: %s", code, errw.String())
	}
	return out.String() + errw.String()
}

func report(t *testing.T, c canaries, out string) {
	t.Helper()
	for _, l := range c.leaks(out) {
		t.Errorf("leak of %s", l)
	}
}

var formats = []string{"text", "json", "yaml", "md"}

func TestWhyShowsNoSecret(t *testing.T) {
	c := canaries{}
	dir := source(t, c)
	for _, format := range formats {
		out := run(t, nil, "why", "--from", dir, "--all", "--explain-evidence", "-o", format)
		for _, want := range []string{"web", "start-0", "start-7", "canary"} {
			if !strings.Contains(out, want) {
				t.Errorf("%s: %s was not judged", format, want)
			}
		}
		report(t, c, out)
		report(t, c, run(t, nil, "why", "--from", dir, "-o", format))
	}
}

func TestExplainShowsNoSecret(t *testing.T) {
	c := canaries{}
	pasted := plant(t, c, "pasted.txt")
	objects := plant(t, c, "objects.yaml")
	log := plant(t, c, "app.log")
	for _, format := range formats {
		for _, text := range [][]byte{pasted, objects, log, append(log, pasted...)} {
			report(t, c, run(t, text, "explain", "--explain-evidence", "-o", format))
		}
	}
	// One line at a time, as people paste it.
	for _, s := range c.starts() {
		report(t, c, run(t, []byte(s.Message), "explain", "--explain-evidence"))
	}
	for line := range strings.Lines(string(log)) {
		report(t, c, run(t, []byte(line), "explain", "--explain-evidence"))
	}
}

func TestBundleHoldsNoSecret(t *testing.T) {
	c := canaries{}
	dir := source(t, c)
	snap, err := snapshot.DecodeFS(os.DirFS(dir), dir, snapshot.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	// A capture keeps other namespaces' pods beside the objects.
	snap.Objects.Neighbours = append(snap.Objects.Neighbours, snap.Objects.Pods...)
	var bundle bytes.Buffer
	if err := snapshot.Encode(&bundle, snap, "test"); err != nil {
		t.Fatal(err)
	}
	report(t, c, unpack(t, bundle.Bytes()))

	// What comes back from the bundle says the same, and no more.
	file := filepath.Join(t.TempDir(), "b.tgz")
	if err := os.WriteFile(file, bundle.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, format := range formats {
		report(t, c, run(t, nil, "why", "--from", file, "--all", "--explain-evidence", "-o", format))
	}
}

// TestBundleKeepsWhatCausesNeed holds the redaction to what it must not take.
func TestBundleKeepsWhatCausesNeed(t *testing.T) {
	c := canaries{}
	dir := source(t, c)
	snap, err := snapshot.DecodeFS(os.DirFS(dir), dir, snapshot.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	var bundle bytes.Buffer
	if err := snapshot.Encode(&bundle, snap, "test"); err != nil {
		t.Fatal(err)
	}
	out := unpack(t, bundle.Bytes())
	for _, want := range []string{"DB_PASSWORD", "DATABASE_URL", `"regcred"`, "registry.lab:5001", "hostKey: registry.lab:5001", "user: joe", "no such file or directory",
		"proxyconnect tcp: dial tcp 10.0.0.1:3128", "401 Unauthorized", "FATAL cannot start", "X-Api-Key", "/healthz"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is gone", want)
		}
	}
}

// unpack is every name and byte of a bundle in one string.
func unpack(t *testing.T, bundle []byte) string {
	t.Helper()
	gz, err := gzip.NewReader(bytes.NewReader(bundle))
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for tr := tar.NewReader(gz); ; {
		h, err := tr.Next()
		if err == io.EOF {
			return all.String()
		}
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(tr)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&all, "%s\n%s\n", h.Name, b)
	}
}
