package probe

import (
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/unjam-dev/unjam/internal/snapshot"
)

const password = "right-password"

func secret(name, config string) PullSecret {
	return PullSecret{Namespace: "shop", Name: name, Secret: &corev1.Secret{Type: corev1.SecretTypeDockerConfigJson, Data: map[string][]byte{corev1.DockerConfigJsonKey: []byte(config)}}}
}

// jwt is a token in JWT form with these claims.
func jwt(claims string) string {
	e := base64.RawURLEncoding.EncodeToString
	return e([]byte(`{"alg":"none"}`)) + "." + e([]byte(claims)) + "." + e([]byte("signature"))
}

// guarded is a registry with logins. Repositories under private/ want the
// password; hides makes absent ones answer like private ones.
type guarded struct {
	next   http.Handler
	scheme string
	hides  bool
	// closed wants a login for everything; tokens tell what they grant.
	closed, tell bool
	// expired answers every credential with 403.
	expired bool
	// tokenStatus replaces the token service's answer.
	tokenStatus int
}

func (g guarded) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	user, pass, sent := r.BasicAuth()
	right := user == "joe" && pass == password
	if r.URL.Path == "/token" {
		g.token(w, r, sent, right)
		return
	}
	known := sent
	if g.scheme == "Bearer" {
		bearer, has := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		known, right = has, strings.Contains(bearer, "cmlnaHQ") // "right", in base64
	}
	if !known {
		g.challenge(w, r, "")
		return
	}
	if g.expired {
		w.WriteHeader(403)
		_, _ = io.WriteString(w, `{"errors":[{"code":"DENIED","message":"Your authorization token has expired. Reauthenticate and try again."}]}`)
		return
	}
	if g.scheme == "Basic" && !right {
		g.challenge(w, r, "")
		return
	}
	private := strings.Contains(r.URL.Path, "/private/") && (g.hides || strings.Contains(r.URL.Path, "/private/web/"))
	if strings.HasSuffix(r.URL.Path, "_catalog") || private && !right {
		g.challenge(w, r, `,error="insufficient_scope"`)
		return
	}
	g.next.ServeHTTP(w, r)
}

func (g guarded) challenge(w http.ResponseWriter, r *http.Request, more string) {
	if g.scheme == "Basic" {
		w.Header().Set("WWW-Authenticate", `Basic realm="test"`)
	} else {
		w.Header().Set("WWW-Authenticate", fmt.Sprintf(`Bearer realm="http://%s/token",service="test"%s`, r.Host, more))
	}
	w.WriteHeader(401)
	_, _ = io.WriteString(w, `{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}`)
}

func (g guarded) token(w http.ResponseWriter, r *http.Request, sent, right bool) {
	switch {
	case g.tokenStatus != 0:
		w.WriteHeader(g.tokenStatus)
		return
	case sent && !right, !sent && g.closed:
		w.WriteHeader(401)
		_, _ = io.WriteString(w, `{"details":"incorrect username or password"}`)
		return
	}
	who := "nobody"
	if right {
		who = "right"
	}
	claims := fmt.Sprintf(`{"who":%q}`, who)
	// The word must stand at a multiple of three bytes to show in base64.
	claims = `{"a":` + claims[len(`{"who":`):]
	if g.tell {
		actions := `"pull"`
		if !right && strings.Contains(r.URL.Query().Get("scope"), "private/") {
			actions = ""
		}
		claims = strings.TrimSuffix(claims, "}") + fmt.Sprintf(`,"access":[{"type":"repository","name":%q,"actions":[%s]}]}`, strings.Split(r.URL.Query().Get("scope")+"::", ":")[1], actions)
	}
	fmt.Fprintf(w, `{"token":%q,"expires_in":300}`, jwt(claims))
}

