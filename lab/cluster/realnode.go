package cluster

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Node is PID 1 of a real node. It waits on standard input for "network" (its eth0
// has arrived) and "kubelet" (the API server is ready).
func Node(dir, name string) error {
	s, err := readSpec(dir)
	if err != nil {
		return err
	}
	for _, n := range s.nodes() {
		if n.name == name {
			return realNode{d: layout(dir), s: s, node: n, family: newFamily()}.run()
		}
	}
	return fmt.Errorf("no node %q", name)
}

type realNode struct {
	node
	d      layout
	s      spec
	family *family
}

func (n realNode) path(parts ...string) string {
	return n.d.ram(append([]string{"nodes", n.name}, parts...)...)
}

func (n realNode) run() error {
	in := bufio.NewScanner(os.Stdin)
	await := func(word string) error {
		if !in.Scan() || in.Text() != word {
			return fmt.Errorf("waited for %q, got %q (%v)", word, in.Text(), in.Err())
		}
		return nil
	}
	if err := n.mounts(); err != nil {
		return err
	}
	if err := unix.Sethostname([]byte(n.name)); err != nil {
		return err
	}
	if err := await("network"); err != nil {
		return err
	}
	if err := nodeNetwork(n.node); err != nil {
		return fmt.Errorf("network: %w", err)
	}
	if err := n.configure(); err != nil {
		return err
	}
	containerd, err := n.startContainerd()
	if err != nil {
		return err
	}
	if err := await("kubelet"); err != nil {
		return err
	}
	kubelet, err := n.family.start("kubelet", n.d.log(n.name+".kubelet"), n.command("kubelet",
		"--config="+n.path("etc", "kubelet.yaml"), "--kubeconfig="+n.d.path(n.name+".kubeconfig"), "--hostname-override="+n.name,
		"--node-ip="+n.ip().String(), "--root-dir="+n.path("kubelet"), "--node-labels="+labels(n.node, Real)))
	if err != nil {
		return err
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)
	select {
	case <-stop:
		return nil
	case <-containerd.done:
		return errors.New("containerd ended")
	case <-kubelet.done:
		return errors.New("kubelet ended")
	}
}

// mounts makes the node's view of the file system: its own /proc and cgroups, and
// empty run-time directories in which containerd and CNI may write.
func (n realNode) mounts() error {
	list, err := hierarchies()
	if err != nil {
		return err
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return err
	}
	// Mount propagation into pods needs a shared root.
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_SHARED, ""); err != nil {
		return err
	}
	const flags = unix.MS_NOSUID | unix.MS_NODEV
	if err := unix.Mount("proc", "/proc", "proc", flags|unix.MS_NOEXEC, ""); err != nil {
		return err
	}
	if err := os.MkdirAll("/var/lib/cni", 0o755); err != nil {
		return err
	}
	for _, dir := range []string{"/run", "/var/log", "/var/lib/cni"} {
		if err := unix.Mount("tmpfs", dir, "tmpfs", flags, "mode=755"); err != nil {
			return fmt.Errorf("tmpfs on %s: %w", dir, err)
		}
		if err := unix.Mount("", dir, "", unix.MS_SHARED, ""); err != nil {
			return err
		}
	}
	if err := os.MkdirAll("/run/netns", 0o755); err != nil {
		return err
	}
	return remountCgroups(list)
}

func (n realNode) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(n.s.Bin.path(name), args...)
	cmd.Dir = n.path()
	// containerd finds its shim and runc on PATH.
	cmd.Env = []string{"PATH=" + n.s.Bin.Dir + ":/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=" + n.path(), "TMPDIR=/run"}
	return cmd
}

// startContainerd returns when the runtime answers and holds the sandbox image.
func (n realNode) startContainerd() (*child, error) {
	c, err := n.family.start("containerd", n.d.log(n.name+".containerd"), n.command("containerd", "--config", n.path("etc", "containerd.toml")))
	if err != nil {
		return nil, err
	}
	for until := time.Now().Add(30 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		conn, err := net.Dial("unix", containerdSocket)
		if err == nil {
			conn.Close()
			break
		}
		if time.Now().After(until) {
			return nil, fmt.Errorf("containerd does not answer: %w", err)
		}
	}
	load, err := n.family.start("load", n.d.log(n.name+".load"), n.command("ctr", "--address", containerdSocket, "--namespace", "k8s.io",
		"images", "import", n.d.path("pause.tar")))
	if err != nil {
		return nil, err
	}
	<-load.done
	if load.Ended != "exit status 0" {
		return nil, fmt.Errorf("loading the pause image: %s: %s", load.Ended, tail(n.d.log(n.name+".load"), 3))
	}
	return c, nil
}

const (
	containerdSocket = "/run/containerd/containerd.sock"
	pauseImage       = "registry.lab:5000/pause:3.10"
)

