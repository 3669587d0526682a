package cause

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/unjam-dev/unjam/internal/facts"
	"github.com/unjam-dev/unjam/internal/pullerror"
)

// judgeContent handles what was served and is not what the node can use.
func judgeContent(f *facts.Facts, w *facts.Workload, t *trouble) []Finding {
	img := "image " + t.image.String()
	one := func(code, key, summary string) []Finding {
		fd := t.finding(w, code, Certain, summary)
		fd.Key = key
		return []Finding{fd}
	}
	switch t.err.Kind {
	case pullerror.PlatformMismatch:
		return platformMismatch(f, w, t)
	case pullerror.BlobMissing:
		if fd, ok := mirrorFault(f, w, t); ok {
			return []Finding{fd}
		}
		return one("layer-blob-missing", img, fmt.Sprintf("%s has the manifest of %s but not one of the parts it lists%s", t.image.Registry, t.text, digestWords(t.err.Digest)))
	case pullerror.MediaType:
		text := words(t.err)
		if strings.Contains(text, "text/html") {
			return one("unexpected-media-type", "registry "+t.host(), fmt.Sprintf("what answers as %s sends a web page instead of image %s: a login page, proxy or wrong mirror", t.host(), t.text))
		}
		return one("unexpected-media-type", img, fmt.Sprintf("%s is not a runnable image: %s", t.text, clip(t.err.Text)))
	case pullerror.DigestMismatch:
		if strings.Contains(words(t.err), "does not match provided manifest digest") {
			return []Finding{digestGone(f, w, t)}
		}
	case pullerror.EmptyBody:
		return one("empty-body-digest", "registry "+t.host(), fmt.Sprintf("%s or something before it sends an empty body for a part of %s", t.image.Registry, t.text))
	}
	return []Finding{digestMismatch(f, w, t)}
}

func digestWords(d string) string {
	if d == "" {
		return ""
	}
	return " (" + shortDigest(d) + ")"
}

// digestMismatch: the same wrong bytes on two nodes are in the registry or a
// cache; bytes that differ each time are broken on the way.
func digestMismatch(f *facts.Facts, w *facts.Workload, t *trouble) Finding {
	s := scopeOf(f, t)
	summary := fmt.Sprintf("the bytes received for %s are not those its manifest promises", t.text)
	if t.err.Digest != "" && t.err.WantDigest != "" {
		summary += fmt.Sprintf(" (got %s, want %s)", shortDigest(t.err.Digest), shortDigest(t.err.WantDigest))
	}
	fd := t.finding(w, "digest-mismatch", Certain, summary)
	fd.Key = "image " + t.image.String()
	if t.err.Digest == "" {
		return fd
	}
	same := map[string]bool{}
	for _, c := range t.at {
		if err, _, ok := pullFailure(c); ok && err.Digest == t.err.Digest && c.Pod.NodeName() != "" {
			same[c.Pod.NodeName()] = true
		}
	}
	switch {
	case len(same) > 1:
		fd.Class = Terminal
		fd.Summary += fmt.Sprintf("; %d nodes got the same wrong bytes, so %s or a cache before it stores them", len(same), t.image.Registry)
	case s.Node != "":
		return s.apply(fd)
	}
	return fd
}

// platformMismatch: the index has nothing for the node's platform.
func platformMismatch(f *facts.Facts, w *facts.Workload, t *trouble) []Finding {
	platforms := []string{}
	for _, c := range t.at {
		if n := c.Pod.Node; n != nil && n.Status.NodeInfo.Architecture != "" {
			platforms = insert(platforms, n.Status.NodeInfo.OperatingSystem+"/"+n.Status.NodeInfo.Architecture)
		}
	}
	platform := strings.Join(platforms, ", ")
	if platform == "" {
		platform = t.err.Platform
	}
	if platform == "" {
		platform = "the platform of " + nodesWords(t.nodes)
	}
	fd := t.finding(w, "platform-mismatch", Certain, fmt.Sprintf("image %s has no variant for %s", t.text, platform))
	fd.Key = "image " + t.image.String()
	if len(platforms) > 0 {
		n := t.pod().Node
		fd.Vars["arch"] = n.Status.NodeInfo.Architecture
		fd.Evidence = append(fd.Evidence, Evidence{"the node's platform", facts.Receipt{Kind: "Node", Name: n.Name, Field: "status.nodeInfo.architecture", Text: platforms[0], Time: f.Now}})
	}
	if c := f.RanElsewhere(t.image, t.nodes); c != nil {
		if n := c.Pod.Node; n != nil && !slices.Contains(platforms, n.Status.NodeInfo.OperatingSystem+"/"+n.Status.NodeInfo.Architecture) {
			fd.Vars["otherarch"] = n.Status.NodeInfo.Architecture
			fd.Summary += fmt.Sprintf("; it runs on node %s (%s)", n.Name, n.Status.NodeInfo.Architecture)
			fd.Evidence = append(fd.Evidence, ranEvidence(c, "the image runs on a node of another platform"))
		}
	}
	return []Finding{fd}
}

