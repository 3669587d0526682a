package cause

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/unjam-dev/unjam/internal/facts"
	"github.com/unjam-dev/unjam/internal/fit"
)

// describe is the one sentence of a placement, with the numbers that matter.
func describe(f *facts.Facts, w *facts.Workload, pl placement, vars map[string]string) string {
	who := w.Name
	if n := int32(len(pl.pods)); n > 1 {
		who = fmt.Sprintf("%s (%d pods)", w.Name, n)
	}
	if pl.stale {
		fits := pl.ex.Fitting()
		if f.Now.Sub(newestWord(pl.pods[0])) > retryWithin {
			return fmt.Sprintf("%s has no node: the scheduler says %q, though by all that was read %s has room", who, pl.reason.Text, fits[0].Name)
		}
		return fmt.Sprintf("%s has room now, the scheduler should retry %s within five minutes; it last said %q", fits[0].Name, who, pl.reason.Text)
	}
	text := who + " " + sentence(f, pl)
	total := pl.pods[0].Scheduling.Fit.Nodes
	switch {
	case pl.ex == nil && pl.reason.Count > 0:
		text += fmt.Sprintf(" (the scheduler's words about %s; nodes were not read)", nodesOf(pl))
	case pl.ex != nil && len(pl.ex.Nodes) < total:
		text += fmt.Sprintf(" (of %d nodes only %d %s read)", total, len(pl.ex.Nodes), plural(int32(len(pl.ex.Nodes)), "was", "were"))
	}
	return text
}

func nodesOf(pl placement) string {
	total := pl.pods[0].Scheduling.Fit.Nodes
	if total == 1 {
		return "the only node"
	}
	if pl.reason.Count >= total {
		return fmt.Sprintf("all %d nodes", total)
	}
	return fmt.Sprintf("%d of %d nodes", pl.reason.Count, total)
}

func sentence(f *facts.Facts, pl placement) string {
	x := pl.failure
	recomputed := len(pl.near) > 0
	near := ""
	if recomputed {
		near = nodeNames(pl.near)
	}
	pod := pl.pods[0].Obj
	switch pl.code {
	case "insufficient-cpu", "insufficient-memory", "insufficient-ephemeral-storage", "insufficient-extended", "insufficient-hugepages", "too-many-pods":
		return roomSentence(pl)
	case "fragmentation":
		k := pl.ex.Repack
		return fmt.Sprintf("needs %s %s; the nodes have %s free together but no single one enough, and moving %d %s off %s would make room",
			fit.Quantity(x.Resource, x.Need), resourceName(x.Resource), fit.Quantity(x.Resource, k.Free), len(k.Pods), plural(int32(len(k.Pods)), "pod", "pods"), k.Node.Name)
	case "pod-larger-than-any-node":
		if !recomputed {
			return fmt.Sprintf("asks for %s, more than any node has in all", requestText(pod, pl.reason.Resource()))
		}
		big, _ := pl.ex.LargestTotal(x.Resource)
		if big.Node == nil {
			big = fit.Room{Node: pl.near[0].Node, Total: x.Total}
		}
		return fmt.Sprintf("asks for %s %s, but the largest node it may use, %s, has %s in all", fit.Quantity(x.Resource, x.Need), resourceName(x.Resource), big.Node.Name, fit.Quantity(x.Resource, big.Total))
	case "untolerated-taint":
		return taintSentence(pl, near)
	case "node-unschedulable":
		if recomputed {
			return "would fit only on " + near + ", which " + plural(int32(len(pl.near)), "is", "are") + " cordoned"
		}
		return "finds only cordoned nodes"
	case "node-affinity-mismatch":
		return affinitySentence(pl)
	case "host-port-conflict":
		if recomputed {
			return fmt.Sprintf("needs host port %s, which %s holds on %s", x.Object, holders(pl), near)
		}
		if h := portHolders(f, pod); h != "" {
			return "needs a host port that is taken on every node it may use; " + h
		}
		return "needs a host port that is taken on every node it may use"
	case "pod-anti-affinity":
		if recomputed {
			return fmt.Sprintf("may not share a %s with %s, and no free one is left", topologyName(x.Object), holders(pl))
		}
		if k := antiKeys(pod); k != "" {
			return "may not share a " + k + " with pods its own anti-affinity names, and no free one is left"
		}
		return "may not share a node or zone with pods its own anti-affinity names, and no free one is left"
	case "existing-anti-affinity":
		if recomputed {
			return fmt.Sprintf("is kept off %s by the anti-affinity of %s", near, holders(pl))
		}
		return "is kept off by the anti-affinity of pods already running"
	case "pod-affinity-unsatisfied":
		return "must run beside pods its affinity names, and " + cmp.Or(x.Detail, "there are none where it may run")
	case "topology-spread-skew":
		return "would break its spread constraint: " + cmp.Or(x.Detail, "no node is in a domain that may take one more")
	case "topology-spread-no-label":
		if recomputed {
			return fmt.Sprintf("must spread over %s, a label that %s %s", x.Object, near, plural(int32(1+strings.Count(near, ", ")), "lacks", "lack"))
		}
		return "must spread over " + cmp.Or(spreadKeys(pod), "a label") + ", a label that the nodes lack"
	case "rwop-in-use":
		if recomputed {
			return fmt.Sprintf("needs claim %s for itself, and %s uses it", x.Object, holders(pl))
		}
		return "needs a ReadWriteOncePod claim that another pod uses"
	case "volume-node-affinity-conflict", "volume-zone-conflict":
		if recomputed {
			return "can only run where its data is, and no such node takes it: " + x.Detail
		}
		return "can only run where its volume is, and no such node takes it"
	case "max-volume-count":
		return "finds no node that may attach another volume" + prefixed(": ", x.Detail)
	case "prefilter-node-subset":
		return fmt.Sprintf("was limited to nodes of which none is left: %s", pl.reason.Text)
	case "node-name-mismatch":
		return "asks for one node by name, and it is not there"
	case "preemption-pending":
		return "waits for lower-priority pods to leave " + pl.pods[0].Obj.Status.NominatedNodeName
	}
	if t, ok := plainSentences[pl.code]; ok {
		return strings.ReplaceAll(t, "%s", pl.reason.Text)
	}
	return "is refused by a scheduler plugin or extender outside Kubernetes, which says: " + pl.reason.Text
}

