package cause

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/unjam-dev/unjam/internal/facts"
	"github.com/unjam-dev/unjam/internal/pattern"
)

// The texts of a sandbox that cannot be made: kubelet, containerd, CRI-O,
// docker, and the common network plugins.
var (
	cniText        = pattern.New(`failed to (?:setup|set up) network for sandbox|failed to create pod network sandbox|error adding pod \S+ to CNI network|networkPlugin cni failed|plugin type="|NetworkPlugin cni failed`)
	cniName        = pattern.New(`plugin type="([^"]{1,64})"|to CNI network "([^"]{1,64})"`)
	cniDetail      = pattern.New(`failed \(add\): (?s:(.+))$|to CNI network "[^"]*": (?s:(.+))$|for pod "[^"]*" network: (?s:(.+))$`)
	noAddress      = pattern.New(`(?i)no IP addresses available|failed to assign an IP address|no available IPs?\b|no more IPs|IP pool.* exhausted|(?:pool|range|subnet)\S* (?:is )?exhausted|all (?:the )?IPs? .*(?:in use|allocated)|no free IPs?|failed to allocate for range|insufficient (?:free )?(?:IP|address)|addresses? exhausted`)
	cniVersion     = pattern.New(`(?i)incompatible CNI versions?|unsupported CNI (?:result )?version|cni config version|failed to find plugin "([^"]{1,64})" in path|no valid networks found|plugin \S+ does not support config version|unknown CNI version`)
	cniUnready     = pattern.New(`cni plugin not initialized|cni config uninitialized|NetworkPluginNotReady|network is not ready`)
	noHandler      = pattern.New(`no runtime for "([^"]{0,128})" is configured|failed to lookup RuntimeClass ([^:\s]{1,253})|(?:RuntimeHandler|runtime handler) "?([^" ]{1,128})"? not (?:supported|found|configured)|failed to find runtime handler ([^ "]{1,128})`)
	pauseImage     = pattern.New(`failed to (?:get|pull) sandbox image|pulling sandbox image`)
	apiServerDial  = pattern.New(`(?:Get|Post|Patch|Put|Watch|List) "?\\?"?https://(?:kubernetes(?:\.default\S*)?|(?:10|172|192|100)\.[\d.]+)(?::443|:6443)?/(?:api|apis|version|healthz)[^ ]*: .*(?:dial tcp|i/o timeout|context deadline exceeded|connection refused|no route to host|TLS handshake timeout|x509)`)
	sandboxReasons = []string{"FailedCreatePodSandBox", "NetworkNotReady", "FailedPrepareDynamicResources", "SandboxChanged"}
	progressEvents = []string{"Pulling", "Pulled", "Created", "Started"}
)

// How long a new node may take to bring up its network plugin.
const cniGrace = 3 * time.Minute

// sandboxSightings reads pods without a sandbox.
func sandboxSightings(f *facts.Facts, w *facts.Workload) []sighting {
	return rememberedAs("sandbox", readSandbox)(f, w)
}

func readSandbox(f *facts.Facts, w *facts.Workload) []sighting {
	var out []sighting
	for _, p := range startingPods(w) {
		if p.Condition("PodReadyToStartContainers").Status == "True" {
			continue
		}
		e := newestEvent(p, func(e *facts.Event) bool {
			return slices.Contains(sandboxReasons, e.Reason) || slices.Contains(progressEvents, e.Reason)
		})
		// An event that shows progress ends the trouble before it.
		if e == nil || slices.Contains(progressEvents, e.Reason) {
			continue
		}
		if e.Reason == "SandboxChanged" {
			if older := newestEvent(p, func(e *facts.Event) bool { return e.Reason == "FailedCreatePodSandBox" }); older != nil {
				e = older
			}
		}
		s := sighting{pod: p, confidence: Certain, same: p.NodeName(), key: "node " + p.NodeName(), vars: map[string]string{}}
		s.since, s.last, s.attempts = spanOf(p, func(o *facts.Event) bool { return o.Reason == e.Reason })
		s.evidence = []Evidence{eventProof("the kubelet cannot make the pod's sandbox", e)}
		s.readSandbox(f, e)
		if s.code != "" {
			out = append(out, s)
		}
	}
	return out
}

