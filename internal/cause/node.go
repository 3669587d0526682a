package cause

import (
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/unjam-dev/unjam/internal/facts"
	"github.com/unjam-dev/unjam/internal/pattern"
)

// nodeTrouble is something wrong with a node, and which of its pods suffer.
type nodeTrouble struct {
	code       string
	summary    string
	proof      Evidence
	confidence Confidence
	class      Class
	since      time.Time
	explains   []string
	vars       map[string]string
	// hits tells whether a waiting pod on the node shows this trouble. Sharing a
	// node with trouble is not enough: with few nodes everything shares one.
	hits func(p *facts.Pod) bool
}

// nodeSightings reads the nodes of the pods that wait.
func nodeSightings(f *facts.Facts, w *facts.Workload) []sighting {
	return rememberedAs("node", readNodes)(f, w)
}

func readNodes(f *facts.Facts, w *facts.Workload) []sighting {
	var out []sighting
	troubles := map[string][]nodeTrouble{}
	for _, p := range waitingPods(w) {
		if p.Node == nil {
			continue
		}
		list, seen := troubles[p.NodeName()]
		if !seen {
			list = troublesOf(f, p.Node)
			troubles[p.NodeName()] = list
		}
		for _, t := range list {
			if t.hits(p) {
				out = append(out, t.sighting(f, p))
			}
		}
	}
	return out
}

func (t nodeTrouble) sighting(f *facts.Facts, p *facts.Pod) sighting {
	return sighting{code: t.code, same: p.NodeName(), pod: p, summary: t.summary, confidence: t.confidence, class: t.class, evidence: []Evidence{t.proof},
		explains: t.explains, since: t.since, last: f.Now, vars: t.vars, key: "node " + p.NodeName()}
}

var (
	cniNotReady     = pattern.New(`container runtime network not ready|NetworkPluginNotReady|cni plugin not initialized|cni config uninitialized`)
	runtimeNotReady = pattern.New(`container runtime is down|PLEG is not healthy|runtime status check|missing node capacity|container runtime status|CSINode`)
)

// Effects of a node that cannot start or reach its pods.
var (
	startEffects = []string{"untolerated-taint", "sandbox-failed-runtime", "create-container-error", "cni-not-ready", "cni-setup-failed", "container-status-unknown", "nodelost-ready-false", "mount-failed", "volume-wait-silent", "configmap-cache-sync"}
	lostEffects  = []string{"untolerated-taint", "nodelost-ready-false", "node-lost-terminating", "taint-eviction", "container-status-unknown", "not-pulling-yet"}
)

func anyPod(*facts.Pod) bool { return true }

// notStarted is a pod that is bound and of which no container has run.
func notStarted(p *facts.Pod) bool {
	return !slices.ContainsFunc(p.Containers, func(c *facts.Container) bool { return c.Running != nil || len(c.Deaths) > 0 })
}

// troublesOf reads a node's conditions, taints and recent events.
func troublesOf(f *facts.Facts, n *corev1.Node) []nodeTrouble {
	var out []nodeTrouble
	for _, c := range n.Status.Conditions {
		if t, ok := conditionTrouble(f, n, c); ok {
			t.proof = Evidence{Text: "the node's condition", Receipt: facts.Receipt{Kind: "Node", Name: n.Name, Field: "status.conditions[" + string(c.Type) + "]",
				Time: c.LastTransitionTime.Time, Text: quote(string(c.Status) + " " + c.Reason + ": " + c.Message)}}
			t.since = c.LastTransitionTime.Time
			out = append(out, t)
		}
	}
	for _, taint := range n.Spec.Taints {
		if taint.Key == "node.cloudprovider.kubernetes.io/uninitialized" {
			out = append(out, nodeTrouble{code: "node-cloud-uninitialized", confidence: Likely, hits: notStarted, since: n.CreationTimestamp.Time,
				summary: fmt.Sprintf("node %s has not been initialised by the cloud controller manager for %s", n.Name, age(f.Now.Sub(n.CreationTimestamp.Time))),
				proof:   Evidence{Text: "the taint it still has", Receipt: facts.Receipt{Kind: "Node", Name: n.Name, Field: "spec.taints", Text: taint.ToString(), Time: n.CreationTimestamp.Time}}})
		}
	}
	if t, ok := certificateTrouble(f, n); ok {
		out = append(out, t)
	}
	return append(out, eventTroubles(f, n)...)
}

