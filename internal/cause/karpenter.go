package cause

import (
	"fmt"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/unjam-dev/unjam/internal/facts"
)

// karpenterRefusal reads Karpenter's own FailedScheduling events, which share
// their reason with the scheduler's.
func karpenterRefusal(code string) func(*facts.Facts, *facts.Workload) []Finding {
	return func(f *facts.Facts, w *facts.Workload) []Finding {
		var pods []*facts.Pod
		var last *facts.Event
		for _, p := range unplaced(w) {
			for _, e := range slices.Backward(p.Events) {
				if !fromKarpenter(e) || e.Reason != "FailedScheduling" && e.Reason != "Nominated" {
					continue
				}
				if e.Reason == "FailedScheduling" && karpenterCode(e.Message) == code {
					pods, last = append(pods, p), e
				}
				break
			}
		}
		if len(pods) == 0 {
			return nil
		}
		fd := unplacedFinding(f, w, code, pods)
		fd.Since, fd.Last, fd.Attempts = last.First, last.Last, int(last.Count)
		fd.Evidence = append([]Evidence{{"Karpenter makes no node for the pod", last.Receipt()}}, fd.Evidence...)
		if code == "karpenter-limits" {
			fd.Explains = append([]string{"no-nodes"}, roomCodes...)
			fd.Summary = w.Name + " needs another node, and Karpenter's NodePools are at their limits"
			if pool := quoted(last.Message); pool != "" {
				fd.Vars["nodepool"] = pool
				fd.Summary = fmt.Sprintf("%s needs another node, and NodePool %s is at its limits", w.Name, pool)
				fd.Key = "nodepool " + pool
			}
			return []Finding{fd}
		}
		text := strings.TrimPrefix(last.Message, "Failed to schedule pod, ")
		fd.Summary = fmt.Sprintf("Karpenter has no NodePool that would take %s: %s", w.Name, oneLine(text, 200))
		return []Finding{fd}
	}
}

func karpenterCode(message string) string {
	if strings.Contains(message, "exceed limits for nodepool") || strings.Contains(message, "limits have been exhausted for nodepool") {
		return "karpenter-limits"
	}
	return "karpenter-no-fit"
}

// nodeClaims are the NodeClaims promised to the pod by its newest Nominated
// event: "Pod should schedule on: nodeclaim/default-abc, node/…".
func nodeClaims(f *facts.Facts, p *facts.Pod) []*unstructured.Unstructured {
	e, ok := scaleUp(p)
	if !ok || !fromKarpenter(e) {
		return nil
	}
	var out []*unstructured.Unstructured
	for _, u := range f.Snap.Objects.Others {
		if u.GetKind() == "NodeClaim" && slices.Contains(strings.FieldsFunc(e.Message, func(r rune) bool { return r == ' ' || r == ',' }), "nodeclaim/"+u.GetName()) {
			out = append(out, u)
		}
	}
	return out
}

// claimCondition reads one condition of a NodeClaim.
func claimCondition(u *unstructured.Unstructured, typ string) (status, reason, message string, since time.Time) {
	list, _, err := unstructured.NestedSlice(u.Object, "status", "conditions")
	if err != nil {
		return "", "", "", time.Time{}
	}
	for _, x := range list {
		c, ok := x.(map[string]any)
		if !ok || c["type"] != typ {
			continue
		}
		status, _ = c["status"].(string)
		reason, _ = c["reason"].(string)
		message, _ = c["message"].(string)
		if s, ok := c["lastTransitionTime"].(string); ok {
			if t, err := time.Parse(time.RFC3339, s); err == nil {
				since = t
			}
		}
		return status, reason, message, since
	}
	return "", "", "", time.Time{}
}

// joinsWithin is the usual time a node takes to boot and join.
const joinsWithin = 3 * time.Minute

func karpenterClaim(code string) func(*facts.Facts, *facts.Workload) []Finding {
	return func(f *facts.Facts, w *facts.Workload) []Finding {
		for _, p := range unplaced(w) {
			for _, u := range nodeClaims(f, p) {
				fd, ok := claimFinding(f, w, p, u)
				if ok && fd.Cause == code {
					return []Finding{fd}
				}
			}
		}
		return nil
	}
}

// claimFinding says how far a NodeClaim got: launched, registered, initialized.
func claimFinding(f *facts.Facts, w *facts.Workload, p *facts.Pod, u *unstructured.Unstructured) (Finding, bool) {
	name := u.GetName()
	created := u.GetCreationTimestamp()
	receipt := func(typ, text string) facts.Receipt {
		return facts.Receipt{Kind: "NodeClaim", Name: name, Field: "status.conditions[" + typ + "]", Text: text, Time: f.Now}
	}
	finish := func(code, typ, text, summary string) (Finding, bool) {
		fd := unplacedFinding(f, w, code, []*facts.Pod{p})
		fd.Since, fd.Last = created.Time, f.Now
		fd.Vars["nodeclaim"] = name
		fd.Summary = summary
		fd.Evidence = append([]Evidence{{"the NodeClaim made for the pod is stuck", receipt(typ, text)}}, fd.Evidence...)
		fd.Explains = append([]string{"no-nodes", "ca-scaleup-in-progress"}, roomCodes...)
		fd.Key = "nodeclaim " + name
		return fd, true
	}
	if status, reason, message, _ := claimCondition(u, "Launched"); status != "True" {
		why := oneLine(strings.TrimPrefix(message, reason+", "), 160)
		if reason == "" || reason == "AwaitingReconciliation" {
			return Finding{}, false
		}
		return finish("karpenter-launch-failed", "Launched", reason+": "+message, fmt.Sprintf("Karpenter cannot launch an instance for %s (%s): %s", w.Name, reason, why))
	}
	if age := sinceCreated(f, created); age < joinsWithin {
		return Finding{}, false
	}
	for _, typ := range []string{"Registered", "Initialized"} {
		status, reason, message, _ := claimCondition(u, typ)
		if status == "True" {
			continue
		}
		state := "has not joined the cluster"
		if typ == "Initialized" {
			state = "has joined but is not ready for pods"
		}
		return finish("karpenter-not-registered", typ, reason+": "+message, fmt.Sprintf("the node made for %s (%s) %s after %s: %s", w.Name, name, state, sinceCreated(f, created).Round(time.Second), oneLine(message, 160)))
	}
	return Finding{}, false
}

func sinceCreated(f *facts.Facts, t metav1.Time) time.Duration {
	if t.IsZero() {
		return 0
	}
	return f.Now.Sub(t.Time)
}
