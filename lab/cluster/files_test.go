package cluster

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"os"
	"os/exec"
	"reflect"
	"strings"
	"testing"
)

func TestOptions(t *testing.T) {
	for _, bad := range []Options{
		{Name: "Upper"}, {Name: "-x"}, {Name: strings.Repeat("a", 21)}, {Nodes: "paper"},
		{Nodes: Hollow, Count: maxNodes + 1}, {Sim: -1}, {Dir: "/" + strings.Repeat("d", 100)},
	} {
		if _, err := bad.complete(); err == nil {
			t.Errorf("%+v was accepted", bad)
		}
	}
	o, err := Options{Nodes: Real}.complete()
	if err != nil || o.Count != 2 || o.Name != "lab" || o.Dir == "" || o.Cache == "" {
		t.Errorf("defaults: %+v, %v", o, err)
	}
	if o, _ := (Options{Count: 3}).complete(); o.Count != 0 {
		t.Error("a lab without nodes counts nodes")
	}
}

func TestPlanHasNoOverlap(t *testing.T) {
	seen := map[string]bool{gateway: true}
	for _, n := range (Options{Count: maxNodes}).nodes() {
		for _, a := range []string{n.ip().String(), n.podCIDR().String()} {
			if seen[a] {
				t.Errorf("%s has %s, which is taken", n.name, a)
			}
			seen[a] = true
		}
	}
}

func TestParseMountinfo(t *testing.T) {
	got := parseMountinfo(`29 24 0:25 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu
30 24 0:26 / /sys/fs/cgroup/cpu,cpuacct rw shared:9 - cgroup cgroup rw,cpu,cpuacct
31 24 0:27 / /sys/fs/cgroup/systemd rw - cgroup systemd rw,xattr,name=systemd
32 24 0:28 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw,nsdelegate
33 24 0:29 / /proc rw - proc proc rw
broken`)
	want := []hierarchy{
		{"/sys/fs/cgroup/cpu", "cgroup", "cpu"},
		{"/sys/fs/cgroup/cpu,cpuacct", "cgroup", "cpu,cpuacct"},
		{"/sys/fs/cgroup/systemd", "cgroup", "none,name=systemd"},
		{"/sys/fs/cgroup/unified", "cgroup2", ""},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v", got)
	}
	if unified(got) || !unified(want[3:]) {
		t.Error("version 2 alone is told wrongly")
	}
}

func TestCertificatesVerify(t *testing.T) {
	d := layout(t.TempDir())
	nodes := Options{Count: 2}.nodes()
	if err := writePKI(d, nodes); err != nil {
		t.Fatal(err)
	}
	ca, err := os.ReadFile(d.pki("ca.crt"))
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(ca)
	for file, host := range map[string]string{"apiserver": "127.0.0.1", "node-2": nodes[1].ip().String(), "admin": ""} {
		pair, err := tls.LoadX509KeyPair(d.pki(file+".crt"), d.pki(file+".key"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := pair.Leaf.Verify(x509.VerifyOptions{Roots: pool, DNSName: host, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}); err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
	st, err := os.Stat(d.pki("ca.key"))
	if err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("the key is readable by others: %v, %v", st.Mode(), err)
	}
}

func TestProcessIsToldFromItsSuccessor(t *testing.T) {
	self := identify(os.Getpid())
	if !self.alive() {
		t.Error("this process is not alive")
	}
	if (process{PID: self.PID, Start: "1"}).alive() {
		t.Error("another process of the same number counts as alive")
	}
	if (process{}).alive() {
		t.Error("no process is alive")
	}
	cmd := exec.Command("true")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	child := identify(cmd.Process.Pid)
	cmd.Wait()
	if child.alive() {
		t.Error("an ended process is alive")
	}
}

// A wrong --dir must never cost anyone files.
func TestCleanSparesForeignDirectories(t *testing.T) {
	dir := t.TempDir()
	keep := layout(dir).path("thesis.tex")
	if err := os.WriteFile(keep, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := clean("spare-test", layout(dir)); err == nil {
		t.Error("no complaint")
	}
	if _, err := os.Stat(keep); err != nil {
		t.Error(err)
	}
}

func TestAbleSaysWhy(t *testing.T) {
	err := Able(Real)
	if err == nil {
		return
	}
	if !errors.Is(err, ErrUnable) || strings.Contains(err.Error(), "\n") {
		t.Errorf("not one line that wraps ErrUnable: %v", err)
	}
}

func TestRegistryHostFile(t *testing.T) {
	dir := t.TempDir() + "/tls.lab:5002"
	if err := (registryHost{Host: "tls.lab:5002", CA: "PEM"}).write(dir); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(dir + "/hosts.toml")
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{`server = "https://tls.lab:5002"`, `[host."https://tls.lab:5002"]`, "ca = ", `"pull", "resolve"`} {
		if !strings.Contains(string(b), part) {
			t.Errorf("%q is missing in:\n%s", part, b)
		}
	}
}
