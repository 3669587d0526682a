package cause

import (
	"fmt"
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/unjam-dev/unjam/internal/facts"
)

// refusal is the API server's present "no" to creating pods of one revision:
// pods are missing and the newest attempt to make one failed.
type refusal struct {
	// Message is the newest refusal without the controller's prefix.
	Message string
	// Rev is the revision whose pods are refused; Old is set when it is not the
	// newest one.
	Rev *facts.Revision
	Old bool
	// Exist and Want count the pods of that revision.
	Exist, Want int32
	// First and Last span the attempts that failed alike, Attempts counts them.
	First, Last time.Time
	Attempts    int
	Receipt     facts.Receipt
	Owner       facts.Receipt
	// Foreseen is true when nobody has refused yet and arithmetic says that the
	// API server will; Message is empty then.
	Foreseen bool
}

// refusedAs finds the refusal that keeps pods of the workload from being made,
// when it is of the given kind. Refusals of the past do not count: all pods are
// there, or a later attempt of the same controller succeeded. Pods that run
// meanwhile do not hide it: a quota with room for one of three pods refuses two.
func refusedAs(w *facts.Workload, kind string) (refusal, bool) {
	r, ok := findRefusal(w)
	if !ok || refusalKind(r.Message) != kind {
		return refusal{}, false
	}
	r.countAttempts(kind)
	return r, true
}

// currentRefusal is the refusal that stands now, of any kind.
func currentRefusal(w *facts.Workload) (refusal, bool) {
	r, ok := findRefusal(w)
	if ok {
		r.countAttempts(refusalKind(r.Message))
	}
	return r, ok
}

// findRefusal finds the newest refusal that stands now, its attempts uncounted.
func findRefusal(w *facts.Workload) (refusal, bool) {
	if w.New != nil {
		if r, ok := refusalOf(w, w.New); ok {
			return r, true
		}
	}
	for _, rev := range w.Old {
		if r, ok := refusalOf(w, rev); ok {
			r.Old = w.New != nil && w.New.Desired > 0
			return r, true
		}
	}
	return conditionRefusal(w)
}

func refusalOf(w *facts.Workload, rev *facts.Revision) (refusal, bool) {
	if len(rev.CreateFailures) == 0 {
		return refusal{}, false
	}
	exist, want := podCounts(w, rev)
	newest := rev.CreateFailures[len(rev.CreateFailures)-1]
	if exist >= want || lastCreated(rev.Events).After(newest.Last) {
		return refusal{}, false
	}
	return refusal{Message: newest.Message, Rev: rev, Exist: exist, Want: want, First: newest.First, Last: newest.Last,
		Receipt: newest.Receipt, Owner: newest.Owner}, true
}

// countAttempts adds the failures before the newest one that are alike.
func (r *refusal) countAttempts(kind string) {
	for _, c := range slices.Backward(r.Rev.CreateFailures) {
		if refusalKind(c.Message) != kind {
			break
		}
		r.Attempts += int(c.Count)
		if c.First.Before(r.First) {
			r.First = c.First
		}
	}
	r.Attempts = max(r.Attempts, 1)
}

// conditionRefusal reads the copy of the refusal in the Deployment's own
// ReplicaFailure condition, for sources without ReplicaSets. Old pods count in
// status.replicas, so during a rollout only the updated ones tell.
func conditionRefusal(w *facts.Workload) (refusal, bool) {
	c := w.Condition(string(appsv1.DeploymentReplicaFailure))
	complete := w.Updated >= w.Desired && w.Total >= w.Desired
	if w.New != nil || c.Status != "True" || c.Reason != "FailedCreate" || complete {
		return refusal{}, false
	}
	receipt := w.Receipt("status.conditions[ReplicaFailure]", c.Message, c.LastUpdate)
	rev := &facts.Revision{Name: w.Name, Desired: w.Desired, Template: w.Template}
	return refusal{Message: c.Message, Rev: rev, Exist: w.Updated, Want: w.Desired, First: c.LastTransition, Last: c.LastUpdate,
		Receipt: receipt, Owner: receipt}, true
}

