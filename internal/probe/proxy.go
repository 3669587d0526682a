package probe

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/unjam-dev/unjam/internal/snapshot"
)

// setProxy finds the proxy for the registry before anything is sent.
func (s *session) setProxy() {
	u, err := url.Parse(s.base() + "/v2/")
	if err != nil {
		return
	}
	s.proxy, s.proxyErr = s.proxyFor(u)
	if s.proxy == nil {
		return
	}
	if password, has := s.proxy.User.Password(); has {
		s.hide.add(password)
		s.hide.basic(s.proxy.User.Username(), password)
	}
	s.out.Proxy = &snapshot.ProbeProxy{URL: s.word(shownURL(s.proxy))}
}

// proxied tells whether a proxy connects in place of this machine, be it one
// that cannot be used.
func (s *session) proxied() bool { return s.proxy != nil || s.proxyErr != nil }

// proxyAddress is host:port of a proxy.
func proxyAddress(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"https": "443", "socks5": "1080", "socks5h": "1080"}[u.Scheme]
	}
	if port == "" {
		port = "80"
	}
	return net.JoinHostPort(u.Hostname(), port)
}

// throughProxy asks the proxy of the environment for a connection to the
// registry.
func throughProxy(ctx context.Context, s *session) result {
	if s.proxyErr != nil {
		return fail("proxy-misconfigured", "the proxy setting of this environment is not usable: "+s.proxyErr.Error())
	}
	if s.proxy == nil {
		return notAsked("none set for " + s.host)
	}
	switch s.proxy.Scheme {
	case "http", "https":
	case "socks5", "socks5h":
		conn, err := s.dialProxy(ctx)
		if err != nil {
			return s.noProxy(err)
		}
		_ = conn.Close()
		return ok(s.out.Proxy.URL + " takes connections")
	default:
		return fail("proxy-misconfigured", "the proxy "+s.out.Proxy.URL+" has a scheme that is not known")
	}
	if s.scheme == "http" {
		conn, err := s.dialProxy(ctx)
		if err != nil {
			return s.noProxy(err)
		}
		_ = conn.Close()
		return ok(s.out.Proxy.URL + " takes connections; plain HTTP goes through it without CONNECT")
	}
	conn, err := s.connectProxy(ctx)
	if err != nil {
		return s.noProxy(err)
	}
	_ = conn.Close()
	return ok(s.out.Proxy.URL + " connects to " + s.host)
}

// deniedError is a proxy's refusal of CONNECT.
type deniedError struct{ status string }

func (e *deniedError) Error() string { return e.status }

func (s *session) noProxy(err error) result {
	var denied *deniedError
	if errors.As(err, &denied) {
		if denied.status[:min(3, len(denied.status))] == "407" {
			return fail("proxy-connect-denied", fmt.Sprintf("the proxy %s wants a login (%s)", s.out.Proxy.URL, denied.status))
		}
		return fail("proxy-connect-denied", fmt.Sprintf("the proxy %s does not connect to %s (%s)", s.out.Proxy.URL, s.host, denied.status))
	}
	_, what := networkFault(err)
	return fail("proxy-unreachable", fmt.Sprintf("the proxy %s %s", s.out.Proxy.URL, what))
}

// dialProxy connects to the proxy, which the user chose: the guard does not
// concern it.
func (s *session) dialProxy(ctx context.Context) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, s.req.Limits.Step)
	defer cancel()
	conn, err := s.dial(ctx, "tcp", proxyAddress(s.proxy)) // known to proxyFor since setProxy
	if err != nil || s.proxy.Scheme != "https" {
		return conn, err
	}
	secure := tls.Client(conn, s.tlsConfig(s.proxy.Hostname()))
	if err := secure.HandshakeContext(ctx); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return secure, nil
}

// connectProxy is a connection to the registry through the proxy.
func (s *session) connectProxy(ctx context.Context) (net.Conn, error) {
	conn, err := s.dialProxy(ctx)
	if err != nil {
		return nil, err
	}
	target := net.JoinHostPort(s.host, s.port)
	r := &http.Request{Method: http.MethodConnect, URL: &url.URL{Opaque: target}, Host: target, Header: http.Header{}}
	if u := s.proxy.User; u != nil {
		password, _ := u.Password()
		r.Header.Set("Proxy-Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(u.Username()+":"+password)))
	}
	_ = conn.SetDeadline(time.Now().Add(s.req.Limits.Step))
	err = r.Write(conn)
	var resp *http.Response
	if err == nil {
		resp, err = http.ReadResponse(bufio.NewReader(io.LimitReader(conn, maxHeaders)), r)
	}
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	_ = resp.Body.Close()
	s.out.Proxy.Answer = s.word(resp.Status)
	if resp.StatusCode != http.StatusOK {
		_ = conn.Close()
		return nil, &deniedError{s.out.Proxy.Answer}
	}
	_ = conn.SetDeadline(time.Time{})
	return conn, nil
}

// raw is a connection to the registry without TLS.
func (s *session) raw(ctx context.Context) (net.Conn, error) {
	if s.proxy != nil {
		if s.proxy.Scheme == "http" || s.proxy.Scheme == "https" {
			return s.connectProxy(ctx)
		}
		return nil, errors.ErrUnsupported
	}
	d := net.Dialer{Timeout: s.req.Limits.Step}
	return d.DialContext(ctx, "tcp", s.open[0].String())
}