// judgeDisk handles errno texts about space. Bytes and inodes share one.
func judgeDisk(f *facts.Facts, w *facts.Workload, t *trouble) []Finding {
	where := nodesWords(t.nodes)
	key := "image " + t.image.String()
	if n := t.node(); n != "" {
		key = "node " + n
	}
	e, inodes := diskEvent(f, t.nodes)
	var fd Finding
	switch {
	case t.err.Kind == pullerror.QuotaExceeded:
		fd = t.finding(w, "disk-full", Certain, fmt.Sprintf("a disk quota on %s leaves no room to unpack %s", where, t.text))
	case t.err.Kind == pullerror.InodesFull || inodes:
		fd = t.finding(w, "inodes-exhausted", Certain, fmt.Sprintf("the file system for images on %s has no free inodes, so %s cannot be unpacked", where, t.text))
	case e != nil:
		fd = t.finding(w, "disk-full", Certain, fmt.Sprintf("the disk for images on %s is full, so %s cannot be unpacked", where, t.text))
	default:
		fd = t.finding(w, "disk-full", Likely, fmt.Sprintf("no space is left on %s to unpack %s", where, t.text),
			rival("inodes-exhausted", "df -h and df -i of the path in the error, on the node: the kernel reports both alike"))
	}
	fd.Key = key
	if e != nil {
		fd.Evidence = append(fd.Evidence, Evidence{"the kubelet tries to free space on the node", e.Receipt()})
	}
	return []Finding{fd}
}

// diskEvent finds the kubelet's own word on what a node runs out of
// (eviction_manager.go: "Attempting to reclaim RESOURCE").
func diskEvent(f *facts.Facts, nodes []string) (e *facts.Event, inodes bool) {
	for _, n := range nodes {
		for _, x := range slices.Backward(f.EventsOf("Node", "", n, "")) {
			switch x.Reason {
			case "EvictionThresholdMet":
				if strings.Contains(x.Message, "inodes") {
					return x, true
				}
				if strings.Contains(x.Message, "ephemeral-storage") {
					return x, false
				}
			case "FreeDiskSpaceFailed", "ImageGCFailed":
				return x, false
			}
		}
	}
	return nil, false
}

// judgeCancelled tells a pull that made no progress from one whose runtime
// went away: the pod sees the same words for both.
func judgeCancelled(f *facts.Facts, w *facts.Workload, t *trouble) []Finding {
	key := "image " + t.image.String()
	if n := t.node(); n != "" {
		key = "node " + n
	}
	one := func(fd Finding) []Finding { fd.Key = key; return []Finding{fd} }
	restarted := fmt.Sprintf("the container runtime of %s went away while %s was pulled", nodesWords(t.nodes), t.text)
	stuck := fmt.Sprintf("the runtime of %s gave up pulling %s because no data came for its whole time-out", nodesWords(t.nodes), t.text)
	switch t.err.Kind {
	case pullerror.RuntimeRestarted:
		return one(t.finding(w, "runtime-restarted-mid-pull", Certain, restarted))
	case pullerror.ProgressTimeout:
		return one(t.finding(w, "pull-progress-timeout", Certain, stuck))
	}
	log := "journalctl -u containerd on the node: \"no progress in\" means the time-out, a start of the unit in that second means a restart"
	if n := t.node(); n != "" {
		if alike := f.FailingOn(n, pullerror.Cancelled); alike != nil && len(alike.Repositories) > 1 {
			return one(t.finding(w, "runtime-restarted-mid-pull", Likely, restarted+fmt.Sprintf("; %d pulls on the node were cut off", len(alike.Repositories)), rival("pull-progress-timeout", log)))
		}
	}
	if d, ok := pullTime(t); ok && d < 50*time.Second {
		return one(t.finding(w, "runtime-restarted-mid-pull", Likely, restarted+fmt.Sprintf(" (after %s, sooner than any time-out)", d.Round(time.Second)), rival("pull-progress-timeout", log)))
	}
	return one(t.finding(w, "pull-progress-timeout", Likely, stuck, rival("runtime-restarted-mid-pull", log)))
}

// pullTime is how long the last failed pull took, from its events.
func pullTime(t *trouble) (time.Duration, bool) {
	c := t.at[0]
	var start time.Time
	for _, e := range c.Pod.Events {
		switch {
		case e.Reason == "Pulling" && e.Count == 1:
			start = e.Last
		case e.Reason == "Failed" && strings.HasPrefix(e.Message, "Failed to pull") && e.Count == 1 && !start.IsZero() && e.Last.After(start):
			return e.Last.Sub(start), true
		}
	}
	return 0, false
}
