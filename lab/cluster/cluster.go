package cluster

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/unjam-dev/unjam/lab/script"
)

// Cluster is a lab that runs.
type Cluster struct {
	// Kubeconfig is the path of an administrator's kubeconfig, good on this machine.
	Kubeconfig string
	// Faults is the base URL of the fault control, empty when the module has none.
	Faults string
	// Bin holds kubectl and the lab's other programs.
	Bin string

	o Options
	d layout
}

// Up builds what is missing, starts the lab and waits until its nodes are Ready.
// A lab that already runs with the same options is returned as it is; what is left
// of a dead one is removed first. When start-up fails, nothing keeps running.
func Up(ctx context.Context, o Options) (*Cluster, error) {
	o, err := o.complete()
	if err != nil {
		return nil, err
	}
	if err := Able(o.Nodes); err != nil {
		return nil, err
	}
	if err := installPackages(ctx, o); err != nil {
		return nil, err
	}
	bin, err := build(ctx, o)
	if err != nil {
		return nil, err
	}
	d := layout(o.Dir)
	if readRunning(d).Host.alive() {
		return adopt(o, bin)
	}
	if err := clean(o.Name, d); err != nil {
		return nil, err
	}
	c, err := start(ctx, o, d, bin)
	if err == nil {
		err = c.wait(ctx)
	}
	if err != nil {
		err = fmt.Errorf("%w\n%s", err, c.logs())
		return nil, errors.Join(err, stop(o.Name, d))
	}
	return c, nil
}

// adopt returns a lab that runs, when it is the lab that is wanted.
func adopt(o Options, bin binaries) (*Cluster, error) {
	s, err := readSpec(o.Dir)
	if err != nil {
		return nil, err
	}
	if s.Nodes != o.Nodes || s.Count != o.Count || s.Sim != o.Sim || s.SerializePulls != o.SerializePulls || s.Still != o.Still || s.Containerd != o.Containerd || s.Bin != bin {
		return nil, fmt.Errorf("lab %q already runs with other options or programs: take it down first", o.Name)
	}
	c := newCluster(s)
	c.o.Progress = o.Progress
	api, err := newAPI(c.d, s.HostPort)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(api.usable(), api.allReady(o.Count+o.Sim)); err != nil {
		return nil, fmt.Errorf("lab %q runs but is not well: take it down first: %w", o.Name, err)
	}
	return c, nil
}

func newCluster(s spec) *Cluster {
	d := layout(s.Dir)
	c := &Cluster{Kubeconfig: d.path("kubeconfig"), Bin: s.Bin.Dir, o: s.Options, d: d}
	if s.Bin.Faults {
		c.Faults = fmt.Sprintf("http://127.0.0.1:%d", s.FaultsPort)
	}
	return c
}

// start writes the lab's files and starts its host process, which outlives this one.
func start(ctx context.Context, o Options, d layout, bin binaries) (*Cluster, error) {
	s := spec{Options: o, Bin: bin}
	c := newCluster(s)
	if err := os.MkdirAll(d.path("logs"), 0o700); err != nil {
		return c, err
	}
	var files []*os.File
	for _, port := range []*int{&s.HostPort, &s.FaultsPort} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return c, err
		}
		defer l.Close()
		*port = l.Addr().(*net.TCPAddr).Port
		f, err := l.(*net.TCPListener).File()
		if err != nil {
			return c, err
		}
		defer f.Close()
		files = append(files, f)
	}
	b, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return c, err
	}
	if err := errors.Join(
		os.WriteFile(d.path("spec.json"), b, 0o600),
		writePKI(d, o.nodes()),
		writeKubeconfigs(d, s.HostPort, o.nodes()),
	); err != nil {
		return c, err
	}
	if o.Nodes == Real {
		if err := prepareReal(d, s); err != nil {
			return c, err
		}
	}
	if o.Sim > 0 {
		if err := writeStages(ctx, o.Cache, d.path("stages.yaml")); err != nil {
			return c, err
		}
	}
	log, err := os.Create(d.log("lab"))
	if err != nil {
		return c, err
	}
	defer log.Close()
	cmd := exec.Command(bin.path("lab"), "host", "--dir", o.Dir)
	cmd.Dir, cmd.Stdout, cmd.Stderr, cmd.ExtraFiles = "/", log, log, files
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return c, err
	}
	go cmd.Wait() // reaped when it ends before this process does
	c = newCluster(s)
	return c, poll(ctx, 5*time.Second, func() error {
		if !readRunning(d).Host.alive() {
			return errors.New("the lab's host process did not start")
		}
		return nil
	})
}

