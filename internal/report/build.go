package report

import (
	"cmp"
	"slices"

	"github.com/unjam-dev/unjam/internal/cause"
	"github.com/unjam-dev/unjam/internal/facts"
	"github.com/unjam-dev/unjam/internal/plan"
	"github.com/unjam-dev/unjam/internal/snapshot"
	"github.com/unjam-dev/unjam/internal/verdict"
)

// New builds the report of verdicts over one snapshot, with the causes that they
// were judged by and the stalls that they fold to. With onlyTrouble, healthy
// workloads are counted but not listed.
func New(causes cause.Set, s *snapshot.Snapshot, verdicts []verdict.Verdict, stalls []verdict.Stall, onlyTrouble bool) *Report {
	r := &Report{APIVersion: APIVersion, Kind: Kind, TakenAt: s.TakenAt.UTC(), Origin: s.Origin,
		Verdicts: []Verdict{}, Stalls: []Stall{}, Summary: map[string]int{}, Gaps: cleanGaps(s.Gaps)}
	r.Origin.Name, r.Origin.ServerVersion = clean(r.Origin.Name), clean(r.Origin.ServerVersion)
	reported := make([]*Verdict, len(verdicts))
	for i, v := range verdicts {
		r.Summary[string(v.State)]++
		if onlyTrouble && v.State == verdict.Healthy {
			continue
		}
		as := newVerdict(causes, v)
		reported[i] = &as
		r.Verdicts = append(r.Verdicts, as)
	}
	for _, s := range stalls {
		r.Stalls = append(r.Stalls, newStall(s, reported))
	}
	slices.SortStableFunc(r.Verdicts, func(a, b Verdict) int {
		return cmp.Or(cmp.Compare(stateRank(a.State), stateRank(b.State)), cmp.Compare(a.Workload.Namespace, b.Workload.Namespace),
			cmp.Compare(a.Workload.Kind, b.Workload.Kind), cmp.Compare(a.Workload.Name, b.Workload.Name))
	})
	return r
}

func stateRank(s string) int { return slices.Index(verdict.States, verdict.State(s)) }

func newVerdict(causes cause.Set, v verdict.Verdict) Verdict {
	w := v.Workload
	out := Verdict{Workload: Workload{Kind: clean(w.Kind), Namespace: clean(w.Namespace), Name: clean(w.Name), Revision: clean(w.Revision), Pods: countPods(w)},
		State: string(v.State), Reason: clean(v.Reason), Since: v.Since().UTC(), Gaps: cleanGaps(v.Gaps),
		Contributing: NewFindings(causes, v.Contributing), Explained: NewFindings(causes, v.Explained)}
	if v.Primary != nil {
		p := newFinding(causes, *v.Primary)
		p.Attribution = newAttribution(v.Attribution)
		out.Primary = &p
	}
	return out
}

func countPods(w *facts.Workload) Pods {
	p := Pods{Desired: w.Desired, Updated: w.Updated, Available: w.Available}
	for _, pod := range w.OldPods() {
		if pod.Terminating() {
			continue
		}
		p.Old++
		if pod.Phase == facts.PhaseReady {
			p.OldReady++
		}
	}
	return p
}

// NewFindings converts findings in the order given.
func NewFindings(causes cause.Set, in []cause.Finding) []Finding {
	out := make([]Finding, 0, len(in))
	for _, fd := range in {
		out = append(out, newFinding(causes, fd))
	}
	return out
}

func newFinding(causes cause.Set, fd cause.Finding) Finding {
	out := Finding{Cause: fd.Cause, Class: string(causes.ClassOf(fd)), Confidence: string(fd.Confidence), Summary: clean(fd.Summary),
		Evidence: []Evidence{}, Affected: Affected{Pods: cleanAll(fd.Pods), Nodes: cleanAll(fd.Nodes), Containers: cleanAll(fd.Containers)},
		Rivals: []Rival{}, Fix: cleanFixes(plan.Fixes(causes, fd)), Checks: cleanChecks(plan.Checks(causes, fd)),
		Since: fd.Since.UTC(), LastSeen: fd.Last.UTC(), NextRetry: fd.NextRetry.UTC(), Attempts: fd.Attempts, Key: clean(fd.Key), OldRevision: fd.Old}
	if c := causes.ByCode(fd.Cause); c != nil {
		out.Family, out.Title, out.Rule = string(c.Family), c.Title, clean(c.Rule)
	}
	for _, e := range fd.Evidence {
		out.Evidence = append(out.Evidence, newEvidence(e))
	}
	for _, r := range fd.Rivals {
		out.Rivals = append(out.Rivals, Rival{Cause: r.Cause, SettledBy: clean(r.SettledBy)})
	}
	return out
}

func newEvidence(e cause.Evidence) Evidence {
	r := &e.Receipt
	r.Kind, r.Namespace, r.Name, r.Field, r.Text = clean(r.Kind), clean(r.Namespace), clean(r.Name), clean(r.Field), clean(r.Text)
	return Evidence{Text: clean(e.Text), Receipt: e.Receipt}
}

func newAttribution(a cause.Attribution) *Attribution {
	out := &Attribution{To: string(a.To), Because: clean(a.Because)}
	for _, e := range a.Evidence {
		out.Evidence = append(out.Evidence, newEvidence(e))
	}
	return out
}
