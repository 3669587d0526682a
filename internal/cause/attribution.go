package cause

import (
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/unjam-dev/unjam/internal/facts"
)

// Fault says where a cause lies: with what was released, with one node, or with
// what releases and nodes share.
type Fault string

// The places a cause can lie.
const (
	FaultRelease     Fault = "release"
	FaultNode        Fault = "node"
	FaultEnvironment Fault = "environment"
	FaultUnknown     Fault = "unknown"
)

// Attribution is where a cause lies and the witnesses that decide it. It needs
// both sides: that something fails here, and that a peer which differs in one
// respect only does not (or does too). A one-sided case is unknown.
type Attribution struct {
	To Fault
	// Because is one short clause; empty when unknown.
	Because string
	// Evidence are the witnesses.
	Evidence []Evidence
}

func lies(to Fault, because string, evidence ...Evidence) Attribution {
	return Attribution{To: to, Because: because, Evidence: evidence}
}

// Attribute weighs the peers of a finding's pods as witnesses.
func Attribute(causes Set, f *facts.Facts, w *facts.Workload, fd Finding) Attribution {
	family := Other
	if c := causes.ByCode(fd.Cause); c != nil {
		family = c.Family
	}
	pods := podsNamed(w, fd.Pods)
	var a Attribution
	switch family {
	case ImageName, Credentials, Registry, Network, Content, NodeStorage, PullQueue:
		a = attributePull(f, w, fd, pods)
	case Quota, Admission:
		a = attributeRefusal(f, w, fd)
	case NodeHealth:
		a = attributeNodeHealth(f, fd)
	case StartConfig, Sandbox, Crash, Probes:
		a = attributeStart(f, w, fd, pods)
		// That a former pod runs on says nothing of a start now, where what a
		// start needs may have changed meanwhile.
		if a.To == FaultRelease && (family == StartConfig || family == Sandbox || fd.Cause == "crashloop-app-error" || fd.Cause == "dependency-unavailable") {
			a = Attribution{}
		}
	}
	if a.To == "" {
		a.To = FaultUnknown
	}
	return a
}

func podsNamed(w *facts.Workload, names []string) []*facts.Pod {
	var out []*facts.Pod
	for _, p := range w.Pods {
		if _, found := slices.BinarySearch(names, p.Name()); found {
			out = append(out, p)
		}
	}
	return out
}

// attributePull compares a pull that fails with others of the same registry: on
// other nodes, and of other images on the same node, since the first failure.
func attributePull(f *facts.Facts, w *facts.Workload, fd Finding, pods []*facts.Pod) Attribution {
	c := failingPull(pods)
	if c == nil || c.Pull.First.IsZero() {
		return Attribution{}
	}
	img := f.Image(c.Image)
	if img.Registry == "" {
		return Attribution{}
	}
	alike := f.FailingAt(img.Registry, c.Pull.Err.Kind)
	elsewhere, there := f.PulledElsewhere(img.Registry, fd.Nodes)
	if there != nil && !there.Last.After(c.Pull.First) {
		there = nil
	}
	var here *facts.Event // another image on a node that fails
	for _, n := range fd.Nodes {
		if e := f.LastPulled(img.Registry, n); e != nil && e.Last.After(c.Pull.First) && (here == nil || e.Last.After(here.Last)) {
			here = e
		}
	}
	images, nodes := 1, len(fd.Nodes)
	if alike != nil {
		images, nodes = max(images, len(alike.Repositories)), max(nodes, len(alike.Nodes))
	}
	switch {
	case here != nil && images == 1 && !sharedImage(f, w, c.Image):
		return lies(FaultRelease, fmt.Sprintf("other images of %s pull on the same node since", img.Registry),
			Evidence{Text: "the same node pulls another image of the registry", Receipt: here.Receipt()})
	case here != nil:
		return Attribution{} // some succeed and some fail on the same node
	case nodes == 1 && there != nil:
		return lies(FaultNode, fmt.Sprintf("%s pulls from %s since, %s does not", elsewhere, img.Registry, fd.Nodes[0]),
			Evidence{Text: "another node pulls from the same registry since", Receipt: there.Receipt()})
	case there == nil && images > 1 && nodes > 1:
		return lies(FaultEnvironment, fmt.Sprintf("%d repositories of %s fail alike on %d nodes", images, img.Registry, nodes), fd.Evidence[:min(1, len(fd.Evidence))]...)
	case nodes > 1 && there != nil && images == 1 && !sharedImage(f, w, c.Image):
		return lies(FaultRelease, fmt.Sprintf("it fails on %d nodes, while %s pulls another image of %s since", nodes, elsewhere, img.Registry),
			Evidence{Text: "another image of the registry is pulled since", Receipt: there.Receipt()})
	}
	return Attribution{}
}

