package cause

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/unjam-dev/unjam/internal/facts"
	"github.com/unjam-dev/unjam/internal/near"
	"github.com/unjam-dev/unjam/internal/pattern"
)

// The texts of kubernetes plugin/pkg/admission/{serviceaccount,priority,
// runtimeclass,podnodeselector,podtolerationrestriction}.
var (
	lookupAccount  = pattern.New(`error looking up service account ([^/ ]+)/([^: ]+):`)
	retryAccount   = pattern.New(`service account ([^/ ]+)/(\S+) was not found, retry after the service account is created`)
	noPriority     = pattern.New(`no PriorityClass with name (\S+) was found`)
	priorityHere   = pattern.New(`pods with (\S+) priorityClass is not permitted in (\S+) namespace`)
	noRuntimeClass = pattern.New(`RuntimeClass "([^"]+)" not found`)
)

// freshNamespace is how young a namespace may be for its default
// ServiceAccount still to be on the way.
const freshNamespace = 30 * time.Second

func detectServiceAccountMissing(f *facts.Facts, w *facts.Workload) []Finding {
	r, ok := refusedAs(w, "serviceaccount-missing")
	if !ok {
		return nil
	}
	name := cmp.Or(templateOf(r).Spec.ServiceAccountName, "default")
	for _, re := range []*pattern.Pattern{lookupAccount, retryAccount} {
		if m := re.FindStringSubmatch(r.Message); m != nil {
			name = m[2]
		}
	}
	fd := r.finding(w, "serviceaccount-missing", fmt.Sprintf("the pods run as ServiceAccount %s/%s, which does not exist", w.Namespace, name))
	fd.Vars["serviceaccount"] = name
	fd.Key = "serviceaccount " + w.Namespace + "/" + name
	sa, known := f.ServiceAccount(w.Namespace, name)
	switch {
	case sa != nil:
		fd.Class = Waiting
		fd.Summary = fmt.Sprintf("ServiceAccount %s/%s was missing when the pods were refused and exists now, so the controller's next try should pass", w.Namespace, name)
		fd.Evidence = append(fd.Evidence, Evidence{Text: "the ServiceAccount exists now", Receipt: facts.Receipt{Kind: "ServiceAccount", Namespace: w.Namespace, Name: name, Field: "metadata.creationTimestamp", Time: sa.CreationTimestamp.Time, Text: sa.CreationTimestamp.UTC().Format(time.RFC3339)}})
	case name == "default" && namespaceAge(f, w.Namespace) < freshNamespace:
		fd.Class = SelfHealing
	case known:
		var names []string
		for _, a := range f.Snap.Objects.ServiceAccounts {
			if a.Namespace == w.Namespace {
				names = append(names, a.Name)
			}
		}
		suggest(&fd, name, names)
	}
	return []Finding{fd}
}

func namespaceAge(f *facts.Facts, name string) time.Duration {
	for _, ns := range f.Snap.Objects.Namespaces {
		if ns.Name == name && !ns.CreationTimestamp.IsZero() {
			return f.Now.Sub(ns.CreationTimestamp.Time)
		}
	}
	return time.Hour
}

func detectPriorityClassMissing(f *facts.Facts, w *facts.Workload) []Finding {
	r, ok := refusedAs(w, "priorityclass-missing")
	if !ok {
		return nil
	}
	name := templateOf(r).Spec.PriorityClassName
	if m := noPriority.FindStringSubmatch(r.Message); m != nil {
		name = m[1]
	}
	fd := r.finding(w, "priorityclass-missing", fmt.Sprintf("the pods ask for PriorityClass %s, which does not exist", name))
	fd.Vars["priorityClass"], fd.Key = name, "priorityclass "+name
	var names []string
	for _, p := range f.Snap.Objects.PriorityClasses {
		names = append(names, p.Name)
	}
	if slices.Contains(names, name) {
		fd.Class = Waiting
		fd.Summary = fmt.Sprintf("PriorityClass %s was missing when the pods were refused and exists now, so the controller's next try should pass", name)
		return []Finding{fd}
	}
	suggest(&fd, name, names)
	return []Finding{fd}
}

func detectPriorityClassNotPermitted(f *facts.Facts, w *facts.Workload) []Finding {
	r, ok := refusedAs(w, "priorityclass-not-permitted")
	if !ok {
		return nil
	}
	name := templateOf(r).Spec.PriorityClassName
	if m := priorityHere.FindStringSubmatch(r.Message); m != nil {
		name = m[1]
	}
	fd := r.finding(w, "priorityclass-not-permitted", fmt.Sprintf("PriorityClass %s may not be used in namespace %s", name, w.Namespace))
	fd.Vars["priorityClass"], fd.Key = name, "priorityclass "+name
	return []Finding{fd}
}

func detectRuntimeClassMissing(f *facts.Facts, w *facts.Workload) []Finding {
	r, ok := refusedAs(w, "runtimeclass-missing")
	if !ok {
		return nil
	}
	name := ""
	if n := templateOf(r).Spec.RuntimeClassName; n != nil {
		name = *n
	}
	var fd Finding
	m := noRuntimeClass.FindStringSubmatch(r.Message)
	switch {
	case m != nil:
		name = m[1]
		fd = r.finding(w, "runtimeclass-missing", fmt.Sprintf("the pods ask for RuntimeClass %s, which does not exist", name))
	case strings.Contains(r.Message, "Overhead"):
		fd = r.finding(w, "runtimeclass-missing", fmt.Sprintf("the pods state another overhead than RuntimeClass %s defines", name))
	default:
		fd = r.finding(w, "runtimeclass-missing", fmt.Sprintf("the pods' node selector contradicts that of RuntimeClass %s", name))
	}
	fd.Vars["runtimeClass"], fd.Key = name, "runtimeclass "+name
	var names []string
	for _, c := range f.Snap.Objects.RuntimeClasses {
		names = append(names, c.Name)
	}
	switch {
	case m != nil && slices.Contains(names, name):
		fd.Class = Waiting
		fd.Summary = fmt.Sprintf("RuntimeClass %s was missing when the pods were refused and exists now, so the controller's next try should pass", name)
	case m != nil:
		suggest(&fd, name, names)
	}
	return []Finding{fd}
}

// detectPlainRefusal reads refusals whose own words already say all there is.
func detectPlainRefusal(code, key string, say func(r refusal, w *facts.Workload) string) func(*facts.Facts, *facts.Workload) []Finding {
	return func(_ *facts.Facts, w *facts.Workload) []Finding {
		r, ok := refusedAs(w, code)
		if !ok {
			return nil
		}
		fd := r.finding(w, code, say(r, w))
		if key != "" {
			fd.Key = strings.ReplaceAll(key, "NS", w.Namespace)
		}
		if sa := templateOf(r).Spec.ServiceAccountName; sa != "" {
			fd.Vars["serviceaccount"] = sa
		} else {
			fd.Vars["serviceaccount"] = "default"
		}
		return []Finding{fd}
	}
}

// suggest names the existing object whose name is nearest to a missing one.
func suggest(fd *Finding, missing string, names []string) {
	if like := near.Names(missing, names); len(like) > 0 {
		fd.Vars["nearest"] = like[0]
		fd.Summary += fmt.Sprintf("; %s exists", like[0])
	}
}

// invalidReason is what follows `Pod "x" is invalid: `.
func invalidReason(message string) string {
	_, reason, _ := strings.Cut(message, "\" is invalid: ")
	return reason
}