// podCounts counts the pods of a revision that exist and how many its
// controller wants now. StatefulSets and DaemonSets keep one place per pod, so
// a pod of any revision fills it; a Job wants no more than its parallelism.
func podCounts(w *facts.Workload, rev *facts.Revision) (exist, want int32) {
	pods, want := rev.Pods, rev.Desired
	switch {
	case w.StatefulSet != nil, w.DaemonSet != nil:
		pods = w.Pods
	case w.Job != nil:
		if p := w.Job.Spec.Parallelism; p != nil {
			want = min(want, *p)
		} else {
			want = min(want, 1)
		}
		if c := w.Job.Spec.Completions; c != nil {
			want = min(want, *c-w.Job.Status.Succeeded)
		}
	}
	exist = int32(len(livePods(pods)))
	if w.Orphan && rev.ReplicaSet == nil {
		// Nobody says how many are wanted, but the controller asked for one more.
		return exist, exist + 1
	}
	if rs := rev.ReplicaSet; rs != nil {
		// Pods may not have been read; the controller's own count then speaks.
		exist = max(exist, rs.Status.Replicas)
	}
	return exist, want
}

// livePods are the pods that are neither going nor finished.
func livePods(pods []*facts.Pod) []*facts.Pod {
	var out []*facts.Pod
	for _, p := range pods {
		if p.Phase != facts.PhaseTerminate && p.Phase != facts.PhaseDone && p.Phase != facts.PhaseFailed {
			out = append(out, p)
		}
	}
	return out
}

func lastCreated(events []*facts.Event) time.Time {
	var last time.Time
	for _, e := range events {
		if e.Reason == "SuccessfulCreate" && e.Last.After(last) {
			last = e.Last
		}
	}
	return last
}

// finding fills what every finding about a refusal shares.
func (r refusal) finding(w *facts.Workload, code, summary string) Finding {
	return Finding{Cause: code, Confidence: Certain, Summary: summary + ": " + r.state(w), Evidence: r.evidence(),
		Since: r.First, Last: r.Last, Attempts: r.Attempts, Vars: workloadVars(w), Old: r.Old}
}

// state says how many pods there are and whether older ones still serve.
func (r refusal) state(w *facts.Workload) string {
	if w.Orphan && r.Rev.ReplicaSet == nil {
		return fmt.Sprintf("%d %s, at least one more is wanted", r.Exist, plural(r.Exist, "pod exists", "pods exist"))
	}
	s := fmt.Sprintf("%d of %d pods %s", r.Exist, r.Want, plural(r.Exist, "exists", "exist"))
	if r.Exist == 0 {
		s = "no pod exists"
		if r.Want > 1 {
			s = fmt.Sprintf("none of %d pods exists", r.Want)
		}
	}
	if serving := readyPods(w.OldPods()); !r.Old && serving > 0 && w.StatefulSet == nil && w.DaemonSet == nil {
		s = strings.Replace(strings.Replace(s, " pods ", " new pods ", 1), "no pod ", "no new pod ", 1)
		s += fmt.Sprintf(", %d old %s", serving, plural(serving, "pod still serves", "pods still serve"))
	}
	return s
}

func (r refusal) evidence() []Evidence {
	text := "the API server refused to create the pod"
	if r.Foreseen {
		text = "no pod more fits into what is left"
	}
	if strings.HasPrefix(r.Receipt.Field, "status.conditions") {
		// The condition keeps the text of the first refusal of a series.
		text = "the API server refused to create the pod, in the words of the first refusal since a pod was last made"
	}
	return []Evidence{{Text: text, Receipt: r.Receipt}}
}

func readyPods(pods []*facts.Pod) int32 {
	var n int32
	for _, p := range pods {
		if p.Phase == facts.PhaseReady {
			n++
		}
	}
	return n
}

// workloadVars are the playbook placeholders every finding can fill.
func workloadVars(w *facts.Workload) map[string]string {
	vars := map[string]string{"namespace": w.Namespace, "workload": w.Ref(), "kind": strings.ToLower(w.Kind), "name": w.Name}
	if w.Job != nil {
		if owner := metav1.GetControllerOf(w.Job); owner != nil && owner.Kind == "CronJob" {
			vars["cronjob"] = owner.Name
		}
	}
	if w.TemplateOf != "" {
		vars["templateOf"] = w.TemplateOf
	}
	return vars
}

func plural(n int32, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}
