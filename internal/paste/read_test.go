package paste

import (
	"testing"
	"time"

	"github.com/unjam-dev/unjam/internal/facts"
)

const described = `Name:             web-7d8b4f47d9-hw4xh
Namespace:        shop
Priority:         0
Service Account:  default
Node:             node1/10.0.0.11
Start Time:       Sun, 22 Nov 2026 10:17:35 +0000
Labels:           app=web
                  pod-template-hash=7d8b4f47d9
Annotations:      <none>
Status:           Pending
IP:               10.244.0.5
IPs:
  IP:           10.244.0.5
Controlled By:  ReplicaSet/web-7d8b4f47d9
Init Containers:
  migrate:
    Container ID:  containerd://abc
    Image:         registry.example.com/shop/migrate:v1
    State:          Terminated
      Reason:       Completed
      Exit Code:    0
      Started:      Sun, 22 Nov 2026 10:17:36 +0000
      Finished:     Sun, 22 Nov 2026 10:17:40 +0000
    Ready:          True
    Restart Count:  0
Containers:
  app:
    Container ID:
    Image:          registry.example.com:5000/shop/web:v9.9.9
    Image ID:
    Port:           8080/TCP
    Host Port:      0/TCP
    State:          Waiting
      Reason:       ImagePullBackOff
    Last State:     Terminated
      Reason:       OOMKilled
      Exit Code:    137
      Started:      Sun, 22 Nov 2026 10:18:36 +0000
      Finished:     Sun, 22 Nov 2026 10:18:40 +0000
    Ready:          False
    Restart Count:  2
    Limits:
      memory:  64Mi
    Requests:
      memory:     64Mi
    Liveness:     http-get http://:8080/healthz delay=1s timeout=2s period=3s #success=1 #failure=4
    Readiness:    exec [cat /tmp/ready] delay=0s timeout=1s period=10s #success=1 #failure=3
    Environment:  <none>
Conditions:
  Type                        Status
  PodReadyToStartContainers   True
  Initialized                 True
  Ready                       False
  ContainersReady             False
  PodScheduled                True
Volumes:
  kube-api-access-7bbcp:
    Type:                    Projected (a volume that contains injected data from multiple sources)
QoS Class:                   Burstable
Node-Selectors:              disktype=ssd
Tolerations:                 node.kubernetes.io/not-ready:NoExecute op=Exists for 300s
Events:
  Type     Reason     Age                From               Message
  ----     ------     ----               ----               -------
  Normal   Scheduled  2m5s               default-scheduler  Successfully assigned shop/web-7d8b4f47d9-hw4xh to node1
  Normal   Pulling    35s (x4 over 2m4s) kubelet            spec.containers{app}: Pulling image "registry.example.com:5000/shop/web:v9.9.9"
  Warning  Failed     35s (x4 over 2m4s) kubelet            Failed to pull image "registry.example.com:5000/shop/web:v9.9.9": unexpected status from GET request to https://registry.example.com:5000/v2/shop/web/manifests/v9.9.9: 429 Too Many Requests
toomanyrequests: slow down
  Warning  Failed     35s (x4 over 2m4s) kubelet            Error: ErrImagePull
`

func TestDescribePod(t *testing.T) {
	f := facts.Build(Read(described).Snapshot)
	if len(f.Pods) != 1 {
		t.Fatalf("%d pods, want 1", len(f.Pods))
	}
	p := f.Pods[0]
	if p.Name() != "web-7d8b4f47d9-hw4xh" || p.Obj.Namespace != "shop" || p.NodeName() != "node1" || p.Obj.Spec.NodeSelector["disktype"] != "ssd" {
		t.Errorf("pod is %s/%s on %s, selector %v", p.Obj.Namespace, p.Name(), p.NodeName(), p.Obj.Spec.NodeSelector)
	}
	if len(p.Containers) != 2 || p.Containers[0].Kind != facts.InitContainer {
		t.Fatalf("containers: %+v", p.Containers)
	}
	app := p.Containers[1]
	if app.Waiting == nil || app.Waiting.Reason != "ImagePullBackOff" || app.Restarts != 2 || app.LastDeath() == nil || app.LastDeath().ExitCode != 137 {
		t.Errorf("app: waiting %+v, restarts %d, deaths %+v", app.Waiting, app.Restarts, app.Deaths)
	}
	if q := app.Spec.Resources.Limits.Memory(); q.String() != "64Mi" {
		t.Errorf("memory limit %s", q)
	}
	if l := app.Spec.LivenessProbe; l == nil || l.HTTPGet == nil || l.HTTPGet.Path != "/healthz" || l.FailureThreshold != 4 {
		t.Errorf("liveness %+v", l)
	}
	if len(p.Events) != 4 {
		t.Fatalf("%d events, want 4", len(p.Events))
	}
	var pull *facts.Event
	for _, e := range p.Events {
		if e.Reason == "Failed" && e.Count == 4 && len(e.Message) > 40 {
			pull = e
		}
	}
	if pull == nil || pull.Last.Sub(pull.First) != 89*time.Second || pull.Message[len(pull.Message)-9:] != "slow down" {
		t.Errorf("pull event %+v", pull)
	}
}

