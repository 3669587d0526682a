package cluster

import (
	"fmt"
	"net"
	"net/netip"
	"os"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

func ipNet(p netip.Prefix) *net.IPNet {
	return &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}
}

func up(name string) (netlink.Link, error) {
	l, err := netlink.LinkByName(name)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return l, netlink.LinkSetUp(l)
}

func addAddress(l netlink.Link, p netip.Prefix) error {
	err := netlink.AddrAdd(l, &netlink.Addr{IPNet: ipNet(p)})
	if err == unix.EEXIST {
		return nil
	}
	return err
}

// loopbackNetwork gives the lab all its addresses on the loopback interface, pod
// ranges included: hollow nodes share one network namespace, and the probes of
// their kubelets must reach pods that are only listening sockets.
func loopbackNetwork(nodes []node) error {
	lo, err := up("lo")
	if err != nil {
		return err
	}
	addresses := []netip.Addr{netip.MustParseAddr(gateway)}
	for _, n := range nodes {
		addresses = append(addresses, n.ip())
	}
	for _, a := range addresses {
		if err := addAddress(lo, netip.PrefixFrom(a, 32)); err != nil {
			return fmt.Errorf("address %s: %w", a, err)
		}
	}
	return netlink.RouteAdd(&netlink.Route{
		LinkIndex: lo.Attrs().Index, Dst: ipNet(netip.MustParsePrefix(podNet)),
		Type: unix.RTN_LOCAL, Scope: netlink.SCOPE_HOST, Table: unix.RT_TABLE_LOCAL,
	})
}

// bridgeNetwork is the lab's side of a LAN with real nodes.
func bridgeNetwork() error {
	if _, err := up("lo"); err != nil {
		return err
	}
	br := &netlink.Bridge{LinkAttrs: netlink.LinkAttrs{Name: bridgeName}}
	if err := netlink.LinkAdd(br); err != nil {
		return fmt.Errorf("bridge: %w", err)
	}
	l, err := up(bridgeName)
	if err != nil {
		return err
	}
	if err := addAddress(l, netip.PrefixFrom(netip.MustParseAddr(gateway), lanBits)); err != nil {
		return err
	}
	return os.WriteFile("/proc/sys/net/ipv4/ip_forward", []byte("1"), 0o644)
}

// plugIn connects the network namespace of a process to the bridge and routes the
// node's pods there. The node's end is called eth0.
func plugIn(n node, pid int) error {
	br, err := netlink.LinkByName(bridgeName)
	if err != nil {
		return err
	}
	name := fmt.Sprintf("veth%d", n.index)
	// The pair of a former life of the node goes away with its namespace, but late.
	if old, err := netlink.LinkByName(name); err == nil {
		if err := netlink.LinkDel(old); err != nil {
			return fmt.Errorf("remove old %s: %w", name, err)
		}
	}
	veth := &netlink.Veth{
		LinkAttrs: netlink.LinkAttrs{Name: name, MasterIndex: br.Attrs().Index},
		PeerName:  "eth0", PeerNamespace: netlink.NsPid(pid),
	}
	if err := netlink.LinkAdd(veth); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if _, err := up(name); err != nil {
		return err
	}
	return netlink.RouteReplace(&netlink.Route{LinkIndex: br.Attrs().Index, Dst: ipNet(n.podCIDR()), Gw: n.ip().AsSlice()})
}

// nodeNetwork configures the node's end, inside its namespace.
func nodeNetwork(n node) error {
	if _, err := up("lo"); err != nil {
		return err
	}
	eth, err := up("eth0")
	if err != nil {
		return err
	}
	if err := addAddress(eth, netip.PrefixFrom(n.ip(), lanBits)); err != nil {
		return err
	}
	if err := netlink.RouteAdd(&netlink.Route{LinkIndex: eth.Attrs().Index, Gw: net.ParseIP(gateway)}); err != nil {
		return fmt.Errorf("default route: %w", err)
	}
	return os.WriteFile("/proc/sys/net/ipv4/ip_forward", []byte("1"), 0o644)
}
