package cluster

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// Versions of what is built. Kubernetes' is also pinned in go.mod.
const (
	KubernetesVersion = "v1.37.1"
	ContainerdVersion = "v2.4.2"
	KwokVersion       = "v0.8.0"
)

// program is a binary made from this module.
type program struct {
	name    string
	sources []string // directories below the module that it is made from
	flags   []string
	// heavy programs link Kubernetes: minutes when cold, and progress matters.
	heavy bool
}

func kubeStamp() string {
	major, rest, _ := strings.Cut(strings.TrimPrefix(KubernetesVersion, "v"), ".")
	minor, _, _ := strings.Cut(rest, ".")
	return "-s -w -X k8s.io/component-base/version.gitVersion=" + KubernetesVersion +
		" -X k8s.io/component-base/version.gitMajor=" + major + " -X k8s.io/component-base/version.gitMinor=" + minor +
		" -X k8s.io/client-go/pkg/version.gitVersion=" + KubernetesVersion
}

var (
	labkube   = program{name: "labkube", heavy: true, sources: []string{"cmd/labkube", "cri", "script"}, flags: []string{"-tags", "providerless", "-ldflags", kubeStamp()}}
	lab       = program{name: "lab", sources: []string{"cmd/lab", "cluster"}}
	pauseTool = program{name: "pause", sources: []string{"cmd/pause"}, flags: []string{"-ldflags", "-s -w"}}
	labfaults = program{name: "labfaults", sources: []string{"cmd/labfaults", "registry", "dns", "images"}}
	testapp   = program{name: "testapp", sources: []string{"cmd/testapp"}, flags: []string{"-ldflags", "-s -w"}}
)

// binaries are the paths of what a lab runs.
type binaries struct {
	// Dir holds programs under their own names, for PATH.
	Dir string `json:"dir"`
	// Faults is false when the module has no labfaults.
	Faults bool `json:"faults"`
}

func (b binaries) path(name string) string { return filepath.Join(b.Dir, name) }

// build makes what the options need and is missing, and returns where it is. A
// program's file name carries a hash of its sources, so that several checkouts
// share one cache and editing one program rebuilds only that one.
func build(ctx context.Context, o Options) (binaries, error) {
	src, err := findSource(o.Source)
	if err != nil {
		return binaries{}, err
	}
	versioned := filepath.Join(o.Cache, strings.Join([]string{"k8s-" + KubernetesVersion, "containerd-" + ContainerdVersion, "kwok-" + KwokVersion}, "_"))
	if err := os.MkdirAll(versioned, 0o755); err != nil {
		return binaries{}, err
	}
	b := binaries{}
	want := []program{lab, labkube, pauseTool}
	if _, err := os.Stat(filepath.Join(src, "cmd/labfaults")); err == nil {
		b.Faults = true
		want = append(want, labfaults, testapp)
	}
	links := map[string]string{"containerd": "containerd", "containerd-shim-runc-v2": "containerd-shim-runc-v2", "ctr": "ctr", "kwok": "kwok"}
	all := sha256.New()
	for _, p := range want {
		file, err := p.build(ctx, o, src, versioned)
		if err != nil {
			return b, fmt.Errorf("build %s: %w", p.name, err)
		}
		links[p.name] = file
		fmt.Fprintln(all, file)
	}
	links["kubectl"], links["kubelet"] = links["labkube"], links["labkube"]
	switch {
	case o.Nodes == Real && o.Containerd == "1.6":
		dir, err := debianContainerd(ctx, o, versioned)
		if err != nil {
			return b, err
		}
		for _, name := range []string{"containerd", "containerd-shim-runc-v2", "ctr"} {
			links[name] = filepath.Join(dir, "usr", "bin", name)
		}
		fmt.Fprintln(all, dir)
	case o.Nodes == Real:
		if err := install(ctx, o, versioned, "-s -w -X github.com/containerd/containerd/v2/version.Version="+ContainerdVersion,
			"github.com/containerd/containerd/v2/cmd/containerd@"+ContainerdVersion,
			"github.com/containerd/containerd/v2/cmd/containerd-shim-runc-v2@"+ContainerdVersion,
			"github.com/containerd/containerd/v2/cmd/ctr@"+ContainerdVersion); err != nil {
			return b, err
		}
	}
	if o.Sim > 0 {
		if err := install(ctx, o, versioned, "-s -w", "sigs.k8s.io/kwok/cmd/kwok@"+KwokVersion); err != nil {
			return b, err
		}
	}
	b.Dir = filepath.Join(versioned, fmt.Sprintf("bin-%.6x", all.Sum(nil)))
	if err := os.MkdirAll(b.Dir, 0o755); err != nil {
		return b, err
	}
	for name, file := range links {
		link := b.path(name)
		if got, err := os.Readlink(link); err == nil && got == "../"+file {
			continue
		}
		// Two processes may do this at once, hence the rename.
		fresh := fmt.Sprintf("%s.%d", link, os.Getpid())
		if err := os.Symlink("../"+file, fresh); err != nil {
			return b, err
		}
		if err := os.Rename(fresh, link); err != nil {
			return b, err
		}
	}
	return b, nil
}

