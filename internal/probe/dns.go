package probe

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"

	"github.com/unjam-dev/unjam/internal/snapshot"
)

// maxAddresses bounds the addresses that are tried of one name.
const maxAddresses = 8

// SystemLookup resolves through the name servers of the machine or, when
// server is not empty, through that one (an address, with or without a port).
func SystemLookup(server string) func(context.Context, string, string) ([]netip.Addr, string, error) {
	if server != "" {
		if _, _, err := net.SplitHostPort(server); err != nil {
			server = net.JoinHostPort(strings.Trim(server, "[]"), "53")
		}
	}
	return func(ctx context.Context, network, host string) ([]netip.Addr, string, error) {
		var mu sync.Mutex
		asked := ""
		r := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
			if server != "" {
				address = server
			}
			mu.Lock()
			asked = address
			mu.Unlock()
			var d net.Dialer
			return d.DialContext(ctx, network, address)
		}}
		addrs, err := r.LookupNetIP(ctx, network, host)
		mu.Lock()
		defer mu.Unlock()
		if asked == "" && err == nil {
			asked = "hosts file"
		}
		var dns *net.DNSError
		if errors.As(err, &dns) && asked != "" {
			dns.Server = asked
		}
		return addrs, asked, err
	}
}

// resolve asks for the registry's A and AAAA records.
func resolve(ctx context.Context, s *session) result {
	out := &snapshot.ProbeDNS{Host: s.word(s.host)}
	s.out.DNS = out
	if a, err := netip.ParseAddr(s.host); err == nil {
		out.Resolver = "none"
		s.take(out, a)
		return ok("an address, no name to resolve")
	}
	ctx, cancel := context.WithTimeout(ctx, s.req.Limits.Step)
	defer cancel()
	type reply struct {
		addrs    []netip.Addr
		resolver string
		err      error
	}
	var replies [2]reply
	var wg sync.WaitGroup
	for i, network := range []string{"ip4", "ip6"} {
		wg.Go(func() {
			r := &replies[i]
			r.addrs, r.resolver, r.err = s.place.Lookup(ctx, network, s.host)
		})
	}
	wg.Wait()
	for _, r := range replies {
		if r.resolver != "" {
			out.Resolver = s.word(r.resolver)
		}
		s.take(out, r.addrs...)
	}
	if len(s.addrs) > 0 {
		return ok(fmt.Sprintf("%s resolves to %s%s", s.host, addressWords(out.Addresses), by(out.Resolver)))
	}
	err := replies[0].err
	if err == nil {
		err = &net.DNSError{Err: "no such host", Name: s.host, IsNotFound: true}
	}
	return s.unresolved(err)
}

// take keeps resolved addresses.
func (s *session) take(out *snapshot.ProbeDNS, addrs ...netip.Addr) {
	for _, a := range addrs {
		a = a.Unmap()
		if len(s.addrs) >= maxAddresses {
			break
		}
		family := "AAAA"
		if a.Is4() {
			family = "A"
		}
		s.addrs = append(s.addrs, a)
		out.Addresses = append(out.Addresses, snapshot.ProbeAddress{IP: a.String(), Family: family})
	}
	s.guard.allow(s.addrs)
}

func (s *session) unresolved(err error) result {
	cause, what := networkFault(err)
	detail := s.host + " " + what
	if s.proxied() {
		return warn("", detail+"; the proxy resolves it instead")
	}
	if cause != "dns-nxdomain" {
		return fail(cause, detail)
	}
	if strings.HasSuffix(s.host, ".svc") || strings.HasSuffix(s.host, ".cluster.local") || !strings.Contains(s.host, ".") {
		return fail("dns-cluster-name-on-node", detail+"; it is a name that only pods can resolve, and nodes pull images",
			rival("dns-nxdomain", "resolve "+s.host+" on a node"))
	}
	return fail(cause, detail, rival("dns-resolver-misconfigured", "resolve "+s.host+" with the nodes' resolver and with a public one (--resolver)"))
}

func by(resolver string) string {
	if resolver == "" || resolver == "none" {
		return ""
	}
	return " by " + resolver
}

func addressWords(list []snapshot.ProbeAddress) string {
	var words []string
	for _, a := range list {
		words = append(words, a.IP)
	}
	if len(words) > 3 {
		return strings.Join(words[:3], ", ") + fmt.Sprintf(" and %d more", len(words)-3)
	}
	return strings.Join(words, ", ")
}
