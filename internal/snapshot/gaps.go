package snapshot

import (
	"maps"
	"slices"
)

// anyResource in a gap stands for every resource: a file that cannot be read
// may have held anything.
const anyResource = "*"

// partialGaps are the gaps of a source that does not list its own: every kind
// is missing in every namespace but those in which an object of it was seen.
func partialGaps(o *Objects) []Gap {
	var gaps []Gap
	for _, k := range Kinds {
		seen := map[string]bool{}
		k.each(o, func(id identity) { seen[id.namespace] = true })
		if !k.Namespaced && len(seen) > 0 {
			continue
		}
		gaps = append(gaps, Gap{Resource: k.Resource, Except: slices.Sorted(maps.Keys(seen)), Reason: GapNotCaptured,
			Detail: "the source does not say that it holds all of them", Settle: "kubectl get " + k.FullResource() + allNamespaces(k) + " -o yaml"})
	}
	return gaps
}

func allNamespaces(k *Kind) string {
	if k.Namespaced {
		return " -A"
	}
	return ""
}

// hides reports whether the gap makes the absence of an object of the resource
// in the namespace prove nothing.
func (g *Gap) hides(resource, namespace string) bool {
	if g.Resource == anyResource {
		return true
	}
	return g.Resource == resource && g.Name == "" && (g.Namespace == "" || g.Namespace == namespace) && !slices.Contains(g.Except, namespace)
}