// findSource returns the lab module's directory: as told, at or above the
// working directory, or where this file was compiled from.
func findSource(told string) (string, error) {
	is := func(dir string) bool {
		b, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		return err == nil && bytes.HasPrefix(b, []byte("module github.com/unjam-dev/unjam/lab\n"))
	}
	var tried []string
	if told != "" {
		tried = append(tried, told)
	} else {
		if wd, err := os.Getwd(); err == nil {
			for ; ; wd = filepath.Dir(wd) {
				tried = append(tried, wd, filepath.Join(wd, "lab"))
				if wd == filepath.Dir(wd) {
					break
				}
			}
		}
		if _, file, _, ok := runtime.Caller(0); ok {
			tried = append(tried, filepath.Dir(filepath.Dir(file)))
		}
	}
	for _, dir := range tried {
		if is(dir) {
			return dir, nil
		}
	}
	return "", errors.New("cannot find the lab's source: run inside a checkout, or give --source")
}

// build returns the program's file name in dir, compiling it when it is missing.
func (p program) build(ctx context.Context, o Options, src, dir string) (string, error) {
	sum, err := p.hash(src)
	if err != nil {
		return "", err
	}
	file := p.name + "-" + sum
	there := func() bool {
		now := time.Now()
		// The time of use is what prune goes by.
		return os.Chtimes(filepath.Join(dir, file), now, now) == nil
	}
	if there() {
		return file, nil
	}
	unlock, err := lock(ctx, filepath.Join(dir, ".lock-"+p.name), o)
	if err != nil {
		return "", err
	}
	defer unlock()
	if there() {
		return file, nil // another process has built it meanwhile
	}
	args := append([]string{"build", "-o", filepath.Join(dir, file+".part")}, p.flags...)
	if err := goRun(ctx, o, src, "build "+p.name, p.heavy, append(args, "./"+p.sources[0])...); err != nil {
		return "", err
	}
	if err := os.Rename(filepath.Join(dir, file+".part"), filepath.Join(dir, file)); err != nil {
		return "", err
	}
	return file, prune(dir, p.name)
}

// hash covers the sources, the pins and the compiler.
func (p program) hash(src string) (string, error) {
	h := sha256.New()
	fmt.Fprintln(h, runtime.Version(), p.flags)
	files := []string{filepath.Join(src, "go.mod")}
	for _, dir := range p.sources {
		err := filepath.WalkDir(filepath.Join(src, dir), func(path string, e fs.DirEntry, err error) error {
			if err == nil && e.Type().IsRegular() && !strings.HasSuffix(path, "_test.go") {
				files = append(files, path)
			}
			return err
		})
		if err != nil {
			return "", err
		}
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			return "", err
		}
		rel, _ := filepath.Rel(src, f)
		fmt.Fprintln(h, rel, len(b))
		h.Write(b)
	}
	return fmt.Sprintf("%.6x", h.Sum(nil)), nil
}