var plainSentences = map[string]string{
	"dra-unallocatable":            "needs devices by resource claim, and no node has them free: %s",
	"dra-claim-or-class-missing":   "has a resource claim that cannot be met: %s",
	"dra-binding-timeout":          "got devices that were never made ready: %s",
	"gang-waiting":                 "waits for the rest of its group: %s",
	"node-declared-features":       "needs node features that no node offers: %s",
	"csi-driver-not-on-node-sched": "needs a storage driver that the nodes do not run: %s",
	"storage-capacity":             "needs more storage than any node's storage pool has free",
	"disk-conflict":                "needs a disk that another pod already has",
	"pv-no-match":                  "has a claim for which no volume can be found on any node",
	"unbound-immediate-pvc":        "has a claim that is not bound to a volume yet",
	"pvc-not-found":                "mounts a claim that does not exist: %s",
	"pvc-lost-or-deleting":         "mounts a claim whose volume is gone or going: %s",
}

func prefixed(prefix, s string) string {
	if s == "" {
		return ""
	}
	return prefix + s
}

// roomSentence names the request and the largest fit.
func roomSentence(pl placement) string {
	x := pl.failure
	if pl.code == "too-many-pods" {
		if x.Total > 0 {
			return fmt.Sprintf("finds every node it may use full: %s %s", pl.near[0].Node.Name, x.Detail)
		}
		return "finds every node it may use at its limit of pods"
	}
	if len(pl.near) == 0 {
		have := "more than any node has free"
		if pl.never {
			have = "and no node offers as many in all"
		}
		return fmt.Sprintf("needs %s, %s", requestText(pl.pods[0].Obj, pl.reason.Resource()), have)
	}
	need := fmt.Sprintf("needs %s %s", fit.Quantity(x.Resource, x.Need), resourceName(x.Resource))
	if x.Total == 0 {
		return need + "; no node it may use offers any"
	}
	best, ok := pl.ex.Largest(x.Resource)
	if !ok {
		best = fit.Room{Node: pl.near[0].Node, Free: x.Free}
	}
	return fmt.Sprintf("%s; the most free on any node it may use is %s on %s", need, fit.Quantity(x.Resource, best.Free), best.Node.Name)
}

// resourceName is a resource as people write it.
func resourceName(r corev1.ResourceName) string {
	if r == corev1.ResourceCPU {
		return "CPU"
	}
	return strings.ReplaceAll(string(r), "ephemeral-storage", "ephemeral storage")
}

