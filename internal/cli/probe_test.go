package cli

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// cluster serves the few objects that a probe reads, and a registry that wants
// the password of the pull secret.
func probeServers(t *testing.T, password string) (kubeconfig, registry string) {
	t.Helper()
	reg := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, p, _ := r.BasicAuth(); p != password {
			w.Header().Set("WWW-Authenticate", `Basic realm="`+password+`"`)
			w.WriteHeader(401)
			return
		}
		w.Header().Set("Docker-Ratelimit-Source", r.Header.Get("Authorization"))
		w.WriteHeader(404)
	}))
	t.Cleanup(reg.Close)
	host := strings.TrimPrefix(reg.URL, "http://")
	config := base64.StdEncoding.EncodeToString([]byte(`{"auths":{"` + host + `":{"username":"joe","password":"` + password + `"}}}`))
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		switch r.URL.Path {
		case "/api/v1/namespaces/shop/pods/web-1":
			_, _ = io.WriteString(w, `{"kind":"Pod","apiVersion":"v1","metadata":{"name":"web-1","namespace":"shop"},"spec":{"serviceAccountName":"default","imagePullSecrets":[{"name":"regcred"}]}}`)
		case "/api/v1/namespaces/shop/pods/bare":
			_, _ = io.WriteString(w, `{"kind":"Pod","apiVersion":"v1","metadata":{"name":"bare","namespace":"shop"},"spec":{"serviceAccountName":"default"}}`)
		case "/api/v1/namespaces/shop/serviceaccounts/default":
			_, _ = io.WriteString(w, `{"kind":"ServiceAccount","apiVersion":"v1","metadata":{"name":"default","namespace":"shop"},"imagePullSecrets":[{"name":"regcred"}]}`)
		case "/api/v1/namespaces/shop/secrets/regcred":
			fmt.Fprintf(w, `{"kind":"Secret","apiVersion":"v1","metadata":{"name":"regcred","namespace":"shop"},"type":"kubernetes.io/dockerconfigjson","data":{".dockerconfigjson":%q}}`, config)
		case "/api/v1/namespaces/shop/secrets/locked":
			w.WriteHeader(403)
			_, _ = io.WriteString(w, `{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Forbidden","code":403,"message":"secrets \"locked\" is forbidden"}`)
		case "/api/v1/nodes":
			_, _ = io.WriteString(w, `{"kind":"PartialObjectMetadataList","apiVersion":"meta.k8s.io/v1","metadata":{},"items":[{"metadata":{"name":"n1","labels":{"kubernetes.io/os":"linux","kubernetes.io/arch":"arm64"}}}]}`)
		default:
			w.WriteHeader(404)
			_, _ = io.WriteString(w, `{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"NotFound","code":404}`)
		}
	}))
	t.Cleanup(api.Close)
	kubeconfig = filepath.Join(t.TempDir(), "config")
	text := fmt.Sprintf(`{"apiVersion":"v1","kind":"Config","current-context":"x","clusters":[{"name":"x","cluster":{"server":%q}}],"users":[{"name":"x","user":{}}],"contexts":[{"name":"x","context":{"cluster":"x","user":"x"}}]}`, api.URL)
	if err := os.WriteFile(kubeconfig, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return kubeconfig, host
}

// TestProbeUsesPullSecrets: the pod's secrets are used as they are, in every
// format, and none of their content comes out.
func TestProbeUsesPullSecrets(t *testing.T) {
	const password = "canary-Qw7x-password"
	kubeconfig, host := probeServers(t, password)
	for _, c := range []struct {
		args       []string
		code       int
		stage, has string
	}{
		{[]string{"--as-pod", "web-1"}, 10, "manifest", "repo-not-found"}, // the login is right, the image is not there
		{[]string{"--secret", "regcred"}, 10, "manifest", "user joe"},
		{[]string{"--as-pod", "bare"}, 11, "manifest", "sa-pull-secret-not-applied"},
		{[]string{"--secret", "gone"}, 11, "manifest", "pull-secret-missing"},
		{[]string{"--anonymous"}, 11, "manifest", "anonymous-denied"},
		{[]string{"--secret", "locked"}, 5, "", "cannot read secret shop/locked"},
		{[]string{"--as-pod", "nobody"}, 2, "", "there is no pod nobody in namespace shop"},
	} {
		for _, format := range []string{"text", "json", "yaml", "md"} {
			var out, errw bytes.Buffer
			args := append([]string{"unjam", "probe", host + "/shop/web:v1", "--insecure-http", "--kubeconfig", kubeconfig, "-n", "shop", "-o", format}, c.args...)
			code := Run(args, strings.NewReader(""), &out, &errw, []string{"CI=true"})
			all := out.String() + errw.String()
			if code != c.code || format != "md" && !strings.Contains(all, c.has) {
				t.Errorf("%v -o %s: exit %d, want %d with %q\n%s", c.args, format, code, c.code, c.has, all)
			}
			for _, canary := range []string{password, base64.StdEncoding.EncodeToString([]byte("joe:" + password)), "Qw7x"} {
				if strings.Contains(all, canary) {
					t.Errorf("%v -o %s shows the password:\n%s", c.args, format, all)
				}
			}
			if format == "json" && c.stage != "" {
				var doc struct{ Probes []struct{ FailedAt string } }
				if err := json.Unmarshal(out.Bytes(), &doc); err != nil || doc.Probes[0].FailedAt != c.stage {
					t.Errorf("%v: %v, failed at %+v", c.args, err, doc)
				}
			}
		}
	}
}
