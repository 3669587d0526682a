package snapshot

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/unjam-dev/unjam/internal/keyring"
)

func b64(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

func jwt(claims string) string {
	e := base64.RawURLEncoding.EncodeToString
	return e([]byte(`{"alg":"RS256","typ":"JWT"}`)) + "." + e([]byte(claims)) + "." + e([]byte("not-a-signature"))
}

func dockerConfig(doc string) *corev1.Secret {
	return &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "regcred"}, Type: corev1.SecretTypeDockerConfigJson,
		Data: map[string][]byte{corev1.DockerConfigJsonKey: []byte(doc)}}
}

func TestSecretShapeEntries(t *testing.T) {
	expiry := time.Unix(1764000000, 0).UTC()
	ecr := base64.StdEncoding.EncodeToString([]byte(`{"payload":"abc","datakey":"def","version":"2","type":"DATA_KEY","expiration":1764000000}`))
	for _, c := range []struct {
		name, entry string
		want        Credential
	}{
		{"user and password", `{"username":"joe","password":"hunter2"}`, Credential{User: "joe", Kind: "password"}},
		{"auth", `{"auth":"` + b64("joe:hunter2") + `"}`, Credential{User: "joe", Kind: "password"}},
		{"auth without padding", `{"auth":"` + base64.RawStdEncoding.EncodeToString([]byte("joey:hunter2")) + `"}`, Credential{User: "joey", Kind: "password"}},
		{"auth wins", `{"username":"ann","password":"x","auth":"` + b64("joe:hunter2") + `"}`, Credential{User: "joe", Kind: "password"}},
		{"colon in the password", `{"auth":"` + b64("joe:a:b:c") + `"}`, Credential{User: "joe", Kind: "password"}},
		{"empty", `{}`, Credential{Empty: true}},
		{"email only", `{"email":"joe@example.com"}`, Credential{Empty: true}},
		{"colon only", `{"auth":"` + b64(":") + `"}`, Credential{Empty: true}},
		{"identity token", `{"identitytoken":"abc"}`, Credential{Empty: true, Ignored: "identitytoken"}},
		{"no password", `{"auth":"` + b64("glpat-abcdefghijklmnop:") + `"}`, Credential{User: "gl…", NoPassword: true}},
		{"newline", `{"auth":"` + b64("joe:hunter2\n") + `"}`, Credential{User: "joe", Kind: "password", TrailingNewline: true}},
		{"newline in password", `{"username":"joe","password":"hunter2\r\n"}`, Credential{User: "joe", Kind: "password", TrailingNewline: true}},
		{"not base64", `{"auth":"joe:hunter2"}`, Credential{Malformed: "auth is not base64"}},
		{"url alphabet", `{"auth":"am9lOn-_"}`, Credential{Malformed: "auth is not base64"}},
		{"no colon", `{"auth":"` + b64("joe") + `"}`, Credential{Malformed: "auth does not decode to user:password"}},
		{"twice encoded", `{"auth":"` + b64(b64("joe:hunter2")) + `"}`, Credential{Malformed: "auth does not decode to user:password"}},
		{"wrong type", `{"auth":7}`, Credential{Malformed: "not a docker config: a value has the wrong JSON type"}},
		{"jwt", `{"username":"oauth2accesstoken","password":"` + jwt(`{"exp":1764000000}`) + `"}`, Credential{User: "oauth2accesstoken", Kind: "jwt", Expires: expiry}},
		{"jwt without exp", `{"username":"joe","password":"` + jwt(`{}`) + `"}`, Credential{User: "joe", Kind: "jwt"}},
		{"jwt with a wild exp", `{"username":"joe","password":"` + jwt(`{"exp":1e300}`) + `"}`, Credential{User: "joe", Kind: "jwt"}},
		{"ecr", `{"auth":"` + b64("AWS:"+ecr) + `"}`, Credential{User: "AWS", Kind: "ecr", Expires: expiry}},
		{"token as user", `{"username":"` + jwt(`{}`) + `","password":"hunter2"}`, Credential{User: "(token)", Kind: "password"}},
		{"acr token", `{"username":"00000000-0000-0000-0000-000000000000","password":"hunter2"}`, Credential{User: "00000000-0000-0000-0000-000000000000", Kind: "password"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.want.HostKey = "registry.example.com"
			s := SecretShapeOf(dockerConfig(`{"auths":{"registry.example.com":` + c.entry + `}}`))
			if s.Pull == nil || len(s.Pull.Entries) != 1 {
				t.Fatalf("shape = %+v", s.Pull)
			}
			if d := cmp.Diff(c.want, s.Pull.Entries[0]); d != "" {
				t.Error(d)
			}
			if out, _ := json.Marshal(s); strings.Contains(string(out), "hunter2") {
				t.Errorf("the password is in %s", out)
			}
		})
	}
}

