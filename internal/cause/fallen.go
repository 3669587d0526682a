package cause

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/unjam-dev/unjam/internal/facts"
	"github.com/unjam-dev/unjam/internal/pattern"
)

// The kubelet's eviction texts (pkg/kubelet/eviction/helpers.go).
var (
	lowOn        = pattern.New(`The node was low on resource: ([a-z-]+)`)
	hadCondition = pattern.New(`The node had condition: \[([A-Za-z, ]+)\]`)
	ownStorage   = pattern.New(`exceeded its local ephemeral storage limit "([^"]*)"|exceeds the total limit of containers ([^ ]+)\.|Usage of EmptyDir volume "([^"]*)" exceeds the limit`)
	evictUse     = pattern.New(`Container (\S+) was using ([^,]+), request is ([^,]+), has larger`)
	nodeGoing    = pattern.New(`node is shutting down|imminent node shutdown`)
)

// fallenSightings reads pods that the kubelet rejected, evicted or ended, or that
// the control plane deleted, while the workload lacks pods.
func fallenSightings(f *facts.Facts, w *facts.Workload) []sighting {
	return rememberedAs("fallen", readFallen)(f, w)
}

func readFallen(f *facts.Facts, w *facts.Workload) []sighting {
	var out []sighting
	for _, p := range fallenPods(f, w) {
		st := p.Obj.Status
		s := sighting{pod: p, same: p.NodeName(), confidence: Certain, since: endOf(p), last: endOf(p), key: "node " + p.NodeName(), vars: map[string]string{"reason": st.Reason},
			evidence: []Evidence{{Text: "the kubelet's word on the pod", Receipt: p.Receipt("status.message", quote(st.Reason+": "+st.Message), endOf(p))}}}
		if w.Kind == "Pod" {
			s.class = Terminal // nothing makes a bare pod again
		}
		s.readFallen(st.Reason, clipMiddle(st.Message))
		if s.code != "" {
			out = append(out, s)
		}
	}
	repeated := 0
	for _, s := range out {
		if s.same == ownLimit {
			repeated++
		}
	}
	for i := range out {
		if out[i].same == ownLimit && repeated >= 2 {
			out[i].class = Terminal // the next pod will end alike
		}
	}
	return append(out, disruptedSightings(f, w)...)
}

// ownLimit marks evictions for the pod's own limit rather than the node's need.
const ownLimit = "own limit"

func (s *sighting) readFallen(reason, message string) {
	pod, node := s.pod.Name(), s.pod.NodeName()
	switch {
	case reason == "NodeShutdown" || reason == "Shutdown" || nodeGoing.MatchString(message):
		s.code = "node-shutting-down"
		s.summary = fmt.Sprintf("node %s is shutting down and does not take or keep %s", node, pod)
	case reason == "Preempting":
		s.code = "kubelet-critical-preempt"
		s.summary = fmt.Sprintf("the kubelet of %s ended %s to make room for a critical pod", node, pod)
	case reason == "SysctlForbidden" || reason == "AppArmor" || reason == "PodOSNotSupported" || reason == "PodFeatureUnsupported" || reason == "PodOSSelectorNodeLabelDoesNotMatch":
		s.code, s.same, s.key = "sysctl-apparmor-os", reason, ""
		s.summary = fmt.Sprintf("node %s rejects %s (%s): %s", node, pod, reason, quote(strings.TrimPrefix(message, "Pod was rejected: ")))
	case reason != "Evicted":
	case hadCondition.MatchString(message):
		cond := strings.TrimSpace(hadCondition.FindStringSubmatch(message)[1])
		s.code = "evicted-at-admission"
		s.vars["condition"] = cond
		s.summary = fmt.Sprintf("node %s turns new pods away because of %s, and %s was sent there", node, cond, pod)
		s.underPressure(cond)
	case ownStorage.MatchString(message):
		s.code, s.same, s.key = "evicted-storage", ownLimit, ""
		s.summary = fmt.Sprintf("%s was evicted because it wrote more than its own limit allows: %s", pod, quote(message))
	case lowOn.MatchString(message):
		res := lowOn.FindStringSubmatch(message)[1]
		s.vars["resource"] = res
		use := ""
		if m := evictUse.FindStringSubmatch(message); m != nil {
			use = fmt.Sprintf("; container %s used %s and had asked for %s", m[1], m[2], m[3])
		}
		switch res {
		case "memory":
			s.code = "evicted-memory"
			s.underPressure("MemoryPressure")
		case "pids":
			s.code = "pid-pressure"
			s.summary = fmt.Sprintf("node %s is out of process ids and evicted %s", node, pod)
			return
		default:
			s.code = "evicted-storage"
			s.underPressure("DiskPressure")
		}
		s.summary = fmt.Sprintf("node %s was low on %s and evicted %s%s", node, res, pod, use)
	}
}

// underPressure turns the sighting into the node's pressure while that lasts:
// then the eviction is its effect.
func (s *sighting) underPressure(condition string) {
	if s.pod.Node == nil {
		return
	}
	for typ, code := range map[corev1.NodeConditionType]string{corev1.NodeDiskPressure: "disk-pressure", corev1.NodeMemoryPressure: "memory-pressure", corev1.NodePIDPressure: "pid-pressure"} {
		if !strings.Contains(condition, string(typ)) {
			continue
		}
		if c := nodeCondition(s.pod.Node, typ); c.Status == corev1.ConditionTrue {
			s.evidence = append(s.evidence, Evidence{Text: "the pressure stands now", Receipt: facts.Receipt{Kind: "Node", Name: s.pod.NodeName(),
				Field: "status.conditions[" + string(typ) + "]", Time: c.LastTransitionTime.Time, Text: quote(c.Reason + ": " + c.Message)}})
			s.vars["pressure"] = code
		}
	}
}

