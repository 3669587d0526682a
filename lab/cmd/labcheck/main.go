// Command labcheck checks on a lab full of scenarios what holds for unjam as a
// whole: how much `why -A` asks for and needs, that it finds nothing in system
// namespaces, that one workload costs the same number of API requests whatever
// the number of its pods, and that missing rights become gaps; and on a lab
// filled by labload that exactly the troubled workloads are found.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
)

// check is one thing that must hold. It prints what it measured.
type check struct {
	name string
	run  func(context.Context, lab) error
}

var checks = []check{
	{"budget", budget},
	{"system", system},
	{"requests", requests},
	{"rights", rights},
}

// alone is what needs a lab of its own; it runs only when named.
var alone = check{"fleet", fleet}

// lab is the cluster to check with, and the program to check.
type lab struct {
	unjam  program
	client kubernetes.Interface
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "labcheck:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	f := flag.NewFlagSet("labcheck [CHECK...]", flag.ContinueOnError)
	kubeconfig := f.String("kubeconfig", os.Getenv("KUBECONFIG"), "cluster to use")
	unjam := f.String("unjam", "bin/unjam", "the unjam program")
	if err := f.Parse(args); err != nil {
		return err
	}
	chosen, err := choose(f.Args())
	if err != nil {
		return err
	}
	cfg, err := clientcmd.BuildConfigFromFlags("", *kubeconfig)
	if err != nil {
		return err
	}
	cfg.QPS = -1
	client, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		return err
	}
	l := lab{unjam: program{path: *unjam, kubeconfig: *kubeconfig}, client: client}
	var errs []error
	for _, c := range chosen {
		if err := c.run(ctx, l); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", c.name, err))
		}
	}
	return errors.Join(errs...)
}

func choose(names []string) ([]check, error) {
	if len(names) == 0 {
		return checks, nil
	}
	var out []check
	var known []string
	for _, c := range append(checks[:len(checks):len(checks)], alone) {
		known = append(known, c.name)
		for _, n := range names {
			if n == c.name {
				out = append(out, c)
			}
		}
	}
	if len(out) != len(names) {
		return nil, fmt.Errorf("checks are %s", strings.Join(known, ", "))
	}
	return out, nil
}