func failingPull(pods []*facts.Pod) *facts.Container {
	for _, p := range pods {
		for _, c := range p.Containers {
			if c.Pull != nil && c.Pull.State == facts.PullFailing {
				return c
			}
		}
	}
	return nil
}

// sharedImage reports whether a pull of the image fails in another workload too.
func sharedImage(f *facts.Facts, w *facts.Workload, image string) bool {
	owners := facts.Once(f, failingOwners{}, func() map[string]map[*facts.Workload]bool {
		out := map[string]map[*facts.Workload]bool{}
		for _, p := range f.Pods {
			for _, c := range p.Containers {
				if c.Pull == nil || c.Pull.State != facts.PullFailing {
					continue
				}
				if out[c.Image] == nil {
					out[c.Image] = map[*facts.Workload]bool{}
				}
				out[c.Image][p.Workload] = true
			}
		}
		return out
	})
	for o := range owners[image] {
		if o != w {
			return true
		}
	}
	return false
}

type failingOwners struct{}

// attributeRefusal compares a refusal with what the same namespace was allowed
// since: by the newest pod made, and by other workloads refused alike.
func attributeRefusal(f *facts.Facts, w *facts.Workload, fd Finding) Attribution {
	r, ok := findRefusal(w)
	if !ok || fd.Since.IsZero() {
		return Attribution{}
	}
	kind := refusalKind(r.Message)
	all := facts.Once(f, refusedOwners{}, func() map[string][]*facts.Workload { return refusedAlike(f) })[w.Namespace+"/"+kind]
	var made *facts.Event
	for _, e := range f.CreatedIn(w.Namespace) {
		if e.Last.After(fd.Since) && !ownEvent(w, e) {
			made = e
		}
	}
	switch {
	case len(all) > 1 && made == nil:
		return lies(FaultEnvironment, fmt.Sprintf("%d workloads of the namespace are refused alike, and none was given a pod since", len(all)), Evidence{Text: "the refusal", Receipt: r.Receipt})
	case len(all) == 1 && made != nil && kind != "quota-exceeded":
		return lies(FaultRelease, fmt.Sprintf("%s %s was given a pod since", strings.ToLower(made.Obj.InvolvedObject.Kind), made.Obj.InvolvedObject.Name),
			Evidence{Text: "a pod of another workload was let in", Receipt: made.Receipt()})
	}
	return Attribution{}
}

type refusedOwners struct{}

func refusedAlike(f *facts.Facts) map[string][]*facts.Workload {
	out := map[string][]*facts.Workload{}
	for _, w := range f.Workloads {
		if r, ok := findRefusal(w); ok {
			k := w.Namespace + "/" + refusalKind(r.Message)
			out[k] = append(out[k], w)
		}
	}
	return out
}

func ownEvent(w *facts.Workload, e *facts.Event) bool {
	o := e.Obj.InvolvedObject
	if o.Name == w.Name && o.Kind == w.Kind {
		return true
	}
	return slices.ContainsFunc(append(slices.Clone(w.Old), w.New), func(r *facts.Revision) bool { return r != nil && r.Name == o.Name })
}

