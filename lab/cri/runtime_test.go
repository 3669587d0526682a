package cri

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	api "k8s.io/cri-api/pkg/apis/runtime/v1"
	remote "k8s.io/cri-client/pkg"
	"k8s.io/utils/exec"

	"github.com/unjam-dev/unjam/lab/script"
)

// newRuntime plays a script with pods on loopback addresses.
func newRuntime(t *testing.T, s script.Script, ports ...int) (*Runtime, *Images) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "script.json")
	if err := s.Save(file); err != nil {
		t.Fatal(err)
	}
	p := script.NewPlayer(file)
	images := NewImages(p)
	r := NewRuntime(p, images, netip.MustParseAddr("127.0.0.1"), netip.MustParsePrefix("127.77.0.0/24"),
		func(context.Context, string, string, string) ([]int, error) { return ports, nil })
	return r, images
}

// run makes a sandbox and a container in it, and starts it.
func run(t *testing.T, r *Runtime, image string) (sandbox, container string, err error) {
	t.Helper()
	ctx := t.Context()
	sc := &api.PodSandboxConfig{Metadata: &api.PodSandboxMetadata{Namespace: "shop", Name: "web-1"}, LogDirectory: t.TempDir()}
	sandbox, err = r.RunPodSandbox(ctx, sc, "")
	if err != nil {
		return "", "", err
	}
	container, err = r.CreateContainer(ctx, sandbox, &api.ContainerConfig{
		Metadata: &api.ContainerMetadata{Name: "web"}, Image: &api.ImageSpec{Image: "sha256:1", UserSpecifiedImage: image}, LogPath: "web/0.log",
	}, sc)
	if err != nil {
		return sandbox, "", err
	}
	return sandbox, container, r.StartContainer(ctx, container)
}

func statusOf(t *testing.T, r *Runtime, id string) *api.ContainerStatus {
	t.Helper()
	s, err := r.ContainerStatus(t.Context(), id, false)
	if err != nil {
		t.Fatal(err)
	}
	return s.Status
}

