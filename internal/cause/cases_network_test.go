package cause_test

import (
	"time"

	"github.com/unjam-dev/unjam/internal/cause"
	"github.com/unjam-dev/unjam/internal/snapshot/snaptest"
)

func labFails(err string) string { return requesting(lab, manV, err) }

func hubFails(url, err string) string { return requesting(hub, url, err) }

const hubURL = "https://registry-1.docker.io/v2/acme/web/manifests/v1"

// blob is an error while layers of the Docker Hub image are fetched.
func blob(url, err string) string {
	return `failed to pull and unpack image "` + hub + `": failed to copy: httpReadSeeker: failed open: failed to do request: Get "` + url + `": ` + err
}

const (
	lookup      = "dial tcp: lookup registry.lab on 10.0.0.2:53: "
	connRefused = "dial tcp 10.0.0.9:5000: connect: connection refused"
	timedOut    = "dial tcp 10.0.0.9:5000: i/o timeout"
)

// elsewhere is a node that pulls from the same registry meanwhile.
func elsewhere(b *snaptest.Builder) {
	b.Node("n2")
	b.Deployment("other", "registry.lab:5000/shop/other:v1", 1).Healthy().Pod("n2").Ready().
		Event("Normal", "Pulled", `Successfully pulled image "registry.lab:5000/shop/other:v1" in 1s (1s including waiting). Image size: 1000 bytes.`, 30*time.Second, 30*time.Second, 1)
}

