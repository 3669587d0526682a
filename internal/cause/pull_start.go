package cause

import (
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/unjam-dev/unjam/internal/facts"
	"github.com/unjam-dev/unjam/internal/pullerror"
)

// nodeCause is pullCause for causes that also show after a good pull, when the
// container is made from an image the store cannot give.
func nodeCause(code string, kinds ...pullerror.Kind) func(*facts.Facts, *facts.Workload) []Finding {
	pulls := pullCause(code, kinds...)
	return func(f *facts.Facts, w *facts.Workload) []Finding {
		out := pulls(f, w)
		for _, t := range startTroubles(w, kinds) {
			t.locate(f)
			for _, fd := range judgePull(f, w, &t) {
				if fd.Cause == code {
					fd.Evidence[0].Text = "the container cannot be made from the image"
					fd.Explains = append(fd.Explains, "create-container-error")
					out = mergeFinding(out, fd)
				}
			}
		}
		return out
	}
}

// startTroubles reads CreateContainerError messages that are about the image's
// content, the store or an image volume.
func startTroubles(w *facts.Workload, kinds []pullerror.Kind) []trouble {
	var out []trouble
	for _, p := range w.Pods {
		if !awaited(p) {
			continue
		}
		for _, c := range p.Containers {
			if c.Waiting == nil || c.Waiting.Message == "" || c.Waiting.Reason != "CreateContainerError" && c.Waiting.Reason != "RunContainerError" {
				continue
			}
			err := pullerror.Parse(c.Waiting.Message, c.Image)
			if !slices.Contains(kinds, err.Kind) {
				continue
			}
			t := trouble{err: err, text: c.Image, at: []*facts.Container{c}, first: firstSeen(c),
				receipt: p.Receipt(c.StatusPath()+".state.waiting", c.Waiting.Reason+": "+c.Waiting.Message, p.Condition(corev1.PodReady).LastTransition)}
			t.nodes = insert(nil, p.NodeName())
			out = append(out, t)
		}
	}
	return out
}

// firstSeen is the first Failed event of the container, else the pod's start.
func firstSeen(c *facts.Container) (zero time.Time) {
	for _, e := range c.Events {
		if e.Reason == "Failed" {
			return e.First
		}
	}
	if s := c.Pod.Obj.Status.StartTime; s != nil {
		return s.Time
	}
	return zero
}

// sandboxImage finds pods that have no sandbox because the node lacks the pause
// image. code chooses between never there and removed.
func sandboxImage(code string) func(*facts.Facts, *facts.Workload) []Finding {
	return func(f *facts.Facts, w *facts.Workload) []Finding {
		var out []Finding
		for _, p := range w.Pods {
			if !awaited(p) || p.NodeName() == "" || len(p.Containers) == 0 {
				continue
			}
			e := newestSandboxFailure(p)
			if e == nil {
				continue
			}
			err := pullerror.Parse(e.Message, "")
			if !err.Sandbox && err.Kind != pullerror.SandboxImage && !pauseText(e.Message) {
				continue
			}
			node := p.NodeName()
			t := trouble{err: err, receipt: e.Receipt(), text: p.Containers[0].Image, at: []*facts.Container{p.Containers[0]}, nodes: []string{node}, first: e.First, last: e.Last, attempts: int(e.Count)}
			t.image = facts.Image{}
			got, fd := "sandbox-image-pull-failed", Finding{}
			if old := earlierPod(f, p, e); old != nil {
				got = "sandbox-image-gced"
				fd = t.finding(w, got, Likely, fmt.Sprintf("node %s ran pods before and no longer has the pause image, which it cannot pull again", node),
					rival("sandbox-image-pull-failed", "crictl images on the node: was the pause image set to another one lately?"))
				fd.Evidence = append(fd.Evidence, Evidence{"this pod got its sandbox on the node earlier", old.Receipt("spec.nodeName", node, old.Obj.CreationTimestamp.Time)})
			} else {
				fd = t.finding(w, got, Certain, fmt.Sprintf("node %s cannot get its own pause image, so no pod can start there: %s", node, clip(err.Text)))
			}
			fd.Key, fd.Containers = "node "+node, nil
			fd.Evidence[0].Text = "the runtime cannot make a sandbox without the pause image"
			fd.Explains = []string{"sandbox-failed-runtime"}
			if got == code {
				out = mergeFinding(out, fd)
			}
		}
		return out
	}
}

func newestSandboxFailure(p *facts.Pod) *facts.Event {
	for _, e := range slices.Backward(p.Events) {
		switch e.Reason {
		case "FailedCreatePodSandBox":
			return e
		case "Pulling", "Pulled", "Created", "Started":
			return nil
		}
	}
	return nil
}

func pauseText(m string) bool {
	return strings.Contains(m, "failed to get sandbox image") || strings.Contains(m, "failed to pull image") && strings.Contains(m, "pause")
}