// attributeNodeHealth takes the node's own word, unless most nodes say so.
func attributeNodeHealth(f *facts.Facts, fd Finding) Attribution {
	down, all := 0, len(f.Snap.Objects.Nodes)
	for _, n := range f.Snap.Objects.Nodes {
		if c := nodeCondition(n, corev1.NodeReady); c.Type != "" && c.Status != corev1.ConditionTrue {
			down++
		}
	}
	said := slices.IndexFunc(fd.Evidence, func(e Evidence) bool { return e.Receipt.Kind == "Node" })
	switch {
	case len(fd.Nodes) == 0 || all < 2 || said < 0:
		return Attribution{} // a pod that does not end says nothing of its node
	case down > 1 && 2*down > all:
		return lies(FaultEnvironment, fmt.Sprintf("%d of %d nodes are not Ready", down, all), fd.Evidence[said])
	case len(fd.Nodes) == 1 && all-down > 0:
		others := int32(all - max(down, 1))
		return lies(FaultNode, fmt.Sprintf("%s itself says so, and %d other %s Ready", fd.Nodes[0], others, plural(others, "node is", "nodes are")), fd.Evidence[said])
	}
	return Attribution{}
}

// attributeStart compares containers that do not get ready with pods of the
// same revision on other nodes and with pods of the former one.
func attributeStart(f *facts.Facts, w *facts.Workload, fd Finding, pods []*facts.Pod) Attribution {
	if len(pods) == 0 || fd.Since.IsZero() || f.Now.Sub(fd.Since) < attributeAfter {
		return Attribution{}
	}
	var oldBad, newBad bool
	nodes := map[string]bool{}
	for _, p := range pods {
		oldBad, newBad = oldBad || !p.New, newBad || p.New
		nodes[p.NodeName()] = true
	}
	if oldBad && newBad {
		return lies(FaultEnvironment, "pods of the former revision fail alike", fd.Evidence[:min(1, len(fd.Evidence))]...)
	}
	if oldBad {
		return Attribution{}
	}
	var sameElsewhere, formerHere, former *facts.Pod
	for _, p := range w.Pods {
		switch {
		case p.Phase != facts.PhaseReady:
		case p.New && !nodes[p.NodeName()] && p.Condition(corev1.PodReady).LastTransition.After(fd.Since):
			sameElsewhere = p
		case p.New && nodes[p.NodeName()]:
			return Attribution{} // the same revision works on the very node
		case !p.New && stillAsked(p):
			former = p
			if nodes[p.NodeName()] {
				formerHere = p
			}
		}
	}
	switch {
	case sameElsewhere != nil && len(nodes) == 1:
		return lies(FaultNode, fmt.Sprintf("%s of the same revision got Ready on %s since", sameElsewhere.Name(), sameElsewhere.NodeName()),
			Evidence{Text: "a pod of the same revision got Ready on another node since", Receipt: sameElsewhere.Receipt("status.conditions[Ready]", "True", sameElsewhere.Condition(corev1.PodReady).LastTransition)})
	case sameElsewhere == nil && formerHere != nil, sameElsewhere == nil && former != nil && len(nodes) > 1:
		if formerHere != nil {
			former = formerHere
		}
		return lies(FaultRelease, fmt.Sprintf("%s of the former revision still answers its probe on %s", former.Name(), former.NodeName()),
			Evidence{Text: "a pod of the former revision is asked again and again, and is Ready", Receipt: former.Receipt("status.conditions[Ready]", "True", f.Now)})
	}
	return Attribution{}
}

// attributeAfter is how long a fault must have lasted for a former pod's Ready
// to be younger than it: three periods of a readiness probe.
const attributeAfter = 30 * time.Second

// stillAsked reports that the pod's readiness is tested, so that Ready says
// something about now.
func stillAsked(p *facts.Pod) bool {
	return slices.ContainsFunc(p.Containers, func(c *facts.Container) bool { return c.Spec.ReadinessProbe != nil })
}
