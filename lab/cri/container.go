package cri

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	api "k8s.io/cri-api/pkg/apis/runtime/v1"
	remote "k8s.io/cri-client/pkg"
	"k8s.io/utils/exec"

	"github.com/unjam-dev/unjam/lab/script"
)

// container is one run; the kubelet makes a new one for every restart.
// Its fields are guarded by Runtime.mu.
type container struct {
	id       string
	sandbox  *sandbox
	config   *api.ContainerConfig
	life     script.Container
	imageID  string
	created  time.Time
	started  time.Time
	finished time.Time
	state    api.ContainerState
	code     int32
	reason   string
	message  string
	close    func() // closes the probe ports
}

func (c *container) exit(code int32, reason, message string) {
	if c.state == api.ContainerState_CONTAINER_EXITED {
		return
	}
	c.state, c.finished = api.ContainerState_CONTAINER_EXITED, time.Now()
	c.code, c.reason, c.message = code, reason, message
	if c.close != nil {
		c.close()
	}
}

func (c *container) logPath() string {
	return filepath.Join(c.sandbox.config.LogDirectory, c.config.LogPath)
}

// CreateContainer makes a container, or fails as the script says.
func (r *Runtime) CreateContainer(_ context.Context, sandboxID string, config *api.ContainerConfig, _ *api.PodSandboxConfig) (string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.sandboxes[sandboxID]
	if s == nil {
		return "", status.Errorf(codes.NotFound, "failed to find sandbox id %q: not found", sandboxID)
	}
	life := r.player.Container(s.pod(), config.Metadata.Name, userImage(config))
	if life.CreateError != "" {
		return "", status.Error(codes.Unknown, life.CreateError)
	}
	c := &container{
		id: r.id("container"), sandbox: s, config: config, life: life,
		imageID: config.Image.Image, created: time.Now(), state: api.ContainerState_CONTAINER_CREATED,
	}
	r.containers[c.id] = c
	return c.id, nil
}

// userImage is the reference as the pod wrote it; Image.Image is the id that the
// pull returned.
func userImage(config *api.ContainerConfig) string {
	if config.Image.UserSpecifiedImage != "" {
		return config.Image.UserSpecifiedImage
	}
	return config.Image.Image
}

