package scenario

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Runner plays scenarios.
type Runner struct {
	Cluster *Cluster
	Faults  *Faults
	// Vars fill the manifests.
	Vars Vars
	// Kubeconfig and Unjam are the file and the program with which a scenario
	// is judged; an empty program judges nothing.
	Kubeconfig, Unjam string
	// Record makes each scenario save a bundle in its directory.
	Record bool
	// Parallel is how many scenarios run at a time.
	Parallel int
	// Spacing passes between two starts. A kubelet sends its events and statuses
	// at a limited rate: a crowd of pods at once would delay them by minutes.
	Spacing time.Duration
	// Patience is how much longer than its settle time a final state may take
	// on a busy machine. States that pass by are judged at their time only.
	Patience time.Duration
	// Keep leaves the scenarios in the cluster.
	Keep bool
	// Runtime names the nodes' runtime where it is not the usual one, for example
	// containerd-1.6. Expectations may differ for it, and bundles carry its name.
	Runtime string
	// Power stops and starts a node ("stop", "start"); nil where none can be.
	Power func(node, act string) error
	// Again plays once more, a few at a time and each in a fresh namespace, what
	// was not as expected: a busy machine can delay a state by minutes.
	Again bool
	// Progress is told of each result as it comes.
	Progress func(Result)

	fresh bool // remove first what an earlier try left
}

// Result is what came of one scenario.
type Result struct {
	Scenario Scenario
	// Wrong lists what differs from the expectation; empty is a pass.
	Wrong []string
	// State and Cause are what unjam said; Summary is its sentence.
	State, Cause, Summary string
	// Judging is how long unjam took.
	Judging time.Duration
	// Err is a failure of the lab, not of the judgement.
	Err error
	// First is what differed at the first try, when there was a second.
	First []string
}

// Passed says that the scenario ran and the expectation holds.
func (r Result) Passed() bool { return r.Err == nil && len(r.Wrong) == 0 }

// Run plays the scenarios: the ordinary ones side by side, then those that
// need the cluster for themselves one by one.
func (r *Runner) Run(ctx context.Context, scenarios []Scenario) []Result {
	results := r.round(ctx, scenarios)
	if !r.Again {
		return results
	}
	var again []Scenario
	for _, res := range results {
		if !res.Passed() {
			again = append(again, res.Scenario)
		}
	}
	if len(again) > maxAgain {
		return results
	}
	second := *r
	second.Parallel, second.fresh = min(r.Parallel, 6), true
	for _, res := range second.round(ctx, again) {
		i := slices.IndexFunc(results, func(old Result) bool { return old.Scenario.Name == res.Scenario.Name })
		res.First = results[i].problems()
		results[i] = res
	}
	return results
}

// maxAgain is the number of failures from which on a second try would only
// lengthen the run: that many are no accident.
const maxAgain = 40

func (r *Runner) round(ctx context.Context, scenarios []Scenario) []Result {
	results := make([]Result, len(scenarios))
	slots := make(chan struct{}, max(r.Parallel, 1))
	var wg sync.WaitGroup
	for i, s := range scenarios {
		if s.Expect.Exclusive {
			continue
		}
		slots <- struct{}{}
		if sleep(ctx, r.Spacing) != nil {
			break
		}
		wg.Go(func() {
			defer func() { <-slots }()
			results[i] = r.play(ctx, s)
		})
	}
	wg.Wait()
	for i, s := range scenarios {
		if ctx.Err() != nil && results[i].Scenario.Name == "" {
			results[i] = Result{Scenario: s, Err: ctx.Err()}
			continue
		}
		if s.Expect.Exclusive {
			results[i] = r.play(ctx, s)
		}
	}
	return results
}

func (r *Runner) play(ctx context.Context, s Scenario) (res Result) {
	res.Scenario = s
	var applied []*unstructured.Unstructured
	var undo []func(context.Context) error
	defer func() {
		// What was changed is taken back even when the run was cancelled.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
		defer cancel()
		for _, u := range undo {
			res.Err = errors.Join(res.Err, u(ctx))
		}
		if !r.Keep {
			res.Err = errors.Join(res.Err, r.Cluster.Remove(ctx, applied))
		}
		if r.Progress != nil {
			r.Progress(res)
		}
	}()
	if r.fresh {
		if res.Err = r.Cluster.Clean(ctx, s); res.Err == nil {
			res.Err = r.Cluster.WaitGone(ctx, s.Name)
		}
		if res.Err != nil {
			return res
		}
	}
	act := func(a Action) error { return r.act(ctx, s, a, &applied, &undo) }
	for _, a := range s.Expect.Setup {
		if res.Err = act(a); res.Err != nil {
			return res
		}
	}
	if res.Err = act(Action{Apply: "manifest.yaml"}); res.Err != nil {
		return res
	}
	for _, a := range s.Expect.During {
		if res.Err = act(a); res.Err != nil {
			return res
		}
	}
	if res.Err = sleep(ctx, time.Duration(s.Expect.Settle)); res.Err != nil {
		return res
	}
	for deadline := time.Now().Add(r.Patience); ; {
		r.judge(ctx, s, &res)
		if res.Passed() || !s.Expect.final() || time.Now().After(deadline) || sleep(ctx, 15*time.Second) != nil {
			break
		}
		res = Result{Scenario: s}
	}
	if r.Record {
		res.Err = errors.Join(res.Err, r.record(ctx, s))
	}
	return res
}