func TestLogins(t *testing.T) {
	t.Parallel()
	h := store(t)
	entry := func(user, pass string) string {
		return fmt.Sprintf(`{"auths":{"registry.test:PORT":{"username":%q,"password":%q}}}`, user, pass)
	}
	right, wrong := entry("joe", password), entry("joe", "wrong-password")
	old := fmt.Sprintf(`{"exp":%d}`, time.Now().Add(-48*time.Hour).Unix())
	for _, c := range []struct {
		name         string
		g            guarded
		image        string
		secrets      []string
		stage, cause string // empty for a pull that works
		says         string
	}{
		{"Basic, right", guarded{scheme: "Basic"}, "shop/web:v1", []string{right}, "", "", ""},
		{"Basic, none", guarded{scheme: "Basic"}, "shop/web:v1", nil, "manifest", "anonymous-denied", "without a credential"},
		{"Basic, wrong", guarded{scheme: "Basic"}, "shop/web:v1", []string{wrong}, "manifest", "bad-credentials", "shop/s0 (user joe)"},
		{"Basic, missing tag", guarded{scheme: "Basic"}, "shop/web:v7", []string{right}, "manifest", "tag-not-found", ""},
		{"Basic, second of two", guarded{scheme: "Basic"}, "shop/web:v1", []string{wrong, right}, "", "", ""},
		{"expired", guarded{scheme: "Basic", expired: true}, "shop/web:v1", []string{wrong}, "manifest", "ecr-token-expired", "has expired"},
		{"expired by its own words", guarded{scheme: "Basic"}, "shop/web:v1", []string{entry("joe", jwt(old))}, "manifest", "bad-credentials", "expired 2 days ago"},
		{"line break", guarded{scheme: "Basic"}, "shop/web:v1", []string{entry("joe", password+"\n")}, "manifest", "bad-credentials", "line break"},
		{"Bearer, public", guarded{scheme: "Bearer"}, "shop/web:v1", nil, "", "", ""},
		{"Bearer, private, right", guarded{scheme: "Bearer", tell: true}, "private/web:v1", []string{right}, "", "", ""},
		{"Bearer, private, none", guarded{scheme: "Bearer"}, "private/web:v1", nil, "manifest", "private-or-nonexistent", "so this one exists"},
		{"Bearer, private, none, hides", guarded{scheme: "Bearer", hides: true}, "private/web:v1", nil, "manifest", "private-or-nonexistent", "gets the same answer"},
		{"Bearer, absent, none, hides", guarded{scheme: "Bearer", hides: true}, "private/none:v1", nil, "manifest", "private-or-nonexistent", "gets the same answer"},
		{"Bearer, absent", guarded{scheme: "Bearer"}, "private/none:v1", nil, "manifest", "repo-not-found", ""},
		{"Bearer, wrong", guarded{scheme: "Bearer"}, "private/web:v1", []string{wrong}, "token", "bad-credentials", "incorrect username or password"},
		{"Bearer, wrong on a public image", guarded{scheme: "Bearer"}, "shop/web:v1", []string{wrong}, "token", "stale-credential-breaks-public-pull", "without a credential"},
		{"Bearer, closed to all", guarded{scheme: "Bearer", closed: true}, "shop/web:v1", nil, "token", "anonymous-denied", ""},
		{"token service 500", guarded{scheme: "Bearer", tokenStatus: 500}, "shop/web:v1", nil, "token", "token-endpoint-failed", ""},
		{"token service 429", guarded{scheme: "Bearer", tokenStatus: 429}, "shop/web:v1", nil, "token", "rate-limit-other", ""},
		{"key without port", guarded{scheme: "Basic"}, "shop/web:v1", []string{`{"auths":{"registry.test":{"username":"joe","password":"x"}}}`}, "manifest", "pull-secret-wrong-host-key", "lacks the port"},
		{"empty entry", guarded{scheme: "Basic"}, "shop/web:v1", []string{`{"auths":{"registry.test:PORT":{}}}`}, "manifest", "pull-secret-empty-auth", ""},
		{"not JSON", guarded{scheme: "Basic"}, "shop/web:v1", []string{`{"auths":`}, "credentials", "pull-secret-malformed", "refuses every pull"},
		{"entry not base64", guarded{scheme: "Basic"}, "shop/web:v1", []string{`{"auths":{"other.test":{"auth":"%%"}}}`}, "credentials", "pull-secret-malformed", "other.test"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			g := c.g
			g.next = h
			port := serve(t, g)
			image := "registry.test:" + port + "/" + c.image
			var secrets []PullSecret
			for i, s := range c.secrets {
				secrets = append(secrets, secret(fmt.Sprint("s", i), strings.ReplaceAll(s, "PORT", port)))
			}
			p := look(t, image, func(r *Request) {
				if secrets != nil {
					r.As = FromSecrets(image, snapshot.ProbeIdentity{Kind: "pod", Name: "shop/web-1"}, secrets)
				}
			})
			if c.stage == "" {
				if p.Failed() != nil {
					t.Errorf("%s", dump(p))
				}
				if n := len(secrets); n > 0 && p.Credentials[n-1].Outcome != "accepted" {
					t.Errorf("credentials %+v", p.Credentials)
				}
				return
			}
			if f := wantFailure(t, p, c.stage, c.cause); !strings.Contains(f.Detail, c.says) {
				t.Errorf("does not say %q: %s", c.says, f.Detail)
			}
		})
	}
}