// earlierPod is a pod that runs on the node and was made before the failure.
func earlierPod(f *facts.Facts, p *facts.Pod, e *facts.Event) *facts.Pod {
	for _, q := range f.OnSameNode(p) {
		if q != p && q.Obj.CreationTimestamp.Time.Before(e.First) && slices.ContainsFunc(q.Containers, func(c *facts.Container) bool { return c.Running != nil }) {
			return q
		}
	}
	return nil
}

// evictedWhilePulling: the pod was evicted for disk space between Pulling and
// its first start, and the workload still lacks pods.
func evictedWhilePulling(_ *facts.Facts, w *facts.Workload) []Finding {
	var out []Finding
	for _, p := range w.Pods {
		st := &p.Obj.Status
		if p.Phase != facts.PhaseFailed || st.Reason != "Evicted" || !strings.Contains(st.Message, "ephemeral-storage") && !strings.Contains(st.Message, "inodes") || w.Ready >= w.Desired {
			continue
		}
		var pulling *facts.Event
		started := false
		for _, e := range p.Events {
			if e.Reason == "Pulling" {
				pulling = e
			}
			started = started || e.Reason == "Started"
		}
		if pulling == nil || started {
			continue
		}
		node := p.NodeName()
		fd := Finding{Cause: "evicted-during-pull", Confidence: Certain, Old: true, Vars: workloadVars(w), Key: "node " + node, Since: pulling.First, Last: pulling.Last,
			Summary:  fmt.Sprintf("pod %s was evicted from node %s for lack of disk while its image was being pulled", p.Name(), node),
			Explains: []string{"evicted-storage"},
			Evidence: []Evidence{{"the kubelet evicted the pod", p.Receipt("status.message", st.Message, pulling.Last)}, {"the pull was under way", pulling.Receipt()}}}
		fd.touch(p, nil)
		fd.Vars["node"], fd.Vars["pod"] = node, p.Name()
		if len(p.Containers) > 0 {
			fd.Vars["image"], fd.Vars["container"] = p.Containers[0].Image, p.Containers[0].Name
		}
		out = mergeFinding(out, fd)
	}
	return out
}

// failingGC: the kubelet says that it cannot free the disk, and pulls of this
// workload on the node wait or fail.
func failingGC(f *facts.Facts, w *facts.Workload) []Finding {
	var out []Finding
	for _, p := range w.Pods {
		if !awaited(p) {
			continue
		}
		for _, c := range p.Containers {
			if c.Pull == nil || c.Pull.State == facts.PullNotYet {
				continue
			}
			err, _, failing := pullFailure(c)
			if failing && err.Kind != pullerror.DiskFull && err.Kind != pullerror.InodesFull {
				continue
			}
			e, _ := diskEvent(f, []string{p.NodeName()})
			if e == nil || e.Reason == "EvictionThresholdMet" {
				continue
			}
			fd := Finding{Cause: "image-gc-failing", Confidence: Certain, Old: true, Vars: workloadVars(w), Key: "node " + p.NodeName(), Since: e.First, Last: e.Last, Attempts: int(e.Count),
				Summary:  fmt.Sprintf("the kubelet of node %s cannot free space for images: what fills the disk is in use or no image", p.NodeName()),
				Evidence: []Evidence{{"the kubelet's attempt to free space failed", e.Receipt()}}}
			fd.touch(p, c)
			fd.Vars["node"], fd.Vars["pod"] = p.NodeName(), p.Name()
			out = mergeFinding(out, fd)
		}
	}
	return out
}

// churningGC: the node ran the image before and pulls it anew although the
// policy would let it use a copy.
func churningGC(f *facts.Facts, w *facts.Workload) []Finding {
	var out []Finding
	for _, p := range w.Pods {
		if !awaited(p) || kubeletMinor(p.Node) >= 35 || p.Node == nil {
			continue
		}
		for _, c := range p.Containers {
			if c.Pull == nil || c.Pull.State != facts.PullActive || pullPolicy(c) != string(corev1.PullIfNotPresent) {
				continue
			}
			img := f.Image(c.Image)
			ran := f.Ran(img, p.NodeName())
			e, _ := diskEvent(f, []string{p.NodeName()})
			if ran == nil || ran.Running != nil || e == nil {
				continue
			}
			fd := Finding{Cause: "image-gc-churn", Confidence: Likely, Old: true, Vars: workloadVars(w), Key: "node " + p.NodeName(), Since: c.Pull.First, Last: c.Pull.Last,
				Summary:  fmt.Sprintf("node %s ran %s before, removed it to free its disk, and pulls it again", p.NodeName(), c.Image),
				Evidence: []Evidence{{"the node frees disk space", e.Receipt()}, ranEvidence(ran, "this pod ran the image on the node")},
				Rivals:   []Rival{rival("slow-transfer", "crictl images on the node: is the image gone?")}}
			fd.touch(p, c)
			fd.Vars["node"], fd.Vars["pod"] = p.NodeName(), p.Name()
			out = mergeFinding(out, fd)
		}
	}
	return out
}

