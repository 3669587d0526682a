package cause_test

import (
	"github.com/unjam-dev/unjam/internal/cause"
	"github.com/unjam-dev/unjam/internal/snapshot"
)

func status(image, url, s string) string {
	return resolving(image, "unexpected status from HEAD request to "+url+": "+s)
}

const hubLimit = "failed to copy: httpReadSeeker: failed open: unexpected status code " + hubURL + ": 429 Too Many Requests - Server message: toomanyrequests: "

var registryCases = []testCase{
	fires("rate-limit-dockerhub-anonymous", "own words", hub, hubLimit+"You have reached your unauthenticated pull rate limit. https://www.docker.com/increase-rate-limit"),
	{code: "rate-limit-dockerhub-anonymous", name: "secrets unread", confidence: cause.Likely, build: pullAs(named("regcred"), hub, hubLimit+"You have reached your pull rate limit.", unread("secrets"))},
	not("rate-limit-dockerhub-anonymous", "kubelet's own limit", "pull-qps-exceeded", hub, "pull QPS exceeded"),
	{code: "rate-limit-dockerhub-authenticated", name: "secret matches", confidence: cause.Certain, build: pullAs(named("hub"), hub, hubLimit+"You have reached your pull rate limit.", pullSecret("hub", snapshot.Credential{HostKey: "https://index.docker.io/v1/", User: "acme"}))},
	{code: "rate-limit-dockerhub-authenticated", name: "secret does not match", near: true, want: []string{"rate-limit-dockerhub-anonymous"}, build: pullAs(named("hub"), hub, hubLimit+"You have reached your pull rate limit.", pullSecret("hub", snapshot.Credential{HostKey: "hub.docker.com", User: "acme"}))},
	fires("rate-limit-ecr-public", "rate exceeded", "public.ecr.aws/x/y:v1", "Error response from daemon: toomanyrequests: Rate exceeded"),
	not("rate-limit-ecr-public", "another registry", "rate-limit-other", lab, status(lab, manV, "429 Too Many Requests")),
	fires("rate-limit-other", "429", lab, status(lab, manV, "429 Too Many Requests")),
	not("rate-limit-other", "tag holds 429", "registry-5xx", "registry.lab:5000/shop/web:429", status("registry.lab:5000/shop/web:429", "https://registry.lab:5000/v2/shop/web/manifests/429", "503 Service Unavailable")),
	fires("registry-5xx", "502", lab, status(lab, manV, "502 Bad Gateway")),
	not("registry-5xx", "mirror", "mirror-error-masks-upstream", hub, status(hub, "http://mirror.lab:1234/v2/acme/web/manifests/v1?ns=docker.io", "503 Service Unavailable")),
	fires("token-endpoint-failed", "503 of the token service", hub, resolving(hub, "failed to authorize: failed to fetch anonymous token: unexpected status from GET request to https://auth.docker.io/token?scope=x&service=registry.docker.io: 503 Service Unavailable")),
	not("token-endpoint-failed", "401", "bad-credentials", hub, resolving(hub, "failed to authorize: failed to fetch oauth token: unexpected status from GET request to https://auth.docker.io/token?scope=x: 401 Unauthorized")),
	fires("registry-unavailable-crio", "RegistryUnavailable", lab, `RegistryUnavailable: pinging container registry registry.lab:5000: Get "https://registry.lab:5000/v2/": dial tcp 10.0.0.9:5000: connect: connection refused`),
	not("registry-unavailable-crio", "containerd's words", "tcp-refused", lab, labFails(connRefused)),
	fires("auth-scheme-unsupported", "no usable challenge", lab, resolving(lab, "failed to authorize: failed to find supported auth scheme: not implemented")),
	not("auth-scheme-unsupported", "401", "bad-credentials", lab, status(lab, manV, "401 Unauthorized")),
}
