package cause

import (
	"fmt"
	"strconv"
	"time"

	"github.com/unjam-dev/unjam/internal/facts"
)

// detectRollbackImpossible sees an attempt that fails and has nothing to go
// back to: the Deployment has been changed before, and no former ReplicaSet is
// kept, so "rollout undo" answers "no last revision to roll back to"
// (kubectl pkg/polymorphichelpers/rollback.go).
func detectRollbackImpossible(f *facts.Facts, w *facts.Workload) []Finding {
	if w.Deployment == nil || w.New == nil || len(w.Old) > 0 || rolledOut(w) || w.Paused || !f.Snap.Covers("replicasets", w.Namespace) {
		return nil
	}
	number, err := strconv.Atoi(w.Revision)
	if err != nil || number < 2 || w.New.Number != w.Revision {
		return nil
	}
	if _, refused := currentRefusal(w); !refused && len(waitingPods(w)) == 0 {
		return nil
	}
	fd := seenIn(w, "rollback-impossible", Certain, fmt.Sprintf("%s cannot be rolled back: revision %d is the only one that is kept", w.Ref(), number),
		Evidence{Text: "it has been changed before", Receipt: w.Receipt("metadata.annotations[deployment.kubernetes.io/revision]", w.Revision, time.Time{})})
	if limit := w.Deployment.Spec.RevisionHistoryLimit; limit != nil {
		fd.Evidence = append(fd.Evidence, Evidence{Text: "how many former revisions are kept", Receipt: w.Receipt("spec.revisionHistoryLimit", itoa(*limit), time.Time{})})
		fd.Vars["historyLimit"] = itoa(*limit)
		if *limit == 0 {
			fd.Summary += ", because revisionHistoryLimit is 0"
		}
	}
	if tool, _ := deliveredBy(w); tool != "" {
		fd.Vars["tool"] = tool
	}
	return []Finding{fd}
}

var rollbackPlaybook = Playbook{
	Means: "kubectl can only go back to a revision whose ReplicaSet still exists, and none does: the Deployment keeps no history, or somebody deleted it. The former state must come from where the manifests are kept.",
	Verify: []Step{
		look("List the revisions that are kept.", "kubectl -n {namespace} rollout history {workload}"),
		look("List the ReplicaSets themselves.", "kubectl -n {namespace} get replicasets --sort-by=.metadata.creationTimestamp"),
	},
	Mend: []Step{
		{Text: "Apply the former manifest again from its repository or release.", Approver: "app owner", When: []string{"!tool"}},
		{Text: "Take the change back in the repository and let {tool} apply it.", Approver: "app owner", When: []string{"tool"}},
		{Text: "Keep history from now on, so that the next failure can be undone.", Command: `kubectl -n {namespace} patch {workload} --type=merge -p '{"spec":{"revisionHistoryLimit":10}}'`,
			Undo: `kubectl -n {namespace} patch {workload} --type=merge -p '{"spec":{"revisionHistoryLimit":{historyLimit}}}'`, Approver: "app owner", When: []string{"historyLimit"}},
	},
}
