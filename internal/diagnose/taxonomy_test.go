package diagnose

import (
	"bufio"
	"cmp"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/unjam-dev/unjam/internal/cause"
	"github.com/unjam-dev/unjam/internal/pullerror"
	"github.com/unjam-dev/unjam/internal/report"
)

// sample is one message of testdata/taxonomy.tsv: what a component prints when
// a cause is at work, and the event that carries it.
type sample struct {
	cause, kind, reason, message string
	// accept are further causes that the text alone cannot tell from this one.
	accept []string
	line   int
}

func samples(t *testing.T) []sample {
	t.Helper()
	file, err := os.Open("testdata/taxonomy.tsv")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var out []sample
	scan := bufio.NewScanner(file)
	for n := 1; scan.Scan(); n++ {
		if strings.HasPrefix(scan.Text(), "#") || scan.Text() == "" {
			continue
		}
		f := strings.SplitN(scan.Text(), "\t", 3)
		if len(f) != 3 {
			t.Fatalf("line %d has %d columns, want 3", n, len(f))
		}
		kind, reason, _ := strings.Cut(f[1], "/")
		codes := strings.Split(f[0], ",")
		out = append(out, sample{cause: codes[0], accept: codes[1:], kind: kind, reason: reason, message: f[2], line: n})
	}
	return out
}

// image is an image that fits the sample: of the registry that it names.
func (s sample) image() string {
	if m := bareImage.FindStringSubmatch(s.message); m != nil {
		return m[1]
	}
	for part, host := range map[string]string{"ecr-public": "public.ecr.aws", "dockerhub": "docker.io", "mirror-error": "docker.io", "blob-cdn": "docker.io", "stale-": "public.ecr.aws", "ecr-": "123456789012.dkr.ecr.eu-west-1.amazonaws.com", "gar-": "europe-docker.pkg.dev", "acr-": "shopacr.azurecr.io"} {
		if strings.Contains(s.cause, part) && (part != "ecr-" || s.cause != "rate-limit-ecr-public") {
			return host + "/shop/web:v1"
		}
	}
	if i := pullerror.ImageIn(s.message); i != "" && !strings.Contains(i, "...") {
		return i
	}
	if m := hostInText.FindStringSubmatch(s.message); m != nil && !strings.Contains(m[1], "auth.") {
		host := strings.Replace(m[1], "registry-1.docker.io", "docker.io", 1)
		return host + "/shop/web:v1"
	}
	return "registry.example.com/shop/web:v1"
}

var bareImage = regexp.MustCompile(`^([a-z0-9.-]+/[a-z0-9/._-]+:[\w.-]+): not found`)

var hostInText = regexp.MustCompile(`(?:https?://|lookup |from host | in )([a-z0-9-]+(?:\.[a-z0-9-]+)*\.(?:io|com|dev|amazonaws\.com|local|lab)(?::\d+)?)[/ ":]`)

// eventText is the message as an event carries it; "" when events never do.
func (s sample) eventText() (reason, message string) {
	switch {
	case s.kind == "word", s.reason == "":
		return "", ""
	case s.reason == "pull":
		return "Failed", fmt.Sprintf("Failed to pull image %q: rpc error: code = Unknown desc = %s", s.image(), s.message)
	case s.reason == "FailedCreatePodSandBox" && strings.HasPrefix(s.cause, "cni-") && !strings.HasPrefix(s.message, "Failed to"):
		return s.reason, `Failed to create pod sandbox: rpc error: code = Unknown desc = failed to setup network for sandbox "2585": plugin type="bridge" failed (add): ` + s.message
	case s.reason == "FailedCreate" && s.kind == "ReplicaSet" && !strings.HasPrefix(s.message, "Error creating: "):
		return s.reason, "Error creating: " + s.message
	case s.reason == "FailedScheduling" && strings.HasPrefix(s.message, "Insufficient ") && s.cause != "pod-larger-than-any-node":
		return s.reason, "0/3 nodes are available: 3 " + s.message + ". preemption: 0/3 nodes are available: 3 No preemption victims found for incoming pod."
	case s.reason == "FailedScheduling" && fragment(s.message):
		return s.reason, "0/3 nodes are available: 3 " + s.message + ". preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling."
	case s.reason == "Failed" && !strings.HasPrefix(s.message, "Error: ") && !strings.HasPrefix(s.message, "Failed to pull"):
		return s.reason, "Error: " + s.message
	}
	return s.reason, s.message
}

// fragment tells one reason of the scheduler's list from a whole message.
func fragment(m string) bool {
	for _, whole := range []string{"0/", "persistentvolumeclaim ", "running ", "no nodes", "waiting for", "Scheduling is blocked", "binding", "pod has"} {
		if strings.HasPrefix(m, whole) {
			return false
		}
	}
	return true
}

