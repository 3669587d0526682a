package verdict

import (
	"cmp"
	"slices"

	"github.com/unjam-dev/unjam/internal/cause"
	"github.com/unjam-dev/unjam/internal/facts"
)

// weigh splits findings into primary, contributing and explained.
func (v *Verdict) weigh(causes cause.Set, all []cause.Finding) {
	isCause := func(fd cause.Finding) bool { return causes.ClassOf(fd) != cause.Symptom }
	var standing []cause.Finding
	for i, fd := range all {
		switch by := explainer(all, i); {
		case by == nil:
			standing = append(standing, fd)
		case !slices.ContainsFunc(by.Rivals, func(r cause.Rival) bool { return r.Cause == fd.Cause }):
			v.Explained = append(v.Explained, fd)
		} // another reading of the same evidence is named as the rival already
	}
	if slices.ContainsFunc(standing, isCause) {
		// Effects hide behind any cause, also one that does not name them.
		standing = slices.DeleteFunc(standing, func(fd cause.Finding) bool {
			if isCause(fd) {
				return false
			}
			v.Explained = append(v.Explained, fd)
			return true
		})
	}
	if len(standing) == 0 {
		return
	}
	slices.SortStableFunc(standing, func(a, b cause.Finding) int { return compare(causes, v.Workload, a, b) })
	v.Primary, v.Contributing = &standing[0], standing[1:]
}

// explainer is the finding that names all[i] as its effect, nil when there is
// none. Of two that explain each other the one earlier in the catalogue stands.
func explainer(all []cause.Finding, i int) *cause.Finding {
	for j := range all {
		if j == i || !explains(&all[j], &all[i]) {
			continue
		}
		if slices.Contains(all[i].Explains, all[j].Cause) && i < j {
			continue
		}
		return &all[j]
	}
	return nil
}

func explains(a, b *cause.Finding) bool {
	return slices.Contains(a.Explains, b.Cause) || slices.Contains(a.Replaces, b.Cause) && a.Covers(b)
}

// compare orders findings: what blocks the new revision before what troubles
// only old pods, causes before by-design waiting, firm before open, many pods
// before few, then catalogue order.
func compare(causes cause.Set, w *facts.Workload, a, b cause.Finding) int {
	return cmp.Or(
		cmp.Compare(bit(a.Old), bit(b.Old)),
		cmp.Compare(classRank(causes, a), classRank(causes, b)),
		cmp.Compare(a.Confidence.Rank(), b.Confidence.Rank()),
		cmp.Compare(weight(w, b), weight(w, a)),
		cmp.Compare(causes.Order(a.Cause), causes.Order(b.Cause)),
		a.Since.Compare(b.Since),
	)
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}

func classRank(causes cause.Set, fd cause.Finding) int {
	switch causes.ClassOf(fd) {
	case cause.Terminal, cause.SelfHealing:
		if fd.Cause == "unknown" {
			return 2
		}
		return 0
	case cause.Waiting:
		return 1
	}
	return 3
}

// weight is how many pods a finding accounts for; one about pods that were
// never made counts those missing.
func weight(w *facts.Workload, fd cause.Finding) int {
	if n := len(fd.Pods); n > 0 {
		return n
	}
	return int(max(1, w.Desired-int32(len(w.NewPods()))))
}
