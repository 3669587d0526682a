package plan

import (
	"strings"

	"github.com/unjam-dev/unjam/internal/cause"
)

// Playbooks are written for a Deployment. What kubectl offers for other kinds
// differs: only Deployments, StatefulSets and DaemonSets have a history that
// "rollout undo" knows; the template of a Job and most of a pod cannot be
// changed at all; custom resources know neither "set image" nor strategic
// patches. fitKind rewrites a step, its placeholders still unfilled, for the
// kind of the finding's workload. ok is false when the kind has nothing of the
// sort.
func fitKind(s cause.Step, vars map[string]string) (out cause.Step, ok bool) {
	fit := kindSteps[vars["kind"]]
	if fit == nil || !strings.Contains(s.Command+s.Undo, "{workload}") && !deletesPod(s.Command) {
		return s, true
	}
	out, ok = fit(s, vars)
	if rolloutVerb(out.Undo) != "" && !undoable[vars["kind"]] {
		out.Undo = "change it back the same way"
	}
	return out, ok
}

// undoable are the kinds that kubectl keeps a history of.
var undoable = map[string]bool{"deployment": true, "statefulset": true, "daemonset": true}

var kindSteps = map[string]func(cause.Step, map[string]string) (cause.Step, bool){
	"statefulset":           noPause,
	"daemonset":             noPause,
	"job":                   jobStep,
	"pod":                   podStep,
	"replicaset":            setStep,
	"replicationcontroller": setStep,
	"rollout":               argoStep,
	"deploymentconfig":      openShiftStep,
}

const (
	plainRollout = "kubectl -n {namespace} rollout "
	argoRollout  = "kubectl argo rollouts -n {namespace} "
)

// rolloutVerb is the verb of a "kubectl rollout" command, empty for others.
func rolloutVerb(command string) string {
	rest, ok := strings.CutPrefix(command, plainRollout)
	if !ok {
		return ""
	}
	verb, _, _ := strings.Cut(rest, " ")
	return verb
}

// changesTemplate reports whether a command changes the workload's pods-to-be.
func changesTemplate(command string) bool {
	for _, verb := range []string{" set image {workload}", " set resources {workload}", " set serviceaccount {workload}", " edit {workload}"} {
		if strings.Contains(command, verb) {
			return true
		}
	}
	return strings.Contains(command, " patch {workload}") && strings.Contains(command, `"template"`)
}

func deletesPod(command string) bool { return strings.Contains(command, "delete pod {pod}") }

// noPause leaves out what only Deployments have.
func noPause(s cause.Step, vars map[string]string) (cause.Step, bool) {
	switch rolloutVerb(s.Command) {
	case "pause", "resume":
		return s, false
	}
	return s, !(vars["kind"] == "daemonset" && strings.Contains(s.Command, " scale {workload}"))
}

const (
	// The server fills in labels and a selector of the Job's own, and refuses
	// them in a new one.
	saveJob  = `kubectl -n {namespace} get {workload} -o json | jq 'del(.status, .metadata.uid, .metadata.resourceVersion, .spec.selector, .spec.template.metadata.labels)' > job-{name}.json`
	remakeIt = "kubectl -n {namespace} replace --force -f "
	savePod  = `kubectl -n {namespace} get {workload} -o json | jq 'del(.status, .metadata.uid, .metadata.resourceVersion, .spec.nodeName)' > pod-{name}.json`
)

// jobStep knows that a Job's template never changes: the Job is made anew, or
// its CronJob changed and run again.
func jobStep(s cause.Step, vars map[string]string) (cause.Step, bool) {
	switch {
	case rolloutVerb(s.Command) != "" || strings.Contains(s.Command, " scale {workload}"):
		return s, false
	case !changesTemplate(s.Command):
		return s, true
	case vars["cronjob"] != "":
		change := "kubectl -n {namespace} edit cronjob/{cronjob}"
		if strings.Contains(s.Command, " set ") {
			change = strings.ReplaceAll(s.Command, "{workload}", "cronjob/{cronjob}")
		}
		s.Text = sentence(s.Text) + " A Job's template cannot be changed: change the CronJob that made it, then run it again."
		s.Command = change + "\nkubectl -n {namespace} delete {workload}\nkubectl -n {namespace} create job {name} --from=cronjob/{cronjob}"
		s.Undo = "change the CronJob back the same way"
	default:
		s.Text = sentence(s.Text) + " A Job's template cannot be changed: save the Job, change the file, and make the Job anew (its work starts over)."
		s.Command = saveJob + "\n" + remakeIt + "job-{name}.json"
		s.Undo = "make it anew from the former manifest"
	}
	return s, true
}

