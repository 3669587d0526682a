// Command unjam says why a Kubernetes rollout is stalled. Installed as
// kubectl-unjam it is the kubectl plugin of the same name.
package main

import (
	"os"

	"github.com/unjam-dev/unjam/internal/cli"
)

func main() { os.Exit(cli.Run(os.Args, os.Stdin, os.Stdout, os.Stderr, os.Environ())) }