func taintSentence(pl placement, near string) string {
	if near == "" {
		if t := pl.reason.TaintText(); t != "" {
			return "does not tolerate taint " + t
		}
		return "does not tolerate the taints of the nodes"
	}
	t := pl.failure.Taint
	verb := plural(int32(len(pl.near)), "is", "are")
	switch fit.ClassOf(t) {
	case fit.TaintHealth:
		return fmt.Sprintf("would fit on %s, which %s unwell (taint %s)", near, verb, t.Key)
	case fit.TaintStartup:
		return fmt.Sprintf("would fit on %s, which %s still starting (taint %s)", near, verb, t.Key)
	case fit.TaintRemoval:
		return fmt.Sprintf("would fit on %s, which %s being removed (taint %s)", near, verb, t.Key)
	case fit.TaintControlPlane:
		return fmt.Sprintf("finds only control-plane nodes: %s", near)
	}
	return fmt.Sprintf("does not tolerate taint %s of %s", fit.TaintString(t), near)
}

// affinitySentence names the labels wanted and the values the nodes have.
func affinitySentence(pl placement) string {
	pod := pl.pods[0].Obj
	if len(pl.near) == 0 || !wholeView(pl) {
		if s := selectorText(pod.Spec.NodeSelector); s != "" {
			return "selects nodes with " + s + ", and no node matches its selector and affinity"
		}
		return "has a node selector or affinity that no node matches"
	}
	for k, v := range pod.Spec.NodeSelector {
		values := map[string]bool{}
		found := false
		for _, n := range pl.ex.Nodes {
			if have, ok := n.Node.Labels[k]; ok {
				values[have] = true
				found = found || have == v
			}
		}
		if !found && len(pod.Spec.NodeSelector) == 1 {
			have := "no node has that label"
			if len(values) > 0 {
				have = "the nodes have " + shortList(values)
			}
			return fmt.Sprintf("selects nodes with %s=%s; %s", k, v, have)
		}
	}
	return fmt.Sprintf("matches no node; nearest is %s: %s", pl.near[0].Node.Name, pl.failure.Detail)
}

func shortList(set map[string]bool) string {
	var all []string
	for v := range set {
		all = append(all, v)
	}
	slices.Sort(all)
	if len(all) > 4 {
		return strings.Join(all[:4], ", ") + fmt.Sprintf(" and %d more", len(all)-4)
	}
	return strings.Join(all, ", ")
}

func selectorText(sel map[string]string) string {
	var out []string
	for k, v := range sel {
		out = append(out, k+"="+v)
	}
	slices.Sort(out)
	return strings.Join(out, ", ")
}

func holders(pl placement) string {
	set := map[string]bool{}
	for _, n := range pl.near {
		x, _ := n.Failed(pl.failure.Check)
		for _, h := range x.Holders {
			set[h.Namespace+"/"+h.Name] = true
		}
	}
	return shortList(set)
}

// requestText is what the pod asks for of one resource.
func requestText(pod *corev1.Pod, resource string) string {
	for _, q := range fit.Requests(pod) {
		if string(q.Resource) == resource {
			return fit.Quantity(q.Resource, q.Amount) + " " + resourceName(q.Resource)
		}
	}
	return cmp.Or(resourceName(corev1.ResourceName(resource)), "room")
}

// topologyName is a topology key as people say it.
func topologyName(key string) string {
	switch key {
	case corev1.LabelHostname:
		return "node"
	case corev1.LabelTopologyZone, corev1.LabelFailureDomainBetaZone:
		return "zone"
	}
	return key
}

// portHolders names who has the pod's host ports, as far as pods were seen.
func portHolders(f *facts.Facts, pod *corev1.Pod) string {
	var out []string
	for _, p := range f.Pods {
		if p.NodeName() == "" || p.Phase == facts.PhaseDone || p.Phase == facts.PhaseFailed || p.Obj == pod {
			continue
		}
		if port := fit.PortConflict(pod, p.Obj); port != "" {
			if len(out) == 3 {
				return strings.Join(out, ", ") + " and more"
			}
			out = append(out, fmt.Sprintf("%s/%s holds %s on %s", p.Obj.Namespace, p.Name(), port, p.NodeName()))
		}
	}
	return strings.Join(out, ", ")
}

func antiKeys(pod *corev1.Pod) string {
	set := map[string]bool{}
	if a := pod.Spec.Affinity; a != nil && a.PodAntiAffinity != nil {
		for _, t := range a.PodAntiAffinity.RequiredDuringSchedulingIgnoredDuringExecution {
			set[topologyName(t.TopologyKey)] = true
		}
	}
	return shortList(set)
}

