package facts

import (
	"cmp"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/unjam-dev/unjam/internal/snapshot"
)

// Build reads a snapshot. It never fails: what is missing or odd stays absent
// in the facts, and the snapshot's gaps say why.
func Build(s *snapshot.Snapshot) *Facts {
	f := &Facts{
		Snap: s, Now: s.TakenAt,
		nodes:    make(map[string]*corev1.Node, len(s.Objects.Nodes)),
		logs:     map[logKey]*snapshot.LogTail{},
		secrets:  map[key]*snapshot.SecretShape{},
		configs:  map[key]*snapshot.ConfigMapShape{},
		accounts: map[key]*corev1.ServiceAccount{},
		pvcs:     map[key]*corev1.PersistentVolumeClaim{},
	}
	for _, n := range s.Objects.Nodes {
		f.nodes[n.Name] = n
	}
	for i := range s.Logs {
		l := &s.Logs[i]
		f.logs[logKey{l.Namespace, l.Pod, l.Container, l.Previous}] = l
	}
	for _, x := range s.Objects.Secrets {
		f.secrets[key{x.Namespace, x.Name}] = x
	}
	for _, x := range s.Objects.ConfigMaps {
		f.configs[key{x.Namespace, x.Name}] = x
	}
	for _, x := range s.Objects.ServiceAccounts {
		f.accounts[key{x.Namespace, x.Name}] = x
	}
	for _, x := range s.Objects.PVCs {
		f.pvcs[key{x.Namespace, x.Name}] = x
	}
	f.indexEvents()
	f.addPods()
	f.indexPeers()
	f.buildWorkloads()
	f.cluster = newCluster(s)
	slices.SortStableFunc(f.Workloads, func(a, b *Workload) int {
		return cmp.Or(cmp.Compare(kindOrder(a.Kind), kindOrder(b.Kind)), cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
	})
	return f
}

var kinds = []string{"Deployment", "StatefulSet", "DaemonSet", "Job", "Rollout", "ReplicaSet", "Pod"}

func kindOrder(kind string) int { return slices.Index(kinds, kind) }
