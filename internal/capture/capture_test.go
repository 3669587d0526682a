package capture

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"

	"github.com/unjam-dev/unjam/internal/snapshot"
)

func take(t *testing.T, s *apiServer, opt Options) (*snapshot.Snapshot, Stats) {
	t.Helper()
	snap, stats, err := Cluster(context.Background(), s.config(), opt)
	if err != nil {
		t.Fatal(err)
	}
	return snap, stats
}

func objectMeta(namespace, name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: namespace, Name: name, UID: types.UID(namespace + "/" + name), ResourceVersion: "1",
		ManagedFields: []metav1.ManagedFieldsEntry{{Manager: "kubelet"}}}
}

// failingPod waits for its image, or crashes.
func failingPod(namespace, name, owner, reason string) *corev1.Pod {
	p := &corev1.Pod{ObjectMeta: objectMeta(namespace, name), Spec: corev1.PodSpec{NodeName: "n1", ServiceAccountName: "default",
		ImagePullSecrets: []corev1.LocalObjectReference{{Name: "regcred"}}, Containers: []corev1.Container{{Name: "app"}}}}
	yes := true
	p.OwnerReferences = []metav1.OwnerReference{{Kind: "ReplicaSet", Name: owner, UID: types.UID(namespace + "/" + owner), Controller: &yes}}
	s := corev1.ContainerStatus{Name: "app", State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason}}}
	if reason == "CrashLoopBackOff" {
		s.LastTerminationState.Terminated = &corev1.ContainerStateTerminated{ExitCode: 1, Reason: "Error"}
	}
	p.Status.ContainerStatuses = []corev1.ContainerStatus{s}
	return p
}

func pullSecret(namespace, name string) *corev1.Secret {
	return &corev1.Secret{ObjectMeta: objectMeta(namespace, name), Type: corev1.SecretTypeDockerConfigJson,
		Data: map[string][]byte{".dockerconfigjson": []byte(`{"auths":{"a.io":{"username":"joe","password":"S3cr3tV4lue9xQ"}}}`)}}
}

func TestPagesInProtobuf(t *testing.T) {
	s := newServer(t)
	for i := range 23 {
		s.add("pods", &corev1.Pod{ObjectMeta: objectMeta("shop", fmt.Sprintf("p%02d", i))})
	}
	snap, stats := take(t, s, Options{PageSize: 10, Context: "lab"})
	if len(snap.Objects.Pods) != 23 || snap.Objects.Pods[0].Name != "p00" || snap.Objects.Pods[0].ManagedFields != nil {
		t.Errorf("%d pods", len(snap.Objects.Pods))
	}
	if got := s.requests("/pods?"); len(got) != 3 {
		t.Errorf("pages: %q", got)
	}
	if !snap.Covers("pods", "shop") || !snap.Covers("nodes", "") {
		t.Errorf("gaps = %+v", snap.Gaps)
	}
	if snap.Origin != (snapshot.Origin{Kind: "cluster", Name: "lab", ServerVersion: "v1.37.1"}) {
		t.Errorf("origin = %+v", snap.Origin)
	}
	if age := time.Since(snap.TakenAt); age < 0 || age > time.Minute {
		t.Errorf("TakenAt = %v", snap.TakenAt)
	}
	if stats.Requests != len(s.seen) || stats.Bytes == 0 || stats.Calls["GET pods"] != 3 || stats.Requests > 40 {
		t.Errorf("stats = %+v", stats)
	}
}

func TestExpiredContinueStartsAgain(t *testing.T) {
	s := newServer(t)
	for i := range 5 {
		s.add("pods", &corev1.Pod{ObjectMeta: objectMeta("shop", fmt.Sprint("p", i))})
	}
	s.expire["/api/v1/pods"] = true
	snap, _ := take(t, s, Options{PageSize: 2})
	if len(snap.Objects.Pods) != 5 || !snap.Covers("pods", "shop") {
		t.Errorf("%d pods, gaps %+v", len(snap.Objects.Pods), snap.Gaps)
	}
}

