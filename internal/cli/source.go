package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/unjam-dev/unjam/internal/capture"
	"github.com/unjam-dev/unjam/internal/diagnose"
	"github.com/unjam-dev/unjam/internal/snapshot"
)

// files is the source of a saved snapshot: a bundle, a directory, or what
// kubectl get -o yaml|json printed; "-" is standard input.
type files struct {
	path string
	in   io.Reader
}

// Snapshot reads the files.
func (s files) Snapshot(_ context.Context, _ diagnose.Scope) (*snapshot.Snapshot, error) {
	if s.path == "-" {
		return snapshot.Decode("standard input", s.in, snapshot.Limits{})
	}
	info, err := os.Stat(s.path)
	if err != nil {
		return nil, fileError(s.path, err)
	}
	if info.IsDir() {
		return snapshot.DecodeFS(os.DirFS(s.path), s.path, snapshot.Limits{})
	}
	f, err := os.Open(s.path)
	if err != nil {
		return nil, fileError(s.path, err)
	}
	defer f.Close()
	return snapshot.Decode(filepath.Base(s.path), f, snapshot.Limits{})
}

func fileError(path string, err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return usagef("there is no file or directory %q: give a bundle, a directory, or a YAML or JSON file", path)
	case errors.Is(err, fs.ErrPermission):
		return usagef("%q may not be read: check its permissions", path)
	}
	return usagef("cannot read %q: %w", path, err)
}

// cluster is the live source.
type cluster struct {
	flags *kubeFlags
	stats *capture.Stats
}

// Snapshot reads the cluster.
func (s cluster) Snapshot(ctx context.Context, scope diagnose.Scope) (*snapshot.Snapshot, error) {
	cfg, err := s.flags.rest()
	if err != nil {
		return nil, err
	}
	o := capture.Options{Namespace: scope.Namespace, Context: s.flags.context()}
	for _, t := range scope.Targets {
		o.Workloads = append(o.Workloads, capture.Ref{Kind: t.Kind, Name: t.Name})
	}
	snap, stats, err := capture.Cluster(ctx, cfg, o)
	*s.stats = stats
	return snap, err
}

// configError says that the kubeconfig gives no cluster to ask.
type configError struct{ err error }

func (e *configError) Error() string {
	return fmt.Sprintf("the kubeconfig gives no usable cluster: %v; check KUBECONFIG, --kubeconfig and --context, or judge a saved bundle with --from", e.err)
}

func (e *configError) Unwrap() error { return e.err }