func TestSecretShapeDocuments(t *testing.T) {
	for _, c := range []struct {
		name   string
		secret *corev1.Secret
		want   *PullCredentials
	}{
		{"opaque", &corev1.Secret{Type: corev1.SecretTypeOpaque, Data: map[string][]byte{".dockerconfigjson": []byte(`{"auths":{}}`)}}, nil},
		{"key missing", &corev1.Secret{Type: corev1.SecretTypeDockerConfigJson, Data: map[string][]byte{"config.json": []byte(`{}`)}}, &PullCredentials{Skipped: "the Secret has no .dockerconfigjson"}},
		{"empty value", dockerConfig(""), &PullCredentials{Skipped: "the Secret has no .dockerconfigjson"}},
		{"not json", dockerConfig("hunter2"), &PullCredentials{Malformed: "not valid JSON"}},
		{"cut json", dockerConfig(`{"auths":{"a":{"auth":"hunter2`), &PullCredentials{Malformed: "not valid JSON"}},
		{"auths is a list", dockerConfig(`{"auths":["hunter2"]}`), &PullCredentials{Malformed: "not a docker config: a value has the wrong JSON type"}},
		{"no auths", dockerConfig(`{}`), &PullCredentials{}},
		{"helpers", dockerConfig(`{"auths":{},"credsStore":"desktop","credHelpers":{"a":"ecr-login"}}`), &PullCredentials{Ignored: []string{"credsStore", "credHelpers"}}},
		{"old form", &corev1.Secret{Type: corev1.SecretTypeDockercfg, Data: map[string][]byte{".dockercfg": []byte(`{"b.io":{"auth":"` + b64("joe:hunter2") + `"},"a.io":{}}`)}},
			&PullCredentials{Entries: []Credential{{HostKey: "a.io", Empty: true}, {HostKey: "b.io", User: "joe", Kind: "password"}}}},
		{"manifest", &corev1.Secret{Type: corev1.SecretTypeDockerConfigJson, StringData: map[string]string{".dockerconfigjson": `{"auths":{"https://joe:hunter2@a.io/v1/":{}}}`}},
			&PullCredentials{Entries: []Credential{{HostKey: "https://[redacted]@a.io/v1/", Empty: true}}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := SecretShapeOf(c.secret)
			if d := cmp.Diff(c.want, s.Pull); d != "" {
				t.Error(d)
			}
			if out, _ := json.Marshal(s); strings.Contains(string(out), "hunter2") {
				t.Errorf("the password is in %s", out)
			}
		})
	}
}

// FuzzSecretShape looks for a panic, for a shape that is no JSON, and for a
// value that gets through: the password is planted where each form has it.
func FuzzSecretShape(f *testing.F) {
	f.Add(`{"auths":{"a.io":{"auth":"am9lOmh1bnRlcjI="}}}`, "joe", "hunter2hunter2")
	f.Add(`{"auths":{"a.io":{"username":"joe","password":"x"}}}`, jwt(`{"exp":1}`), jwt(`{"exp":1e18}`))
	f.Add(`{"a.io":{"auth":"!!"}}`, "", "\n")
	f.Add(`{"auths":null}`, "\xff:", "eyJwYXlsb2FkIjoi")
	f.Fuzz(func(t *testing.T, doc, user, password string) {
		quote := func(s string) string { b, _ := json.Marshal(s); return string(b) }
		for _, text := range []string{
			doc,
			fmt.Sprintf(`{"auths":{"h.example.com":{"username":%s,"password":%s}}}`, quote(user), quote(password)),
			fmt.Sprintf(`{"auths":{"h.example.com":{"auth":%s}}}`, quote(b64(user+":"+password))),
			fmt.Sprintf(`{"auths":{"h.example.com":{"auth":%s}}}`, quote(user+":"+password)),
			fmt.Sprintf(`{"auths":{%s:{}}}`, quote("https://"+strings.Map(plainRune, user)+":"+password+"@h.example.com")),
		} {
			for _, typ := range []corev1.SecretType{corev1.SecretTypeDockerConfigJson, corev1.SecretTypeDockercfg} {
				out, err := json.Marshal(SecretShapeOf(&corev1.Secret{Type: typ, Data: map[string][]byte{keyring.DataKey(typ): []byte(text)}}))
				if err != nil {
					t.Fatal(err)
				}
				if text != doc && len(password) >= 10 && isPlain(password) && !strings.Contains(constantText, password) && strings.Contains(string(out), password) {
					t.Errorf("the password %q is in %s", password, out)
				}
			}
		}
	})
}

// constantText is what a shape says whatever the Secret holds.
const constantText = `h.example.com not a docker config: a value has the wrong JSON type not valid JSON auth is not base64 ` +
	`auth does not decode to user:password kubernetes.io/dockerconfigjson kubernetes.io/dockercfg {"namespace":"","name":"","type":"","pull":{"entries":[{"hostKey":""`

func plainRune(r rune) rune {
	if r < 'a' || r > 'z' {
		return 'x'
	}
	return r
}

func isPlain(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') }) < 0
}
