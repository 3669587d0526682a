package registry

import (
	"net"
	"slices"
	"strconv"

	"github.com/unjam-dev/unjam/lab/dns"
)

// Host is what a node's runtime must know of one registry host; it becomes a
// hosts.toml in containerd's certs.d.
type Host struct {
	// Host is name:port as image references write it.
	Host string `json:"host"`
	// PlainHTTP says that nodes must not use TLS.
	PlainHTTP bool `json:"plainHTTP,omitempty"`
	// CA is the PEM certificate to trust, empty for the system's own.
	CA string `json:"ca,omitempty"`
}

// Hosts lists the hosts for the nodes' configuration.
func Hosts(a *Authority) []Host {
	var out []Host
	for _, f := range slices.Concat(Faults, Spares()) {
		h := Host{Host: net.JoinHostPort(f.Host, strconv.Itoa(f.Port))}
		switch {
		case f.nodesSpeakHTTP, !f.secure:
			h.PlainHTTP = true
		default:
			h.CA = string(a.PEM)
		}
		out = append(out, h)
	}
	// The certificate of tls-untrusted names other hosts than this one.
	out = append(out, Host{Host: "wronghost.lab:5002", CA: string(a.PEM)})
	// Names whose resolution fails until the DNS fault is lifted, and a
	// registry reached by a name that only the lab's own DNS knows.
	names := []string{"servfail.registry.example:5000", "timeout.registry.example:5000", "moving.lab:5000"}
	for i := range dns.Spare {
		names = append(names, dns.SpareName(i)+":5000")
	}
	for _, name := range names {
		out = append(out, Host{Host: name, PlainHTTP: true})
	}
	slices.SortFunc(out, func(x, y Host) int {
		if x.Host < y.Host {
			return -1
		}
		return 1
	})
	return out
}