// ignoredMirror: for one registry this node asks the registry itself and fails,
// while another node of the workload asks a mirror.
func ignoredMirror(f *facts.Facts, w *facts.Workload) []Finding {
	var direct, mirrored []trouble
	for _, t := range troubles(w, networkKinds) {
		t.locate(f)
		if t.err.Target == pullerror.TargetMirror {
			mirrored = append(mirrored, t)
		} else {
			direct = append(direct, t)
		}
	}
	var out []Finding
	for _, t := range direct {
		for _, m := range mirrored {
			if m.image.Registry != t.image.Registry || slices.ContainsFunc(t.nodes, func(n string) bool { return slices.Contains(m.nodes, n) }) {
				continue
			}
			fd := t.finding(w, "mirror-config-ignored", Likely, fmt.Sprintf("%s asks %s itself and fails (%s), while %s asks the mirror %s", nodesWords(t.nodes), t.image.Registry, plain(t.err), nodesWords(m.nodes), m.host()),
				rival("tcp-timeout", "compare /etc/containerd/certs.d of the two nodes: if they are alike, the way to the registry is what differs"))
			fd.Evidence = append(fd.Evidence, Evidence{"another node asks a mirror for the same registry", m.receipt})
			fd.Key = "registry " + t.image.Registry
			if n := t.node(); n != "" {
				fd.Key = "node " + n
			}
			out = mergeFinding(out, fd)
			break
		}
	}
	return out
}

// wrongArch: the program's first words are that it cannot be executed. A script
// without #! says the same, unless the image runs on another processor.
func wrongArch(f *facts.Facts, w *facts.Workload) []Finding {
	var out []Finding
	for _, p := range w.Pods {
		if !awaited(p) {
			continue
		}
		for _, c := range p.Containers {
			if fd, ok := wrongArchOf(f, w, c); ok {
				out = mergeFinding(out, fd)
			}
		}
	}
	return out
}

const execFormat = "exec format error"

func wrongArchOf(f *facts.Facts, w *facts.Workload, c *facts.Container) (Finding, bool) {
	p := c.Pod
	var receipt facts.Receipt
	switch d := c.LastDeath(); {
	case d == nil && (c.Waiting == nil || c.Waiting.Message == ""):
		return Finding{}, false
	case d != nil && strings.Contains(d.Message, execFormat):
		receipt = d.Receipt
	case c.Waiting != nil && strings.Contains(c.Waiting.Message, execFormat):
		receipt = p.Receipt(c.StatusPath()+".state.waiting", c.Waiting.Message, f.Now)
	default:
		i := slices.IndexFunc(c.LogTail, func(l string) bool { return strings.Contains(l, execFormat) })
		if i < 0 || i > 5 {
			return Finding{}, false
		}
		receipt = p.Receipt("log/"+c.Name, c.LogTail[i], f.Now)
	}
	img, arch := f.Image(c.Image), ""
	if p.Node != nil {
		arch = p.Node.Status.NodeInfo.Architecture
	}
	where := nodesWords([]string{p.NodeName()})
	if arch != "" {
		where += " (" + arch + ")"
	}
	fd := Finding{Cause: "wrong-arch-at-exec", Confidence: Likely, Old: true, Vars: workloadVars(w), Key: "image " + img.String(), Since: p.Obj.CreationTimestamp.Time,
		Summary:  fmt.Sprintf("the program of %s cannot run on %s: it is built for another processor, or is a script without its first line", c.Image, where),
		Evidence: []Evidence{{"the kernel refuses to execute the program", receipt}}, Attempts: int(c.Restarts), Explains: []string{"exec-format-error", "crashloop-app-error"}}
	fd.Rivals = []Rival{rival("exec-format-error", "crane config "+c.Image+" | jq .architecture: if it is "+orThat(arch)+", look at the first line of the start script")}
	fd.touch(p, c)
	if len(w.Old) > 0 {
		fd.Vars["previous"] = w.Old[0].Name
	}
	fd.Vars["image"], fd.Vars["node"], fd.Vars["pod"], fd.Vars["container"] = c.Image, p.NodeName(), p.Name(), c.Name
	if other := f.RanElsewhere(img, []string{p.NodeName()}); other != nil && other.Pod.Node != nil && other.Ready {
		a := other.Pod.Node.Status.NodeInfo.Architecture
		if a != "" && a == arch {
			return Finding{}, false // built for it; the program itself is at fault
		}
		if a != "" {
			fd.Confidence, fd.Rivals, fd.Vars["otherarch"] = Certain, nil, a
			fd.Summary = fmt.Sprintf("the program of %s cannot run on %s; on node %s (%s) it runs", c.Image, where, other.Pod.NodeName(), a)
			fd.Evidence = append(fd.Evidence, ranEvidence(other, "the image runs on a node with another processor"))
		}
	}
	return fd, true
}

func orThat(arch string) string {
	if arch == "" {
		return "the node's processor"
	}
	return arch
}