// podStep knows that nobody makes a bare pod again, and that little more than
// its images can be changed.
func podStep(s cause.Step, _ map[string]string) (cause.Step, bool) {
	switch {
	case rolloutVerb(s.Command) != "" || strings.Contains(s.Command, " scale {workload}"):
		return s, false
	case strings.Contains(s.Command, " set image {workload}"):
		s.Undo = "set the former image the same way"
	case deletesPod(s.Command):
		before, _, _ := strings.Cut(s.Command, "kubectl -n {namespace} delete pod {pod}")
		s.Text = "Make the pod anew: no controller does, so save it first."
		s.Command, s.Undo = before+savePod+"\n"+remakeIt+"pod-{name}.json", "make it anew from the former manifest"
	case changesTemplate(s.Command):
		s.Text = sentence(s.Text) + " A pod's settings cannot be changed: save the pod, change the file, and make the pod anew."
		s.Command, s.Undo = savePod+"\n"+remakeIt+"pod-{name}.json", "make it anew from the former manifest"
	}
	return s, true
}

// setStep knows that a ReplicaSet or ReplicationController has no history and
// leaves existing pods as they are.
func setStep(s cause.Step, _ map[string]string) (cause.Step, bool) {
	switch {
	case rolloutVerb(s.Command) != "":
		return s, false
	case changesTemplate(s.Command):
		s.Text = sentence(s.Text) + " Existing pods stay as they are: delete them to have them made anew."
	}
	return s, true
}

// argoStep uses Argo's own command, since kubectl does not know the kind. Where
// the Rollout takes its template from another workload, that one is changed.
func argoStep(s cause.Step, vars map[string]string) (cause.Step, bool) {
	s.Command, s.Undo = argoCommand(s.Command, vars), argoCommand(s.Undo, vars)
	return s, true
}

func argoCommand(c string, vars map[string]string) string {
	if verb, rest := argoVerb(c); verb != "" {
		return argoRollout + verb + rest
	}
	if !changesTemplate(c) {
		return c
	}
	if vars["templateOf"] != "" {
		return strings.ReplaceAll(c, "{workload}", "{templateOf}") // a patch of its template works there
	}
	if image, ok := strings.CutPrefix(c, "kubectl -n {namespace} set image {workload}"); ok {
		return argoRollout + "set image {name}" + image
	}
	return "kubectl -n {namespace} edit {workload}"
}

// argoVerb translates a "kubectl rollout" command; rest is what follows its verb.
func argoVerb(c string) (verb, rest string) {
	switch rolloutVerb(c) {
	case "":
		return "", ""
	case "history", "status":
		return "get rollout ", "{name}"
	case "resume":
		return "promote ", "{name}"
	default:
		verb := rolloutVerb(c)
		_, rest, _ := strings.Cut(c, "{workload}")
		return verb + " ", "{name}" + rest
	}
}

// openShiftStep uses OpenShift's own command for its own kind.
func openShiftStep(s cause.Step, _ map[string]string) (cause.Step, bool) {
	if rolloutVerb(s.Command) == "restart" {
		s.Command = "kubectl -n {namespace} rollout latest dc/{name}"
	}
	for _, c := range []*string{&s.Command, &s.Undo} {
		if strings.HasPrefix(*c, "kubectl ") && strings.Contains(*c, "{workload}") {
			*c = "oc " + strings.ReplaceAll(strings.TrimPrefix(*c, "kubectl "), "{workload}", "dc/{name}")
		}
	}
	return s, true
}

// sentence ends a text with a full stop.
func sentence(s string) string {
	if strings.HasSuffix(s, ".") {
		return s
	}
	return s + "."
}
