package snapshot

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"pgregory.net/rapid"
)

func encode(t interface{ Fatal(...any) }, s *Snapshot) []byte {
	var b bytes.Buffer
	if err := Encode(&b, s, "v0.0.0-test"); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func untar(t *testing.T, bundle []byte) map[string]string {
	t.Helper()
	gz, err := gzip.NewReader(bytes.NewReader(bundle))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for tr := tar.NewReader(gz); ; {
		h, err := tr.Next()
		if err == io.EOF {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(tr)
		if err != nil {
			t.Fatal(err)
		}
		out[h.Name] = string(data)
	}
}

// A snapshot drawn at random comes back from its bundle as it was, and its
// bundle is the same bytes each time.
func TestBundleRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawSnapshot(t)
		bundle := encode(t, s)
		if !bytes.Equal(bundle, encode(t, s)) {
			t.Fatal("two encodes differ")
		}
		got, err := Decode("b.tgz", bytes.NewReader(bundle), Limits{})
		if err != nil {
			t.Fatal(err)
		}
		want := *s
		want.Origin.Kind, want.Origin.Name = "bundle", "b.tgz"
		if d := cmp.Diff(&want, got); d != "" {
			t.Fatal(d)
		}
		if again := encode(t, got); !bytes.Equal(again, encode(t, got)) || len(again) == 0 {
			t.Fatal("the second generation differs")
		}
	})
}

func drawSnapshot(t *rapid.T) *Snapshot {
	at := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	word := rapid.StringMatching(`[a-z]{1,8}`)
	ns := rapid.SampledFrom([]string{"shop", "pay"})
	meta := func(i int) metav1.ObjectMeta {
		return metav1.ObjectMeta{Name: fmt.Sprintf("%s-%d", word.Draw(t, "name"), i), Namespace: ns.Draw(t, "ns"),
			UID: types.UID(fmt.Sprintf("u%d", i)), ResourceVersion: fmt.Sprint(i), CreationTimestamp: metav1.NewTime(at.Local())}
	}
	s := &Snapshot{TakenAt: at.Add(time.Duration(rapid.IntRange(0, 1e9).Draw(t, "at"))), Origin: Origin{Kind: "cluster", ServerVersion: "v1.37.1", Namespace: rapid.SampledFrom([]string{"", "shop"}).Draw(t, "scope")}}
	for i := range rapid.IntRange(0, 4).Draw(t, "pods") {
		p := &corev1.Pod{ObjectMeta: meta(i)}
		p.Spec.Containers = []corev1.Container{{Name: "app", Image: "registry.lab:5001/shop/web:v1", Env: []corev1.EnvVar{{Name: "LOG_LEVEL", Value: word.Draw(t, "env")}}}}
		p.Spec.Containers[0].Resources.Requests = corev1.ResourceList{"cpu": resource.MustParse("100m")}
		p.Status.Message = word.Draw(t, "message")
		s.Objects.Pods = append(s.Objects.Pods, p)
	}
	for i := range rapid.IntRange(0, 3).Draw(t, "revisions") {
		s.Objects.ControllerRevisions = append(s.Objects.ControllerRevisions, &appsv1.ControllerRevision{ObjectMeta: meta(i), Revision: 1<<60 + 1, Data: runtime.RawExtension{Raw: []byte(`{"a":1}`)}})
	}
	if rapid.Bool().Draw(t, "neighbours read") {
		s.Objects.Neighbours = []*corev1.Pod{}
	}
	for i := range rapid.IntRange(0, 2).Draw(t, "neighbours") {
		s.Objects.Neighbours = append(s.Objects.Neighbours, Neighbour(&corev1.Pod{ObjectMeta: meta(i), Spec: corev1.PodSpec{NodeName: "n1", Containers: []corev1.Container{{Name: "a", Image: "x"}}}}))
	}
	if rapid.Bool().Draw(t, "node") {
		s.Objects.Nodes = append(s.Objects.Nodes, &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "n1", UID: "n"}})
	}
	for i := range rapid.IntRange(0, 3).Draw(t, "secrets") {
		s.Objects.Secrets = append(s.Objects.Secrets, &SecretShape{Namespace: ns.Draw(t, "ns"), Name: fmt.Sprint("s", i), Type: "Opaque", Keys: []string{"a"}, Created: at,
			Pull: &PullCredentials{Entries: []Credential{{HostKey: "a.io", User: "joe", Expires: at}}}})
		s.Objects.ConfigMaps = append(s.Objects.ConfigMaps, &ConfigMapShape{Namespace: ns.Draw(t, "ns"), Name: fmt.Sprint("c", i), KeysUnknown: true})
	}
	if rapid.Bool().Draw(t, "rollout") {
		s.Objects.Others = append(s.Objects.Others, &unstructured.Unstructured{Object: map[string]any{"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout",
			"metadata": map[string]any{"name": "r", "namespace": "shop"}, "spec": map[string]any{"replicas": int64(3), "weight": 0.5}}})
	}
	if rapid.Bool().Draw(t, "log") {
		s.Logs = append(s.Logs, LogTail{Namespace: "shop", Pod: "web-1", Container: "app", Previous: true, Lines: []string{"", word.Draw(t, "line")}})
	}
	if rapid.Bool().Draw(t, "gap") {
		s.Gaps = append(s.Gaps, Gap{Resource: "secrets", Namespace: "shop", Reason: GapForbidden, Detail: "no", Settle: "grant get secrets", Except: []string{"x"}})
	}
	s.Tidy()
	return s
}