func conditionTrouble(f *facts.Facts, n *corev1.Node, c corev1.NodeCondition) (nodeTrouble, bool) {
	t := nodeTrouble{confidence: Certain, hits: anyPod}
	on := c.Status == corev1.ConditionTrue
	young := f.Now.Sub(n.CreationTimestamp.Time) < cniGrace
	switch c.Type {
	case corev1.NodeReady:
		switch {
		case c.Status == corev1.ConditionUnknown:
			t.code, t.explains = "node-notready-unknown", lostEffects
			t.summary = fmt.Sprintf("node %s has not reported for %s: its kubelet is stopped or cannot reach the API server", n.Name, age(f.Now.Sub(laterTime(c.LastHeartbeatTime.Time, n.CreationTimestamp.Time))))
		case on:
			return t, false
		case cniNotReady.MatchString(c.Message):
			t.code, t.explains = "node-notready-cni", startEffects
			t.summary = fmt.Sprintf("node %s is NotReady because its network plugin is not ready", n.Name)
			if young {
				t.class = Waiting
				t.summary += ", and it is only " + age(f.Now.Sub(n.CreationTimestamp.Time)) + " old"
			}
		default:
			t.code, t.explains = "node-notready-runtime", startEffects
			t.summary = fmt.Sprintf("node %s is NotReady: %s", n.Name, quote(c.Message))
			if !runtimeNotReady.MatchString(c.Message) {
				t.confidence = Likely
			}
		}
	case corev1.NodeNetworkUnavailable:
		t.code, t.explains, t.hits, t.confidence = "node-network-unavailable", []string{"cni-setup-failed", "readiness-timeout"}, notStarted, Likely
		t.summary = fmt.Sprintf("no route to the pods of node %s has been set up", n.Name)
	case corev1.NodePIDPressure:
		t.code, t.hits, t.confidence = "pid-pressure", forkFails, Likely
		t.explains = []string{"crashloop-app-error", "init-container-failing", "start-error-mount-or-cgroup"}
		t.summary = fmt.Sprintf("node %s is out of process ids, and processes of the pod cannot be started", n.Name)
	case "KernelDeadlock":
		t.code, t.hits, t.confidence, t.explains = "npd-kernel-deadlock", slowOrNotStarted, Likely, append(slices.Clone(startEffects), "readiness-timeout")
		t.summary = fmt.Sprintf("the kernel of node %s hangs: %s", n.Name, quote(c.Message))
	case "ReadonlyFilesystem":
		t.code, t.hits, t.confidence, t.explains = "npd-readonly-fs", notStarted, Likely, startEffects
		t.summary = fmt.Sprintf("a filesystem of node %s has become read-only", n.Name)
	case "FrequentKubeletRestart", "FrequentContainerdRestart", "FrequentDockerRestart", "KubeletUnhealthy", "ContainerRuntimeUnhealthy", "FrequentUnregisterNetDevice":
		t.code, t.hits, t.confidence, t.explains = "npd-frequent-restart", notStarted, Likely, startEffects
		t.summary = fmt.Sprintf("node %s reports %s: %s", n.Name, c.Type, quote(c.Message))
	default:
		return t, false
	}
	return t, on || c.Type == corev1.NodeReady
}

