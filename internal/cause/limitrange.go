package cause

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/unjam-dev/unjam/internal/facts"
	"github.com/unjam-dev/unjam/internal/pattern"
)

// The texts of kubernetes plugin/pkg/admission/limitranger/admission.go;
// several come as one bracketed list.
var (
	limitBound = pattern.New(`(minimum|maximum) ([a-z0-9./-]+) usage per (Container|Pod|PersistentVolumeClaim) is ([^ ,.\]]+(?:\.\d[^ ,.\]]*)?)(?:\.  No (request|limit) is specified|, but (request|limit) is ([^ ,\]]+))`)
	limitRatio = pattern.New(`([a-z0-9./-]+) max limit to request ratio per (\w+) is ([^,]+), but provided ratio is ([0-9.]+)`)
)

// limitBreach is one value that a LimitRange does not allow.
type limitBreach struct {
	Bound    string // "maximum", "minimum" or "ratio"
	Resource string
	Type     string // Container or Pod
	Allowed  string
	Field    string // "limit" or "request" that breaks it
	Value    string // empty when none is set
}

func limitRangeKind(text string) string {
	for _, b := range limitBreaches(text) {
		if b.Bound == "maximum" {
			return "limitrange-max"
		}
	}
	return "limitrange-min-or-ratio"
}

func limitBreaches(text string) []limitBreach {
	var out []limitBreach
	for _, m := range limitBound.FindAllStringSubmatch(text, -1) {
		out = append(out, limitBreach{Bound: m[1], Resource: m[2], Type: m[3], Allowed: m[4], Field: m[5] + m[6], Value: m[7]})
	}
	for _, m := range limitRatio.FindAllStringSubmatch(text, -1) {
		ratio := strings.TrimRight(strings.TrimRight(m[4], "0"), ".")
		out = append(out, limitBreach{Bound: "ratio", Resource: m[1], Type: m[2], Allowed: m[3], Value: ratio})
	}
	return out
}

func detectLimitRangeMax(f *facts.Facts, w *facts.Workload) []Finding {
	return detectLimitRange(f, w, "limitrange-max")
}

func detectLimitRangeMin(f *facts.Facts, w *facts.Workload) []Finding {
	return detectLimitRange(f, w, "limitrange-min-or-ratio")
}

func detectLimitRange(f *facts.Facts, w *facts.Workload, code string) []Finding {
	r, ok := refusedAs(w, code)
	if !ok {
		return nil
	}
	breaches := limitBreaches(r.Message)
	if len(breaches) == 0 {
		return nil
	}
	var said, containers []string
	for _, b := range breaches {
		who := b.breakers(r.Rev.Template)
		for _, c := range who {
			containers = insert(containers, c)
		}
		said = append(said, b.words(who))
	}
	lr := limitRangeWith(f, w.Namespace, breaches[0])
	name := "a LimitRange of namespace " + w.Namespace
	if lr != nil {
		name = "LimitRange " + w.Namespace + "/" + lr.Name
	}
	fd := r.finding(w, code, name+" forbids it: "+strings.Join(said, "; "))
	fd.Containers = containers
	b := breaches[0]
	fd.Vars["resource"], fd.Vars["allowed"], fd.Vars["bound"] = b.Resource, b.Allowed, b.Bound
	fd.Vars["value"], fd.Vars["field"] = b.Value, b.Field
	if len(containers) > 0 {
		fd.Vars["container"] = containers[0]
	}
	if b.Type == "Container" && b.Bound != "ratio" && b.Value != "" {
		fd.Vars[b.Field+"s"] = b.Resource + "=" + b.Allowed
	}
	fd.Key = "limits of namespace " + w.Namespace
	if lr != nil {
		fd.Vars["limitrange"] = lr.Name
		fd.Evidence = append(fd.Evidence, Evidence{Text: "the LimitRange that sets this bound",
			Receipt: facts.Receipt{Kind: "LimitRange", Namespace: w.Namespace, Name: lr.Name, Field: "spec.limits", Text: fmt.Sprintf("%s %s per %s: %s", b.Bound, b.Resource, b.Type, b.Allowed)}})
	}
	return []Finding{fd}
}

