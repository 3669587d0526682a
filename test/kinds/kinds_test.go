// Package kinds plays the same faults on every kind of workload.
package kinds

import (
	"bytes"
	"cmp"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/unjam-dev/unjam/internal/cause"
	"github.com/unjam-dev/unjam/internal/diagnose"
	"github.com/unjam-dev/unjam/internal/plan"
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
	r, err := diagnose.Judge(cause.BuiltIn, b.Snap, diagnose.Scope{All: true})
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
				if v.Primary == nil {
					return
				}
				flat := ansi.Strip(text.String())
				for _, w := range words(kind, f) {
					if !strings.Contains(flat, w) {
						t.Errorf("the text does not say %q:\n%s", w, flat)
					}
				}
				for _, fd := range slices.Concat([]report.Finding{*v.Primary}, v.Contributing) {
					for _, fix := range fd.Fix {
						if why := unfit(kind, fix); why != "" {
							t.Errorf("%s: %s\n%+v", fd.Cause, why, fix)
						}
					}
				}
			})
		}
	}
}

// words are the counts that the text must hold, in the terms of the kind.
func words(kind string, f fault) []string {
	if f.refused != "" {
		switch kind {
		case "Deployment", "Rollout":
			return []string{"no new pod exists", "3 old pods still serve"}
		case "StatefulSet":
			return []string{"2 of 3 pods exist"}
		case "DaemonSet":
			return []string{"4 of 5 pods exist"}
		case "Job", "CronJob":
			return []string{"no pod exists", "0 of 3 completions"}
		case "ReplicaSet":
			return []string{"none of 3 pods exists"}
		}
		return []string{"at least one more is wanted"}
	}
	switch kind {
	case "Deployment", "Rollout":
		return []string{"1 of 3 pods", "3 pods of the old revision still serve"}
	case "StatefulSet":
		return []string{"1 of 3 pods", "2 pods of the old revision still serve", "web-2"}
	case "DaemonSet":
		return []string{"1 of 5 nodes", "4 pods of the old revision still serve"}
	case "Job", "CronJob":
		return []string{"0 of 3 completions"}
	case "ReplicaSet":
		return []string{"1 of 3 pods"}
	}
	return []string{"1 of 1 pods"}
}

// unfit says why a remedy does not work on a kind, empty when it does.
func unfit(kind string, fix plan.Fix) string {
	all := fix.Command + "\n" + fix.Undo
	has := func(list ...string) bool {
		return slices.ContainsFunc(list, func(s string) bool { return strings.Contains(all, s) })
	}
	plainKubectl := regexp.MustCompile(`kubectl -n shop rollout `)
	switch kind {
	case "Deployment":
		return ""
	case "StatefulSet", "DaemonSet":
		if has("rollout pause", "rollout resume") {
			return "only a Deployment can be paused"
		}
	case "Rollout":
		if plainKubectl.MatchString(all) || has("set image rollout/", "set resources rollout/", "--type=strategic", "set serviceaccount rollout/") {
			return "kubectl does not know how to do this to a custom resource"
		}
	default:
		if plainKubectl.MatchString(all) {
			return "kubectl rollout does not know the kind"
		}
	}
	switch kind {
	case "Job", "CronJob":
		if has("edit job/", "set image job/", "set resources job/", "set serviceaccount job/") || has("patch job/") && has(`"template"`) {
			return "a Job's template cannot be changed"
		}
	case "Pod":
		if has("edit pod/", "patch pod/", "set resources pod/", "set serviceaccount pod/") {
			return "a pod's settings cannot be changed"
		}
		if has("delete pod") {
			return "nothing makes a bare pod again"
		}
	case "DeploymentConfig":
		if has("kubectl -n shop edit deploymentconfig", "set image deploymentconfig") {
			return "kubectl does not know DeploymentConfigs"
		}
	}
	return ""
}
