// Command labsoak plays rollouts that recover by themselves or are merely slow
// on a lab with real nodes, and counts how often unjam dooms one falsely.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"

	"github.com/unjam-dev/unjam/lab/cluster"
	"github.com/unjam-dev/unjam/lab/soak"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "labsoak:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	e := &soak.Env{}
	var lab, only, out, cut string
	var seed uint64
	var rollouts int
	var list, table bool
	f := flag.NewFlagSet("labsoak", flag.ContinueOnError)
	f.StringVar(&lab, "lab", "lab", "name of the lab, whose nodes' power is cut")
	f.StringVar(&e.Kubeconfig, "kubeconfig", os.Getenv("KUBECONFIG"), "cluster to use")
	f.StringVar(&e.FaultControl, "faults", os.Getenv("UNJAM_LAB_FAULTS"), "control endpoint of labfaults")
	f.StringVar(&e.Unjam, "unjam", "", "the unjam program")
	f.StringVar(&out, "out", "soak", "directory for soak.jsonl and the bundles of false dooms")
	f.StringVar(&cut, "cut-nodes", "node-3,node-4", "real nodes that the soak has for itself and cuts the power of")
	f.Uint64Var(&seed, "seed", 1, "decides kinds, order and durations")
	f.IntVar(&rollouts, "rollouts", 220, "number of rollouts, about")
	f.StringVar(&only, "only", "", "regular expression of kinds")
	f.IntVar(&e.Parallel, "parallel", 25, "rollouts at a time")
	f.DurationVar(&e.Spacing, "spacing", 3*time.Second, "time between two starts")
	f.DurationVar(&e.Poll, "poll", 1500*time.Millisecond, "time between two judgements")
	f.DurationVar(&e.Limit, "limit", 8*time.Minute, "longest wait for one rollout")
	f.BoolVar(&list, "list", false, "print the plan and exit")
	f.BoolVar(&table, "table", false, "print the table of --out again and exit")
	if err := f.Parse(args); err != nil {
		return err
	}
	re, err := regexp.Compile("^(?:" + only + ")$")
	if err != nil {
		return err
	}
	plan := soak.Plan(seed, rollouts, func(name string) bool { return only == "" || re.MatchString(name) })
	e.Dir = out
	file := filepath.Join(out, "soak.jsonl")
	switch {
	case list:
		for _, p := range plan {
			fmt.Println(p.ID, p.Kind())
		}
		return nil
	case table:
		records, err := read(file)
		if err != nil {
			return err
		}
		return soak.WriteTable(os.Stdout, records)
	}
	e.CutNodes = strings.Split(cut, ",")
	e.Power = func(node, act string) error { return cluster.NodeAct(cluster.Options{Name: lab}, node, act) }
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	lines, err := os.Create(file)
	if err != nil {
		return err
	}
	defer lines.Close()
	enc := json.NewEncoder(lines)
	if err := e.Open(ctx); err != nil {
		return err
	}
	n := 0
	e.Progress = func(r soak.Record) {
		n++
		_ = enc.Encode(r)
		mark := "ok"
		switch {
		case r.Error != "":
			mark = "ERROR " + r.Error
		case r.Incomplete != "":
			mark = "not complete"
		case r.Doom:
			mark = "FALSE DOOM"
		}
		fmt.Fprintf(os.Stderr, "%s %3d %s %s: complete after %.0f s, %s\n", time.Now().Format("15:04:05"), n, r.Kind, r.Workload, float64(r.Completed), mark)
	}
	began := time.Now()
	records := e.Run(ctx, plan)
	if err := soak.WriteTable(os.Stdout, records); err != nil {
		return err
	}
	judged, average, errs := e.Judgements()
	fmt.Printf("seed %d, %d judgements of the whole cluster, %s each on average, in %s; %d errors\n", seed, judged, average.Round(time.Millisecond), time.Since(began).Round(time.Second), len(errs))
	for i, err := range errs {
		if i == 5 {
			break
		}
		fmt.Println("  ", err)
	}
	sum := soak.Sum(records)
	doomed := soak.Sum(records, soak.Heals, soak.Slow, soak.Node)
	if doomed.Dooms > 0 || sum.Complete < sum.Rollouts {
		return fmt.Errorf("%d false dooms, %d of %d rollouts complete", doomed.Dooms, sum.Complete, sum.Rollouts)
	}
	return nil
}

func read(file string) (out []soak.Record, err error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	sc := bufio.NewScanner(f)
	sc.Buffer(nil, 16<<20)
	for sc.Scan() {
		var r soak.Record
		if err := json.Unmarshal(sc.Bytes(), &r); err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, sc.Err()
}
