// Package cluster brings up a real Kubernetes on one Linux machine and takes it
// down again. The whole lab lives in its own PID, mount and network namespace
// under one process, so that ending this process ends everything: no route,
// mount or process of the host changes, and several labs run side by side.
//
//	host ── 127.0.0.1:PORT ── unix socket ──┐
//	  lab host (forwards)                   │  lab init (PID 1 of the lab)
//	                                        ├─ labkube control-plane   10.77.0.1:6443
//	                                        ├─ labfaults               10.77.0.1:53, 5000…
//	                                        ├─ labkube hollow-node     10.77.0.11…   or
//	                                        └─ lab node                10.77.0.11…   own namespaces:
//	                                             containerd, kubelet, pods
package cluster

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// NodeKind says what the lab's nodes are.
type NodeKind string

// The kinds of nodes.
const (
	// None gives a control plane only.
	None NodeKind = "none"
	// Hollow nodes run the real kubelet's code on a scripted runtime; no root.
	Hollow NodeKind = "hollow"
	// Real nodes run kubelet, containerd and runc in namespaces of their own; root.
	Real NodeKind = "real"
)

// Options describe a lab. The zero value is a lab called "lab" without nodes.
type Options struct {
	// Name tells labs apart: 1 to 20 lower-case letters, digits and dashes.
	Name string `json:"name"`
	// Dir holds the lab's state; default: unjam-lab-UID-NAME in the temporary directory.
	Dir string `json:"dir"`
	// Cache holds what was built; default: unjam-lab in the user's cache directory.
	Cache string `json:"cache"`
	// Nodes and Count (default 1 hollow node, 2 real ones) say which nodes run.
	Nodes NodeKind `json:"nodes"`
	Count int      `json:"count"`
	// Sim adds this many nodes that only exist in the API, kept by kwok.
	Sim int `json:"sim"`
	// SerializePulls makes kubelets pull one image at a time, their default
	// outside the lab. One hanging registry then blocks every other pull.
	SerializePulls bool `json:"serializePulls,omitempty"`
	// Still leaves out the controllers that change workloads or nodes, so that a
	// fleet put into etcd (cmd/labload) stays as it is.
	Still bool `json:"still,omitempty"`
	// Containerd is the runtime of real nodes: "2.4", the default, is built from
	// its module; "1.6" is Debian 12's package, which words failures differently.
	Containerd string `json:"containerd,omitempty"`
	// Source is the lab module's directory; found when empty.
	Source string `json:"-"`
	// Progress receives a line per step; nil discards them.
	Progress io.Writer `json:"-"`
}

// ErrUnable marks a machine on which this kind of lab cannot run. The text says why.
var ErrUnable = errors.New("this machine cannot run such a lab")

var goodName = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,18}[a-z0-9])?$`)

func (o Options) complete() (Options, error) {
	if o.Name == "" {
		o.Name = "lab"
	}
	if !goodName.MatchString(o.Name) {
		return o, fmt.Errorf("name %q: use 1 to 20 lower-case letters, digits and dashes", o.Name)
	}
	if o.Nodes == "" {
		o.Nodes = None
	}
	switch o.Nodes {
	case None:
		o.Count = 0
	case Hollow, Real:
		if o.Count == 0 {
			o.Count = map[NodeKind]int{Hollow: 1, Real: 2}[o.Nodes]
		}
	default:
		return o, fmt.Errorf("nodes %q: use none, hollow or real", o.Nodes)
	}
	switch o.Containerd {
	case "2.4":
		o.Containerd = ""
	case "", "1.6":
	default:
		return o, fmt.Errorf("containerd %q: use 2.4 or 1.6", o.Containerd)
	}
	if o.Count < 0 || o.Count > maxNodes {
		return o, fmt.Errorf("count %d: at most %d nodes", o.Count, maxNodes)
	}
	if o.Sim < 0 || o.Sim > 5000 {
		return o, fmt.Errorf("sim %d: at most 5000 simulated nodes", o.Sim)
	}
	if o.Dir == "" {
		o.Dir = filepath.Join(os.TempDir(), fmt.Sprintf("unjam-lab-%d-%s", os.Getuid(), o.Name))
	}
	if o.Cache == "" {
		base, err := os.UserCacheDir()
		if err != nil {
			return o, fmt.Errorf("no cache directory: %w", err)
		}
		o.Cache = filepath.Join(base, "unjam-lab")
	}
	for _, p := range []*string{&o.Dir, &o.Cache} {
		abs, err := filepath.Abs(*p)
		if err != nil {
			return o, err
		}
		*p = abs
	}
	for _, dir := range alwaysHidden {
		if within(o.Dir, dir) || within(o.Cache, dir) {
			return o, fmt.Errorf("the lab hides %s from its programs: use other directories than %s and %s", dir, o.Dir, o.Cache)
		}
	}
	if len(o.Dir) > 80 {
		return o, fmt.Errorf("directory %s: the path is too long for a socket in it", o.Dir)
	}
	if o.Progress == nil {
		o.Progress = io.Discard
	}
	return o, nil
}

// alwaysHidden are directories that the lab covers with its own, so that kubelets and
// runtimes leave nothing in the machine's.
var alwaysHidden = []string{"/run", "/var/log"}

// hidden adds /var/lib, except where the lab's own files are in it.
func (o Options) hidden() []string {
	if within(o.Dir, "/var/lib") || within(o.Cache, "/var/lib") {
		return alwaysHidden
	}
	return append(slices.Clone(alwaysHidden), "/var/lib")
}

func within(path, dir string) bool { return path == dir || strings.HasPrefix(path, dir+"/") }

func (o Options) step(format string, args ...any) { fmt.Fprintf(o.Progress, format+"\n", args...) }

// The lab's network plan. It is the same in every lab, since each has its own
// network namespace.
const (
	gateway    = "10.77.0.1" // control plane, registries, DNS
	lanBits    = 24
	podNet     = "10.244.0.0/16"
	maxNodes   = 50
	apiPort    = 6443
	firstNode  = 11 // 10.77.0.11 is node-1
	bridgeName = "lab0"
)

// node is one place in the plan; index counts from 1.
type node struct {
	index int
	name  string
}

func (o Options) nodes() []node {
	list := make([]node, o.Count)
	for i := range list {
		list[i] = node{index: i + 1, name: fmt.Sprintf("node-%d", i+1)}
	}
	return list
}

func (n node) ip() netip.Addr {
	return netip.AddrFrom4([4]byte{10, 77, 0, byte(firstNode + n.index - 1)})
}
func (n node) podCIDR() netip.Prefix {
	return netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 244, byte(n.index), 0}), 24)
}
func (n node) zone() string { return "zone-" + string(rune('a'+(n.index-1)%3)) }

// layout names the files of a lab.
type layout string

func (d layout) path(parts ...string) string {
	return filepath.Join(append([]string{string(d)}, parts...)...)
}
func (d layout) pki(name string) string { return d.path("pki", name) }
func (d layout) log(name string) string { return d.path("logs", name+".log") }

// ram is a tmpfs that only the lab sees: etcd's data, the nodes' images and pods.
func (d layout) ram(parts ...string) string { return d.path(append([]string{"ram"}, parts...)...) }
