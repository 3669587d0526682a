package snapshot

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"
	"unicode/utf16"
)

const podYAML = `apiVersion: v1
kind: Pod
metadata:
  name: web-1
  namespace: shop
  uid: u1
  creationTimestamp: "2026-11-22T10:17:38Z"
  managedFields:
  - manager: kubelet
    time: "2027-01-01T00:00:00Z"
spec:
  containers:
  - name: app
    image: web:v1
status:
  conditions:
  - type: Ready
    status: "False"
    lastTransitionTime: "2026-11-22T10:18:00Z"
    message: 'certificate expired at startedAt: "2030-01-01T00:00:00Z"'
`

const eventJSON = `{"apiVersion":"events.k8s.io/v1","kind":"Event","metadata":{"name":"e1","namespace":"shop"},
"eventTime":"2026-11-22T10:17:38.637838Z","series":{"count":7,"lastObservedTime":"2026-11-22T10:19:00.500000Z"},
"regarding":{"kind":"Pod","name":"web-1","namespace":"shop","uid":"u1"},"reason":"Failed","note":"no such image","type":"Warning",
"reportingController":"kubelet","reportingInstance":"node1","deprecatedCount":7}`

func decode(t *testing.T, text string) *Snapshot {
	t.Helper()
	s, err := Decode("in.yaml", strings.NewReader(text), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestDecodeForms(t *testing.T) {
	podJSON, err := toJSON([]byte(podYAML))
	if err != nil {
		t.Fatal(err)
	}
	item := "- " + strings.TrimSuffix(strings.ReplaceAll(podYAML, "\n", "\n  "), "  ")
	units := utf16.Encode([]rune("\ufeff" + podYAML))
	utf16le := make([]byte, 0, 2*len(units))
	for _, u := range units {
		utf16le = append(utf16le, byte(u), byte(u>>8))
	}
	for name, text := range map[string]string{
		"yaml object":    podYAML,
		"yaml documents": "# comment\n---\n" + podYAML + "---\n---\n# nothing\n...\n",
		"yaml List":      "apiVersion: v1\nitems:\n" + item + "kind: List\nmetadata:\n  resourceVersion: \"\"\n",
		"json object":    string(podJSON),
		"json List":      `{"apiVersion":"v1","items":[` + string(podJSON) + `],"kind":"List"}`,
		"json PodList":   `{"kind":"PodList","apiVersion":"v1","items":[` + strings.Replace(strings.Replace(string(podJSON), `"kind":"Pod",`, "", 1), `"apiVersion":"v1",`, "", 1) + `]}`,
		"json stream":    string(podJSON) + "\n" + `{"some":"thing"}` + "\n",
		"json array":     "[" + string(podJSON) + "]",
		"list of lists":  `{"kind":"List","apiVersion":"v1","items":[{"kind":"List","apiVersion":"v1","items":[` + string(podJSON) + `]}]}`,
		"utf-8 bom":      "\ufeff" + podYAML,
		"utf-16":         string(utf16le),
		"crlf":           strings.ReplaceAll(podYAML, "\n", "\r\n"),
		"gzip":           zipped(podYAML),
	} {
		t.Run(name, func(t *testing.T) {
			s := decode(t, text)
			if len(s.Objects.Pods) != 1 || s.Objects.Pods[0].Name != "web-1" || s.Objects.Pods[0].Spec.Containers[0].Image != "web:v1" {
				t.Fatalf("pods = %v, gaps = %v", s.Objects.Pods, s.Gaps)
			}
			if s.Objects.Pods[0].ManagedFields != nil || s.Objects.Pods[0].Kind != "" {
				t.Error("the pod was not trimmed")
			}
			if want := time.Date(2026, 11, 22, 10, 18, 0, 0, time.UTC); !s.TakenAt.Equal(want) {
				t.Errorf("TakenAt = %v, want %v", s.TakenAt, want)
			}
			if s.Origin.Kind != "files" {
				t.Errorf("origin = %+v", s.Origin)
			}
		})
	}
}

func zipped(text string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	w.Write([]byte(text))
	w.Close()
	return b.String()
}

func TestDecodeEventsV1(t *testing.T) {
	s := decode(t, eventJSON)
	if len(s.Objects.Events) != 1 {
		t.Fatalf("events = %v", s.Objects.Events)
	}
	e := s.Objects.Events[0]
	if e.Message != "no such image" || e.InvolvedObject.Name != "web-1" || e.Series.Count != 7 || e.Count != 7 || e.ReportingController != "kubelet" {
		t.Errorf("event = %+v", e)
	}
	if want := time.Date(2026, 11, 22, 10, 19, 0, 5e8, time.UTC); !s.TakenAt.Equal(want) {
		t.Errorf("TakenAt = %v, want %v", s.TakenAt, want)
	}
}

func TestDecodeGapsOfPlainFiles(t *testing.T) {
	s := decode(t, podYAML+"---\napiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: other}\ndata: {k: dmFsdWU=}\n")
	for _, c := range []struct {
		resource, namespace string
		covered             bool
	}{
		{"pods", "shop", true}, {"pods", "other", false}, {"events", "shop", false},
		{"secrets", "shop", false}, {"secrets", "other", true}, {"nodes", "", false},
	} {
		if got := s.Covers(c.resource, c.namespace); got != c.covered {
			t.Errorf("Covers(%s, %q) = %v", c.resource, c.namespace, got)
		}
	}
	if g, ok := s.GapFor("secrets", "shop"); !ok || g.Reason != GapNotCaptured || g.Settle != "kubectl get secrets -A -o yaml" {
		t.Errorf("gap = %+v", g)
	}
}

func TestDecodeSecretsAndConfigMapsToShapes(t *testing.T) {
	s := decode(t, `
apiVersion: v1
kind: Secret
metadata: {name: s, namespace: shop}
data: {b: dmFsdWU=, a: dmFsdWU=}
stringData: {c: hunter2}
---
apiVersion: v1
kind: Secret
metadata: {name: placeholder, namespace: shop}
type: kubernetes.io/dockerconfigjson
data: {.dockerconfigjson: "<base64 here>"}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: c, namespace: shop}
data: {x: "1"}
binaryData: {z: AA==}
`)
	if len(s.Objects.Secrets) != 2 || !slices.Equal(s.Objects.Secrets[1].Keys, []string{"a", "b", "c"}) {
		t.Fatalf("secrets = %+v", s.Objects.Secrets)
	}
	if p := s.Objects.Secrets[0]; p.Name != "placeholder" || p.Pull == nil || p.Pull.Malformed == "" {
		t.Errorf("placeholder = %+v", p)
	}
	if len(s.Objects.ConfigMaps) != 1 || !slices.Equal(s.Objects.ConfigMaps[0].Keys, []string{"x", "z"}) {
		t.Errorf("configmaps = %+v", s.Objects.ConfigMaps)
	}
}

func TestDecodeHomeNamespace(t *testing.T) {
	manifest := "\n---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\n"
	if s := decode(t, podYAML+manifest); s.Objects.Deployments[0].Namespace != "shop" {
		t.Errorf("with one namespace: %q", s.Objects.Deployments[0].Namespace)
	}
	two := strings.Replace(podYAML, "namespace: shop", "namespace: other", 1)
	if s := decode(t, podYAML+"---\n"+two+manifest); s.Objects.Deployments[0].Namespace != "default" {
		t.Errorf("with two: %q", s.Objects.Deployments[0].Namespace)
	}
}

func TestDecodeOthersAndBrokenObjects(t *testing.T) {
	s := decode(t, podYAML+`---
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: web, namespace: shop, managedFields: [{manager: x}]}
spec: {replicas: 3}
---
apiVersion: v1
kind: Pod
metadata: {name: odd, namespace: shop}
spec: {containers: [{name: a, resources: {limits: {cpu: "many"}}}]}
---
just: values
---
a word
`)
	if len(s.Objects.Others) != 1 || s.Objects.Others[0].GetKind() != "Rollout" || s.Objects.Others[0].GetManagedFields() != nil {
		t.Errorf("others = %v", s.Objects.Others)
	}
	i := slices.IndexFunc(s.Gaps, func(g Gap) bool { return g.Reason == GapBroken })
	if i < 0 || s.Gaps[i].Resource != "pods" || s.Gaps[i].Name != "odd" {
		t.Errorf("gaps = %+v", s.Gaps)
	}
	if !s.Covers("pods", "shop") {
		t.Error("one broken pod must not hide the others")
	}
}

func TestDecodeErrors(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"empty", "", "in.yaml: no Kubernetes objects in it"},
		{"text", "hello there", "in.yaml: no Kubernetes objects in it"},
		{"values file", "replicas: 3\nimage: web\n", "in.yaml: no Kubernetes objects in it"},
		{"bad yaml", "a: b\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: [\n", "in.yaml:"},
		{"yaml tab", podYAML + "---\nx: 1\ny:\n\t- z\n", "in.yaml:24: not valid YAML: found character that cannot start any token"},
		{"cut json", "{\"kind\":\"List\",\n\"items\":[\n{\"kind\":", "in.yaml:3: the JSON is cut short: unexpected EOF"},
		{"bad json", "{\"kind\":\"Pod\",\n\"metadata\":\n{oops}}", "in.yaml:3: not valid JSON: invalid character 'o' looking for beginning of object key string"},
		{"cut gzip", zipped(strings.Repeat(podYAML, 50))[:100], "in.yaml: the file is cut short: unexpected EOF"},
		{"not gzip", "\x1f\x8bhello hello hello", "in.yaml: not a gzip file: gzip: invalid header"},
		{"deep", `{"kind":"List","items":[` + strings.Repeat("[", 9) + strings.Repeat("]", 9) + `]}`, "in.yaml:1: items[0]: items[0]: items[0]: items[0]: items[0]: too large: lists inside lists inside lists"},
		{"very deep", strings.Repeat("[", 1<<20), "in.yaml:1: not valid JSON: invalid character '[' exceeded max depth"},
		{"zip", "PK\x03\x04oops" + strings.Repeat(" ", 600), "in.yaml: the archive is damaged: zip: not a valid zip file"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Decode("in.yaml", strings.NewReader(c.in), Limits{})
			var de *DecodeError
			if !errors.As(err, &de) || !strings.HasPrefix(err.Error(), c.want) {
				t.Errorf("error = %v, want %s", err, c.want)
			}
		})
	}
}

