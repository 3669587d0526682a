// Package cri is a container runtime that runs nothing: it keeps the books the
// kubelet asks for (images, sandboxes, containers) and answers as a script says.
package cri

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	api "k8s.io/cri-api/pkg/apis/runtime/v1"

	"github.com/unjam-dev/unjam/lab/script"
)

// Images is the image half of the runtime.
type Images struct {
	player *script.Player

	mu   sync.Mutex
	held map[string]*api.Image // by reference
}

// NewImages returns an image store that is empty.
func NewImages(p *script.Player) *Images {
	return &Images{player: p, held: map[string]*api.Image{}}
}

// scriptCodes are the gRPC codes a script may name.
var scriptCodes = map[string]codes.Code{
	"NotFound": codes.NotFound, "FailedPrecondition": codes.FailedPrecondition,
	"DeadlineExceeded": codes.DeadlineExceeded, "Unavailable": codes.Unavailable,
	"Internal": codes.Internal, "PermissionDenied": codes.PermissionDenied,
	"ResourceExhausted": codes.ResourceExhausted, "Canceled": codes.Canceled,
	"InvalidArgument": codes.InvalidArgument,
}

// PullImage waits and answers as the script says.
func (s *Images) PullImage(ctx context.Context, image *api.ImageSpec, _ *api.AuthConfig, _ *api.PodSandboxConfig) (string, error) {
	p := s.player.Pull(image.Image)
	if err := pause(ctx, time.Duration(p.Delay)); err != nil {
		return "", status.FromContextError(err).Err()
	}
	if p.Error != "" {
		if c, ok := scriptCodes[p.Code]; ok {
			return "", status.Error(c, p.Error)
		}
		// The kubelet's client strips the code Unknown, so plain text is what it sees.
		return "", errors.New(p.Error)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	img := newImage(image.Image)
	s.held[image.Image] = img
	return img.Id, nil
}

func newImage(ref string) *api.Image {
	sum := sha256.Sum256([]byte(ref))
	digest := fmt.Sprintf("sha256:%x", sum)
	img := &api.Image{Id: digest, Size: 4 << 20, Spec: &api.ImageSpec{Image: digest}}
	name, _, byDigest := strings.Cut(ref, "@")
	if byDigest {
		img.RepoDigests = []string{ref}
		return img
	}
	img.RepoTags = []string{ref}
	if colon := strings.LastIndex(name, ":"); colon > strings.LastIndex(name, "/") {
		name = name[:colon]
	}
	img.RepoDigests = []string{name + "@" + digest}
	return img
}

// find returns the image held under a reference or an id.
func (s *Images) find(ref string) *api.Image {
	if img, ok := s.held[ref]; ok {
		return img
	}
	for _, img := range s.held {
		if img.Id == ref {
			return img
		}
	}
	return nil
}

// ListImages lists what was pulled.
func (s *Images) ListImages(_ context.Context, f *api.ImageFilter) ([]*api.Image, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f != nil && f.Image != nil && f.Image.Image != "" {
		if img := s.find(f.Image.Image); img != nil {
			return []*api.Image{img}, nil
		}
		return nil, nil
	}
	list := make([]*api.Image, 0, len(s.held))
	for _, img := range s.held {
		list = append(list, img)
	}
	return list, nil
}

// ImageStatus has a nil image when it was not pulled.
func (s *Images) ImageStatus(_ context.Context, image *api.ImageSpec, _ bool) (*api.ImageStatusResponse, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return &api.ImageStatusResponse{Image: s.find(image.Image)}, nil
}

// RemoveImage forgets an image.
func (s *Images) RemoveImage(_ context.Context, image *api.ImageSpec) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for ref, img := range s.held {
		if ref == image.Image || img.Id == image.Image {
			delete(s.held, ref)
		}
	}
	return nil
}

// ImageFsInfo reports a disk that is almost empty.
func (s *Images) ImageFsInfo(context.Context) (*api.ImageFsInfoResponse, error) {
	fs := []*api.FilesystemUsage{{
		Timestamp:  time.Now().UnixNano(),
		FsId:       &api.FilesystemIdentifier{Mountpoint: "/"},
		UsedBytes:  &api.UInt64Value{Value: 64 << 20},
		InodesUsed: &api.UInt64Value{Value: 1000},
	}}
	return &api.ImageFsInfoResponse{ImageFilesystems: fs, ContainerFilesystems: fs}, nil
}

// Close has nothing to close.
func (s *Images) Close(context.Context) error { return nil }

func pause(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
