package facts_test

import (
	"os"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/unjam-dev/unjam/internal/facts"
	"github.com/unjam-dev/unjam/internal/snapshot"
	"github.com/unjam-dev/unjam/internal/snapshot/snaptest"
)

// recorded reads the bundle of a scenario.
func recorded(t *testing.T, scenario string) *facts.Facts {
	t.Helper()
	f, err := os.Open("../../test/scenarios/" + scenario + "/bundle.tgz")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	snap, err := snapshot.Decode("bundle.tgz", f, snapshot.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return facts.Build(snap)
}

// TestRecordedPhases takes pods of real kubelets up the ladder of a rollout.
func TestRecordedPhases(t *testing.T) {
	for scenario, want := range map[string]facts.Phase{
		"scheduling/cpu-too-large":              facts.PhaseSchedule,
		"scheduling/scheduling-gate":            facts.PhaseSchedule,
		"volumes/pvc-unbound":                   facts.PhaseSchedule,
		"start-config/missing-configmap-volume": facts.PhaseVolume,
		"volumes/hostpath-missing":              facts.PhaseVolume,
		"crash/init-fail":                       facts.PhaseInit,
		"crash/init-waits":                      facts.PhaseInit,
		"image-name/missing-tag":                facts.PhasePull,
		"image-name/never-absent":               facts.PhasePull,
		"image-name/invalid-image-name":         facts.PhasePull,
		"pull-queue/slow-pull-running":          facts.PhasePull,
		"start-config/missing-secret-env":       facts.PhaseStart,
		"start-config/run-as-nonroot":           facts.PhaseStart,
		"crash/crashloop":                       facts.PhaseRun,
		"crash/oomkilled":                       facts.PhaseRun,
		"probes/readiness-fail":                 facts.PhaseRun,
		"probes/startup-fail":                   facts.PhaseRun,
		"healthy/ok":                            facts.PhaseReady,
		"healthy/init-and-sidecar":              facts.PhaseReady,
		"rollout/job-complete":                  facts.PhaseDone,
		"rollout/job-failed":                    facts.PhaseFailed,
		"rollout/finalizer-stuck":               facts.PhaseTerminate,
	} {
		t.Run(scenario, func(t *testing.T) {
			seen := map[facts.Phase]int{}
			for _, p := range recorded(t, scenario).Pods {
				seen[p.Phase]++
			}
			if seen[want] == 0 {
				t.Errorf("no pod is in phase %s: %v", want, seen)
			}
			for phase := range seen { // beside it at most healthy neighbours and what is over
				if phase != want && phase != facts.PhaseReady && phase != facts.PhaseTerminate && phase != facts.PhaseFailed && phase != facts.PhaseDone {
					t.Errorf("phases %v, want only %s", seen, want)
				}
			}
		})
	}
}

// TestPhases holds what no recording shows in its pure form.
func TestPhases(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*snaptest.Pod)
		want   facts.Phase
	}{
		{"bound, nothing said", func(p *snaptest.Pod) {}, facts.PhasePull},
		{"bound, the kubelet has not spoken", func(p *snaptest.Pod) {
			p.Obj.Status.ContainerStatuses, p.Obj.Status.Conditions = nil, nil
		}, facts.PhaseSandbox},
		{"the sandbox fails on a kubelet without the condition", func(p *snaptest.Pod) {
			p.Obj.Status.Conditions = nil
			p.Event("Warning", "FailedCreatePodSandBox", "x", 9, 1, 3)
		}, facts.PhaseSandbox},
		{"the sandbox failed once, the pull goes on", func(p *snaptest.Pod) {
			p.Obj.Status.Conditions = nil
			p.Event("Warning", "FailedCreatePodSandBox", "x", 9, 5, 3)
			p.Event("Normal", "Pulling", "x", 1, 1, 1)
		}, facts.PhasePull},
		{"the sandbox failed, and the condition says that it stands", func(p *snaptest.Pod) {
			p.Event("Warning", "FailedCreatePodSandBox", "x", 9, 1, 3)
		}, facts.PhasePull},
		{"a volume fails", func(p *snaptest.Pod) {
			p.Condition("PodReadyToStartContainers", corev1.ConditionFalse, "", "")
			p.Event("Warning", "FailedMount", "x", 9, 1, 3)
		}, facts.PhaseVolume},
		{"running, not ready", func(p *snaptest.Pod) { p.Running() }, facts.PhaseRun},
		{"crash loop", func(p *snaptest.Pod) { p.Crashes(1, "Error", 3) }, facts.PhaseRun},
		{"a malformed pull Secret is the reason itself", func(p *snaptest.Pod) { p.Waiting("illegal base64 data at input byte 4", "") }, facts.PhasePull},
		{"ready", func(p *snaptest.Pod) { p.Ready() }, facts.PhaseReady},
		{"ready, but being deleted", func(p *snaptest.Pod) {
			p.Ready()
			at := snaptest.Ago(1)
			p.Obj.DeletionTimestamp = &at
		}, facts.PhaseTerminate},
		{"evicted", func(p *snaptest.Pod) { p.Obj.Status.Phase = corev1.PodFailed }, facts.PhaseFailed},
		{"rejected before it was bound", func(p *snaptest.Pod) { p.Obj.Spec.NodeName, p.Obj.Status.Phase = "", corev1.PodFailed }, facts.PhaseFailed},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := snaptest.New()
			b.Node("n1")
			c.change(b.BarePod("web", "web:v1", "n1"))
			if got := facts.Build(b.Snap).Pods[0].Phase; got != c.want {
				t.Errorf("phase %s, want %s", got, c.want)
			}
		})
	}
}

// TestScheduling prefers the condition, which is whole, to the event.
func TestScheduling(t *testing.T) {
	b := snaptest.New()
	p := b.BarePod("web", "web:v1", "").Unschedulable("0/2 nodes are available: 2 Insufficient cpu.")
	s := facts.Build(b.Snap).Pods[0].Scheduling
	if s == nil || !s.Parsed || s.Receipt.Field != "status.conditions[PodScheduled]" {
		t.Fatalf("%+v", s)
	}
	p.Obj.Status.Conditions = nil
	p.Event("Warning", "FailedScheduling", "no nodepool fits", 1, 0, 1)
	p.LastEvent().ReportingController = "karpenter"
	s = facts.Build(b.Snap).Pods[0].Scheduling
	if s == nil || !s.Parsed || s.Receipt.Field != "event/FailedScheduling" {
		t.Errorf("from the event: %+v", s)
	}
	b = snaptest.New()
	b.BarePod("bound", "web:v1", "n1")
	if s := facts.Build(b.Snap).Pods[0].Scheduling; s != nil {
		t.Errorf("of a bound pod: %+v", s)
	}
}