func (s *sighting) readSandbox(f *facts.Facts, e *facts.Event) {
	node, text := s.pod.NodeName(), clipMiddle(e.Message)
	plugin := firstGroup(cniName, text)
	s.vars["plugin"] = plugin
	switch {
	case e.Reason == "NetworkNotReady" || cniUnready.MatchString(text):
		s.code = "cni-not-ready"
		s.summary = fmt.Sprintf("the network plugin of node %s is not ready", node)
		if n := s.pod.Node; n != nil && f.Now.Sub(n.CreationTimestamp.Time) < cniGrace {
			s.class = Waiting
			s.summary += ", and the node is only " + age(f.Now.Sub(n.CreationTimestamp.Time)) + " old"
		}
	case e.Reason == "FailedPrepareDynamicResources":
		s.code = "dra-prepare-failed"
		s.summary = fmt.Sprintf("node %s cannot prepare the devices that %s claims: %s", node, s.pod.Name(), quote(strings.TrimPrefix(text, "Failed to prepare dynamic resources: ")))
		s.repeatedOr(3)
	case noHandler.MatchString(text):
		s.code = "runtime-handler-missing"
		h := firstGroup(noHandler, text)
		if rc := s.pod.Obj.Spec.RuntimeClassName; rc != nil {
			s.vars["runtimeclass"] = *rc
		}
		s.vars["handler"] = h
		s.summary = fmt.Sprintf("node %s has no runtime handler %s, which the pod's RuntimeClass asks for", node, h)
	case pauseImage.MatchString(text):
		return // sandbox-image-pull-failed, in the node-storage family
	case cgroupsPath.MatchString(text):
		s.code = "kubelet-misconfigured"
		s.summary = fmt.Sprintf("the kubelet and the runtime of %s disagree on the cgroup driver", node)
	case initOOM.MatchString(text):
		s.code, s.same = "memory-limit-too-low", "sandbox"
		s.summary = fmt.Sprintf("the memory limit of %s is too low for the runtime to start its sandbox", s.pod.Name())
	case cniText.MatchString(text) && noAddress.MatchString(text):
		s.code = "cni-ip-exhausted"
		s.summary = fmt.Sprintf("the network plugin%s has no free pod address for node %s", named(plugin), node)
		s.lasting(5, 2*time.Minute)
	case cniVersion.MatchString(text):
		s.code = "cni-version-mismatch"
		if p := firstGroup(cniVersion, text); p != "" {
			s.vars["plugin"] = p
			s.summary = fmt.Sprintf("the network configuration of node %s names the plugin %s, which is not installed there", node, p)
		} else {
			s.summary = fmt.Sprintf("the network configuration of node %s and its plugins are of different versions", node)
		}
	case cniText.MatchString(text) && apiServerDial.MatchString(text):
		s.code = "apiserver-unreachable"
		s.summary = fmt.Sprintf("the network plugin%s of node %s cannot reach the API server", named(plugin), node)
		s.confidence = Likely
		s.rivals = []Rival{{Cause: "cni-setup-failed", SettledBy: "from the node, ask the API server's service address: curl -k https://10.96.0.1/version (use the cluster's own address)"}}
	case cniText.MatchString(text):
		s.code = "cni-setup-failed"
		detail := firstGroup(cniDetail, text)
		if detail == "" {
			detail = text
		}
		s.summary = fmt.Sprintf("the network plugin%s of node %s cannot set up the pod's network: %s", named(plugin), node, quote(detail))
		s.lasting(3, 0)
	case diskFull.MatchString(text):
		return // the node's disk, in the node-storage family
	default:
		s.code = "sandbox-failed-runtime"
		s.summary = fmt.Sprintf("the runtime of node %s cannot make the pod's sandbox: %s", node, quote(tail(text)))
		if e.Reason == "SandboxChanged" {
			s.summary = fmt.Sprintf("the sandbox of %s on node %s keeps dying", s.pod.Name(), node)
		}
		s.repeatedOr(3)
	}
}

// repeatedOr makes the sighting firm only from the n-th failure on.
func (s *sighting) repeatedOr(n int) {
	if s.attempts < n {
		s.confidence = Likely
	}
}

// lasting makes the sighting firm only from the n-th failure on that spans d.
func (s *sighting) lasting(n int, d time.Duration) {
	if s.attempts < n || s.last.Sub(s.since) < d {
		s.confidence = Likely
	}
}

func named(plugin string) string {
	if plugin == "" {
		return ""
	}
	return " " + plugin
}

// age words a duration: 42s, 3m, 2h.
func age(d time.Duration) string {
	switch {
	case d < 2*time.Minute:
		return d.Round(time.Second).String()
	case d < 2*time.Hour:
		return fmt.Sprintf("%dm", int(d.Minutes()))
	}
	return fmt.Sprintf("%dh", int(d.Hours()))
}

// hookSightings reads containers whose device plugin hook fails.
func hookSightings(f *facts.Facts, w *facts.Workload) []sighting {
	var out []sighting
	for _, p := range startingPods(w) {
		for _, c := range p.Containers {
			if c.Waiting == nil || c.Waiting.Reason != "PreStartHookError" && c.Waiting.Reason != "PreCreateHookError" {
				continue
			}
			text, proof := failedText(c)
			s := sighting{code: "prestart-device-hook", same: c.Name + "/" + p.NodeName(), pod: p, c: c, confidence: Certain, evidence: []Evidence{proof},
				summary: fmt.Sprintf("a device plugin of node %s refuses %s: %s", p.NodeName(), whoIs(c), quote(text)), key: "node " + p.NodeName()}
			s.since, s.last, s.attempts = spanOf(p, func(e *facts.Event) bool {
				return e.Reason == "Failed" && (e.Container == c.Name || e.Container == "")
			})
			s.repeatedOr(2)
			out = append(out, s)
		}
	}
	return out
}
