package cause

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/unjam-dev/unjam/internal/facts"
	"github.com/unjam-dev/unjam/internal/fit"
)

// unplacedAs is the Detect of a cause that is one reason for having no node.
func unplacedAs(code string) func(*facts.Facts, *facts.Workload) []Finding {
	return func(f *facts.Facts, w *facts.Workload) []Finding {
		var out []Finding
		for _, pl := range placements(f, w) {
			if pl.code == code {
				out = append(out, placementFinding(f, w, pl))
			}
		}
		return out
	}
}

// roomCodes are the causes more room would cure.
var roomCodes = []string{"insufficient-cpu", "insufficient-memory", "insufficient-ephemeral-storage", "insufficient-extended", "insufficient-hugepages",
	"too-many-pods", "pod-larger-than-any-node", "fragmentation"}

// nodeCodes are the causes besides that a new node of the right kind would cure.
var nodeCodes = []string{"node-affinity-mismatch", "prefilter-node-subset", "untolerated-taint", "node-unschedulable", "host-port-conflict", "pod-anti-affinity",
	"existing-anti-affinity", "topology-spread-skew", "topology-spread-no-label", "max-volume-count"}

// newNodeCures reports whether a node that an autoscaler adds can end the cause:
// it adds one only where its own trial says that the pod would fit there.
func newNodeCures(code string) bool {
	return slices.Contains(roomCodes, code) || slices.Contains(nodeCodes, code)
}

func placementFinding(f *facts.Facts, w *facts.Workload, pl placement) Finding {
	p := pl.pods[0]
	fd := unplacedFinding(f, w, pl.code, pl.pods)
	fd.Summary = describe(f, w, pl, fd.Vars)
	fd.Evidence = append(fd.Evidence, nodeEvidence(pl)...)
	fd.Evidence = append(fd.Evidence, holderEvidence(pl)...)
	fd.Evidence = append(fd.Evidence, remedyEvidence(pl)...)
	placementVars(fd.Vars, p, pl)
	for _, n := range nearestNodes(pl) {
		fd.Nodes = insert(fd.Nodes, n.Name)
	}
	switch {
	case pl.stale && f.Now.Sub(latest(fd)) <= retryWithin:
		fd.Class = Waiting
	case pl.stale:
		fd.Confidence = Likely
	case pl.odd:
		fd.Confidence = Likely
	case pl.code == "scheduler-extender":
		// Words that no rule knows may also be those of a newer Kubernetes.
		fd.Confidence = Likely
	case len(pl.near) == 0 && len(pl.others) > 0, len(pl.others) > 0 && !wholeView(pl):
		fd.Confidence = Likely
	}
	if fd.Class == "" && (waitsForPods(pl) || scalingUp(f, pl.pods) && newNodeCures(pl.code)) {
		fd.Class = Waiting
	}
	if fd.Class == "" && pl.failure.Check == fit.Taint && fit.ClassOf(pl.failure.Taint) != fit.TaintDedicated && fit.ClassOf(pl.failure.Taint) != fit.TaintControlPlane {
		fd.Class = SelfHealing
	}
	if fd.Class == "" && !pl.odd {
		if pods := finiteHolders(f, w, pl); pods != nil {
			fd.Class, fd.Settle = SelfHealing, finiteSettle
			fd.Summary += "; " + holdersWords(pods)
		}
	}
	if fd.Class == "" && newNodeCures(pl.code) && awaitsAutoscaler(f, pl.pods) {
		fd.Class, fd.Settle = SelfHealing, shortageSettle
	}
	if fd.Class == "" && pl.never {
		fd.Class = Terminal
	}
	if fd.Class == "" && goesOn(f, w, p) {
		fd.Class = Symptom
		fd.Summary += "; the rollout goes on as old pods leave"
	}
	if fd.Confidence == Likely {
		fd.Rivals = placementRivals(w, pl)
	}
	fd.Explains = append(fd.Explains, "ca-no-fit", "karpenter-no-fit")
	return fd
}

