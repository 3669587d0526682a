package diagnose

import (
	"slices"

	"github.com/unjam-dev/unjam/internal/cause"
)

// alike are causes that print the same words and differ in what only the
// registry's name, a Secret or a node can tell.
var alike = map[string][]cause.Rival{}

// open lowers the confidence of a finding where text alone leaves more open than
// a cluster would.
func open(fd cause.Finding, assumed bool) cause.Finding {
	var more []cause.Rival
	if fd.Vars["image"] == "" {
		more = alike[fd.Cause]
	}
	if assumed {
		more = append(slices.Clone(more), cause.Rival{Cause: "dependency-unavailable", SettledBy: "whether the line stands in the log of a container (then its program wrote it) or in an event or the runtime's log"})
	}
	for _, r := range more {
		if r.Cause == fd.Cause || cause.ByCode(r.Cause) == nil || slices.ContainsFunc(fd.Rivals, func(o cause.Rival) bool { return o.Cause == r.Cause }) {
			continue
		}
		fd.Rivals = append(slices.Clone(fd.Rivals), r)
		if assumed {
			fd.Confidence = cause.Possible
		} else if fd.Confidence == cause.Certain {
			fd.Confidence = cause.Likely
		}
	}
	return fd
}
