package snapshot

import (
	"strings"
	"testing"
)

func TestRedactTakesSecrets(t *testing.T) {
	const s = "S3cr3tV4lue9xQ"
	for _, text := range []string{
		"GET / Authorization: Bearer " + s,
		`{"Authorization":["Bearer ` + s + `"]}`,
		"curl -H 'Authorization: Basic am9lOlMzY3IzdFY0bHVlOXhR'",
		"sent bearer " + s + " to the API",
		"dial postgres://joe:" + s + "@db:5432/app?sslmode=disable failed",
		"redis://:" + s + "@cache:6379/0",
		"joe:" + s + "@tcp(db:3306)/app",
		"https://bucket.s3.amazonaws.com/k?X-Amz-Credential=AKIA&X-Amz-Signature=" + s,
		`Get "https://acct.blob.core.windows.net/x?sv=2020&sig=` + s + `": EOF`,
		"https://hooks.example.com/a?verify=" + s + ": 403 Forbidden",
		"?X-Amz-Signature=" + s + "&X-Amz-Expires=60",
		"failed to connect: password=" + s + " host=db",
		"password='" + s + "'", `DB_PASSWORD="` + s + `"`, "--token=" + s, "--db-password " + s,
		`{"password":"` + s + `"}`, `{\"client_secret\":\"` + s + `\"}`, "{'api_key': '" + s + "'}",
		`{"auths":{"a.io":{"auth":"` + s + `"}}}`,
		"password: " + s, "  token: " + s,
		"jwt eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJqb2UifQ." + s,
		"key AKIAIOSFODNN7EXAMPLE and " + "ghp_" + strings.Repeat(s, 2),
		"-----BEGIN RSA PRIVATE KEY-----\n" + s + "\n-----END RSA PRIVATE KEY-----",
		"-----BEGIN PRIVATE KEY-----\n" + s,
		"AccountKey=" + s + "==;EndpointSuffix=x",
		"curl -u joe:" + s + " https://api.lab", "curl --user=joe:" + s, `curl -U "joe:` + s + `"`,
		"-H X-Api-Key:" + s, `"Private-Token":["` + s + `"]`, "X-Vault-Token: " + s,
		"Set-Cookie: sid=" + s + "; HttpOnly", `{"Cookie":["session=` + s + `"]}`,
		"db.password = " + s, "token = " + s, "spring.datasource.password =" + " hunter2" + s,
		s + "\n" + s + "\n-----END PRIVATE KEY-----\nmore",
	} {
		got := Redact(text)
		if strings.Contains(got, s) || strings.Contains(got, "AKIAIOSFODNN7EXAMPLE") || strings.Contains(got, "am9lOlMz") {
			t.Errorf("left in: %s", got)
		}
		if !strings.Contains(got, redacted) {
			t.Errorf("no mark in: %s", got)
		}
		if again := Redact(got); again != got {
			t.Errorf("not stable:\n%s\n%s", got, again)
		}
	}
}

// Messages of Kubernetes, runtimes and registries that must come through whole.
func TestRedactKeepsMessages(t *testing.T) {
	for _, text := range []string{
		`secret "db-credentials" not found`,
		`MountVolume.SetUp failed for volume "token" : secret "web-token" not found`,
		`MountVolume.SetUp failed for volume "creds" : references non-existent secret key: password.txt`,
		`couldn't find key password in Secret shop/db-credentials`,
		`Unable to retrieve some image pull secrets (regcred, other-secret); attempting to pull the image may not succeed.`,
		`failed to fetch oauth token: unexpected status from GET request to http://registry.lab:5008/token?scope=repository%3Aprivate%2Fweb%3Apull&service=lab: 401 Unauthorized`,
		`failed to authorize: failed to fetch anonymous token: unexpected status from GET request to https://auth.docker.io/token?...: 503 Service Unavailable`,
		`pull access denied, repository does not exist or may require authorization: authorization failed: no basic auth credentials`,
		`pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed`,
		`unauthorized: incorrect username or password`,
		`Error creating: pods "web-1" is forbidden: exceeded quota: team-a, requested: count/secrets=1, used: count/secrets=10, limited: count/secrets=10`,
		`exceeded quota: q, requested: secrets=1,configmaps=1, used: secrets=5,configmaps=5, limited: secrets=5,configmaps=5`,
		`failed calling webhook "v.example.com": failed to call webhook: Post "https://hook.ns.svc:443/validate?timeout=10s": dial tcp 10.0.0.1:443: connect: connection refused`,
		`WWW-Authenticate: Bearer realm="https://auth.docker.io/token",service="registry.docker.io"`,
		`failed to pull image "registry.lab:5001/shop/web@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef": not found`,
		`error looking up service account shop/no-such: serviceaccount "no-such" not found`,
		`failed to fetch token: serviceaccounts "web" is forbidden: User "system:node:n1" cannot create resource "serviceaccounts/token"`,
		`unexpected commit digest sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa, expected sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb`,
		`Back-off restarting failed container app in pod web-5969d8ff98-884td_bad-command(91d8c9f5-844c-4725-b53b-68f3b27dffb3)`,
		`invalid token: registry-1.docker.io said no`, `unable to load secret: no such file or directory`,
		`spec.template.spec.containers[0].env[0].valueFrom.secretKeyRef.name: Required value`,
		`--authentication-token-webhook=true --token-file=/etc/kubernetes/tokens.csv --token-ttl=24h0m0s`,
		`0/3 nodes are available: 3 node(s) had untolerated taint {dedicated: secret-team}.`,
		`docker run -u 1000:1000 app`, `cookie: too large`, `X-Auth-Token: missing`, `if token == nil`, `token = missing, want one`,
		`unknown flag: --token`, `flag needs an argument: --password`,
	} {
		if got := Redact(text); got != text {
			t.Errorf("changed:\n%s\n%s", text, got)
		}
	}
}

