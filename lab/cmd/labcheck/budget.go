package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// What `why -A` may need on a lab full of scenarios. The time is a goal for a
// quiet machine: it is printed and fails nothing.
const (
	maxRequests = 50
	maxPeakKB   = 60_000
	goalWall    = time.Second
)

func budget(ctx context.Context, l lab) error {
	namespaces, err := l.client.CoreV1().Namespaces().List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	var runs []answer
	for range 3 {
		a, err := l.unjam.why(ctx, "-A")
		if err != nil {
			return err
		}
		runs = append(runs, a)
	}
	slices.SortFunc(runs, func(a, b answer) int { return int(a.wall - b.wall) })
	peak := slices.MaxFunc(runs, func(a, b answer) int { return int(a.peakKB - b.peakKB) }).peakKB
	last := runs[0]
	fmt.Printf("why -A, %d namespaces, %d verdicts: %d ms (goal %v), %d API requests (at most %d), peak %d MB (at most %d)\n",
		len(namespaces.Items), len(last.report.Verdicts), last.wall.Milliseconds(), goalWall, last.requests, maxRequests, peak/1000, maxPeakKB/1000)
	var errs []error
	if last.requests > maxRequests {
		errs = append(errs, fmt.Errorf("%d API requests", last.requests))
	}
	if peak > maxPeakKB {
		errs = append(errs, fmt.Errorf("a peak of %d KiB", peak))
	}
	return errors.Join(errs...)
}

// system checks that nothing is found where no scenario is.
func system(ctx context.Context, l lab) error {
	var errs []error
	for _, ns := range []string{"default", "kube-system", "kube-public", "kube-node-lease"} {
		a, err := l.unjam.why(ctx, "-n", ns)
		if err != nil {
			return err
		}
		for _, v := range a.report.Verdicts {
			if v.State != "healthy" || v.Primary != nil {
				errs = append(errs, errors.New(v.String()))
			}
		}
	}
	if len(errs) == 0 {
		fmt.Println("system namespaces: nothing is found")
	}
	return errors.Join(errs...)
}
