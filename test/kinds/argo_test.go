package kinds

import (
	"bytes"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/unjam-dev/unjam/internal/cause"
	"github.com/unjam-dev/unjam/internal/diagnose"
	"github.com/unjam-dev/unjam/internal/report"
	"github.com/unjam-dev/unjam/internal/snapshot/snaptest"
)

// argo changes fields of the Rollout, given as path and value.
func argo(w *snaptest.Workload, value any, path ...string) {
	if err := unstructured.SetNestedField(w.Object.(*unstructured.Unstructured).Object, value, path...); err != nil {
		panic(err)
	}
}

// analysisOf adds an AnalysisRun with one metric, measured as value.
func analysisOf(b *snaptest.Builder, namespace, name, metric, phase, value string) {
	b.Snap.Objects.AddOther(&unstructured.Unstructured{Object: map[string]any{"apiVersion": "argoproj.io/v1alpha1", "kind": "AnalysisRun",
		"metadata": map[string]any{"namespace": namespace, "name": name},
		"status": map[string]any{"phase": phase, "metricResults": []any{
			map[string]any{"name": "latency", "phase": "Successful"},
			map[string]any{"name": metric, "phase": phase, "measurements": []any{map[string]any{"phase": phase, "value": value, "finishedAt": "2026-01-02T10:08:00Z"}}}}}}})
}

func abort(w *snaptest.Workload) {
	argo(w, true, "status", "abort")
	argo(w, []any{map[string]any{"type": "Progressing", "status": "False", "reason": "RolloutAborted", "lastUpdateTime": "2026-01-02T10:08:00Z", "lastTransitionTime": "2026-01-02T10:08:00Z",
		"message": `Rollout aborted update to revision 2: Metric "success-rate" assessed Failed due to failed (3) > failureLimit (2)`}}, "status", "conditions")
}

func stepAnalysis(w *snaptest.Workload, phase string) {
	argo(w, map[string]any{"name": "web-2-1", "status": phase, "message": "metric"}, "status", "canary", "currentStepAnalysisRunStatus")
}

// TestArgo reads Rollouts with their AnalysisRuns, templates elsewhere, and
// both strategies.
func TestArgo(t *testing.T) {
	for _, c := range []struct {
		name, state, cause string
		says, never        []string
		build              func(b *snaptest.Builder, w *snaptest.Workload)
	}{
		{"aborted by a metric", "stalled", "argo-rollout-aborted", []string{"metric success-rate of analysis web-2-1 failed, last measured 0.71", "3 pods of the stable revision serve"}, nil, func(b *snaptest.Builder, w *snaptest.Workload) {
			abort(w)
			stepAnalysis(w, "Failed")
			analysisOf(b, snaptest.Namespace, "web-2-1", "success-rate", "Failed", "0.71")
		}},
		{"aborted, the AnalysisRun was not read", "stalled", "argo-rollout-aborted", []string{"analysis web-2-1"}, []string{"0.71"}, func(b *snaptest.Builder, w *snaptest.Workload) {
			abort(w)
			stepAnalysis(w, "Failed")
		}},
		{"an AnalysisRun of the same name elsewhere", "stalled", "argo-rollout-aborted", nil, []string{"0.71"}, func(b *snaptest.Builder, w *snaptest.Workload) {
			abort(w)
			stepAnalysis(w, "Failed")
			analysisOf(b, "other", "web-2-1", "success-rate", "Failed", "0.71")
		}},
		{"aborted by hand after a good analysis", "stalled", "argo-rollout-aborted", nil, []string{"analysis web-2-1"}, func(b *snaptest.Builder, w *snaptest.Workload) {
			abort(w)
			stepAnalysis(w, "Successful")
			analysisOf(b, snaptest.Namespace, "web-2-1", "success-rate", "Successful", "0.99")
		}},
		{"inconclusive", "waiting", "argo-rollout-paused", []string{"a person must decide", "metric success-rate of analysis web-2-1 was inconclusive"}, nil, func(b *snaptest.Builder, w *snaptest.Workload) {
			argo(w, []any{map[string]any{"reason": "InconclusiveAnalysisRun", "startTime": "2026-01-02T10:08:00Z"}}, "status", "pauseConditions")
			stepAnalysis(w, "Inconclusive")
			analysisOf(b, snaptest.Namespace, "web-2-1", "success-rate", "Inconclusive", "0.9")
		}},
		{"canary step", "waiting", "argo-rollout-paused", []string{"canary step 2 of 2", "kubectl argo rollouts -n shop promote web"}, nil, func(b *snaptest.Builder, w *snaptest.Workload) {
			argo(w, int64(1), "status", "currentStepIndex")
			argo(w, []any{map[string]any{"reason": "CanaryPauseStep", "startTime": "2026-01-02T10:08:00Z"}}, "status", "pauseConditions")
		}},
		{"blue-green preview", "waiting", "argo-rollout-paused", []string{"waits for promotion"}, nil, func(b *snaptest.Builder, w *snaptest.Workload) {
			argo(w, map[string]any{"blueGreen": map[string]any{"activeService": "web", "previewService": "web-preview"}}, "spec", "strategy")
			argo(w, []any{map[string]any{"reason": "BlueGreenPause", "startTime": "2026-01-02T10:08:00Z"}}, "status", "pauseConditions")
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := snaptest.New()
			b.Node("n1")
			w := b.Workload("Rollout", "web", image, 3)
			for range 3 {
				w.Old("n1", oldImage)
			}
			w.Pod("n1").Ready()
			c.build(b, w)
			holdArgo(t, b, c.state, c.cause, c.says, c.never)
		})
	}
}

// TestArgoWorkloadRef takes the template from the Deployment that the Rollout
// names, and has that one changed.
func TestArgoWorkloadRef(t *testing.T) {
	b := snaptest.New()
	b.Node("n1")
	w := b.Workload("Rollout", "web", image, 3)
	b.Deployment("web-base", image, 0, func(s *corev1.PodSpec) { s.Containers[0].Image = image }).Healthy()
	unstructured.RemoveNestedField(w.Object.(*unstructured.Unstructured).Object, "spec", "template")
	argo(w, map[string]any{"apiVersion": "apps/v1", "kind": "Deployment", "name": "web-base"}, "spec", "workloadRef")
	for range 3 {
		w.Old("n1", oldImage)
	}
	otherTagRuns(b)
	w.Pod("n1").PullFails(noSuchTag)
	holdArgo(t, b, "stalled", "tag-not-found", []string{"set image deployment/web-base", "kubectl argo rollouts -n shop undo web"}, []string{"set image rollout/"})
}

func holdArgo(t *testing.T, b *snaptest.Builder, state, code string, says, never []string) {
	t.Helper()
	r, err := diagnose.Judge(cause.BuiltIn, b.Snap, diagnose.Scope{Targets: []diagnose.Target{{Kind: "Rollout", Name: "web"}}})
	if err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	if err := r.WriteText(&text, report.TextOptions{Program: "unjam"}); err != nil {
		t.Fatal(err)
	}
	flat := ansi.Strip(text.String())
	if v := r.Verdicts[0]; v.State != state || v.Primary == nil || v.Primary.Cause != code {
		t.Fatalf("want %s by %s:\n%s", state, code, flat)
	}
	for _, s := range says {
		if !strings.Contains(flat, s) {
			t.Errorf("the text does not say %q:\n%s", s, flat)
		}
	}
	for _, s := range never {
		if strings.Contains(flat, s) {
			t.Errorf("the text says %q:\n%s", s, flat)
		}
	}
}
