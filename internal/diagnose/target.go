package diagnose

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/unjam-dev/unjam/internal/facts"
	"github.com/unjam-dev/unjam/internal/near"
	"github.com/unjam-dev/unjam/internal/snapshot"
)

// Target is one workload as named on a command line.
type Target struct {
	Kind string // as in facts.Workload; empty matches any kind
	Name string
}

func (t Target) String() string {
	if t.Kind == "" {
		return t.Name
	}
	return strings.ToLower(t.Kind) + "/" + t.Name
}

// aliases maps what kubectl accepts for a kind to the kind.
var aliases = map[string]string{
	"deployment": "Deployment", "deployments": "Deployment", "deploy": "Deployment",
	"statefulset": "StatefulSet", "statefulsets": "StatefulSet", "sts": "StatefulSet",
	"daemonset": "DaemonSet", "daemonsets": "DaemonSet", "ds": "DaemonSet",
	"job": "Job", "jobs": "Job",
	"rollout": "Rollout", "rollouts": "Rollout", "ro": "Rollout",
	"replicaset": "ReplicaSet", "replicasets": "ReplicaSet", "rs": "ReplicaSet",
	"replicationcontroller": "ReplicationController", "replicationcontrollers": "ReplicationController", "rc": "ReplicationController",
	"deploymentconfig": "DeploymentConfig", "deploymentconfigs": "DeploymentConfig", "dc": "DeploymentConfig",
	"pod": "Pod", "pods": "Pod", "po": "Pod",
}

// ParseTargets reads KIND/NAME arguments, or KIND NAME… as kubectl does.
func ParseTargets(args []string) ([]Target, error) {
	if len(args) >= 2 && !strings.Contains(args[0], "/") {
		if kind, err := parseKind(args[0]); err == nil {
			var out []Target
			for _, name := range args[1:] {
				if strings.Contains(name, "/") {
					return nil, fmt.Errorf("%q mixes KIND NAME with KIND/NAME: write every workload as KIND/NAME", name)
				}
				out = append(out, Target{kind, name})
			}
			return out, nil
		}
	}
	var out []Target
	for _, a := range args {
		kind, name, ok := strings.Cut(a, "/")
		if !ok {
			out = append(out, Target{Name: a})
			continue
		}
		k, err := parseKind(kind)
		if err != nil {
			return nil, err
		}
		if name == "" {
			return nil, fmt.Errorf("%q names no workload: write KIND/NAME, for example deploy/web", a)
		}
		out = append(out, Target{k, name})
	}
	return out, nil
}

func parseKind(s string) (string, error) {
	short, _, _ := strings.Cut(strings.ToLower(s), ".") // deployments.apps
	if k, ok := aliases[short]; ok {
		return k, nil
	}
	return "", fmt.Errorf("unknown kind %q: unjam judges deployment, statefulset, daemonset, job, replicaset, rollout, replicationcontroller, deploymentconfig and pod", s)
}

// in finds the workloads of a target. A ReplicaSet or pod stands for the
// workload that owns it.
func (t Target) in(list []*facts.Workload) []*facts.Workload {
	var out []*facts.Workload
	for _, w := range list {
		if (t.Kind == "" || t.Kind == w.Kind) && t.Name == w.Name || t.owns(w) {
			out = append(out, w)
		}
	}
	return out
}

func (t Target) owns(w *facts.Workload) bool {
	switch t.Kind {
	case "Pod":
		return slices.ContainsFunc(w.Pods, func(p *facts.Pod) bool { return p.Name() == t.Name })
	case "ReplicaSet", "ReplicationController":
		return w.New != nil && w.New.Name == t.Name || slices.ContainsFunc(w.Old, func(r *facts.Revision) bool { return r.Name == t.Name })
	}
	return false
}

// alike lists up to three workloads whose name resembles the target's.
func alike(t Target, list []*facts.Workload) []string {
	type scored struct {
		ref  string
		dist int
	}
	var all []scored
	for _, w := range list {
		d := closeness(t.Name, w.Name)
		if w.Name == t.Name || d <= 2 || strings.Contains(w.Name, t.Name) || strings.Contains(t.Name, w.Name) {
			all = append(all, scored{w.Ref(), d})
		}
	}
	slices.SortStableFunc(all, func(a, b scored) int { return cmp.Or(cmp.Compare(a.dist, b.dist), cmp.Compare(a.ref, b.ref)) })
	var out []string
	for _, s := range all[:min(3, len(all))] {
		out = append(out, s.ref)
	}
	return out
}

// closeness is how many letters two names differ in; names longer than a
// Kubernetes name may be are not compared.
func closeness(a, b string) int {
	if len(a) > 253 || len(b) > 253 {
		return 253
	}
	return near.Distance(a, b, 253)
}

func gapOf(f *facts.Facts, t Target, namespace string) *snapshot.Gap {
	if t.Kind == "" {
		return nil
	}
	if g, ok := f.Snap.GapFor(strings.ToLower(t.Kind)+"s", namespace); ok && g.Reason != snapshot.GapNotCaptured {
		return &g
	}
	return nil
}