func TestDecodeLimits(t *testing.T) {
	big := podYAML + "# " + strings.Repeat("x", 5000) + "\n"
	if _, err := Decode("in.yaml", strings.NewReader(big), Limits{File: 4096}); !errors.Is(err, ErrTooLarge) {
		t.Errorf("one file: %v", err)
	}
	if _, err := Decode("in.yaml", strings.NewReader(zipped(big)), Limits{File: 4096}); !errors.Is(err, ErrTooLarge) {
		t.Errorf("gzip: %v", err)
	}
	fsys := fstest.MapFS{}
	for i := range 9 {
		fsys[fmt.Sprintf("pods/%d.yaml", i)] = &fstest.MapFile{Data: []byte(podYAML)}
	}
	if _, err := DecodeFS(fsys, "dir", Limits{Total: 3 * int64(len(podYAML))}); !errors.Is(err, ErrTooLarge) {
		t.Errorf("total: %v", err)
	}
	if _, err := DecodeFS(fsys, "dir", Limits{Files: 5}); !errors.Is(err, ErrTooLarge) {
		t.Errorf("files: %v", err)
	}
	fsys["big.yaml"] = &fstest.MapFile{Data: []byte(big)}
	s, err := DecodeFS(fsys, "dir", Limits{File: 4096})
	if err != nil {
		t.Fatal(err)
	}
	if g, ok := s.GapFor("secrets", "shop"); !ok || g.Reason != GapTruncated || g.Name != "big.yaml" {
		t.Errorf("gap = %+v", g)
	}
}

