package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// inside is PID 1 of a lab.
type inside struct {
	d      layout
	s      spec
	family *family
	groups []hierarchy // of real nodes

	mu    sync.Mutex // one node starts at a time: starting moves this process between cgroups
	leash map[string]*os.File
}

// Init sets up the lab's namespaces, starts everything, and stays. It runs as PID 1
// of the lab; its end ends the lab.
func Init(dir string) error {
	s, err := readSpec(dir)
	if err != nil {
		return err
	}
	go func() {
		io.Copy(io.Discard, os.Stdin)
		os.Exit(0) // the host process is gone
	}()
	in := &inside{d: layout(dir), s: s, family: newFamily(), leash: map[string]*os.File{}}
	if err := in.mounts(); err != nil {
		return err
	}
	if err := in.network(); err != nil {
		return fmt.Errorf("network: %w", err)
	}
	if err := in.serve(); err != nil {
		return err
	}
	go func() {
		if err := in.startAll(context.Background()); err != nil {
			fmt.Fprintln(os.Stderr, "lab:", err)
		}
	}()
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, os.Interrupt)
	<-stop
	return nil
}

// mounts hides the host's run-time directories, so that nothing inside leaves
// traces there, and adds the lab's own memory file system.
func (in *inside) mounts() error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make mounts private: %w", err)
	}
	if err := os.MkdirAll(in.d.ram(), 0o755); err != nil {
		return err
	}
	if err := unix.Mount("tmpfs", in.d.ram(), "tmpfs", unix.MS_NODEV, "mode=755"); err != nil {
		return fmt.Errorf("tmpfs on %s: %w", in.d.ram(), err)
	}
	for _, dir := range in.s.hidden() {
		if err := unix.Mount("tmpfs", dir, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "mode=755"); err != nil {
			return fmt.Errorf("tmpfs on %s: %w", dir, err)
		}
	}
	if err := unix.Mount("proc", "/proc", "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, ""); err != nil {
		if in.s.Nodes == Real {
			return fmt.Errorf("mount /proc: %w", err)
		}
		// Containers with a masked /proc forbid it; hollow nodes do without.
		fmt.Fprintln(os.Stderr, "lab: keeping the host's /proc:", err)
	}
	return nil
}

func (in *inside) network() error {
	if in.s.Nodes != Real {
		return loopbackNetwork(in.s.nodes())
	}
	list, err := hierarchies()
	if err != nil {
		return err
	}
	in.groups = list
	return bridgeNetwork()
}

// serve answers on two sockets that the host can open by path, which needs no
// right over the namespaces: the API server's connections, and control.
func (in *inside) serve() error {
	l, err := net.Listen("unix", in.d.path("api.sock"))
	if err != nil {
		return err
	}
	go forward(l, "tcp", fmt.Sprintf("127.0.0.1:%d", apiPort))
	c, err := net.Listen("unix", in.d.path("control.sock"))
	if err != nil {
		return err
	}
	go http.Serve(c, in.control())
	return nil
}

// control is GET /children and POST /nodes/{name}/{stop,start}.
func (in *inside) control() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /children", func(w http.ResponseWriter, _ *http.Request) {
		json.NewEncoder(w).Encode(in.family.list())
	})
	mux.HandleFunc("POST /nodes/{name}/{act}", func(w http.ResponseWriter, r *http.Request) {
		if err := in.act(r.PathValue("name"), r.PathValue("act")); err != nil {
			http.Error(w, err.Error(), http.StatusConflict)
		}
	})
	return mux
}

func (in *inside) act(name, act string) error {
	for _, n := range in.s.nodes() {
		if n.name != name {
			continue
		}
		c := in.family.find(name)
		switch {
		case act == "stop" && c != nil:
			return in.stopNode(n, c)
		case act == "start" && c != nil:
			if err := in.stopNode(n, c); err != nil {
				return err
			}
			return in.startNode(n, true)
		}
		return fmt.Errorf("cannot %s %s now", act, name)
	}
	return fmt.Errorf("no node %q", name)
}

// stopNode ends a node as a power cut does. Its cgroups go too: a kubelet that finds
// those of a former life tries in vain to look into each container.
func (in *inside) stopNode(n node, c *child) error {
	if err := in.family.stop(c); err != nil || in.s.Nodes != Real {
		return err
	}
	return removeCgroups(cgroupRoot(in.s.Name), n.name)
}

