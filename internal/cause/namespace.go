package cause

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/unjam-dev/unjam/internal/facts"
)

// detectNamespaceTerminating sees pods missing in a namespace that is being
// deleted. The controllers make no event of this refusal (kubernetes
// pkg/controller/replicaset/replica_set.go), so the namespace itself speaks.
func detectNamespaceTerminating(f *facts.Facts, w *facts.Workload) []Finding {
	if rolledOut(w) {
		return nil
	}
	ns := namespaceOf(f, w.Namespace)
	r, refused := refusedAs(w, "namespace-terminating")
	terminating := ns != nil && (ns.Status.Phase == corev1.NamespaceTerminating || ns.DeletionTimestamp != nil)
	if !refused && !terminating {
		return nil
	}
	fd := Finding{Cause: "namespace-terminating", Confidence: Certain, Vars: workloadVars(w), Key: "namespace " + w.Namespace,
		Summary: fmt.Sprintf("namespace %s is being deleted, so no pod can be made in it: %d of %d exist", w.Namespace, w.Total, w.Desired)}
	if refused {
		fd.Evidence, fd.Since, fd.Last, fd.Attempts = r.evidence(), r.First, r.Last, r.Attempts
	}
	if terminating {
		at := ns.CreationTimestamp.Time
		if ns.DeletionTimestamp != nil {
			at = ns.DeletionTimestamp.Time
			fd.Since = at
		}
		fd.Last = f.Now
		fd.Evidence = append(fd.Evidence, Evidence{Text: "the namespace is terminating", Receipt: facts.Receipt{Kind: "Namespace", Name: ns.Name, Field: "status.phase", Text: string(ns.Status.Phase), Time: at}})
		for _, c := range ns.Status.Conditions {
			if c.Status == corev1.ConditionTrue && strings.HasPrefix(string(c.Type), "Namespace") {
				fd.Evidence = append(fd.Evidence, Evidence{Text: "what its deletion waits for", Receipt: facts.Receipt{Kind: "Namespace", Name: ns.Name, Field: "status.conditions[" + string(c.Type) + "]", Text: c.Message, Time: c.LastTransitionTime.Time}})
			}
		}
	}
	return []Finding{fd}
}

func namespaceOf(f *facts.Facts, name string) *corev1.Namespace {
	for _, ns := range f.Snap.Objects.Namespaces {
		if ns.Name == name {
			return ns
		}
	}
	return nil
}
