package probe

import (
	"fmt"
	"net/netip"
	"strings"
)

// guard keeps a registry from sending this machine to addresses that only the
// machine itself reaches: loopback, link-local and the metadata services of
// clouds. What class the registry itself is of stays allowed.
type guard struct{ loopback, linkLocal bool }

// blockedError says that an address was not contacted on purpose.
type blockedError struct{ host, class string }

func (e *blockedError) Error() string {
	return fmt.Sprintf("%s is a %s address, which a registry may not send to", e.host, e.class)
}

// metadata are addresses of clouds' metadata services outside link-local.
var metadata = map[netip.Addr]bool{
	netip.MustParseAddr("fd00:ec2::254"):   true,
	netip.MustParseAddr("100.100.100.200"): true,
	netip.MustParseAddr("168.63.129.16"):   true,
	netip.MustParseAddr("192.0.0.192"):     true,
}

// nat64 is the well-known prefix (RFC 6052) that carries an IPv4 address.
var nat64 = netip.MustParsePrefix("64:ff9b::/96")

// classOf names the class of an address that needs permission, empty for others.
func classOf(a netip.Addr) string {
	a = a.Unmap().WithZone("")
	if nat64.Contains(a) {
		b := a.As16()
		a = netip.AddrFrom4([4]byte(b[12:]))
	}
	switch {
	case a.IsLoopback(), a.IsUnspecified():
		return "loopback"
	case a.IsLinkLocalUnicast(), a.IsLinkLocalMulticast(), a.IsInterfaceLocalMulticast(), a.IsMulticast(), metadata[a],
		a == netip.AddrFrom4([4]byte{255, 255, 255, 255}):
		return "link-local"
	}
	return ""
}

// allow lets the class of the registry's own addresses pass.
func (g *guard) allow(addrs []netip.Addr) {
	for _, a := range addrs {
		switch classOf(a) {
		case "loopback":
			g.loopback = true
		case "link-local":
			g.linkLocal = true
		}
	}
}

// address tells whether an address may be contacted.
func (g guard) address(a netip.Addr) error {
	class := classOf(a)
	if class == "" || class == "loopback" && g.loopback || class == "link-local" && g.linkLocal {
		return nil
	}
	return &blockedError{a.String(), class}
}

// host refuses hosts that are known without a lookup; through a proxy there is
// no other.
func (g guard) host(host string) error {
	if a, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		return g.address(a)
	}
	name := strings.ToLower(strings.TrimSuffix(host, "."))
	if name == "localhost" || strings.HasSuffix(name, ".localhost") {
		return g.address(netip.AddrFrom4([4]byte{127, 0, 0, 1}))
	}
	if name == "metadata.google.internal" {
		return g.address(netip.AddrFrom4([4]byte{169, 254, 169, 254}))
	}
	// Old forms such as 0x7f.1 or 2130706433 mean an address to some resolvers.
	if numeric(name) {
		return &blockedError{host, "disguised"}
	}
	return nil
}

// numeric tells a name whose last label is a number: never a DNS name, since no
// top-level domain is one.
func numeric(name string) bool {
	last := name[strings.LastIndexByte(name, '.')+1:]
	if hex, ok := strings.CutPrefix(last, "0x"); ok {
		return strings.Trim(hex, "0123456789abcdef") == ""
	}
	return last != "" && strings.Trim(last, "0123456789") == ""
}
