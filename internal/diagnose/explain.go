package diagnose

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/unjam-dev/unjam/internal/cause"
	"github.com/unjam-dev/unjam/internal/facts"
	"github.com/unjam-dev/unjam/internal/paste"
	"github.com/unjam-dev/unjam/internal/report"
	"github.com/unjam-dev/unjam/internal/verdict"
)

// placed is a finding with the thing that it is about, as the text names it.
type placed struct {
	cause.Finding
	about string
}

// Explain finds the causes of a set in pasted text and returns the time in the
// text that counts as the present. The findings are grouped by the workload that
// they are about, that of the worst finding first, and worst first in a group.
func Explain(causes cause.Set, text string) (*report.Findings, time.Time) {
	read := paste.Read(text)
	list := judged(causes, read, false)
	if len(list) == 0 || rank(causes, list[0].Finding) > 0 {
		// What the engine could not read as a state may still be known words.
		words := worded(causes, read.Said)
		if len(list) > 0 || len(words) > 1 {
			words = slices.DeleteFunc(words, func(p placed) bool { return p.Cause == "unknown" })
		}
		list = append(words, list...)
		if assumed, ok := read.Assume(); ok && len(list) == 0 {
			assumed.Counts = read.Counts
			read, list = assumed, judged(causes, assumed, true)
		}
		slices.SortStableFunc(list, func(a, b placed) int { return cmp.Compare(rank(causes, a.Finding), rank(causes, b.Finding)) })
	}
	var out []placed
	for _, p := range list[:min(len(list), maxFindings)] {
		fd := p.Finding
		if strings.Contains(fd.Summary, noMessage) {
			continue // judged from a message that is not there
		}
		fd = quoting(unnamed(fd), text, read.Original)
		if !read.Counted {
			fd.Summary = podCount.ReplaceAllString(fd.Summary, "")
		}
		if len(read.Snapshot.Objects.ReplicaSets) == 0 {
			fd.Summary = neverMade.ReplaceAllString(fd.Summary, "")
		}
		if !read.Dated {
			fd = undated(fd)
		}
		if !showsSpec.MatchString(text) {
			fd.Summary = strings.Replace(fd.Summary, ", and has no memory limit of its own", "", 1)
		}
		if twice(list, p) {
			continue
		}
		if !slices.ContainsFunc(out, func(o placed) bool { return o.Cause == fd.Cause && o.Summary == fd.Summary }) {
			out = append(out, placed{fd, p.about})
		}
	}
	return document(causes, out, read), read.Snapshot.TakenAt
}

// twice tells a finding that another tells with a name, and a slow start beside
// the answer that the probe got.
func twice(list []placed, p placed) bool {
	return slices.ContainsFunc(list, func(o placed) bool {
		return p.about == "" && o.about != "" && o.Cause == p.Cause ||
			p.Cause == "slow-start" && o.about == p.about && strings.HasPrefix(o.Cause, "readiness-")
	})
}

// document groups the findings by what they are about.
func document(causes cause.Set, list []placed, read paste.Reading) *report.Findings {
	var order []string
	for _, p := range list {
		if !slices.Contains(order, p.about) {
			order = append(order, p.about)
		}
	}
	slices.SortStableFunc(list, func(a, b placed) int {
		return cmp.Compare(slices.Index(order, a.about), slices.Index(order, b.about))
	})
	findings := make([]cause.Finding, len(list))
	for i, p := range list {
		findings[i] = p.Finding
	}
	doc := report.NewFindingsDocument(report.NewFindings(causes, findings))
	for i, p := range list {
		doc.Findings[i].About = p.about
	}
	doc.Read = counted(causes, read)
	return doc
}

// counted tells what of the text was understood. Words that no event carries
// count as understood when they are known.
func counted(causes cause.Set, read paste.Reading) *report.TextRead {
	c := read.Counts
	for _, s := range read.Said[:min(len(read.Said), 1000)] {
		if s.Kind == "" && c.Ignored > 0 && len(codesOf(causes, s)) > 0 {
			c.Lines++
			c.Ignored--
		}
	}
	return &report.TextRead{Pods: c.Pods, Workloads: c.Workloads, Nodes: c.Nodes, Others: c.Others, Events: c.Events, Past: c.Past, Lines: c.Lines, Ignored: c.Ignored}
}

// showsSpec tells text that shows containers as they are specified.
var showsSpec = regexp.MustCompile(`(?m)^[> ]*(?:- )?[Ii]mage: `)

// maxFindings is more than anybody reads.
const maxFindings = 100

// judged are the findings of the engine on all that the text shows.
func judged(causes cause.Set, read paste.Reading, assumed bool) []placed {
	f := facts.Build(read.Snapshot)
	var list []placed
	for _, w := range f.Workloads {
		v := verdict.Judge(causes, f, w)
		if v.Primary == nil || v.State == verdict.Healthy {
			continue
		}
		about := paste.About(w.Kind, w.Namespace, w.Name)
		list = append(list, placed{*v.Primary, about})
		for _, c := range v.Contributing {
			list = append(list, placed{c, about})
		}
	}
	for i := range list {
		list[i].Finding = open(causes, list[i].Finding, assumed)
		if fd := &list[i].Finding; fd.Confidence == cause.Certain && len(read.Snapshot.Objects.Events) == 0 && oneOfMany(causes, fd.Cause) {
			fd.Confidence = cause.Likely
		}
	}
	slices.SortStableFunc(list, func(a, b placed) int {
		return cmp.Or(cmp.Compare(rank(causes, a.Finding), rank(causes, b.Finding)), cmp.Compare(a.Confidence.Rank(), b.Confidence.Rank()), cmp.Compare(len(b.Pods), len(a.Pods)))
	})
	return list
}

// oneOfMany tells causes that a status alone does not settle: it holds the last
// error of a pull, which may not be the first, and no probe's answer.
func oneOfMany(causes cause.Set, code string) bool {
	c := causes.ByCode(code)
	return c != nil && (c.Family == cause.Network || c.Family == cause.Registry || code == "slow-start")
}

// rank puts faults before waiting by design, and both before effects.
func rank(causes cause.Set, fd cause.Finding) int {
	switch causes.ClassOf(fd) {
	case cause.Waiting:
		return 1
	case cause.Symptom:
		return 2
	}
	if fd.Cause == "unknown" {
		return 3
	}
	return 0
}