var networkCases = []testCase{
	fires("dns-nxdomain", "no such host", lab, labFails(lookup+"no such host")),
	not("dns-nxdomain", "servfail", "dns-servfail", lab, labFails(lookup+"server misbehaving")),
	fires("dns-cluster-name-on-node", "service name", "registry.infra.svc.cluster.local:5000/web:v1",
		requesting("registry.infra.svc.cluster.local:5000/web:v1", "https://registry.infra.svc.cluster.local:5000/v2/web/manifests/v1", "dial tcp: lookup registry.infra.svc.cluster.local on 10.0.0.2:53: no such host")),
	not("dns-cluster-name-on-node", "ordinary name", "dns-nxdomain", lab, labFails(lookup+"no such host")),
	fires("dns-servfail", "server misbehaving", lab, labFails(lookup+"server misbehaving")),
	fires("dns-servfail", "C resolver", lab, labFails("dial tcp: lookup registry.lab: Temporary failure in name resolution")),
	not("dns-servfail", "timeout", "dns-timeout", lab, labFails(lookup+"read udp 10.0.0.5:4000->10.0.0.2:53: i/o timeout")),
	fires("dns-timeout", "silence", lab, labFails(lookup+"read udp 10.0.0.5:4000->10.0.0.2:53: i/o timeout")),
	fires("dns-timeout", "nothing on the port", lab, labFails(lookup+"read udp 10.0.0.5:4000->10.0.0.2:53: read: connection refused")),
	not("dns-timeout", "dial timeout", "tcp-timeout", lab, labFails(timedOut)),
	leans("dns-resolver-misconfigured", "another node resolves it", lab, labFails(lookup+"no such host"), elsewhere),
	not("dns-resolver-misconfigured", "every node says so", "dns-nxdomain", lab, labFails(lookup+"no such host")),

	fires("tcp-refused", "refused", lab, labFails(connRefused)),
	not("tcp-refused", "runtime socket", "runtime-socket-down", lab, `rpc error: code = Unavailable desc = connection error: desc = "transport: Error while dialing: dial unix /run/containerd/containerd.sock: connect: connection refused"`),
	fires("tcp-timeout", "dial", lab, labFails(timedOut)),
	not("tcp-timeout", "lookup", "dns-timeout", lab, labFails(lookup+"read udp 10.0.0.5:4000->10.0.0.2:53: i/o timeout")),
	fires("tcp-reset", "reset", lab, labFails("read tcp 10.0.0.5:4000->10.0.0.9:5000: read: connection reset by peer")),
	not("tcp-reset", "short body", "mid-transfer-eof", lab, `failed to pull and unpack image "`+lab+`": failed to read expected number of bytes: unexpected EOF`),
	fires("no-route-or-no-ip-family", "no IPv6", lab, labFails("dial tcp [2001:db8::1]:5000: connect: network is unreachable")),
	not("no-route-or-no-ip-family", "timeout", "tcp-timeout", lab, labFails(timedOut)),
	fires("tls-handshake-timeout", "handshake", lab, labFails("net/http: TLS handshake timeout")),
	not("tls-handshake-timeout", "headers", "response-header-timeout", lab, labFails("net/http: timeout awaiting response headers")),
	fires("response-header-timeout", "headers", lab, labFails("net/http: timeout awaiting response headers")),
	not("response-header-timeout", "handshake", "tls-handshake-timeout", lab, labFails("net/http: TLS handshake timeout")),
	fires("mid-transfer-eof", "short read", lab, `failed to pull and unpack image "`+lab+`": failed to read expected number of bytes: unexpected EOF`),
	not("mid-transfer-eof", "wrong digest", "digest-mismatch", lab, digestText),
	fires("blob-cdn-blocked", "layers' host", hub, blob("https://production.cloudflare.docker.com/registry-v2/docker/registry/v2/blobs/sha256/ab/abcd/data?verify=1", "dial tcp 210.56.51.193:443: i/o timeout")),
	not("blob-cdn-blocked", "registry itself", "tcp-timeout", hub, hubFails(hubURL, "dial tcp 3.4.5.6:443: i/o timeout")),
	fires("blob-cdn-403", "bucket policy", ecr, `failed to pull and unpack image "`+ecr+`": failed to copy: httpReadSeeker: failed open: unexpected status code https://prod-eu-west-1-starport-layer-bucket.s3.eu-west-1.amazonaws.com/abcd?X-Amz-Signature=x: 403 Forbidden`),
	leans("blob-cdn-403", "containerd 1.x does not name the storage", lab, `failed to pull and unpack image "`+lab+`": failed to copy: httpReadSeeker: failed open: unexpected status code http://registry.lab:5000/v2/shop/web/blobs/sha256:24de00e8583529c8e64dc6b410beeb760b45c12218add19f9a53fc0ff6e8e940: 403 Forbidden - Server message: unknown: Forbidden`),
	not("blob-cdn-403", "registry", "forbidden-403", lab, resolving(lab, "unexpected status from HEAD request to "+manV+": 403 Forbidden")),
	fires("token-realm-unreachable", "login host refused", hub, resolving(hub, `failed to authorize: failed to fetch anonymous token: Get "https://auth.docker.io/token?scope=repository%3Aacme%2Fweb%3Apull&service=registry.docker.io": dial tcp 199.59.149.230:443: connect: connection refused`)),
	not("token-realm-unreachable", "registry refused", "tcp-refused", hub, hubFails(hubURL, "dial tcp 3.4.5.6:443: connect: connection refused")),

	fires("proxy-unreachable", "proxy down", lab, labFails("proxyconnect tcp: dial tcp 127.0.0.1:7890: connect: connection refused")),
	not("proxy-unreachable", "registry down", "tcp-refused", lab, labFails(connRefused)),
	fires("proxy-connect-denied", "CONNECT refused", lab, labFails("Forbidden")),
	not("proxy-connect-denied", "registry's 403", "forbidden-403", lab, resolving(lab, "unexpected status from HEAD request to "+manV+": 403 Forbidden")),
	fires("proxy-misconfigured", "https to an http proxy", lab, labFails("proxyconnect tcp: tls: first record does not look like a TLS handshake")),
	not("proxy-misconfigured", "proxy down", "proxy-unreachable", lab, labFails("proxyconnect tcp: dial tcp 127.0.0.1:7890: connect: connection refused")),

	fires("tls-unknown-ca", "self-signed", lab, labFails("tls: failed to verify certificate: x509: certificate signed by unknown authority")),
	not("tls-unknown-ca", "other name", "tls-name-mismatch", lab, labFails("x509: certificate is valid for a.lab, b.lab, not registry.lab")),
	fires("tls-expired", "after", lab, labFails("x509: certificate has expired or is not yet valid: current time 2026-01-02T10:06:00Z is after 2025-12-30T00:00:00Z")),
	not("tls-expired", "before", "tls-not-yet-valid-clock-skew", lab, labFails("x509: certificate has expired or is not yet valid: current time 2020-01-01T00:00:00Z is before 2025-12-30T00:00:00Z")),
	fires("tls-not-yet-valid-clock-skew", "before", lab, labFails("x509: certificate has expired or is not yet valid: current time 2020-01-01T00:00:00Z is before 2025-12-30T00:00:00Z")),
	{code: "tls-not-yet-valid-clock-skew", name: "after, but the clock runs ahead", confidence: cause.Certain, build: func(b *snaptest.Builder) {
		b.Node("n1")
		text := labFails("x509: certificate has expired or is not yet valid: current time 2031-01-01T00:00:00Z is after 2030-12-30T00:00:00Z")
		p := b.Deployment("web", lab, 1).Pod("n1")
		p.Waiting("ErrImagePull", text)
		p.Event("Warning", "Failed", `Failed to pull image "`+lab+`": `+text, 30*time.Second, 30*time.Second, 1)
	}},
	not("tls-not-yet-valid-clock-skew", "expired, clock right", "tls-expired", lab, labFails("x509: certificate has expired or is not yet valid: current time 2026-01-02T10:06:00Z is after 2025-12-30T00:00:00Z")),
	fires("tls-name-mismatch", "other names", lab, labFails("x509: certificate is valid for a.lab, b.lab, not registry.lab")),
	not("tls-name-mismatch", "unknown authority", "tls-unknown-ca", lab, labFails("x509: certificate signed by unknown authority")),
	fires("tls-cn-only", "no SAN", lab, labFails("x509: certificate relies on legacy Common Name field, use SANs instead")),
	not("tls-cn-only", "other names", "tls-name-mismatch", lab, labFails("x509: certificate is valid for a.lab, not registry.lab")),
	fires("tls-http-response", "plain HTTP", lab, labFails("http: server gave HTTP response to HTTPS client")),
	not("tls-http-response", "unknown authority", "tls-unknown-ca", lab, labFails("x509: certificate signed by unknown authority")),
	fires("http-request-to-https", "400", lab, resolving(lab, "unexpected status from HEAD request to http://registry.lab:5000/v2/shop/web/manifests/v1: 400 Bad Request\nClient sent an HTTP request to an HTTPS server.")),
	leans("http-request-to-https", "400 without a body", lab, resolving(lab, "unexpected status from HEAD request to http://registry.lab:5000/v2/shop/web/manifests/v1: 400 Bad Request")),
	{code: "http-request-to-https", name: "400 as containerd 1.x says it", confidence: cause.Possible, build: pull(lab, `failed to pull and unpack image "`+lab+`": failed to resolve reference "`+lab+`": pulling from host registry.lab:5000 failed with status code [manifests v1]: 400 Bad Request`)},
	not("http-request-to-https", "other way round", "tls-http-response", lab, labFails("http: server gave HTTP response to HTTPS client")),
	fires("tls-handshake-failure", "alert", lab, labFails("remote error: tls: handshake failure")),
	not("tls-handshake-failure", "local refusal", "tls-unknown-ca", lab, labFails("x509: certificate signed by unknown authority")),
	fires("tls-config-file-bad", "CA file", lab, resolving(lab, `unable to load CA cert "/etc/containerd/certs.d/registry.lab_5000_/ca.crt"`)),
	not("tls-config-file-bad", "unknown authority", "tls-unknown-ca", lab, labFails("x509: certificate signed by unknown authority")),

	fires("mirror-error-masks-upstream", "local mirror dead", hub, hubFails("http://localhost:1234/v2/acme/web/manifests/v1?ns=docker.io", "dial tcp 127.0.0.1:1234: connect: connection refused")),
	not("mirror-error-masks-upstream", "registry itself", "tcp-refused", hub, hubFails(hubURL, "dial tcp 3.4.5.6:443: connect: connection refused")),
	fires("mirror-no-blob-fallback", "layers from the mirror", hub, blob("http://mirror.example.com/v2/acme/web/blobs/sha256:9b9128672209474da07c91439bf15ed704ae05ad918dd6454e5b6ae14e35fee6?ns=docker.io", "dial tcp: lookup mirror.example.com on 10.0.0.2:53: no such host")),
	not("mirror-no-blob-fallback", "manifest", "mirror-error-masks-upstream", hub, hubFails("http://localhost:1234/v2/acme/web/manifests/v1?ns=docker.io", "dial tcp 127.0.0.1:1234: connect: connection refused")),
	{code: "mirror-config-ignored", name: "one node asks a mirror, one does not", want: []string{"mirror-config-ignored", "mirror-error-masks-upstream", "tcp-timeout"}, build: func(b *snaptest.Builder) {
		b.Node("n1")
		b.Node("n2")
		s := b.Deployment("web", hub, 2)
		s.Pod("n1").PullFails(hubFails(hubURL, "dial tcp 3.4.5.6:443: i/o timeout"))
		s.Pod("n2").PullFails(hubFails("http://mirror.lab:1234/v2/acme/web/manifests/v1?ns=docker.io", "dial tcp 10.0.0.8:1234: connect: connection refused"))
	}},
	not("mirror-config-ignored", "no mirror anywhere", "tcp-timeout", hub, hubFails(hubURL, "dial tcp 3.4.5.6:443: i/o timeout")),
}
