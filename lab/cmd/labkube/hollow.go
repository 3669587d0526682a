//go:build providerless

package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	cadvisorapi "github.com/google/cadvisor/lib/model"
	"github.com/spf13/cobra"
	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/client-go/kubernetes"
	"k8s.io/klog/v2"
	"k8s.io/kubernetes/cmd/kubelet/app/options"
	kubeletconfig "k8s.io/kubernetes/pkg/kubelet/apis/config"
	cadvisortest "k8s.io/kubernetes/pkg/kubelet/cadvisor/testing"
	"k8s.io/kubernetes/pkg/kubelet/cm"
	kubecontainer "k8s.io/kubernetes/pkg/kubelet/container"
	"k8s.io/kubernetes/pkg/kubelet/server"
	"k8s.io/kubernetes/pkg/kubemark"

	"github.com/unjam-dev/unjam/lab/cri"
	"github.com/unjam-dev/unjam/lab/script"
)

// hollowNode is the real kubelet on a scripted runtime. One process holds one:
// the kubelet's metrics register only once.
type hollowNode struct {
	name, ip, pods  string
	dir, script     string
	kubeconfig      string
	ca, cert, key   string
	cpus            int
	memoryMiB       uint64
	maxPods         int
	serializedPulls bool
	labels          map[string]string
}

func hollowCommand() *cobra.Command {
	var h hollowNode
	c := plain("hollow-node", func(c *cobra.Command) error {
		ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
		defer stop()
		return h.run(ctx)
	})
	f := c.Flags()
	f.StringVar(&h.name, "name", "", "node name")
	f.StringVar(&h.ip, "ip", "", "node address; must exist on an interface")
	f.StringVar(&h.pods, "pod-cidr", "", "range of pod addresses; must be local so that probes reach them")
	f.StringVar(&h.dir, "dir", "", "state directory")
	f.StringVar(&h.script, "script", "", "script file for the runtime (JSON, read again when it changes)")
	f.StringVar(&h.kubeconfig, "kubeconfig", "", "the node's kubeconfig")
	f.StringVar(&h.ca, "ca", "", "CA of clients of the kubelet's server")
	f.StringVar(&h.cert, "cert", "", "serving certificate")
	f.StringVar(&h.key, "key", "", "key of the serving certificate")
	f.IntVar(&h.cpus, "cpus", 4, "capacity in cores")
	f.Uint64Var(&h.memoryMiB, "memory-mib", 8192, "capacity in MiB of memory")
	f.IntVar(&h.maxPods, "max-pods", 110, "capacity in pods")
	f.BoolVar(&h.serializedPulls, "serialize-pulls", false, "pull one image at a time")
	f.StringToStringVar(&h.labels, "labels", nil, "node labels")
	return c
}

func (h hollowNode) run(ctx context.Context) error {
	ip, err := netip.ParseAddr(h.ip)
	if err != nil {
		return fmt.Errorf("--ip: %w", err)
	}
	pods, err := netip.ParsePrefix(h.pods)
	if err != nil {
		return fmt.Errorf("--pod-cidr: %w", err)
	}
	client, err := newClient(h.kubeconfig)
	if err != nil {
		return err
	}
	flags, conf := kubemark.GetHollowKubeletConfig(&kubemark.HollowKubeletOptions{
		NodeName: h.name, KubeletPort: 10250, MaxPods: h.maxPods, NodeLabels: h.labels,
	})
	if err := h.rehome(flags, conf); err != nil {
		return err
	}
	flags.NodeIP, conf.Address = h.ip, h.ip
	conf.FailCgroupV1 = false
	conf.ClusterDNS = []string{"10.96.0.10"} // without one, every pod gets a warning event
	conf.ClusterDomain = "cluster.local"
	conf.SerializeImagePulls = h.serializedPulls
	conf.RegistryPullQPS = 0 // no limit; the default of 5/s adds its own errors to a busy lab
	conf.ProviderID = ""
	conf.EventRecordQPS = 50
	conf.EventBurst = 100

	player := script.NewPlayer(h.script)
	images := cri.NewImages(player)
	runtime := cri.NewRuntime(player, images, ip, pods, probePorts(client))
	machine := &machine{Fake: cadvisortest.Fake{NodeName: h.name}, cpus: h.cpus, memory: h.memoryMiB << 20}
	hk := kubemark.NewHollowKubelet(flags, conf, client, client, machine, images, runtime, cm.NewStubContainerManager())
	d := hk.KubeletDeps
	d.Recorder, d.EventClient = nil, client.CoreV1() // the default recorder swallows all events
	d.ProbeManager = nil                             // the real prober; the runtime answers it
	d.OSInterface = kubecontainer.RealOS{}           // logs are real files
	d.TLSOptions = &server.TLSOptions{CertFile: h.cert, KeyFile: h.key, ClientCAFile: h.ca, MinVersion: tls.VersionTLS12}

	go func() {
		<-ctx.Done()
		klog.Flush()
		os.Exit(0)
	}()
	hk.Run(ctx)
	return nil
}

