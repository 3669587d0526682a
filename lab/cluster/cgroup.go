package cluster

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// hierarchy is one mounted cgroup file system: a version 1 controller, or version 2.
type hierarchy struct {
	mount string // mount point
	kind  string // cgroup or cgroup2
	// data are the mount options that choose the same hierarchy again.
	data string
}

// hierarchies reads the mounted ones from mountinfo (proc(5)).
func hierarchies() ([]hierarchy, error) {
	b, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil, err
	}
	return parseMountinfo(string(b)), nil
}

func parseMountinfo(text string) []hierarchy {
	var list []hierarchy
	for line := range strings.Lines(text) {
		before, after, ok := strings.Cut(line, " - ")
		left, right := strings.Fields(before), strings.Fields(after)
		if !ok || len(left) < 6 || len(right) < 3 || right[0] != "cgroup" && right[0] != "cgroup2" {
			continue
		}
		h := hierarchy{mount: left[4], kind: right[0]}
		for _, o := range strings.Split(right[2], ",") {
			switch {
			case h.kind == "cgroup2" || o == "rw" || o == "ro" || o == "xattr" || strings.HasPrefix(o, "release_agent="):
			case strings.HasPrefix(o, "name="):
				h.data = "none," + o
			default:
				h.data = strings.TrimPrefix(h.data+","+o, ",")
			}
		}
		list = append(list, h)
	}
	return list
}

// unified reports whether version 2 alone is in use.
func unified(list []hierarchy) bool { return len(list) == 1 && list[0].kind == "cgroup2" }

// cgroupRoot is the lab's directory in every hierarchy. The cgroup tree is shared
// between labs, so it carries the lab's name.
func cgroupRoot(lab string) string { return "unjam-lab-" + lab }

// enterCgroup moves this process into a node's cgroups, making them first. A child
// with a new cgroup namespace then sees them as its root, so that two kubelets
// never meet in one tree.
func enterCgroup(list []hierarchy, path ...string) error {
	for _, h := range list {
		dir := h.mount
		for _, p := range path {
			if unified(list) {
				if err := delegate(dir); err != nil {
					return err
				}
			}
			dir = filepath.Join(dir, p)
			if err := os.Mkdir(dir, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
				return err
			}
			if err := inheritCPUSet(dir); err != nil {
				return err
			}
		}
		if err := os.WriteFile(filepath.Join(dir, "cgroup.procs"), []byte("0"), 0); err != nil {
			return fmt.Errorf("enter %s: %w", dir, err)
		}
	}
	return nil
}

// inheritCPUSet copies the parent's processors: a new version 1 cpuset has none and
// takes no process until it does.
func inheritCPUSet(dir string) error {
	for _, f := range []string{"cpuset.cpus", "cpuset.mems"} {
		have, err := os.ReadFile(filepath.Join(dir, f))
		if errors.Is(err, fs.ErrNotExist) || err == nil && len(bytes.TrimSpace(have)) > 0 {
			continue
		}
		if err != nil {
			return err
		}
		b, err := os.ReadFile(filepath.Join(filepath.Dir(dir), f))
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, f), b, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// remountCgroups shows the node its own cgroups at the usual places.
func remountCgroups(list []hierarchy) error {
	for _, h := range list {
		if err := unix.Unmount(h.mount, unix.MNT_DETACH); err != nil {
			return fmt.Errorf("unmount %s: %w", h.mount, err)
		}
		if err := unix.Mount("cgroup", h.mount, h.kind, unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, h.data); err != nil {
			return fmt.Errorf("mount %s (%s): %w", h.mount, h.data, err)
		}
	}
	if !unified(list) {
		return nil
	}
	// Version 2: controllers reach children only from a cgroup without processes.
	root := list[0].mount
	if err := os.Mkdir(filepath.Join(root, "init"), 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	if err := os.WriteFile(filepath.Join(root, "init", "cgroup.procs"), []byte("0"), 0); err != nil {
		return err
	}
	return delegate(root)
}

// delegate passes every controller on to the children of a version 2 cgroup.
func delegate(dir string) error {
	b, err := os.ReadFile(filepath.Join(dir, "cgroup.controllers"))
	if err != nil {
		return err
	}
	for _, c := range strings.Fields(string(b)) {
		if err := os.WriteFile(filepath.Join(dir, "cgroup.subtree_control"), []byte("+"+c), 0); err != nil {
			return fmt.Errorf("delegate %s in %s: %w", c, dir, err)
		}
	}
	return nil
}

// removeCgroups removes what a lab, or a node of it, left. Its processes are dead,
// but the kernel may still be ending them.
func removeCgroups(path ...string) error {
	list, err := hierarchies()
	if err != nil {
		return err
	}
	deadline := time.Now().Add(10 * time.Second)
	for _, h := range list {
		root := filepath.Join(append([]string{h.mount}, path...)...)
		for {
			err := removeTree(root)
			if err == nil {
				break
			}
			if time.Now().After(deadline) {
				return err
			}
			time.Sleep(50 * time.Millisecond)
		}
	}
	return nil
}

// removeTree removes cgroups depth first; their files vanish with them.
func removeTree(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.IsDir() {
			if err := removeTree(filepath.Join(dir, e.Name())); err != nil {
				return err
			}
		}
	}
	return unix.Rmdir(dir)
}
