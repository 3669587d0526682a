package cause

import (
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/unjam-dev/unjam/internal/facts"
	"github.com/unjam-dev/unjam/internal/pattern"
)

// inScheduling are the pods without a node for which test is true.
func inScheduling(w *facts.Workload, test func(*facts.Pod) bool) []*facts.Pod {
	var out []*facts.Pod
	for _, p := range w.Pods {
		if p.Phase == facts.PhaseSchedule && p.Scheduling != nil && test(p) {
			out = append(out, p)
		}
	}
	return out
}

func schedulingGated(f *facts.Facts, w *facts.Workload) []Finding {
	pods := inScheduling(w, func(p *facts.Pod) bool { return len(p.Obj.Spec.SchedulingGates) > 0 })
	if len(pods) == 0 {
		return nil
	}
	p := pods[0]
	var gates []string
	for _, g := range p.Obj.Spec.SchedulingGates {
		gates = append(gates, g.Name)
	}
	names := strings.Join(gates, ", ")
	fd := unplacedFinding(f, w, "scheduling-gated", pods)
	fd.Vars["gate"] = gates[0]
	fd.Summary = fmt.Sprintf("%s is held back by %s %s until its owner removes it", w.Name, plural(int32(len(gates)), "scheduling gate", "scheduling gates"), names)
	fd.Evidence = []Evidence{{Text: "a pod with gates is not offered to the scheduler", Receipt: p.Receipt("spec.schedulingGates", names, p.Obj.CreationTimestamp.Time)}}
	if fd.Since.IsZero() {
		fd.Since = p.Obj.CreationTimestamp.Time
	}
	return []Finding{fd}
}

func noNodes(f *facts.Facts, w *facts.Workload) []Finding {
	pods := inScheduling(w, func(p *facts.Pod) bool {
		return strings.Contains(p.Scheduling.Message, "no nodes available to schedule pods") || p.Scheduling.Parsed && p.Scheduling.Fit.Nodes == 0
	})
	if len(pods) == 0 {
		return nil
	}
	fd := unplacedFinding(f, w, "no-nodes", pods)
	fd.Summary = w.Name + " cannot be placed because the cluster has no node at all"
	if scalingUp(f, pods) {
		fd.Class = Waiting
	}
	return []Finding{fd}
}

// notLookedAt is how long a healthy scheduler may take to look at a new pod.
const notLookedAt = 30 * time.Second

func schedulerNotProcessing(f *facts.Facts, w *facts.Workload) []Finding {
	pods := inScheduling(w, func(p *facts.Pod) bool {
		return p.Obj.Status.Phase == corev1.PodPending && p.Scheduling.Condition.Type == "" && p.Scheduling.Message == "" && len(p.Obj.Spec.SchedulingGates) == 0 &&
			!p.Obj.CreationTimestamp.IsZero() && f.Now.Sub(p.Obj.CreationTimestamp.Time) > notLookedAt
	})
	if len(pods) == 0 {
		return nil
	}
	p := pods[0]
	fd := unplacedFinding(f, w, "scheduler-not-processing", pods)
	name := p.Obj.Spec.SchedulerName
	fd.Vars["scheduler"] = name
	fd.Since, fd.Last = p.Obj.CreationTimestamp.Time, f.Now
	fd.Summary = fmt.Sprintf("no scheduler has looked at %s for %s", w.Name, f.Now.Sub(fd.Since).Round(time.Second))
	if name != "" && name != corev1.DefaultSchedulerName {
		fd.Summary += fmt.Sprintf("; it asks for the scheduler %q, which does not answer", name)
	}
	fd.Evidence = []Evidence{{Text: "the pod has no PodScheduled condition and no node", Receipt: p.Receipt("spec.schedulerName", name, f.Now)}}
	return []Finding{fd}
}

var filterPlugin = pattern.New(`running "?([A-Za-z]+)"? (?:filter )?plugin|running \w+ plugin "([A-Za-z]+)"`)

// schedulerErrors are pods the scheduler could not place for an error of its own.
func schedulerErrors(w *facts.Workload, test func(message string) bool) []*facts.Pod {
	return inScheduling(w, func(p *facts.Pod) bool {
		return p.Scheduling.Condition.Reason == "SchedulerError" && test(p.Scheduling.Message)
	})
}

func volumeBinding(m string) bool {
	return strings.Contains(m, "VolumeBinding") || strings.Contains(m, "binding volumes") || strings.Contains(m, "provisioning failed for PVC")
}

func deviceBinding(m string) bool { return strings.Contains(m, "device binding") }