func TestDecodeAliasBomb(t *testing.T) {
	bomb := "a: &a \"" + strings.Repeat("x", 1<<20) + "\"\nb: [" + strings.Repeat("*a, ", 2000) + "]\n"
	if _, err := Decode("in.yaml", strings.NewReader(bomb), Limits{}); !errors.Is(err, ErrTooLarge) {
		t.Errorf("error = %v", err)
	}
	laughs := "a: &a [x,x,x,x,x,x,x,x,x]\n"
	for c := 'b'; c <= 'j'; c++ {
		laughs += fmt.Sprintf("%c: &%c [*%c,*%c,*%c,*%c,*%c,*%c,*%c,*%c,*%c]\n", c, c, c-1, c-1, c-1, c-1, c-1, c-1, c-1, c-1, c-1)
	}
	if _, err := Decode("in.yaml", strings.NewReader(laughs), Limits{}); err == nil {
		t.Error("a billion laughs was read")
	}
	fine := strings.Replace(podYAML, "spec:", "spec: &s", 1) + "x: *s\n"
	if s := decode(t, fine); len(s.Objects.Pods) != 1 {
		t.Error("a harmless alias was refused")
	}
}

func TestDecodeDirectories(t *testing.T) {
	podJSON, _ := toJSON([]byte(podYAML))
	noKind := strings.Replace(strings.Replace(string(podJSON), `"kind":"Pod",`, "", 1), `"apiVersion":"v1",`, "", 1)
	s, err := DecodeFS(fstest.MapFS{
		"support-bundle/cluster-resources/pods/shop.json":                      {Data: []byte(`{"items":[` + noKind + `]}`)},
		"support-bundle/cluster-resources/pods-errors.json":                    {Data: []byte(`{"shop":"forbidden"}`)},
		"support-bundle/cluster-resources/resource-quota/shop.json":            {Data: []byte(`[{"metadata":{"name":"q","namespace":"shop"}}]`)},
		"support-bundle/cluster-resources/pods/logs/shop/web-1/app.log":        {Data: []byte("one\ntwo password=hunter2\n")},
		"support-bundle/cluster-resources/pods/logs/shop/web-1/b-previous.log": {Data: []byte("before\n")},
		"dump/shop/web-2/logs.txt":                                             {Data: []byte("==== START logs for container app of pod shop/web-2 ====\nhello\n==== END logs for container app of pod shop/web-2 ====\n")},
		"dump/nodes.json":                                                      {Data: []byte(`{"kind":"NodeList","apiVersion":"v1","items":[{"metadata":{"name":"n1"}}]}`)},
		"logs/shop/web-3/app.previous.log":                                     {Data: []byte("x\n")},
		"charts/secrets.yaml":                                                  {Data: []byte("database:\n  password: x\n")},
		"README.md":                                                            {Data: []byte("not: [yaml")},
		"charts/templates/web.yaml":                                            {Data: []byte("{{- if .Values.x }}\na: b\n")},
		".git/config.yaml":                                                     {Data: []byte("a: [")},
	}, "dir", Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Objects.Pods) != 1 || s.Objects.Pods[0].Name != "web-1" || len(s.Objects.Secrets) != 0 || len(s.Objects.ResourceQuotas) != 1 || len(s.Objects.Nodes) != 1 {
		t.Errorf("pods %d, quotas %d, nodes %d", len(s.Objects.Pods), len(s.Objects.ResourceQuotas), len(s.Objects.Nodes))
	}
	var logs []string
	for _, l := range s.Logs {
		logs = append(logs, fmt.Sprint(l.Namespace, "/", l.Pod, "/", l.Container, " ", l.Previous, " ", strings.Join(l.Lines, "|")))
	}
	want := []string{"shop/web-1/app false one|two password=[redacted]", "shop/web-1/b true before", "shop/web-2/app false hello", "shop/web-3/app true x"}
	if !slices.Equal(logs, want) {
		t.Errorf("logs = %q", logs)
	}
	broken := 0
	for _, g := range s.Gaps {
		if g.Reason == GapBroken {
			broken++
			if g.Name != "charts/templates/web.yaml" {
				t.Errorf("gap = %+v", g)
			}
		}
	}
	if broken != 1 {
		t.Errorf("%d broken files", broken)
	}
}

