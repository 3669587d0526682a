package capture

import (
	"context"
	"fmt"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/rest"

	"github.com/unjam-dev/unjam/internal/snapshot"
)

// TextFile is one key of a ConfigMap.
type TextFile struct{ Name, Text string }

// ConfigMapError says that a ConfigMap asked for by name could not be read, and
// what would help.
type ConfigMapError struct {
	Namespace, Name string
	// Forbidden is true when only the right to read it is missing.
	Forbidden bool
	Err       error
}

func (e *ConfigMapError) Error() string {
	switch {
	case e.Forbidden:
		return fmt.Sprintf("ConfigMap %s/%s may not be read: grant the right to get configmaps in namespace %s", e.Namespace, e.Name, e.Namespace)
	case apierrors.IsNotFound(e.Err):
		return fmt.Sprintf("there is no ConfigMap %s in namespace %s", e.Name, e.Namespace)
	}
	return fmt.Sprintf("ConfigMap %s/%s could not be read: %s", e.Namespace, e.Name, oneLine(e.Err))
}

func (e *ConfigMapError) Unwrap() error { return e.Err }

// ConfigMapFiles reads the keys of one ConfigMap in the order of their names.
// Errors are *ConfigMapError, or *UnreachableError and *LoginError as of Cluster.
func ConfigMapFiles(ctx context.Context, cfg *rest.Config, namespace, name string) ([]TextFile, error) {
	cl, err := newClient(cfg)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, Options{}.withDefaults().ConnectTimeout)
	defer cancel()
	var cm corev1.ConfigMap
	if err := cl.get(ctx, snapshot.KindOfResource("configmaps"), namespace, name, &cm); err != nil {
		switch {
		case apierrors.IsUnauthorized(err):
			return nil, &LoginError{Host: cfg.Host, Err: err}
		case reasonOf(err) == snapshot.GapForbidden, apierrors.IsNotFound(err), apierrors.ReasonForError(err) != "":
			return nil, &ConfigMapError{Namespace: namespace, Name: name, Forbidden: reasonOf(err) == snapshot.GapForbidden, Err: err}
		}
		return nil, &UnreachableError{Host: cfg.Host, Err: err}
	}
	var out []TextFile
	for _, k := range slices.Sorted(maps.Keys(cm.Data)) {
		out = append(out, TextFile{Name: k, Text: cm.Data[k]})
	}
	return out, nil
}
