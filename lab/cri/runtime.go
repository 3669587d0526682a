package cri

import (
	"context"
	"crypto/sha256"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	api "k8s.io/cri-api/pkg/apis/runtime/v1"

	"github.com/unjam-dev/unjam/lab/script"
)

// Ports tells which ports the probes of a container dial. The runtime listens on
// them, because real prober code above it makes real connections.
type Ports func(ctx context.Context, namespace, pod, container string) ([]int, error)

// Runtime is the sandbox and container half of the runtime.
type Runtime struct {
	player *script.Player
	images *Images
	ports  Ports
	nodeIP netip.Addr

	mu         sync.Mutex
	nextIP     netip.Addr
	seq        int
	sandboxes  map[string]*sandbox
	containers map[string]*container
}

// NewRuntime returns an empty runtime that gives out pod addresses from the range.
func NewRuntime(p *script.Player, images *Images, nodeIP netip.Addr, pods netip.Prefix, ports Ports) *Runtime {
	return &Runtime{
		player: p, images: images, ports: ports, nodeIP: nodeIP,
		nextIP:    pods.Addr().Next().Next(), // .1 is the gateway on a real node
		sandboxes: map[string]*sandbox{}, containers: map[string]*container{},
	}
}

type sandbox struct {
	id      string
	config  *api.PodSandboxConfig
	created time.Time
	ready   bool
	ip      netip.Addr
	host    bool
	handler string
}

func (s *sandbox) pod() string { return s.config.Metadata.Namespace + "/" + s.config.Metadata.Name }

func (s *sandbox) state() api.PodSandboxState {
	if s.ready {
		return api.PodSandboxState_SANDBOX_READY
	}
	return api.PodSandboxState_SANDBOX_NOTREADY
}

func (r *Runtime) id(kind string) string {
	r.seq++
	// Like a runtime's: 64 hexadecimal digits that differ from the first on, since
	// people and programs shorten them.
	return fmt.Sprintf("%x", sha256.Sum256(fmt.Append(nil, r.nodeIP, kind, r.seq, time.Now())))
}

// Version names the runtime, as it appears in the node's status.
func (r *Runtime) Version(context.Context, string) (*api.VersionResponse, error) {
	return &api.VersionResponse{Version: "0.1.0", RuntimeName: "scripted", RuntimeVersion: "1.0.0", RuntimeApiVersion: "v1"}, nil
}

// Status says that runtime and network are ready.
func (r *Runtime) Status(context.Context, bool) (*api.StatusResponse, error) {
	return &api.StatusResponse{Status: &api.RuntimeStatus{Conditions: []*api.RuntimeCondition{
		{Type: api.RuntimeReady, Status: true}, {Type: api.NetworkReady, Status: true},
	}}}, nil
}

// RunPodSandbox makes a sandbox with an address, or fails as the script says.
func (r *Runtime) RunPodSandbox(ctx context.Context, config *api.PodSandboxConfig, handler string) (string, error) {
	answer := r.player.Sandbox(config.Metadata.Namespace + "/" + config.Metadata.Name)
	if err := pause(ctx, time.Duration(answer.Delay)); err != nil {
		return "", status.FromContextError(err).Err()
	}
	if answer.Error != "" {
		return "", status.Error(codes.Unknown, answer.Error)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	s := &sandbox{id: r.id("sandbox"), config: config, created: time.Now(), ready: true, handler: handler}
	if config.GetLinux().GetSecurityContext().GetNamespaceOptions().GetNetwork() == api.NamespaceMode_NODE {
		s.host, s.ip = true, r.nodeIP
	} else {
		s.ip, r.nextIP = r.nextIP, r.nextIP.Next()
	}
	r.sandboxes[s.id] = s
	return s.id, nil
}

// StopPodSandbox ends the sandbox and what runs in it.
func (r *Runtime) StopPodSandbox(_ context.Context, id string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if s := r.sandboxes[id]; s != nil {
		s.ready = false
	}
	for _, c := range r.containers {
		if c.sandbox.id == id {
			c.exit(137, "Error", "")
		}
	}
	return nil
}

// RemovePodSandbox forgets the sandbox and its containers.
func (r *Runtime) RemovePodSandbox(ctx context.Context, id string) error {
	if err := r.StopPodSandbox(ctx, id); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for cid, c := range r.containers {
		if c.sandbox.id == id {
			delete(r.containers, cid)
		}
	}
	delete(r.sandboxes, id)
	return nil
}

// PodSandboxStatus describes one sandbox.
func (r *Runtime) PodSandboxStatus(_ context.Context, id string, _ bool) (*api.PodSandboxStatusResponse, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.sandboxes[id]
	if s == nil {
		return nil, status.Errorf(codes.NotFound, "an error occurred when try to find sandbox: not found")
	}
	st := &api.PodSandboxStatus{
		Id: s.id, Metadata: s.config.Metadata, State: s.state(), CreatedAt: s.created.UnixNano(),
		Labels: s.config.Labels, Annotations: s.config.Annotations, RuntimeHandler: s.handler,
		Linux: &api.LinuxPodSandboxStatus{Namespaces: &api.Namespace{Options: s.config.GetLinux().GetSecurityContext().GetNamespaceOptions()}},
	}
	if !s.host {
		// A host-network sandbox has no address of its own; the kubelet uses the node's.
		st.Network = &api.PodSandboxNetworkStatus{Ip: s.ip.String()}
	}
	return &api.PodSandboxStatusResponse{Status: st}, nil
}

// ListPodSandbox lists sandboxes by id, state and labels.
func (r *Runtime) ListPodSandbox(_ context.Context, f *api.PodSandboxFilter) ([]*api.PodSandbox, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var list []*api.PodSandbox
	for _, s := range r.sandboxes {
		if f != nil {
			if f.Id != "" && f.Id != s.id || f.State != nil && f.State.State != s.state() || !hasLabels(s.config.Labels, f.LabelSelector) {
				continue
			}
		}
		list = append(list, &api.PodSandbox{
			Id: s.id, Metadata: s.config.Metadata, State: s.state(), CreatedAt: s.created.UnixNano(),
			Labels: s.config.Labels, Annotations: s.config.Annotations, RuntimeHandler: s.handler,
		})
	}
	return list, nil
}

func hasLabels(have, want map[string]string) bool {
	for k, v := range want {
		if have[k] != v {
			return false
		}
	}
	return true
}
