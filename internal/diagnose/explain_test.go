package diagnose

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/unjam-dev/unjam/internal/cause"
	"github.com/unjam-dev/unjam/internal/report"
)

// TestNoProblem holds that explain finds nothing where nothing is wrong.
func TestNoProblem(t *testing.T) {
	for name, text := range map[string]string{
		"empty": "", "words": "hello\nplease look at this, it does not work",
		"pods":     "NAME READY STATUS RESTARTS AGE\nweb-1 1/1 Running 0 5m\njob-1 0/1 Completed 0 5m\n",
		"rollout":  `deployment "web" successfully rolled out`,
		"normal":   "LAST SEEN   TYPE     REASON      OBJECT      MESSAGE\n3m   Normal   Pulled   pod/web-1   Successfully pulled image \"alpine:3\" in 1.4s (1.4s including waiting). Image size: 3000 bytes.\n3m   Normal   Created   pod/web-1   Created container app\n3m   Normal   Started   pod/web-1   Started container app\n",
		"present":  `Container image "registry.example.com/shop/web:v1" already present on machine and can be accessed by the pod`,
		"assigned": "Successfully assigned shop/web-1 to node-a",
		"scaled":   "LAST SEEN   TYPE     REASON      OBJECT      MESSAGE\n3m   Normal   ScalingReplicaSet   deployment/web   Scaled up replica set web-7d9 from 0 to 3\n3m   Normal   SuccessfulCreate   replicaset/web-7d9   Created pod: web-7d9-abcde\n",
		"log":      "2026-11-22T10:17:35Z INFO server listening on :8080\n2026-11-22T10:17:36Z INFO GET /healthz 200 1.2ms\nI1122 10:17:35.123456 1 main.go:10] \"Starting\" version=\"v1.2.3\"",
		"node":     "Name:               node-a\nTaints:             <none>\nUnschedulable:      false\nConditions:\n  Type             Status  LastHeartbeatTime                 LastTransitionTime                Reason                       Message\n  ----             ------  -----------------                 ------------------                ------                       -------\n  MemoryPressure   False   Sun, 22 Nov 2026 10:17:35 +0000   Sun, 22 Nov 2026 09:17:35 +0000   KubeletHasSufficientMemory   kubelet has sufficient memory available\n  Ready            True    Sun, 22 Nov 2026 10:17:35 +0000   Sun, 22 Nov 2026 09:17:35 +0000   KubeletReady                 kubelet is posting ready status\nEvents:              <none>\n",
		"pvc":      "Name:          data\nNamespace:     shop\nStorageClass:  gp3\nStatus:        Bound\nVolume:        pvc-1\nAccess Modes:  RWO\nUsed By:       web-0\nEvents:        <none>\n",
		"deploy":   "Name:                   web\nNamespace:              shop\nReplicas:               3 desired | 3 updated | 3 total | 3 available | 0 unavailable\nStrategyType:           RollingUpdate\nConditions:\n  Type           Status  Reason\n  ----           ------  ------\n  Available      True    MinimumReplicasAvailable\n  Progressing    True    NewReplicaSetAvailable\nEvents:          <none>\n",
	} {
		if doc, _ := Explain(cause.BuiltIn, text); len(doc.Findings) > 0 {
			t.Errorf("%s: %s (%s): %s", name, doc.Findings[0].Cause, doc.Findings[0].Confidence, doc.Findings[0].Summary)
		}
	}
}

// TestDescribedKinds reads kubectl describe of the kinds above pods.
func TestDescribedKinds(t *testing.T) {
	for _, c := range []struct{ kind, events, want string }{
		{"Job", "BackoffLimitExceeded  5m  job-controller  Job has reached the specified backoff limit", "job-failed"},
		{"PersistentVolumeClaim", "ProvisioningFailed  3s (x5 over 40s)  persistentvolume-controller  storageclass.storage.k8s.io \"gp3\" not found", "provisioning-failed"},
		{"StatefulSet", "FailedCreate  3s (x5 over 40s)  statefulset-controller  create Pod web-0 in StatefulSet web failed error: pods \"web-0\" is forbidden: error looking up service account shop/web: serviceaccount \"web\" not found", "serviceaccount-missing"},
		{"ReplicaSet", "FailedCreate  3s (x5 over 40s)  replicaset-controller  Error creating: pods \"web-7d9-x\" is forbidden: exceeded quota: team-a, requested: pods=1, used: pods=10, limited: pods=10", "quota-exceeded"},
		{"DaemonSet", "FailedCreate  3s (x5 over 40s)  daemonset-controller  Error creating: pods \"web-x\" is forbidden: violates PodSecurity \"restricted:latest\": hostPath volumes (volume \"v\")", "podsecurity-violation"},
		{"Node", "SystemOOM  3s  kubelet  System OOM encountered, victim process: java, pid: 4211", "node-system-oom"},
	} {
		text := describeHead[c.kind] + "Events:\n  Type     Reason  Age  From  Message\n  ----     ------  ----  ----  -------\n  Warning  " + c.events + "\n"
		if got := firstCause(text); got != c.want {
			t.Errorf("%s: %q, want %q", c.kind, got, c.want)
		}
	}
}

