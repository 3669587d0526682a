package properties

import (
	"math/rand/v2"
	"testing"

	"github.com/unjam-dev/unjam/internal/snapshot"
)

// TestRuins tears holes of every size into every recording: a share of the
// objects of some kinds is lost, and gaps say of which kinds. A stall never
// becomes health, and no effect or loss makes a stall of what is none.
func TestRuins(t *testing.T) {
	judged, kept := 0, 0
	for _, s := range scenes(t) {
		for seed := range uint64(12) {
			r := rand.New(rand.NewPCG(seed, 3))
			v, err := s.judge(ruin(s.snap, r))
			if err != nil {
				continue // the workload itself is gone
			}
			judged++
			if primary(v) == primary(s.base) {
				kept++
			}
			for _, p := range s.holds(v, true) {
				t.Errorf("%s: seed %d: %s", s.name, seed, p)
			}
		}
	}
	t.Logf("%d verdicts, %d of them with the same cause", judged, kept)
}

func ruin(s *snapshot.Snapshot, r *rand.Rand) *snapshot.Snapshot {
	out := copyOf(s)
	loss := r.Float64() * 0.7
	for _, k := range slots {
		if r.IntN(2) == 0 {
			continue
		}
		lost := 0
		for i := k.size(&out.Objects) - 1; i >= 0; i-- {
			if r.Float64() < loss {
				k.remove(&out.Objects, i)
				lost++
			}
		}
		if lost > 0 {
			out.Gaps = append(out.Gaps, snapshot.Gap{Resource: k.resource, Reason: snapshot.GapTruncated, Detail: "only a part was read"})
		}
	}
	if r.IntN(2) == 0 {
		out.Logs = nil
	}
	return out
}
