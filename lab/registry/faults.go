// Package registry serves container registries that fail on purpose: one set
// of images behind one port per fault, each of which can be lifted and set
// again while it runs.
package registry

import (
	"fmt"
	"net"
	"net/http"
	"time"
)

// Credentials that the registries with authentication accept.
const (
	User     = "puller"
	Password = "lab-password"
)

// Fault is one way for a registry to fail, on a port of its own.
type Fault struct {
	// Name is what the control endpoint calls it.
	Name string
	// Port is fixed: manifests name it.
	Port int
	// Host is the name that manifests use; nodes need an entry per host.
	Host string
	// Summary says what a client meets while the fault is on.
	Summary string

	// secure ports speak TLS with a certificate of the lab's authority while
	// the fault is off.
	secure bool
	// nodesSpeakHTTP makes nodes use plain HTTP although the port is secure.
	nodesSpeakHTTP bool
	// nodesSpeakHTTPS makes nodes use HTTPS although the port is plain.
	nodesSpeakHTTPS bool
	// socket replaces the listener while the fault is on.
	socket socketKind
	// conn takes over an accepted connection while the fault is on. It returns
	// nil when it has dealt with the connection itself.
	conn func(c net.Conn) net.Conn
	// cert replaces the certificate while the fault is on.
	cert *certificate
	// maxTLS limits the protocol version while the fault is on.
	maxTLS uint16
	// handler answers requests while the fault is on.
	handler func(s *State, next http.Handler) http.Handler
	// spare ports work until they are told to play another fault.
	spare bool
}

type socketKind int

const (
	socketServes  socketKind = iota
	socketRefuses            // nothing listens
	socketDrops              // connection requests are dropped
)

