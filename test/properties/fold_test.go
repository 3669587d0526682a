package properties

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/unjam-dev/unjam/internal/cause"
	"github.com/unjam-dev/unjam/internal/diagnose"
	"github.com/unjam-dev/unjam/internal/report"
	"github.com/unjam-dev/unjam/internal/snapshot"
)

// everything is all recordings in one cluster, at the time of the last one.
func everything(t *testing.T) *snapshot.Snapshot {
	t.Helper()
	all := scenes(t)
	crowd := deepCopyOf(all[0].snap)
	crowd.Origin.Namespace, crowd.Gaps = "", nil
	for _, s := range all[1:] {
		if slowDownload[s.name] || apart(s) {
			continue // recorded apart, they would stand in one queue
		}
		join(crowd, s.snap)
		a, b := &crowd.Objects, &s.snap.Objects
		a.StatefulSets = append(a.StatefulSets, b.StatefulSets...)
		a.DaemonSets = append(a.DaemonSets, b.DaemonSets...)
		a.Jobs = append(a.Jobs, b.Jobs...)
		a.ControllerRevisions = append(a.ControllerRevisions, b.ControllerRevisions...)
		a.Secrets = append(a.Secrets, b.Secrets...)
		a.ConfigMaps = append(a.ConfigMaps, b.ConfigMaps...)
		a.ResourceQuotas = append(a.ResourceQuotas, b.ResourceQuotas...)
		a.LimitRanges = append(a.LimitRanges, b.LimitRanges...)
		a.PVCs = append(a.PVCs, b.PVCs...)
		if s.snap.TakenAt.After(crowd.TakenAt) {
			crowd.TakenAt = s.snap.TakenAt
		}
	}
	return crowd
}

func judgeAll(t *testing.T, snap *snapshot.Snapshot) *report.Report {
	t.Helper()
	r, err := diagnose.Judge(cause.BuiltIn, snap, diagnose.Scope{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestFolds puts all recordings into one cluster. Every workload that is not
// healthy is in exactly one stall, and what is folded together was recorded
// with the same fault.
func TestFolds(t *testing.T) {
	want := map[string]expect{}
	for _, s := range scenes(t) {
		want[s.name] = s.want
	}
	r := judgeAll(t, everything(t))
	in := map[string]int{}
	for _, s := range r.Stalls {
		for _, m := range s.Workloads {
			in[m.Namespace+"/"+m.Kind+"/"+m.Name]++
			e, recorded := want[m.Namespace]
			if len(s.Workloads) > 1 && recorded && e.Cause != s.Cause && !slices.Contains(e.Acceptable, s.Cause) && !slices.Contains(s.Causes, e.Cause) {
				t.Errorf("%s is folded into %s %s, recorded with %s", m.Namespace, s.Cause, s.Key, e.Cause)
			}
		}
		if n := len(s.Workloads) + len(s.Beside); s.Users < n || s.AllNodes < len(s.Nodes) {
			t.Errorf("%s %s: %d workloads of %d, %d nodes of %d", s.Cause, s.Key, n, s.Users, len(s.Nodes), s.AllNodes)
		}
	}
	for _, v := range r.Verdicts {
		id := v.Workload.Namespace + "/" + v.Workload.Kind + "/" + v.Workload.Name
		if v.State != "healthy" && in[id] != 1 {
			t.Errorf("%s is in %d stalls", id, in[id])
		}
	}
	if folded := len(r.Verdicts) - len(r.Stalls); folded < 8 {
		t.Errorf("%d verdicts in %d stalls: hardly anything folds, so the test tests nothing", len(r.Verdicts), len(r.Stalls))
	}
}

// TestFoldsInAnyOrder holds that the order of objects decides nothing, and that
// healthy neighbours change no more than the number they are counted among.
func TestFoldsInAnyOrder(t *testing.T) {
	crowd := everything(t)
	want := shapes(judgeAll(t, crowd))
	for seed := range uint64(3) {
		if got := shapes(judgeAll(t, shuffled(crowd, rand.New(rand.NewPCG(seed, 7))))); got != want {
			t.Errorf("seed %d (-in order +shuffled):\n%s", seed, cmp.Diff(want, got))
		}
	}
	more := deepCopyOf(crowd)
	for i, name := range []string{"ok", "init-and-sidecar", "secure-registry"} {
		addGuest(more, sceneOf(t, name).snap, fmt.Sprintf("guest-%d", i))
	}
	if got := shapes(judgeAll(t, more)); got != want {
		t.Errorf("(-alone +with healthy neighbours):\n%s", cmp.Diff(want, got))
	}
}

func shapes(r *report.Report) string {
	var b strings.Builder
	for _, s := range r.Stalls {
		fmt.Fprintf(&b, "%s %s %s %s %v %v %v %d %v %s\n", s.State, s.Cause, s.Key, s.Confidence, s.Workloads, s.Beside, s.Causes, s.Pods, s.Nodes, s.Since)
	}
	return b.String()
}
