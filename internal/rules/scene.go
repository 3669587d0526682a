package rules

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/unjam-dev/unjam/internal/cause"
	"github.com/unjam-dev/unjam/internal/facts"
	"github.com/unjam-dev/unjam/internal/snapshot"
)

// scene is what rules look at: one workload that has not got where it should.
type scene struct {
	f    *facts.Facts
	w    *facts.Workload
	pods []*facts.Pod // not Ready
	ns   namespace
}

// sight is one piece of evidence of a subject.
type sight struct {
	pod       *facts.Pod
	container *facts.Container
	own       any    // the Go value of the subject's own variable
	text      string // redacted; what a message pattern is matched against
	// basis are the receipts it rests on; the first one is shown.
	basis       []facts.Receipt
	since, last time.Time
	next        time.Time
	attempts    int
	old         bool
	vars        map[string]string
}

// sceneOf reads a workload once, however many rules ask.
func sceneOf(f *facts.Facts, w *facts.Workload) *scene {
	return facts.Once(f, sceneKey{w}, func() *scene { return newScene(f, w) })
}

type sceneKey struct{ w *facts.Workload }

func newScene(f *facts.Facts, w *facts.Workload) *scene {
	s := &scene{f: f, w: w, pods: cause.TroubledPods(f, w), ns: namespace{name: w.Namespace}}
	for _, n := range f.Snap.Objects.Namespaces {
		if n.Name == w.Namespace {
			s.ns.obj = n
		}
	}
	return s
}

// sights are the pieces of evidence of a subject, read once per workload
// however many rules ask.
func (s *scene) sights(on *subject) []sight {
	return facts.Once(s.f, sightsOf{on.name, s.w}, func() []sight { return on.see(s) })
}

type sightsOf struct {
	subject string
	w       *facts.Workload
}

func refusals(s *scene) []sight {
	r, ok := cause.StandingRefusal(s.w)
	if !ok {
		return nil
	}
	return []sight{{own: r, text: said(r.Message), basis: []facts.Receipt{r.Receipt}, since: r.First, last: r.Last, attempts: r.Attempts, old: r.Old}}
}

func events(s *scene) []sight {
	var out []sight
	add := func(p *facts.Pod, list []*facts.Event) {
		for _, e := range slices.Backward(list) {
			out = append(out, sight{pod: p, own: e, text: said(e.Message), basis: []facts.Receipt{e.Receipt()}, since: e.First, last: e.Last,
				attempts: int(e.Count), vars: map[string]string{"reason": e.Reason}})
		}
	}
	for _, p := range s.pods {
		add(p, p.Events)
		for _, v := range p.Obj.Spec.Volumes {
			if c := v.PersistentVolumeClaim; c != nil {
				add(p, s.f.EventsOf("PersistentVolumeClaim", s.w.Namespace, c.ClaimName, ""))
			}
		}
	}
	if s.w.Kind == "Pod" {
		return out // its events are the pod's
	}
	// Events of the workload from before the attempt are about another one. API
	// times are whole seconds.
	recent := func(list []*facts.Event) []*facts.Event {
		return slices.DeleteFunc(slices.Clone(list), func(e *facts.Event) bool { return e.Last.Before(s.w.Started.Add(-time.Second)) })
	}
	add(nil, recent(s.w.Events))
	if s.w.New != nil {
		add(nil, recent(s.w.New.Events))
	}
	return out
}

func pulls(s *scene) []sight {
	var out []sight
	s.eachContainer(func(p *facts.Pod, c *facts.Container) {
		if c.Pull == nil || c.Pull.State != facts.PullFailing {
			return
		}
		errs := c.Pull.Errs
		if len(errs) == 0 {
			errs = []facts.PullErr{{Err: c.Pull.Err, Receipt: c.Pull.Receipt}}
		}
		basis := []facts.Receipt{}
		for _, e := range errs {
			basis = append(basis, e.Receipt)
		}
		basis = append(basis, c.Pull.Receipt)
		for i := range errs {
			e := &errs[i]
			own := append([]facts.Receipt{e.Receipt}, basis...)
			out = append(out, sight{pod: p, container: c, own: pullTry{c.Pull, &e.Err}, text: said(cmp.Or(e.Err.Text, e.Receipt.Text)), basis: own,
				since: c.Pull.First, last: c.Pull.Last, next: c.Pull.NextRetry, attempts: int(c.Pull.Attempts)})
		}
	})
	return out
}

