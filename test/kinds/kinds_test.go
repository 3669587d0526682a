// Package kinds plays the same faults on every kind of workload.
package kinds

import (
	"bytes"
	"cmp"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/unjam-dev/unjam/internal/diagnose"
	"github.com/unjam-dev/unjam/internal/report"
	"github.com/unjam-dev/unjam/internal/snapshot/snaptest"
)

// play builds a workload of the kind with its newest pod spoilt, and judges it.
func play(t *testing.T, kind string, f fault) (*report.Report, report.Verdict) {
	t.Helper()
	b := snaptest.New()
	for i := range 5 {
		n := b.Node(fmt.Sprintf("n%d", i+1))
		if f.node != nil {
			f.node(n)
		}
	}
	replicas := int32(3)
	switch kind {
	case "DaemonSet":
		replicas = 5
	case "Pod":
		replicas = 1
	}
	spec := f.spec
	if spec == nil {
		spec = nothing
	}
	w := b.Workload(kind, "web", image, replicas, spec)
	if f.objects != nil {
		f.objects(b)
	}
	if f.refused != "" {
		w.Refused(f.refused)
	} else {
		node := "n1"
		if f.unbound {
			node = ""
		}
		p := w.Pod(node)
		f.pod(b, p)
		if j, ok := w.Object.(*batchv1.Job); ok && p.Obj.Status.Phase == corev1.PodFailed {
			f.pod(b, w.Pod(node)) // the second try fails alike
			j.Status.Active, j.Status.Failed = 0, 2
		}
	}
	for i := range w.Former() {
		w.Old(fmt.Sprintf("n%d", i+2), oldImage)
	}
	r, err := diagnose.Judge(b.Snap, diagnose.Scope{All: true})
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(r.Verdicts, func(v report.Verdict) bool { return strings.HasPrefix(v.Workload.Name, "web") })
	if i < 0 {
		t.Fatalf("the workload was left out")
	}
	return r, r.Verdicts[i]
}

func nothing(*corev1.PodSpec) {}

func TestKinds(t *testing.T) {
	for _, f := range faults {
		for _, kind := range snaptest.Kinds {
			if why := f.skip[kind]; why != "" {
				continue
			}
			t.Run(f.name+"/"+kind, func(t *testing.T) {
				r, v := play(t, kind, f)
				var text bytes.Buffer
				r.Verdicts = []report.Verdict{v}
				if err := r.WriteText(&text, report.TextOptions{Width: 0, Program: "unjam"}); err != nil {
					t.Fatal(err)
				}
				if os.Getenv("SHOW") != "" {
					t.Log("\n" + text.String())
				}
				want := strings.Fields(f.cause)
				if o := f.other[kind]; o != "" {
					want = strings.Fields(o)
				}
				state := cmp.Or(f.otherState[kind], f.state, "stalled")
				found := "nothing"
				if v.Primary != nil {
					found = v.Primary.Cause
				}
				if len(want) > 0 && !slices.Contains(want, found) || v.State != state {
					t.Errorf("%s by %s; want %s by %v\n%s", v.State, found, state, want, text.String())
					return
				}
			})
		}
	}
}
