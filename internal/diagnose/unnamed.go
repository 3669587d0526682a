package diagnose

import (
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/unjam-dev/unjam/internal/cause"
	"github.com/unjam-dev/unjam/internal/paste"
)

var (
	madeUp    = regexp.MustCompile(`\bunnamed-(namespace|pod|container|node|workload)(?:-(?:on|with)-[\w.-]+)?`)
	titled    = regexp.MustCompile(`\b(?:[Nn]ode|[Cc]ontainer|[Pp]od|[Ww]orkload) (unnamed-)`)
	qualified = regexp.MustCompile(`\bunnamed-namespace/`)
	gaps      = regexp.MustCompile(` {2,}`)
)

// unnamed takes names that the text does not hold out of a finding: sentences
// say "the pod", commands that need the name are dropped.
func unnamed(fd cause.Finding) cause.Finding {
	fd.Summary = sentence(fd.Summary)
	for k, v := range fd.Vars {
		if paste.Unnamed(v) || v == "" {
			delete(fd.Vars, k)
		}
	}
	fd.Pods = slices.DeleteFunc(slices.Clone(fd.Pods), paste.Unnamed)
	fd.Nodes = slices.DeleteFunc(slices.Clone(fd.Nodes), paste.Unnamed)
	fd.Containers = slices.DeleteFunc(slices.Clone(fd.Containers), paste.Unnamed)
	if paste.Unnamed(fd.Key) {
		fd.Key = ""
	}
	fd.Evidence = slices.DeleteFunc(slices.Clone(fd.Evidence), func(e cause.Evidence) bool { return strings.Contains(e.Receipt.Text, noMessage) })
	for i := range fd.Evidence {
		e := &fd.Evidence[i]
		e.Text = sentence(e.Text)
		r := &e.Receipt
		r.Field, r.Text = madeUp.ReplaceAllString(r.Field, "?"), madeUp.ReplaceAllString(r.Text, "?")
		if paste.Unnamed(r.Namespace) {
			r.Namespace = ""
		}
		if paste.Unnamed(r.Name) {
			r.Name = "?"
		}
	}
	fd.Rivals = slices.Clone(fd.Rivals)
	for i := range fd.Rivals {
		fd.Rivals[i].SettledBy = madeUp.ReplaceAllString(fd.Rivals[i].SettledBy, "<$1>")
	}
	return fd
}

// noMessage stands for a message that the text implies but does not hold.
const noMessage = "unnamed-message"

func sentence(s string) string {
	s = qualified.ReplaceAllString(s, "")
	s = titled.ReplaceAllString(s, "$1")
	s = madeUp.ReplaceAllString(s, "the $1")
	if strings.HasPrefix(s, " ") {
		s = "the registry" + s // a subject that the text does not name
	}
	s = strings.TrimSpace(gaps.ReplaceAllString(s, " the image "))
	return strings.Replace(s, "image the image", "the image", 1)
}

// podCount is what a refusal's summary says of pods; events alone do not count them.
var podCount = regexp.MustCompile(`: (?:no (?:new )?pod exists|none of \d+ (?:new )?pods exists|\d+ of \d+ (?:new )?pods exists?|\d+ pods? exists?, at least one more is wanted)$`)

// neverMade is what a summary concludes from missing ReplicaSets.
var neverMade = regexp.MustCompile(` since it was made, so its \d+ pods? (?:was|were) never created$`)

// wrappers are what the reader of pasted text puts before a bare message to make
// it the message of an event.
var wrappers = regexp.MustCompile(`^(?:(?:Err)?[A-Z][A-Za-z]+: |Failed to pull image "[^"]*": |Error creating: |Error: )`)

// quoting takes from receipts what the text itself does not say.
func quoting(fd cause.Finding, text string, original map[string]string) cause.Finding {
	for i := range fd.Evidence {
		r := &fd.Evidence[i].Receipt
		if was, ok := original[r.Text]; ok {
			r.Text = was
		}
		for range 3 {
			if strings.Contains(text, r.Text) {
				break
			}
			if cut := wrappers.ReplaceAllString(r.Text, ""); cut != "" {
				r.Text = cut
			}
		}
	}
	return fd
}

// undated clears times that were counted back from an invented present.
func undated(fd cause.Finding) cause.Finding {
	fd.Since, fd.Last, fd.NextRetry = time.Time{}, time.Time{}, time.Time{}
	fd.Evidence = slices.Clone(fd.Evidence)
	for i := range fd.Evidence {
		fd.Evidence[i].Receipt.Time = time.Time{}
	}
	return fd
}