func TestBundleHidesSecrets(t *testing.T) {
	const value = "S3cr3tV4lue9xQ"
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "web-1", ManagedFields: []metav1.ManagedFieldsEntry{{Manager: value}},
		Annotations: map[string]string{lastApplied: value, "note": "password=" + value}}}
	pod.Spec.Containers = []corev1.Container{{Name: "app", Command: []string{"run", "--token", value}, Args: []string{"--db-password=" + value}, Env: []corev1.EnvVar{{Name: "DB_PASSWORD", Value: value}}}}
	pod.Spec.InitContainers = []corev1.Container{{Name: "init", Env: []corev1.EnvVar{{Name: "SESSION_KEY", Value: value}}}}
	rev := &appsv1.ControllerRevision{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "r"}, Data: runtime.RawExtension{Raw: []byte(`{"spec":{"template":{"spec":{"containers":[{"env":[{"name":"A_SECRET","value":"` + value + `"}]}]}}}}`)}}
	s := &Snapshot{TakenAt: time.Unix(1e9, 0),
		Objects: Objects{Pods: []*corev1.Pod{pod}, ControllerRevisions: []*appsv1.ControllerRevision{rev},
			Events: []*corev1.Event{{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "e"}, Message: "Get https://a.io/b?sig=" + value + ": EOF"}},
			Others: []*unstructured.Unstructured{{Object: map[string]any{"apiVersion": "a/v1", "kind": "B", "metadata": map[string]any{"name": "b"}, "spec": map[string]any{"env": []any{map[string]any{"name": "TOKEN", "value": value}}}}}}},
		Logs: []LogTail{{Namespace: "shop", Pod: "web-1", Container: "app", Lines: []string{"token=" + value}}},
		Gaps: []Gap{{Resource: "nodes", Reason: GapFailed, Detail: "Bearer " + value}}}
	files := untar(t, encode(t, s))
	for name, text := range files {
		if strings.Contains(text, value) {
			t.Errorf("%s holds the secret:\n%s", name, text)
		}
	}
	if !strings.Contains(files["cluster-resources/pods/shop.json"], "DB_PASSWORD") {
		t.Error("the name of the variable is gone")
	}
	if pod.Spec.Containers[0].Env[0].Value != value || pod.Annotations[lastApplied] != value {
		t.Error("the snapshot itself was changed")
	}
}

