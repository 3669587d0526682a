package probe

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/unjam-dev/unjam/internal/snapshot"
)

// soonDays is how near the end of a certificate is worth a warning.
const soonDays = 14

func (s *session) tlsConfig(server string) *tls.Config {
	return &tls.Config{ServerName: server, RootCAs: s.place.Roots, Time: s.place.Now, NextProtos: []string{"http/1.1"}, MinVersion: tls.VersionTLS12}
}

// handshake looks at the registry's certificate on a connection of its own.
func handshake(ctx context.Context, s *session) result {
	if s.scheme == "http" {
		return notAsked("plain HTTP was asked for")
	}
	state, err := s.shake(ctx, s.tlsConfig(s.host))
	if errors.Is(err, errors.ErrUnsupported) {
		return notAsked("not looked at through a SOCKS proxy")
	}
	if err == nil {
		return s.certified(state)
	}
	var refused *tls.CertificateVerificationError
	if errors.As(err, &refused) && len(refused.UnverifiedCertificates) > 0 {
		s.fileChain(refused.UnverifiedCertificates)
		return s.judgeChain(ctx, refused.UnverifiedCertificates)
	}
	return s.noHandshake(ctx, err)
}

// shake makes one handshake.
func (s *session) shake(ctx context.Context, cfg *tls.Config) (tls.ConnectionState, error) {
	ctx, cancel := context.WithTimeout(ctx, s.req.Limits.Request)
	defer cancel()
	raw, err := s.raw(ctx)
	if err != nil {
		return tls.ConnectionState{}, err
	}
	defer raw.Close()
	conn := tls.Client(raw, cfg)
	if err := conn.HandshakeContext(ctx); err != nil {
		return tls.ConnectionState{}, &requestError{s.host, phaseTLS, err}
	}
	return conn.ConnectionState(), nil
}

func (s *session) certified(state tls.ConnectionState) result {
	s.fileChain(state.PeerCertificates)
	s.out.TLS.Version = tls.VersionName(state.Version)
	days := s.out.TLS.ExpiresInDays
	detail := fmt.Sprintf("%s, certificate good for %s, issued by %s", s.out.TLS.Version, plural(days, "day", "days"), s.out.TLS.Issuer)
	if days < soonDays {
		return warn("", fmt.Sprintf("%s, the certificate ends in %s, at %s", s.out.TLS.Version, plural(days, "day", "days"), date(s.out.TLS.NotAfter)))
	}
	return ok(detail)
}

func date(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }

// fileChain keeps the summary of the certificates that the server sent.
func (s *session) fileChain(chain []*x509.Certificate) {
	leaf := chain[0]
	const most = 10
	names := append([]string{}, leaf.DNSNames...)
	for _, ip := range leaf.IPAddresses {
		names = append(names, ip.String())
	}
	out := &snapshot.ProbeTLS{Names: s.words(names, 2*most), Issuer: s.word(issuer(leaf)), NotBefore: leaf.NotBefore.UTC(), NotAfter: leaf.NotAfter.UTC(), Trust: s.place.Trust}
	out.ExpiresInDays = int(leaf.NotAfter.Sub(s.place.Now()).Hours() / 24)
	for _, c := range chain[:min(len(chain), most)] {
		out.Chain = append(out.Chain, s.word(c.Subject.String()))
	}
	s.out.TLS = out
}

func issuer(c *x509.Certificate) string {
	if c.Issuer.CommonName != "" {
		return c.Issuer.CommonName
	}
	return c.Issuer.String()
}

