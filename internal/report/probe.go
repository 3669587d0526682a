package report

import (
	"fmt"
	"strings"
	"time"

	"github.com/unjam-dev/unjam/internal/cause"
	"github.com/unjam-dev/unjam/internal/plan"
	"github.com/unjam-dev/unjam/internal/snapshot"
)

// ProbeKind marks a document of probes.
const ProbeKind = "ProbeReport"

// ProbeReport is the answer of `unjam probe`: one entry a place.
type ProbeReport struct {
	APIVersion string       `json:"apiVersion"`
	Kind       string       `json:"kind"`
	TakenAt    time.Time    `json:"takenAt"`
	Probes     []ProbeEntry `json:"probes"`
}

// ProbeEntry is one probe with what follows from it.
type ProbeEntry struct {
	// State is "ok", or "failed" when a stage of the pull failed.
	State string `json:"state"`
	// Answer is one sentence without a final dot.
	Answer string `json:"answer"`
	// FailedAt is the stage that failed.
	FailedAt string `json:"failedAt,omitempty"`
	// Cause is a code of the catalogue, empty when nothing failed or no cause fits.
	Cause  string   `json:"cause,omitempty"`
	Family string   `json:"family,omitempty"`
	Title  string   `json:"title,omitempty"`
	Rivals []Rival  `json:"rivals"`
	Notes  []string `json:"notes"`
	// Fix are the remedies, smallest first; Checks prove or exclude the cause.
	Fix    []plan.Fix     `json:"fix"`
	Checks []plan.Check   `json:"checks"`
	Probe  snapshot.Probe `json:"probe"`
}

// NewProbeReport judges probes by the catalogue.
func NewProbeReport(causes cause.Set, probes ...snapshot.Probe) *ProbeReport {
	r := &ProbeReport{APIVersion: APIVersion, Kind: ProbeKind, Probes: []ProbeEntry{}}
	for _, p := range probes {
		if r.TakenAt.IsZero() || p.At.Before(r.TakenAt) {
			r.TakenAt = p.At
		}
		r.Probes = append(r.Probes, probeEntry(causes, p))
	}
	return r
}

func probeEntry(causes cause.Set, p snapshot.Probe) ProbeEntry {
	e := ProbeEntry{State: "ok", Probe: p, Rivals: []Rival{}, Notes: []string{}, Fix: []plan.Fix{}, Checks: []plan.Check{}}
	failed := p.Failed()
	if failed == nil {
		e.Answer = pullable(p)
		e.Notes = probeNotes(p)
		return e
	}
	e.State, e.FailedAt, e.Cause, e.Answer = "failed", failed.Name, failed.Cause, failed.Detail
	for _, v := range failed.Rivals {
		e.Rivals = append(e.Rivals, Rival{Cause: v.Cause, SettledBy: v.SettledBy})
	}
	if c := causes.ByCode(e.Cause); c != nil {
		e.Family, e.Title = string(c.Family), c.Title
		fd := cause.Finding{Cause: c.Code, Vars: probeVars(p)}
		e.Fix = append(e.Fix, cleanFixes(forPlace(plan.Fixes(causes, fd)))...)
		e.Checks = append(e.Checks, cleanChecks(named(plan.Checks(causes, fd)))...)
	}
	e.Notes = probeNotes(p)
	return e
}

// forPlace leaves out remedies that only make sense with a workload at hand.
func forPlace(fixes []plan.Fix) []plan.Fix {
	var out []plan.Fix
	for _, f := range fixes {
		if !strings.Contains(f.Text, "<") {
			f.Undo = strings.TrimSpace(f.Undo)
			if f.Command == "" {
				f.Undo = ""
			}
			out = append(out, f)
		}
	}
	return out
}

// named leaves out checks whose command names something a probe does not know.
func named(checks []plan.Check) []plan.Check {
	var out []plan.Check
	for _, c := range checks {
		if c.Command != "" {
			out = append(out, c)
		}
	}
	return out
}

// placeWords names the place for the reader.
func placeWords(p snapshot.ProbePlace) string {
	if p.Kind == "here" {
		return "this machine"
	}
	return p.Kind + " " + p.Name
}

func pullable(p snapshot.Probe) string {
	for _, name := range []string{"manifest", "platform", "blob"} {
		if s := p.Stage(name); s == nil || s.Status == snapshot.ProbeSkipped {
			return fmt.Sprintf("%s is there, seen from %s in %s; %s not looked at", p.Name, placeWords(p.Place), seconds(p.TookMS), name)
		}
	}
	forWhat := ""
	if p.Manifest != nil && len(p.Manifest.Wanted) > 0 {
		forWhat = " for " + strings.Join(p.Manifest.Wanted, ", ")
	}
	return fmt.Sprintf("%s: pullable from %s%s in %s", p.Name, placeWords(p.Place), forWhat, seconds(p.TookMS))
}

func seconds(ms float64) string { return fmt.Sprintf("%.1f s", ms/1000) }

// probeNotes are what a reader must know beside the stages.
func probeNotes(p snapshot.Probe) []string {
	out := []string{fmt.Sprintf("seen from %s %s; it proves nothing about other places, nodes least of all", placeWords(p.Place), as(p.As))}
	if m := p.Manifest; m != nil && m.GETs > 0 {
		out = append(out, fmt.Sprintf("fetched %d manifest%s whole, to see platform and content%s", m.GETs, plural(m.GETs), hubCounts(p)))
	}
	return out
}

func hubCounts(p snapshot.Probe) string {
	if strings.HasPrefix(p.Name, "docker.io/") {
		return "; Docker Hub counts that as a pull (--head-only avoids it)"
	}
	return ""
}

func as(i snapshot.ProbeIdentity) string {
	switch i.Kind {
	case "anonymous":
		return "without a credential"
	case "docker-config":
		return "with the docker login of this machine"
	case "secret":
		return "with the secret " + i.Name
	}
	return "with the pull secrets of the " + i.Kind + " " + i.Name
}

// probeVars fill the playbook.
func probeVars(p snapshot.Probe) map[string]string {
	registry, rest, _ := strings.Cut(p.Name, "/")
	repository, _, _ := strings.Cut(rest, "@")
	repository, tag, _ := strings.Cut(repository, ":")
	vars := map[string]string{"image": p.Name, "registry": registry, "host": registry, "repository": repository, "tag": tag}
	if p.DNS != nil {
		vars["host"] = p.DNS.Host
		if i := strings.LastIndexByte(registry, ':'); i > 0 {
			vars["host"] += registry[i:]
		}
	}
	namespace, name, named := strings.Cut(p.As.Name, "/")
	if named {
		vars["namespace"], vars[p.As.Kind] = namespace, name
	}
	for _, c := range p.Credentials {
		if ns, name, ok := strings.Cut(c.Source, "/"); ok && vars["secret"] == "" && !strings.Contains(ns, " ") {
			vars["secret"] = name
		}
	}
	if p.Near != nil && len(p.Near.Tags) > 0 {
		vars["othertag"] = p.Near.Tags[0].Name
	}
	return vars
}

// Code is the exit code: that of a stall by the same cause.
func (r *ProbeReport) Code() int {
	families := map[cause.Family]bool{}
	for _, e := range r.Probes {
		if e.State != "ok" {
			f := cause.Family(e.Family)
			if f == "" {
				f = cause.Other
			}
			families[f] = true
		}
	}
	switch len(families) {
	case 0:
		return ExitOK
	case 1:
		for f := range families {
			return StallCode(f)
		}
	}
	return ExitStallOther
}
