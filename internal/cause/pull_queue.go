package cause

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/unjam-dev/unjam/internal/facts"
	"github.com/unjam-dev/unjam/internal/pattern"
	"github.com/unjam-dev/unjam/internal/pullerror"
)

// Ages from which a silent pull is worth a word. Ordinary pulls are done before.
const (
	pullSilent   = 20 * time.Second // another pull in front of it is a queue
	pullSlow     = time.Minute
	pullHanging  = 30 * time.Minute
	notYetAfter  = time.Minute
	slowRate     = 2 << 20 // bytes a second; taxonomy-image section 6
	fastRate     = 10 << 20
	largeImage   = 1 << 30
	herdNodes    = 5
	herdWithin   = time.Minute
	queueSettle  = 10 * time.Minute
	slowerSettle = 30 * time.Minute
)

// activePulls calls visit for each container whose pull is under way, with its
// age, leaving out those whose earlier tries failed: they have a better cause.
func activePulls(f *facts.Facts, w *facts.Workload, least time.Duration, visit func(c *facts.Container, age time.Duration)) {
	for _, p := range w.Pods {
		if !awaited(p) {
			continue
		}
		for _, c := range p.Containers {
			if c.Pull == nil || c.Pull.State != facts.PullActive || c.Pull.First.IsZero() {
				continue
			}
			if _, _, failing := pullFailure(c); failing {
				continue
			}
			if age := f.Now.Sub(c.Pull.First); age >= least {
				visit(c, age)
			}
		}
	}
}

// pullFinding is a finding about a pull under way.
func pullFinding(w *facts.Workload, c *facts.Container, code string, conf Confidence, key, summary string, rivals ...Rival) Finding {
	p := c.Pod
	fd := Finding{Cause: code, Confidence: conf, Old: true, Vars: workloadVars(w), Key: key, Summary: summary, Rivals: rivals, Since: c.Pull.First, Last: c.Pull.Last,
		Evidence: []Evidence{{"the pull began and has not ended", c.Pull.Receipt}}}
	fd.touch(p, c)
	if len(w.Old) > 0 {
		fd.Vars["previous"] = w.Old[0].Name
	}
	fd.Vars["pod"], fd.Vars["container"], fd.Vars["image"], fd.Vars["node"] = p.Name(), c.Name, c.Image, p.NodeName()
	if img, ok := facts.ParseImage(c.Image); ok {
		fd.Vars["registry"], fd.Vars["repository"], fd.Vars["tag"], fd.Vars["host"] = img.Registry, img.Repository, img.Tag, img.Registry
	}
	return fd
}

// pulledText is the kubelet's success message: X is the runtime's call, Y, since
// 1.25, with the wait for a turn; the size since 1.30.
var pulledText = pattern.New(`^Successfully pulled image "[^"]+" in ([0-9hmsµun.]+)(?: \(([0-9hmsµun.]+) including waiting\))?(?:\. Image size: ([0-9]{1,18}) bytes)?`)

// donePull is one successful pull as its event tells it.
type donePull struct {
	event *facts.Event
	took  time.Duration // in the runtime
	waits time.Duration // before it
	bytes int64
}

func donePulls(p *facts.Pod) []donePull {
	var out []donePull
	for _, e := range p.Events {
		if e.Reason != "Pulled" {
			continue
		}
		m := pulledText.FindStringSubmatch(e.Message)
		if m == nil {
			continue
		}
		d := donePull{event: e}
		d.took, _ = time.ParseDuration(m[1])
		if total, err := time.ParseDuration(m[2]); err == nil {
			d.waits = max(0, total-d.took)
		}
		d.bytes, _ = strconv.ParseInt(m[3], 10, 64)
		out = append(out, d)
	}
	return out
}

// rate is in bytes per second, 0 when unknown.
func (d donePull) rate() int64 {
	if d.bytes == 0 || d.took < time.Second {
		return 0
	}
	return int64(float64(d.bytes) / d.took.Seconds())
}