func placementRivals(w *facts.Workload, pl placement) []Rival {
	settledBy := "kubectl describe nodes (compare requests, taints and labels: not all nodes were read)"
	switch {
	case pl.stale:
		return []Rival{{"scheduler-not-processing", "kubectl -n kube-system get lease kube-scheduler"}}
	case pl.odd:
		settledBy = fmt.Sprintf("the scheduler's next words: kubectl -n %s describe pod %s", w.Namespace, pl.pods[0].Name())
	case pl.code == "scheduler-extender" && len(pl.others) == 0:
		return []Rival{{"unknown", "kubectl version, and the list of the scheduler's plugins and extenders: which of them has these words"}}
	}
	var out []Rival
	for _, code := range pl.others {
		if code != pl.code {
			out = append(out, Rival{code, settledBy})
		}
	}
	return out
}

// wholeView is true when as many nodes were seen as the scheduler counted.
func wholeView(pl placement) bool {
	return pl.ex != nil && len(pl.ex.Nodes) >= pl.pods[0].Scheduling.Fit.Nodes
}

// unplacedFinding fills what every finding about unplaced pods shares.
func unplacedFinding(f *facts.Facts, w *facts.Workload, code string, pods []*facts.Pod) Finding {
	p := pods[0]
	fd := Finding{Cause: code, Confidence: Certain, Vars: workloadVars(w), Old: true}
	fd.Vars["pod"] = p.Name()
	rollingVars(fd.Vars, w)
	for _, p := range pods {
		fd.touch(p, nil)
		if t := p.Scheduling.Condition.LastTransition; !t.IsZero() && (fd.Since.IsZero() || t.Before(fd.Since)) {
			fd.Since = t
		}
		for _, e := range schedulerEvents(p) {
			if e.Last.After(fd.Last) {
				fd.Last = e.Last
			}
			if fd.Since.IsZero() {
				fd.Since = e.First
			}
			fd.Attempts = max(fd.Attempts, int(e.Count))
		}
	}
	fd.Evidence = []Evidence{{Text: "the scheduler found no node for the pod", Receipt: p.Scheduling.Receipt}}
	return fd
}

// rollingVars are set when an older revision still has pods, so that letting
// one go first, or going back, is a remedy.
func rollingVars(vars map[string]string, w *facts.Workload) {
	if w.Deployment == nil || len(livePods(w.OldPods())) == 0 {
		return
	}
	vars["deployment"] = w.Name
	r := w.Deployment.Spec.Strategy.RollingUpdate
	if w.Deployment.Spec.Strategy.Type == appsv1.RecreateDeploymentStrategyType {
		return
	}
	vars["maxsurge"], vars["maxunavailable"] = `"25%"`, `"25%"`
	if r != nil {
		setJSON(vars, "maxsurge", r.MaxSurge)
		setJSON(vars, "maxunavailable", r.MaxUnavailable)
	}
}

func setJSON(vars map[string]string, k string, v *intstr.IntOrString) {
	if v == nil {
		return
	}
	if b, err := json.Marshal(v); err == nil {
		vars[k] = string(b)
	}
}

// schedulerEvents are the FailedScheduling events of a scheduler, not Karpenter's.
func schedulerEvents(p *facts.Pod) []*facts.Event {
	var out []*facts.Event
	for _, e := range p.Events {
		if e.Reason == "FailedScheduling" && !strings.Contains(e.Source, "karpenter") {
			out = append(out, e)
		}
	}
	return out
}

func latest(fd Finding) time.Time {
	if fd.Last.After(fd.Since) {
		return fd.Last
	}
	return fd.Since
}

// waitsForPods is true when pods that are on their way out free enough.
func waitsForPods(pl placement) bool {
	if pl.ex == nil {
		return false
	}
	for _, r := range pl.ex.Remedies {
		if len(r.Steps) == 1 && r.Steps[0].Action == fit.Wait {
			return true
		}
	}
	return false
}

// scalingUp is true when an autoscaler said it is adding a node for a pod, and
// the node may still come.
func scalingUp(f *facts.Facts, pods []*facts.Pod) bool {
	for _, p := range pods {
		if e, ok := scaleUp(p); ok && f.Now.Sub(e.Last) < provisionTime {
			return true
		}
	}
	return false
}

func nearestNodes(pl placement) []*corev1.Node {
	var out []*corev1.Node
	for _, n := range pl.near {
		if len(out) == 20 {
			break
		}
		out = append(out, n.Node)
	}
	return out
}

