package facts

import (
	"strconv"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
)

// rolloutHash is the label by which Argo tells its ReplicaSets apart.
const rolloutHash = "rollouts-pod-template-hash"

// addRollouts reads Argo Rollouts (argoproj.io/v1alpha1,
// pkg/apis/rollouts/v1alpha1/types.go), whose ReplicaSets look like a
// Deployment's. The newest revision is the one of status.currentPodHash.
func (f *Facts) addRollouts(sets map[objectKey][]*appsv1.ReplicaSet, podsOf func(string, metav1.Object) []*Pod) {
	for _, u := range f.Snap.Objects.Others {
		if u.GetKind() != "Rollout" || !strings.HasPrefix(u.GetAPIVersion(), "argoproj.io/") {
			continue
		}
		w := f.workload("Rollout", u)
		w.Rollout = u
		w.Template, w.TemplateOf = f.rolloutTemplate(u)
		w.Desired = int32(nestedInt(u, 1, "spec", "replicas"))
		w.Total, w.Updated = int32(nestedInt(u, 0, "status", "replicas")), int32(nestedInt(u, 0, "status", "updatedReplicas"))
		w.Ready, w.Available = int32(nestedInt(u, 0, "status", "readyReplicas")), int32(nestedInt(u, 0, "status", "availableReplicas"))
		w.Paused, _, _ = unstructured.NestedBool(u.Object, "spec", "paused")
		w.ObservedGeneration = observedGeneration(u)
		w.Revision = u.GetAnnotations()["rollout.argoproj.io/revision"]
		w.Conditions = conditionsOf(u)
		hash, _, _ := unstructured.NestedString(u.Object, "status", "currentPodHash")
		for _, rs := range sets[ownerKey("Rollout", u)] {
			r := f.replicaSetRevision(rs, podsOf("ReplicaSet", rs))
			if n := rs.Annotations["rollout.argoproj.io/revision"]; n != "" {
				r.Number = n
			}
			if hash != "" && rs.Labels[rolloutHash] == hash {
				w.New, w.Started = r, r.Created
				if len(w.Template.Spec.Containers) == 0 {
					w.Template = r.Template
				}
				continue
			}
			w.Old = append(w.Old, r)
		}
		f.add(w)
	}
}

// rolloutTemplate is the Rollout's own template, or that of the workload which
// spec.workloadRef names. It is empty when neither can be read.
func (f *Facts) rolloutTemplate(u *unstructured.Unstructured) (t *corev1.PodTemplateSpec, of string) {
	t = &corev1.PodTemplateSpec{}
	if ref, ok, _ := unstructured.NestedStringMap(u.Object, "spec", "workloadRef"); ok {
		of = strings.ToLower(ref["kind"]) + "/" + ref["name"]
		for _, d := range f.Snap.Objects.Deployments {
			if ref["kind"] == "Deployment" && d.Namespace == u.GetNamespace() && d.Name == ref["name"] {
				return &d.Spec.Template, of
			}
		}
		return t, of
	}
	if raw, ok, _ := unstructured.NestedMap(u.Object, "spec", "template"); ok {
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(raw, t); err != nil {
			return &corev1.PodTemplateSpec{}, "" // not a pod template: the ReplicaSet's speaks
		}
	}
	return t, of
}

// observedGeneration is a string in Rollouts: the generation since 1.0, a hash
// of the spec before, which says nothing here.
func observedGeneration(u *unstructured.Unstructured) int64 {
	s, _, _ := unstructured.NestedString(u.Object, "status", "observedGeneration")
	if n, err := strconv.ParseInt(s, 10, 64); err == nil && n <= u.GetGeneration() {
		return n
	}
	return u.GetGeneration()
}

// conditionsOf reads the conditions of an untyped object.
func conditionsOf(u *unstructured.Unstructured) []Condition {
	list, _, _ := unstructured.NestedSlice(u.Object, "status", "conditions")
	var out []Condition
	for _, item := range list {
		m, ok := item.(map[string]any)
		if !ok {
			continue
		}
		text := func(key string) string { s, _ := m[key].(string); return s }
		c := Condition{Type: text("type"), Status: text("status"), Reason: text("reason"), Message: text("message")}
		c.LastUpdate, c.LastTransition = moment(text("lastUpdateTime")), moment(text("lastTransitionTime"))
		out = append(out, c)
	}
	return out
}

func moment(s string) time.Time {
	t, _ := time.Parse(time.RFC3339, s)
	return t
}

func nestedInt(u *unstructured.Unstructured, fallback int64, path ...string) int64 {
	if n, ok, err := unstructured.NestedInt64(u.Object, path...); ok && err == nil {
		return n
	}
	return fallback
}