// queued finds pulls that wait behind another one on their node. With one pull
// at a time, the default, the eldest open pull is the one at work. Two pulls
// that overlapped prove that the node pulls several at once.
func queued(code string) func(*facts.Facts, *facts.Workload) []Finding {
	return func(f *facts.Facts, w *facts.Workload) []Finding {
		var out []Finding
		activePulls(f, w, pullSilent, func(c *facts.Container, age time.Duration) {
			ahead := openPullsBefore(f, c)
			if len(ahead) == 0 {
				return
			}
			node, first := c.Pod.NodeName(), ahead[0]
			if pods := f.OnSameNode(c.Pod); pullsOverlap(pods) || pulledMeanwhile(pods, first) {
				if code != "parallel-cap-queue" || len(ahead) < 2 || pulledMeanwhile(pods, c) {
					return // the last: a later pull found a place, so this one has one
				}
				out = mergeFinding(out, pullFinding(w, c, code, Likely, "node "+node,
					fmt.Sprintf("%s has waited %s on node %s behind %d other pulls; the node pulls several at once, and all places seem taken", c.Image, age.Round(time.Second), node, len(ahead)),
					rival("slow-transfer", "kubectl get --raw /api/v1/nodes/"+node+"/proxy/configz | jq .kubeletconfig.maxParallelImagePulls")))
				return
			}
			if code != "serial-pull-queue" {
				return
			}
			fd := pullFinding(w, c, code, Likely, "node "+node,
				fmt.Sprintf("%s waits for its turn on node %s: the kubelet pulls one image at a time and has been at %s (pod %s/%s) for %s", c.Image, node, first.Image, first.Pod.Obj.Namespace, first.Pod.Name(), f.Now.Sub(first.Pull.First).Round(time.Second)),
				rival("slow-transfer", "kubectl get --raw /api/v1/nodes/"+node+"/proxy/configz | jq .kubeletconfig.serializeImagePulls: only true means a queue"))
			fd.Evidence = append(fd.Evidence, Evidence{"this pull began earlier on the node and has not ended", first.Pull.Receipt})
			out = mergeFinding(out, fd)
		})
		return out
	}
}

// openPullsBefore are other images' pulls on the node that began earlier and
// are still open, eldest first.
func openPullsBefore(f *facts.Facts, c *facts.Container) []*facts.Container {
	var out []*facts.Container
	for _, p := range f.OnSameNode(c.Pod) {
		for _, x := range p.Containers {
			if x.Pull != nil && x.Pull.State == facts.PullActive && x.Image != c.Image && !x.Pull.First.IsZero() && x.Pull.First.Before(c.Pull.First) {
				out = append(out, x)
			}
		}
	}
	slices.SortFunc(out, func(a, b *facts.Container) int { return a.Pull.First.Compare(b.Pull.First) })
	return out
}

// pullsOverlap reports whether two pulls of a node were in the runtime at once.
func pullsOverlap(pods []*facts.Pod) bool {
	var all []donePull
	for _, p := range pods {
		all = append(all, donePulls(p)...)
	}
	slices.SortFunc(all, func(a, b donePull) int { return a.event.Last.Compare(b.event.Last) })
	// Event times are whole seconds, so a shorter overlap proves nothing.
	for i := 1; i < len(all); i++ {
		start := all[i].event.Last.Add(-all[i].took)
		if all[i-1].event.Last.Sub(start) > 3*time.Second && all[i-1].took > 3*time.Second {
			return true
		}
	}
	return false
}

// pulledMeanwhile reports whether another pull of the node began and ended while
// the one ahead was at work: then the node does not pull one at a time.
func pulledMeanwhile(pods []*facts.Pod, ahead *facts.Container) bool {
	began := pullBegan(ahead)
	if began.IsZero() {
		return false
	}
	began = began.Add(3 * time.Second) // event times are whole seconds
	for _, p := range pods {
		for _, d := range donePulls(p) {
			if d.event.Last.Add(-d.took).After(began) {
				return true
			}
		}
		for _, c := range p.Containers {
			if c.Pull != nil && c.Pull.State == facts.PullFailing && c.Image != ahead.Image && pullBegan(c).After(began) && c.Pull.Last.After(began) {
				return true
			}
		}
	}
	return false
}

// pullBegan is when the newest attempt to pull a container's image began; zero
// when no event tells.
func pullBegan(c *facts.Container) time.Time {
	var last time.Time
	for _, e := range c.Pod.Events {
		if e.Reason == "Pulling" && e.Last.After(last) && strings.Contains(e.Message, `"`+c.Image+`"`) {
			last = e.Last
		}
	}
	return last
}

// slowPull judges a pull that is at work for long by what earlier pulls took.
func slowPull(code string) func(*facts.Facts, *facts.Workload) []Finding {
	return func(f *facts.Facts, w *facts.Workload) []Finding {
		var out []Finding
		activePulls(f, w, pullSlow, func(c *facts.Container, age time.Duration) {
			if age >= pullHanging || len(openPullsBefore(f, c)) > 0 {
				return
			}
			if fd, ok := slowPullOf(f, w, c, age); ok && fd.Cause == code {
				out = mergeFinding(out, fd)
			}
		})
		return out
	}
}

