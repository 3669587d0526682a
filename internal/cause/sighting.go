package cause

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/unjam-dev/unjam/internal/facts"
)

// sighting is one cause read from one container or pod. Sightings of the same
// cause and the same shared object become one finding.
type sighting struct {
	code string
	// same is what makes two sightings of a cause one finding: an object's name,
	// a container, an exit code.
	same string
	pod  *facts.Pod
	c    *facts.Container // nil when it concerns the whole pod

	summary    string
	confidence Confidence
	class      Class // empty for the catalogue's
	evidence   []Evidence
	rivals     []Rival
	explains   []string

	since, last, next time.Time
	attempts          int
	vars              map[string]string
	key               string
}

// Limits that keep a finding readable however many pods it covers.
const (
	maxEvidence    = 6
	maxExtraProofs = 2 // pods beyond the first that give evidence
)

// reader reads the causes of one kind of evidence from a workload.
type reader func(*facts.Facts, *facts.Workload) []sighting

// rememberedAs remembers what a reader found in a workload, since each of its causes
// asks for it.
func rememberedAs(key string, read reader) reader {
	key = "cause/" + key
	return func(f *facts.Facts, w *facts.Workload) []sighting {
		list, _ := w.Once(key, func() any { return read(f, w) }).([]sighting)
		return list
	}
}

// maxText is how much of a message is read: its head and its tail, where
// runtimes put the wrapper and the cause.
const maxText = 8 << 10

// clipMiddle cuts the middle out of a text that is too long to be meant.
func clipMiddle(text string) string {
	if len(text) <= maxText {
		return text
	}
	return text[:maxText/2] + " … " + text[len(text)-maxText/2:]
}

// sighted turns a reader shared by several causes into the Detect of one.
func sighted(read reader, code string) func(*facts.Facts, *facts.Workload) []Finding {
	return func(f *facts.Facts, w *facts.Workload) []Finding {
		var mine []sighting
		for _, s := range read(f, w) {
			if s.code == code {
				mine = append(mine, s)
			}
		}
		return gather(w, mine)
	}
}

// gather makes one finding for each group of sightings, in order of appearance.
func gather(w *facts.Workload, list []sighting) []Finding {
	if len(list) == 0 {
		return nil
	}
	type group struct {
		fd    Finding
		pods  map[string]bool
		proof int
	}
	var order []string
	groups := map[string]*group{}
	for _, s := range list {
		id := s.code + "\x00" + s.same
		g := groups[id]
		if g == nil {
			g = &group{fd: s.finding(w), pods: map[string]bool{}}
			groups[id] = g
			order = append(order, id)
		} else {
			g.fd.absorb(s)
			if !g.pods[s.pod.Name()] && g.proof < maxExtraProofs && len(s.evidence) > 0 && len(g.fd.Evidence) < maxEvidence {
				g.fd.Evidence = append(g.fd.Evidence, s.evidence[0])
				g.proof++
			}
		}
		g.pods[s.pod.Name()] = true
		g.fd.touch(s.pod, s.c)
	}
	var out []Finding
	for _, id := range order {
		g := groups[id]
		if n := len(g.pods); n > 1 {
			g.fd.Summary += fmt.Sprintf(" (%d pods)", n)
		}
		if g.fd.Confidence == Certain {
			g.fd.Rivals = nil
		}
		out = append(out, g.fd)
	}
	return out
}

// finding starts a finding from its first sighting.
func (s sighting) finding(w *facts.Workload) Finding {
	fd := Finding{Cause: s.code, Confidence: s.confidence, Class: s.class, Summary: s.summary, Evidence: s.evidence[:min(len(s.evidence), maxEvidence)],
		Rivals: s.rivals, Since: s.since, Last: s.last, NextRetry: s.next, Attempts: s.attempts, Vars: s.allVars(w), Explains: s.explains, Old: true, Key: s.key}
	fd.Evidence = slices.Clip(fd.Evidence)
	return fd
}

// absorb adds a further pod. The firmest sighting decides; several pods that
// fail alike never make a finding weaker.
func (fd *Finding) absorb(s sighting) {
	if s.confidence.Rank() < fd.Confidence.Rank() {
		fd.Confidence, fd.Class, fd.Rivals = s.confidence, s.class, s.rivals
	} else if s.confidence == fd.Confidence && s.class == "" {
		fd.Class = ""
	}
	if fd.Since.IsZero() || !s.since.IsZero() && s.since.Before(fd.Since) {
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

// allVars are the playbook's placeholders: of the workload, the pod, the
// container and the sighting itself.
func (s sighting) allVars(w *facts.Workload) map[string]string {
	vars := workloadVars(w)
	vars["pod"] = s.pod.Name()
	if n := s.pod.NodeName(); n != "" {
		vars["node"] = n
	}
	if s.c != nil {
		vars["container"], vars["image"] = s.c.Name, s.c.Image
	}
	if len(w.Old) > 0 && (w.Deployment != nil || w.StatefulSet != nil || w.DaemonSet != nil || w.Rollout != nil) {
		vars["previous"] = w.Old[0].Name
	}
	for k, v := range s.vars {
		if v != "" {
			vars[k] = v
		}
	}
	return vars
}

// look is a check of a playbook.
func look(text, command string) Step { return Step{Text: text, Command: command} }

// cure is a remedy of a playbook.
func cure(approver, text, command, undo string) Step {
	return Step{Text: text, Command: command, Undo: undo, Approver: approver}
}

// The remedies that many causes share.
var (
	rollBack = Step{Text: "Go back to the previous revision while the cause is mended.", Command: "kubectl -n {namespace} rollout undo {workload}",
		Undo: "kubectl -n {namespace} rollout undo {workload}", Approver: "app owner", When: []string{"previous"}}
	cordon  = Step{Text: "Keep new pods off the node until it is repaired.", Command: "kubectl cordon {node}", Undo: "kubectl uncordon {node}", Approver: "node owner", When: []string{"node"}}
	movePod = Step{Text: "Delete the pod; its controller makes a new one, on another node once this one is cordoned.", Command: "kubectl -n {namespace} delete pod {pod}",
		Undo: "nothing to undo: the controller replaces the pod", Approver: "app owner"}
	readLog    = look("Read the log of the instance that died.", "kubectl -n {namespace} logs {pod} -c {container} --previous --tail=50")
	readEvents = look("Read the pod's events, newest last.", "kubectl -n {namespace} get events --field-selector involvedObject.name={pod} --sort-by=.lastTimestamp")
	readNode   = look("Read the node's conditions and events.", "kubectl describe node {node}")
)

func itoa[T ~int | ~int32 | ~int64](n T) string { return strconv.FormatInt(int64(n), 10) }
