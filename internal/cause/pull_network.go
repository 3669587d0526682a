package cause

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/unjam-dev/unjam/internal/facts"
	"github.com/unjam-dev/unjam/internal/keyring"
	"github.com/unjam-dev/unjam/internal/pullerror"
)

// judgeDNS handles names that do not resolve on the node.
func judgeDNS(f *facts.Facts, w *facts.Workload, t *trouble) []Finding {
	if fd, ok := otherHost(f, w, t); ok {
		return []Finding{fd}
	}
	name, s := t.err.Lookup, scopeOf(f, t)
	if name == "" {
		name, _ = keyring.SplitPort(t.host())
	}
	by := ""
	if t.err.Resolver != "" {
		by = " (resolver " + t.err.Resolver + ")"
	}
	switch t.err.Kind {
	case pullerror.DNSServfail:
		return []Finding{s.apply(t.finding(w, "dns-servfail", Certain, fmt.Sprintf("the DNS of %s fails to look up %s%s: it answers with a server error", nodesWords(t.nodes), name, by)))}
	case pullerror.DNSTimeout:
		return []Finding{s.apply(t.finding(w, "dns-timeout", Certain, fmt.Sprintf("the DNS of %s does not answer for %s%s", nodesWords(t.nodes), name, by)))}
	case pullerror.DNSRefused:
		return []Finding{s.apply(t.finding(w, "dns-timeout", Certain, fmt.Sprintf("nothing answers where %s looks for its DNS%s, so %s cannot be found", nodesWords(t.nodes), by, name)))}
	}
	if clusterName(name) {
		fd := t.finding(w, "dns-cluster-name-on-node", Certain, fmt.Sprintf("%s is a name inside the cluster, and images are pulled with the DNS of %s%s, which does not know it", name, nodesWords(t.nodes), by))
		fd.Key = "host " + name
		return []Finding{fd}
	}
	if s.Node != "" && s.Evidence != nil {
		return []Finding{s.apply(t.finding(w, "dns-resolver-misconfigured", Likely, fmt.Sprintf("the resolver of node %s%s says that %s does not exist", s.Node, by, name),
			rival("dns-nxdomain", "ask both resolvers for the name (kubectl debug node/"+s.Node+" -it --image=busybox -- nslookup "+name+")")))}
	}
	fd := s.apply(t.finding(w, "dns-nxdomain", Certain, fmt.Sprintf("the registry name %s does not exist in the DNS of %s%s", name, nodesWords(t.nodes), by)))
	if t.lasted(f.Now) < nameAppears {
		fd.Class = SelfHealing
	}
	return []Finding{fd}
}

// nameAppears is how long a name may be missing because its record is made
// together with the rollout, or because "does not exist" is still cached. Only an
// attempt that failed so long after the first tells that it is older.
const nameAppears = 90 * time.Second

// lasted is how long after the first failure an attempt has failed; without the
// times of attempts, how long ago the first was.
func (t *trouble) lasted(now time.Time) time.Duration {
	if t.last.IsZero() {
		return now.Sub(t.begin())
	}
	return t.last.Sub(t.begin())
}

// begin is the first failure, or when the pod was made where no event tells.
func (t *trouble) begin() time.Time {
	if !t.first.IsZero() {
		return t.first
	}
	return t.pod().Obj.CreationTimestamp.Time
}

// clusterName reports whether only the cluster's own DNS knows a name.
func clusterName(name string) bool {
	name = strings.TrimSuffix(name, ".")
	return strings.HasSuffix(name, ".svc") || strings.HasSuffix(name, ".cluster.local") || strings.Contains(name, ".svc.")
}

// otherHost handles failures at a host other than the image's registry: a
// mirror, the token service, or the storage that layers come from.
func otherHost(f *facts.Facts, w *facts.Workload, t *trouble) (Finding, bool) {
	if fd, ok := mirrorFault(f, w, t); ok {
		return fd, true
	}
	host, reg := t.host(), t.image.Registry
	switch {
	case t.err.Kind == pullerror.TCPReset || t.err.Kind == pullerror.TransferEOF || t.err.Kind == pullerror.HeaderTimeout:
		return Finding{}, false // broken off, not blocked
	case t.err.Target == pullerror.TargetToken && !sameHost(host, reg):
		fd := t.finding(w, "token-realm-unreachable", Certain, fmt.Sprintf("%s answers, but its token service %s cannot be reached from %s (%s)", reg, host, nodesWords(t.nodes), plain(t.err)))
		fd.Key = "host " + host
		return fd, true
	case t.err.Target == pullerror.TargetCDN || t.err.Target == pullerror.TargetUnknown && storageHost(host):
		fd := t.finding(w, "blob-cdn-blocked", Certain, fmt.Sprintf("%s gave the manifest of %s, but %s, where it keeps the layers, cannot be reached from %s (%s)", reg, t.text, host, nodesWords(t.nodes), plain(t.err)))
		if fd.Key = "host " + host; t.lasted(f.Now) < nameAppears {
			fd.Class = SelfHealing // the storage may be back at the next attempt
		}
		return fd, true
	}
	return Finding{}, false
}

