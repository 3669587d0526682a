package soak

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Run plays a plan and returns a record of each rollout.
func (e *Env) Run(ctx context.Context, plan []Planned) []Record {
	watching, stop := context.WithCancel(ctx)
	defer stop()
	e.watchSignals(watching)
	go e.judgeAlways(watching)
	go e.playAutoscaler(watching)
	slots := make(chan struct{}, max(1, e.Parallel))
	var mu sync.Mutex
	var all []Record
	var wg sync.WaitGroup
	for _, p := range plan {
		select {
		case slots <- struct{}{}:
		case <-ctx.Done():
		}
		if ctx.Err() != nil {
			break
		}
		wg.Go(func() {
			defer func() { <-slots }()
			for _, r := range e.play(ctx, p) {
				mu.Lock()
				all = append(all, r)
				if e.Progress != nil {
					e.Progress(r)
				}
				mu.Unlock()
			}
		})
		pause(ctx, e.Spacing)
	}
	wg.Wait()
	return all
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// play plays one play in a namespace of its own and records its rollouts.
func (e *Env) play(ctx context.Context, p Planned) (out []Record) {
	d := &draw{Rand: rand.New(rand.NewPCG(p.seed[0], p.seed[1])), env: e, ns: fmt.Sprintf("soak-%03d", p.ID)}
	fail := func(err error) []Record {
		return []Record{{ID: p.ID, Kind: p.kind.name, Class: p.kind.class, Namespace: d.ns, Error: err.Error()}}
	}
	defer func() {
		for _, give := range d.leased {
			give()
		}
		if r := recover(); r != nil {
			err, ok := r.(error)
			if !ok {
				panic(r)
			}
			out = fail(err)
		}
	}()
	made := p.kind.make(d)
	ns := object{"apiVersion": "v1", "kind": "Namespace", "metadata": object{"name": d.ns}}
	defer func() {
		ctx, cancel := patient()
		defer cancel()
		_ = e.kube.CoreV1().Namespaces().Delete(ctx, d.ns, metav1.DeleteOptions{})
	}()
	if err := e.apply(ctx, d.ns, append([]object{ns}, made.before...)...); err != nil {
		return fail(err)
	}
	for _, o := range made.before {
		if err := e.settleBefore(ctx, d.ns, o); err != nil {
			return fail(err)
		}
	}
	return e.observe(ctx, d, p, made)
}

// settleBefore waits until what a rollout starts from is there: workloads are
// complete, Jobs run.
func (e *Env) settleBefore(ctx context.Context, ns string, o object) error {
	switch o["kind"] {
	case "Deployment", "StatefulSet":
		return e.until(ctx, 2*time.Minute, func() (bool, error) {
			st, err := e.status(ctx, ns, id(o))
			return st.complete, err
		})
	case "Job":
		return e.until(ctx, 2*time.Minute, func() (bool, error) {
			j, err := e.kube.BatchV1().Jobs(ns).Get(ctx, o["metadata"].(object)["name"].(string), metav1.GetOptions{})
			return err == nil && j.Status.Ready != nil && *j.Status.Ready > 0, err
		})
	case "ResourceQuota":
		return e.until(ctx, time.Minute, func() (bool, error) {
			q, err := e.kube.CoreV1().ResourceQuotas(ns).Get(ctx, "pods", metav1.GetOptions{})
			return err == nil && len(q.Status.Hard) > 0, err
		})
	case "ValidatingWebhookConfiguration":
		pause(ctx, 3*time.Second) // the API server reads new webhooks every second
	}
	return nil
}

func (e *Env) observe(ctx context.Context, d *draw, p Planned, made play) []Record {
	zero := time.Now()
	t := &track{ns: d.ns, zero: zero, judged: map[string][]Span{}, onStall: func(workload string) { e.capture(d.ns, workload, p) }}
	for _, w := range made.workloads {
		t.judged[w] = nil
	}
	if !p.kind.class.doomed() {
		t.onStall = nil
	}
	e.mu.Lock()
	e.running[d.ns] = t
	e.mu.Unlock()
	defer func() {
		e.mu.Lock()
		delete(e.running, d.ns)
		e.mu.Unlock()
	}()
	records := make([]Record, len(made.workloads))
	for i, w := range made.workloads {
		records[i] = Record{ID: p.ID, Kind: p.kind.name, Class: p.kind.class, Namespace: d.ns, Workload: w, Causes: p.kind.causes, Accepted: p.kind.accepted, Start: zero.UTC()}
	}
	var stepErr error
	if stepErr = e.apply(ctx, d.ns, made.start...); stepErr != nil {
		for i := range records {
			records[i].Error = stepErr.Error()
		}
		return records
	}
	generation := map[string]int64{}
	for _, w := range made.workloads {
		if st, err := e.status(ctx, d.ns, w); err == nil {
			generation[w] = st.generation
		}
	}
	stepsDone := make(chan []Step, 1)
	go func() { stepsDone <- e.steps(ctx, zero, made.steps) }()
	var wg sync.WaitGroup
	for i := range records {
		wg.Go(func() { e.follow(ctx, &records[i], t, generation[records[i].Workload]) })
	}
	wg.Wait()
	steps := <-stepsDone
	for i := range records {
		records[i].Steps = steps
		t.fill(&records[i])
		for _, s := range steps {
			if s.Error != "" {
				records[i].Error = s.What + ": " + s.Error
			}
		}
		records[i].conclude()
	}
	return records
}

func (e *Env) steps(ctx context.Context, zero time.Time, list []step) (done []Step) {
	for _, s := range list {
		pause(ctx, time.Until(zero.Add(s.after)))
		if ctx.Err() != nil {
			return done
		}
		out := Step{At: round(time.Since(zero)), What: s.what}
		if err := s.do(e); err != nil {
			out.Error = err.Error()
		}
		done = append(done, out)
	}
	return done
}

// follow waits until one rollout is complete, and a little to see it called so.
func (e *Env) follow(ctx context.Context, r *Record, t *track, generation int64) {
	// Complete counts from the first look of a streak: a container without a
	// readiness probe is counted as available for the moment before it crashes.
	const streak = 5
	complete, at := 0, time.Duration(0)
	err := e.until(ctx, e.Limit, func() (bool, error) {
		st, err := e.status(ctx, r.Namespace, r.Workload)
		if err == nil && st.generation != generation {
			r.Changed = true
		}
		if err != nil || !st.complete {
			complete = 0
			return false, err
		}
		if complete++; complete == 1 {
			at = time.Since(t.zero)
		}
		return complete >= streak, nil
	})
	if err != nil {
		r.Incomplete = err.Error()
		return
	}
	r.Completed = round(at)
	t.mu.Lock()
	if t.completed == nil {
		t.completed = map[string]time.Duration{}
	}
	t.completed[r.Workload] = at
	t.mu.Unlock()
	pause(ctx, 3*e.Poll+2*time.Second)
}

type status struct {
	complete   bool
	generation int64
}

// status reads a workload's counts as its controller wrote them.
func (e *Env) status(ctx context.Context, ns, workload string) (status, error) {
	kind, name, _ := strings.Cut(workload, "/")
	get := metav1.GetOptions{}
	switch kind {
	case "deployment":
		w, err := e.kube.AppsV1().Deployments(ns).Get(ctx, name, get)
		if err != nil {
			return status{}, err
		}
		s, n := w.Status, *w.Spec.Replicas
		return status{s.ObservedGeneration >= w.Generation && s.UpdatedReplicas == n && s.AvailableReplicas == n && s.Replicas == n, w.Generation}, nil
	case "statefulset":
		w, err := e.kube.AppsV1().StatefulSets(ns).Get(ctx, name, get)
		if err != nil {
			return status{}, err
		}
		return statefulSetStatus(w), nil
	case "daemonset":
		w, err := e.kube.AppsV1().DaemonSets(ns).Get(ctx, name, get)
		if err != nil {
			return status{}, err
		}
		s := w.Status
		return status{s.ObservedGeneration >= w.Generation && s.DesiredNumberScheduled > 0 && s.NumberAvailable == s.DesiredNumberScheduled &&
			s.UpdatedNumberScheduled == s.DesiredNumberScheduled, w.Generation}, nil
	case "job":
		w, err := e.kube.BatchV1().Jobs(ns).Get(ctx, name, get)
		if err != nil {
			return status{}, err
		}
		for _, c := range w.Status.Conditions {
			switch {
			case c.Type == batchv1.JobFailed && c.Status == "True":
				return status{}, errors.New("the job failed")
			case c.Type == batchv1.JobComplete && c.Status == "True":
				return status{true, w.Generation}, nil
			}
		}
		return status{false, w.Generation}, nil
	}
	return status{}, fmt.Errorf("no workload of kind %s", kind)
}

func statefulSetStatus(w *appsv1.StatefulSet) status {
	s, n := w.Status, *w.Spec.Replicas
	return status{s.ObservedGeneration >= w.Generation && s.ReadyReplicas == n && s.AvailableReplicas == n && s.UpdatedReplicas == n && s.CurrentRevision == s.UpdateRevision, w.Generation}
}

func (e *Env) until(ctx context.Context, limit time.Duration, done func() (bool, error)) error {
	deadline := time.Now().Add(limit)
	for {
		ok, err := done()
		if ok {
			return nil
		}
		if time.Now().After(deadline) || ctx.Err() != nil {
			return errors.Join(fmt.Errorf("not after %v", limit), err, ctx.Err())
		}
		pause(ctx, time.Second)
	}
}

func round(d time.Duration) Seconds { return Seconds(d.Round(100 * time.Millisecond).Seconds()) }
