package facts

import (
	"strconv"
	"strings"
	"time"

	"github.com/unjam-dev/unjam/internal/pullerror"
)

func itoa(n int32) string { return strconv.Itoa(int(n)) }

// Image back-off of the kubelet: 10 s doubling to 300 s, keyed on pod and image
// (pkg/kubelet/kubelet.go, imageBackOffPeriod and MaxImageBackOff); the pod
// worker looks again within 15 s.
const (
	imageBackOff    = 10 * time.Second
	imageBackOffMax = 300 * time.Second
	workerLag       = 15 * time.Second
)

// pullOf reads the pull of a container's image; nil when it is present.
func (f *Facts) pullOf(c *Container) *Pull {
	if c.Pod.NodeName() == "" || c.Running != nil || (len(c.Deaths) > 0 && !pullWaiting(c)) {
		return nil
	}
	p := &Pull{Image: c.Image}
	if pullWaiting(c) {
		p.State = PullFailing
		f.readFailures(p, c)
		return p
	}
	last := lastPullEvent(c)
	switch {
	case last != nil && last.Reason == "Pulling":
		p.State, p.First, p.Last, p.Attempts, p.Receipt = PullActive, last.Last, last.Last, last.Count, last.Receipt()
	case c.Waiting != nil && c.Waiting.Reason == "ContainerCreating" && last == nil:
		p.State = PullNotYet
	default:
		return nil
	}
	// A retry under way: the failures before it are still the best evidence.
	f.readFailures(p, c)
	return p
}

func pullWaiting(c *Container) bool { return c.Waiting != nil && IsPullReason(c.Waiting.Reason) }

// pullEvents are the reasons of kubelet/events/event.go about an image.
func isPullEvent(e *Event) bool {
	switch e.Reason {
	case "Pulling", "Pulled", "InspectFailed", "ErrImageNeverPull":
		return true
	case "Failed":
		return strings.HasPrefix(e.Message, "Failed to pull image")
	}
	return false
}

// ofContainer accepts events of the container, and events without a container
// that quote its image (image volumes and old kubelets leave fieldPath empty).
func ofContainer(c *Container, e *Event) bool {
	if e.Container != "" {
		return e.Container == c.Name
	}
	return strings.Contains(e.Message, `"`+c.Image+`"`)
}

func lastPullEvent(c *Container) *Event {
	for i := len(c.Pod.Events) - 1; i >= 0; i-- {
		if e := c.Pod.Events[i]; isPullEvent(e) && ofContainer(c, e) {
			return e
		}
	}
	return nil
}

func (f *Facts) readFailures(p *Pull, c *Container) {
	if w := c.Waiting; w != nil && IsPullReason(w.Reason) {
		text := w.Message
		if strings.Contains(w.Reason, " ") {
			text = w.Reason // malformed pull Secret, see IsPullReason
		}
		p.addErr(pullerror.Parse(text, c.Image), c.Pod.Receipt(c.StatusPath()+".state.waiting", w.Reason+": "+w.Message, f.Now), f.Now)
	}
	var pulling, failures int32
	for i := len(c.Pod.Events) - 1; i >= 0; i-- {
		e := c.Pod.Events[i]
		if !isPullEvent(e) || !ofContainer(c, e) {
			continue
		}
		switch e.Reason {
		case "Pulling":
			pulling += e.Count
			continue
		case "Pulled":
			continue
		}
		failures += e.Count
		p.addErr(pullerror.Parse(e.Message, c.Image), e.Receipt(), e.Last)
		if p.Last.IsZero() || e.Last.After(p.Last) {
			p.Last = e.Last
		}
		if p.First.IsZero() || e.First.Before(p.First) {
			p.First = e.First
		}
	}
	if p.State != PullFailing {
		return
	}
	p.choose()
	p.Attempts = max(1, failures, pulling)
	if p.First.IsZero() && c.Pod.Obj.Status.StartTime != nil {
		p.First = c.Pod.Obj.Status.StartTime.Time
	}
	p.BackOff = min(imageBackOff<<min(p.Attempts-1, 5), imageBackOffMax)
	if !p.Last.IsZero() {
		p.NextRetry = p.Last.Add(p.BackOff)
		if f.Now.Sub(p.NextRetry) > workerLag {
			p.NextRetry = time.Time{}
		}
	}
}

// addErr keeps one entry per distinct error, newest first.
func (p *Pull) addErr(err pullerror.Error, r Receipt, at time.Time) {
	for i := range p.Errs {
		if p.Errs[i].Err.Kind == err.Kind && p.Errs[i].Err.Status == err.Status && p.Errs[i].Err.Stage == err.Stage {
			return
		}
	}
	p.Errs = append(p.Errs, PullErr{Err: err, Receipt: r, Last: at})
}

// choose takes the newest error that says more than the back-off state.
func (p *Pull) choose() {
	if len(p.Errs) == 0 {
		return
	}
	best := p.Errs[0]
	for _, e := range p.Errs {
		if e.Err.Kind != pullerror.Unknown && e.Err.Kind != pullerror.BackOffOnly {
			best = e
			break
		}
	}
	p.Err, p.Receipt = best.Err, best.Receipt
}
