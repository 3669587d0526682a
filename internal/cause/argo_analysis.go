package cause

import (
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/unjam-dev/unjam/internal/facts"
)

// analysis is the AnalysisRun that decides over a Rollout, with its first metric
// that does not pass (argo-rollouts pkg/apis/rollouts/v1alpha1/analysis_types.go).
type analysis struct {
	Name, Phase, Message string
	Metric, Value        string
	Receipt              facts.Receipt
}

// analysisPaths are the places where a Rollout names its AnalysisRuns.
var analysisPaths = [][]string{
	{"status", "canary", "currentStepAnalysisRunStatus"},
	{"status", "canary", "currentBackgroundAnalysisRunStatus"},
	{"status", "blueGreen", "prePromotionAnalysisRunStatus"},
	{"status", "blueGreen", "postPromotionAnalysisRunStatus"},
}

// badAnalysis is the AnalysisRun of the Rollout that failed, erred or was
// inconclusive; ok is false when there is none.
func badAnalysis(f *facts.Facts, w *facts.Workload) (analysis, bool) {
	for _, path := range analysisPaths {
		m, _, _ := unstructured.NestedMap(w.Rollout.Object, path...)
		a := analysis{Name: text(m, "name"), Phase: text(m, "status"), Message: text(m, "message")}
		if a.Name == "" || !badPhase(a.Phase) {
			continue
		}
		a.Receipt = w.Receipt(path[0]+"."+path[1]+"."+path[2], a.Phase+": "+a.Message, f.Now)
		if run := analysisRun(f, w.Namespace, a.Name); run != nil {
			a.read(run)
		}
		return a, true
	}
	return analysis{}, false
}

func badPhase(phase string) bool {
	return phase == "Failed" || phase == "Error" || phase == "Inconclusive"
}

func analysisRun(f *facts.Facts, namespace, name string) *unstructured.Unstructured {
	for _, u := range f.Snap.Objects.Others {
		if u.GetKind() == "AnalysisRun" && u.GetNamespace() == namespace && u.GetName() == name {
			return u
		}
	}
	return nil
}

// read takes the metric and its last measurement from the AnalysisRun itself.
func (a *analysis) read(run *unstructured.Unstructured) {
	results, _, _ := unstructured.NestedSlice(run.Object, "status", "metricResults")
	for _, r := range results {
		m, ok := r.(map[string]any)
		if !ok || !badPhase(text(m, "phase")) {
			continue
		}
		a.Metric = text(m, "name")
		measured, _, _ := unstructured.NestedSlice(m, "measurements")
		words := text(m, "phase")
		if n := len(measured); n > 0 {
			if last, ok := measured[n-1].(map[string]any); ok {
				a.Value = text(last, "value")
				words += ", last measured " + a.Value
				if msg := text(last, "message"); msg != "" {
					words += ": " + msg
				}
				a.Receipt.Time = moment(last, "finishedAt")
			}
		}
		a.Receipt = facts.Receipt{Kind: "AnalysisRun", Namespace: run.GetNamespace(), Name: a.Name, Field: "status.metricResults[" + a.Metric + "]", Text: words, Time: a.Receipt.Time}
		return
	}
}

// words says in one clause what the analysis found.
func (a analysis) words() string {
	if a.Metric == "" {
		return fmt.Sprintf("analysis %s: %s", a.Name, firstLine(or(a.Message, a.Phase)))
	}
	s := fmt.Sprintf("metric %s of analysis %s", a.Metric, a.Name)
	switch a.Phase {
	case "Error":
		s += " could not be measured"
	case "Inconclusive":
		s += " was inconclusive"
	default:
		s += " failed"
	}
	if a.Value != "" {
		s += ", last measured " + firstLine(a.Value)
	}
	return s
}

// addAnalysis adds what an analysis found to a finding about its Rollout.
func (fd *Finding) addAnalysis(a analysis) {
	fd.Summary += "; " + a.words()
	fd.Evidence = append(fd.Evidence, Evidence{Text: "what the analysis found", Receipt: a.Receipt})
	fd.Vars["analysisrun"] = a.Name
	if a.Metric != "" {
		fd.Vars["metric"] = a.Metric
	}
}