// nodeEvidence has one receipt per group of nodes that fail the same checks.
func nodeEvidence(pl placement) []Evidence {
	if pl.ex == nil {
		return nil
	}
	groups := pl.ex.Groups()
	var out []Evidence
	if len(pl.ex.Nodes) > 2 && len(groups) > 1 {
		out = append(out, Evidence{Text: groupsText(groups, len(pl.ex.Nodes)),
			Receipt: facts.Receipt{Kind: "Node", Name: groups[0].Nodes[0].Node.Name, Field: "status.allocatable", Text: fmt.Sprintf("recomputed for %d nodes", len(pl.ex.Nodes))}})
	}
	for i, g := range groups {
		if i == 5 {
			break
		}
		n := g.Nodes[0]
		text, field, value := "nothing keeps the pod away now", "status.allocatable", ""
		if len(n.Failures) > 0 {
			field, value = failureField(n)
			text = details(n.Failures)
			if slices.ContainsFunc(g.Nodes, func(o fit.NodeFit) bool { return details(o.Failures) != text }) {
				text += " (" + n.Node.Name + ", the others alike)"
			}
		}
		out = append(out, Evidence{Text: nodeNames(g.Nodes) + ": " + text, Receipt: facts.Receipt{Kind: "Node", Name: n.Node.Name, Field: field, Text: value}})
	}
	return out
}

// groupsText counts the nodes by what keeps the pod off them, in one line.
func groupsText(groups []fit.Group, total int) string {
	var parts []string
	rest := 0
	for i, g := range groups {
		if i >= 6 {
			rest += len(g.Nodes)
			continue
		}
		var reasons []string
		for j, x := range g.Nodes[0].Failures {
			reasons = append(reasons, groupReason(g, j, x))
		}
		if len(reasons) == 0 {
			reasons = []string{plural(int32(len(g.Nodes)), "has", "have") + " room now"}
		}
		parts = append(parts, fmt.Sprintf("%d %s", len(g.Nodes), strings.Join(reasons, " and ")))
	}
	if rest > 0 {
		parts = append(parts, fmt.Sprintf("%d fail other sets of checks", rest))
	}
	return fmt.Sprintf("%d nodes: %s", total, strings.Join(parts, "; "))
}

// groupReason says what the nodes of a group lack, with the smallest margin.
func groupReason(g fit.Group, i int, x fit.Failure) string {
	n := int32(len(g.Nodes))
	switch x.Check {
	case fit.Resources:
		if x.Total == 0 {
			return plural(n, "offers", "offer") + " no " + resourceName(x.Resource)
		}
		short, alike := x.Need-x.Free, true
		for _, o := range g.Nodes[1:] {
			s := o.Failures[i].Need - o.Failures[i].Free
			alike = alike && s == short
			short = min(short, s)
		}
		least := ""
		if !alike {
			least = "at least "
		}
		return fmt.Sprintf("%s %s%s %s", plural(n, "lacks", "lack"), least, fit.Quantity(x.Resource, short), resourceName(x.Resource))
	case fit.Slots:
		return plural(n, "is", "are") + " at the limit of pods"
	case fit.Cordoned:
		return plural(n, "is", "are") + " cordoned"
	case fit.Taint:
		for _, o := range g.Nodes[1:] {
			if o.Failures[i].Taint.Key != x.Taint.Key || o.Failures[i].Taint.Value != x.Taint.Value {
				return "have taints it does not tolerate"
			}
		}
		return plural(n, "has", "have") + " taint " + fit.TaintString(x.Taint)
	case fit.NodeAffinity:
		return plural(n, "does", "do") + " not match its selector or affinity"
	case fit.HostPort:
		return plural(n, "has", "have") + " its host port taken"
	case fit.AntiAffinity, fit.ExistingAnti:
		return plural(n, "is", "are") + " barred by anti-affinity"
	case fit.PodAffinity:
		return plural(n, "has", "have") + " no pod it must run beside"
	case fit.Spread:
		return plural(n, "is", "are") + " in a domain that may take no more"
	case fit.SpreadLabel:
		return plural(n, "lacks", "lack") + " the label to spread over"
	}
	return plural(n, "fails", "fail") + " the check " + string(x.Check)
}

func details(list []fit.Failure) string {
	var out []string
	for _, x := range list {
		out = append(out, x.Detail)
	}
	return strings.Join(out, "; ")
}

