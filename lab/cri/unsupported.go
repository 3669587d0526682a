package cri

import (
	"context"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	cri "k8s.io/cri-api/pkg/apis"
	api "k8s.io/cri-api/pkg/apis/runtime/v1"
)

var (
	_ cri.RuntimeService      = (*Runtime)(nil)
	_ cri.ImageManagerService = (*Images)(nil)
)

// errNoProcess answers what needs a process behind the container.
var errNoProcess = status.Error(codes.Unimplemented, "a hollow node runs no processes")

// Exec is not possible without a process.
func (r *Runtime) Exec(context.Context, *api.ExecRequest) (*api.ExecResponse, error) {
	return nil, errNoProcess
}

// Attach is not possible without a process.
func (r *Runtime) Attach(context.Context, *api.AttachRequest) (*api.AttachResponse, error) {
	return nil, errNoProcess
}

// PortForward is not possible without a process.
func (r *Runtime) PortForward(context.Context, *api.PortForwardRequest) (*api.PortForwardResponse, error) {
	return nil, errNoProcess
}

// CheckpointContainer is not possible without a process.
func (r *Runtime) CheckpointContainer(context.Context, *api.CheckpointContainerRequest) error {
	return errNoProcess
}

// CheckpointPod is not possible without a process.
func (r *Runtime) CheckpointPod(context.Context, *api.CheckpointPodRequest) error {
	return errNoProcess
}

// RestorePod is not possible without a process.
func (r *Runtime) RestorePod(context.Context, *api.RestorePodRequest) (*api.RestorePodResponse, error) {
	return nil, errNoProcess
}

// GetContainerEvents is refused, so the kubelet relists.
func (r *Runtime) GetContainerEvents(context.Context, chan *api.ContainerEventResponse, func(api.RuntimeService_GetContainerEventsClient)) error {
	return errNoProcess
}

// UpdateContainerResources accepts every resize.
func (r *Runtime) UpdateContainerResources(context.Context, string, *api.ContainerResources) error {
	return nil
}

// UpdatePodSandboxResources accepts every resize.
func (r *Runtime) UpdatePodSandboxResources(context.Context, *api.UpdatePodSandboxResourcesRequest) (*api.UpdatePodSandboxResourcesResponse, error) {
	return &api.UpdatePodSandboxResourcesResponse{}, nil
}

// UpdateRuntimeConfig accepts the node's pod range.
func (r *Runtime) UpdateRuntimeConfig(context.Context, *api.RuntimeConfig) error { return nil }

// ReopenContainerLog has no open log.
func (r *Runtime) ReopenContainerLog(context.Context, string) error { return nil }

// RuntimeConfig names the cgroup driver.
func (r *Runtime) RuntimeConfig(context.Context) (*api.RuntimeConfigResponse, error) {
	return &api.RuntimeConfigResponse{Linux: &api.LinuxRuntimeConfiguration{CgroupDriver: api.CgroupDriver_CGROUPFS}}, nil
}

// Close has nothing to close.
func (r *Runtime) Close(context.Context) error { return nil }

// ContainerStats of a run that uses nothing.
func (r *Runtime) ContainerStats(_ context.Context, id string) (*api.ContainerStats, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.containers[id]
	if c == nil {
		return nil, notFound(id)
	}
	return idle(c), nil
}

// ListContainerStats of all running containers.
func (r *Runtime) ListContainerStats(_ context.Context, f *api.ContainerStatsFilter) ([]*api.ContainerStats, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var list []*api.ContainerStats
	for _, c := range r.containers {
		if c.state != api.ContainerState_CONTAINER_RUNNING {
			continue
		}
		if f != nil && (f.Id != "" && f.Id != c.id || f.PodSandboxId != "" && f.PodSandboxId != c.sandbox.id) {
			continue
		}
		list = append(list, idle(c))
	}
	return list, nil
}

func idle(c *container) *api.ContainerStats {
	now := time.Now().UnixNano()
	return &api.ContainerStats{
		Attributes: &api.ContainerAttributes{Id: c.id, Metadata: c.config.Metadata, Labels: c.config.Labels},
		Cpu:        &api.CpuUsage{Timestamp: now, UsageCoreNanoSeconds: &api.UInt64Value{}, UsageNanoCores: &api.UInt64Value{}},
		Memory:     &api.MemoryUsage{Timestamp: now, WorkingSetBytes: &api.UInt64Value{Value: 1 << 20}},
		WritableLayer: &api.FilesystemUsage{Timestamp: now, FsId: &api.FilesystemIdentifier{Mountpoint: "/"},
			UsedBytes: &api.UInt64Value{}, InodesUsed: &api.UInt64Value{}},
	}
}

// PodSandboxStats are not kept; the kubelet reads container stats.
func (r *Runtime) PodSandboxStats(context.Context, string) (*api.PodSandboxStats, error) {
	return nil, errNoProcess
}

// ListPodSandboxStats are not kept.
func (r *Runtime) ListPodSandboxStats(context.Context, *api.PodSandboxStatsFilter) ([]*api.PodSandboxStats, error) {
	return nil, nil
}

// ListMetricDescriptors has none.
func (r *Runtime) ListMetricDescriptors(context.Context) ([]*api.MetricDescriptor, error) {
	return nil, nil
}

// ListPodSandboxMetrics has none.
func (r *Runtime) ListPodSandboxMetrics(context.Context) ([]*api.PodSandboxMetrics, error) {
	return nil, nil
}