func deaths(s *scene) []sight {
	var out []sight
	s.eachContainer(func(p *facts.Pod, c *facts.Container) {
		for i := range slices.Backward(c.Deaths) {
			d := &c.Deaths[i]
			out = append(out, sight{pod: p, container: c, own: d, text: said(cmp.Or(d.Message, d.Reason)), basis: []facts.Receipt{d.Receipt, logReceipt(c, "", d.Finished)},
				since: c.Deaths[0].Finished, last: c.Deaths[len(c.Deaths)-1].Finished, attempts: deathsOf(c), vars: map[string]string{"exitCode": strconv.Itoa(int(d.ExitCode))}})
		}
	})
	return out
}

func logs(s *scene) []sight {
	var out []sight
	s.eachContainer(func(p *facts.Pod, c *facts.Container) {
		var since, last time.Time
		var died []facts.Receipt
		for i, d := range c.Deaths {
			if i == 0 {
				since = d.Finished
			}
			last = d.Finished
			died = append(died, d.Receipt)
		}
		for _, line := range slices.Backward(logOf(c)) {
			if line = strings.TrimSpace(line); line == "" {
				continue
			}
			out = append(out, sight{pod: p, container: c, text: line, basis: append([]facts.Receipt{logReceipt(c, line, last)}, died...),
				since: since, last: last, attempts: deathsOf(c)})
		}
	})
	return out
}

// deathsOf counts the ends of a container: one before each restart, and the one
// after which it waits.
func deathsOf(c *facts.Container) int {
	n := int(c.Restarts)
	if c.Running == nil && len(c.Deaths) > 0 {
		n++
	}
	return n
}

func logReceipt(c *facts.Container, line string, at time.Time) facts.Receipt {
	return c.Pod.Receipt("log/"+c.Name, line, at)
}

func conditions(s *scene) []sight {
	var out []sight
	add := func(p *facts.Pod, list []condition, receipt func(field, text string, at time.Time) facts.Receipt) {
		for _, c := range list {
			shown := strings.TrimSpace(c.c.Status + " " + c.c.Reason)
			if c.c.Message != "" {
				shown += ": " + said(c.c.Message)
			}
			out = append(out, sight{pod: p, own: c, text: said(c.c.Message), since: c.c.LastTransition, last: c.c.LastUpdate, vars: map[string]string{"reason": c.c.Reason},
				basis: []facts.Receipt{receipt("status.conditions["+c.c.Type+"]", shown, c.c.LastTransition)}})
		}
	}
	if s.w.Kind != "Pod" {
		add(nil, conditionsOf(s.w), s.w.Receipt)
	}
	for _, p := range s.pods {
		add(p, podConditions(p), p.Receipt)
		if n := p.Node; n != nil {
			add(p, nodeConditions(n), func(field, text string, at time.Time) facts.Receipt {
				return facts.Receipt{Kind: "Node", Name: n.Name, Field: field, Text: text, Time: at}
			})
		}
	}
	return out
}

func pods(s *scene) []sight {
	var out []sight
	for _, p := range s.pods {
		made := p.Obj.CreationTimestamp.Time
		out = append(out, sight{pod: p, basis: []facts.Receipt{p.Receipt("status.phase", string(p.Obj.Status.Phase), made)}, since: made, last: s.f.Now})
	}
	return out
}

func workloads(s *scene) []sight {
	return []sight{{since: s.w.Started, last: s.f.Now, basis: []facts.Receipt{s.w.Receipt("status",
		strconv.Itoa(int(s.w.Available))+" of "+strconv.Itoa(int(s.w.Desired))+" pods available", s.f.Now)}}}
}

func (s *scene) eachContainer(do func(*facts.Pod, *facts.Container)) {
	for _, p := range s.pods {
		for _, c := range p.Containers {
			do(p, c)
		}
	}
}

// said is a message as rules match it: redacted, and without its middle when
// it is too long to be meant.
func said(message string) string { return clip(snapshot.Redact(message)) }

func clip(text string) string {
	if len(text) <= maxMessage {
		return text
	}
	return strings.ToValidUTF8(text[:maxMessage/2]+" … "+text[len(text)-maxMessage/2:], "")
}
