package properties

import (
	"math/rand/v2"
	"testing"

	"github.com/unjam-dev/unjam/internal/cause"
	"github.com/unjam-dev/unjam/internal/snapshot"
)

// seeds are how many orders each bundle is judged in.
const seeds = 6

// TestOrderDoesNotMatter holds that the order in which a list call returned
// objects, conditions and containers changes no answer.
func TestOrderDoesNotMatter(t *testing.T) {
	for _, s := range scenes(t) {
		for seed := range uint64(seeds) {
			v, err := s.judge(shuffled(s.snap, rand.New(rand.NewPCG(seed, 1))))
			if err != nil {
				t.Fatalf("%s: %v", s.name, err)
			}
			if got, want := answer(v), answer(s.base); got != want {
				t.Errorf("%s: seed %d: %s, want %s", s.name, seed, got, want)
			}
		}
	}
}

func shuffled(s *snapshot.Snapshot, r *rand.Rand) *snapshot.Snapshot {
	out := deepCopyOf(s)
	o := &out.Objects
	for _, k := range slots {
		k.shuffle(o, r)
	}
	mix(r, o.Neighbours)
	mix(r, o.Others)
	mix(r, out.Logs)
	mix(r, out.Gaps)
	for _, p := range o.Pods {
		mix(r, p.Status.Conditions)
		mix(r, p.Status.ContainerStatuses)
		mix(r, p.Status.InitContainerStatuses)
		mix(r, p.Spec.Containers)
		mix(r, p.Spec.Volumes)
		mix(r, p.Spec.Tolerations)
	}
	for _, n := range o.Nodes {
		mix(r, n.Status.Conditions)
		mix(r, n.Status.Images)
		mix(r, n.Spec.Taints)
	}
	for _, d := range o.Deployments {
		mix(r, d.Status.Conditions)
		mix(r, d.Spec.Template.Spec.Containers)
	}
	for _, x := range o.ReplicaSets {
		mix(r, x.Status.Conditions)
		mix(r, x.Spec.Template.Spec.Containers)
	}
	return out
}

func mix[T any](r *rand.Rand, list []T) {
	r.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
}

// TestCatalogueOrderOnlyBreaksTies shuffles the catalogue within each family:
// an answer that hangs on the order of the table was not decided by evidence.
func TestCatalogueOrderOnlyBreaksTies(t *testing.T) {
	all := scenes(t) // judged in the true order
	for seed := range uint64(2) {
		r := rand.New(rand.NewPCG(seed, 2))
		var list []cause.Cause
		for c := range cause.BuiltIn.All() {
			list = append(list, *c)
		}
		for start := 0; start < len(list); {
			end := start + 1
			for end < len(list) && list[end].Family == list[start].Family {
				end++
			}
			mix(r, list[start:end])
			start = end
		}
		mixed, err := cause.NewSet(list...)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range all {
			rep, err := s.reportBy(mixed, s.snap)
			if err != nil {
				t.Fatalf("%s: %v", s.name, err)
			}
			v := rep.Verdicts[0]
			if v.State != s.base.State || primary(v) != primary(s.base) {
				t.Errorf("%s: seed %d: %s, want %s", s.name, seed, answer(v), answer(s.base))
			}
		}
	}
}
