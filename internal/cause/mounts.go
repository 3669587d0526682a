package cause

import (
	"fmt"
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/unjam-dev/unjam/internal/facts"
	"github.com/unjam-dev/unjam/internal/fit"
	"github.com/unjam-dev/unjam/internal/pattern"
)

// mountFailure is what the kubelet or the attach controller says now of one
// volume of a pod that is not started.
type mountFailure struct {
	pod    *facts.Pod
	event  *facts.Event
	code   string
	volume string
	text   string // the driver's own words
}

var (
	mountWords = pattern.New(`^(MountVolume|MapVolume|AttachVolume|NodeExpandVolume|UnmountVolume)\.(\w+) failed for volume "([^"]+)" ?: ?(?s:(.*))$`)
	multiText  = pattern.New(`^(?:Multi-Attach error|Waiting for detach) for volume "([^"]+)" ?(?s:(.*))$`)
	hostPathRE = pattern.New(`hostPath type check failed: (\S+) is not (?:an? )?(.+?)\.?$`)
	driverRE   = pattern.New(`driver name (\S+) not found in the list of registered CSI drivers`)
	providerRE = pattern.New(`(?i)secretproviderclass(?:es)?(?:\.secrets-store\.csi\.x-k8s\.io)? "([^"]+)" not found`)
	// missingObject is what the start configuration's causes read.
	missingObject = pattern.New(`not found|not registered|failed to sync|references non-existent|token|forbidden`)
	deniedRE      = pattern.New(`(?i)access ?denied|not authorized|permission ?denied|status ?code:? 40[13]|\b40[13]\b|forbidden|AADSTS\d+|WebIdentityErr|Unauthorized`)
)

// beforeStart is true of a bound pod that has not got its volumes and sandbox.
func beforeStart(p *facts.Pod) bool {
	if p.NodeName() == "" || p.Phase == facts.PhaseReady || p.Condition("PodReadyToStartContainers").Status == "True" {
		return false
	}
	return !slices.ContainsFunc(p.Containers, func(c *facts.Container) bool { return c.Running != nil || len(c.Deaths) > 0 || c.Restarts > 0 })
}

