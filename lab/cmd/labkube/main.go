// The tag belongs to the build anyway; as a constraint it also keeps a plain
// `go test ./...` from compiling Kubernetes a second time without it.
//go:build providerless

// Command labkube is Kubernetes in one file: the control plane in one process, a
// node whose runtime follows a script, the kubelet, and kubectl. The first
// argument, or the name it is called by, says which.
package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/logs/json/register" // the JSON log format of the kubelet's flags
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"
	kubectl "k8s.io/kubectl/pkg/cmd"
	kubectlutil "k8s.io/kubectl/pkg/cmd/util"
	kubelet "k8s.io/kubernetes/cmd/kubelet/app"
)

func main() {
	name, args := filepath.Base(os.Args[0]), os.Args
	if name != "kubectl" && name != "kubelet" && len(os.Args) > 1 {
		name, args = os.Args[1], os.Args[1:]
	}
	// The components parse os.Args themselves.
	os.Args = args
	// Only the chosen command is constructed: two of them would install the
	// process's signal handler twice, which panics.
	switch name {
	case "control-plane":
		exit(cli.Run(controlPlaneCommand()))
	case "hollow-node":
		exit(cli.Run(hollowCommand()))
	case "kubelet":
		exit(cli.Run(kubelet.NewKubeletCommand(context.Background())))
	case "kubectl":
		if err := cli.RunNoErrOutput(kubectl.NewDefaultKubectlCommand()); err != nil {
			kubectlutil.CheckErr(err)
		}
	default:
		fmt.Fprintln(os.Stderr, "usage: labkube control-plane|hollow-node|kubelet|kubectl [flags]")
		os.Exit(2)
	}
}

func exit(code int) {
	if code != 0 {
		os.Exit(code)
	}
}

// plain returns a command without the usage text that hides an error.
func plain(use string, run func(*cobra.Command) error) *cobra.Command {
	return &cobra.Command{
		Use: use, Args: cobra.NoArgs, SilenceUsage: true,
		RunE: func(c *cobra.Command, _ []string) error { return run(c) },
	}
}