func (r *Runner) act(ctx context.Context, s Scenario, a Action, applied *[]*unstructured.Unstructured, undo *[]func(context.Context) error) error {
	switch {
	case a.Sleep > 0:
		return sleep(ctx, time.Duration(a.Sleep))
	case a.Apply != "":
		objs, err := s.Objects(a.Apply, r.Vars)
		if err != nil {
			return err
		}
		*applied = append(*applied, objs...)
		return r.Cluster.Apply(ctx, objs)
	case a.WaitComplete > 0:
		workload := s.Expect.Workload
		if a.Of != "" {
			workload = a.Of
		}
		return r.Cluster.WaitComplete(ctx, s.Name, workload, time.Duration(a.WaitComplete))
	case a.Set != "":
		return r.Faults.Set(ctx, a.Set, true)
	case a.Lift != "":
		*undo = append(*undo, func(ctx context.Context) error { return r.Faults.Set(ctx, a.Lift, true) })
		return r.Faults.Set(ctx, a.Lift, false)
	}
	return r.actOnNodes(ctx, a, undo)
}

func (r *Runner) actOnNodes(ctx context.Context, a Action, undo *[]func(context.Context) error) error {
	if a.PowerOff != "" {
		if r.Power == nil {
			return errors.New("no lab is named whose power could be cut (--lab)")
		}
		*undo = append(*undo, func(context.Context) error { return r.Power(a.PowerOff, "start") })
		return r.Power(a.PowerOff, "stop")
	}
	nodes, err := r.Cluster.Nodes(ctx)
	if err != nil {
		return err
	}
	if name := a.Cordon + a.Taint; name != "all" {
		nodes = []string{name}
	}
	if a.Cordon != "" {
		*undo = append(*undo, func(ctx context.Context) error { return r.Cluster.Cordon(ctx, nodes, false) })
		return r.Cluster.Cordon(ctx, nodes, true)
	}
	*undo = append(*undo, func(ctx context.Context) error { return r.Cluster.Taint(ctx, nodes, a.With, false) })
	return r.Cluster.Taint(ctx, nodes, a.With, true)
}

func (r *Runner) judge(ctx context.Context, s Scenario, res *Result) {
	if r.Unjam == "" {
		return
	}
	start := time.Now()
	out, err := r.unjam(ctx, append([]string{"why", "-n", s.Name, "-o", "json"}, s.targets()...)...)
	res.Judging = time.Since(start)
	report, parseErr := ParseReport(out)
	if parseErr != nil {
		res.Err = errors.Join(err, parseErr)
		return
	}
	res.Wrong = s.Judge(report)
	for _, v := range report.Verdicts[:min(1, len(report.Verdicts))] {
		res.State = v.State
		if v.Primary != nil {
			res.Cause, res.Summary = v.Primary.Cause, v.Primary.Summary
		}
	}
}

// unjam runs the program. An exit code is part of its answer, not a failure.
func (r *Runner) unjam(ctx context.Context, args ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, r.Unjam, append(args, "--kubeconfig", r.Kubeconfig)...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		if exit.ExitCode() >= 3 {
			return stdout.Bytes(), nil
		}
		err = fmt.Errorf("%s %v: %w: %s", filepath.Base(r.Unjam), args, err, bytes.TrimSpace(stderr.Bytes()))
	}
	return stdout.Bytes(), err
}

// record saves what unjam saw. The file replays in tests without a cluster.
func (r *Runner) record(ctx context.Context, s Scenario) error {
	file := "bundle.tgz"
	if r.Runtime != "" {
		file = "bundle-" + r.Runtime + ".tgz"
	}
	_, err := r.unjam(ctx, append([]string{"capture", "-n", s.Name, "-o", filepath.Join(s.Dir, file)}, s.targets()...)...)
	return err
}

// targets are what unjam is asked about; nothing means the whole namespace.
func (s Scenario) targets() []string {
	if len(s.Expect.Workloads) > 0 {
		return nil
	}
	return []string{s.Expect.Workload}
}
