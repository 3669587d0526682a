package verdict

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/unjam-dev/unjam/internal/facts"
)

// countUsers sets Users of every stall: the M of "N of M workloads". Members
// count whatever their objects say, so that it is never below N.
func countUsers(stalls []Stall, verdicts []Verdict) {
	users := map[string][]int{}
	for i := range stalls {
		k := stalls[i].Key
		users[k] = nil
		if quota, ok := strings.CutPrefix(k, "quota "); ok { // concerns whoever is in its namespace
			ns, _, _ := strings.Cut(quota, "/")
			users["namespace "+ns] = nil
		}
	}
	for i := range verdicts {
		for _, k := range dependsOn(verdicts[i].Workload) {
			if list, ok := users[k]; ok && (len(list) == 0 || list[len(list)-1] != i) {
				users[k] = append(list, i)
			}
		}
	}
	for n := range stalls {
		s := &stalls[n]
		kind, name, _ := strings.Cut(s.Key, " ")
		if s.Key != "" && !slices.Contains(dependencies, kind) {
			s.Users = len(verdicts) // a webhook or a driver may concern any
			continue
		}
		in := map[int]bool{}
		key := s.Key
		if kind == "quota" {
			ns, _, _ := strings.Cut(name, "/")
			key = "namespace " + ns
		}
		for _, i := range slices.Concat(s.Members, s.Beside, users[key]) {
			in[i] = true
		}
		s.Users = len(in)
	}
}

// dependencies are the kinds of shared thing, the first word of a finding's
// key, of which a workload's own objects tell whether it depends on them.
var dependencies = []string{"registry", "host", "repository", "image", "node", "namespace", "limits", "quota", "secret", "serviceaccount",
	"priorityclass", "runtimeclass", "workload"}

// dependsOn lists the keys of the things a workload depends on, with repeats.
func dependsOn(w *facts.Workload) []string {
	out := []string{"namespace " + w.Namespace, "limits of namespace " + w.Namespace, "workload " + w.Namespace + "/" + w.Ref()}
	for _, p := range w.Pods {
		if n := p.NodeName(); n != "" {
			out = append(out, "node "+n)
		}
	}
	if w.Template == nil {
		return out
	}
	s := &w.Template.Spec
	for _, list := range [][]corev1.Container{s.InitContainers, s.Containers} {
		for i := range list {
			img, ok := facts.ParseImage(list[i].Image)
			if !ok {
				continue
			}
			host, _, _ := strings.Cut(img.Registry, ":")
			out = append(out, "registry "+img.Registry, "host "+img.Registry, "host "+host, "repository "+img.Name(), "image "+img.String(), "image "+list[i].Image)
		}
	}
	for _, ref := range s.ImagePullSecrets {
		out = append(out, "secret "+w.Namespace+"/"+ref.Name)
	}
	for _, v := range s.Volumes {
		if v.Secret != nil {
			out = append(out, "secret "+w.Namespace+"/"+v.Secret.SecretName)
		}
	}
	account := s.ServiceAccountName
	if account == "" {
		account = "default"
	}
	out = append(out, "serviceaccount "+w.Namespace+"/"+account)
	if s.PriorityClassName != "" {
		out = append(out, "priorityclass "+s.PriorityClassName)
	}
	if s.RuntimeClassName != nil {
		out = append(out, "runtimeclass "+*s.RuntimeClassName)
	}
	return out
}