// wait returns when the lab is usable.
func (c *Cluster) wait(ctx context.Context) error {
	began := time.Now()
	s, err := readSpec(c.o.Dir)
	if err != nil {
		return err
	}
	api, err := newAPI(c.d, s.HostPort)
	if err != nil {
		return err
	}
	check := func(f func() error) func() error {
		return func() error {
			if !readRunning(c.d).Host.alive() {
				return fmt.Errorf("the lab ended: %w", errGivenUp)
			}
			return f()
		}
	}
	type stage struct {
		what string
		f    func() error
	}
	stages := []stage{{"API server ready", func() error { return api.get("/readyz", nil) }}, {"control plane ready", api.usable}}
	if want := c.o.Count + c.o.Sim; want > 0 {
		stages = append(stages, stage{fmt.Sprintf("nodes Ready (%d)", want), func() error { return api.allReady(want) }})
	}
	if c.Faults != "" {
		stages = append(stages, stage{"fault registries ready", c.faultsReady})
	}
	for _, stage := range stages {
		if err := poll(ctx, 3*time.Minute, check(stage.f)); err != nil {
			return fmt.Errorf("not %s after %s: %w", stage.what, time.Since(began).Round(time.Second), err)
		}
		c.o.step("%s after %.1fs", stage.what, time.Since(began).Seconds())
	}
	return nil
}

func (c *Cluster) faultsReady() error {
	r, err := http.Get(c.Faults + "/faults")
	if err == nil {
		r.Body.Close()
	}
	return err
}

// logs is the end of each log, for an error.
func (c *Cluster) logs() string {
	text := tail(c.d.log("lab"), 5) + "\n" + tail(c.d.log("control-plane"), 5)
	for _, n := range c.o.nodes() {
		text += "\n" + tail(c.d.log(n.name), 5)
	}
	return text
}

// Script sets what the runtime of the hollow nodes does from now on.
func (c *Cluster) Script(s script.Script) error { return s.Save(c.d.path("script.json")) }

// Kubectl runs the lab's kubectl and returns what it prints; stdin may be empty.
func (c *Cluster) Kubectl(ctx context.Context, stdin string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, filepath.Join(c.Bin, "kubectl"), args...)
	cmd.Env = append(os.Environ(), "KUBECONFIG="+c.Kubeconfig)
	cmd.Stdin = strings.NewReader(stdin)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		return out.String(), fmt.Errorf("kubectl %s: %w: %s", strings.Join(args, " "), err, errs.String())
	}
	return out.String(), nil
}

// Down ends the lab and removes all that it left, whether it runs or was killed.
func (c *Cluster) Down() error { return stop(c.o.Name, c.d) }

// Down ends the lab that the options name. No lab is no error.
func Down(o Options) error {
	o, err := o.complete()
	if err != nil {
		return err
	}
	return stop(o.Name, layout(o.Dir))
}

func stop(name string, d layout) error {
	r := readRunning(d)
	for _, step := range []struct {
		p   process
		sig syscall.Signal
	}{{r.Host, syscall.SIGTERM}, {r.Host, syscall.SIGKILL}, {r.Init, syscall.SIGKILL}} {
		if !step.p.alive() {
			continue
		}
		if err := syscall.Kill(step.p.PID, step.sig); err != nil && !errors.Is(err, syscall.ESRCH) {
			return fmt.Errorf("end process %d: %w", step.p.PID, err)
		}
		for until := time.Now().Add(10 * time.Second); step.p.alive() && time.Now().Before(until); {
			time.Sleep(20 * time.Millisecond)
		}
	}
	if r.Host.alive() || r.Init.alive() {
		return fmt.Errorf("lab %q does not end (processes %d, %d)", name, r.Host.PID, r.Init.PID)
	}
	return clean(name, d)
}

// clean removes files and cgroups of a lab that does not run. Everything else of it
// was in namespaces that ended with it.
func clean(name string, d layout) error {
	if os.Getuid() == 0 {
		if err := removeCgroups(cgroupRoot(name)); err != nil {
			return fmt.Errorf("remove cgroups: %w", err)
		}
	}
	if _, err := os.Stat(d.path("spec.json")); errors.Is(err, fs.ErrNotExist) {
		// Never remove a directory that is not a lab's.
		if entries, err := os.ReadDir(d.path()); err == nil && len(entries) > 0 {
			return fmt.Errorf("%s is not empty and holds no lab", d)
		}
	}
	return os.RemoveAll(d.path())
}