var forms = []struct {
	name string
	text func(s sample) string // "" when the sample has no such form
}{
	{"alone", func(s sample) string { return s.message }},
	{"describe", func(s sample) string {
		reason, m := s.eventText()
		if reason == "" || s.kind == "Rollout" {
			return ""
		}
		return describeHead[s.kind] + "Events:\n  Type     Reason  Age                From     Message\n  ----     ------  ----               ----     -------\n" +
			fmt.Sprintf("  Warning  %s  35s (x4 over 2m4s)  %s  %s\n", reason, source(s), m)
	}},
	{"events", func(s sample) string {
		reason, m := s.eventText()
		if reason == "" {
			return ""
		}
		return "LAST SEEN   TYPE      REASON   OBJECT   MESSAGE\n" + fmt.Sprintf("3m12s       Warning   %s   %s/%s   %s\n", reason, strings.ToLower(s.kind), objectName[s.kind], m)
	}},
	{"events wide", func(s sample) string {
		reason, m := s.eventText()
		if reason == "" {
			return ""
		}
		sub := ""
		if s.kind == "Pod" && (reason == "Failed" || reason == "BackOff" || reason == "Unhealthy") {
			sub = "spec.containers{app}"
		}
		return "LAST SEEN   TYPE      REASON   OBJECT   SUBOBJECT   SOURCE   MESSAGE   FIRST SEEN   COUNT   NAME\n" +
			fmt.Sprintf("3m12s       Warning   %s   %s/%s   %s   %s   %s   5m   3   web.17f\n", reason, strings.ToLower(s.kind), objectName[s.kind], sub, source(s), m)
	}},
	{"log", func(s sample) string {
		reason, m := s.eventText()
		switch {
		case s.reason == "pull":
			return fmt.Sprintf(`time="2026-11-22T10:17:35.123456789Z" level=error msg="PullImage \"%s\" failed" error=%q`, s.image(), s.message)
		case reason == "" || s.kind != "Pod":
			return ""
		}
		return fmt.Sprintf(`Nov 22 10:17:35 node-a kubelet[1234]: I1122 10:17:35.123456    1234 event.go:389] "Event occurred" object="shop/web-7d9-abcde" fieldPath="" kind="Pod" apiVersion="v1" type="Warning" reason="%s" message=%q`, reason, m)
	}},
	{"status", func(s sample) string {
		reason, m := s.eventText()
		if s.kind != "Pod" || reason != "Failed" {
			return ""
		}
		waiting := "CreateContainerConfigError"
		switch phase := s.message; {
		case strings.Contains(phase, "find volume"):
		case s.reason == "pull" || strings.Contains(phase, "pull"):
			waiting = "ErrImagePull"
		case strings.Contains(phase, "OCI") || strings.Contains(phase, "exec") || strings.Contains(phase, "mount") || strings.Contains(phase, "cgroup"):
			waiting = "RunContainerError"
		case strings.Contains(phase, "reserve") || strings.Contains(phase, "generate") || strings.Contains(phase, "containerd container") || strings.Contains(phase, "deadline"):
			waiting = "CreateContainerError"
		}
		switch {
		case s.cause == "pull-secret-malformed":
			waiting = strings.TrimPrefix(m, "Error: ")
		case len(strings.Fields(s.message)) == 2:
			return "" // the reason is all there is
		}
		m = strings.TrimPrefix(strings.TrimPrefix(m, "Error: "), fmt.Sprintf("Failed to pull image %q: ", s.image()))
		return fmt.Sprintf("apiVersion: v1\nkind: Pod\nmetadata: {name: web-1, namespace: shop}\nspec:\n  nodeName: node-a\n  containers: [{name: app, image: %q}]\nstatus:\n  phase: Pending\n  containerStatuses:\n  - name: app\n    image: %q\n    state:\n      waiting:\n        reason: %q\n        message: %q\n", s.image(), s.image(), waiting, m)
	}},
}

var objectName = map[string]string{"Pod": "web-7d9-abcde", "ReplicaSet": "web-7d9", "Deployment": "web", "StatefulSet": "web", "DaemonSet": "web", "Job": "web", "Node": "node-a", "PersistentVolumeClaim": "data-web-0", "Rollout": "web", "HorizontalPodAutoscaler": "web", "PodDisruptionBudget": "web", "ConfigMap": "cluster-autoscaler-status"}

