package soak

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/tools/cache"

	"github.com/unjam-dev/unjam/lab/scenario"
)

// track collects what is seen of one play while it runs.
type track struct {
	ns   string
	zero time.Time

	mu        sync.Mutex
	signal    time.Duration // first sign of trouble at the API; 0 none
	judged    map[string][]Span
	completed map[string]time.Duration
	onStall   func(workload string) // once per workload
	stalled   []string
}

func (e *Env) tracked(ns string) *track {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.running[ns]
}

// watchSignals notes when the first sign of trouble of each play is visible at
// the API: a warning event, a container that waits for a bad reason or ended.
func (e *Env) watchSignals(ctx context.Context) {
	factory := informers.NewSharedInformerFactory(e.kube, 0)
	note := func(ns string) {
		if t := e.tracked(ns); t != nil {
			t.mu.Lock()
			if t.signal == 0 {
				t.signal = time.Since(t.zero)
			}
			t.mu.Unlock()
		}
	}
	see := func(o any) {
		switch o := o.(type) {
		case *corev1.Event:
			if o.Type == corev1.EventTypeWarning {
				note(o.Namespace)
			}
		case *corev1.Pod:
			if troubled(o) {
				note(o.Namespace)
			}
		}
	}
	handler := cache.ResourceEventHandlerFuncs{AddFunc: see, UpdateFunc: func(_, o any) { see(o) }}
	_, _ = factory.Core().V1().Events().Informer().AddEventHandler(handler)
	_, _ = factory.Core().V1().Pods().Informer().AddEventHandler(handler)
	factory.Start(ctx.Done())
	factory.WaitForCacheSync(ctx.Done())
}

func troubled(p *corev1.Pod) bool {
	for _, c := range slices.Concat(p.Status.InitContainerStatuses, p.Status.ContainerStatuses) {
		if w := c.State.Waiting; w != nil && w.Reason != "ContainerCreating" && w.Reason != "PodInitializing" {
			return true
		}
		for _, s := range []corev1.ContainerState{c.State, c.LastTerminationState} {
			if s.Terminated != nil && s.Terminated.ExitCode != 0 {
				return true
			}
		}
	}
	return false
}

// judgeAlways runs unjam on the whole cluster again and again.
func (e *Env) judgeAlways(ctx context.Context) {
	for ctx.Err() == nil {
		began := time.Now()
		report, err := e.judge(ctx)
		took := time.Since(began)
		e.mu.Lock()
		if err == nil {
			e.judgements++
			e.judging += took
		} else if ctx.Err() == nil {
			e.judgeErrors = append(e.judgeErrors, err.Error())
		}
		e.mu.Unlock()
		for _, v := range report.Verdicts {
			if t := e.tracked(v.Workload.Namespace); t != nil {
				// What was read lies between the two ends of the run.
				t.note(strings.ToLower(v.Workload.Kind)+"/"+v.Workload.Name, began, v)
			}
		}
		pause(ctx, e.Poll-time.Since(began))
	}
}

func (e *Env) judge(ctx context.Context) (scenario.Report, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	out, err := e.program(ctx, "why", "-A", "--all", "-o", "json", "--exit-code", "simple")
	if err != nil {
		return scenario.Report{}, err
	}
	return scenario.ParseReport(out)
}

func (e *Env) program(ctx context.Context, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, e.Unjam, append(args, "--kubeconfig", e.Kubeconfig)...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) && stdout.Len() > 0 {
		err = nil // the exit code is part of the answer
	}
	if err != nil {
		err = fmt.Errorf("unjam %s: %w: %s", args[0], err, bytes.TrimSpace(stderr.Bytes()))
	}
	return stdout.Bytes(), err
}

// Judgements is how often the cluster was judged, how long one took on average,
// and the errors.
func (e *Env) Judgements() (n int, average time.Duration, errs []string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.judgements, e.judging / time.Duration(max(1, e.judgements)), e.judgeErrors
}

// note adds a verdict that was taken at a time.
func (t *track) note(workload string, at time.Time, v scenario.Verdict) {
	t.mu.Lock()
	spans, known := t.judged[workload]
	since := at.Sub(t.zero)
	if !known || since < 0 {
		t.mu.Unlock()
		return
	}
	s := Span{From: round(since), To: round(since), Moments: 1, State: v.State, Done: t.completed[workload] > 0}
	if v.Primary != nil {
		s.Cause, s.Confidence, s.Summary = v.Primary.Cause, v.Primary.Confidence, v.Primary.Summary
	}
	if n := len(spans); n > 0 && spans[n-1].same(s) {
		spans[n-1].To, spans[n-1].Moments = s.To, spans[n-1].Moments+1
	} else {
		spans = append(spans, s)
	}
	t.judged[workload] = spans
	first := v.State == "stalled" && !s.Done && t.onStall != nil && !slices.Contains(t.stalled, workload)
	if first {
		t.stalled = append(t.stalled, workload)
	}
	t.mu.Unlock()
	if first {
		t.onStall(workload)
	}
}

func (t *track) fill(r *Record) {
	t.mu.Lock()
	defer t.mu.Unlock()
	r.Signal = round(t.signal)
	r.Spans = t.judged[r.Workload]
}

// capture saves what unjam saw of a rollout that it calls stalled.
func (e *Env) capture(ns, workload string, p Planned) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	file := filepath.Join(e.Dir, fmt.Sprintf("%s-%s-%s.tgz", ns, p.kind.name, strings.ReplaceAll(workload, "/", "-")))
	if _, err := e.program(ctx, "capture", workload, "-n", ns, "-o", file); err != nil {
		e.mu.Lock()
		e.judgeErrors = append(e.judgeErrors, err.Error())
		e.mu.Unlock()
	}
}

func (e *Env) removeWebhook(ctx context.Context, name string) error {
	return e.kube.AdmissionregistrationV1().ValidatingWebhookConfigurations().Delete(ctx, name, metav1.DeleteOptions{})
}

func (e *Env) removeVolume(ctx context.Context, name string) error {
	return errors.Join(e.kube.CoreV1().PersistentVolumes().Delete(ctx, name, metav1.DeleteOptions{}),
		e.kube.StorageV1().StorageClasses().Delete(ctx, name, metav1.DeleteOptions{}))
}
