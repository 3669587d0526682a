package pullerror

import "strings"

// proxyRules come before DNS and TCP: behind "proxyconnect" those errors are
// about the proxy.
var proxyRules = []rule{
	is(ProxyConfig, func(p *parser) bool { return p.e.Lookup == "http" || p.e.Lookup == "https" }, "proxyconnect tcp"),
	is(ProxyConfig, func(p *parser) bool { return p.e.Lookup == "http" || p.e.Lookup == "https" }, "lookup ~"),
	has(ProxyConfig, "proxyconnect tcp", "http response to https client"),
	has(ProxyConfig, "proxyconnect tcp", "unknown port"),
	has(ProxyConfig, "invalid proxy address"),
	has(ProxyConfig, "unsupported proxy scheme"),
	has(ProxyConfig, "proxy: unknown scheme"),
	has(ProxyConfig, "invalid proxy url"),
	has(ProxyDenied, "proxy authentication required"),
	has(ProxyDown, "proxyconnect tcp"),
	has(ProxyDown, "socks connect"),
	is(ProxyDenied, func(p *parser) bool { return bareStatus(p.words, p.text) }),
}

// dnsRules are about looking a name up.
var dnsRules = []rule{
	has(DNSNotFound, "no such host"),
	has(DNSNotFound, "name or service not known"),
	has(DNSNotFound, "nodename nor servname provided"),
	has(DNSNotFound, "no address associated with hostname"),
	has(DNSServfail, "server misbehaving"),
	has(DNSServfail, "temporary failure in name resolution"),
	has(DNSServfail, "temporary error in name resolution"),
	has(DNSServfail, "failure in name resolution"),
	has(DNSServfail, "could not resolve host"),
	is(DNSRefused, lookedUp, "connection refused"),
	is(NoRoute, lookedUp, "network is unreachable"),
	is(NoRoute, lookedUp, "no route to host"),
	is(DNSTimeout, lookedUp, "i/o timeout"),
	is(DNSTimeout, lookedUp, "operation timed out"),
	is(DNSTimeout, lookedUp, "connection timed out"),
	is(DNSTimeout, lookedUp, "deadline exceeded"),
	is(DNSTimeout, lookedUp, "timed out"),
	is(DNSServfail, lookedUp, "cannot unmarshal dns message"),
	is(DNSServfail, lookedUp, "no answer from dns server"),
	is(DNSTimeout, lookedUp, "operation was canceled"),
}

// lookedUp tells whether the error is about a lookup.
func lookedUp(p *parser) bool { return strings.Contains(p.words, "lookup ~") }

// networkRules are about the connection and the transfer.
var networkRules = []rule{
	has(TCPRefused, "connection refused"),
	has(TCPRefused, "actively refused"),
	has(TCPReset, "connection reset by peer"),
	has(TCPReset, "broken pipe"),
	has(TCPReset, "forcibly closed"),
	has(TCPReset, "connection reset"),
	has(NoRoute, "network is unreachable"),
	has(NoRoute, "no route to host"),
	has(NoRoute, "cannot assign requested address"),
	has(NoRoute, "no suitable address found"),
	has(NoRoute, "host is unreachable"),
	has(NoRoute, "host is down"),
	has(NoRoute, "unreachable network"),
	has(NoRoute, "dial tcp", "invalid argument"),
	has(HeaderTimeout, "timeout awaiting response headers"),
	has(TCPTimeout, "request canceled while waiting for connection"),
	has(RequestTimeout, "client.timeout"),
	has(RequestTimeout, "request canceled", "exceeded while"),
	has(TCPTimeout, "i/o timeout"),
	has(TCPTimeout, "connection timed out"),
	has(TCPTimeout, "operation timed out"),
	has(TCPTimeout, "failed to respond"),
	has(TransferEOF, "unexpected eof"),
	has(TransferEOF, "short read: expected"),
	has(TransferEOF, "failed to read expected number of bytes"),
	has(TransferEOF, "http2: server sent goaway"),
	has(TransferEOF, "http2: client connection"),
	has(TransferEOF, "stream error: stream id"),
	has(TransferEOF, "use of closed network connection"),
	has(TransferEOF, "http: server closed idle connection"),
	has(TransferEOF, "transport connection broken"),
	is(TransferEOF, func(p *parser) bool { return strings.HasSuffix(p.words, ": eof") }),
	is(Cancelled, noStatus, "context canceled"),
	is(Cancelled, noStatus, "context cancelled"),
	is(Cancelled, noStatus, "request canceled"),
	is(RequestTimeout, noStatus, "context deadline exceeded"),
	is(RequestTimeout, noStatus, "deadline exceeded"),
}

func noStatus(p *parser) bool { return p.e.Status == 0 }

// mentions is a condition on the text as it was written.
func mentions(s string) func(*parser) bool {
	return func(p *parser) bool { return strings.Contains(p.text, s) }
}