func schedulerError(f *facts.Facts, w *facts.Workload) []Finding {
	pods := schedulerErrors(w, func(m string) bool { return !volumeBinding(m) && !deviceBinding(m) })
	if len(pods) == 0 {
		return nil
	}
	fd := unplacedFinding(f, w, "scheduler-error", pods)
	fd.Summary = fmt.Sprintf("the scheduler failed on %s with an error of its own: %s", w.Name, oneLine(pods[0].Scheduling.Message, 160))
	if m := filterPlugin.FindStringSubmatch(pods[0].Scheduling.Message); m != nil {
		fd.Vars["plugin"] = m[1] + m[2]
	}
	return []Finding{fd}
}

func draBinding(f *facts.Facts, w *facts.Workload) []Finding {
	if out := unplacedAs("dra-binding-timeout")(f, w); len(out) > 0 {
		return out
	}
	pods := schedulerErrors(w, deviceBinding)
	if len(pods) == 0 {
		return nil
	}
	fd := unplacedFinding(f, w, "dra-binding-timeout", pods)
	fd.Summary = fmt.Sprintf("%s got devices that were never made ready: %s", w.Name, oneLine(pods[0].Scheduling.Message, 160))
	return []Finding{fd}
}

// draMissing also reads the claim controller's event, which comes first.
func draMissing(f *facts.Facts, w *facts.Workload) []Finding {
	if out := unplacedAs("dra-claim-or-class-missing")(f, w); len(out) > 0 {
		return out
	}
	var e *facts.Event
	pods := inScheduling(w, func(p *facts.Pod) bool {
		for _, x := range p.Events {
			if x.Reason == "FailedResourceClaimCreation" {
				e = x
				return true
			}
		}
		return false
	})
	if len(pods) == 0 {
		return nil
	}
	fd := unplacedFinding(f, w, "dra-claim-or-class-missing", pods)
	fd.Summary = fmt.Sprintf("the resource claim of %s could not be made: %s", w.Name, oneLine(e.Message, 160))
	fd.Evidence = append([]Evidence{{Text: "the resource claim controller gave up", Receipt: e.Receipt()}}, fd.Evidence...)
	return []Finding{fd}
}

// preemptionImpossible notes that lower-priority pods hold the room and the
// pod's own policy forbids taking it.
func preemptionImpossible(f *facts.Facts, w *facts.Workload) []Finding {
	pods := inScheduling(w, func(p *facts.Pod) bool {
		return strings.Contains(p.Scheduling.Fit.Preemption, "preemptionPolicy=Never")
	})
	if len(pods) == 0 {
		return nil
	}
	fd := unplacedFinding(f, w, "preemption-impossible", pods)
	fd.Summary = w.Name + " may not push out less important pods: its priority class has preemptionPolicy Never"
	fd.Vars["priorityclass"] = pods[0].Obj.Spec.PriorityClassName
	return []Finding{fd}
}

func preemptedVictim(f *facts.Facts, w *facts.Workload) []Finding {
	if len(waitingPods(w)) == 0 && w.Available >= w.Desired {
		return nil
	}
	fd := Finding{Cause: "preempted-victim", Confidence: Certain, Vars: workloadVars(w), Old: true}
	for _, p := range w.Pods {
		c := p.Condition(corev1.DisruptionTarget)
		if c.Status != "True" || c.Reason != "PreemptionByScheduler" {
			continue
		}
		fd.touch(p, nil)
		fd.Vars["pod"] = p.Name()
		fd.Evidence = append(fd.Evidence, Evidence{"the scheduler removed it for a pod of higher priority", p.Receipt("status.conditions[DisruptionTarget]", c.Message, c.LastTransition)})
		if fd.Since.IsZero() || c.LastTransition.Before(fd.Since) {
			fd.Since = c.LastTransition
		}
		if c.LastTransition.After(fd.Last) {
			fd.Last = c.LastTransition
		}
	}
	if len(fd.Pods) == 0 {
		return nil
	}
	n := int32(len(fd.Pods))
	fd.Summary = fmt.Sprintf("%d %s of %s had to leave for a pod of higher priority", n, plural(n, "pod", "pods"), w.Name)
	return []Finding{fd}
}

// oneLine shortens free text at a word, without line breaks.
func oneLine(s string, most int) string {
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > most {
		s = string(r[:most])
		if i := strings.LastIndexByte(s, ' '); i > most/2 {
			s = s[:i]
		}
		return s + " …"
	}
	return strings.TrimSuffix(s, ".")
}