// TestRealms: the token service has a way of its own to fail.
func TestRealms(t *testing.T) {
	t.Parallel()
	for realm, cause := range map[string]string{
		"http://auth.invalid/token":                    "token-realm-unreachable",
		"http://auth.test:" + closedPort(t) + "/token": "token-realm-unreachable",
		"http://169.254.169.254/token":                 "",
		"://":                                          "auth-scheme-unsupported",
		"https://auth.test:" + serve(t, status(200, "{}")) + "/token": "tls-http-response",
	} {
		port := serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("WWW-Authenticate", `Bearer realm="`+realm+`"`)
			w.WriteHeader(401)
		}))
		wantFailure(t, look(t, "registry.test:"+port+"/shop/web:v1"), "token", cause)
	}
}

// TestSecretsThatGiveNothing restates what the kubelet passes over.
func TestSecretsThatGiveNothing(t *testing.T) {
	t.Parallel()
	opaque := secret("opaque", `{}`)
	opaque.Secret.Type = corev1.SecretTypeOpaque
	bare := secret("bare", "")
	id := FromSecrets("ghcr.io/acme/web:v1", snapshot.ProbeIdentity{Kind: "pod"}, []PullSecret{{Namespace: "shop", Name: "gone"}, opaque, bare, secret("none", `{"auths":{}}`), secret("other", `{"auths":{"quay.io":{"username":"a","password":"b"}}}`)})
	want := []string{"pull-secret-missing", "pull-secret-wrong-type", "pull-secret-empty-auth", "pull-secret-empty-auth", "pull-secret-wrong-host-key"}
	if len(id.Credentials) != 0 || len(id.Notes) != len(want) {
		t.Fatalf("%+v", id)
	}
	for i, n := range id.Notes {
		if n.Cause != want[i] {
			t.Errorf("%s: %s, want %s", n.Source, n.Cause, want[i])
		}
	}
}

func TestChallenge(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]challenge{
		`Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull"`: {"Bearer", map[string]string{"realm": "https://auth.docker.io/token", "service": "registry.docker.io", "scope": "repository:a/b:pull"}},
		`bearer Realm = "x" , service=y`: {"bearer", map[string]string{}},
		`Basic realm="a \"quoted\" one"`: {"Basic", map[string]string{"realm": `a "quoted" one`}},
		`NTLM`:                           {"NTLM", nil},
		``:                               {},
		`Bearer realm="open`:             {"Bearer", map[string]string{"realm": "open"}},
	} {
		got := parseChallenge(header)
		if got.scheme != want.scheme || len(got.params) != len(want.params) {
			t.Errorf("%q: %+v", header, got)
		}
		for k, v := range want.params {
			if got.params[k] != v {
				t.Errorf("%q: %s = %q", header, k, got.params[k])
			}
		}
	}
	if c := choose([]string{"Negotiate", `Basic realm="x"`, `Bearer realm="y"`}); !c.is("bearer") {
		t.Errorf("chose %+v", c)
	}
}

func FuzzChallenge(f *testing.F) {
	for _, s := range []string{`Bearer realm="x",service="y"`, `Basic`, `a b=c,d="`, `=`, `Bearer ,,,=,`, "Bearer \x00=\\"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if c := choose([]string{s, s}); len(c.params) > maxParams {
			t.Errorf("%d parameters", len(c.params))
		}
	})
}
