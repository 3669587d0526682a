package cause

import (
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/unjam-dev/unjam/internal/facts"
	"github.com/unjam-dev/unjam/internal/pattern"
)

// missingRequests reads "must specify" of kubernetes
// pkg/quota/v1/evaluator/core/pods.go: "key for: c1,c2; key for: c1" since
// 1.25, "key,key" before.
var missingRequests = pattern.New(`failed quota: ([^:]+): must specify (.+)$`)

func detectQuotaMissingRequests(f *facts.Facts, w *facts.Workload) []Finding {
	r, ok := refusedAs(w, "quota-missing-requests")
	if !ok {
		return nil
	}
	m := missingRequests.FindStringSubmatch(r.Message)
	if m == nil {
		return nil
	}
	keys, containers := missingKeys(m[2])
	if len(containers) == 0 {
		containers = containersWithout(r.Rev.Template, keys)
	}
	who := "the pod's containers"
	if len(containers) > 0 {
		who = plural(int32(len(containers)), "container ", "containers ") + strings.Join(containers, ", ")
	}
	fd := r.finding(w, "quota-missing-requests", fmt.Sprintf("quota %s/%s counts %s, and %s %s no value for %s",
		w.Namespace, m[1], strings.Join(keys, ", "), who, plural(int32(max(len(containers), 1)), "states", "state"), plural(int32(len(keys)), "it", "them")))
	fd.Containers = containers
	fd.Vars["quota"], fd.Vars["resource"] = m[1], strings.Join(keys, ",")
	if len(containers) > 0 {
		fd.Vars["container"], fd.Vars["containers"] = containers[0], strings.Join(containers, ",")
	}
	fd.Vars["requests"], fd.Vars["limits"] = suggestion(keys, "requests."), suggestion(keys, "limits.")
	fd.Key = "quota " + w.Namespace + "/" + m[1]
	return []Finding{fd}
}

// missingKeys splits the list into keys and container names, both sorted.
func missingKeys(list string) (keys, containers []string) {
	for _, part := range strings.Split(list, "; ") {
		key, names, named := strings.Cut(part, " for: ")
		if !named {
			for _, k := range strings.Split(key, ",") {
				keys = insert(keys, strings.TrimSpace(k))
			}
			continue
		}
		keys = insert(keys, strings.TrimSpace(key))
		for _, n := range strings.Split(names, ",") {
			containers = insert(containers, strings.TrimSpace(n))
		}
	}
	return keys, containers
}

// containersWithout are the containers of a template that lack a value for one
// of the quota keys.
func containersWithout(t *corev1.PodTemplateSpec, keys []string) []string {
	if t == nil {
		return nil
	}
	var out []string
	for _, c := range slices.Concat(t.Spec.InitContainers, t.Spec.Containers) {
		for _, key := range keys {
			list := c.Resources.Requests
			if strings.HasPrefix(key, "limits.") {
				list = c.Resources.Limits
			}
			name := strings.TrimPrefix(strings.TrimPrefix(key, "limits."), "requests.")
			if _, set := list[corev1.ResourceName(name)]; !set {
				out = insert(out, c.Name)
			}
		}
	}
	return out
}

// suggestion is a small starting value for each missing key, in the form that
// kubectl set resources takes.
func suggestion(keys []string, prefix string) string {
	values := map[string]string{"cpu": "100m", "memory": "128Mi", "ephemeral-storage": "1Gi"}
	var out []string
	for _, key := range keys {
		name, ok := strings.CutPrefix(key, prefix)
		if !ok && prefix == "requests." && !strings.Contains(key, ".") {
			name, ok = key, true
		}
		if v := values[name]; ok && v != "" {
			out = insert(out, name+"="+v)
		}
	}
	return strings.Join(out, ",")
}

// quotaUnknownSettle is how long a fresh quota may lack its status before its
// controller counts as not working.
const quotaUnknownSettle = 60 * time.Second

func detectQuotaStatusUnknown(f *facts.Facts, w *facts.Workload) []Finding {
	r, ok := refusedAs(w, "quota-status-unknown")
	if !ok {
		return nil
	}
	_, rest, _ := strings.Cut(r.Message, "status unknown for quota: ")
	name, keys, _ := strings.Cut(rest, ", resources: ")
	fd := r.finding(w, "quota-status-unknown", fmt.Sprintf("quota %s/%s has no usage counted yet for %s", w.Namespace, name, keys))
	fd.Vars["quota"], fd.Vars["resource"] = name, keys
	fd.Key = "quota " + w.Namespace + "/" + name
	if q := resourceQuota(f, w.Namespace, name); q != nil {
		if len(q.Status.Hard) > 0 && allHard(q, keys) {
			fd.Class = Waiting
			fd.Summary = fmt.Sprintf("quota %s/%s lacked its usage when it refused the pods and has it now, so the controller's next try should pass", w.Namespace, name)
		}
		fd.Evidence = append(fd.Evidence, Evidence{Text: fmt.Sprintf("the quota's status counts %d resources", len(q.Status.Hard)),
			Receipt: facts.Receipt{Kind: "ResourceQuota", Namespace: w.Namespace, Name: name, Field: "status.hard", Text: fmt.Sprint(len(q.Status.Hard))}})
	}
	return []Finding{fd}
}

func allHard(q *corev1.ResourceQuota, keys string) bool {
	for _, k := range strings.Split(keys, ",") {
		if _, ok := q.Status.Hard[corev1.ResourceName(strings.TrimSpace(k))]; !ok {
			return false
		}
	}
	return true
}

func detectQuotaScope(f *facts.Facts, w *facts.Workload) []Finding {
	r, ok := refusedAs(w, "quota-scope-not-covered")
	if !ok {
		return nil
	}
	text := refusalText(r.Message)
	summary := ""
	what, scoped := strings.CutPrefix(text, "insufficient quota to match these scopes: ")
	if !scoped {
		what = strings.TrimPrefix(text, "insufficient quota to consume: ")
		summary = fmt.Sprintf("the cluster lets pods use %s only where a quota counts it, and namespace %s has none", what, w.Namespace)
	} else {
		summary = fmt.Sprintf("the cluster admits pods of scope %s only where a quota covers it, and namespace %s has none", what, w.Namespace)
	}
	fd := r.finding(w, "quota-scope-not-covered", summary)
	fd.Vars["scope"] = what
	if t := r.Rev.Template; t != nil && t.Spec.PriorityClassName != "" {
		fd.Vars["priorityClass"] = t.Spec.PriorityClassName
		if !scoped {
			delete(fd.Vars, "priorityClass")
		}
	}
	fd.Key = "namespace " + w.Namespace
	return []Finding{fd}
}