func TestBundleFiles(t *testing.T) {
	s := decode(t, podYAML+"---\napiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: shop}\n---\napiVersion: v1\nkind: Node\nmetadata: {name: n1}\n---\napiVersion: argoproj.io/v1alpha1\nkind: Rollout\nmetadata: {name: r, namespace: shop}\n")
	s.Logs = []LogTail{{Namespace: "shop", Pod: "web-1", Container: "app", Lines: []string{"x"}}}
	files := untar(t, encode(t, s))
	var names []string
	fsys := fstest.MapFS{}
	for name, text := range files {
		names = append(names, name)
		fsys["unpacked/"+name] = &fstest.MapFile{Data: []byte(text)}
	}
	slices.Sort(names)
	want := []string{"cluster-resources/nodes.json", "cluster-resources/pods/shop.json", "custom-resources/Rollout.argoproj.io.json", "gaps.yaml", "logs/shop/web-1/app.log", "shapes/secrets/shop.yaml", "version.yaml"}
	if !slices.Equal(names, want) {
		t.Errorf("files = %q", names)
	}
	back, err := DecodeFS(fsys, "dir", Limits{})
	if err != nil {
		t.Fatal(err)
	}
	back.Origin = s.Origin
	if d := cmp.Diff(s, back); d != "" {
		t.Errorf("unpacked: %s", d)
	}
}

func TestBundleOfAnOlderUnjam(t *testing.T) {
	s := decode(t, "apiVersion: unjam.dev/v1alpha1\nkind: Bundle\ntakenAt: \"2026-11-22T10:00:00Z\"\norigin: {kind: cluster, name: lab, namespace: shop}\nresources: [pods, nodes]\n---\n"+podYAML)
	if !s.Covers("pods", "shop") || s.Covers("leases", "shop") || s.Covers("pods", "other") || !s.Covers("nodes", "") {
		t.Errorf("gaps = %+v", s.Gaps)
	}
	if want := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC); !s.TakenAt.Equal(want) {
		t.Errorf("TakenAt = %v", s.TakenAt)
	}
	if s.Origin.Kind != "bundle" || s.Origin.Namespace != "shop" {
		t.Errorf("origin = %+v", s.Origin)
	}
}

// FuzzDecode looks for panics, hangs and snapshots that cannot be written.
func FuzzDecode(f *testing.F) {
	f.Add([]byte(podYAML))
	f.Add([]byte(eventJSON))
	f.Add([]byte(zipped(podYAML)))
	f.Add([]byte("a: &a [*a]\n"))
	f.Add([]byte("==== START logs for container a of pod b/c ====\n{"))
	f.Add([]byte(`{"apiVersion":"unjam.dev/v1alpha1","kind":"SecretShapeList","items":[null,{"namespace":"../x"}]}`))
	f.Add([]byte("apiVersion: unjam.dev/v1alpha1\nkind: Bundle\ntakenAt: 2026-01-01T00:00:00Z\n"))
	f.Add([]byte(`{"kind":"ControllerRevisionList","apiVersion":"apps/v1","items":[{"metadata":{"name":"../.."},"data":[1]}]}`))
	f.Add([]byte("{\"apiVersion\":\"a/b\",\"kind\":\"../C\",\"metadata\":{\"name\":\"x\",\"annotations\":null}}"))
	var b bytes.Buffer
	if err := Encode(&b, &Snapshot{TakenAt: time.Unix(1e9, 0), Logs: []LogTail{{Namespace: "a", Pod: "b", Container: "c", Lines: []string{"d"}}}}, ""); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := Decode("in", bytes.NewReader(data), Limits{File: 1 << 20, Total: 1 << 22})
		if err != nil {
			return
		}
		back, err := Decode("in", bytes.NewReader(encode(t, s)), Limits{})
		if err != nil {
			t.Fatalf("the bundle of a decoded snapshot does not decode: %v", err)
		}
		if len(back.Objects.Pods) != len(s.Objects.Pods) {
			t.Errorf("%d pods became %d", len(s.Objects.Pods), len(back.Objects.Pods))
		}
	})
}
