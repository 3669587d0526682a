package cause

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/unjam-dev/unjam/internal/facts"
	"github.com/unjam-dev/unjam/internal/pullerror"
)

// trouble is one way in which the pull of one image fails for a workload, over
// all pods in which it fails like that.
type trouble struct {
	err     pullerror.Error
	receipt facts.Receipt
	image   facts.Image
	// text is the image as written in the pod.
	text string
	// volume names the image volume whose reference fails; empty when it is a
	// container's own image.
	volume string
	// at are the containers concerned, never empty.
	at    []*facts.Container
	nodes []string

	first, last, next time.Time
	attempts          int
}

// troubleKey tells troubles apart.
type troubleKey struct {
	image, volume        string
	kind                 pullerror.Kind
	stage                pullerror.Stage
	status               int
	host, lookup, server string
}

// pullCause makes the Detect of a cause that is decided by judgePull. kinds are
// all the kinds of error under which it can be the answer; others are not
// looked at, which keeps it cheap.
func pullCause(code string, kinds ...pullerror.Kind) func(*facts.Facts, *facts.Workload) []Finding {
	return func(f *facts.Facts, w *facts.Workload) []Finding {
		if !failsWith(w, kinds) {
			return nil
		}
		var out []Finding
		for _, fd := range pullFindings(f, w) {
			if fd.Cause == code {
				out = mergeFinding(out, fd)
			}
		}
		return out
	}
}

// judgedPulls is the key under which a workload's judged pulls are remembered.
type judgedPulls struct{ w *facts.Workload }

// pullFindings judges all pull troubles of a workload, once for all causes.
func pullFindings(f *facts.Facts, w *facts.Workload) []Finding {
	return facts.Once(f, judgedPulls{w}, func() []Finding {
		var out []Finding
		for _, t := range troubles(w, nil) {
			t.locate(f)
			out = append(out, judgeTrouble(f, w, &t)...)
		}
		return out
	})
}

// failsWith reports whether a pull of the workload fails with one of the kinds.
func failsWith(w *facts.Workload, kinds []pullerror.Kind) bool {
	for _, p := range w.Pods {
		if !awaited(p) {
			continue
		}
		for _, c := range p.Containers {
			if c.Pull == nil {
				continue
			}
			if err, _, ok := pullFailure(c); ok && slices.Contains(kinds, err.Kind) {
				return true
			}
		}
	}
	return false
}

// troubles groups the failing pulls of the pods that are not ready. Without
// kinds it takes them all.
func troubles(w *facts.Workload, kinds []pullerror.Kind) []trouble {
	var out []trouble
	index := map[troubleKey]int{}
	for _, p := range w.Pods {
		if !awaited(p) {
			continue
		}
		for _, c := range p.Containers {
			if c.Pull == nil {
				continue
			}
			err, receipt, ok := pullFailure(c)
			if !ok || len(kinds) > 0 && !slices.Contains(kinds, err.Kind) {
				continue
			}
			text, volume := c.Image, ""
			if v, ref := imageVolume(c); v != "" {
				text, volume = ref, v
			}
			k := troubleKey{text, volume, err.Kind, err.Stage, err.Status, err.URLHost, err.Lookup, err.ServerCode}
			i, seen := index[k]
			if !seen {
				i = len(out)
				index[k] = i
				out = append(out, trouble{err: err, receipt: receipt, text: text, volume: volume, first: c.Pull.First})
			}
			out[i].add(c)
		}
	}
	return out
}

// awaited reports whether a pod is one a cause has to account for; see
// waitingPods.
func awaited(p *facts.Pod) bool {
	switch p.Phase {
	case facts.PhaseReady, facts.PhaseTerminate, facts.PhaseDone, facts.PhaseFailed:
		return false
	}
	return true
}