func laterTime(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

var forkText = pattern.New(`(?i)resource temporarily unavailable|fork rejected|cannot fork|can't fork|unable to create (?:new )?(?:native )?thread|pthread_create failed|newosproc`)

// forkFails is a pod that says it cannot start processes or threads.
func forkFails(p *facts.Pod) bool {
	for _, c := range p.Containers {
		if _, m := findLine(c, forkText); m != nil {
			return true
		}
		if d := c.LastDeath(); d != nil && forkText.MatchString(d.Message) {
			return true
		}
	}
	return false
}

// slowOrNotStarted is a pod that never started or whose probes time out.
func slowOrNotStarted(p *facts.Pod) bool {
	return notStarted(p) || probesTimeOut(p)
}

func probesTimeOut(p *facts.Pod) bool {
	e := newestEvent(p, func(e *facts.Event) bool { return e.Reason == "Unhealthy" })
	return e != nil && timeoutText.MatchString(e.Message)
}

// eventTroubles reads the node's events of the last ten minutes.
func eventTroubles(f *facts.Facts, n *corev1.Node) []nodeTrouble {
	var out []nodeTrouble
	for _, e := range f.EventsOf("Node", "", n.Name, "") {
		if f.Now.Sub(e.Last) > recent {
			continue
		}
		t := nodeTrouble{confidence: Likely, since: e.First, proof: eventProof("the node's event", e)}
		switch e.Reason {
		case "Rebooted":
			t.code, t.confidence, t.hits = "node-rebooted", Certain, endedBy(e)
			t.explains = []string{"container-status-unknown", "exit-137-not-oom", "exit-143-sigterm", "sandbox-failed-runtime", "nodelost-ready-false"}
			t.summary = fmt.Sprintf("node %s was rebooted %s ago, which ended the pod's containers", n.Name, age(f.Now.Sub(e.Last)))
		case "SystemOOM":
			t.code, t.hits = "node-system-oom", killedNear(e)
			t.explains = []string{"exit-137-not-oom"}
			t.summary = fmt.Sprintf("node %s ran out of memory as a whole, and the kernel killed processes on it (%s)", n.Name, quote(strings.TrimPrefix(e.Message, "System OOM encountered, ")))
		case "IOError", "Ext4Error", "MemoryReadError", "EXT4Error":
			if e.Count < 2 {
				continue
			}
			t.code, t.hits, t.explains = "node-io-error", slowOrNotStarted, append(slices.Clone(startEffects), "readiness-timeout")
			t.summary = fmt.Sprintf("a disk or memory of node %s fails: %s", n.Name, quote(e.Message))
		case "ConntrackFull", "DNSUnreachable":
			t.code, t.hits, t.explains = "node-conntrack-dns", probesTimeOutOrRefused, []string{"readiness-timeout", "dependency-unavailable"}
			t.summary = fmt.Sprintf("node %s loses connections (%s): %s", n.Name, e.Reason, quote(e.Message))
		case "TaskHung":
			t.code, t.hits, t.explains = "npd-kernel-deadlock", slowOrNotStarted, append(slices.Clone(startEffects), "readiness-timeout")
			t.summary = fmt.Sprintf("a kernel task of node %s hangs: %s", n.Name, quote(e.Message))
		default:
			continue
		}
		out = append(out, t)
	}
	return out
}

// endedBy accepts pods of which a container ended without a known status, or
// was ended, about the time of the event.
func endedBy(e *facts.Event) func(*facts.Pod) bool {
	return func(p *facts.Pod) bool {
		for _, c := range p.Containers {
			d := c.LastDeath()
			if d == nil || d.ExitCode != 255 && d.Reason != "ContainerStatusUnknown" && d.ExitCode != 137 && d.ExitCode != 143 {
				continue
			}
			if d.Finished.Unix() <= 0 || !d.Finished.After(e.Last.Add(2*time.Minute)) && e.Last.Sub(d.Finished) < recent {
				return true
			}
		}
		return false
	}
}

// killedNear accepts pods of which a container was killed within half a minute
// of the event, unless its own limit explains the kill.
func killedNear(e *facts.Event) func(*facts.Pod) bool {
	return func(p *facts.Pod) bool {
		for _, c := range p.Containers {
			d := c.LastDeath()
			if d == nil || d.ExitCode != 137 {
				continue
			}
			if _, kind := killOf(c, d); kind != "" {
				continue
			}
			if !e.First.After(d.Finished.Add(30*time.Second)) && !e.Last.Before(d.Finished.Add(-30*time.Second)) {
				return true
			}
		}
		return false
	}
}

func probesTimeOutOrRefused(p *facts.Pod) bool {
	if probesTimeOut(p) {
		return true
	}
	return slices.ContainsFunc(p.Containers, func(c *facts.Container) bool {
		_, m := findLine(c, refusedLine)
		return m != nil
	})
}

// lostReadySightings reads pods that the control plane marked not Ready although
// their containers were.
func lostReadySightings(f *facts.Facts, w *facts.Workload) []sighting {
	var out []sighting
	for _, p := range waitingPods(w) {
		ready := p.Condition(corev1.PodReady)
		if p.NodeName() == "" || ready.Status != "False" || ready.Reason == "ReadinessGatesNotReady" || ready.Reason == "ContainersNotReady" || p.Condition(corev1.ContainersReady).Status != "True" {
			continue
		}
		e := newestEvent(p, func(e *facts.Event) bool { return e.Reason == "NodeNotReady" })
		bad := p.Node != nil && nodeCondition(p.Node, corev1.NodeReady).Status != corev1.ConditionTrue
		if e == nil && !bad {
			continue
		}
		s := sighting{code: "nodelost-ready-false", same: p.NodeName(), pod: p, confidence: Certain, since: ready.LastTransition, last: f.Now, key: "node " + p.NodeName(),
			summary:  fmt.Sprintf("the containers of %s were Ready, but node %s is not, so the pod counts as not Ready", p.Name(), p.NodeName()),
			evidence: []Evidence{{Text: "marked by the node controller", Receipt: p.Receipt("status.conditions[Ready]", or(ready.Reason, "False"), ready.LastTransition)}}}
		if e != nil {
			s.evidence = append(s.evidence, eventProof("the node controller's event", e))
		}
		if p.Node == nil {
			// Why the node is not Ready stands on the node, which was not read.
			s.confidence = Likely
			for _, code := range []string{"node-notready-unknown", "node-notready-runtime", "node-notready-cni"} {
				s.rivals = append(s.rivals, Rival{Cause: code, SettledBy: "kubectl describe node " + p.NodeName()})
			}
		}
		out = append(out, s)
	}
	return out
}
