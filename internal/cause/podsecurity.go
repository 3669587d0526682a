package cause

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/unjam-dev/unjam/internal/facts"
	"github.com/unjam-dev/unjam/internal/pattern"
)

var podSecurity = pattern.New(`violates PodSecurity "([a-z]+):([^"]+)": (.+)$`)

// psaViolation is one check of a Pod Security level that the pod does not pass.
type psaViolation struct {
	Check  string // "runAsNonRoot != true"
	Detail string // what is wrong with which container
	// Containers are those named in the detail.
	Containers []string
}

// psaViolations splits "check (detail), check (detail)", where details hold
// brackets, quotes and commas of their own (pod-security-admission
// policy/registry.go and policy/check_*.go).
func psaViolations(list string) []psaViolation {
	var out []psaViolation
	depth, start := 0, 0
	add := func(end int) {
		check, detail, _ := strings.Cut(strings.TrimSpace(list[start:end]), " (")
		v := psaViolation{Check: check, Detail: strings.TrimSuffix(detail, ")")}
		if check != "" {
			v.Containers = quotedContainers(v.Detail)
			out = append(out, v)
		}
	}
	for i, r := range list {
		switch {
		case r == '(':
			depth++
		case r == ')':
			depth--
		case r == ',' && depth <= 0:
			add(i)
			start = i + 1
		}
	}
	add(len(list))
	return out
}

var containerWords = pattern.New(`containers? ((?:"[^"]+"(?:, )?)+)`)

func quotedContainers(detail string) []string {
	var out []string
	for _, m := range containerWords.FindAllStringSubmatch(detail, -1) {
		for _, q := range strings.Split(m[1], ", ") {
			if n := strings.Trim(q, `" `); n != "" {
				out = insert(out, n)
			}
		}
	}
	return out
}

func detectPodSecurity(f *facts.Facts, w *facts.Workload) []Finding {
	r, ok := refusedAs(w, "podsecurity-violation")
	if !ok {
		return nil
	}
	m := podSecurity.FindStringSubmatch(r.Message)
	if m == nil {
		return nil
	}
	violations := psaViolations(m[3])
	var checks, containers []string
	for _, v := range violations {
		checks = append(checks, v.Check)
		for _, c := range v.Containers {
			containers = insert(containers, c)
		}
	}
	fd := r.finding(w, "podsecurity-violation", fmt.Sprintf("namespace %s enforces Pod Security %q (%s) and the pod breaks %s: %s",
		w.Namespace, m[1], m[2], plural(int32(len(checks)), "one of its rules", fmt.Sprintf("%d of its rules", len(checks))), strings.Join(checks, ", ")))
	fd.Containers = containers
	for _, v := range violations {
		if v.Detail != "" {
			fd.Evidence = append(fd.Evidence, Evidence{Text: v.Check + ": " + v.Detail, Receipt: r.Receipt})
		}
	}
	fd.Vars["level"], fd.Vars["version"], fd.Vars["violations"] = m[1], m[2], strings.Join(checks, ", ")
	patch, rest := psaPatch(r.Rev.Template, violations)
	if w.Job == nil {
		fd.Vars["patch"] = patch
		psaCommandVars(fd.Vars, m[1], r.Rev.Template, containers, rest)
	}
	fd.Vars["byHand"] = strings.Join(rest, ", ")
	fd.Evidence = append(fd.Evidence, namespaceLabel(f, w.Namespace)...)
	fd.Key = "namespace " + w.Namespace
	return []Finding{fd}
}

// psaCommandVars set the container a ready command can mend: only when one
// container breaks the level restricted and every breach can be patched.
func psaCommandVars(vars map[string]string, level string, t *corev1.PodTemplateSpec, containers, byHand []string) {
	if level != "restricted" || len(containers) != 1 || len(byHand) > 0 || t == nil {
		return
	}
	if slices.ContainsFunc(t.Spec.Containers, func(c corev1.Container) bool { return c.Name == containers[0] }) {
		vars["container"] = containers[0]
	}
}

// psaPatch is the strategic-merge patch that satisfies the checks, and the
// checks that no patch can satisfy without knowing the application.
func psaPatch(t *corev1.PodTemplateSpec, violations []psaViolation) (patch string, byHand []string) {
	pod := map[string]any{}
	contexts := map[string]map[string]any{}
	for _, v := range violations {
		field, value, ok := psaFix(v.Check)
		if !ok || t == nil {
			byHand = append(byHand, v.Check)
			continue
		}
		if len(v.Containers) == 0 {
			pod[field] = value
		}
		for _, c := range v.Containers {
			if contexts[c] == nil {
				contexts[c] = map[string]any{}
			}
			contexts[c][field] = value
		}
	}
	spec := map[string]any{}
	if len(pod) > 0 {
		spec["securityContext"] = pod
	}
	if t != nil {
		for field, list := range map[string][]corev1.Container{"containers": t.Spec.Containers, "initContainers": t.Spec.InitContainers} {
			var out []any
			for _, c := range list {
				if sc := contexts[c.Name]; sc != nil {
					out = append(out, map[string]any{"name": c.Name, "securityContext": sc})
				}
			}
			if out != nil {
				spec[field] = out
			}
		}
	}
	if len(spec) == 0 {
		return "", byHand
	}
	b, err := json.Marshal(map[string]any{"spec": map[string]any{"template": map[string]any{"spec": spec}}})
	if err != nil {
		return "", byHand
	}
	return string(b), byHand
}

// psaFix is the securityContext field that passes a check.
func psaFix(check string) (field string, value any, ok bool) {
	switch {
	case strings.HasPrefix(check, "allowPrivilegeEscalation"):
		return "allowPrivilegeEscalation", false, true
	case check == "unrestricted capabilities":
		return "capabilities", map[string]any{"drop": []string{"ALL"}}, true
	case strings.HasPrefix(check, "runAsNonRoot"):
		return "runAsNonRoot", true, true
	case strings.HasPrefix(check, "seccompProfile"):
		return "seccompProfile", map[string]any{"type": "RuntimeDefault"}, true
	case check == "privileged":
		return "privileged", false, true
	}
	return "", nil, false
}

// namespaceLabel is the label that sets the level, where the namespace was seen.
func namespaceLabel(f *facts.Facts, namespace string) []Evidence {
	const label = "pod-security.kubernetes.io/enforce"
	for _, ns := range f.Snap.Objects.Namespaces {
		if level := ns.Labels[label]; ns.Name == namespace && level != "" {
			return []Evidence{{Text: "the namespace enforces this level", Receipt: facts.Receipt{Kind: "Namespace", Name: namespace, Field: "metadata.labels[" + label + "]", Text: level}}}
		}
	}
	return nil
}
