package cause

import (
	"fmt"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/unjam-dev/unjam/internal/facts"
)

func managedFields(w *facts.Workload) []metav1.ManagedFieldsEntry {
	if o := w.Object(); o != nil {
		return o.GetManagedFields()
	}
	return nil
}

// gitops are the marks by which delivery tools claim an object.
var gitops = []struct{ key, tool string }{
	{"argocd.argoproj.io/tracking-id", "Argo CD"}, {"argocd.argoproj.io/instance", "Argo CD"},
	{"kustomize.toolkit.fluxcd.io/name", "Flux"}, {"helm.toolkit.fluxcd.io/name", "Flux"},
}

var gitopsManagers = map[string]string{"argocd-controller": "Argo CD", "argocd-application-controller": "Argo CD", "kustomize-controller": "Flux", "helm-controller": "Flux"}

// deliveredBy is the GitOps tool that owns the workload's object, and the mark
// that says so.
func deliveredBy(w *facts.Workload) (tool, mark string) {
	o := w.Object()
	if o == nil {
		return "", ""
	}
	for _, g := range gitops {
		if _, ok := o.GetAnnotations()[g.key]; ok {
			return g.tool, "metadata.annotations[" + g.key + "]"
		}
		if _, ok := o.GetLabels()[g.key]; ok {
			return g.tool, "metadata.labels[" + g.key + "]"
		}
	}
	for _, m := range o.GetManagedFields() {
		if tool := gitopsManagers[m.Manager]; tool != "" && m.Subresource == "" {
			return tool, "metadata.managedFields[" + m.Manager + "]"
		}
	}
	return "", ""
}

// flipWindow is how recent the last flip must be, flipsNeeded how many times a
// revision must have been taken up again.
const (
	flipWindow  = 15 * time.Minute
	flipsNeeded = 2
)

// revisionHistory lists the former revision numbers of a ReplicaSet that was
// taken up again (kubernetes pkg/controller/deployment/util, SetNewReplicaSetAnnotations).
const revisionHistory = "deployment.kubernetes.io/revision-history"

// detectGitOpsReverts sees two revisions that replace each other again and
// again: somebody changes the object and a delivery tool puts it back.
func detectGitOpsReverts(f *facts.Facts, w *facts.Workload) []Finding {
	if w.Deployment == nil || w.New == nil || len(w.Old) == 0 || rolledOut(w) && f.Now.Sub(lastScaling(w)) > flipWindow {
		return nil
	}
	var flips []*facts.Revision
	count := 0
	for _, r := range append([]*facts.Revision{w.New}, w.Old...) {
		if r.ReplicaSet == nil {
			continue
		}
		if h := r.ReplicaSet.Annotations[revisionHistory]; h != "" {
			flips = append(flips, r)
			count += len(strings.Split(h, ","))
		}
	}
	if len(flips) < 2 || count < flipsNeeded || f.Now.Sub(lastScaling(w)) > flipWindow {
		return nil
	}
	tool, mark := deliveredBy(w)
	if tool == "" {
		return nil
	}
	fd := seenIn(w, "gitops-reverts", Likely, fmt.Sprintf("the template of %s changes back and forth between revisions %s and %s, taken up again %d times; %s owns the object and puts its own state back",
		w.Ref(), flips[0].Number, flips[1].Number, count, tool),
		Evidence{Text: "the tool that owns the object", Receipt: w.Receipt(mark, tool, time.Time{})})
	for _, r := range flips {
		fd.Evidence = append(fd.Evidence, Evidence{Text: "a revision taken up again", Receipt: facts.Receipt{Kind: "ReplicaSet", Namespace: w.Namespace, Name: r.Name, Field: "metadata.annotations[" + revisionHistory + "]", Text: r.ReplicaSet.Annotations[revisionHistory]}})
	}
	fd.Rivals = []Rival{{Cause: "slow-but-progressing", SettledBy: fmt.Sprintf("kubectl -n %s get %s -o yaml --show-managed-fields: two managers that write the same fields by turns prove it; one person who rolls back by hand excludes it", w.Namespace, w.Ref())}}
	fd.Since, fd.Last = time.Time{}, lastScaling(w)
	fd.Vars["tool"] = tool
	return []Finding{fd}
}

func lastScaling(w *facts.Workload) time.Time {
	for _, e := range slices.Backward(w.Events) {
		if e.Reason == "ScalingReplicaSet" {
			return e.Last
		}
	}
	return time.Time{}
}