var describeHead = map[string]string{
	"Pod":                   "Name:             web-7d9-abcde\nNamespace:        shop\nStatus:           Pending\n",
	"ReplicaSet":            "Name:           web-7d9\nNamespace:      shop\nControlled By:  Deployment/web\nReplicas:       0 current / 3 desired\nPods Status:    0 Running / 0 Waiting / 0 Succeeded / 0 Failed\n",
	"Deployment":            "Name:                   web\nNamespace:              shop\nReplicas:               3 desired | 0 updated | 3 total | 3 available | 0 unavailable\nStrategyType:           RollingUpdate\n",
	"StatefulSet":           "Name:               web\nNamespace:          shop\nReplicas:           3 desired | 1 total\nUpdate Strategy:    RollingUpdate\nPods Status:        1 Running / 0 Waiting / 0 Succeeded / 0 Failed\nVolume Claims:  <none>\n",
	"DaemonSet":             "Name:           web\nNamespace:      shop\nDesired Number of Nodes Scheduled: 3\nCurrent Number of Nodes Scheduled: 3\n",
	"Job":                   "Name:             web\nNamespace:        shop\nParallelism:      1\nCompletions:      1\nPods Statuses:    0 Active (0 Ready) / 0 Succeeded / 6 Failed\n",
	"Node":                  "Name:               node-a\nTaints:             <none>\nUnschedulable:      false\n",
	"PersistentVolumeClaim": "Name:          data-web-0\nNamespace:     shop\nStorageClass:  gp3\nStatus:        Pending\nAccess Modes:  \n",
}

func source(s sample) string {
	switch {
	case strings.HasPrefix(s.cause, "ca-"):
		return "cluster-autoscaler"
	case strings.HasPrefix(s.cause, "karpenter-"):
		return "karpenter"
	case s.reason == "FailedScheduling":
		return "default-scheduler"
	case s.kind == "ReplicaSet":
		return "replicaset-controller"
	}
	return "kubelet"
}

type outcome string

const (
	hit   outcome = "hit"   // first, certain or not
	rival outcome = "rival" // among the rivals of the first, or the rivals of the sample's own finding
	wrong outcome = "WRONG" // another cause first, said to be certain
	other outcome = "other" // another cause first, with rivals, none of them right
	none  outcome = "none"  // nothing found
)

func judge(s sample, doc *report.Findings) (outcome, string) {
	if len(doc.Findings) == 0 {
		return none, ""
	}
	first := doc.Findings[0]
	right := func(code string) bool { return code == s.cause || slices.Contains(s.accept, code) }
	if first.Cause == s.cause {
		return hit, ""
	}
	if right(first.Cause) {
		return rival, first.Cause
	}
	for _, r := range first.Rivals {
		if right(r.Cause) {
			return rival, first.Cause
		}
	}
	if first.Cause == "unknown" {
		return none, "unknown"
	}
	if first.Confidence == string(cause.Certain) {
		return wrong, first.Cause + ": " + first.Summary
	}
	return other, first.Cause
}

// TestTaxonomy measures how many known messages explain names rightly.
func TestTaxonomy(t *testing.T) {
	counts := map[outcome]int{}
	byForm := map[string]map[outcome]int{}
	var misses []string
	for _, s := range samples(t) {
		known := cause.BuiltIn.ByCode(s.cause) != nil
		for _, form := range forms {
			text := form.text(s)
			if text == "" {
				continue
			}
			doc, _ := Explain(cause.BuiltIn, text)
			checkNothingInvented(t, s.cause+", "+form.name, doc)
			o, what := judge(s, doc)
			if !known && o == none {
				o = "no-detector"
			}
			counts[o]++
			if byForm[form.name] == nil {
				byForm[form.name] = map[outcome]int{}
			}
			byForm[form.name][o]++
			if o != hit && o != rival {
				misses = append(misses, fmt.Sprintf("%-7s %-11s %4d %s | %s => %s", o, form.name, s.line, s.cause, cut(s.message, 150), cut(what, 120)))
			}
		}
	}
	if n := counts[wrong] + counts[other]; n > 0 {
		t.Errorf("%d texts get a wrong cause", n)
	}
	if n := counts[none]; n > 0 {
		t.Errorf("%d texts get no cause", n)
	}
	if r := 100 * float64(counts[hit]) / float64(counts[hit]+counts[rival]); r < 93 {
		t.Errorf("%.1f%% of the texts have their cause first, want 93%%", r)
	}
	slices.SortStableFunc(misses, func(a, b string) int { return cmp.Compare(a[:20], b[:20]) })
	for _, m := range misses {
		t.Log(m)
	}
	for _, form := range forms {
		t.Logf("%-12s %v", form.name, byForm[form.name])
	}
	t.Logf("all          %v", counts)
}

func cut(s string, n int) string {
	if len(s) > n {
		return s[:n] + "…"
	}
	return s
}
