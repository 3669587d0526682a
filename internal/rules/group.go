package rules

import (
	"fmt"
	"slices"

	"github.com/unjam-dev/unjam/internal/cause"
	"github.com/unjam-dev/unjam/internal/facts"
)

// group is the evidence of one rule that shares its key: one finding.
type group struct {
	key      string
	fd       cause.Finding
	pods     map[string]bool
	perMatch map[int]int
}

// Limits that keep a finding readable however much evidence there is.
const (
	maxGroups   = 20 // keys of one rule on one workload; more fold into the last
	maxShown    = 6  // receipts of a finding
	maxPerMatch = 3  // of them from one alternative
)

func (t *trial) add(i int, a *alternative, s sight, vars map[string]string) {
	key := fill(t.rule.key, vars)
	n := slices.IndexFunc(t.groups, func(g *group) bool { return g.key == key })
	switch {
	case n < 0 && len(t.groups) < maxGroups:
		t.groups = append(t.groups, &group{key: key, pods: map[string]bool{}, perMatch: map[int]int{}, fd: cause.Finding{
			Cause: t.rule.Code, Confidence: t.rule.confidence, Summary: fill(t.rule.summary, vars), Vars: vars, Key: key, Old: true,
			Since: s.since, Last: s.last}})
		n = len(t.groups) - 1
	case n < 0:
		n = len(t.groups) - 1
	}
	t.groups[n].absorb(i, a.on, s)
}

func (g *group) absorb(i int, on *subject, s sight) {
	fd := &g.fd
	if s.pod == nil {
		fd.Old = fd.Old && s.old
	} else {
		if !g.pods[s.pod.Name()] || g.perMatch[i] == 0 {
			g.show(i, on, s)
		}
		g.pods[s.pod.Name()] = true
		fd.Touch(s.pod, s.container)
	}
	if len(fd.Evidence) == 0 {
		g.show(i, on, s)
	}
	fd.Basis = append(fd.Basis, s.basis...)
	if !s.since.IsZero() && (fd.Since.IsZero() || s.since.Before(fd.Since)) {
		fd.Since = s.since
	}
	if s.last.After(fd.Last) {
		fd.Last = s.last
	}
	if !s.next.IsZero() && (fd.NextRetry.IsZero() || s.next.Before(fd.NextRetry)) {
		fd.NextRetry = s.next
	}
	fd.Attempts = max(fd.Attempts, s.attempts)
}

func (g *group) show(i int, on *subject, s sight) {
	if g.perMatch[i] >= maxPerMatch || len(g.fd.Evidence) >= maxShown {
		return
	}
	g.perMatch[i]++
	g.fd.Evidence = append(g.fd.Evidence, cause.Evidence{Text: on.shows, Receipt: s.basis[0]})
}

func (g *group) finding(r *rule) cause.Finding {
	fd := g.fd
	if n := len(g.pods); n > 1 {
		fd.Summary += fmt.Sprintf(" (%d pods)", n)
	}
	fd.Explains = append([]string{"unknown"}, r.explains...)
	fd.Replaces = general
	fd.Rivals = slices.Clone(r.rivals)
	fd.Basis = slices.CompactFunc(fd.Basis, func(a, b facts.Receipt) bool { return a == b })
	return fd
}
