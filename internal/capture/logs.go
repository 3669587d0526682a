package capture

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/unjam-dev/unjam/internal/snapshot"
)

// Bounds on log tails. They do not grow with the number of failing pods.
const (
	maxLogsOne      = 10 // calls in a capture of one namespace
	maxLogsAll      = 6  // calls in a capture of all
	maxLogsPerOwner = 2  // containers of one ReplicaSet, StatefulSet, …
	logLines        = 20
	logBytes        = 16 << 10
)

// noLog begins what the kubelet answers, with code 200, when the runtime no
// longer knows the container (pkg/kubelet/kuberuntime, GetContainerLogs).
const noLog = "unable to retrieve container logs for "

// logWish is one log worth reading.
type logWish struct {
	tail  snapshot.LogTail
	owner types.UID
	// rank says how much the log is likely to tell, lower first.
	rank int
}

// logs starts the calls for the log tails worth having.
func (c *capture) logs(ctx context.Context) {
	limit := maxLogsOne
	if c.opt.Namespace == "" {
		limit = maxLogsAll
	}
	for _, w := range pickLogs(&c.snap.Objects, c.opt.Workloads, limit, c.snap.TakenAt) {
		c.start(func() { c.log(ctx, w.tail) })
	}
}

// pickLogs chooses containers that crashed, crash again and again, or run
// without becoming ready, at most maxLogsPerOwner for one owner: replicas of
// one template fail alike.
func pickLogs(o *snapshot.Objects, only []Ref, limit int, now time.Time) []logWish {
	owners := ownerNames(o)
	var all []logWish
	for _, p := range o.Pods {
		owner := p.UID
		ref := metav1.GetControllerOfNoCopy(p)
		if ref != nil {
			owner = ref.UID
		}
		if len(only) > 0 && !ofWorkload(p, ref, owners, only) {
			continue
		}
		for _, list := range [][]corev1.ContainerStatus{p.Status.InitContainerStatuses, p.Status.ContainerStatuses} {
			for i := range list {
				if rank, previous, ok := worthReading(p, &list[i], now); ok {
					all = append(all, logWish{snapshot.LogTail{Namespace: p.Namespace, Pod: p.Name, Container: list[i].Name, Previous: previous}, owner, rank})
				}
			}
		}
	}
	slices.SortStableFunc(all, func(a, b logWish) int {
		return cmp.Or(cmp.Compare(a.rank, b.rank), cmp.Compare(a.tail.Namespace, b.tail.Namespace), cmp.Compare(a.tail.Pod, b.tail.Pod), cmp.Compare(a.tail.Container, b.tail.Container))
	})
	type template struct {
		owner     types.UID
		container string
	}
	perOwner, seen := map[types.UID]int{}, map[template]bool{}
	var out []logWish
	// First one log of each container of each owner, then a second pod's.
	for _, again := range []bool{false, true} {
		for _, w := range all {
			t := template{w.owner, w.tail.Container}
			if len(out) == limit || perOwner[w.owner] == maxLogsPerOwner || seen[t] != again || slices.ContainsFunc(out, func(x logWish) bool {
				return x.tail.Pod == w.tail.Pod && x.tail.Container == w.tail.Container && x.tail.Namespace == w.tail.Namespace
			}) {
				continue
			}
			seen[t] = true
			perOwner[w.owner]++
			out = append(out, w)
		}
	}
	return out
}

// healed is how long a container must run for the kubelet to forget that it
// crashed (MaxContainerBackOff is reset after 10 minutes).
const healed = 10 * time.Minute

// worthReading tells which instance of a container has the telling log.
func worthReading(p *corev1.Pod, s *corev1.ContainerStatus, now time.Time) (rank int, previous, ok bool) {
	died := s.LastTerminationState.Terminated
	switch t := s.State.Terminated; {
	case t != nil && (t.ExitCode != 0 || t.Signal != 0):
		return 1, false, started(t)
	case s.State.Waiting != nil && died != nil && (died.ExitCode != 0 || s.State.Waiting.Reason == "CrashLoopBackOff"):
		return 0, true, started(died)
	case s.State.Running != nil && !s.Ready && p.DeletionTimestamp == nil:
		if died != nil && died.ExitCode != 0 {
			return 0, true, started(died)
		}
		return 2, false, true
	case s.State.Running != nil && died != nil && died.ExitCode != 0 && now.Sub(s.State.Running.StartedAt.Time) < healed:
		// Without a readiness probe a container is Ready from its start to its
		// next death; why it died is in the log of the instance before.
		return 1, true, started(died)
	}
	return 0, false, false
}

// started is false for a container that failed before its first instruction
// (StartError, ContainerCannotRun): it has no log.
func started(t *corev1.ContainerStateTerminated) bool {
	return t.Reason != "StartError" && t.Reason != "ContainerCannotRun" && t.Reason != "ContainerStatusUnknown"
}

// ownerNames maps a ReplicaSet or Job to the workload above it.
func ownerNames(o *snapshot.Objects) map[types.UID]Ref {
	out := map[types.UID]Ref{}
	for _, rs := range o.ReplicaSets {
		if ref := metav1.GetControllerOfNoCopy(rs); ref != nil {
			out[rs.UID] = Ref{ref.Kind, ref.Name}
		}
	}
	for _, j := range o.Jobs {
		if ref := metav1.GetControllerOfNoCopy(j); ref != nil {
			out[j.UID] = Ref{ref.Kind, ref.Name}
		}
	}
	return out
}

func ofWorkload(p *corev1.Pod, ref *metav1.OwnerReference, owners map[types.UID]Ref, only []Ref) bool {
	if ref == nil {
		return slices.Contains(only, Ref{"Pod", p.Name})
	}
	above, ok := owners[ref.UID]
	return slices.Contains(only, Ref{ref.Kind, ref.Name}) || ok && slices.Contains(only, above) || slices.Contains(only, Ref{"Pod", p.Name})
}

func (c *capture) log(ctx context.Context, tail snapshot.LogTail) {
	ctx, cancel := context.WithTimeout(ctx, c.opt.LogTimeout)
	defer cancel()
	params := map[string]string{"container": tail.Container, "tailLines": strconv.Itoa(logLines), "limitBytes": strconv.Itoa(logBytes)}
	if tail.Previous {
		params["previous"] = "true"
	}
	raw, err := c.client.raw(ctx, "/api/v1/namespaces/"+tail.Namespace+"/pods/"+tail.Pod+"/log", "text/plain,*/*", params)
	if err != nil {
		if apierrors.IsNotFound(err) || apierrors.IsBadRequest(err) {
			return // the pod or the instance is gone: nothing left to read
		}
		k := &snapshot.Kind{Resource: "pods/log", Namespaced: true}
		g := gapOf(k, "get", tail.Namespace, "", err)
		if g.Reason != snapshot.GapForbidden {
			g.Name = tail.Pod
			g.Settle = fmt.Sprintf("kubectl logs -n %s %s -c %s --previous=%t", tail.Namespace, tail.Pod, tail.Container, tail.Previous)
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		if !slices.ContainsFunc(c.snap.Gaps, func(x snapshot.Gap) bool {
			return x.Resource == g.Resource && x.Namespace == g.Namespace && x.Name == g.Name
		}) {
			c.snap.Gaps = append(c.snap.Gaps, g)
		}
		return
	}
	if strings.HasPrefix(string(raw), noLog) {
		return // the runtime has removed the instance; this is not the program's word
	}
	if tail.Lines = snapshot.TailLines(string(raw)); len(tail.Lines) > 0 {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.snap.Logs = append(c.snap.Logs, tail)
	}
}