// Faults lists every fault by port. Ports 5000 to 5018 are those of the first
// recordings and must not move.
var Faults = []Fault{
	{Name: "ok", Port: 5000, Host: "registry.lab", Summary: "works"},
	{Name: "auth-basic", Port: 5001, Host: "registry.lab", Summary: "wants Basic authentication", handler: basicAuth},
	{Name: "tls-untrusted", Port: 5002, Host: "selfsigned.lab", Summary: "self-signed certificate for selfsigned.lab and registry.lab only",
		secure: true, cert: &certificate{hosts: []string{"selfsigned.lab", "registry.lab"}, from: -time.Hour, to: year, selfSigned: true}},
	{Name: "http-429", Port: 5003, Host: "registry.lab", Summary: "429 with Retry-After: 60", handler: tooManyRequests},
	{Name: "http-500", Port: 5004, Host: "registry.lab", Summary: "500", handler: status(http.StatusInternalServerError)},
	{Name: "http-503", Port: 5005, Host: "registry.lab", Summary: "503", handler: status(http.StatusServiceUnavailable)},
	{Name: "slow", Port: 5006, Host: "registry.lab", Summary: "blobs at 64 KiB/s, or the rate given to the control endpoint", handler: slowBlobs},
	{Name: "corrupt", Port: 5007, Host: "registry.lab", Summary: "one flipped bit in every layer", handler: corruptBlobs},
	{Name: "auth-bearer", Port: 5008, Host: "registry.lab", Summary: "token authentication; private/* needs a credential", handler: bearerAuth},
	{Name: "tls-http-response", Port: 5009, Host: "plainhttp.lab", Summary: "plain HTTP where nodes speak HTTPS", secure: true,
		conn: func(c net.Conn) net.Conn { return c }, nodesSpeakHTTPS: true},
	{Name: "tcp-timeout", Port: 5010, Host: "registry.lab", Summary: "connection requests are dropped", socket: socketDrops},
	{Name: "tcp-refused", Port: 5011, Host: "registry.lab", Summary: "nothing listens", socket: socketRefuses},
	{Name: "tls-handshake-timeout", Port: 5012, Host: "hang.lab", Summary: "accepts and stays silent", secure: true, conn: hold},
	{Name: "no-answer", Port: 5013, Host: "registry.lab", Summary: "reads the request, never sends headers", handler: silence},
	{Name: "captive-html", Port: 5014, Host: "registry.lab", Summary: "200 text/html for everything", handler: captivePortal},
	{Name: "truncated", Port: 5015, Host: "registry.lab", Summary: "layers end after five bytes", handler: truncateBlobs},
	{Name: "http-403", Port: 5016, Host: "registry.lab", Summary: "403", handler: status(http.StatusForbidden)},
	{Name: "tls-expired", Port: 5017, Host: "expired.lab", Summary: "certificate ended yesterday", secure: true,
		cert: &certificate{hosts: []string{"expired.lab"}, from: -30 * 24 * time.Hour, to: -24 * time.Hour}},
	{Name: "http-502", Port: 5018, Host: "registry.lab", Summary: "502", handler: status(http.StatusBadGateway)},
	{Name: "drip", Port: 5019, Host: "registry.lab", Summary: "layers at one byte a second", handler: dripBlobs},
	{Name: "token-expired", Port: 5020, Host: "registry.lab", Summary: "every credential is answered with 403 and 'token has expired'", handler: expiredToken},
	{Name: "token-endpoint-500", Port: 5021, Host: "registry.lab", Summary: "the token endpoint answers 500", handler: tokenEndpointFails},
	{Name: "token-realm-unknown", Port: 5022, Host: "registry.lab", Summary: "the token endpoint's host name does not resolve", handler: tokenRealmUnknown},
	{Name: "blob-host-blocked", Port: 5023, Host: "registry.lab", Summary: "layers redirect to a host that drops connections", handler: redirectBlobs(":5010")},
	{Name: "blob-host-403", Port: 5024, Host: "registry.lab", Summary: "layers redirect to a host that answers 403", handler: redirectBlobs(":5016")},
	{Name: "blob-missing", Port: 5025, Host: "registry.lab", Summary: "manifests are there, layers answer 404", handler: missingBlobs},
	{Name: "tcp-reset", Port: 5026, Host: "registry.lab", Summary: "resets every connection", conn: reset},
	{Name: "http-request-to-https", Port: 5027, Host: "tlsonly.lab", Summary: "HTTPS where nodes speak plain HTTP", secure: true, nodesSpeakHTTP: true},
	{Name: "tls-not-yet-valid", Port: 5028, Host: "future.lab", Summary: "certificate begins tomorrow", secure: true,
		cert: &certificate{hosts: []string{"future.lab"}, from: 24 * time.Hour, to: year}},
	{Name: "tls-old-protocol", Port: 5029, Host: "oldtls.lab", Summary: "speaks TLS 1.0 only", secure: true, maxTLS: tls10},
	{Name: "flaky", Port: 5030, Host: "registry.lab", Summary: "503 until lifted", handler: status(http.StatusServiceUnavailable)},
	{Name: "secure", Port: 5031, Host: "secure.lab", Summary: "works over TLS with the lab's authority", secure: true},
	{Name: "down", Port: 5032, Host: "registry.lab", Summary: "nothing listens until lifted", socket: socketRefuses},
	{Name: "down-tls", Port: 5033, Host: "down.lab", Summary: "nothing listens until lifted, then TLS", secure: true, socket: socketRefuses},
}

// How many spare ports there are: a rollout of a soak has one for itself.
const (
	SparePlain = 40
	SpareTLS   = 12
)

// Spares are ports that work until Server.Play gives them a fault: spare-0 to
// spare-39 from 5100 with plain HTTP, spare-tls-0 to spare-tls-11 from 5200.
func Spares() []Fault {
	var out []Fault
	for i := range SparePlain {
		out = append(out, Fault{Name: fmt.Sprintf("spare-%d", i), Port: 5100 + i, Host: "registry.lab", Summary: "works until told to play a fault", spare: true})
	}
	for i := range SpareTLS {
		out = append(out, Fault{Name: fmt.Sprintf("spare-tls-%d", i), Port: 5200 + i, Host: "spare.lab", Summary: "works over TLS until told to play a fault", spare: true, secure: true})
	}
	return out
}

const (
	year  = 365 * 24 * time.Hour
	tls10 = 0x0301
)

// FaultByName returns the fault of that name.
func FaultByName(name string) (Fault, bool) {
	for _, f := range Faults {
		if f.Name == name {
			return f, true
		}
	}
	return Fault{}, false
}