// judgeChain tells the faults of a certificate apart, in the order in which
// crypto/x509 meets them, which is the one that a Go runtime on a node reports:
// time, name, authority.
func (s *session) judgeChain(ctx context.Context, chain []*x509.Certificate) result {
	leaf, now := chain[0], s.place.Now()
	var faults []result
	if now.Before(leaf.NotBefore) || now.After(leaf.NotAfter) {
		faults = append(faults, s.judgeTime(ctx, leaf, now))
	}
	if r, bad := s.judgeNames(leaf); bad {
		faults = append(faults, r)
	}
	if r, bad := s.judgeAuthority(chain, now); bad {
		faults = append(faults, r)
	}
	if len(faults) == 0 {
		return fail("tls-unknown-ca", "the certificate of "+s.host+" does not verify")
	}
	out := faults[0]
	for _, f := range faults[1:] {
		out.detail += "; besides, " + f.detail
	}
	return out
}

// judgeTime tells an old certificate from a wrong clock by the server's own
// clock. It comes over a connection that nothing vouches for, without a
// credential, and decides nothing but this.
func (s *session) judgeTime(ctx context.Context, leaf *x509.Certificate, now time.Time) result {
	there, told := s.serverClock(ctx)
	wrongClock := told && !there.Before(leaf.NotBefore) && !there.After(leaf.NotAfter)
	skew := now.Sub(there)
	if told {
		seconds := int64(skew.Seconds())
		s.out.TLS.ClockSkewSeconds = &seconds
	}
	switch {
	case wrongClock:
		return fail("tls-not-yet-valid-clock-skew", fmt.Sprintf("the clock here is %s: it differs from that of %s by %s, by which the certificate would be valid", date(now), s.host, span(skew)))
	case now.After(leaf.NotAfter):
		r := fail("tls-expired", fmt.Sprintf("the certificate of %s expired %s ago, at %s", s.host, span(now.Sub(leaf.NotAfter)), date(leaf.NotAfter)))
		if !told {
			r.rivals = append(r.rivals, rival("tls-not-yet-valid-clock-skew", "compare the clock here (date -u) with a time server"))
		}
		return r
	}
	r := fail("tls-not-yet-valid-clock-skew", fmt.Sprintf("the certificate of %s is valid only in %s, from %s", s.host, span(leaf.NotBefore.Sub(now)), date(leaf.NotBefore)))
	if told && skew.Abs() < 5*time.Minute {
		r.detail += "; the clock here agrees with the server's, so the certificate is wrong"
	}
	return r
}

// span is a duration in the unit that fits.
func span(d time.Duration) string {
	switch d = d.Abs(); {
	case d >= 48*time.Hour:
		return plural(int(d.Hours()/24), "day", "days")
	case d >= 2*time.Hour:
		return plural(int(d.Hours()), "hour", "hours")
	case d >= 2*time.Minute:
		return plural(int(d.Minutes()), "minute", "minutes")
	}
	return plural(int(d.Seconds()), "second", "seconds")
}

func (s *session) judgeNames(leaf *x509.Certificate) (result, bool) {
	err := leaf.VerifyHostname(s.host)
	if err == nil {
		return result{}, false
	}
	if len(leaf.DNSNames)+len(leaf.IPAddresses) == 0 {
		return fail("tls-cn-only", fmt.Sprintf("the certificate of %s has only a common name (%s) and no subject alternative names", s.host, s.word(leaf.Subject.CommonName))), true
	}
	return fail("tls-name-mismatch", fmt.Sprintf("the certificate is for %s, not for %s", strings.Join(s.words(s.out.TLS.Names, 5), ", "), s.host)), true
}

