package probe

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/unjam-dev/unjam/internal/snapshot"
)

// connect opens a connection to each address of the registry by itself.
func connect(ctx context.Context, s *session) result {
	if s.proxied() {
		return notAsked("the proxy connects in place of this machine")
	}
	port, err := strconv.ParseUint(s.port, 10, 16)
	if err != nil || port == 0 {
		return fail("invalid-image-name", "the port "+s.port+" does not exist")
	}
	list := s.out.DNS.Addresses
	errs := make([]error, len(list))
	var wg sync.WaitGroup
	for i := range list {
		wg.Go(func() {
			start := time.Now()
			d := net.Dialer{Timeout: s.req.Limits.Step}
			conn, err := d.DialContext(ctx, "tcp", netip.AddrPortFrom(s.addrs[i], uint16(port)).String())
			list[i].TookMS = millis(time.Since(start))
			if err == nil {
				list[i].TCP = "open"
				_ = conn.Close()
				return
			}
			errs[i] = err
			list[i].TCP = tcpWord(err)
		})
	}
	wg.Wait()
	for i, a := range s.addrs {
		if errs[i] == nil {
			s.open = append(s.open, netip.AddrPortFrom(a, uint16(port)))
		}
	}
	return s.connected(errs)
}

func tcpWord(err error) string {
	switch cause, _ := networkFault(err); cause {
	case "tcp-refused":
		return "refused"
	case "tcp-timeout":
		return "timeout"
	case "no-route-or-no-ip-family":
		return "unreachable"
	case "tcp-reset":
		return "reset"
	}
	return "failed"
}

func (s *session) connected(errs []error) result {
	list := s.out.DNS.Addresses
	if len(s.open) == len(list) {
		return ok(fmt.Sprintf("port %s open at %s", s.port, plural(len(list), "address", "addresses")))
	}
	var closed []string
	for i, a := range list {
		if errs[i] != nil {
			closed = append(closed, a.IP+" "+a.TCP)
		}
	}
	words := strings.Join(closed, ", ")
	if len(s.open) > 0 {
		// A machine without IPv6 falls back to IPv4 at once; anything else costs
		// pulls time or fails them at random.
		if !slices.ContainsFunc(list, func(a snapshot.ProbeAddress) bool {
			return a.TCP != "open" && !(a.Family == "AAAA" && a.TCP == "unreachable")
		}) {
			return ok(fmt.Sprintf("port %s open over IPv4; no route over IPv6", s.port))
		}
		return warn("", fmt.Sprintf("port %s open at %d of %d addresses: %s", s.port, len(s.open), len(list), words))
	}
	// What most nodes would meet first: the first IPv4 address.
	cause, what := networkFault(errs[0])
	detail := fmt.Sprintf("%s port %s %s (%s)", s.host, s.port, what, words)
	if local(s.host) {
		return fail("registry-localhost-reference", detail+"; on a node localhost is the node itself", rival(cause, "start the registry there and ask again"))
	}
	return fail(cause, detail)
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}