func spreadKeys(pod *corev1.Pod) string {
	set := map[string]bool{}
	for _, c := range pod.Spec.TopologySpreadConstraints {
		if c.WhenUnsatisfiable == corev1.DoNotSchedule {
			set[c.TopologyKey] = true
		}
	}
	return shortList(set)
}

// newestWord is when the scheduler last spoke of the pod.
func newestWord(p *facts.Pod) (last time.Time) {
	last = p.Scheduling.Condition.LastTransition
	for _, e := range schedulerEvents(p) {
		if e.Last.After(last) {
			last = e.Last
		}
	}
	return last
}

// placementVars fills what the playbooks' commands need.
func placementVars(vars map[string]string, p *facts.Pod, pl placement) {
	x := pl.failure
	if x.Resource != "" {
		vars["resource"], vars["need"], vars["free"] = string(x.Resource), fit.Quantity(x.Resource, x.Need), fit.Quantity(x.Resource, x.Free)
	} else if r := pl.reason.Resource(); r != "" {
		vars["resource"] = r
		for _, q := range fit.Requests(p.Obj) {
			if string(q.Resource) == r {
				vars["need"] = fit.Quantity(q.Resource, q.Amount)
			}
		}
	}
	set(vars, "topology", x.Object)
	if len(x.Holders) > 0 {
		vars["holder"], vars["holdernamespace"] = x.Holders[0].Name, x.Holders[0].Namespace
	}
	if pl.ex == nil {
		return
	}
	if n := nearestNodes(pl); len(n) > 0 {
		vars["node"] = n[0].Name
	}
	for _, r := range pl.ex.Remedies {
		if len(r.Steps) == 1 {
			stepVars(vars, p.Obj, r.Node, r.Steps[0])
		}
	}
	if k := pl.ex.Repack; k != nil {
		vars["node"], vars["movepod"], vars["movenamespace"] = k.Node.Name, k.Pods[0].Name, k.Pods[0].Namespace
	}
}

// stepVars turns a tried-out step into the words of a command.
func stepVars(vars map[string]string, pod *corev1.Pod, node string, s fit.RemedyStep) {
	switch s.Action {
	case fit.Shrink:
		if c, old, less, ok := containerRequest(pod, s); ok && vars["request"] == "" {
			vars["container"], vars["oldrequest"], vars["request"] = c, old, less
		}
	case fit.Uncordon:
		set(vars, "cordoned", node)
	case fit.Tolerate:
		set(vars, "taint", fit.TaintString(s.Taint))
		set(vars, "tainted", node)
		before := pod.Spec.Tolerations
		vars["tolerationsbefore"] = tolerationsJSON(before)
		vars["tolerations"] = tolerationsJSON(append(slices.Clone(before), corev1.Toleration{Key: s.Taint.Key, Operator: corev1.TolerationOpEqual, Value: s.Taint.Value, Effect: s.Taint.Effect}))
	case fit.Label:
		set(vars, "labelkey", s.Key)
		set(vars, "labelvalue", s.Value)
		set(vars, "labelnode", node)
	}
}

// set keeps the first value, which is of the smallest change.
func set(vars map[string]string, k, v string) {
	if v != "" && vars[k] == "" {
		vars[k] = v
	}
}

// tolerationsJSON leaves out what admission adds to every pod.
func tolerationsJSON(list []corev1.Toleration) string {
	own := slices.DeleteFunc(slices.Clone(list), func(t corev1.Toleration) bool {
		return t.TolerationSeconds != nil && (t.Key == corev1.TaintNodeNotReady || t.Key == corev1.TaintNodeUnreachable)
	})
	b, err := json.Marshal(own)
	if err != nil || len(own) == 0 {
		return "[]"
	}
	return string(b)
}

// containerRequest puts the whole cut on the container that asks for most.
func containerRequest(pod *corev1.Pod, s fit.RemedyStep) (name, old, less string, ok bool) {
	var best *corev1.Container
	most, sum := int64(0), int64(0)
	for i := range pod.Spec.Containers {
		q := pod.Spec.Containers[i].Resources.Requests[s.Resource]
		n := q.Value()
		if s.Resource == corev1.ResourceCPU {
			n = q.MilliValue()
		}
		if sum += n; n > most {
			best, most = &pod.Spec.Containers[i], n
		}
	}
	left := most - (sum - s.Amount)
	if best == nil || left <= 0 || left >= most {
		return "", "", "", false
	}
	q := best.Resources.Requests[s.Resource]
	return best.Name, q.String(), fit.Exact(s.Resource, left), true
}