// pullFailure is the error to judge a container's pull by: the newest one that
// says something, also while a retry is under way.
func pullFailure(c *facts.Container) (pullerror.Error, facts.Receipt, bool) {
	for i, e := range c.Pull.Errs {
		if e.Err.Kind == pullerror.Unknown || e.Err.Kind == pullerror.BackOffOnly {
			continue
		}
		if brokenOff(e.Err.Kind) {
			// A silent host also cuts connections off now and then; its silence
			// says more.
			for _, older := range c.Pull.Errs[i+1:] {
				if silent(older.Err.Kind) && older.Err.URLHost == e.Err.URLHost {
					return older.Err, older.Receipt, true
				}
			}
		}
		return e.Err, e.Receipt, true
	}
	if c.Pull.State == facts.PullFailing {
		return c.Pull.Err, c.Pull.Receipt, true
	}
	return pullerror.Error{}, facts.Receipt{}, false
}

func brokenOff(k pullerror.Kind) bool {
	return k == pullerror.TCPReset || k == pullerror.TransferEOF
}

func silent(k pullerror.Kind) bool {
	return k == pullerror.HandshakeTime || k == pullerror.HeaderTimeout || k == pullerror.TCPTimeout
}

// imageVolume finds the image volume whose pull error the kubelet copied to the
// container (kuberuntime_manager.go, toKubeContainerImageVolumes).
func imageVolume(c *facts.Container) (name, ref string) {
	if c.Waiting == nil {
		return "", ""
	}
	for _, v := range c.Pod.Obj.Spec.Volumes {
		if v.Image == nil || v.Image.Reference == "" || v.Image.Reference == c.Image {
			continue
		}
		if strings.Contains(c.Waiting.Message, `"`+v.Image.Reference+`"`) {
			return v.Name, v.Image.Reference
		}
	}
	return "", ""
}

// What summaries call an image or a registry that a pasted text does not name.
const (
	noImage    = "the image"
	noRegistry = "the registry"
)

// locate fills the parsed image. A pasted text may not say which image it is.
func (t *trouble) locate(f *facts.Facts) {
	t.image = f.Image(t.text)
	if t.image.Registry == "" {
		t.image.Registry = t.err.ImageHost
	}
	if t.image.Registry == "" {
		t.image.Registry = noRegistry
	}
	if t.text == "" {
		t.text = noImage
	}
}

// name is registry/repository, or the image as written when it is not parsed.
func (t *trouble) name() string {
	if t.image.Repository == "" {
		return t.text
	}
	return t.image.Name()
}

func (t *trouble) add(c *facts.Container) {
	p := c.Pull
	t.at = append(t.at, c)
	if n := c.Pod.NodeName(); n != "" {
		t.nodes = insert(t.nodes, n)
	}
	if !p.First.IsZero() && (t.first.IsZero() || p.First.Before(t.first)) {
		t.first = p.First
	}
	if p.Last.After(t.last) {
		t.last = p.Last
	}
	if !p.NextRetry.IsZero() && (t.next.IsZero() || p.NextRetry.Before(t.next)) {
		t.next = p.NextRetry
	}
	t.attempts = max(t.attempts, int(p.Attempts))
}

// pod is the example by which the trouble is described.
func (t *trouble) pod() *facts.Pod { return t.at[0].Pod }

// node is the only node concerned, empty when there are several.
func (t *trouble) node() string {
	if len(t.nodes) == 1 {
		return t.nodes[0]
	}
	return ""
}

// finding is a finding about the trouble with everything filled that does not
// depend on the cause. Rivals may follow the summary.
func (t *trouble) finding(w *facts.Workload, code string, conf Confidence, summary string, rivals ...Rival) Finding {
	summary = strings.ReplaceAll(summary, "image "+noImage, noImage)
	fd := Finding{Cause: code, Confidence: conf, Summary: summary, Since: t.first, Last: t.last, NextRetry: t.next, Attempts: t.attempts,
		Vars: t.vars(w), Old: true, Rivals: rivals}
	for _, c := range t.at {
		fd.touch(c.Pod, c)
	}
	fd.Evidence = []Evidence{{Text: "the pull fails" + t.stageWords(), Receipt: t.receipt}}
	return fd
}

