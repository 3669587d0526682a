package cluster

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"golang.org/x/sync/errgroup"
)

// simStages are the files of kwok's own module that make nodes Ready and pods
// running at once. Bare kwok has none built in.
var simStages = []string{
	"node/fast/node-initialize.yaml", "node/heartbeat-with-lease/node-heartbeat-with-lease.yaml",
	"pod/fast/pod-ready.yaml", "pod/fast/pod-complete.yaml", "pod/fast/pod-delete.yaml",
}

// writeStages joins the stages into one file.
func writeStages(ctx context.Context, cache, path string) error {
	cmd := exec.CommandContext(ctx, "go", "mod", "download", "-json", "sigs.k8s.io/kwok@"+KwokVersion)
	cmd.Dir = cache // outside any module
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("kwok's module: %w", err)
	}
	var m struct{ Dir string }
	if err := json.Unmarshal(out, &m); err != nil {
		return err
	}
	var parts []string
	for _, f := range simStages {
		b, err := os.ReadFile(filepath.Join(m.Dir, "kustomize", "stage", f))
		if err != nil {
			return err
		}
		parts = append(parts, strings.TrimSuffix(strings.TrimSpace(string(b)), "---"))
	}
	return os.WriteFile(path, []byte(strings.Join(parts, "\n---\n")+"\n"), 0o644)
}

// startSim runs kwok and registers its nodes, sim-1 and on.
func (in *inside) startSim(ctx context.Context, a *api) error {
	// kwok's flags are those of v0.8.0's `kwok --help`.
	kwok := in.command("kwok", "--kubeconfig", in.d.path("admin.kubeconfig"), "-c", in.d.path("stages.yaml"),
		"--manage-nodes-with-annotation-selector=kwok.x-k8s.io/node=fake", "--node-lease-duration-seconds=40",
		"--cidr=10.200.0.0/14", "--node-ip="+gateway)
	if _, err := in.family.start("kwok", in.d.log("kwok"), kwok); err != nil {
		return err
	}
	// The API server takes several hundred nodes a second from a few callers at once.
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(16)
	for i := 1; i <= in.s.Sim; i++ {
		g.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			n := node{index: i, name: fmt.Sprintf("sim-%d", i)}
			return a.do("POST", "/api/v1/nodes", fmt.Sprintf(simNode, n.name, n.zone()), nil)
		})
	}
	return g.Wait()
}

// simNode takes name and zone.
const simNode = `{"apiVersion":"v1","kind":"Node","metadata":{"name":%[1]q,"annotations":{"kwok.x-k8s.io/node":"fake"},
"labels":{"kubernetes.io/hostname":%[1]q,"kubernetes.io/os":"linux","kubernetes.io/arch":"amd64","topology.kubernetes.io/zone":%[2]q,"unjam.dev/lab-node":"sim","type":"kwok"}},
"spec":{"taints":[{"key":"kwok.x-k8s.io/node","value":"fake","effect":"NoSchedule"}]},
"status":{"allocatable":{"cpu":"32","memory":"256Gi","pods":"110","ephemeral-storage":"100Gi"},"capacity":{"cpu":"32","memory":"256Gi","pods":"110","ephemeral-storage":"100Gi"}}}`
