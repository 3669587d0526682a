package verdict

import (
	"cmp"
	"slices"
	"time"

	"github.com/unjam-dev/unjam/internal/cause"
	"github.com/unjam-dev/unjam/internal/facts"
)

// Stall is one cause with everything it holds up: the verdicts that share the
// cause and the thing at fault, or one verdict alone.
type Stall struct {
	// Cause is the code; empty when the one verdict names none.
	Cause string
	// Key is the shared thing at fault, e.g. "registry ghcr.io"; empty when
	// nothing is shared.
	Key string
	// State is the worst of the members'.
	State State
	// Confidence is that of the firmest member: what one of them proves of the
	// shared thing holds for all.
	Confidence cause.Confidence
	// Members are the verdicts, worst first, by index into the slice folded.
	Members []int
	// Beside are workloads, by index, that this holds up too, though another
	// cause comes first for them.
	Beside []int
	// Causes are further codes among the members: effects of the same thing.
	Causes []string
	// Users is how many of the workloads judged depend on the shared thing, all
	// of them where that cannot be told; never less than the members.
	Users int
	// Pods is the number of pods held up. Nodes are those the findings name, and
	// AllNodes how many nodes were seen; 0 when nodes were not read.
	Pods     int
	Nodes    []string
	AllNodes int
	// Since is when the first of them began.
	Since time.Time
}

// foldID is what verdicts must share to be one stall.
type foldID struct{ cause, key string }

// Fold puts verdicts that share a cause and the thing at fault together. Every
// verdict that is not healthy is a member of exactly one stall. The order of
// the verdicts does not matter to what is folded; stalls come worst first, then
// by how many workloads they hold up.
func Fold(causes cause.Set, f *facts.Facts, verdicts []Verdict) []Stall {
	effects := mergeEffects(causes, verdicts)
	var stalls []Stall
	at := map[foldID]int{}
	for i := range verdicts {
		v := &verdicts[i]
		if v.State == Healthy {
			continue
		}
		id, shared := idOf(v)
		if to, ok := effects[id]; ok {
			id = to
		}
		if j, ok := at[id]; shared && ok {
			stalls[j].Members = append(stalls[j].Members, i)
			continue
		}
		if shared {
			at[id] = len(stalls)
		}
		stalls = append(stalls, Stall{Cause: id.cause, Key: id.key, Members: []int{i}})
	}
	for i := range verdicts {
		for _, fd := range verdicts[i].Contributing {
			if j, ok := at[foldID{fd.Cause, fd.Key}]; ok && fd.Key != "" && !slices.Contains(stalls[j].Members, i) && !slices.Contains(stalls[j].Beside, i) {
				stalls[j].Beside = append(stalls[j].Beside, i)
			}
		}
	}
	for i := range stalls {
		stalls[i].count(f, verdicts)
	}
	countUsers(stalls, verdicts)
	slices.SortStableFunc(stalls, func(a, b Stall) int {
		return cmp.Or(cmp.Compare(rank(a.State), rank(b.State)), cmp.Compare(len(b.Members), len(a.Members)),
			compareRefs(&verdicts[a.Members[0]], &verdicts[b.Members[0]]))
	})
	return stalls
}

// idOf is what a verdict folds by. Waiting by design folds by its cause alone:
// twelve paused Deployments are one line. shared is false for what stands alone.
func idOf(v *Verdict) (id foldID, shared bool) {
	p := v.Primary
	switch {
	case p == nil:
		return foldID{}, false
	case v.State == Waiting && p.Key == "":
		return foldID{cause: p.Cause}, true
	}
	return foldID{p.Cause, p.Key}, p.Key != ""
}

