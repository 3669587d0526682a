package cluster

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/unjam-dev/unjam/lab/script"
)

// bring starts a lab for one test and takes it down after it. It skips, with the
// reason, where the machine cannot run such a lab; in CI, where root on Linux is
// there, not being able is a failure.
func bring(t *testing.T, o Options) *Cluster {
	t.Helper()
	if testing.Short() {
		t.Skip("-short: this test starts a cluster")
	}
	if err := Able(o.Nodes); err != nil {
		if os.Getenv("CI") == "true" && os.Getuid() == 0 && runtime.GOOS == "linux" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	o.Name = fmt.Sprintf("t%d-%s", os.Getpid(), o.Nodes)
	o.Progress = t.Output()
	c, err := Up(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(c.logs())
		}
		if err := c.Down(); err != nil {
			t.Error(err)
		}
		for _, left := range leftovers(t, c.o) {
			t.Errorf("left behind: %s", left)
		}
	})
	return c
}

// leftovers lists what still exists of a lab: processes, mounts, cgroups, files.
func leftovers(t *testing.T, o Options) (left []string) {
	t.Helper()
	procs, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range procs {
		// A process that ends meanwhile has no file.
		if b, err := os.ReadFile(p); err == nil && strings.Contains(string(b), o.Dir) {
			left = append(left, p+": "+strings.ReplaceAll(string(b), "\x00", " "))
		}
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(mounts)) {
		if strings.Contains(line, o.Dir) {
			left = append(left, line)
		}
	}
	groups, err := hierarchies()
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range groups {
		dir := filepath.Join(h.mount, cgroupRoot(o.Name))
		if _, err := os.Stat(dir); err == nil {
			left = append(left, dir)
		}
	}
	if _, err := os.Stat(o.Dir); err == nil {
		left = append(left, o.Dir)
	}
	return left
}