func TestGapsNameWhatToGrant(t *testing.T) {
	s := newServer(t)
	s.fail["/api/v1/nodes"] = 403
	s.fail["/apis/apps/v1/namespaces/shop/daemonsets"] = 404
	s.hang["/apis/batch/v1/namespaces/shop/jobs"] = true
	s.fail["/apis/policy/v1/namespaces/shop/poddisruptionbudgets"] = 500
	s.add("pods", failingPod("shop", "web-1", "web", "ImagePullBackOff"))
	s.fail["/api/v1/namespaces/shop/secrets"] = 403
	snap, _ := take(t, s, Options{Namespace: "shop", ListTimeout: 300 * time.Millisecond})
	for _, c := range []struct {
		resource, namespace string
		reason              snapshot.GapReason
		settle              string
	}{
		{"nodes", "", snapshot.GapForbidden, "grant the right to list nodes in the whole cluster"},
		{"daemonsets", "shop", snapshot.GapNotServed, ""},
		{"jobs", "shop", snapshot.GapTimeout, "try again with a longer --request-timeout"},
		{"poddisruptionbudgets", "shop", snapshot.GapFailed, "see whether `kubectl get poddisruptionbudgets.policy -n shop` works, then try again"},
		{"secrets", "shop", snapshot.GapForbidden, "grant the right to list secrets in namespace shop"},
		{"configmaps", "shop", snapshot.GapNotNeeded, ""},
		{"pods", "other", snapshot.GapNotNeeded, ""},
		{"deployments", "other", snapshot.GapNotCaptured, ""},
	} {
		g, ok := snap.GapFor(c.resource, c.namespace)
		if !ok || g.Reason != c.reason || g.Settle != c.settle {
			t.Errorf("%s in %q: %+v", c.resource, c.namespace, g)
		}
	}
	if !snap.Covers("pods", "shop") || !snap.Covers("leases", "kube-node-lease") || snap.Covers("leases", "shop") {
		t.Errorf("gaps = %+v", snap.Gaps)
	}
}

func TestTruncatedListKeepsWhatItRead(t *testing.T) {
	s := newServer(t)
	for i := range 5 {
		s.add("pods", &corev1.Pod{ObjectMeta: objectMeta("shop", fmt.Sprint("p", i))})
	}
	s.expire["/api/v1/pods"] = true
	c := &capture{opt: Options{PageSize: 2}.withDefaults(), snap: &snapshot.Snapshot{}, shared: snapshot.NewShared()}
	c.client, _ = newClient(s.config())
	k := snapshot.KindOfResource("pods")
	if err := c.pages(context.Background(), k, "", ""); err != nil || len(c.snap.Objects.Pods) != 5 {
		t.Fatal(err)
	}
	if g := gapOf(k, "list", "", "", partialError{errors.New("broken pipe")}); g.Reason != snapshot.GapTruncated {
		t.Errorf("gap = %+v", g)
	}
}

