// Package diagnose is the use case: it takes a snapshot from a Source, judges
// every workload in scope, and returns the report.
package diagnose

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/unjam-dev/unjam/internal/cause"
	"github.com/unjam-dev/unjam/internal/facts"
	"github.com/unjam-dev/unjam/internal/report"
	"github.com/unjam-dev/unjam/internal/snapshot"
	"github.com/unjam-dev/unjam/internal/verdict"
)

// Source gives the snapshot to judge: a live cluster or a saved bundle.
type Source interface {
	Snapshot(ctx context.Context, scope Scope) (*snapshot.Snapshot, error)
}

// Scope is what was asked about.
type Scope struct {
	// Namespace limits the question; empty means all namespaces.
	Namespace string
	// Targets are the workloads asked about; none means all that are not healthy.
	Targets []Target
	// All lists healthy workloads too.
	All bool
}

// Why answers the question of a scope over one source, by the causes of a set.
func Why(ctx context.Context, causes cause.Set, src Source, scope Scope) (*report.Report, error) {
	snap, err := src.Snapshot(ctx, scope)
	if err != nil {
		return nil, err
	}
	return Judge(causes, snap, scope)
}

// Judge is Why over a snapshot already at hand.
func Judge(causes cause.Set, snap *snapshot.Snapshot, scope Scope) (*report.Report, error) {
	f := facts.Build(snap)
	chosen, err := choose(f, scope)
	if err != nil {
		return nil, err
	}
	verdicts := make([]verdict.Verdict, 0, len(chosen))
	for _, w := range chosen {
		verdicts = append(verdicts, verdict.Judge(causes, f, w))
	}
	return report.New(causes, snap, verdicts, verdict.Fold(causes, f, verdicts), len(scope.Targets) == 0 && !scope.All), nil
}

func choose(f *facts.Facts, scope Scope) ([]*facts.Workload, error) {
	var out []*facts.Workload
	for _, w := range f.Workloads {
		if scope.Namespace == "" || w.Namespace == scope.Namespace {
			out = append(out, w)
		}
	}
	if len(scope.Targets) == 0 {
		return out, nil
	}
	var chosen []*facts.Workload
	for _, t := range scope.Targets {
		found := t.in(out)
		if len(found) == 0 {
			return nil, &NotFoundError{Target: t, Namespace: scope.Namespace, Near: alike(t, out), Gap: gapOf(f, t, scope.Namespace)}
		}
		for _, w := range found {
			if !slices.Contains(chosen, w) {
				chosen = append(chosen, w)
			}
		}
	}
	return chosen, nil
}

// NotFoundError says that a workload asked for was not seen.
type NotFoundError struct {
	Target    Target
	Namespace string
	// Near are workloads of a like name.
	Near []string
	// Gap is set when its kind could not be read, so that it may exist.
	Gap *snapshot.Gap
}

func (e *NotFoundError) Error() string {
	where := "in any namespace"
	if e.Namespace != "" {
		where = fmt.Sprintf("in namespace %q", e.Namespace)
	}
	s := fmt.Sprintf("%s was not found %s", e.Target, where)
	switch {
	case e.Gap != nil:
		s += fmt.Sprintf(": %s could not be read (%s %s)", e.Gap.Resource, e.Gap.Reason, e.Gap.Detail)
	case len(e.Near) > 0:
		s += "; did you mean " + strings.Join(e.Near, " or ") + "?"
	default:
		s += "; list what is there with: kubectl get deploy,sts,ds,job"
		if e.Namespace != "" {
			s += " -n " + e.Namespace
		} else {
			s += " -A"
		}
	}
	return s
}