// mergeEffects maps what is an effect of another cause on the same thing to
// that cause: of a dead node, "the node does not answer" has the pods that
// cannot end on it as its effect, on whatever workload each shows.
func mergeEffects(causes cause.Set, verdicts []Verdict) map[foldID]foldID {
	explains := map[string]map[string]map[string]bool{} // by key and cause
	for i := range verdicts {
		p := verdicts[i].Primary
		if p == nil || p.Key == "" {
			continue
		}
		at := explains[p.Key]
		if at == nil {
			at = map[string]map[string]bool{}
			explains[p.Key] = at
		}
		if at[p.Cause] == nil {
			at[p.Cause] = map[string]bool{}
		}
		for _, code := range p.Explains {
			at[p.Cause][code] = true
		}
	}
	out := map[foldID]foldID{}
	for key, at := range explains {
		for code := range at {
			if by := explainerOf(causes, at, code); by != code {
				out[foldID{code, key}] = foldID{by, key}
			}
		}
	}
	return out
}

// explainerOf follows from a cause to the one that explains it, and on from
// there. Of several the first of the catalogue is taken, and of two that explain
// each other that one stands, so that the order of a map decides nothing.
func explainerOf(causes cause.Set, at map[string]map[string]bool, code string) string {
	for range at { // a chain is no longer than there are causes
		best := ""
		for by, codes := range at {
			if by == code || !codes[code] || at[code][by] && causes.Order(code) < causes.Order(by) {
				continue
			}
			if best == "" || causes.Order(by) < causes.Order(best) {
				best = by
			}
		}
		if best == "" {
			break
		}
		code = best
	}
	return code
}

func (s *Stall) count(f *facts.Facts, verdicts []Verdict) {
	slices.SortStableFunc(s.Members, func(a, b int) int {
		x, y := &verdicts[a], &verdicts[b]
		return cmp.Or(cmp.Compare(bit(causeOf(x) != s.Cause), bit(causeOf(y) != s.Cause)), cmp.Compare(rank(x.State), rank(y.State)), compareRefs(x, y))
	})
	s.State = verdicts[s.Members[0]].State
	pods, nodes := map[string]bool{}, map[string]bool{}
	for n, i := range slices.Concat(s.Members, s.Beside) {
		v := &verdicts[i]
		fd := v.Primary
		if n >= len(s.Members) {
			fd = besides(v, s)
		} else if rank(v.State) < rank(s.State) {
			s.State = v.State
		}
		if fd == nil {
			if n < len(s.Members) {
				s.Since = earlier(s.Since, v.Since())
			}
			continue
		}
		if s.Confidence == "" || fd.Confidence.Rank() < s.Confidence.Rank() {
			s.Confidence = fd.Confidence
		}
		if fd.Cause != s.Cause && !slices.Contains(s.Causes, fd.Cause) {
			s.Causes = append(s.Causes, fd.Cause)
		}
		for _, p := range fd.Pods {
			pods[v.Workload.Namespace+"/"+p] = true
		}
		for _, n := range fd.Nodes {
			nodes[n] = true
		}
		s.Since = earlier(s.Since, v.Since())
	}
	slices.Sort(s.Causes)
	s.Pods = len(pods)
	for n := range nodes {
		s.Nodes = append(s.Nodes, n)
	}
	slices.Sort(s.Nodes)
	if f.Snap.Covers("nodes", "") {
		s.AllNodes = len(f.Snap.Objects.Nodes)
	}
}

// besides is the finding by which a stall holds up a workload that has another
// cause first.
func besides(v *Verdict, s *Stall) *cause.Finding {
	for i := range v.Contributing {
		if v.Contributing[i].Cause == s.Cause && v.Contributing[i].Key == s.Key {
			return &v.Contributing[i]
		}
	}
	return nil
}

func causeOf(v *Verdict) string {
	if v.Primary == nil {
		return ""
	}
	return v.Primary.Cause
}

func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

func rank(s State) int { return slices.Index(States, s) }

func compareRefs(a, b *Verdict) int {
	return cmp.Or(cmp.Compare(a.Workload.Namespace, b.Workload.Namespace), cmp.Compare(a.Workload.Kind, b.Workload.Kind),
		cmp.Compare(a.Workload.Name, b.Workload.Name))
}
