package rules

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/unjam-dev/unjam/internal/facts"
)

// metaOf is the workload object's metadata, empty when the object was not seen.
func metaOf(w *facts.Workload) metav1.Object {
	if o := w.Object(); o != nil {
		return o
	}
	if w.Kind == "Pod" && len(w.Pods) > 0 {
		return w.Pods[0].Obj
	}
	return &metav1.ObjectMeta{}
}
