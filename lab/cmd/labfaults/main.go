// Command labfaults serves the lab's registries and name server, each able to
// fail in one way, and a control endpoint that lifts and sets the faults.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/unjam-dev/unjam/lab/dns"
	"github.com/unjam-dev/unjam/lab/images"
	"github.com/unjam-dev/unjam/lab/registry"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "labfaults:", err)
		os.Exit(1)
	}
}

type options struct {
	listen, control, socket, state, programs, module string
	dnsPort                                          int
	noDNS, printHosts                                bool
}

func run(ctx context.Context, args []string) error {
	var o options
	exe, _ := os.Executable()
	f := flag.NewFlagSet("labfaults", flag.ContinueOnError)
	f.StringVar(&o.listen, "listen", "127.0.0.1", "IPv4 address for the registries and the name server")
	f.StringVar(&o.control, "control", "", "address of the control endpoint (default LISTEN:4999)")
	f.StringVar(&o.socket, "control-socket", "", "Unix socket that serves the control endpoint as well")
	f.StringVar(&o.state, "state", filepath.Join(os.TempDir(), "unjam-labfaults"), "directory that keeps the certificate authority")
	f.StringVar(&o.programs, "programs", filepath.Dir(exe), "directory with the binaries testapp and pause")
	f.StringVar(&o.module, "module", "", "directory of the lab's Go module, to compile a missing testapp")
	f.IntVar(&o.dnsPort, "dns-port", 53, "port of the name server")
	f.BoolVar(&o.noDNS, "no-dns", false, "run no name server")
	f.BoolVar(&o.printHosts, "print-hosts", false, "print the registry hosts for the nodes' configuration as JSON and exit")
	if err := f.Parse(args); err != nil {
		return err
	}
	authority, err := registry.LoadAuthority(o.state)
	if err != nil {
		return err
	}
	if o.printHosts {
		e := json.NewEncoder(os.Stdout)
		e.SetIndent("", "  ")
		return e.Encode(registry.Hosts(authority))
	}
	return serve(ctx, o, authority)
}

func serve(ctx context.Context, o options, authority *registry.Authority) error {
	ip := net.ParseIP(o.listen).To4()
	if ip == nil {
		return fmt.Errorf("--listen %q is no IPv4 address", o.listen)
	}
	programs, err := images.LoadPrograms(ctx, o.programs, o.module)
	if err != nil {
		return err
	}
	started := time.Now()
	server := registry.NewServer(ip, authority, slices.Concat(registry.Faults, registry.Spares()))
	if err := images.Push(server.Store(), images.Catalogue, programs); err != nil {
		return err
	}
	shared, err := programs.Shared()
	if err != nil {
		return err
	}
	server.Spare(shared)
	if err := server.Listen(); err != nil {
		return err
	}
	defer server.Close()
	hooks, err := registry.ServeWebhooks(ip, authority)
	if err != nil {
		return err
	}
	defer hooks.Close()
	names := dns.NewServer(ip)
	if !o.noDNS {
		if err := names.Listen(net.JoinHostPort(o.listen, fmt.Sprint(o.dnsPort))); err != nil {
			return err
		}
		defer names.Close()
	}
	if o.control == "" {
		o.control = net.JoinHostPort(o.listen, "4999")
	}
	control := &http.Server{Handler: newControl(server, names, authority, programs), ReadHeaderTimeout: 10 * time.Second}
	failed := make(chan error, 2)
	listeners, err := controlListeners(o)
	if err != nil {
		return err
	}
	for _, ln := range listeners {
		go func() { failed <- control.Serve(ln) }()
	}
	fmt.Printf("ready: %d registries on %s, control on %s, after %s\n", len(registry.Faults), o.listen, o.control,
		time.Since(started).Round(time.Millisecond))
	select {
	case <-ctx.Done():
		return control.Close()
	case err := <-failed:
		if errors.Is(err, http.ErrServerClosed) {
			return nil
		}
		return err
	}
}

func controlListeners(o options) ([]net.Listener, error) {
	tcp, err := net.Listen("tcp", o.control)
	if err != nil {
		return nil, fmt.Errorf("control endpoint: %w", err)
	}
	out := []net.Listener{tcp}
	if o.socket != "" {
		// A socket left by a killed process would be in the way.
		_ = os.Remove(o.socket)
		unix, err := net.Listen("unix", o.socket)
		if err != nil {
			_ = tcp.Close()
			return nil, fmt.Errorf("control socket: %w", err)
		}
		out = append(out, unix)
	}
	return out, nil
}
