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

// Explain finds the causes of a set in pasted text, best first, and returns the time in
// the text that counts as the present.
func Explain(causes cause.Set, text string) (*report.Findings, time.Time) {
	read := paste.Read(text)
	list := judged(causes, read, false)
	if len(list) == 0 || rank(causes, list[0]) > 0 {
		// What the engine could not read as a state may still be known words.
		list = append(worded(causes, read.Said), list...)
		if assumed, ok := read.Assume(); ok && len(list) == 0 {
			read, list = assumed, judged(causes, assumed, true)
		}
		slices.SortStableFunc(list, func(a, b cause.Finding) int { return cmp.Compare(rank(causes, a), rank(causes, b)) })
	}
	var out []cause.Finding
	for _, fd := range list[:min(len(list), maxFindings)] {
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
		if !slices.ContainsFunc(out, func(o cause.Finding) bool { return o.Cause == fd.Cause && o.Summary == fd.Summary }) {
			out = append(out, fd)
		}
	}
	return report.NewFindingsDocument(report.NewFindings(causes, out)), read.Snapshot.TakenAt
}

// showsSpec tells text that shows containers as they are specified.
var showsSpec = regexp.MustCompile(`(?m)^[> ]*(?:- )?[Ii]mage: `)

// maxFindings is more than anybody reads.
const maxFindings = 100

// judged are the findings of the engine on all that the text shows.
func judged(causes cause.Set, read paste.Reading, assumed bool) []cause.Finding {
	f := facts.Build(read.Snapshot)
	var list []cause.Finding
	for _, w := range f.Workloads {
		v := verdict.Judge(causes, f, w)
		if v.Primary == nil || v.State == verdict.Healthy {
			continue
		}
		list = append(list, *v.Primary)
		list = append(list, v.Contributing...)
	}
	for i := range list {
		list[i] = open(causes, list[i], assumed)
	}
	slices.SortStableFunc(list, func(a, b cause.Finding) int {
		return cmp.Or(cmp.Compare(rank(causes, a), rank(causes, b)), cmp.Compare(a.Confidence.Rank(), b.Confidence.Rank()), cmp.Compare(len(b.Pods), len(a.Pods)))
	})
	return list
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