func (t *trouble) vars(w *facts.Workload) map[string]string {
	v := workloadVars(w)
	c := t.at[0]
	if len(w.Old) > 0 {
		v["previous"] = w.Old[0].Name // the revision to go back to
	}
	for name, value := range map[string]string{"pod": c.Pod.Name(), "container": c.Name, "image": t.text, "registry": t.image.Registry,
		"repository": t.image.Repository, "tag": t.image.Tag, "digest": t.image.Digest, "node": c.Pod.NodeName(), "host": t.host(),
		"serviceaccount": serviceAccount(c.Pod), "volume": t.volume, "resolver": t.err.Resolver, "dial": t.err.Dial} {
		if value != "" && value != noImage && value != noRegistry {
			v[name] = value
		}
	}
	return v
}

// host is the host that was asked, the image's registry when none is named.
func (t *trouble) host() string {
	switch {
	case t.err.URLHost != "":
		return t.err.URLHost
	case t.err.Lookup != "":
		return t.err.Lookup
	}
	return t.image.Registry
}

func (t *trouble) stageWords() string {
	switch t.err.Stage {
	case pullerror.StageName:
		return " at the image's name, before any request"
	case pullerror.StagePing:
		return " at the first request to the registry"
	case pullerror.StageToken:
		return " at the token service"
	case pullerror.StageResolve:
		return " at the request for the manifest"
	case pullerror.StageManifest:
		return " at the manifest"
	case pullerror.StageBlob:
		return " while layers are downloaded"
	case pullerror.StageVerify:
		return " when the download is checked"
	case pullerror.StageUnpack:
		return " while layers are unpacked"
	case pullerror.StagePolicy:
		return " at the image policy"
	}
	return ""
}

// status is " (401)" or the like, empty when no HTTP status is known.
func (t *trouble) status() string {
	if t.err.Status == 0 {
		return ""
	}
	return fmt.Sprintf(" (%d)", t.err.Status)
}

func serviceAccount(p *facts.Pod) string {
	if sa := p.Obj.Spec.ServiceAccountName; sa != "" {
		return sa
	}
	return "default"
}

// mergeFinding adds a finding, or widens the one already there about the same
// shared thing.
func mergeFinding(list []Finding, fd Finding) []Finding {
	i := slices.IndexFunc(list, func(x Finding) bool { return x.Key == fd.Key && (x.Key != "" || x.Summary == fd.Summary) })
	if i < 0 {
		// The finding may be remembered and shared: growing it must copy.
		fd.Pods, fd.Nodes, fd.Containers, fd.Evidence = slices.Clip(fd.Pods), slices.Clip(fd.Nodes), slices.Clip(fd.Containers), slices.Clip(fd.Evidence)
		return append(list, fd)
	}
	x := &list[i]
	for _, n := range fd.Pods {
		x.Pods = insert(x.Pods, n)
	}
	for _, n := range fd.Nodes {
		x.Nodes = insert(x.Nodes, n)
	}
	for _, n := range fd.Containers {
		x.Containers = insert(x.Containers, n)
	}
	if len(x.Evidence) < maxEvidence {
		x.Evidence = append(x.Evidence, fd.Evidence[0])
	}
	if !fd.Since.IsZero() && (x.Since.IsZero() || fd.Since.Before(x.Since)) {
		x.Since = fd.Since
	}
	if fd.Last.After(x.Last) {
		x.Last = fd.Last
	}
	if !fd.NextRetry.IsZero() && (x.NextRetry.IsZero() || fd.NextRetry.Before(x.NextRetry)) {
		x.NextRetry = fd.NextRetry
	}
	x.Attempts, x.Old = max(x.Attempts, fd.Attempts), x.Old && fd.Old
	return list
}

func rival(code, settledBy string) Rival { return Rival{Cause: code, SettledBy: settledBy} }

// either joins two ways of seeing one cause.
func either(a, b func(*facts.Facts, *facts.Workload) []Finding) func(*facts.Facts, *facts.Workload) []Finding {
	return func(f *facts.Facts, w *facts.Workload) []Finding { return append(a(f, w), b(f, w)...) }
}