// storageHosts are parts of hosts that are known to hold layers and nothing else.
var storageHosts = []string{"production.cloudflare.docker.com", "production.cloudfront.docker.com", ".r2.cloudflarestorage.com", "starport-layer-bucket",
	".cdn.mscr.io", ".data.mcr.microsoft.com", "pkg-containers.githubusercontent.com", "prod-registry-k8s-io-"}

func storageHost(host string) bool {
	return slices.ContainsFunc(storageHosts, func(s string) bool { return strings.Contains(host, s) })
}

// sameHost compares without port.
func sameHost(a, b string) bool {
	a, _ = keyring.SplitPort(a)
	b, _ = keyring.SplitPort(b)
	return strings.EqualFold(a, b)
}

// judgeConnection handles hosts that resolve and cannot be talked to.
func judgeConnection(f *facts.Facts, w *facts.Workload, t *trouble) []Finding {
	if fd, ok := otherHost(f, w, t); ok {
		return []Finding{fd}
	}
	if fd, ok := localhostReference(f, w, t); ok {
		return []Finding{fd}
	}
	s := scopeOf(f, t)
	host, at := t.host(), ""
	if t.err.Dial != "" && t.err.Dial != host {
		at = " at " + t.err.Dial
	}
	where := nodesWords(t.nodes)
	code, summary := "", ""
	if t.err.Wrapper == "RegistryUnavailable" {
		return judgeService(f, w, t)
	}
	switch t.err.Kind {
	case pullerror.TCPRefused:
		code, summary = "tcp-refused", fmt.Sprintf("%s%s refuses connections from %s", host, at, where)
	case pullerror.TCPReset:
		code, summary = "tcp-reset", fmt.Sprintf("the connection from %s to %s%s is cut off by a reset", where, host, at)
	case pullerror.NoRoute:
		code, summary = "no-route-or-no-ip-family", fmt.Sprintf("%s has no route to %s%s%s", where, host, at, familyWords(t))
	case pullerror.HandshakeTime:
		code, summary = "tls-handshake-timeout", fmt.Sprintf("%s accepts connections from %s but does not finish the TLS handshake", host, where)
	case pullerror.HeaderTimeout:
		code, summary = "response-header-timeout", fmt.Sprintf("%s takes the request from %s and does not answer it in time", host, where)
	case pullerror.TransferEOF:
		code, summary = "mid-transfer-eof", fmt.Sprintf("the download of %s from %s breaks off before its end", t.text, host)
	default:
		code, summary = "tcp-timeout", fmt.Sprintf("%s%s does not answer %s: packets get lost on the way", host, at, where)
		if t.err.Kind == pullerror.RequestTimeout {
			summary = fmt.Sprintf("%s%s did not answer %s in time", host, at, where)
		}
	}
	return []Finding{s.apply(t.finding(w, code, Certain, summary))}
}

// localhostReference: on the node, localhost is the node.
func localhostReference(f *facts.Facts, w *facts.Workload, t *trouble) (Finding, bool) {
	host, _ := keyring.SplitPort(t.image.Registry)
	if !loopback(host) || t.err.Kind != pullerror.TCPRefused && t.err.Kind != pullerror.TCPTimeout && t.err.Kind != pullerror.NoRoute {
		return Finding{}, false
	}
	if f.RanElsewhere(t.image, t.nodes) != nil {
		return Finding{}, false // other nodes do have a registry there
	}
	fd := t.finding(w, "registry-localhost-reference", Certain, fmt.Sprintf("image %s names localhost, which on %s is the node itself, and no registry listens there (%s)", t.text, nodesWords(t.nodes), plain(t.err)))
	fd.Key = "registry " + t.image.Registry
	return fd, true
}

func loopback(host string) bool {
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	a, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil && a.IsLoopback()
}

// familyWords points out an address family that the node has no address of.
func familyWords(t *trouble) string {
	host, _ := keyring.SplitPort(t.err.Dial)
	a, err := netip.ParseAddr(strings.Trim(host, "[]"))
	node := t.pod().Node
	if err != nil || node == nil {
		return ""
	}
	known := slices.ContainsFunc(node.Status.Addresses, func(x corev1.NodeAddress) bool { return x.Type == corev1.NodeInternalIP })
	same := slices.ContainsFunc(node.Status.Addresses, func(x corev1.NodeAddress) bool {
		b, err := netip.ParseAddr(x.Address)
		return x.Type == corev1.NodeInternalIP && err == nil && a.Is4() == b.Is4()
	})
	if !known || same {
		return ""
	}
	if a.Is4() {
		return ": the address is IPv4 and the node has IPv6 only"
	}
	return ": the address is IPv6 and the node has IPv4 only"
}