func (s *session) judgeAuthority(chain []*x509.Certificate, now time.Time) (result, bool) {
	leaf := chain[0]
	between := x509.NewCertPool()
	for _, c := range chain[1:] {
		between.AddCert(c)
	}
	// Judged at a time when the leaf is valid, so that only the authority counts.
	at := now
	if at.Before(leaf.NotBefore) {
		at = leaf.NotBefore.Add(time.Second)
	} else if at.After(leaf.NotAfter) {
		at = leaf.NotAfter.Add(-time.Second)
	}
	_, err := leaf.Verify(x509.VerifyOptions{Roots: s.place.Roots, Intermediates: between, CurrentTime: at})
	var unknown x509.UnknownAuthorityError
	switch {
	case err == nil:
		return result{}, false
	case errors.As(err, &unknown) && leaf.CheckSignatureFrom(leaf) == nil, errors.As(err, &unknown) && leaf.Issuer.String() == leaf.Subject.String():
		return fail("tls-unknown-ca", fmt.Sprintf("the certificate of %s is signed by itself, which is not trusted here", s.host)), true
	case errors.As(err, &unknown):
		return fail("tls-unknown-ca", fmt.Sprintf("the certificate of %s comes from %q, which is not trusted here (%s; the server sent %s)", s.host, s.word(issuer(leaf)), s.place.Trust, plural(len(chain), "certificate", "certificates"))), true
	}
	return fail("tls-unknown-ca", fmt.Sprintf("the chain of the certificate of %s does not verify: %s", s.host, err)), true
}

// serverClock reads the Date header without trusting the server for anything
// else: no credential is sent, and the answer is used for nothing else.
func (s *session) serverClock(ctx context.Context) (time.Time, bool) {
	resp := s.unverified(ctx, true)
	if resp == nil {
		return time.Time{}, false
	}
	at, err := http.ParseTime(resp.Header.Get("Date"))
	return at, err == nil
}

// unverified asks HEAD /v2/ over a connection that nothing vouches for, and
// returns the answer's headers, nil when there is none.
func (s *session) unverified(ctx context.Context, secure bool) *http.Response {
	ctx, cancel := context.WithTimeout(ctx, s.req.Limits.Step)
	defer cancel()
	conn, err := s.raw(ctx)
	if err != nil {
		return nil
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(s.req.Limits.Step))
	if secure {
		cfg := s.tlsConfig(s.host)
		cfg.InsecureSkipVerify = true //nolint:gosec // only the server's clock is read, nothing is sent that is secret
		conn = tls.Client(conn, cfg)
	}
	r, err := http.NewRequest(http.MethodHead, s.base()+"/v2/", nil)
	if err != nil || r.Write(conn) != nil {
		return nil
	}
	resp, err := http.ReadResponse(bufio.NewReader(io.LimitReader(conn, maxHeaders)), r)
	if err != nil {
		return nil
	}
	_ = resp.Body.Close()
	return resp
}

// noHandshake judges a handshake that did not come to a certificate.
func (s *session) noHandshake(ctx context.Context, err error) result {
	cause, what := networkFault(err)
	detail := fmt.Sprintf("%s port %s %s", s.host, s.port, what)
	switch cause {
	case "tls-http-response":
		return s.plainHTTP(detail)
	case "tcp-reset":
		// Some servers hang up on a TLS greeting instead of answering it.
		if resp := s.unverified(ctx, false); resp != nil {
			return s.plainHTTP(fmt.Sprintf("%s port %s speaks plain HTTP", s.host, s.port))
		}
		return fail(cause, detail, rival("tls-handshake-failure", "openssl s_client -connect "+net.JoinHostPort(s.host, s.port)))
	case "tls-handshake-failure":
		return fail(cause, detail+s.oldProtocol(ctx))
	}
	return fail(cause, detail)
}

// plainHTTP tells of a registry without TLS; it is never used so unasked.
func (s *session) plainHTTP(detail string) result {
	return fail("tls-http-response", detail+"; nodes ask it in TLS unless their runtime is told otherwise, and so does this probe without --insecure-http")
}

// oldProtocol says which retired version of TLS the server still speaks.
func (s *session) oldProtocol(ctx context.Context) string {
	cfg := s.tlsConfig(s.host)
	cfg.MinVersion, cfg.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
	cfg.InsecureSkipVerify = true //nolint:gosec // only the version is looked at
	state, err := s.shake(ctx, cfg)
	if err != nil {
		return ""
	}
	return "; it speaks only " + tls.VersionName(state.Version)
}