func TestDecodeDumpOnOneStream(t *testing.T) {
	s := decode(t, `{"kind":"NodeList","apiVersion":"v1","items":[{"metadata":{"name":"n1"}}]}
{"kind":"PodList","apiVersion":"v1","items":[{"metadata":{"name":"web-1","namespace":"shop"}}]}
==== START logs for container app of pod shop/web-1 ====
{"level":"error"}
==== END logs for container app of pod shop/web-1 ====
{"kind":"EventList","apiVersion":"v1","items":[]}
{"kind":"ServiceList","apiVersion":"v1","items":[{"metadata":{"name":"web","namespace":"shop"},"spec":{"ports":[{"port":80}]}}]}
`)
	if len(s.Objects.Others) != 1 || s.Objects.Others[0].GetKind() != "Service" || s.Objects.Others[0].GetAPIVersion() != "v1" {
		t.Errorf("others = %v, gaps = %+v", s.Objects.Others, s.Gaps)
	}
	if len(s.Objects.Nodes) != 1 || len(s.Objects.Pods) != 1 || len(s.Logs) != 1 || s.Logs[0].Lines[0] != `{"level":"error"}` {
		t.Errorf("objects = %+v logs = %+v", s.Objects, s.Logs)
	}
}

func TestDecodeArchives(t *testing.T) {
	files := []struct{ name, text string }{
		{"../../etc/evil.yaml", "apiVersion: v1\nkind: Node\nmetadata: {name: evil}\n"},
		{"/abs.yaml", "apiVersion: v1\nkind: Node\nmetadata: {name: evil}\n"},
		{`..\win.yaml`, "apiVersion: v1\nkind: Node\nmetadata: {name: evil}\n"},
		{"b/pods.yaml", podYAML},
	}
	var tb, zb bytes.Buffer
	gz := gzip.NewWriter(&tb)
	tw, zw := tar.NewWriter(gz), zip.NewWriter(&zb)
	for _, f := range files {
		tw.WriteHeader(&tar.Header{Name: f.name, Mode: 0o644, Size: int64(len(f.text)), Typeflag: tar.TypeReg})
		tw.Write([]byte(f.text))
		w, _ := zw.Create(f.name)
		w.Write([]byte(f.text))
	}
	tw.WriteHeader(&tar.Header{Name: "link.yaml", Linkname: "/etc/passwd", Typeflag: tar.TypeSymlink})
	tw.Close()
	gz.Close()
	zw.Close()
	for name, data := range map[string][]byte{"tgz": tb.Bytes(), "zip": zb.Bytes()} {
		s, err := Decode("x", bytes.NewReader(data), Limits{})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if len(s.Objects.Pods) != 1 || len(s.Objects.Nodes) != 0 {
			t.Errorf("%s: %d pods, %d nodes", name, len(s.Objects.Pods), len(s.Objects.Nodes))
		}
	}
	_, err := Decode("x", bytes.NewReader(tb.Bytes()[:tb.Len()/2]), Limits{})
	if err == nil || !strings.Contains(err.Error(), "cut short") {
		t.Errorf("half an archive: %v", err)
	}
}
