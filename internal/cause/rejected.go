package cause

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/unjam-dev/unjam/internal/facts"
	"github.com/unjam-dev/unjam/internal/fit"
	"github.com/unjam-dev/unjam/internal/pattern"
)

// loopSpan and loopCount tell a kubelet that keeps refusing from one refusal
// that a replacement has already made good.
const (
	loopSpan  = 10 * time.Minute
	loopCount = 3
)

// rejectCode names the cause of a kubelet's refusal by the pod's status.reason
// (pkg/kubelet/lifecycle/predicate.go and cm/admission).
func rejectCode(reason string) string {
	switch {
	case strings.HasPrefix(reason, "OutOf"):
		return "kubelet-out-of-resource"
	case reason == "NodeAffinity", reason == "NodeSelectorMismatching":
		return "kubelet-nodeaffinity"
	case reason == "TaintToleration":
		return "kubelet-taint-reject"
	case reason == "TopologyAffinityError", reason == "SMTAlignmentError":
		return "topology-affinity"
	case reason == "UnexpectedAdmissionError":
		return "device-admission"
	case reason == "VolumeAttachmentLimitExceeded":
		return "volume-attach-limit-kubelet"
	}
	return ""
}

// rejectedPods are pods refused for the reason, as long as that still holds the
// workload up: the pod is not replaced, or replacements are refused again and again.
func rejectedPods(f *facts.Facts, w *facts.Workload, code string) []*facts.Pod {
	var out []*facts.Pod
	recent := 0
	for _, p := range w.Pods {
		if p.Phase != facts.PhaseFailed || rejectCode(p.Obj.Status.Reason) != code {
			continue
		}
		if code == "device-admission" && !strings.Contains(p.Obj.Status.Message, "Allocate") && !strings.Contains(p.Obj.Status.Message, "devices") && !strings.Contains(p.Obj.Status.Message, "device ") {
			continue
		}
		out = append(out, p)
		if f.Now.Sub(rejectedAt(p)) <= loopSpan {
			recent++
		}
	}
	if len(out) == 0 || recent >= loopCount && w.Available < w.Desired {
		return out
	}
	if w.Kind == "Pod" {
		return out
	}
	if w.Job != nil {
		// A Job counts a rejected pod as failed; only the pods running now matter.
		if _, failed := jobFailure(w); !rolledOut(w) && len(livePods(w.Pods)) == 0 && (failed || recent > 0) {
			return out
		}
		return nil
	}
	if len(waitingPods(w)) == 0 && int32(len(livePods(w.NewPods()))) < w.Desired && recent > 0 {
		return out
	}
	return nil
}

func rejectedAt(p *facts.Pod) time.Time {
	for _, t := range []time.Time{p.Condition(corev1.PodReady).LastTransition, startTime(p), p.Obj.CreationTimestamp.Time} {
		if !t.IsZero() {
			return t
		}
	}
	return time.Time{}
}

func startTime(p *facts.Pod) time.Time {
	if t := p.Obj.Status.StartTime; t != nil {
		return t.Time
	}
	return time.Time{}
}

var rejectTexts = map[string]string{
	"kubelet-nodeaffinity":        "refused %s because the node's labels no longer match the pod's selector",
	"kubelet-taint-reject":        "refused %s because of a taint the pod does not tolerate",
	"topology-affinity":           "could not place %s on one group of CPUs and devices as its topology policy demands",
	"device-admission":            "could not allocate the devices of %s",
	"volume-attach-limit-kubelet": "refused %s because it can attach no more volumes",
}

func rejectedAs(code string) func(*facts.Facts, *facts.Workload) []Finding {
	return func(f *facts.Facts, w *facts.Workload) []Finding {
		pods := rejectedPods(f, w, code)
		if len(pods) == 0 {
			return nil
		}
		fd := rejectFinding(w, code, pods)
		fd.Summary = fmt.Sprintf("%s "+rejectTexts[code], kubeletOf(pods[0]), w.Name) + times(len(pods))
		return []Finding{fd}
	}
}

func kubeletOf(p *facts.Pod) string {
	if n := p.NodeName(); n != "" {
		return "the kubelet of " + n
	}
	return "the kubelet"
}

func times(n int) string {
	if n == 1 {
		return ""
	}
	return fmt.Sprintf(", %d times so far", n)
}

func rejectFinding(w *facts.Workload, code string, pods []*facts.Pod) Finding {
	fd := Finding{Cause: code, Confidence: Certain, Vars: workloadVars(w), Old: true, Attempts: len(pods)}
	for i, p := range pods {
		fd.touch(p, nil)
		if t := rejectedAt(p); fd.Since.IsZero() || t.Before(fd.Since) {
			fd.Since = t
		}
		if t := rejectedAt(p); t.After(fd.Last) {
			fd.Last = t
		}
		if i < 3 {
			fd.Evidence = append(fd.Evidence, Evidence{"the kubelet refused the pod: " + p.Obj.Status.Reason, p.Receipt("status.message", p.Obj.Status.Message, rejectedAt(p))})
		}
	}
	p := pods[0]
	fd.Vars["pod"] = p.Name()
	if n := p.NodeName(); n != "" {
		fd.Vars["node"] = n
		fd.Key = "node " + n
	}
	if w.Kind == "Pod" {
		fd.Class = Terminal // nobody makes it anew
	}
	return fd
}

var outOf = pattern.New(`Node didn't have enough resource: ([^,]+), requested: (\d+), used: (\d+), capacity: (\d+)`)

func outOfResource(f *facts.Facts, w *facts.Workload) []Finding {
	pods := rejectedPods(f, w, "kubelet-out-of-resource")
	if len(pods) == 0 {
		return nil
	}
	fd := rejectFinding(w, "kubelet-out-of-resource", pods)
	p := pods[0]
	what := strings.TrimPrefix(p.Obj.Status.Reason, "OutOf")
	fd.Summary = fmt.Sprintf("%s had too little %s for %s", kubeletOf(p), what, w.Name)
	if m := outOf.FindStringSubmatch(p.Obj.Status.Message); m != nil {
		r := corev1.ResourceName(m[1])
		need, used, total := atoi64(m[2]), atoi64(m[3]), atoi64(m[4])
		fd.Summary = fmt.Sprintf("%s had %s %s free, %s needs %s", kubeletOf(p), fit.Quantity(r, max(total-used, 0)), r, w.Name, fit.Quantity(r, need))
		what = m[1]
	}
	fd.Vars["resource"] = what
	fd.Summary += times(len(pods))
	return []Finding{fd}
}

func atoi64(s string) int64 {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return 0
	}
	return n
}
