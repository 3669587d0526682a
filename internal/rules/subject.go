package rules

import (
	"slices"
)

// variable is one name that an expression may use.
type variable struct {
	name string
	of   *objectType
}

// subject is a kind of evidence that a rule can look at ("on").
type subject struct {
	name string
	doc  string
	// text says what a message pattern is matched against, empty when there is
	// no text.
	text string
	// shows is what a receipt of the subject proves, in a few words.
	shows string
	// own is the evidence's variable, nil when it has none of its own.
	own *variable
	// pod tells that sightings can have a pod and its node, container that they
	// have a container.
	pod, container bool
	// fills are the placeholders beyond those of workload, pod and container.
	fills []string
	see   func(*scene) []sight
}

// subjects are what a rule can look at, in the order of the reference page.
var subjects = []*subject{
	{name: "refusal", shows: "the API server refused to create the pod", text: "the API server's words", own: &variable{"refusal", refusalType}, see: refusals,
		doc: "The API server refuses to create the workload's pods now: quota, admission, policy, validation."},
	{name: "event", shows: "an event says so", text: "the event's message", own: &variable{"event", eventType}, pod: true, fills: []string{"reason"}, see: events,
		doc: "An event about the workload's newest attempt, one of its pods that is not Ready, or a volume claim of such a pod."},
	{name: "pull-error", shows: "the image pull fails", text: "the innermost error in the runtime's words", own: &variable{"pull", pullType}, pod: true, container: true, see: pulls,
		doc: "An image pull of a pod that is not Ready fails."},
	{name: "container-death", shows: "the container ended", text: "the termination message, else the reason", own: &variable{"death", deathType}, pod: true, container: true, fills: []string{"exitCode"}, see: deaths,
		doc: "A container of a pod that is not Ready ended."},
	{name: "log", shows: "the container's log says so", text: "one line of the log; every one of the last 60 lines is tried, newest first", pod: true, container: true, see: logs,
		doc: "The log of a container of a pod that is not Ready, of the instance that died if one did."},
	{name: "condition", shows: "a status condition says so", text: "the condition's message", own: &variable{"condition", conditionType}, pod: true, fills: []string{"reason"}, see: conditions,
		doc: "A condition of the workload, of a pod that is not Ready, or of such a pod's node."},
	{name: "pod", shows: "the pod is not Ready", pod: true, see: pods,
		doc: "A pod that is not Ready, whatever it says."},
	{name: "workload", shows: "the workload is not complete", see: workloads,
		doc: "The workload itself."},
}

func subjectOf(name string) *subject {
	i := slices.IndexFunc(subjects, func(s *subject) bool { return s.name == name })
	if i < 0 {
		return nil
	}
	return subjects[i]
}

func subjectNames() []string {
	var out []string
	for _, s := range subjects {
		out = append(out, s.name)
	}
	return out
}

// variables are the names an expression over the subject may use, beside
// message, groups and now.
func (s *subject) variables() []variable {
	out := []variable{{"workload", workloadType}, {"namespaceObject", namespaceType}}
	if s.own != nil {
		out = append(out, *s.own)
	}
	if s.pod {
		out = append(out, variable{"pod", podType}, variable{"node", nodeType})
	}
	if s.container {
		out = append(out, variable{"container", containerType})
	}
	return out
}

// placeholders are the {names} that a sighting of the subject fills, as far as
// the facts know them.
func (s *subject) placeholders() []string {
	out := []string{"kind", "name", "namespace", "workload"}
	if s.pod {
		out = append(out, "node", "pod", "previous")
	}
	if s.container {
		out = append(out, "container", "image", "registry", "repository", "tag")
	}
	return append(out, s.fills...)
}
