// Package oracle asks the plugins of the real scheduler about clusters that
// exist only in memory. It is the truth that package fit is held to.
package oracle

import (
	"context"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/tools/events"
	"k8s.io/klog/v2"
	fwk "k8s.io/kube-scheduler/framework"
	"k8s.io/kubernetes/pkg/scheduler"
	"k8s.io/kubernetes/pkg/scheduler/backend/cache"
	"k8s.io/kubernetes/pkg/scheduler/framework"
	"k8s.io/kubernetes/pkg/scheduler/profile"
)

// Cluster is what the scheduler is told.
type Cluster struct {
	Nodes []*corev1.Node
	// Pods are those on nodes, none of them finished.
	Pods []*corev1.Pod
	// Nominated are pending pods with status.nominatedNodeName.
	Nominated []*corev1.Pod
	// Others are claims, volumes, classes, CSI nodes, attachments and namespaces.
	Others []runtime.Object
}

// Oracle is a scheduler with the default profile over one cluster. It schedules nothing.
type Oracle struct {
	framework framework.Framework
	filters   []string
	nodes     []fwk.NodeInfo
	stop      context.CancelFunc
}

// Close ends its informers.
func (o *Oracle) Close() { o.stop() }

// New builds the scheduler and waits until it has seen the objects.
func New(parent context.Context, c Cluster) (*Oracle, error) {
	ctx, stop := context.WithCancel(klog.NewContext(parent, klog.Background()))
	client := fake.NewClientset(c.Others...)
	factory := informers.NewSharedInformerFactory(client, 0)
	snapshot := cache.NewSnapshot(c.Pods, c.Nodes)
	broadcaster := events.NewBroadcaster(&events.EventSinkImpl{Interface: client.EventsV1()})
	s, err := scheduler.New(ctx, client, factory, nil, profile.NewRecorderFactory(broadcaster), scheduler.WithNodeInfoSnapshot(snapshot))
	if err != nil {
		stop()
		return nil, err
	}
	factory.Start(ctx.Done())
	factory.WaitForCacheSync(ctx.Done())
	o := &Oracle{framework: s.Profiles[corev1.DefaultSchedulerName], stop: stop}
	if err := s.WaitForHandlersSync(ctx); err != nil {
		stop()
		return nil, err
	}
	for _, p := range o.framework.ListPlugins().Filter.Enabled {
		o.filters = append(o.filters, p.Name)
	}
	for _, p := range c.Nominated {
		info, err := framework.NewPodInfo(p)
		if err != nil {
			stop()
			return nil, err
		}
		s.SchedulingQueue.AddNominatedPod(klog.Background(), info, &fwk.NominatingInfo{NominatingMode: fwk.ModeOverride, NominatedNodeName: p.Status.NominatedNodeName})
	}
	if o.nodes, err = snapshot.NodeInfos().List(); err != nil {
		stop()
		return nil, err
	}
	slices.SortFunc(o.nodes, func(a, b fwk.NodeInfo) int { return strings.Compare(a.Node().Name, b.Node().Name) })
	return o, nil
}

// Answer is what the scheduler says of one pod.
type Answer struct {
	// PreFilter is the reason that holds for all nodes, empty when there is none.
	PreFilter string
	Nodes     []NodeAnswer
}

// NodeAnswer is what it says of one node.
type NodeAnswer struct {
	Node string
	// Excluded nodes were left out by a PreFilter plugin.
	Excluded bool
	// First are the reasons the scheduler would print, with nominated pods counted.
	First []string
	// All are the reasons of each plugin asked alone, nominated pods not counted.
	All []string
}

// Fits tells whether some node takes the pod.
func (a Answer) Fits() bool {
	return a.PreFilter == "" && slices.ContainsFunc(a.Nodes, func(n NodeAnswer) bool { return !n.Excluded && len(n.First) == 0 })
}

// Ask runs the PreFilter plugins and, on each node, all Filter plugins: as the
// scheduler does, and then each alone, because the scheduler stops at the first.
func (o *Oracle) Ask(ctx context.Context, pod *corev1.Pod) (Answer, error) {
	state := framework.NewCycleState()
	result, status, _ := o.framework.RunPreFilterPlugins(ctx, state, pod)
	if !status.IsSuccess() {
		// An error, not a refusal, also keeps the pod where it is.
		return Answer{PreFilter: status.Message()}, nil
	}
	skipped := state.GetSkipFilterPlugins().Clone()
	var out Answer
	for _, n := range o.nodes {
		a := NodeAnswer{Node: n.Node().Name}
		a.Excluded = !result.AllNodes() && !result.NodeNames.Has(a.Node)
		state.SetSkipFilterPlugins(skipped)
		s := o.framework.RunFilterPluginsWithNominatedPods(ctx, state, pod, n)
		if !s.IsSuccess() && !s.IsRejected() {
			return out, fmt.Errorf("node %s: %w", a.Node, s.AsError())
		}
		a.First = reasons(s)
		for _, name := range o.filters {
			if skipped.Has(name) {
				continue
			}
			state.SetSkipFilterPlugins(sets.New(o.filters...).Delete(name))
			s := o.framework.RunFilterPlugins(ctx, state, pod, n)
			if !s.IsSuccess() && !s.IsRejected() {
				return out, fmt.Errorf("node %s, %s: %w", a.Node, name, s.AsError())
			}
			a.All = append(a.All, reasons(s)...)
		}
		out.Nodes = append(out.Nodes, a)
	}
	return out, nil
}

func reasons(s *fwk.Status) []string {
	if s.IsSuccess() {
		return nil
	}
	return s.Reasons()
}