func TestServersThatDoNotAnswer(t *testing.T) {
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := closed.Addr().String()
	closed.Close()
	hung := newServer(t)
	hung.hang["/version"] = true
	html := newServer(t)
	html.text["/version"] = "<html>Sign in</html>"
	sick := newServer(t)
	sick.fail["/version"] = 503
	for name, cfg := range map[string]*rest.Config{"refused": {Host: "http://" + addr}, "silent": hung.config(), "portal": html.config(), "sick": sick.config()} {
		_, _, err := Cluster(context.Background(), cfg, Options{ConnectTimeout: 200 * time.Millisecond})
		var unreachable *UnreachableError
		if !errors.As(err, &unreachable) || unreachable.Host != cfg.Host || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestServersThatRefuse(t *testing.T) {
	s := newServer(t)
	s.fail["/version"] = 401
	_, _, err := Cluster(context.Background(), s.config(), Options{})
	var login *LoginError
	if !errors.As(err, &login) || login.Forbidden {
		t.Errorf("401: %v", err)
	}
	s = newServer(t)
	for _, k := range snapshot.Kinds {
		path := "/apis/" + k.Group + "/" + k.Versions[0]
		if k.Group == "" {
			path = "/api/v1"
		}
		s.fail[path+"/"+k.Resource] = 403
		s.fail[path+"/namespaces/kube-system/"+k.Resource] = 403
		s.fail[path+"/namespaces/kube-node-lease/"+k.Resource] = 403
	}
	_, _, err = Cluster(context.Background(), s.config(), Options{})
	if !errors.As(err, &login) || !login.Forbidden || !strings.Contains(err.Error(), "name one with -n") {
		t.Errorf("403 everywhere: %v", err)
	}
}

func TestCancelled(t *testing.T) {
	s := newServer(t)
	s.hang["/api/v1/pods"] = true
	ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
	defer cancel()
	if _, _, err := Cluster(ctx, s.config(), Options{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error = %v", err)
	}
}

// The number of calls must not grow with the number of failing pods.
func TestCallsDoNotGrowWithFailures(t *testing.T) {
	count := func(pods int, opt Options) int {
		s := newServer(t)
		for i := range pods {
			ns := "shop"
			if opt.Namespace == "" {
				ns = fmt.Sprint("ns-", i)
			}
			name := fmt.Sprintf("web-%d", i)
			s.add("pods", failingPod(ns, name, fmt.Sprint("rs-", i), "CrashLoopBackOff"), failingPod(ns, "img-"+name, "img", "ImagePullBackOff"))
			s.text["/api/v1/namespaces/"+ns+"/pods/"+name+"/log"] = "panic: no\n"
			s.add("secrets", pullSecret(ns, "regcred"))
		}
		snap, stats := take(t, s, opt)
		out, _ := json.Marshal(snap)
		if strings.Contains(string(out), "S3cr3tV4lue9xQ") {
			t.Error("a secret value is in the snapshot")
		}
		if len(snap.Objects.Secrets) == 0 || len(snap.Logs) == 0 {
			t.Errorf("secrets %d, logs %d", len(snap.Objects.Secrets), len(snap.Logs))
		}
		return stats.Requests
	}
	few, many := count(12, Options{Namespace: "shop"}), count(200, Options{Namespace: "shop"})
	if few != many || many > 46 {
		t.Errorf("one namespace: %d calls for 24 failing pods, %d for 400", few, many)
	}
	few, many = count(12, Options{}), count(200, Options{})
	if few != many || many > 50 {
		t.Errorf("all: %d calls for 24 failing pods, %d for 400", few, many)
	}
	t.Logf("calls: %d", many)
}

func TestSecretsOfAllNamespaces(t *testing.T) {
	s := newServer(t)
	for i := range 14 {
		ns := fmt.Sprintf("ns-%02d", i)
		s.add("pods", failingPod(ns, "web", "rs", "ImagePullBackOff"))
		s.add("secrets", pullSecret(ns, "regcred"), pullSecret(ns, "unrelated"))
	}
	// Many wanted pull secrets come with one list; with pages too small for it,
	// a few are read by name.
	snap, _ := take(t, s, Options{})
	judged := 0
	for _, x := range snap.Objects.Secrets {
		if x.Pull != nil {
			judged++
		}
	}
	if judged != 14 || len(snap.Objects.Secrets) != 28 {
		t.Errorf("%d of %d secrets judged, want 14 of 28", judged, len(snap.Objects.Secrets))
	}
	snap, _ = take(t, s, Options{PageSize: 1})
	whole := 0
	for _, x := range snap.Objects.Secrets {
		switch {
		case x.KeysUnknown && x.Pull != nil, !x.KeysUnknown && x.Pull == nil, x.Name == "unrelated" && !x.KeysUnknown:
			t.Errorf("secret = %+v", x)
		case !x.KeysUnknown:
			whole++
		}
	}
	if len(snap.Objects.Secrets) != 28 || whole != 1+maxNamed || !snap.Covers("secrets", "ns-00") {
		t.Errorf("%d secrets, %d whole", len(snap.Objects.Secrets), whole)
	}
	named := slices.IndexFunc(snap.Gaps, func(g snapshot.Gap) bool { return g.Resource == "secrets" && g.Name == "regcred" })
	if named < 0 || snap.Gaps[named].Settle != "unjam why -n ns-05" {
		t.Errorf("gaps = %+v", snap.Gaps)
	}
	// Without the right to list all, namespaces are asked one by one, a few.
	s.fail["/api/v1/secrets"] = 403
	snap, _ = take(t, s, Options{})
	if len(snap.Objects.Secrets) != 2*maxNamespaces || !snap.Covers("secrets", "ns-00") || snap.Covers("secrets", "ns-13") {
		t.Errorf("%d secrets, gaps %+v", len(snap.Objects.Secrets), snap.Gaps)
	}
}

func TestNoSecretsWithoutNeed(t *testing.T) {
	s := newServer(t)
	s.add("pods", &corev1.Pod{ObjectMeta: objectMeta("shop", "fine"), Spec: corev1.PodSpec{NodeName: "n1"}})
	s.add("secrets", pullSecret("shop", "regcred"))
	take(t, s, Options{})
	take(t, s, Options{Namespace: "shop"})
	if got := append(s.requests("/secrets"), s.requests("/configmaps")...); len(got) != 0 {
		t.Errorf("asked for %q", got)
	}
}

func TestNeighboursOnlyWhenAPodWaitsForANode(t *testing.T) {
	s := newServer(t)
	s.add("pods", &corev1.Pod{ObjectMeta: objectMeta("shop", "web")}, &corev1.Pod{ObjectMeta: objectMeta("other", "big"), Spec: corev1.PodSpec{NodeName: "n1", Containers: []corev1.Container{{Name: "a", Image: "x"}}}})
	snap, _ := take(t, s, Options{Namespace: "shop"})
	pods, complete := snap.AllPods()
	if len(snap.Objects.Pods) != 1 || len(pods) < 2 || !complete {
		t.Errorf("pods %d of %d, complete %v, gaps %+v", len(snap.Objects.Pods), len(pods), complete, snap.Gaps)
	}
	if n := snap.Objects.Neighbours; len(n) == 0 || n[0].Spec.Containers[0].Image != "" {
		t.Error("a neighbour was kept whole")
	}
	if got := s.requests("metadata.namespace%21%3Dshop"); len(got) != 1 {
		t.Errorf("requests %q", got)
	}
	s.objects["pods"] = []snapshot.Object{&corev1.Pod{ObjectMeta: objectMeta("shop", "web"), Spec: corev1.PodSpec{NodeName: "n1"}}}
	snap, _ = take(t, s, Options{Namespace: "shop"})
	if _, complete := snap.AllPods(); complete || snap.Objects.Neighbours != nil {
		t.Error("sums would pass for complete")
	}
}

func TestArgoRollouts(t *testing.T) {
	s := newServer(t)
	list := `{"kind":"RolloutList","apiVersion":"argoproj.io/v1alpha1","metadata":{},"items":[{"apiVersion":"argoproj.io/v1alpha1","kind":"Rollout","metadata":{"name":"web","namespace":"shop"}}]}`
	s.text["/apis/argoproj.io/v1alpha1/namespaces/shop/rollouts"] = list
	if snap, _ := take(t, s, Options{Namespace: "shop"}); len(snap.Objects.Others) != 0 || len(s.requests("argoproj")) != 0 {
		t.Error("asked for a kind that the server does not serve")
	}
	for _, discovery := range []string{
		`{"kind":"APIGroupDiscoveryList","apiVersion":"apidiscovery.k8s.io/v2","items":[{"metadata":{"name":"argoproj.io"},"versions":[{"version":"v1alpha1","resources":[{"resource":"rollouts"}]}]}]}`,
		`{"kind":"APIGroupList","apiVersion":"v1","groups":[{"name":"argoproj.io","versions":[{"groupVersion":"argoproj.io/v1alpha1","version":"v1alpha1"}]}]}`,
	} {
		s.text["/apis"] = discovery
		snap, _ := take(t, s, Options{Namespace: "shop"})
		if len(snap.Objects.Others) != 1 || snap.Objects.Others[0].GetName() != "web" {
			t.Errorf("others = %v, gaps = %+v", snap.Objects.Others, snap.Gaps)
		}
	}
}

func TestPickLogs(t *testing.T) {
	o := &snapshot.Objects{}
	yes := true
	for i := range 5 {
		o.Pods = append(o.Pods, failingPod("shop", fmt.Sprint("web-", i), "web-rs", "CrashLoopBackOff"))
	}
	o.Pods = append(o.Pods, failingPod("shop", "img", "img-rs", "ImagePullBackOff"))
	unready := failingPod("pay", "slow", "slow-rs", "x")
	unready.Status.ContainerStatuses[0].State = corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}
	neverRan := failingPod("pay", "cmd", "cmd-rs", "CrashLoopBackOff")
	neverRan.Status.ContainerStatuses[0].LastTerminationState.Terminated.Reason = "StartError"
	o.Pods = append(o.Pods, unready, neverRan)
	o.ReplicaSets = []*appsv1.ReplicaSet{{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "web-rs", UID: "shop/web-rs", OwnerReferences: []metav1.OwnerReference{{Kind: "Deployment", Name: "web", Controller: &yes}}}}}
	show := func(list []logWish) (out []string) {
		for _, w := range list {
			out = append(out, fmt.Sprint(w.tail.Namespace, "/", w.tail.Pod, " ", w.tail.Previous))
		}
		return out
	}
	if got, want := show(pickLogs(o, nil, 8, time.Time{})), []string{"shop/web-0 true", "pay/slow false", "shop/web-1 true"}; !slices.Equal(got, want) {
		t.Errorf("picked %q", got)
	}
	if got, want := show(pickLogs(o, []Ref{{"Deployment", "web"}}, 8, time.Time{})), []string{"shop/web-0 true", "shop/web-1 true"}; !slices.Equal(got, want) {
		t.Errorf("of one workload %q", got)
	}
	if got := show(pickLogs(o, nil, 1, time.Time{})); len(got) != 1 {
		t.Errorf("with a limit %q", got)
	}
}

// TestPickLogsOfRestarted: without a readiness probe a container counts as Ready
// between its crashes; why it crashed is in the log before.
func TestPickLogsOfRestarted(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for ran, want := range map[time.Duration]int{2 * time.Second: 1, time.Hour: 0} {
		p := failingPod("shop", "web-0", "web-rs", "x")
		p.Status.ContainerStatuses[0].Ready = true
		p.Status.ContainerStatuses[0].LastTerminationState.Terminated = &corev1.ContainerStateTerminated{ExitCode: 1, Reason: "Error"}
		p.Status.ContainerStatuses[0].State = corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.NewTime(now.Add(-ran))}}
		got := pickLogs(&snapshot.Objects{Pods: []*corev1.Pod{p}}, nil, 8, now)
		if len(got) != want || want == 1 && !got[0].tail.Previous {
			t.Errorf("running for %v: %+v", ran, got)
		}
	}
}

