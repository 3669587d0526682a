// Package capture is the only door through which a live cluster is read: it
// lists objects, fetches a few log tails and returns a snapshot. What it may
// not or cannot read becomes a gap.
package capture

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/rest"

	"github.com/unjam-dev/unjam/internal/snapshot"
)

// Ref names a workload by kind ("Deployment"), in the namespace of Options.
type Ref struct{ Kind, Name string }

// Options say what to read.
type Options struct {
	// Context is the kubeconfig context, for the snapshot's origin.
	Context string
	// Namespace limits the capture to one namespace and the cluster-scoped
	// kinds; empty means all namespaces.
	Namespace string
	// Workloads, if any, limit log tails to these. Objects are read for the
	// whole namespace all the same: that costs the same number of calls, and
	// quotas, siblings and rivals live there.
	Workloads []Ref
	// NoLogs leaves out log tails.
	NoLogs bool

	// ListTimeout bounds one list call, which is one page (20 s).
	ListTimeout time.Duration
	// ConnectTimeout bounds the first call, which tells a dead server (10 s).
	ConnectTimeout time.Duration
	// LogTimeout bounds one log call (5 s): the kubelet of a dead node hangs.
	LogTimeout time.Duration
	// Parallel is the number of calls under way at once (8).
	Parallel int
	// PageSize is the limit of one list call (500, as kubectl's).
	PageSize int64
	// Now is the clock; time.Now when nil.
	Now func() time.Time
}

func (o Options) withDefaults() Options {
	o.ListTimeout = cmp.Or(o.ListTimeout, 20*time.Second)
	o.ConnectTimeout = cmp.Or(o.ConnectTimeout, 10*time.Second)
	o.LogTimeout = cmp.Or(o.LogTimeout, 5*time.Second)
	o.Parallel = cmp.Or(o.Parallel, 8)
	o.PageSize = cmp.Or(o.PageSize, 500)
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}

// capture is one capture under way. Each kind is read by one goroutine into its
// own slice of objects; gaps and results are guarded by mu.
type capture struct {
	opt    Options
	client *client
	snap   *snapshot.Snapshot
	group  *errgroup.Group
	shared *snapshot.Shared

	mu    sync.Mutex
	read  int     // lists that gave something, if only emptiness
	first []error // errors of lists that gave nothing
}

// Cluster reads a cluster. A kind that cannot be read is a gap; an error is
// returned only when nothing could be read: *UnreachableError when the server
// does not answer, *LoginError when it refuses the caller.
//
// Lists ask for the latest state (no resourceVersion): servers since 1.31
// answer that from their cache, and resourceVersion=0 would ignore the page
// size and could show a state from before the last apply.
func Cluster(ctx context.Context, cfg *rest.Config, opt Options) (*snapshot.Snapshot, Stats, error) {
	opt = opt.withDefaults()
	start := opt.Now()
	cl, err := newClient(cfg)
	if err != nil {
		return nil, Stats{}, err
	}
	c := &capture{opt: opt, client: cl, snap: &snapshot.Snapshot{}, shared: snapshot.NewShared()}
	err = c.run(ctx)
	stats := cl.stats()
	stats.Duration = opt.Now().Sub(start)
	if err != nil {
		return nil, stats, err
	}
	return c.snap, stats, nil
}