// failureField is where on the node the first failure can be seen.
func failureField(n fit.NodeFit) (field, value string) {
	switch x := n.Failures[0]; x.Check {
	case fit.Cordoned:
		return "spec.unschedulable", "true"
	case fit.Taint:
		return "spec.taints", fit.TaintString(x.Taint)
	case fit.NodeAffinity, fit.SpreadLabel, fit.Spread, fit.PodAffinity, fit.AntiAffinity, fit.ExistingAnti, fit.VolumeNode, fit.VolumeZone:
		return "metadata.labels", x.Detail
	case fit.Resources, fit.Slots:
		return "status.allocatable[" + string(x.Resource) + "]", fmt.Sprintf("%s, of which %s is free", fit.Quantity(x.Resource, x.Total), fit.Quantity(x.Resource, x.Free))
	default:
		return "metadata.name", x.Detail
	}
}

// nodeNames writes up to three names and a count.
func nodeNames(nodes []fit.NodeFit) string {
	var names []string
	for i, n := range nodes {
		if i == 3 {
			return fmt.Sprintf("%s and %d more nodes", strings.Join(names, ", "), len(nodes)-3)
		}
		names = append(names, n.Node.Name)
	}
	return strings.Join(names, ", ")
}

func holderEvidence(pl placement) []Evidence {
	var out []Evidence
	for _, n := range pl.near {
		x, _ := n.Failed(pl.failure.Check)
		for _, h := range x.Holders {
			if len(out) == 3 {
				return out
			}
			out = append(out, Evidence{Text: fmt.Sprintf("%s/%s on %s is in the way", h.Namespace, h.Name, n.Node.Name),
				Receipt: facts.Receipt{Kind: "Pod", Namespace: h.Namespace, Name: h.Name, Field: "spec.nodeName", Text: h.Spec.NodeName}})
		}
	}
	return out
}

// remedyEvidence says what was tried out and works.
func remedyEvidence(pl placement) []Evidence {
	if pl.ex == nil {
		return nil
	}
	var out []Evidence
	for i, r := range pl.ex.Remedies {
		if i == 3 {
			break
		}
		var steps []string
		for _, s := range r.Steps {
			steps = append(steps, stepText(s))
		}
		out = append(out, Evidence{Text: "tried out: " + strings.Join(steps, " and ") + ", and " + takes(pl, r),
			Receipt: facts.Receipt{Kind: "Node", Name: r.Node, Field: "status.allocatable", Text: "recomputed with the change"}})
	}
	if k := pl.ex.Repack; k != nil {
		var names []string
		for _, p := range k.Pods {
			names = append(names, p.Namespace+"/"+p.Name)
		}
		out = append(out, Evidence{Text: "tried out: move " + strings.Join(names, ", ") + " to other nodes, and " + k.Node.Name + " takes the pod",
			Receipt: facts.Receipt{Kind: "Node", Name: k.Node.Name, Field: "status.allocatable", Text: "recomputed with the change"}})
	}
	return out
}

// takes says how many of the waiting pods a remedy places, all tried at once.
func takes(pl placement, r fit.Remedy) string {
	n := len(pl.pods)
	if n == 1 {
		return r.Node + " takes the pod"
	}
	k := pl.ex.Together(r, n)
	if k < n {
		return fmt.Sprintf("%d of the %d waiting pods fit, the first on %s", k, n, r.Node)
	}
	return fmt.Sprintf("all %d waiting pods fit, the first on %s", n, r.Node)
}

func stepText(s fit.RemedyStep) string {
	switch s.Action {
	case fit.Wait:
		return "wait for " + podNames(s.Pods) + " to end"
	case fit.Shrink:
		return fmt.Sprintf("request at most %s %s", fit.Quantity(s.Resource, s.Amount), s.Resource)
	case fit.Uncordon:
		return "uncordon"
	case fit.Tolerate:
		return "tolerate " + fit.TaintString(s.Taint)
	case fit.Label:
		return "label " + s.Key + "=" + s.Value
	case fit.Leave:
		return "let " + podNames(s.Pods) + " go"
	}
	return "relax the " + string(s.Check) + " rule"
}

func podNames(pods []*corev1.Pod) string {
	var out []string
	for i, p := range pods {
		if i == 3 {
			out = append(out, fmt.Sprintf("%d more", len(pods)-3))
			break
		}
		out = append(out, p.Namespace+"/"+p.Name)
	}
	return strings.Join(out, ", ")
}
