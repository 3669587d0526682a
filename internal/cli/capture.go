package cli

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/unjam-dev/unjam/internal/capture"
	"github.com/unjam-dev/unjam/internal/cause"
	"github.com/unjam-dev/unjam/internal/diagnose"
	"github.com/unjam-dev/unjam/internal/snapshot"
)

func (a *app) captureCommand() *cobra.Command {
	var flags *kubeFlags
	var output string
	var allNS bool
	cmd := &cobra.Command{
		Use:   "capture [KIND/NAME...] -o FILE",
		Short: "Save everything why uses as a redacted bundle",
		Long: `Save everything "why" uses to a bundle: objects, events and log tails, without
secret values, tokens or signed-URL queries, and with a list of what could not
be read. A bundle is a .tgz of plain YAML, JSON and text, readable without
unjam; judge it anywhere with "why --from".`,
		Example: a.examples("capture deploy/web -n shop -o web.tgz", "capture -A -o cluster.tgz", "why --from web.tgz"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o := &whyOptions{flags: flags, allNS: allNS}
			return a.capture(cmd, o, args, output)
		},
	}
	flags = newKubeFlags(cmd.Flags())
	cmd.Flags().BoolVarP(&allNS, "all-namespaces", "A", false, "capture all namespaces")
	cmd.Flags().StringVarP(&output, "output", "o", "", "the bundle to write, for example bundle.tgz; - is standard output")
	return cmd
}

func (a *app) capture(cmd *cobra.Command, o *whyOptions, args []string, output string) error {
	if output == "" {
		return usagef("say where to write the bundle, for example: %s capture deploy/web -o bundle.tgz", a.program)
	}
	targets, err := diagnose.ParseTargets(args)
	if err != nil {
		return &usageError{err}
	}
	scope := diagnose.Scope{Targets: targets}
	if scope.Namespace, err = o.namespace(); err != nil {
		return err
	}
	out, err := a.createBundle(output)
	if err != nil {
		return err // before the cluster is asked
	}
	defer out.discard()
	var stats capture.Stats
	done := a.progress("reading the cluster")
	snap, err := cluster{o.flags, &stats}.Snapshot(cmd.Context(), scope)
	done()
	if err != nil {
		return err
	}
	if _, err := diagnose.Judge(cause.BuiltIn, snap, scope); err != nil {
		return err // a workload that is not there is a mistake, not a bundle
	}
	if err := out.write(snap); err != nil {
		return err
	}
	fmt.Fprintf(a.err, "wrote %s: %d objects, %d log tails, %d gaps (%d API requests)\n", output, snap.Objects.Len(), len(snap.Logs), len(snap.Gaps), stats.Requests)
	for _, g := range snap.Gaps {
		fmt.Fprintf(a.err, "  not seen: %s %s %s\n", g.Resource, g.Namespace, g.Reason)
	}
	return nil
}

// bundleFile is a bundle under way. It is written beside the target and renamed
// at the end, so that a failure leaves no half bundle.
type bundleFile struct {
	path string
	tmp  *os.File // nil for standard output
	out  io.Writer
}

func (a *app) createBundle(path string) (*bundleFile, error) {
	if path == "-" {
		return &bundleFile{path: path, out: a.out}, nil
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), ".unjam-*")
	if err != nil {
		return nil, usagef("cannot write %s: %w", path, err)
	}
	return &bundleFile{path: path, tmp: tmp, out: tmp}, nil
}

func (b *bundleFile) write(snap *snapshot.Snapshot) error {
	err := snapshot.Encode(b.out, snap, toolVersion())
	if b.tmp == nil {
		return err
	}
	if cerr := b.tmp.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(b.tmp.Name(), b.path)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", b.path, err)
	}
	return nil
}

// discard removes what is left of a bundle that was not written.
func (b *bundleFile) discard() {
	if b.tmp != nil {
		b.tmp.Close()
		os.Remove(b.tmp.Name())
	}
}