// manglings are what pasting does to text. The text stays one whose cause can be named.
var manglings = map[string]func(string) string{
	"indented": func(s string) string { return eachLine(s, func(l string) string { return "      " + l }) },
	"quoted":   func(s string) string { return eachLine(s, func(l string) string { return "> " + l }) },
	"crlf":     func(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") },
	"coloured": func(s string) string { return eachLine(s, func(l string) string { return "\x1b[33m" + l + "\x1b[0m" }) },
	"fenced":   func(s string) string { return "it hangs, see:\n```\n" + s + "\n```\nwhat is it?" },
	"beside others": func(s string) string {
		return "Name:             other-1\nNamespace:        shop\nStatus:           Running\nEvents:\n  Type    Reason   Age   From     Message\n  ----    ------   ----  ----     -------\n" +
			"  Normal  Started  5m    kubelet  Started container app\n\n" + s
	},
}

func eachLine(s string, change func(string) string) string {
	lines := strings.Split(s, "\n")
	for i, l := range lines {
		lines[i] = change(l)
	}
	return strings.Join(lines, "\n")
}

func TestMangledText(t *testing.T) {
	for i, s := range samples(t) {
		form := forms[1]
		if i%5 != 0 || form.text(s) == "" {
			continue
		}
		want := firstCause(form.text(s))
		for name, mangle := range manglings {
			if got := firstCause(mangle(form.text(s))); got != want {
				t.Errorf("%s, %s: %q, want %q as in the plain text\n%s", s.cause, name, got, want, mangle(form.text(s)))
			}
		}
	}
}

func firstCause(text string) string {
	doc, _ := Explain(cause.BuiltIn, text)
	if len(doc.Findings) == 0 {
		return ""
	}
	return doc.Findings[0].Cause
}

var year2000 = regexp.MustCompile(`"(?:since|lastSeen|nextRetry|time)":"(?:1999|2000)`)

// checkNothingInvented holds that no name or time that the text lacks is shown.
func checkNothingInvented(t *testing.T, what string, doc *report.Findings) {
	t.Helper()
	raw, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(raw), "unnamed-") || year2000.Match(raw) {
		t.Errorf("%s: invented: %s", what, raw)
	}
}

// TestHostileText holds that time grows with the length of the text, no faster.
func TestHostileText(t *testing.T) {
	size := 1 << 16
	for name, unit := range map[string]string{
		"letters": "a", "blanks": " ", "quotes": `"`, "backslashes": `\`, "brackets": "[(", "newlines": "\n", "names": "Name: x\n",
		"headers": "LAST SEEN TYPE REASON OBJECT MESSAGE\n", "events": "  Warning  Failed  3s  kubelet  x\n", "rows": "web-1 0/1 CrashLoopBackOff 5 3m\n",
		"containers": "Containers:\n  a:\n    State: Waiting\n", "pulls": `failed to pull image "a": `, "events of many": "3m Warning BackOff pod/p%d Back-off restarting failed container\n",
		"nodes": "Kubelet stopped posting node status.\n", "commas": "0/1 nodes are available: 1 Insufficient cpu, ", "json": `{"a":`,
		"refusals": "Error creating: pods is forbidden: exceeded quota: q\n", "mirrors": "(Mirrors also failed: [", "klog": "I1122 10:17:35.123456 1 a.go:1] \"x\" err=\"y\"\n",
	} {
		var b strings.Builder
		for n := 0; b.Len() < size; n++ {
			if strings.Contains(unit, "%d") {
				fmt.Fprintf(&b, unit, n)
			} else {
				b.WriteString(unit)
			}
		}
		start := time.Now()
		Explain(cause.BuiltIn, b.String())
		// Far above what it takes, for busy machines; square time takes minutes.
		if d := time.Since(start); d > 20*time.Second {
			t.Errorf("%s: %s for 64 KiB", name, d)
		} else {
			t.Logf("%s: %s", name, d)
		}
	}
}

func FuzzExplain(f *testing.F) {
	f.Add("  Warning  Failed  3s (x4 over 2m)  kubelet  Error: secret \"db\" not found\n")
	f.Add("Name: web\nReplicas: 0 current / 3 desired\nPods Status: 0\nEvents:\n  Type Reason Age From Message\n  Warning  FailedCreate  3s  rs  Error creating: x")
	f.Add("    message: |\n      0/3 nodes are available: 3 Insufficient cpu.\n    reason: Unschedulable\n")
	f.Add("NAME READY STATUS RESTARTS AGE\nweb 0/1 Init:CrashLoopBackOff 3 5m")
	f.Add(`I1122 10:17:35.1 1 event.go:389] "Event occurred" object="a/b" kind="Pod" reason="Failed" message="x"`)
	f.Fuzz(func(t *testing.T, text string) {
		doc, _ := Explain(cause.BuiltIn, text)
		if !strings.Contains(text, "unnamed-") {
			checkNothingInvented(t, text, doc)
		}
	})
}