// mountFailures reads the newest event of each volume. What a later success or
// the start of a container has overtaken does not count.
func mountFailures(w *facts.Workload) []mountFailure {
	var out []mountFailure
	for _, p := range waitingPods(w) {
		if !beforeStart(p) {
			continue
		}
		seen := map[string]bool{}
		attached := time.Time{}
	events:
		for _, e := range slices.Backward(p.Events) {
			switch e.Reason {
			case "Pulling", "Pulled", "Created", "Started":
				break events
			case "SuccessfulAttachVolume", "SuccessfulMountVolume":
				attached = later(attached, e.Last)
			case "FailedMount", "FailedAttachVolume", "FailedMapVolume":
				m, ok := readMount(p, e)
				if !ok || seen[m.volume+m.code] || e.Reason == "FailedAttachVolume" && !e.Last.After(attached) && !attached.IsZero() {
					continue
				}
				seen[m.volume+m.code] = true
				out = append(out, m)
			}
		}
	}
	return out
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// readMount sorts one event. A Secret, ConfigMap or token that is missing
// belongs to the start configuration, not here.
func readMount(p *facts.Pod, e *facts.Event) (mountFailure, bool) {
	m := mountFailure{pod: p, event: e}
	if x := multiText.FindStringSubmatch(e.Message); x != nil {
		m.code, m.volume, m.text = "multi-attach", x[1], x[2]
		return m, true
	}
	x := mountWords.FindStringSubmatch(e.Message)
	if x == nil {
		return m, false
	}
	m.volume, m.text = x[3], x[4]
	if fromConfig(p.Obj, m.volume) && missingObject.MatchString(m.text) || x[1] == "UnmountVolume" {
		return m, false
	}
	switch {
	case strings.Contains(m.text, "hostPath type check failed"):
		m.code = "hostpath-type"
	case driverRE.MatchString(m.text):
		m.code = "csi-driver-not-registered"
	case providerRE.MatchString(m.text), strings.Contains(m.text, "failed to get secretproviderclass") && strings.Contains(m.text, "not found"):
		m.code = "secretproviderclass-missing"
	case secretStore(m.text) && deniedRE.MatchString(m.text):
		m.code = "external-secret-access-denied"
	case x[1] == "AttachVolume":
		m.code = "attach-failed"
	default:
		m.code = "mount-failed"
	}
	return m, true
}

func secretStore(text string) bool {
	return strings.Contains(text, "secrets store objects") || strings.Contains(text, "secrets-store.csi.k8s.io")
}

func fromConfig(pod *corev1.Pod, name string) bool {
	for _, v := range pod.Spec.Volumes {
		if v.Name == name {
			return v.Secret != nil || v.ConfigMap != nil || v.Projected != nil || v.DownwardAPI != nil || v.Image != nil
		}
	}
	return false
}

// mountedAs is the Detect of a cause that is one kind of mount failure.
func mountedAs(code string) func(*facts.Facts, *facts.Workload) []Finding {
	return func(f *facts.Facts, w *facts.Workload) []Finding {
		return mountFindings(f, w, code, mountSentence)
	}
}

func mountFindings(f *facts.Facts, w *facts.Workload, code string, sentence func(f *facts.Facts, w *facts.Workload, m mountFailure, fd *Finding) string) []Finding {
	var out []Finding
	index := map[string]int{}
	for _, m := range mountFailures(w) {
		if m.code != code {
			continue
		}
		shared := volumeOf(m)
		i, ok := index[shared]
		if !ok {
			i = len(out)
			index[shared] = i
			fd := Finding{Cause: code, Confidence: Certain, Vars: workloadVars(w), Old: true, Since: m.event.First}
			fd.Vars["pod"], fd.Vars["node"], fd.Vars["volume"] = m.pod.Name(), m.pod.NodeName(), m.volume
			if c := claimOf(f, m.pod.Obj, m.volume); c != "" {
				fd.Vars["claim"] = c
			}
			fd.Explains = []string{"volume-wait-silent"}
			fd.Summary = sentence(f, w, m, &fd)
			out = append(out, fd)
		}
		fd := &out[i]
		fd.touch(m.pod, nil)
		fd.Attempts += int(m.event.Count)
		fd.Last = later(fd.Last, m.event.Last)
		if m.event.First.Before(fd.Since) {
			fd.Since = m.event.First
		}
		if len(fd.Evidence) < 5 {
			fd.Evidence = append(fd.Evidence, Evidence{"the volume is not there for the pod", m.event.Receipt()})
		}
	}
	return out
}

// volumeOf is what several pods may share: the volume, or the driver at fault.
func volumeOf(m mountFailure) string {
	if x := driverRE.FindStringSubmatch(m.text); x != nil {
		return x[1] + m.pod.NodeName()
	}
	return m.volume
}

// claimOf is the claim behind a volume name, which is the PV's name for claims.
func claimOf(f *facts.Facts, pod *corev1.Pod, volume string) string {
	for _, v := range pod.Spec.Volumes {
		if v.Name == volume && v.PersistentVolumeClaim != nil {
			return v.PersistentVolumeClaim.ClaimName
		}
	}
	names := fit.ClaimNames(pod)
	for _, name := range names {
		if claim, _ := f.PVC(pod.Namespace, name); claim != nil && claim.Spec.VolumeName == volume {
			return name
		}
	}
	if len(names) == 1 {
		return names[0]
	}
	return ""
}

func mountSentence(f *facts.Facts, w *facts.Workload, m mountFailure, fd *Finding) string {
	node := m.pod.NodeName()
	what := "volume " + m.volume
	if c := fd.Vars["claim"]; c != "" {
		what = "claim " + c
	}
	switch m.code {
	case "hostpath-type":
		if x := hostPathRE.FindStringSubmatch(m.text); x != nil {
			fd.Vars["path"] = x[1]
			return fmt.Sprintf("%s wants %s to be a %s on %s, and it is not", w.Name, x[1], x[2], node)
		}
		return fmt.Sprintf("a host path of %s is missing or of another kind on %s", w.Name, node)
	case "csi-driver-not-registered":
		driver := driverRE.FindStringSubmatch(m.text)[1]
		fd.Vars["driver"] = driver
		fd.Key = "driver " + driver
		return fmt.Sprintf("storage driver %s is not registered on %s, so %s of %s cannot be mounted", driver, node, what, w.Name)
	case "secretproviderclass-missing":
		name := ""
		if x := providerRE.FindStringSubmatch(m.text); x != nil {
			name = x[1]
		}
		set(fd.Vars, "providerclass", name)
		return fmt.Sprintf("%s needs SecretProviderClass %s, which does not exist in %s", w.Name, name, w.Namespace)
	case "external-secret-access-denied":
		return fmt.Sprintf("the secret backend refuses %s: %s", w.Name, oneLine(rpcText(m.text), 200))
	case "attach-failed":
		return fmt.Sprintf("%s of %s cannot be attached to %s: %s", what, w.Name, node, oneLine(rpcText(m.text), 200))
	}
	return fmt.Sprintf("%s of %s cannot be mounted on %s: %s", what, w.Name, node, oneLine(rpcText(m.text), 200))
}

// multiAttach names the pod that still has the volume and decides whether it
// will ever let go.
func multiAttach(f *facts.Facts, w *facts.Workload) []Finding {
	return mountFindings(f, w, "multi-attach", func(f *facts.Facts, w *facts.Workload, m mountFailure, fd *Finding) string {
		what := "volume " + m.volume
		if c := fd.Vars["claim"]; c != "" {
			what = "claim " + c
		}
		rollingVars(fd.Vars, w)
		h := holderOf(f, m, fd.Vars["claim"])
		if h == nil {
			return fmt.Sprintf("%s of %s is still attached to another node and must be detached first", what, w.Name)
		}
		fd.Vars["holder"] = h.Name()
		set(fd.Vars, "holdernode", h.NodeName())
		fd.Evidence = append(fd.Evidence, Evidence{"this pod has the volume", h.Receipt("spec.nodeName", h.NodeName(), f.Now)})
		text := fmt.Sprintf("%s of %s is in use by %s on %s and can be on one node only", what, w.Name, h.Name(), h.NodeName())
		switch {
		case h.Terminating():
			return text + "; that pod is on its way out"
		case h.Workload == w && !h.New && m.pod.New && keepsOld(w):
			fd.Class = Terminal
			return text + "; the old pod stays until the new one is ready, which cannot happen"
		case h.Workload != w && h.Phase == facts.PhaseReady:
			fd.Class = Terminal
		}
		return text
	})
}

// holderOf finds the pod the message names, or another user of the claim.
func holderOf(f *facts.Facts, m mountFailure, claim string) *facts.Pod {
	ns := m.pod.Obj.Namespace
	if _, list, ok := strings.Cut(m.text, "used by pod(s) "); ok {
		for name := range strings.FieldsFuncSeq(list, func(r rune) bool { return r == ',' || r == ' ' }) {
			if p := f.PodByName(ns, name); p != nil {
				return p
			}
		}
	}
	if claim == "" {
		return nil
	}
	for _, p := range f.Pods {
		if p != m.pod && p.Obj.Namespace == ns && p.NodeName() != "" && p.NodeName() != m.pod.NodeName() && p.Phase != facts.PhaseDone && p.Phase != facts.PhaseFailed &&
			slices.Contains(fit.ClaimNames(p.Obj), claim) {
			return p
		}
	}
	return nil
}

// keepsOld is true when a rolling update may let no pod go before a new one is
// ready: maxUnavailable comes to zero (percentages round down).
func keepsOld(w *facts.Workload) bool {
	d := w.Deployment
	if d == nil || d.Spec.Strategy.Type == appsv1.RecreateDeploymentStrategyType {
		return false
	}
	unavailable := intstr.FromString("25%")
	if r := d.Spec.Strategy.RollingUpdate; r != nil && r.MaxUnavailable != nil {
		unavailable = *r.MaxUnavailable
	}
	n, err := intstr.GetScaledValueFromIntOrPercent(&unavailable, int(w.Desired), false)
	return err == nil && n == 0
}

// attachFailed also reads VolumeAttachments, which keep the error when the
// event is gone.
func attachFailed(f *facts.Facts, w *facts.Workload) []Finding {
	if out := mountFindings(f, w, "attach-failed", mountSentence); len(out) > 0 {
		return out
	}
	if len(f.Snap.Objects.VolumeAttaches) == 0 {
		return nil
	}
	for _, p := range waitingPods(w) {
		if !beforeStart(p) {
			continue
		}
		for _, name := range fit.ClaimNames(p.Obj) {
			claim, _ := f.PVC(p.Obj.Namespace, name)
			if claim == nil || claim.Spec.VolumeName == "" {
				continue
			}
			for _, va := range f.Snap.Objects.VolumeAttaches {
				if va.Spec.NodeName != p.NodeName() || va.Spec.Source.PersistentVolumeName == nil || *va.Spec.Source.PersistentVolumeName != claim.Spec.VolumeName || va.Status.AttachError == nil {
					continue
				}
				fd := Finding{Cause: "attach-failed", Confidence: Certain, Vars: workloadVars(w), Old: true, Since: va.CreationTimestamp.Time, Last: va.Status.AttachError.Time.Time, Explains: []string{"volume-wait-silent"}}
				fd.touch(p, nil)
				fd.Vars["pod"], fd.Vars["node"], fd.Vars["claim"], fd.Vars["volume"] = p.Name(), p.NodeName(), name, claim.Spec.VolumeName
				fd.Summary = fmt.Sprintf("claim %s of %s cannot be attached to %s: %s", name, w.Name, p.NodeName(), oneLine(rpcText(va.Status.AttachError.Message), 200))
				fd.Evidence = []Evidence{{"the attachment failed", facts.Receipt{Kind: "VolumeAttachment", Name: va.Name, Field: "status.attachError", Text: va.Status.AttachError.Message, Time: fd.Last}}}
				return []Finding{fd}
			}
		}
	}
	return nil
}

func fsGroupSlow(f *facts.Facts, w *facts.Workload) []Finding {
	for _, p := range waitingPods(w) {
		if !beforeStart(p) {
			continue
		}
		for _, e := range slices.Backward(p.Events) {
			if e.Reason != "VolumePermissionChangeInProgress" && !strings.HasPrefix(e.Message, "Setting volume ownership for") {
				continue
			}
			fd := Finding{Cause: "fsgroup-slow", Confidence: Certain, Vars: workloadVars(w), Old: true, Since: e.First, Last: e.Last, Explains: []string{"volume-wait-silent"}}
			fd.touch(p, nil)
			fd.Vars["pod"] = p.Name()
			fd.Summary = fmt.Sprintf("the kubelet of %s is changing the owner of every file on a volume of %s", p.NodeName(), w.Name)
			fd.Evidence = []Evidence{{"the ownership change is under way", e.Receipt()}}
			return []Finding{fd}
		}
	}
	return nil
}

// silentAfter is when a wait for volumes that nobody explains is worth a word.
const silentAfter = 4 * time.Minute

// volumeWaitSilent is a pod that waits for its volumes without a reason: since
// 1.28 the kubelet no longer says that the wait timed out (kubernetes#127034).
func volumeWaitSilent(f *facts.Facts, w *facts.Workload) []Finding {
	for _, p := range waitingPods(w) {
		if !beforeStart(p) || len(remoteVolumes(p.Obj)) == 0 || nodeLost(p) {
			continue
		}
		generic, other := (*facts.Event)(nil), false
		for _, e := range p.Events {
			switch {
			case e.Reason == "FailedMount" && (strings.Contains(e.Message, "unmounted volumes=") || strings.Contains(e.Message, "timed out waiting for the condition")):
				generic = e
			case e.Reason == "FailedMount", e.Reason == "FailedAttachVolume", e.Reason == "FailedMapVolume", e.Reason == "FailedCreatePodSandBox", e.Reason == "NetworkNotReady",
				e.Reason == "VolumePermissionChangeInProgress", e.Reason == "Pulling", e.Reason == "Pulled":
				other = true
			}
		}
		ready := p.Condition("PodReadyToStartContainers")
		waited := ready.Status == "False" && !startTime(p).IsZero() && f.Now.Sub(startTime(p)) >= silentAfter && f.Snap.Covers("events", p.Obj.Namespace)
		if other || generic == nil && !waited {
			continue
		}
		fd := Finding{Cause: "volume-wait-silent", Confidence: Likely, Vars: workloadVars(w), Old: true, Since: startTime(p), Last: f.Now}
		fd.touch(p, nil)
		fd.Vars["pod"], fd.Vars["node"] = p.Name(), p.NodeName()
		names := strings.Join(remoteVolumes(p.Obj), ", ")
		fd.Summary = fmt.Sprintf("%s waits on %s for its volumes (%s) and nothing says why", w.Name, p.NodeName(), names)
		fd.Evidence = []Evidence{{"volumes and sandbox are not ready, and no event gives a reason", p.Receipt("status.conditions[PodReadyToStartContainers]", ready.Status, ready.LastTransition)}}
		if generic != nil {
			fd.Evidence = []Evidence{{"the kubelet gave up waiting for volumes", generic.Receipt()}}
		}
		fd.Rivals = []Rival{{"attach-failed", "kubectl get volumeattachments -o yaml (look for attachError)"}, {"mount-failed", "the kubelet's log on " + p.NodeName()}}
		return []Finding{fd}
	}
	return nil
}

// remoteVolumes are the volumes whose mount can hang.
func remoteVolumes(pod *corev1.Pod) []string {
	var out []string
	for _, v := range pod.Spec.Volumes {
		if v.PersistentVolumeClaim != nil || v.Ephemeral != nil || v.CSI != nil || v.NFS != nil || v.ISCSI != nil || v.FC != nil || v.FlexVolume != nil || v.CephFS != nil || v.RBD != nil {
			out = append(out, v.Name)
		}
	}
	return out
}

func nodeLost(p *facts.Pod) bool {
	if p.Node == nil {
		return false
	}
	for _, c := range p.Node.Status.Conditions {
		if c.Type == corev1.NodeReady {
			return c.Status != corev1.ConditionTrue
		}
	}
	return false
}
