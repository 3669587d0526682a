package keyring

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
)

func auth(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

func TestLookupOrder(t *testing.T) {
	var k Keyring
	k.Add("shop/a", Decode(corev1.SecretTypeDockerConfigJson, []byte(`{"auths":{"ghcr.io":{"auth":"`+auth("a:1")+`"},"*.io":{"username":"glob","password":"x"},"quay.io":{"auth":"`+auth("q:1")+`"}}}`)))
	k.Add("shop/b", Decode(corev1.SecretTypeDockercfg, []byte(`{"https://ghcr.io/acme":{"auth":"`+auth("b:1")+`"},"ghcr.io":{"auth":"`+auth("c:1")+`"},"ghcr.io/bad":{"auth":"?"}}`)))
	var got []string
	for _, c := range k.Lookup("ghcr.io/acme/web") {
		got = append(got, c.Secret+" "+c.User)
	}
	if want := "shop/b b, shop/a a, shop/b c, shop/a glob"; strings.Join(got, ", ") != want {
		t.Errorf("tries %s, want %s", strings.Join(got, ", "), want)
	}
	if got := k.Lookup("registry.lab:5000/web"); got != nil {
		t.Errorf("a credential for another registry: %v", got)
	}
}

// TestHubKeyComesLast restates BasicDockerKeyring.Lookup: index.docker.io is a
// fallback, used only when no key matches docker.io itself.
func TestHubKeyComesLast(t *testing.T) {
	var k Keyring
	k.Add("s/old", Decode(corev1.SecretTypeDockerConfigJson, []byte(`{"auths":{"https://index.docker.io/v1/":{"auth":"`+auth("old:1")+`"}}}`)))
	if got := k.Lookup("docker.io/library/nginx"); len(got) != 1 || got[0].User != "old" {
		t.Errorf("historic key not used: %v", got)
	}
	k.Add("s/new", Decode(corev1.SecretTypeDockerConfigJson, []byte(`{"auths":{"docker.io":{"auth":"`+auth("new:1")+`"}}}`)))
	if got := k.Lookup("docker.io/library/nginx"); len(got) != 1 || got[0].User != "new" {
		t.Errorf("want the key docker.io only: %v", got)
	}
}

func TestSecretDoesNotShow(t *testing.T) {
	c := Credential{Secret: "s/a", Key: "ghcr.io", User: "joe", Password: NewSecret("canary-4711")}
	j, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	for _, out := range []string{fmt.Sprint(c), fmt.Sprintf("%v %+v %#v", c, c, c), fmt.Sprintf("%s %q %x %d", c.Password, c.Password, c.Password, c.Password), string(j)} {
		if strings.Contains(out, "canary") || strings.Contains(out, fmt.Sprintf("%x", "canary")) {
			t.Errorf("shows the password: %s", out)
		}
	}
}
