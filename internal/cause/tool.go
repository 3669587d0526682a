package cause

import (
	"fmt"
	"time"

	"github.com/unjam-dev/unjam/internal/facts"
)

// helmRelease is the release that a workload belongs to, empty when Helm did
// not make it (helm pkg/kube, setMetadataVisitor).
func helmRelease(w *facts.Workload) string {
	o := w.Object()
	if o == nil || o.GetLabels()["app.kubernetes.io/managed-by"] != "Helm" {
		return ""
	}
	return o.GetAnnotations()["meta.helm.sh/release-name"]
}

// detectToolDisagreement sees a rollout that is not complete although the tool
// that delivered it counts it as ready: helm 3 waits for replicas less
// maxUnavailable of the new ReplicaSet (pkg/kube/ready.go, deploymentReady),
// and Helm as well as kstatus are content with any pods of a StatefulSet with
// OnDelete.
func detectToolDisagreement(f *facts.Facts, w *facts.Workload) []Finding {
	release := helmRelease(w)
	if release == "" || rolledOut(w) || w.Desired == 0 || w.Generation > w.ObservedGeneration || f.Now.Sub(w.Started) < degradedAfter {
		return nil
	}
	if w.StatefulSet != nil && !rollsPods(w) && len(livePods(w.OldPods())) > 0 && w.Ready >= w.Desired {
		return []Finding{toolFinding(w, release, fmt.Sprintf("Helm counts %s as ready, because its strategy OnDelete leaves old pods alone; %s of the former revision still %s",
			w.Ref(), countPods(int32(len(livePods(w.OldPods())))), plural(int32(len(livePods(w.OldPods()))), "runs", "run")),
			Evidence{Text: "this strategy replaces no pod by itself", Receipt: w.Receipt("spec.updateStrategy.type", string(w.StatefulSet.Spec.UpdateStrategy.Type), time.Time{})})}
	}
	b, ok := rollingBudget(w)
	if !ok || w.New == nil || b.Unavailable == 0 || len(waitingPods(w)) == 0 {
		return nil
	}
	need, ready := w.Desired-b.Unavailable, readyPods(w.NewPods())
	if ready < need {
		return nil
	}
	fd := toolFinding(w, release, fmt.Sprintf("helm 3 with --wait counts %s as ready at %d of %d new pods, because %s; it is not complete: %d ready",
		w.Ref(), need, w.Desired, b.unavailableWords(w.Desired), ready),
		Evidence{Text: "so many pods may be missing", Receipt: w.Receipt("spec.strategy.rollingUpdate.maxUnavailable", b.DeclaredUnavailable, time.Time{})})
	for _, p := range waitingPods(w) {
		fd.touch(p, nil)
	}
	fd.Vars["maxUnavailable"] = b.DeclaredUnavailable
	return []Finding{fd}
}

func toolFinding(w *facts.Workload, release, summary string, e Evidence) Finding {
	fd := seenIn(w, "tool-disagreement", Certain, summary, e,
		Evidence{Text: "the release that it belongs to", Receipt: w.Receipt("metadata.annotations[meta.helm.sh/release-name]", release, time.Time{})})
	fd.Vars["release"] = release
	return fd
}

var toolPlaybook = Playbook{
	Means: "Tools judge a rollout by different rules. The one that delivered this workload is content while pods are still missing or old, so its success says nothing about them. That is no fault of its own, but it hides one.",
	Verify: []Step{
		look("Ask the strictest judge.", "kubectl -n {namespace} rollout status {workload} --timeout=5s"),
		look("See what the release says of itself.", "helm -n {namespace} status {release}"),
	},
	Mend: []Step{
		{Text: "After helm, wait for the rollout itself in the pipeline: kubectl rollout status, or helm 4, whose --wait asks for all pods.", Approver: "app owner"},
		{Text: "Set maxUnavailable to 0 in the chart, so that helm 3 waits for every pod.", Undo: "set it back to {maxUnavailable}", Approver: "app owner", When: []string{"maxUnavailable"}},
	},
}