func kubectl(t *testing.T, c *Cluster, stdin string, args ...string) string {
	t.Helper()
	out, err := c.Kubectl(t.Context(), stdin, args...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// eventually repeats a query until its answer has all parts.
func eventually(t *testing.T, c *Cluster, limit time.Duration, query []string, parts ...string) string {
	t.Helper()
	var out string
	err := poll(t.Context(), limit, func() error {
		var err error
		out, err = c.Kubectl(t.Context(), "", query...)
		if err != nil {
			return err
		}
		for _, p := range parts {
			if !strings.Contains(out, p) {
				return fmt.Errorf("%q is not in %q", p, out)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatalf("after %s, kubectl %v: %v", limit, query, err)
	}
	return out
}

func deployment(name, image string, replicas int, container string) string {
	return fmt.Sprintf(`apiVersion: apps/v1
kind: Deployment
metadata: {name: %[1]s}
spec:
  replicas: %[3]d
  selector: {matchLabels: {app: %[1]s}}
  template:
    metadata: {labels: {app: %[1]s}}
    spec:
      terminationGracePeriodSeconds: 1
      topologySpreadConstraints:
      - {maxSkew: 1, topologyKey: kubernetes.io/hostname, whenUnsatisfiable: DoNotSchedule, labelSelector: {matchLabels: {app: %[1]s}}}
      containers:
      - {name: web, image: %[2]q, imagePullPolicy: IfNotPresent, %[4]s}
---
`, name, image, replicas, container)
}

func TestHollow(t *testing.T) {
	c := bring(t, Options{Nodes: Hollow, Count: 2})
	text := `failed to pull and unpack image "shop/web:gone": failed to resolve image: shop/web:gone: not found`
	if err := c.Script(script.Script{
		Pulls: []script.Pull{{Image: "shop/web:gone", Code: "NotFound", Error: text}},
		Containers: []script.Container{
			{Image: "shop/web:oom", ExitAfter: script.After(time.Second), Exit: 137, Reason: "OOMKilled", Log: []string{"allocating"}},
			{Image: "shop/web:cold", Probes: []script.Probe{{Match: "/ready", Status: 503}}},
		},
	}); err != nil {
		t.Fatal(err)
	}
	probe := "readinessProbe: {httpGet: {path: /ready, port: 8080}, periodSeconds: 1}"
	kubectl(t, c, deployment("good", "shop/web:v1", 2, probe)+deployment("gone", "shop/web:gone", 1, probe)+
		deployment("oom", "shop/web:oom", 1, probe)+deployment("cold", "shop/web:cold", 1, probe), "apply", "-f", "-")
	kubectl(t, c, "", "wait", "--for=condition=Available", "--timeout=60s", "deployment/good")
	eventually(t, c, 30*time.Second, []string{"get", "pods", "-l", "app=good", "-o", "jsonpath={.items[*].spec.nodeName}"}, "node-1", "node-2")
	waiting := func(app string) []string {
		return []string{"get", "pods", "-l", "app=" + app, "-o", "jsonpath={.items[0].status.containerStatuses[0]}"}
	}
	eventually(t, c, 30*time.Second, waiting("gone"), `"reason":"ImagePullBackOff"`, `rpc error: code = NotFound desc = failed to pull and unpack image`)
	eventually(t, c, 30*time.Second, waiting("oom"), `"reason":"CrashLoopBackOff"`, `"reason":"OOMKilled"`)
	eventually(t, c, 30*time.Second, []string{"get", "events"}, "Readiness probe failed: HTTP probe failed with statuscode: 503", "Back-off pulling image")
	eventually(t, c, 10*time.Second, []string{"logs", "deploy/oom"}, "allocating")

	// The fault is lifted while everything runs; the next retry must succeed.
	if err := c.Script(script.Script{}); err != nil {
		t.Fatal(err)
	}
	kubectl(t, c, "", "rollout", "restart", "deployment/gone", "deployment/cold")
	kubectl(t, c, "", "wait", "--for=condition=Available", "--timeout=60s", "deployment/gone", "deployment/cold")
}

func TestReal(t *testing.T) {
	c := bring(t, Options{Nodes: Real, Count: 2})
	kubectl(t, c, deployment("hold", pauseImage, 4, `resources: {limits: {memory: 32Mi}}`), "apply", "-f", "-")
	kubectl(t, c, "", "wait", "--for=condition=Available", "--timeout=90s", "deployment/hold")
	eventually(t, c, 10*time.Second, []string{"get", "pods", "-o", "jsonpath={.items[*].spec.nodeName}"}, "node-1", "node-2")
	eventually(t, c, 10*time.Second, []string{"get", "nodes", "-o", "wide"}, "containerd://"+strings.TrimPrefix(ContainerdVersion, "v"), KubernetesVersion)

	// A power cut, and back: the pods run again on the same node.
	if err := c.StopNode("node-2"); err != nil {
		t.Fatal(err)
	}
	if err := c.StartNode("node-2"); err != nil {
		t.Fatal(err)
	}
	eventually(t, c, 60*time.Second, []string{"get", "pods", "--field-selector", "spec.nodeName=node-2", "-o", "jsonpath={.items[*].status.containerStatuses[*].restartCount}"}, "1 1")
}

// A lab whose every process was killed leaves cgroups and files; Up removes them.
func TestUpAfterKill(t *testing.T) {
	o := Options{Nodes: Real, Count: 1}
	if Able(Real) != nil {
		o.Nodes = Hollow
	}
	c := bring(t, o)
	r := readRunning(c.d)
	for _, p := range []process{r.Host, r.Init} {
		if err := syscall.Kill(p.PID, syscall.SIGKILL); err != nil && err != syscall.ESRCH {
			t.Fatal(err)
		}
	}
	if err := poll(t.Context(), 10*time.Second, func() error {
		if r.Host.alive() || r.Init.alive() {
			return fmt.Errorf("still running")
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	again, err := Up(t.Context(), c.o)
	if err != nil {
		t.Fatal(err)
	}
	kubectl(t, again, "", "get", "--raw", "/readyz")
	if same, err := Up(t.Context(), c.o); err != nil || same.Kubeconfig != again.Kubeconfig {
		t.Errorf("Up on a lab that runs: %v", err)
	}
	other := c.o
	other.SerializePulls = true
	if _, err := Up(t.Context(), other); err == nil {
		t.Error("Up with other options did not complain")
	}
}
