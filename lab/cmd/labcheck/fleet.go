package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/unjam-dev/unjam/lab/load"
)

// maxFleetKB bounds the peak of `why -A` at 10,000 pods. It guards against
// growth: 178 to 184 MB were measured. The aim is 400 MB at 100,000.
const maxFleetKB = 240_000

// tries is how often a fleet is judged until nothing of it is unknown.
const tries = 3

// fleetCauses are the answers that are right for each trouble.
var fleetCauses = map[load.Trouble][]string{
	load.NoNode:  {"node-affinity-mismatch"},
	load.NoImage: {"tag-not-found"},
	load.Crash:   {"crashloop-app-error"},
}

// fleet checks on a lab that labload filled that every troubled Deployment is
// found with its cause, and nothing else is.
func fleet(ctx context.Context, l lab) error {
	list, err := l.client.AppsV1().Deployments("").List(ctx, metav1.ListOptions{LabelSelector: load.TroubleLabel})
	if err != nil {
		return err
	}
	if len(list.Items) == 0 {
		return errors.New("no Deployment says what is wrong with it: fill the lab with labload")
	}
	var a answer
	for range tries {
		if a, err = l.unjam.why(ctx, "-A"); err != nil {
			return err
		}
		// A server that was filled a moment ago may let a list time out; what
		// could not be read is said to be unknown, and is read again.
		if !slices.ContainsFunc(a.report.Verdicts, func(v verdict) bool { return v.State == "unknown" }) {
			break
		}
	}
	want := map[string]load.Trouble{}
	for _, d := range list.Items {
		want[d.Namespace+"/"+d.Name] = load.Trouble(d.Labels[load.TroubleLabel])
	}
	found := 0
	var errs []error
	for _, v := range a.report.Verdicts {
		name := v.Workload.Namespace + "/" + v.Workload.Name
		trouble, ok := want[name]
		delete(want, name)
		if !ok || v.State != "stalled" || v.Primary == nil || !slices.Contains(fleetCauses[trouble], v.Primary.Cause) {
			errs = append(errs, fmt.Errorf("%s, want %q", v, trouble))
			continue
		}
		found++
	}
	for name, trouble := range want {
		errs = append(errs, fmt.Errorf("%s: %s was not found", name, trouble))
	}
	fmt.Printf("fleet: %d of %d stalls found, %d ms, %d API requests, peak %d MB (at most %d)\n",
		found, len(list.Items), a.wall.Milliseconds(), a.requests, a.peakKB/1000, maxFleetKB/1000)
	if a.peakKB > maxFleetKB {
		errs = append(errs, fmt.Errorf("a peak of %d KiB", a.peakKB))
	}
	return errors.Join(errs[:min(len(errs), 10)]...)
}
