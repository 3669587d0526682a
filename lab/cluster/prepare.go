package cluster

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// prepareReal writes what real nodes read: the sandbox image, and how to speak to
// each of the lab's registries.
func prepareReal(d layout, s spec) error {
	if err := writePauseImage(d.path("pause.tar"), s.Bin.path("pause")); err != nil {
		return fmt.Errorf("pause image: %w", err)
	}
	if !s.Bin.Faults {
		return os.MkdirAll(d.path("certs.d"), 0o755)
	}
	out, err := exec.Command(s.Bin.path("labfaults"), "--print-hosts", "--state", d.path("faults")).Output()
	if err != nil {
		return fmt.Errorf("labfaults --print-hosts: %w", err)
	}
	var hosts []registryHost
	if err := json.Unmarshal(out, &hosts); err != nil {
		return fmt.Errorf("labfaults --print-hosts: %w", err)
	}
	for _, h := range hosts {
		if err := h.write(d.path("certs.d", h.Host)); err != nil {
			return err
		}
	}
	return nil
}

// registryHost is how nodes reach a registry.
type registryHost struct {
	Host      string `json:"host"`
	PlainHTTP bool   `json:"plainHTTP"`
	CA        string `json:"ca"` // PEM; empty for the system's
}

// write makes the host's directory of containerd's certs.d.
func (h registryHost) write(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	scheme, ca := "https", ""
	if h.PlainHTTP {
		scheme = "http"
	}
	if h.CA != "" {
		if err := os.WriteFile(filepath.Join(dir, "ca.crt"), []byte(h.CA), 0o644); err != nil {
			return err
		}
		ca = fmt.Sprintf("  ca = %q\n", filepath.Join(dir, "ca.crt"))
	}
	text := fmt.Sprintf("server = \"%[1]s://%[2]s\"\n[host.\"%[1]s://%[2]s\"]\n  capabilities = [\"pull\", \"resolve\"]\n%[3]s", scheme, h.Host, ca)
	return os.WriteFile(filepath.Join(dir, "hosts.toml"), []byte(text), 0o644)
}

// writePauseImage wraps the program as an image in an archive, which nodes load
// before the kubelet starts: sandboxes then never depend on a registry.
func writePauseImage(path, program string) error {
	content, err := os.ReadFile(program)
	if err != nil {
		return err
	}
	var layer bytes.Buffer
	w := tar.NewWriter(&layer)
	if err := w.WriteHeader(&tar.Header{Name: "pause", Mode: 0o755, Size: int64(len(content))}); err != nil {
		return err
	}
	if _, err := w.Write(content); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	l, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(layer.Bytes())), nil })
	if err != nil {
		return err
	}
	img, err := mutate.AppendLayers(empty.Image, l)
	if err != nil {
		return err
	}
	img, err = mutate.ConfigFile(img, pauseConfig(img))
	if err != nil {
		return err
	}
	tag, err := name.NewTag(pauseImage, name.Insecure)
	if err != nil {
		return err
	}
	return tarball.WriteToFile(path, tag, img)
}

func pauseConfig(img v1.Image) *v1.ConfigFile {
	conf, err := img.ConfigFile()
	if err != nil {
		conf = &v1.ConfigFile{}
	}
	conf = conf.DeepCopy()
	conf.OS, conf.Architecture = "linux", runtime.GOARCH
	conf.Config.Entrypoint = []string{"/pause"}
	conf.Config.User = "65535:65535"
	return conf
}

// packages are the Debian packages of real nodes and a file of each.
var packages = map[string]string{"runc": "runc", "iptables": "iptables", "containernetworking-plugins": ""}

// installPackages installs what real nodes need from Debian, when it is missing.
func installPackages(ctx context.Context, o Options) error {
	if o.Nodes != Real {
		return nil
	}
	var missing []string
	for pkg, program := range packages {
		if program == "" {
			if _, err := os.Stat(filepath.Join(cniPlugins(), "bridge")); err == nil {
				continue
			}
		} else if _, err := exec.LookPath(program); err == nil {
			continue
		}
		missing = append(missing, pkg)
	}
	if len(missing) == 0 {
		return nil
	}
	if _, err := exec.LookPath("apt-get"); err != nil {
		return fmt.Errorf("%w: real nodes need %v, and there is no apt-get to install them", ErrUnable, missing)
	}
	o.step("install Debian packages %v…", missing)
	apt := func(args ...string) ([]byte, error) {
		cmd := exec.CommandContext(ctx, "apt-get", args...)
		cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
		return cmd.CombinedOutput()
	}
	install := append([]string{"install", "-y", "-q", "--no-install-recommends"}, missing...)
	if _, err := apt(install...); err == nil {
		return nil
	}
	// The usual reason is a package list that is old or absent.
	if out, err := apt("update", "-q"); err != nil {
		return fmt.Errorf("apt-get update: %w\n%s", err, out)
	}
	if out, err := apt(install...); err != nil {
		return fmt.Errorf("apt-get install %v: %w\n%s", missing, err, out)
	}
	return nil
}

// debianContainerd unpacks Debian's containerd below dir, without installing it,
// and returns the directory's name there.
func debianContainerd(ctx context.Context, o Options, dir string) (string, error) {
	const name = "containerd-debian-1.6"
	if _, err := os.Stat(filepath.Join(dir, name, "usr/bin/containerd")); err == nil {
		return name, nil
	}
	unlock, err := lock(ctx, filepath.Join(dir, ".lock-"+name), o)
	if err != nil {
		return "", err
	}
	defer unlock()
	if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
		return name, nil // another process unpacked it meanwhile
	}
	o.step("fetch Debian's containerd…")
	scratch, err := os.MkdirTemp(dir, ".deb-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(scratch)
	run := func(program string, args ...string) error {
		cmd := exec.CommandContext(ctx, program, args...)
		cmd.Dir = scratch
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("%s %v: %w\n%s", program, args, err, out)
		}
		return nil
	}
	if err := run("apt-get", "download", "-q", "containerd"); err != nil {
		return "", fmt.Errorf("%w: containerd 1.6 comes from Debian 12: %w", ErrUnable, err)
	}
	debs, err := filepath.Glob(filepath.Join(scratch, "containerd_1.6.*.deb"))
	if err != nil || len(debs) != 1 {
		return "", fmt.Errorf("%w: this system's containerd package is not 1.6", ErrUnable)
	}
	if err := run("dpkg", "-x", debs[0], "tree"); err != nil {
		return "", err
	}
	return name, os.Rename(filepath.Join(scratch, "tree"), filepath.Join(dir, name))
}