// rehome moves the kubelet's directories out of /tmp, where the hollow configuration
// has just made them, into the node's own.
func (h hollowNode) rehome(flags *options.KubeletFlags, conf *kubeletconfig.KubeletConfiguration) error {
	if err := os.RemoveAll(flags.RootDirectory); err != nil {
		return err
	}
	flags.RootDirectory = h.dir
	conf.StaticPodPath, conf.PodLogsDir = filepath.Join(h.dir, "static-pods"), filepath.Join(h.dir, "pod-logs")
	return errors.Join(os.MkdirAll(conf.StaticPodPath, 0o755), os.MkdirAll(conf.PodLogsDir, 0o755))
}

// probePorts reads the pod, since a runtime is not told which ports probes dial.
func probePorts(client kubernetes.Interface) cri.Ports {
	return func(ctx context.Context, namespace, pod, container string) ([]int, error) {
		ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
		defer cancel()
		p, err := client.CoreV1().Pods(namespace).Get(ctx, pod, metav1.GetOptions{})
		if err != nil {
			return nil, err
		}
		for _, c := range append(p.Spec.InitContainers, p.Spec.Containers...) {
			if c.Name == container {
				return portsOf(c), nil
			}
		}
		return nil, nil
	}
}

func portsOf(c v1.Container) []int {
	seen := map[int]bool{}
	var list []int
	add := func(p intstr.IntOrString) {
		n := p.IntValue()
		for _, named := range c.Ports {
			if p.Type == intstr.String && named.Name == p.StrVal {
				n = int(named.ContainerPort)
			}
		}
		if n > 0 && !seen[n] {
			seen[n] = true
			list = append(list, n)
		}
	}
	for _, p := range []*v1.Probe{c.StartupProbe, c.LivenessProbe, c.ReadinessProbe} {
		switch {
		case p == nil:
		case p.HTTPGet != nil:
			add(p.HTTPGet.Port)
		case p.TCPSocket != nil:
			add(p.TCPSocket.Port)
		}
	}
	return list
}

// machine is a cAdvisor with the capacity the lab wants.
type machine struct {
	cadvisortest.Fake
	cpus   int
	memory uint64
}

// MachineInfo is what becomes the node's capacity.
func (m *machine) MachineInfo(klog.Logger) (*cadvisorapi.MachineInfo, error) {
	return &cadvisorapi.MachineInfo{
		NumCores: m.cpus, MemoryCapacity: m.memory,
		MachineID: m.NodeName, SystemUUID: m.NodeName, BootID: m.NodeName,
	}, nil
}

// VersionInfo is shown in the node's status.
func (m *machine) VersionInfo() (*cadvisorapi.VersionInfo, error) {
	return &cadvisorapi.VersionInfo{KernelVersion: "hollow", ContainerOsVersion: "hollow"}, nil
}

// RootFsInfo becomes the node's ephemeral storage.
func (m *machine) RootFsInfo() (cadvisorapi.FsInfo, error) { return disk(), nil }

// ImagesFsInfo is the same disk.
func (m *machine) ImagesFsInfo(context.Context) (cadvisorapi.FsInfo, error) { return disk(), nil }

// ContainerFsInfo is the same disk.
func (m *machine) ContainerFsInfo(context.Context) (cadvisorapi.FsInfo, error) { return disk(), nil }

// GetDirFsInfo is the same disk.
func (m *machine) GetDirFsInfo(string) (cadvisorapi.FsInfo, error) { return disk(), nil }

func disk() cadvisorapi.FsInfo {
	inodes, free := uint64(1<<24), uint64(1<<24-1000)
	return cadvisorapi.FsInfo{
		Timestamp: time.Now(), Device: "/dev/hollow", Mountpoint: "/",
		Capacity: 100 << 30, Available: 90 << 30, Usage: 10 << 30, Inodes: &inodes, InodesFree: &free,
	}
}
