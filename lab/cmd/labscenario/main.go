// Command labscenario plays the scenarios under test/scenarios on a cluster
// and compares what unjam says with what each expects.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/unjam-dev/unjam/lab/cluster"
	"github.com/unjam-dev/unjam/lab/scenario"
)

const usage = `usage: labscenario COMMAND [flags] [NAME-PATTERN...]

  list     print the scenarios
  run      apply them, wait, run unjam, compare; exit 1 when one differs
  record   as run, and save a bundle of each in its directory
  clean    remove what earlier runs with --keep left
  faults   print the faults and whether they are on
  set F    turn fault F on
  lift F   turn fault F off
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "labscenario:", err)
		os.Exit(1)
	}
}

type options struct {
	root, kubeconfig, unjam, faults, ip, nodes, runtime, lab string
	parallel                                                 int
	spacing, patience                                        time.Duration
	keep, again, brief, serial, power                        bool
}

func run(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return errors.New(usage)
	}
	var o options
	f := flag.NewFlagSet("labscenario "+args[0], flag.ContinueOnError)
	f.StringVar(&o.root, "root", "test/scenarios", "directory of the scenarios")
	f.StringVar(&o.kubeconfig, "kubeconfig", os.Getenv("KUBECONFIG"), "cluster to use")
	f.StringVar(&o.unjam, "unjam", "", "the unjam program; without it nothing is judged")
	f.StringVar(&o.faults, "faults", os.Getenv("UNJAM_LAB_FAULTS"), "control endpoint of labfaults: http://host:port or unix:///path")
	f.StringVar(&o.ip, "lab-ip", "", "address of the fault registries as the cluster sees it (default 10.77.0.1, on hollow nodes 127.0.0.1)")
	f.StringVar(&o.nodes, "nodes", "real", "what the cluster's nodes are: real or hollow")
	f.StringVar(&o.lab, "lab", "", "name of the lab, for scenarios that cut a node's power; without it they are left out")
	f.BoolVar(&o.power, "power", false, "play only the scenarios that cut a node's power, which need --lab")
	f.BoolVar(&o.serial, "serial", false, "the nodes pull one image at a time: play the scenarios that need this, and only these")
	f.StringVar(&o.runtime, "runtime", "", "the nodes' runtime where it is not containerd 2.x, for example containerd-1.6; bundles then carry its name")
	f.IntVar(&o.parallel, "parallel", 40, "scenarios at a time")
	f.DurationVar(&o.patience, "patience", time.Minute, "how much later than expected a final state may come")
	f.DurationVar(&o.spacing, "spacing", time.Second, "time between two starts")
	f.BoolVar(&o.keep, "keep", false, "leave the scenarios in the cluster")
	f.BoolVar(&o.again, "again", false, "play once more what was not as expected, in a fresh namespace")
	f.BoolVar(&o.brief, "brief", false, "print only what is not as expected, and a line of progress a minute")
	if err := f.Parse(args[1:]); err != nil {
		return err
	}
	if o.ip == "" {
		o.ip = map[bool]string{true: "127.0.0.1", false: "10.77.0.1"}[o.nodes == "hollow"]
	}
	faults := scenario.NewFaults(o.faults)
	switch args[0] {
	case "list":
		return list(o, f.Args())
	case "run", "record":
		return play(ctx, o, faults, args[0] == "record", f.Args())
	case "clean":
		return clean(ctx, o, f.Args())
	case "faults":
		if faults == nil {
			return errors.New("--faults is missing")
		}
		b, err := faults.List(ctx)
		fmt.Println(string(b))
		return err
	case "set", "lift":
		for _, name := range f.Args() {
			if err := faults.Set(ctx, name, args[0] == "set"); err != nil {
				return err
			}
		}
		return nil
	}
	return errors.New(usage)
}

// choose loads the scenarios that fit the nodes and one of the patterns, which
// match a whole name or family.
func choose(o options, patterns []string) ([]scenario.Scenario, error) {
	all, err := scenario.Load(o.root)
	if err != nil {
		return nil, err
	}
	var re *regexp.Regexp
	if len(patterns) > 0 {
		if re, err = regexp.Compile("^(?:" + strings.Join(patterns, "|") + ")$"); err != nil {
			return nil, fmt.Errorf("name pattern: %w", err)
		}
	}
	all = slices.DeleteFunc(all, func(s scenario.Scenario) bool {
		wrongNodes := s.Expect.Needs != "any" && s.Expect.Needs != o.nodes
		wrongNodes = wrongNodes || s.Expect.Serial != o.serial || o.lab == "" && s.Expect.CutsPower() || o.power && !s.Expect.CutsPower()
		return wrongNodes || (re != nil && !re.MatchString(s.Name) && !re.MatchString(s.Family))
	})
	if len(all) == 0 {
		return nil, errors.New("no scenario fits")
	}
	for i := range all {
		all[i].Expect = all[i].Expect.Under(o.runtime)
	}
	return all, nil
}

func list(o options, patterns []string) error {
	all, err := choose(o, patterns)
	for _, s := range all {
		fmt.Printf("%-14s %-36s %-12s %s\n", s.Family, s.Name, s.Expect.State, s.Expect.Cause)
	}
	return err
}

func clean(ctx context.Context, o options, patterns []string) error {
	all, err := choose(o, patterns)
	if err != nil {
		return err
	}
	connected, err := scenario.Connect(o.kubeconfig)
	if err != nil {
		return err
	}
	var errs []error
	for _, s := range all {
		errs = append(errs, connected.Clean(ctx, s))
	}
	return errors.Join(errs...)
}

func play(ctx context.Context, o options, faults *scenario.Faults, record bool, patterns []string) error {
	all, err := choose(o, patterns)
	if err != nil {
		return err
	}
	if record && o.unjam == "" {
		return errors.New("record needs --unjam")
	}
	connected, err := scenario.Connect(o.kubeconfig)
	if err != nil {
		return err
	}
	nodes, err := connected.Nodes(ctx)
	if err != nil {
		return err
	}
	if len(nodes) == 0 {
		return errors.New("the cluster has no Ready node")
	}
	slices.Sort(nodes)
	vars := scenario.Vars{"LAB_IP": o.ip, "NODE": nodes[0], "LAB_CA": ""}
	if faults != nil {
		if vars["LAB_CA"], err = faults.CABundle(ctx); err != nil {
			return err
		}
	}
	// The longest first: they decide when the whole run ends.
	slices.SortStableFunc(all, func(a, b scenario.Scenario) int { return cmp.Compare(b.Expect.Settle, a.Expect.Settle) })
	done := 0
	r := &scenario.Runner{Cluster: connected, Faults: faults, Vars: vars, Kubeconfig: o.kubeconfig, Unjam: o.unjam, Record: record, Runtime: o.runtime,
		Parallel: o.parallel, Spacing: o.spacing, Patience: o.patience, Keep: o.keep, Again: o.again}
	if o.lab != "" {
		r.Power = func(node, act string) error { return cluster.NodeAct(cluster.Options{Name: o.lab}, node, act) }
	}
	report := make(chan scenario.Result)
	r.Progress = func(res scenario.Result) { report <- res }
	finished := make(chan []scenario.Result)
	go func() { finished <- r.Run(ctx, all) }()
	minute := time.NewTicker(time.Minute)
	defer minute.Stop()
	for {
		select {
		case <-minute.C:
			if o.brief {
				fmt.Fprintf(os.Stderr, "%d of %d scenarios played\n", done, len(all))
			}
		case res := <-report:
			done++
			if o.brief && res.Passed() {
				continue
			}
			verdict := "ok"
			if !res.Passed() {
				verdict = "not as expected"
			}
			fmt.Fprintf(os.Stderr, "%d/%d %s: %s\n", done, len(all), res.Scenario.Name, verdict)
		case results := <-finished:
			passed, err := scenario.WriteTable(os.Stdout, results, o.brief)
			if err == nil && passed < len(results) {
				err = fmt.Errorf("%d scenarios are not as expected", len(results)-passed)
			}
			return err
		}
	}
}