// prune keeps the newest three builds of a program; labkube is 150 MB.
func prune(dir, name string) error {
	found, err := filepath.Glob(filepath.Join(dir, name+"-????????????"))
	if err != nil {
		return err
	}
	age := func(f string) time.Time {
		st, err := os.Stat(f)
		if err != nil {
			return time.Time{}
		}
		return st.ModTime()
	}
	slices.SortFunc(found, func(a, b string) int { return age(b).Compare(age(a)) })
	for i, f := range found {
		if i >= 3 {
			os.Remove(f)
		}
	}
	return nil
}

// install makes programs of other modules at a version.
func install(ctx context.Context, o Options, dir, ldflags string, packages ...string) error {
	missing := func() []string {
		return slices.DeleteFunc(slices.Clone(packages), func(p string) bool {
			name, _, _ := strings.Cut(filepath.Base(p), "@")
			_, err := os.Stat(filepath.Join(dir, name))
			return err == nil
		})
	}
	if len(missing()) == 0 {
		return nil
	}
	first, _, _ := strings.Cut(filepath.Base(packages[0]), "@")
	unlock, err := lock(ctx, filepath.Join(dir, ".lock-"+first), o)
	if err != nil {
		return err
	}
	defer unlock()
	need := missing() // another process may have built it meanwhile
	if len(need) == 0 {
		return nil
	}
	return goRun(ctx, o, dir, "install "+strings.Join(need, " "), true, append([]string{"install", "-ldflags", ldflags}, need...)...)
}

// goRun runs the go command, without cgo and with its scratch files in memory
// when there is room: the linker writes hundreds of megabytes.
func goRun(ctx context.Context, o Options, dir, what string, heavy bool, args ...string) error {
	start := time.Now()
	if heavy {
		// The verb comes first, then -v, which names each package as it is compiled.
		args = append([]string{args[0], "-v"}, args[1:]...)
	}
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=-buildvcs=false", "GOWORK=off", "GOBIN="+dir)
	if roomy("/dev/shm", 4<<30) && os.Getenv("GOTMPDIR") == "" {
		cmd.Env = append(cmd.Env, "GOTMPDIR=/dev/shm")
	}
	var tail lastLines
	var done atomic.Int64
	out, in := io.Pipe()
	cmd.Stdout, cmd.Stderr = in, in
	read := make(chan struct{})
	go func() {
		defer close(read)
		for sc := bufio.NewScanner(out); sc.Scan(); {
			tail.add(sc.Text())
			if line := sc.Text(); !strings.ContainsAny(line, " :#") {
				done.Add(1)
			}
		}
		io.Copy(io.Discard, out)
	}()
	o.step("%s…%s", what, map[bool]string{true: " (Kubernetes is about 2000 packages: ten minutes on two cores when nothing is cached; the others take three)"}[heavy])
	tick := time.NewTicker(15 * time.Second)
	defer tick.Stop()
	finished := make(chan error, 1)
	go func() { finished <- cmd.Run(); in.Close() }()
	for {
		select {
		case <-tick.C:
			o.step("  %s: %d packages compiled, %s", what, done.Load(), time.Since(start).Round(time.Second))
		case err := <-finished:
			<-read
			if err != nil {
				return fmt.Errorf("%s: %w\n%s", what, err, tail.String())
			}
			o.step("  %s: done in %s", what, time.Since(start).Round(time.Second))
			return nil
		}
	}
}

func roomy(dir string, bytes uint64) bool {
	var st syscall.Statfs_t
	return syscall.Statfs(dir, &st) == nil && st.Bavail*uint64(st.Bsize) >= bytes
}

// lastLines keeps the end of a command's output.
type lastLines struct{ lines []string }

func (l *lastLines) add(s string) {
	l.lines = append(l.lines, s)
	if len(l.lines) > 30 {
		l.lines = l.lines[1:]
	}
}

func (l *lastLines) String() string { return strings.Join(l.lines, "\n") }

// lock serialises the builds of one program by several processes.
func lock(ctx context.Context, path string, o Options) (func(), error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	for told := false; ; told = true {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return func() { f.Close() }, nil
		}
		if !told {
			o.step("waiting for another process that builds %s…", strings.TrimPrefix(filepath.Base(path), ".lock-"))
		}
		select {
		case <-ctx.Done():
			f.Close()
			return nil, ctx.Err()
		case <-time.After(200 * time.Millisecond):
		}
	}
}