func slowPullOf(f *facts.Facts, w *facts.Workload, c *facts.Container, age time.Duration) (Finding, bool) {
	img, node := f.Image(c.Image), c.Pod.NodeName()
	now := fmt.Sprintf("%s has been pulled on node %s for %s", c.Image, node, age.Round(time.Second))
	same := pulledBefore(f, w, c)
	if same != nil && same.bytes >= largeImage && (same.rate() == 0 || same.rate() >= fastRate) {
		fd := pullFinding(w, c, "image-too-large", Likely, "image "+img.String(), fmt.Sprintf("%s; the image is %s, and elsewhere it took %s", now, size(same.bytes), same.took.Round(time.Second)),
			rival("slow-transfer", "compare with another image from "+img.Registry+" on the same node"))
		fd.Evidence = append(fd.Evidence, Evidence{"the same image was pulled on another node", same.event.Receipt()})
		return fd, true
	}
	slow, fast := ratesOn(f, c)
	switch {
	case len(slow) > 1:
		if same != nil && same.rate() >= fastRate {
			fd := pullFinding(w, c, "slow-unpack", Likely, "node "+node, fmt.Sprintf("%s; images of %d registries come slowly there, while another node took %s for this one: the node's processor or disk is slow", now, len(slow), same.took.Round(time.Second)),
				rival("slow-transfer", "watch the node during a pull: disk and one processor busy means unpacking, the network busy means transfer"))
			fd.Evidence = append(fd.Evidence, Evidence{"the same image was pulled faster on another node", same.event.Receipt()})
			return fd, true
		}
		return Finding{}, false
	case slow[img.Registry] != nil && len(fast) == 0:
		d := slow[img.Registry]
		fd := pullFinding(w, c, "slow-transfer", Likely, "registry "+img.Registry, fmt.Sprintf("%s; %s gave the node an earlier image at %s a second at most", now, img.Registry, size(d.rate())),
			rival("slow-unpack", "watch the node during a pull: disk and one processor busy means unpacking, the network busy means transfer"))
		fd.Evidence = append(fd.Evidence, Evidence{"an earlier pull from the registry was slow", d.event.Receipt()})
		return fd, true
	case slow[img.Registry] != nil:
		d := slow[img.Registry]
		fd := pullFinding(w, c, "slow-transfer", Certain, "registry "+img.Registry, fmt.Sprintf("%s; %s gives the node %s a second at most, while other registries are fast", now, img.Registry, size(d.rate())))
		fd.Evidence = append(fd.Evidence, Evidence{"an earlier pull from the registry was slow", d.event.Receipt()})
		return fd, true
	}
	return Finding{}, false
}

// pulledBefore is a successful pull of the same image by another pod of the
// workload.
func pulledBefore(f *facts.Facts, w *facts.Workload, c *facts.Container) *donePull {
	quoted := `"` + c.Image + `"`
	for _, p := range w.Pods {
		for _, d := range donePulls(p) {
			if p.NodeName() != c.Pod.NodeName() && len(d.event.Message) > 26+len(quoted) && d.event.Message[26:26+len(quoted)] == quoted {
				return &d
			}
		}
	}
	return nil
}

// ratesOn are registries whose last measured pull on the container's node was
// slow, and those where it was fast.
func ratesOn(f *facts.Facts, c *facts.Container) (slow, fast map[string]*donePull) {
	slow, fast = map[string]*donePull{}, map[string]*donePull{}
	for _, p := range f.OnSameNode(c.Pod) {
		for _, d := range donePulls(p) {
			img := f.Image(imageOfEvent(p, d.event))
			if img.Registry == "" || d.rate() == 0 {
				continue
			}
			if d.rate() < slowRate {
				slow[img.Registry] = &d
			} else if d.rate() >= fastRate {
				fast[img.Registry] = &d
			}
		}
	}
	return slow, fast
}

func imageOfEvent(p *facts.Pod, e *facts.Event) string {
	for _, c := range p.Containers {
		if c.Name == e.Container {
			return c.Image
		}
	}
	return ""
}

func size(n int64) string {
	switch {
	case n >= 1<<30:
		return fmt.Sprintf("%.1f GiB", float64(n)/(1<<30))
	case n >= 1<<20:
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	}
	return fmt.Sprintf("%d KiB", n>>10)
}

