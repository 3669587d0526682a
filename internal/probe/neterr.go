package probe

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
)

// networkFault judges an error of the network: which cause it is and, in a
// clause that follows the host's name, what happened.
func networkFault(err error) (cause, what string) {
	ph := phaseConnect
	var re *requestError
	if errors.As(err, &re) {
		ph = re.phase
	}
	var (
		blocked *blockedError
		dns     *net.DNSError
		op      *net.OpError
		header  tls.RecordHeaderError
		alert   tls.AlertError
		cert    *tls.CertificateVerificationError
	)
	switch {
	case errors.As(err, &blocked):
		return "", "leads to " + blocked.host + ", a " + blocked.class + " address, which was not contacted"
	case errors.Is(err, errRedirects):
		return "", fmt.Sprintf("redirects more than %d times", maxRedirects)
	case errors.Is(err, errScheme):
		return "", "redirects to an address that is not HTTP"
	case errors.As(err, &dns):
		return dnsFault(dns)
	case errors.As(err, &cert):
		return certificateFault(cert)
	case errors.As(err, &header):
		if strings.HasPrefix(string(header.RecordHeader[:]), "HTTP") {
			return "tls-http-response", "speaks plain HTTP"
		}
		return "tls-handshake-failure", "answers the TLS handshake with something else"
	case strings.Contains(err.Error(), "server gave HTTP response to HTTPS client"):
		return "tls-http-response", "speaks plain HTTP"
	case errors.As(err, &alert), strings.Contains(err.Error(), "remote error: tls:"):
		return "tls-handshake-failure", "breaks off the TLS handshake: " + afterLast(err.Error(), "tls: ")
	case errors.As(err, &op) && op.Op == "proxyconnect":
		return "proxy-unreachable", "the proxy cannot be reached: " + dialWords(op.Err)
	case isTimeout(err):
		return timeoutFault(ph)
	case errors.Is(err, syscall.ECONNREFUSED):
		return "tcp-refused", "refuses the connection"
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EADDRNOTAVAIL):
		return "no-route-or-no-ip-family", "cannot be routed to from here"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return "tcp-reset", "resets the connection" + during(ph)
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		if ph == phaseBody {
			return "mid-transfer-eof", "breaks off the answer before its announced end"
		}
		return "tcp-reset", "closes the connection" + during(ph)
	case strings.Contains(err.Error(), `malformed HTTP response "\x15\x03`):
		return "http-request-to-https", "speaks TLS"
	case strings.Contains(err.Error(), "server response headers exceeded"):
		return "unexpected-media-type", fmt.Sprintf("sends more than %d KiB of headers", maxHeaders>>10)
	case strings.Contains(err.Error(), "malformed"):
		return "unexpected-media-type", "answers with something that is not HTTP"
	}
	return "", "fails: " + err.Error()
}

func isTimeout(err error) bool {
	var t interface{ Timeout() bool }
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) || errors.As(err, &t) && t.Timeout()
}

func timeoutFault(ph phase) (cause, what string) {
	switch ph {
	case phaseTLS:
		return "tls-handshake-timeout", "takes the connection and does not finish the TLS handshake"
	case phaseAnswer:
		return "response-header-timeout", "takes the request and does not answer in time"
	case phaseBody:
		return "pull-hangs-drip", "sends its answer too slowly to finish in time"
	}
	return "tcp-timeout", "does not answer connection requests"
}

func during(ph phase) string {
	switch ph {
	case phaseTLS:
		return " in the TLS handshake"
	case phaseAnswer:
		return " after the request"
	case phaseBody:
		return " in the answer"
	}
	return ""
}

func dnsFault(e *net.DNSError) (cause, what string) {
	by := ""
	if e.Server != "" {
		by = ", says the resolver " + e.Server
	}
	switch {
	case e.IsNotFound:
		return "dns-nxdomain", "has no address in DNS" + by
	case e.IsTimeout:
		return "dns-timeout", "cannot be resolved: the resolver " + e.Server + " does not answer"
	case strings.Contains(e.Err, "refused"):
		return "dns-timeout", "cannot be resolved: nothing answers at the resolver " + e.Server
	}
	return "dns-servfail", "cannot be resolved: the resolver " + e.Server + " fails (" + e.Err + ")"
}

// certificateFault judges a certificate that was refused while following the
// registry to another host; the registry's own has a stage.
func certificateFault(e *tls.CertificateVerificationError) (cause, what string) {
	var (
		invalid  x509.CertificateInvalidError
		hostname x509.HostnameError
		unknown  x509.UnknownAuthorityError
	)
	switch {
	case errors.As(e.Err, &hostname):
		return "tls-name-mismatch", "has a certificate for another name"
	case errors.As(e.Err, &invalid) && invalid.Reason == x509.Expired:
		return "tls-expired", "has a certificate that is expired or not yet valid"
	case errors.As(e.Err, &unknown):
		return "tls-unknown-ca", "has a certificate from an authority that is not trusted here"
	}
	return "tls-unknown-ca", "has a certificate that does not verify: " + e.Err.Error()
}

// isNetwork tells causes of the way to a host, below TLS.
func isNetwork(cause string) bool {
	switch cause {
	case "dns-nxdomain", "dns-servfail", "dns-timeout", "tcp-refused", "tcp-timeout", "tcp-reset", "no-route-or-no-ip-family":
		return true
	}
	return false
}

// dialWords is the shortest form of a dial error.
func dialWords(err error) string {
	cause, what := networkFault(err)
	if cause == "" {
		return afterLast(err.Error(), ": ")
	}
	return what
}

func afterLast(s, sep string) string {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[i+len(sep):]
	}
	return s
}