// startAll starts things in the order in which they need one another.
func (in *inside) startAll(ctx context.Context) error {
	if in.s.Nodes == Real {
		if err := in.startFaults(); err != nil {
			return err
		}
	}
	cp := in.command("labkube", "control-plane", "--dir", in.d.path(), "--advertise", gateway, "--etcd-dir", in.d.ram("etcd"))
	if in.s.Still {
		cp.Args = append(cp.Args, "--still")
	}
	if _, err := in.family.start("control-plane", in.d.log("control-plane"), cp); err != nil {
		return err
	}
	if in.s.Nodes == Real {
		// containerd starts while the API server does; kubelets follow.
		for _, n := range in.s.nodes() {
			if err := in.startNode(n, false); err != nil {
				return err
			}
		}
	}
	api, err := newAPI(in.d, apiPort)
	if err != nil {
		return err
	}
	if err := poll(ctx, 5*time.Minute, func() error { return api.get("/readyz", nil) }); err != nil {
		return fmt.Errorf("API server: %w", err)
	}
	if in.s.Nodes != Real {
		// Hollow nodes need no registries, but the webhooks and the control are there too.
		if err := in.startFaults(); err != nil {
			return err
		}
	}
	switch in.s.Nodes {
	case Hollow:
		for _, n := range in.s.nodes() {
			if err := in.startNode(n, true); err != nil {
				return err
			}
		}
	case Real:
		for _, n := range in.s.nodes() {
			if err := in.release(n); err != nil {
				return err
			}
		}
	}
	if in.s.Sim > 0 {
		return in.startSim(ctx, api)
	}
	return nil
}

func (in *inside) command(name string, args ...string) *exec.Cmd {
	file := in.s.Bin.path(name)
	if _, err := os.Stat(file); err != nil {
		file = name // a program of the system
	}
	cmd := exec.Command(file, args...)
	cmd.Dir = in.d.path()
	path := in.s.Bin.Dir + ":/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
	cmd.Env = []string{"PATH=" + path, "HOME=" + in.d.ram(), "TMPDIR=" + in.d.ram()}
	return cmd
}

func (in *inside) startFaults() error {
	if !in.s.Bin.Faults {
		return nil
	}
	args := []string{"--listen", gateway, "--control-socket", in.d.path("faults.sock"), "--state", in.d.path("faults"), "--programs", in.s.Bin.Dir}
	if _, err := in.family.start("labfaults", in.d.log("labfaults"), in.command("labfaults", args...)); err != nil {
		return err
	}
	if in.s.Nodes != Real {
		return nil
	}
	// One port of the registries swallows what is sent to it.
	c, err := in.family.start("blackhole", in.d.log("blackhole"),
		in.command("iptables", "-A", "INPUT", "-d", gateway, "-p", "tcp", "--dport", "5010", "-j", "DROP"))
	if err != nil {
		return err
	}
	<-c.done
	if c.Ended != "exit status 0" {
		return fmt.Errorf("iptables: %s: %s", c.Ended, tail(in.d.log("blackhole"), 3))
	}
	return nil
}

// startNode starts a node that is not running. A real one waits, after its
// runtime, for release before it starts the kubelet.
func (in *inside) startNode(n node, release bool) error {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.s.Nodes == Hollow {
		cmd := in.command("labkube", "hollow-node", "--name", n.name, "--ip", n.ip().String(), "--pod-cidr", n.podCIDR().String(),
			"--dir", in.d.ram("nodes", n.name), "--script", in.d.path("script.json"), "--kubeconfig", in.d.path(n.name+".kubeconfig"),
			"--ca", in.d.pki("ca.crt"), "--cert", in.d.pki(n.name+".crt"), "--key", in.d.pki(n.name+".key"),
			"--labels", labels(n, Hollow), "--max-pods=250", fmt.Sprintf("--serialize-pulls=%v", in.s.SerializePulls))
		_, err := in.family.start(n.name, in.d.log(n.name), cmd)
		return err
	}
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	defer r.Close()
	cmd := in.command("lab", "node", "--dir", in.d.path(), "--name", n.name)
	cmd.Stdin = r
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: unix.CLONE_NEWPID | unix.CLONE_NEWNS | unix.CLONE_NEWNET | unix.CLONE_NEWCGROUP | unix.CLONE_NEWUTS | unix.CLONE_NEWIPC,
	}
	// A cgroup namespace takes the cgroup of the moment as its root.
	if err := enterCgroup(in.groups, cgroupRoot(in.s.Name), n.name); err != nil {
		return err
	}
	c, err := in.family.start(n.name, in.d.log(n.name), cmd)
	back := enterCgroup(in.groups, cgroupRoot(in.s.Name), "control")
	if err := errors.Join(err, back); err != nil {
		w.Close()
		return err
	}
	if old := in.leash[n.name]; old != nil {
		old.Close()
	}
	in.leash[n.name] = w
	if err := plugIn(n, c.PID); err != nil {
		return fmt.Errorf("connect %s: %w", n.name, err)
	}
	line := "network\n"
	if release {
		line += "kubelet\n"
	}
	_, err = io.WriteString(w, line)
	return err
}

// release lets a real node start its kubelet.
func (in *inside) release(n node) error {
	in.mu.Lock()
	defer in.mu.Unlock()
	_, err := io.WriteString(in.leash[n.name], "kubelet\n")
	return err
}

func labels(n node, kind NodeKind) string {
	return strings.Join([]string{
		"topology.kubernetes.io/zone=" + n.zone(), "topology.kubernetes.io/region=lab", "unjam.dev/lab-node=" + string(kind),
	}, ",")
}

// tail returns the end of a log, for an error that must explain itself.
func tail(path string, lines int) string {
	b, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	all := strings.Split(strings.TrimSpace(string(b)), "\n")
	return filepath.Base(path) + ":\n  " + strings.Join(all[max(0, len(all)-lines):], "\n  ")
}