func (c *capture) run(ctx context.Context) error {
	version, err := c.version(ctx)
	if err != nil {
		return err
	}
	c.snap.Origin = snapshot.Origin{Kind: "cluster", Name: c.opt.Context, ServerVersion: version, Namespace: c.opt.Namespace}

	c.parallel(func() {
		c.start(func() { c.extras(ctx) })
		for _, k := range byWeight() {
			switch k.Resource {
			case "secrets", "configmaps": // only where something depends on them, below
			case "leases":
				c.start(func() { c.leases(ctx, k) })
			case "namespaces":
				c.start(func() { c.namespaces(ctx, k) })
			case "events":
				c.start(func() { c.events(ctx, k) })
			default:
				c.start(func() { c.list(ctx, k, c.scope(k), "") })
			}
		}
	})
	if c.read == 0 {
		return c.refused()
	}
	c.shared = snapshot.NewShared() // the index of the lists has served
	if c.opt.Namespace == "" {
		c.snap.Objects.Slim()
	}
	c.parallel(func() {
		need := needs(&c.snap.Objects)
		c.start(func() { c.secrets(ctx, need) })
		c.start(func() { c.configMaps(ctx, need) })
		c.start(func() { c.signingRequests(ctx) })
		if c.opt.Namespace != "" {
			c.start(func() { c.neighbours(ctx) })
		}
		if !c.opt.NoLogs {
			c.logs(ctx)
		}
	})
	if err := ctx.Err(); err != nil {
		return err
	}
	c.snap.Tidy()
	slices.SortStableFunc(c.snap.Gaps, func(a, b snapshot.Gap) int {
		return cmp.Or(cmp.Compare(a.Resource, b.Resource), cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
	})
	c.snap.TakenAt = c.client.clock(c.opt.Now())
	return nil
}

// parallel runs what f starts, bounded, and waits for it.
func (c *capture) parallel(f func()) {
	c.group = &errgroup.Group{}
	c.group.SetLimit(c.opt.Parallel)
	f()
	_ = c.group.Wait() // tasks report through gaps
}

func (c *capture) start(f func()) {
	c.group.Go(func() error { f(); return nil })
}

// byWeight is the table of kinds with the long lists first, so that they do
// not start last.
func byWeight() []*snapshot.Kind {
	heavy := []string{"events", "pods", "replicasets", "nodes"}
	out := slices.Clone(snapshot.Kinds)
	rank := func(k *snapshot.Kind) int {
		if i := slices.Index(heavy, k.Resource); i >= 0 {
			return i
		}
		return len(heavy)
	}
	slices.SortStableFunc(out, func(a, b *snapshot.Kind) int { return cmp.Compare(rank(a), rank(b)) })
	return out
}

func (c *capture) scope(k *snapshot.Kind) string {
	if k.Namespaced {
		return c.opt.Namespace
	}
	return ""
}

// leases reads the heartbeats of nodes and the leaders of the control plane,
// not every lease of every operator.
func (c *capture) leases(ctx context.Context, k *snapshot.Kind) {
	spaces := []string{corev1.NamespaceNodeLease, "kube-system"}
	for _, ns := range spaces {
		c.list(ctx, k, ns, "")
	}
	c.gap(snapshot.Gap{Resource: k.Resource, Except: spaces, Reason: snapshot.GapNotNeeded, Detail: "leases of nodes and the control plane are enough"})
}

// namespaces reads all of them, or in a capture of one namespace that object
// alone: a right that even a Role in the namespace gives.
func (c *capture) namespaces(ctx context.Context, k *snapshot.Kind) {
	if c.opt.Namespace == "" {
		c.list(ctx, k, "", "")
		return
	}
	ns := &corev1.Namespace{}
	ctx, cancel := context.WithTimeout(ctx, c.opt.ListTimeout)
	defer cancel()
	err := c.client.get(ctx, k, "", c.opt.Namespace, ns)
	if err == nil {
		c.mu.Lock()
		k.Take(&c.snap.Objects, &corev1.NamespaceList{Items: []corev1.Namespace{*ns}})
		c.mu.Unlock()
	} else if !isNotFound(err) {
		c.gap(gapOf(k, "get", "", c.opt.Namespace, err))
	}
	c.gap(snapshot.Gap{Resource: k.Resource, Reason: snapshot.GapNotNeeded, Detail: "only namespace " + c.opt.Namespace + " was read"})
}

// events reads the namespace's events and, for one namespace, the nodes' too,
// which the kubelet writes into default.
func (c *capture) events(ctx context.Context, k *snapshot.Kind) {
	c.list(ctx, k, c.opt.Namespace, "")
	if c.opt.Namespace != "" && c.opt.Namespace != "default" {
		c.listPart(ctx, k, "default", "involvedObject.kind=Node")
	}
}

func (c *capture) gap(g snapshot.Gap) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.snap.Gaps = append(c.snap.Gaps, g)
}