func TestPullAnswers(t *testing.T) {
	_, images := newRuntime(t, script.Script{Pulls: []script.Pull{
		{Image: "a:gone", Code: "NotFound", Error: "{{.Image}}: not found"},
		{Image: "a:odd", Error: "plain text"},
		{Image: "a:slow", Delay: script.Duration(time.Minute)},
	}})
	ctx := t.Context()
	if _, err := images.PullImage(ctx, &api.ImageSpec{Image: "a:gone"}, nil, nil); status.Code(err) != codes.NotFound || !strings.Contains(err.Error(), "a:gone: not found") {
		t.Errorf("a:gone: %v", err)
	}
	if _, err := images.PullImage(ctx, &api.ImageSpec{Image: "a:odd"}, nil, nil); err == nil || err.Error() != "plain text" {
		t.Errorf("a:odd: %v", err)
	}
	soon, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
	defer cancel()
	if _, err := images.PullImage(soon, &api.ImageSpec{Image: "a:slow"}, nil, nil); status.Code(err) != codes.DeadlineExceeded {
		t.Errorf("a:slow: %v", err)
	}
	id, err := images.PullImage(ctx, &api.ImageSpec{Image: "host:5000/a:v1"}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, ref := range []string{"host:5000/a:v1", id} {
		got, err := images.ImageStatus(ctx, &api.ImageSpec{Image: ref}, false)
		if err != nil || got.Image == nil || got.Image.RepoDigests[0] != "host:5000/a@"+id {
			t.Errorf("status of %s: %v, %v", ref, got, err)
		}
	}
	if err := images.RemoveImage(ctx, &api.ImageSpec{Image: id}); err != nil {
		t.Fatal(err)
	}
	if got, _ := images.ImageStatus(ctx, &api.ImageSpec{Image: id}, false); got.Image != nil {
		t.Error("a removed image is still there")
	}
}

func TestContainerEnds(t *testing.T) {
	r, _ := newRuntime(t, script.Script{Containers: []script.Container{
		{Image: "oom", ExitAfter: script.After(10 * time.Millisecond), Exit: 137, Reason: "OOMKilled", Log: []string{"allocating"}},
		{Image: "nostart", StartError: "exec: not found"},
	}})
	_, id, err := run(t, r, "oom")
	if err != nil {
		t.Fatal(err)
	}
	if log, err := os.ReadFile(statusOf(t, r, id).LogPath); err != nil || !strings.HasSuffix(string(log), " stdout F allocating\n") {
		t.Errorf("log %q, %v", log, err)
	}
	for until := time.Now().Add(5 * time.Second); statusOf(t, r, id).State != api.ContainerState_CONTAINER_EXITED; time.Sleep(time.Millisecond) {
		if time.Now().After(until) {
			t.Fatal("the run does not end")
		}
	}
	if s := statusOf(t, r, id); s.ExitCode != 137 || s.Reason != "OOMKilled" || s.FinishedAt < s.StartedAt {
		t.Errorf("end: %v", s)
	}
	_, id, err = run(t, r, "nostart")
	if err == nil || !strings.Contains(err.Error(), "exec: not found") {
		t.Errorf("start error: %v", err)
	}
	if s := statusOf(t, r, id); s.Reason != "StartError" || s.ExitCode != 128 || s.StartedAt != 0 {
		t.Errorf("failed start: %v", s)
	}
}

func TestStopHonoursGrace(t *testing.T) {
	r, _ := newRuntime(t, script.Script{Containers: []script.Container{{Image: "deaf", IgnoreTerm: true}}})
	for image, want := range map[string]int32{"deaf": 137, "good": 143} {
		_, id, err := run(t, r, image)
		if err != nil {
			t.Fatal(err)
		}
		if err := r.StopContainer(t.Context(), id, 0); err != nil {
			t.Fatal(err)
		}
		if s := statusOf(t, r, id); s.ExitCode != want {
			t.Errorf("%s: exit %d, want %d", image, s.ExitCode, want)
		}
	}
}

func TestProbes(t *testing.T) {
	r, _ := newRuntime(t, script.Script{Containers: []script.Container{{Probes: []script.Probe{
		{Match: "/ready", Status: 503, Body: "warming up", HealthyAfter: script.After(time.Hour)},
		{Match: "cat *", Exit: 2, Output: "no file"},
		{Match: "sleep *", Hang: true},
	}}}}, 18080)
	sb, id, err := run(t, r, "any")
	if err != nil {
		t.Fatal(err)
	}
	st, err := r.PodSandboxStatus(t.Context(), sb, false)
	if err != nil {
		t.Fatal(err)
	}
	get := func(path string) (int, string) {
		for until := time.Now().Add(5 * time.Second); ; time.Sleep(5 * time.Millisecond) {
			resp, err := http.Get(fmt.Sprintf("http://%s:18080%s", st.Status.Network.Ip, path))
			if err != nil {
				if time.Now().After(until) {
					t.Fatal(err)
				}
				continue
			}
			defer resp.Body.Close()
			b, _ := io.ReadAll(resp.Body)
			return resp.StatusCode, string(b)
		}
	}
	if code, body := get("/ready"); code != 503 || body != "warming up" {
		t.Errorf("/ready: %d %q", code, body)
	}
	if code, _ := get("/live"); code != 200 {
		t.Errorf("/live: %d", code)
	}
	out, _, err := r.ExecSync(t.Context(), id, []string{"cat", "/x"}, time.Second)
	var failed exec.CodeExitError
	if !errors.As(err, &failed) || failed.Code != 2 || string(out) != "no file" {
		t.Errorf("exec: %q, %v", out, err)
	}
	if _, _, err := r.ExecSync(t.Context(), id, []string{"true"}, time.Second); err != nil {
		t.Errorf("unscripted exec: %v", err)
	}
	if _, _, err := r.ExecSync(t.Context(), id, []string{"sleep", "9"}, 10*time.Millisecond); !errors.Is(err, remote.ErrCommandTimedOut) {
		t.Errorf("hanging exec: %v", err)
	}
	if err := r.RemovePodSandbox(t.Context(), sb); err != nil {
		t.Fatal(err)
	}
	if _, err := http.Get(fmt.Sprintf("http://%s:18080/live", st.Status.Network.Ip)); err == nil {
		t.Error("the probe port outlives its container")
	}
}