func TestEventTables(t *testing.T) {
	for name, text := range map[string]string{
		"plain": "LAST SEEN   TYPE      REASON             OBJECT                     MESSAGE\n" +
			"3m12s       Warning   FailedScheduling   pod/web-5d8f-abcde         0/3 nodes are available: 3 Insufficient cpu.\n" +
			"2m          Normal    ScalingReplicaSet  deployment/web             Scaled up replica set web-5d8f from 0 to 3\n",
		"all namespaces": "NAMESPACE   LAST SEEN   TYPE      REASON             OBJECT                     MESSAGE\n" +
			"shop        3m12s       Warning   FailedScheduling   pod/web-5d8f-abcde         0/3 nodes are available: 3 Insufficient cpu.\n",
		"wide": "LAST SEEN   TYPE      REASON             OBJECT               SUBOBJECT   SOURCE              MESSAGE                                        FIRST SEEN   COUNT   NAME\n" +
			"3m12s       Warning   FailedScheduling   pod/web-5d8f-abcde               default-scheduler   0/3 nodes are available: 3 Insufficient cpu.   5m           3       web.17f\n",
		"no header":  "3m12s       Warning   FailedScheduling   pod/web-5d8f-abcde         0/3 nodes are available: 3 Insufficient cpu.\n",
		"colours":    "\x1b[33m3m12s       Warning   FailedScheduling   pod/web-5d8f-abcde         0/3 nodes are available: 3 Insufficient cpu.\x1b[0m\n",
		"quoted":     "> 3m12s       Warning   FailedScheduling   pod/web-5d8f-abcde         0/3 nodes are available: 3 Insufficient cpu.\n",
		"loose line": "   Warning  FailedScheduling  3m12s (x3 over 5m)  default-scheduler  0/3 nodes are available: 3 Insufficient cpu.\n",
		"message":    "0/3 nodes are available: 3 Insufficient cpu. preemption: 0/3 nodes are available: 3 No preemption victims found for incoming pod.",
		"log line":   `I1122 10:17:35.123456       1 schedule_one.go:1041] "Unable to schedule pod; no fit; waiting" pod="shop/web-5d8f-abcde" err="0/3 nodes are available: 3 Insufficient cpu."`,
	} {
		f := facts.Build(Read(text).Snapshot)
		if len(f.Pods) != 1 || f.Pods[0].Scheduling == nil || f.Pods[0].Scheduling.Fit.Nodes != 3 {
			t.Errorf("%s: pods %+v", name, f.Pods)
		}
	}
}

func TestKubeletLog(t *testing.T) {
	text := `E1122 10:18:22.111111    1234 pod_workers.go:1298] "Error syncing pod, skipping" err="failed to \"StartContainer\" for \"app\" with CreateContainerConfigError: \"secret \\\"db\\\" not found\"" pod="shop/web-1" podUID="x"`
	f := facts.Build(Read(text).Snapshot)
	if len(f.Pods) != 1 || f.Pods[0].Name() != "web-1" {
		t.Fatalf("pods %+v", f.Pods)
	}
	w := f.Pods[0].Containers[0].Waiting
	if w == nil || w.Reason != "CreateContainerConfigError" || w.Message != `secret "db" not found` {
		t.Errorf("waiting %+v", w)
	}
}

func TestTextWithoutProblem(t *testing.T) {
	for _, text := range []string{"", "hello", "everything is fine\nnothing to see", "NAME READY STATUS RESTARTS AGE\nweb-1 1/1 Running 0 5m"} {
		for _, p := range facts.Build(Read(text).Snapshot).Pods {
			if p.Phase != facts.PhaseReady {
				t.Errorf("%q: pod %s in phase %s", text, p.Name(), p.Phase)
			}
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add(described)
	f.Add("LAST SEEN TYPE REASON OBJECT MESSAGE\n3m Warning Failed pod/x y")
	f.Add("Name: x\nContainers:\n  a:\n    State: Waiting\n      Reason: X\nEvents:\n")
	f.Add(`{"apiVersion":"v1","kind":"Pod"}`)
	f.Fuzz(func(t *testing.T, text string) { facts.Build(Read(text).Snapshot) })
}

func TestYAMLAfterPrompt(t *testing.T) {
	text := "$ kubectl get pod web-1 -o yaml\napiVersion: v1\nkind: Pod\nmetadata: {name: web-1, namespace: shop}\nspec: {nodeName: n1, containers: [{name: app, image: a/b}]}\nstatus: {phase: Pending}\n"
	if s := Read(text).Snapshot; len(s.Objects.Pods) != 1 || s.Objects.Pods[0].Name != "web-1" {
		t.Errorf("pods %+v", s.Objects.Pods)
	}
}

func TestYAMLFragment(t *testing.T) {
	text := "    waiting:\n      message: 'secret \"db\" not\n        found'\n      reason: CreateContainerConfigError\n"
	r := Read(text)
	if len(r.Snapshot.Objects.Pods) != 1 || r.Snapshot.Objects.Pods[0].Status.ContainerStatuses[0].State.Waiting.Message != `secret "db" not found` {
		t.Errorf("pods %+v, said %v", r.Snapshot.Objects.Pods, r.Said)
	}
}

func TestPodTable(t *testing.T) {
	r := Read("NAMESPACE NAME READY STATUS RESTARTS AGE\nshop web-1 0/1 Init:CrashLoopBackOff 5 (2m ago) 10m\nshop web-2 1/1 Running 0 10m\nshop web-3 0/1 OutOfcpu 0 1m\n")
	pods := r.Snapshot.Objects.Pods
	if len(pods) != 3 {
		t.Fatalf("%d pods, want 3", len(pods))
	}
	if st := pods[0].Status.InitContainerStatuses; pods[0].Namespace != "shop" || len(st) != 1 || st[0].RestartCount != 5 || st[0].State.Waiting.Reason != "CrashLoopBackOff" {
		t.Errorf("web-1: %+v", pods[0].Status)
	}
	if pods[2].Status.Reason != "OutOfcpu" || pods[2].Status.Phase != "Failed" {
		t.Errorf("web-3: %+v", pods[2].Status)
	}
}