// hangingPull: the kubelet sets no limit to a pull, and a trickle of data keeps
// the runtime's own from firing.
func hangingPull(f *facts.Facts, w *facts.Workload) []Finding {
	var out []Finding
	activePulls(f, w, pullHanging, func(c *facts.Container, age time.Duration) {
		if len(openPullsBefore(f, c)) > 0 {
			return
		}
		node := c.Pod.NodeName()
		out = mergeFinding(out, pullFinding(w, c, "pull-hangs-drip", Likely, "node "+node, fmt.Sprintf("%s has been pulled on node %s for %s without a word: the transfer hangs or trickles", c.Image, node, age.Round(time.Minute)),
			rival("slow-transfer", "watch the node's received bytes for a minute: no growth means that it hangs")))
	})
	return out
}

// herd: many nodes ask for one image within a minute, and the registry cannot
// keep up.
func herd(f *facts.Facts, w *facts.Workload) []Finding {
	kinds := []pullerror.Kind{pullerror.RateLimited, pullerror.ServerError, pullerror.TCPTimeout, pullerror.RequestTimeout, pullerror.HeaderTimeout, pullerror.HandshakeTime}
	var out []Finding
	for _, t := range troubles(w, kinds) {
		t.locate(f)
		var nodes []string
		var first, last time.Time
		for _, p := range w.Pods {
			for _, e := range p.Events {
				if e.Reason != "Pulling" || e.First.IsZero() || p.NodeName() == "" || !slices.ContainsFunc(p.Containers, func(c *facts.Container) bool { return c.Image == t.text && c.Name == e.Container }) {
					continue
				}
				if first.IsZero() || e.First.Before(first) {
					first = e.First
				}
				if e.First.After(last) {
					last = e.First
				}
				nodes = insert(nodes, p.NodeName())
			}
		}
		// Some nodes got it: an outage would let none through.
		if len(nodes) < herdNodes || last.Sub(first) > herdWithin || len(t.nodes) >= len(nodes) {
			continue
		}
		code := "registry-5xx"
		if t.err.Kind == pullerror.RateLimited {
			code = "rate-limit-other"
		}
		fd := t.finding(w, "thundering-herd", Likely, fmt.Sprintf("%d nodes asked %s for %s within %s, and %d of them were turned away", len(nodes), t.image.Registry, t.text, last.Sub(first).Round(time.Second), len(t.nodes)),
			rival(code, "see whether single pulls from "+t.image.Registry+" work now"))
		fd.Key = "registry " + t.image.Registry
		out = mergeFinding(out, fd)
	}
	return out
}

// notPulling is the state of a pod whose sandbox, volumes or network come first.
func notPulling(f *facts.Facts, w *facts.Workload) []Finding {
	var out []Finding
	for _, p := range w.Pods {
		start := p.Obj.Status.StartTime
		if !awaited(p) || start == nil || f.Now.Sub(start.Time) < notYetAfter || !f.Snap.Covers("events", p.Obj.Namespace) {
			continue
		}
		for _, c := range p.Containers {
			if c.Pull == nil || c.Pull.State != facts.PullNotYet || slices.ContainsFunc(p.Containers, pullFailing) {
				continue
			}
			fd := Finding{Cause: "not-pulling-yet", Confidence: Certain, Old: true, Vars: workloadVars(w), Key: "workload " + w.Namespace + "/" + w.Ref(), Since: start.Time, Last: f.Now,
				Summary:  fmt.Sprintf("the pull of %s has not begun: it waits for %s", c.Image, before(p)),
				Evidence: []Evidence{{"the container waits and no pull was announced", p.Receipt(c.StatusPath()+".state.waiting", c.Waiting.Reason, f.Now)}}}
			fd.touch(p, c)
			fd.Vars["pod"], fd.Vars["node"], fd.Vars["image"] = p.Name(), p.NodeName(), c.Image
			out = mergeFinding(out, fd)
		}
	}
	return out
}

func pullFailing(c *facts.Container) bool {
	return c.Pull != nil && (c.Pull.State == facts.PullFailing || c.Pull.State == facts.PullActive)
}

func before(p *facts.Pod) string {
	if p.Condition("PodReadyToStartContainers").Status == string(corev1.ConditionFalse) {
		return "the pod's sandbox and network"
	}
	if p.Phase == facts.PhaseVolume {
		return "mounting its volumes"
	}
	return "sandbox, network, volumes or another container"
}