// StartContainer starts the run: its log, its probe ports, and its end if it has one.
func (r *Runtime) StartContainer(ctx context.Context, id string) error {
	r.mu.Lock()
	c := r.containers[id]
	r.mu.Unlock()
	if c == nil {
		return notFound(id)
	}
	if c.life.StartError != "" {
		r.mu.Lock()
		defer r.mu.Unlock()
		// containerd records a failed start as an exit with 128 that never started.
		c.exit(128, "StartError", c.life.StartError)
		return status.Error(codes.Unknown, c.life.StartError)
	}
	ports, err := r.ports(ctx, c.sandbox.config.Metadata.Namespace, c.sandbox.config.Metadata.Name, c.config.Metadata.Name)
	if err != nil {
		return status.Errorf(codes.Unknown, "cannot learn the probe ports: %v", err)
	}
	if err := writeLog(c.logPath(), c.life.Log); err != nil {
		return status.Errorf(codes.Unknown, "cannot write the log: %v", err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	c.started, c.state = time.Now(), api.ContainerState_CONTAINER_RUNNING
	c.close = serveProbes(c.sandbox.ip, ports, c.life, c.started)
	if c.life.ExitAfter != nil {
		time.AfterFunc(time.Duration(*c.life.ExitAfter), func() {
			r.mu.Lock()
			defer r.mu.Unlock()
			c.exit(c.life.Exit, exitReason(c.life), "")
		})
	}
	return nil
}

func exitReason(life script.Container) string {
	switch {
	case life.Reason != "":
		return life.Reason
	case life.Exit == 0:
		return "Completed"
	}
	return "Error"
}

// writeLog appends lines in the CRI log format, which kubectl logs reads.
func writeLog(path string, lines []string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	for _, l := range lines {
		fmt.Fprintf(f, "%s stdout F %s\n", time.Now().UTC().Format(time.RFC3339Nano), l)
	}
	return f.Close()
}

// StopContainer ends the run, after the grace period when the script ignores TERM.
func (r *Runtime) StopContainer(ctx context.Context, id string, timeout int64) error {
	r.mu.Lock()
	c := r.containers[id]
	r.mu.Unlock()
	if c == nil {
		return nil
	}
	code := int32(143)
	if c.life.IgnoreTerm {
		code = 137
		if err := pause(ctx, time.Duration(timeout)*time.Second); err != nil {
			return status.FromContextError(err).Err()
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	c.exit(code, "Error", "")
	return nil
}

// RemoveContainer forgets a container.
func (r *Runtime) RemoveContainer(_ context.Context, id string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if c := r.containers[id]; c != nil {
		c.exit(137, "Error", "")
		delete(r.containers, id)
	}
	return nil
}

// ListContainers lists containers by id, sandbox, state and labels.
func (r *Runtime) ListContainers(_ context.Context, f *api.ContainerFilter) ([]*api.Container, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var list []*api.Container
	for _, c := range r.containers {
		if f != nil {
			if f.Id != "" && f.Id != c.id || f.PodSandboxId != "" && f.PodSandboxId != c.sandbox.id ||
				f.State != nil && f.State.State != c.state || !hasLabels(c.config.Labels, f.LabelSelector) {
				continue
			}
		}
		list = append(list, &api.Container{
			Id: c.id, PodSandboxId: c.sandbox.id, Metadata: c.config.Metadata, Image: c.config.Image,
			ImageRef: c.imageID, ImageId: c.imageID, State: c.state, CreatedAt: c.created.UnixNano(),
			Labels: c.config.Labels, Annotations: c.config.Annotations,
		})
	}
	return list, nil
}

// ContainerStatus describes one container.
func (r *Runtime) ContainerStatus(_ context.Context, id string, _ bool) (*api.ContainerStatusResponse, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.containers[id]
	if c == nil {
		return nil, notFound(id)
	}
	st := &api.ContainerStatus{
		Id: c.id, Metadata: c.config.Metadata, State: c.state, CreatedAt: c.created.UnixNano(),
		ExitCode: c.code, Reason: c.reason, Message: c.message,
		Image: &api.ImageSpec{Image: userImage(c.config)}, ImageRef: c.imageID, ImageId: c.imageID,
		Labels: c.config.Labels, Annotations: c.config.Annotations, Mounts: c.config.Mounts, LogPath: c.logPath(),
	}
	if !c.started.IsZero() {
		st.StartedAt = c.started.UnixNano()
	}
	if !c.finished.IsZero() {
		st.FinishedAt = c.finished.UnixNano()
	}
	return &api.ContainerStatusResponse{Status: st}, nil
}

// ExecSync answers exec probes and lifecycle hooks.
func (r *Runtime) ExecSync(ctx context.Context, id string, cmd []string, timeout time.Duration) ([]byte, []byte, error) {
	r.mu.Lock()
	c := r.containers[id]
	var state api.ContainerState
	var started time.Time
	if c != nil {
		state, started = c.state, c.started
	}
	r.mu.Unlock()
	if c == nil {
		return nil, nil, notFound(id)
	}
	if state != api.ContainerState_CONTAINER_RUNNING {
		return nil, nil, status.Errorf(codes.Unknown, "failed to exec in container: container is in %s state", state)
	}
	p, ok := c.life.For(strings.Join(cmd, " "))
	if !ok || p.Healthy(time.Since(started)) {
		return nil, nil, nil
	}
	if p.Hang {
		if timeout <= 0 {
			timeout = time.Second
		}
		if err := pause(ctx, timeout); err != nil {
			return nil, nil, err
		}
		return nil, nil, fmt.Errorf("%w: %q timed out after %s", remote.ErrCommandTimedOut, strings.Join(cmd, " "), timeout)
	}
	code := max(p.Exit, 1)
	return []byte(p.Output), nil, exec.CodeExitError{Err: errors.New("command terminated"), Code: code}
}

func notFound(id string) error {
	return status.Errorf(codes.NotFound, "an error occurred when try to find container %q: not found", id)
}