func (b limitBreach) words(who []string) string {
	subject := strings.ToLower(b.Type)
	if len(who) > 0 {
		subject = plural(int32(len(who)), "container ", "containers ") + strings.Join(who, ", ")
	}
	switch {
	case b.Bound == "ratio":
		return fmt.Sprintf("the %s limit of %s is %s times its request, at most %s is allowed", b.Resource, subject, b.Value, b.Allowed)
	case b.Value == "":
		return fmt.Sprintf("%s sets no %s %s, and the %s is %s", subject, b.Resource, b.Field, b.Bound, b.Allowed)
	case b.Bound == "maximum":
		return fmt.Sprintf("the %s %s of %s is %s, at most %s is allowed", b.Resource, b.Field, subject, b.Value, b.Allowed)
	}
	return fmt.Sprintf("the %s %s of %s is %s, at least %s is needed", b.Resource, b.Field, subject, b.Value, b.Allowed)
}

// breakers are the containers of the template with the value complained of.
func (b limitBreach) breakers(t *corev1.PodTemplateSpec) []string {
	if t == nil || b.Type != "Container" || b.Bound == "ratio" {
		return nil
	}
	var out []string
	for _, c := range slices.Concat(t.Spec.InitContainers, t.Spec.Containers) {
		list := c.Resources.Requests
		if b.Field == "limit" {
			list = c.Resources.Limits
		}
		q, set := list[corev1.ResourceName(b.Resource)]
		told, err := resource.ParseQuantity(b.Value)
		if !set && b.Value == "" || set && err == nil && q.Cmp(told) == 0 {
			out = insert(out, c.Name)
		}
	}
	return out
}

// limitRangeWith is the LimitRange of the namespace that holds the bound.
func limitRangeWith(f *facts.Facts, namespace string, b limitBreach) *corev1.LimitRange {
	for _, lr := range f.Snap.Objects.LimitRanges {
		if lr.Namespace != namespace {
			continue
		}
		for _, item := range lr.Spec.Limits {
			list := map[string]corev1.ResourceList{"maximum": item.Max, "minimum": item.Min, "ratio": item.MaxLimitRequestRatio}[b.Bound]
			q, set := list[corev1.ResourceName(b.Resource)]
			allowed, err := resource.ParseQuantity(b.Allowed)
			if set && string(item.Type) == b.Type && err == nil && q.Cmp(allowed) == 0 {
				return lr
			}
		}
	}
	return nil
}

// limitRanger is what admission notes on a pod whose values it filled in.
var limitRanger = pattern.New(`([a-z0-9., /-]+) request for (?:init )?container (\S+?)(?:;|$)`)

// detectLimitRangeInflates sees pods that do not fit any node and whose
// requests a LimitRange filled in, not their author.
func detectLimitRangeInflates(f *facts.Facts, w *facts.Workload) []Finding {
	var fd Finding
	for _, p := range waitingPods(w) {
		note := p.Obj.Annotations["kubernetes.io/limit-ranger"]
		if p.Phase != facts.PhaseSchedule || p.Scheduling == nil || note == "" {
			continue
		}
		for _, m := range limitRanger.FindAllStringSubmatch(strings.TrimPrefix(note, "LimitRanger plugin set: "), -1) {
			res, short := shortResource(p, strings.Split(strings.TrimSpace(m[1]), ", "))
			c := containerNamed(p, m[2])
			if !short || c == nil {
				continue
			}
			if fd.Cause == "" {
				q := c.Spec.Resources.Requests[corev1.ResourceName(res)]
				fd = Finding{Cause: "limitrange-default-inflates", Confidence: Likely, Since: p.Obj.CreationTimestamp.Time, Last: p.Scheduling.Receipt.Time,
					Summary: fmt.Sprintf("a LimitRange of namespace %s gave container %s the %s request of %s that no node has room for; its author set none", w.Namespace, c.Name, res, q.String()),
					Evidence: []Evidence{{Text: "admission filled in the request", Receipt: p.Receipt("metadata.annotations[kubernetes.io/limit-ranger]", note, p.Obj.CreationTimestamp.Time)},
						{Text: "the scheduler lacks just this resource", Receipt: p.Scheduling.Receipt}},
					Vars: workloadVars(w), Key: "limits of namespace " + w.Namespace, Old: true}
				fd.Vars["container"], fd.Vars["resource"], fd.Vars["value"], fd.Vars["pod"] = c.Name, res, q.String(), p.Name()
			}
			fd.touch(p, c)
		}
	}
	if fd.Cause == "" {
		return nil
	}
	return []Finding{fd}
}

// shortResource is the first of the resources the scheduler says it lacks.
func shortResource(p *facts.Pod, names []string) (string, bool) {
	for _, n := range names {
		if strings.Contains(p.Scheduling.Message, "Insufficient "+n) {
			return n, true
		}
	}
	return "", false
}

func containerNamed(p *facts.Pod, name string) *facts.Container {
	for _, c := range p.Containers {
		if c.Name == name {
			return c
		}
	}
	return nil
}