// TestNoLogIsNoLine: the kubelet's word that a container is gone is no line of
// its program.
func TestNoLogIsNoLine(t *testing.T) {
	s := newServer(t)
	s.add("pods", failingPod("shop", "web-1", "rs", "CrashLoopBackOff"))
	s.text["/api/v1/namespaces/shop/pods/web-1/log"] = "unable to retrieve container logs for containerd://0123456789abcdef"
	if snap, _ := take(t, s, Options{}); len(snap.Logs) != 0 {
		t.Errorf("logs = %+v", snap.Logs)
	}
}

func TestLogsAreRedactedAndGapsNamed(t *testing.T) {
	s := newServer(t)
	s.add("pods", failingPod("shop", "web-1", "rs", "CrashLoopBackOff"), failingPod("pay", "web-1", "rs", "CrashLoopBackOff"))
	s.text["/api/v1/namespaces/shop/pods/web-1/log"] = "connect password=hunter2\nexit\n"
	s.fail["/api/v1/namespaces/pay/pods/web-1/log"] = 403
	snap, _ := take(t, s, Options{})
	if len(snap.Logs) != 1 || !slices.Equal(snap.Logs[0].Lines, []string{"connect password=[redacted]", "exit"}) || !snap.Logs[0].Previous {
		t.Errorf("logs = %+v", snap.Logs)
	}
	if g, ok := snap.GapFor("pods/log", "pay"); !ok || g.Settle != "grant the right to get pods/log in namespace pay" {
		t.Errorf("gap = %+v", g)
	}
	if q := s.requests("shop/pods/web-1/log"); len(q) != 1 || !strings.Contains(q[0], "previous=true") || !strings.Contains(q[0], "tailLines=20") || !strings.Contains(q[0], "limitBytes=16384") {
		t.Errorf("requests %q", q)
	}
}

func TestClockOfTheServer(t *testing.T) {
	now := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	m := &meter{skew: 2 * time.Second}
	if got := m.clock(now); !got.Equal(now) {
		t.Errorf("small skew: %v", got)
	}
	m.skew = -time.Hour
	if got := m.clock(now); !got.Equal(now.Add(-time.Hour)) {
		t.Errorf("large skew: %v", got)
	}
}
