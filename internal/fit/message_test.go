package fit

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseFitError(t *testing.T) {
	for _, c := range []struct {
		name, message string
		want          FitError
	}{
		{"two reasons and preemption", "0/5 nodes are available: 2 Insufficient cpu, 3 node(s) had untolerated taint(s). preemption: 0/5 nodes are available: 2 No preemption victims found for incoming pod, 3 Preemption is not helpful for scheduling.",
			FitError{Nodes: 5, Reasons: []Reason{{2, "Insufficient cpu"}, {3, "node(s) had untolerated taint(s)"}},
				Preemption: "0/5 nodes are available: 2 No preemption victims found for incoming pod, 3 Preemption is not helpful for scheduling."}},
		{"taint of 1.22 with commas", "0/4 nodes are available: 1 node(s) had taint {dedicated: gpu}, that the pod didn't tolerate, 3 Insufficient memory.",
			FitError{Nodes: 4, Reasons: []Reason{{1, "node(s) had taint {dedicated: gpu}, that the pod didn't tolerate"}, {3, "Insufficient memory"}}}},
		{"resource with dots", "0/1 nodes are available: 1 Insufficient nvidia.com/gpu. preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.",
			FitError{Nodes: 1, Reasons: []Reason{{1, "Insufficient nvidia.com/gpu"}}, Preemption: "0/1 nodes are available: 1 Preemption is not helpful for scheduling."}},
		{"claim missing, preemption lookup failed", `0/1 nodes are available: persistentvolumeclaim "no-such-claim" not found. not found`,
			FitError{Nodes: 1, PreFilter: `persistentvolumeclaim "no-such-claim" not found`}},
		{"claim missing, newer", `0/1 nodes are available: persistentvolumeclaim "data" not found. preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.`,
			FitError{Nodes: 1, PreFilter: `persistentvolumeclaim "data" not found`, Preemption: "0/1 nodes are available: 1 Preemption is not helpful for scheduling."}},
		{"unbound claim", "0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims. not found",
			FitError{Nodes: 1, PreFilter: "pod has unbound immediate PersistentVolumeClaims"}},
		{"noise of dynamic resources", "0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.",
			FitError{Nodes: 1, Reasons: []Reason{{1, "Insufficient cpu"}}, Preemption: "0/1 nodes are available: 1 No preemption victims found for incoming pod."}},
		{"noise without preemption", "0/1 nodes are available: 1 Too many pods. still not schedulable",
			FitError{Nodes: 1, Reasons: []Reason{{1, "Too many pods"}}}},
		{"event cut short", "0/9 nodes are available: 1 Insufficient cpu, 8 node(s) had untol ...",
			FitError{Nodes: 9, Reasons: []Reason{{1, "Insufficient cpu"}, {8, "node(s) had untol"}}, Cut: true}},
		{"gang counts are no reasons", "0/3 nodes are available: 3 minCount (4) cannot be satisfied: 2 scheduled, 1 remaining.",
			FitError{Nodes: 3, Reasons: []Reason{{3, "minCount (4) cannot be satisfied: 2 scheduled, 1 remaining"}}}},
		{"nothing but the head", "0/0 nodes are available:", FitError{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, ok := ParseFitError(c.message)
			if diff := cmp.Diff(c.want, got); !ok || diff != "" {
				t.Errorf("ok=%v (-want +got):\n%s", ok, diff)
			}
		})
	}
	for _, m := range []string{"", "no nodes available to schedule pods", "0/x nodes are available: 1 Insufficient cpu", "99999999999999999999/99999999999999999999 nodes are available: x"} {
		if e, ok := ParseFitError(m); ok {
			t.Errorf("%q parsed as %+v", m, e)
		}
	}
}

func TestCheckOf(t *testing.T) {
	for text, want := range map[string]Check{
		"Insufficient nvidia.com/gpu": Resources, "Too many pods": Slots, "node(s) were unschedulable": Cordoned,
		"node(s) had taint {key: value}, that the pod didn't tolerate": Taint, "node(s) had untolerated taint {dedicated: gpu}": Taint, "node(s) had untolerated taint(s)": Taint,
		"node(s) didn't match Pod's node affinity/selector": NodeAffinity, "node(s) didn't satisfy plugin(s) [NodeAffinity]": Subset,
		"node(s) didn't have free ports for the requested pod ports": HostPort,
		"node(s) had volume node affinity conflict":                  VolumeNode, "node(s) didn't match PersistentVolume's node affinity": VolumeNode,
		"node(s) had no available volume zone": VolumeZone, "node(s) exceed max volume count": VolumeCount,
		"node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode":                     RWOP,
		"node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode already in-use by another pod": RWOP,
		"node(s) didn't match pod topology spread constraints":                                                             Spread, "node(s) didn't match pod topology spread constraints (missing required label)": SpreadLabel,
		"node(s) didn't match pod affinity rules": PodAffinity, "node(s) didn't match pod anti-affinity rules": AntiAffinity, "node(s) didn't satisfy existing pods anti-affinity rules": ExistingAnti,
		"cannot allocate all claims": DRA, "request gpu: device class gpu.example.com does not exist": DRAMissing, "device binding timeout": DRABinding,
		`persistentvolumeclaim "data" not found`: MissingPVC, `persistentvolumeclaim "data" is being deleted`: LostPVC,
		`persistentvolumeclaim "data" bound to non-existent persistentvolume "pv1"`:                   LostPVC,
		"node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)":                   LostPVC,
		"ebs.csi.aws.com CSI driver is not installed on the node":                                     CSIDriver,
		"GPU memory fraction exhausted on this node":                                                  Unknown,
		"minCount (4) cannot be satisfied: 2 scheduled, 1 remaining":                                  Gang,
		"waiting for ephemeral volume controller to create the persistentvolumeclaim \"web-scratch\"": MissingPVC,
	} {
		if got := (Reason{1, text}).Check(); got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
	if got := (Reason{1, "node(s) had untolerated taint {dedicated: gpu}"}).TaintText(); got != "dedicated: gpu" {
		t.Errorf("taint = %q", got)
	}
}

func TestNotHelpful(t *testing.T) {
	e, _ := ParseFitError("0/5 nodes are available: 2 Insufficient cpu, 3 node(s) had untolerated taint(s). preemption: 0/5 nodes are available: 2 No preemption victims found for incoming pod, 3 Preemption is not helpful for scheduling.")
	if n, ok := e.NotHelpful(); n != 3 || !ok {
		t.Errorf("NotHelpful = %d, %v", n, ok)
	}
}

func FuzzParseFitError(f *testing.F) {
	f.Add("0/5 nodes are available: 2 Insufficient cpu, 3 node(s) had untolerated taint(s). preemption: 0/5 nodes are available: 1 x.")
	f.Add("0/1 nodes are available: . not found. not found, 1 ")
	f.Add("0/1 nodes are available: 1 a" + strings.Repeat(", 1 remaining", 50))
	f.Fuzz(func(t *testing.T, s string) {
		e, ok := ParseFitError(s)
		if !ok && (e.Nodes != 0 || e.Reasons != nil) {
			t.Errorf("not ok, but %+v", e)
		}
		for _, r := range e.Reasons {
			_, _ = r.Check(), r.TaintText()
		}
		e.NotHelpful()
	})
}
