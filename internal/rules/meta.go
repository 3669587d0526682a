package rules

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/unjam-dev/unjam/internal/facts"
)

// metaOf is the workload object's metadata, empty when the object was not seen.
func metaOf(w *facts.Workload) metav1.Object {
	switch {
	case w.Deployment != nil:
		return w.Deployment
	case w.StatefulSet != nil:
		return w.StatefulSet
	case w.DaemonSet != nil:
		return w.DaemonSet
	case w.Job != nil:
		return w.Job
	case w.ReplicaSet != nil:
		return w.ReplicaSet
	case w.Rollout != nil:
		return w.Rollout
	case w.Kind == "Pod" && len(w.Pods) > 0:
		return w.Pods[0].Obj
	}
	return &metav1.ObjectMeta{}
}