// configure writes the configuration of resolver, CNI, containerd and kubelet.
func (n realNode) configure() error {
	for file, text := range map[string]string{
		"resolv.conf":         "nameserver " + gateway + "\noptions timeout:2 attempts:2\n",
		"cni/10-lab.conflist": n.cniConfig(),
		"containerd.toml":     n.containerdConfig(),
		"kubelet.yaml":        n.kubeletConfig(),
	} {
		path := n.path("etc", file)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			return err
		}
	}
	// A symbolic link would point into the directories hidden above.
	target, err := filepath.EvalSymlinks("/etc/resolv.conf")
	if err != nil {
		return fmt.Errorf("this machine's /etc/resolv.conf: %w", err)
	}
	return unix.Mount(n.path("etc", "resolv.conf"), target, "", unix.MS_BIND, "")
}

func (n realNode) cniConfig() string {
	return fmt.Sprintf(`{"cniVersion": "1.0.0", "name": "lab", "plugins": [
  {"type": "bridge", "bridge": "cni0", "isGateway": true, "ipMasq": false, "hairpinMode": true,
   "ipam": {"type": "host-local", "dataDir": %q, "ranges": [[{"subnet": %q}]], "routes": [{"dst": "0.0.0.0/0"}]}},
  {"type": "portmap", "capabilities": {"portMappings": true}}
]}
`, n.path("cni"), n.podCIDR())
}

// containerdConfig: without CAP_SYS_RESOURCE, which containers lack, runc fails to
// lower OOM scores, hence restrict_oom_score_adj.
func (n realNode) containerdConfig() string {
	if n.s.Containerd == "1.6" {
		return n.containerdConfig16()
	}
	return fmt.Sprintf(`version = 3
root = %q
state = "/run/containerd"
[grpc]
  address = %q
[plugins."io.containerd.internal.v1.opt"]
  path = %q
[plugins."io.containerd.cri.v1.images"]
  [plugins."io.containerd.cri.v1.images".pinned_images]
    sandbox = %q
  [plugins."io.containerd.cri.v1.images".registry]
    config_path = %q
[plugins."io.containerd.cri.v1.runtime"]
  restrict_oom_score_adj = true
  [plugins."io.containerd.cri.v1.runtime".cni]
    bin_dirs = [%q]
    conf_dir = %q
  [plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc.options]
      SystemdCgroup = false
`, n.path("containerd"), containerdSocket, n.path("opt"), pauseImage, n.d.path("certs.d"), cniPlugins(), n.path("etc", "cni"))
}

// containerdConfig16 says the same in the format of containerd 1.x.
func (n realNode) containerdConfig16() string {
	return fmt.Sprintf(`version = 2
root = %q
state = "/run/containerd"
[grpc]
  address = %q
[plugins."io.containerd.internal.v1.opt"]
  path = %q
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = %q
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".registry]
    config_path = %q
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = %q
    conf_dir = %q
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
      SystemdCgroup = false
`, n.path("containerd"), containerdSocket, n.path("opt"), pauseImage, n.d.path("certs.d"), cniPlugins(), n.path("etc", "cni"))
}

func (n realNode) kubeletConfig() string {
	return strings.Join([]string{
		"apiVersion: kubelet.config.k8s.io/v1beta1",
		"kind: KubeletConfiguration",
		"address: 0.0.0.0",
		"authentication: {anonymous: {enabled: false}, webhook: {enabled: true}, x509: {clientCAFile: " + n.d.pki("ca.crt") + "}}",
		"authorization: {mode: Webhook}",
		"tlsCertFile: " + n.d.pki(n.name+".crt"),
		"tlsPrivateKeyFile: " + n.d.pki(n.name+".key"),
		"cgroupDriver: cgroupfs",
		"failCgroupV1: false",
		"failSwapOn: false",
		"containerRuntimeEndpoint: unix://" + containerdSocket,
		"clusterDNS: [10.96.0.10]",
		"clusterDomain: cluster.local",
		"resolvConf: " + n.path("etc", "resolv.conf"),
		"podLogsDir: " + n.path("podlogs"),
		"volumePluginDir: " + n.path("plugins"),
		// The lab's disk is memory of a shared machine: evict only when it is full.
		`evictionHard: {memory.available: "50Mi", nodefs.available: "1%", imagefs.available: "1%"}`,
		"imageGCHighThresholdPercent: 100",
		fmt.Sprintf("serializeImagePulls: %v", n.s.SerializePulls),
		// No limit; the default of 5/s adds its own errors to a busy lab.
		"registryPullQPS: 0",
		"nodeStatusUpdateFrequency: 5s",
		"",
	}, "\n")
}

// cniPlugins is where Debian, and most others, put them.
func cniPlugins() string {
	for _, dir := range []string{"/usr/lib/cni", "/opt/cni/bin", "/usr/libexec/cni"} {
		if _, err := os.Stat(filepath.Join(dir, "bridge")); err == nil {
			return dir
		}
	}
	return "/usr/lib/cni"
}