func TestRedactEnv(t *testing.T) {
	for _, c := range []struct {
		name, value string
		hidden      bool
	}{
		{"DB_PASSWORD", "x", true}, {"API_KEY", "abc", true}, {"SECRET", "7", true}, {"GITHUB_TOKEN", "t", true}, {"PGPASS", "x", false},
		{"AUTH", "x", true}, {"AUTHOR", "Joe", false}, {"PASSWORD_FILE", "/run/secrets/p", false}, {"SECRET_NAME", "web", false},
		{"LOG_LEVEL", "debug", false}, {"TOKEN_ENABLED", "true", false}, {"USE_TOKEN", "true", false},
		{"OPAQUE", "aB3dE5gH7jK9mN1pQ3sT5vX7", true}, {"IMAGE", "registry.lab:5001/shop/web:v1", false}, {"GREETING", "hello", false},
		{"DATABASE_URL", "postgres://joe:pw@db/x", true},
	} {
		if got := redactEnv(c.name, c.value); (got != c.value) != c.hidden {
			t.Errorf("%s=%s became %s", c.name, c.value, got)
		}
	}
}

// Redaction by field keeps what names a secret and what people match labels by.
func TestRedactField(t *testing.T) {
	tree := map[string]any{
		"metadata": map[string]any{"labels": map[string]any{"api-token": "team-a"}, "annotations": map[string]any{"example.com/api-token": "team-a", "example.com/secret-name": "web"}},
		"spec": map[string]any{"secretName": "web", "tokenSecretRef": "web", "password": "hunter", "selector": map[string]any{"secret": "yes-please"},
			"httpHeaders": []any{map[string]any{"name": "X-Api-Key", "value": "hunter"}, map[string]any{"name": "Host", "value": "web.lab"}, map[string]any{"name": "Cookie", "value": "a"}}},
	}
	redactTree(tree, "")
	spec, meta := tree["spec"].(map[string]any), tree["metadata"].(map[string]any)
	headers := spec["httpHeaders"].([]any)
	for what, c := range map[string]struct {
		got  any
		want string
	}{
		"label":           {meta["labels"].(map[string]any)["api-token"], "team-a"},
		"annotation":      {meta["annotations"].(map[string]any)["example.com/api-token"], redacted},
		"annotation name": {meta["annotations"].(map[string]any)["example.com/secret-name"], "web"},
		"secretName":      {spec["secretName"], "web"},
		"ref":             {spec["tokenSecretRef"], "web"},
		"password":        {spec["password"], redacted},
		"selector":        {spec["selector"].(map[string]any)["secret"], "yes-please"},
		"header":          {headers[0].(map[string]any)["value"], redacted},
		"host":            {headers[1].(map[string]any)["value"], "web.lab"},
		"cookie":          {headers[2].(map[string]any)["value"], redacted},
	} {
		if c.got != c.want {
			t.Errorf("%s is %v, want %s", what, c.got, c.want)
		}
	}
}

func FuzzRedact(f *testing.F) {
	for _, s := range []string{"password=x&", "https://a:b@c?d=e&sig=f", "Authorization: Bearer a.b.c", "--token x", `"auth":"`, "a://?[redacted]"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		once := Redact(text)
		if twice := Redact(once); twice != once {
			t.Errorf("not stable:\n%q\n%q\n%q", text, once, twice)
		}
	})
}
