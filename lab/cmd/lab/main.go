// Command lab brings a real Kubernetes up on this machine and takes it down again.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/unjam-dev/unjam/lab/cluster"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := root().ExecuteContext(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "lab:", err)
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			os.Exit(exit.ExitCode())
		}
		os.Exit(1)
	}
}

func root() *cobra.Command {
	o := cluster.Options{Progress: os.Stderr}
	c := &cobra.Command{
		Use: "lab", Short: "A real Kubernetes on this machine, built from Go modules",
		SilenceUsage: true, SilenceErrors: true,
	}
	f := c.PersistentFlags()
	f.StringVar(&o.Name, "name", "lab", "name of the lab; several run side by side")
	f.StringVar(&o.Dir, "dir", "", "state directory (default: one per name in the temporary directory)")
	f.StringVar(&o.Cache, "cache", "", "directory of built programs (default: unjam-lab in the user's cache)")
	f.StringVar(&o.Source, "source", "", "the lab module's directory (default: found from the working directory)")
	c.AddCommand(upCommand(&o), downCommand(&o), statusCommand(&o), kubectlCommand(&o), execCommand(&o), nodeCommand(&o), ableCommand())
	for name, run := range map[string]func(dir, node string) error{
		"host": func(dir, _ string) error { return cluster.Host(dir) },
		"init": func(dir, _ string) error { return cluster.Init(dir) },
		"node": cluster.Node,
	} {
		c.AddCommand(partCommand(name, run))
	}
	return c
}

// partCommand is a process of the lab, started by the lab itself.
func partCommand(name string, run func(dir, node string) error) *cobra.Command {
	var node string
	c := &cobra.Command{Use: name, Hidden: true, Args: cobra.NoArgs, RunE: func(c *cobra.Command, _ []string) error {
		dir, err := c.Flags().GetString("dir")
		if err != nil {
			return err
		}
		return run(dir, node)
	}}
	if name == "node" {
		// --name is the node's here, not the lab's.
		c.Flags().StringVar(&node, "name", "", "node")
	}
	return c
}

func upCommand(o *cluster.Options) *cobra.Command {
	c := &cobra.Command{Use: "up", Short: "Build what is missing, start, wait until ready, print how to use it", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			cl, err := cluster.Up(c.Context(), *o)
			if err != nil {
				return err
			}
			fmt.Printf("export KUBECONFIG=%s\n", cl.Kubeconfig)
			fmt.Printf("export PATH=%s:$PATH\n", cl.Bin)
			if cl.Faults != "" {
				fmt.Printf("export UNJAM_LAB_FAULTS=%s\n", cl.Faults)
			}
			return nil
		}}
	f := c.Flags()
	f.Var((*kind)(&o.Nodes), "nodes", "real (kubelet, containerd and runc; root), hollow (kubelet on a scripted runtime) or none")
	f.IntVar(&o.Count, "count", 0, "number of nodes (default: 2 real, 1 hollow)")
	f.IntVar(&o.Sim, "sim", 0, "number of simulated nodes, kept by kwok")
	f.BoolVar(&o.Still, "still", false, "run no controller that changes workloads or nodes (for labload)")
	f.StringVar(&o.Containerd, "containerd", "2.4", "runtime of real nodes: 2.4, or Debian's 1.6")
	f.BoolVar(&o.SerializePulls, "serialize-pulls", false, "pull one image at a time on each node")
	o.Nodes = cluster.Hollow
	return c
}

// kind is a NodeKind as a flag.
type kind cluster.NodeKind

func (k *kind) String() string     { return string(*k) }
func (k *kind) Set(s string) error { *k = kind(s); return nil }
func (k *kind) Type() string       { return "kind" }

func downCommand(o *cluster.Options) *cobra.Command {
	return &cobra.Command{Use: "down", Short: "End the lab and remove all that it left", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return cluster.Down(*o) }}
}

func ableCommand() *cobra.Command {
	nodes := kind(cluster.Real)
	c := &cobra.Command{Use: "able", Short: "Say whether this machine can run such nodes; exit 1 and one line when not", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return cluster.Able(cluster.NodeKind(nodes)) }}
	c.Flags().Var(&nodes, "nodes", "real or hollow")
	return c
}

func statusCommand(o *cluster.Options) *cobra.Command {
	return &cobra.Command{Use: "status", Short: "Show the lab as JSON; exit 1 when it does not run", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			st, err := cluster.Status(*o)
			if err != nil {
				return err
			}
			e := json.NewEncoder(os.Stdout)
			e.SetIndent("", "  ")
			if err := e.Encode(st); err != nil {
				return err
			}
			if !st.Running {
				return fmt.Errorf("lab %q does not run", st.Name)
			}
			return nil
		}}
}

func kubectlCommand(o *cluster.Options) *cobra.Command {
	return &cobra.Command{Use: "kubectl -- ARGS", Short: "Run kubectl on the lab", RunE: func(_ *cobra.Command, args []string) error {
		st, err := up(o)
		if err != nil {
			return err
		}
		cmd := exec.Command(filepath.Join(st.Bin, "kubectl"), args...)
		cmd.Env = append(os.Environ(), "KUBECONFIG="+st.Kubeconfig)
		return attached(cmd)
	}}
}

func execCommand(o *cluster.Options) *cobra.Command {
	var node string
	c := &cobra.Command{Use: "exec -- COMMAND", Short: "Run a command in the lab's network, or on one of its real nodes", Args: cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			st, err := up(o)
			if err != nil {
				return err
			}
			enter := []string{"--target", strconv.Itoa(st.InitPID), "--mount", "--net", "--pid"}
			if os.Getuid() != 0 {
				enter = append(enter, "--user", "--preserve-credentials")
			}
			if node == "" {
				return attached(exec.Command("nsenter", append(append(enter, "--"), args...)...))
			}
			for _, p := range st.Processes {
				if p.Name == node {
					// The node's PID counts inside the lab, so the second step starts there.
					enter = append(enter, "--", "nsenter", "--target", strconv.Itoa(p.PID), "--mount", "--net", "--pid", "--cgroup", "--uts", "--ipc", "--")
					return attached(exec.Command("nsenter", append(enter, args...)...))
				}
			}
			return fmt.Errorf("no node %q", node)
		}}
	c.Flags().StringVar(&node, "node", "", "a real node")
	return c
}

func nodeCommand(o *cluster.Options) *cobra.Command {
	return &cobra.Command{Use: "power stop|start NODE", Short: "Cut a node's power, or start it again", Args: cobra.ExactArgs(2),
		RunE: func(_ *cobra.Command, args []string) error { return cluster.NodeAct(*o, args[1], args[0]) }}
}

// up returns the state of a lab that runs.
func up(o *cluster.Options) (cluster.State, error) {
	st, err := cluster.Status(*o)
	if err == nil && !st.Running {
		err = fmt.Errorf("lab %q does not run: start it with `lab up`", st.Name)
	}
	return st, err
}

func attached(cmd *exec.Cmd) error {
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	return cmd.Run()
}