// pressureSightings reads nodes under pressure that turned pods of the workload
// away or evicted them, while the pressure lasts.
func pressureSightings(f *facts.Facts, w *facts.Workload) []sighting {
	var out []sighting
	for _, s := range fallenSightings(f, w) {
		code := s.vars["pressure"]
		if code == "" || s.pod.Node == nil {
			continue
		}
		typ := map[string]corev1.NodeConditionType{"disk-pressure": corev1.NodeDiskPressure, "memory-pressure": corev1.NodeMemoryPressure, "pid-pressure": corev1.NodePIDPressure}[code]
		what := map[string]string{"disk-pressure": "low on disk space or inodes", "memory-pressure": "low on memory", "pid-pressure": "out of process ids"}[code]
		c := nodeCondition(s.pod.Node, typ)
		n := sighting{code: code, same: s.pod.NodeName(), pod: s.pod, confidence: Certain, since: c.LastTransitionTime.Time, last: f.Now, key: s.key,
			summary:  fmt.Sprintf("node %s is %s (%s) and evicts or turns away pods", s.pod.NodeName(), what, typ),
			explains: []string{"evicted-at-admission", "evicted-memory", "evicted-storage"}, vars: map[string]string{"condition": string(typ)}}
		n.evidence = append(n.evidence, s.evidence[len(s.evidence)-1], s.evidence[0])
		out = append(out, n)
	}
	return out
}

// disruptedSightings reads pods that the control plane has deleted or is
// deleting for a reason of its own.
func disruptedSightings(f *facts.Facts, w *facts.Workload) []sighting {
	var out []sighting
	for _, p := range w.Pods {
		if p.Phase != facts.PhaseTerminate && p.Phase != facts.PhaseFailed || f.Now.Sub(lastSign(p)) > recent {
			continue
		}
		c := p.Condition("DisruptionTarget")
		s := sighting{pod: p, same: p.NodeName(), confidence: Certain, since: c.LastTransition, last: lastSign(p), key: "node " + p.NodeName(),
			evidence: []Evidence{{Text: "why the pod goes", Receipt: p.Receipt("status.conditions[DisruptionTarget]", quote(c.Reason+": "+c.Message), c.LastTransition)}}}
		vpa := newestEvent(p, func(e *facts.Event) bool { return e.Reason == "EvictedByVPA" })
		taint := newestEvent(p, func(e *facts.Event) bool {
			return e.Reason == "TaintManagerEviction" && strings.HasPrefix(e.Message, "Marking for deletion")
		})
		switch {
		case vpa != nil:
			s.code, s.same, s.key, s.since, s.last = "vpa-eviction", "", "", vpa.First, vpa.Last
			s.summary = fmt.Sprintf("the vertical pod autoscaler evicted %s to apply new requests during the rollout", p.Name())
			s.evidence = []Evidence{eventProof("the eviction", vpa)}
		case c.Reason == "DeletionByPodGC":
			s.code = "podgc-node-gone"
			s.summary = fmt.Sprintf("node %s no longer exists, so its pod %s was cleared away", p.NodeName(), p.Name())
		case c.Reason == "DeletionByTaintManager" || taint != nil:
			s.code = "taint-eviction"
			s.summary = fmt.Sprintf("node %s got a NoExecute taint%s, and %s was removed from it", p.NodeName(), taintOf(p), p.Name())
			if taint != nil && c.Reason == "" {
				s.since, s.last, s.evidence = taint.First, taint.Last, []Evidence{eventProof("the removal", taint)}
			}
		case c.Reason == "EvictionByEvictionAPI" && drained(p):
			s.code = "upgrade-or-drain"
			s.summary = fmt.Sprintf("node %s is being drained%s, and %s had to leave it", p.NodeName(), drainedBy(p), p.Name())
		default:
			continue
		}
		out = append(out, s)
	}
	if len(out) > 0 && !short(w) {
		return nil
	}
	return out
}

// taintOf names the NoExecute taint of the pod's node.
func taintOf(p *facts.Pod) string {
	if p.Node == nil {
		return ""
	}
	for _, t := range p.Node.Spec.Taints {
		if t.Effect == corev1.TaintEffectNoExecute {
			return " (" + t.Key + ")"
		}
	}
	return ""
}

// drainTaints and drainMarks are how drains and replacements mark a node.
var (
	drainTaints = map[string]string{"ToBeDeletedByClusterAutoscaler": "the cluster autoscaler", "karpenter.sh/disrupted": "Karpenter", "karpenter.sh/disruption": "Karpenter"}
	drainMarks  = map[string]string{"weave.works/kured-reboot-in-progress": "kured", "kured.dev/reboot-in-progress": "kured", "machineconfiguration.openshift.io/desiredDrain": "the machine config operator"}
)

// drained reports whether the pod's node takes no new pods.
func drained(p *facts.Pod) bool {
	return p.Node != nil && (p.Node.Spec.Unschedulable || drainedBy(p) != "")
}

func drainedBy(p *facts.Pod) string {
	if p.Node == nil {
		return ""
	}
	for _, t := range p.Node.Spec.Taints {
		if by := drainTaints[t.Key]; by != "" {
			return " by " + by
		}
	}
	for mark, by := range drainMarks {
		if p.Node.Annotations[mark] != "" {
			return " by " + by
		}
	}
	return ""
}
