package properties

import (
	"encoding/json"
	"maps"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apiequality "k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/scheme"

	"github.com/unjam-dev/unjam/internal/cause"
	"github.com/unjam-dev/unjam/internal/diagnose"
	"github.com/unjam-dev/unjam/internal/report"
	"github.com/unjam-dev/unjam/internal/snapshot"
)

// TestPackedSnapshotJudgesAlike reads every recorded bundle once more, the way
// a live capture reads pages in protobuf: parts shared between objects, pods
// that run well kept slim. The whole report must stay the same.
func TestPackedSnapshotJudgesAlike(t *testing.T) {
	slimmed := 0
	for _, s := range scenes(t) {
		packed := *s.snap
		packed.Objects = snapshot.Objects{Secrets: s.snap.Objects.Secrets, ConfigMaps: s.snap.Objects.ConfigMaps, Neighbours: s.snap.Objects.Neighbours, Others: s.snap.Objects.Others}
		shared := snapshot.NewShared()
		for _, k := range snapshot.Kinds {
			if k.TakePage == nil {
				continue
			}
			page, err := snapshot.ReadPage(protobufList(t, k, k.Objects(&s.snap.Objects)))
			if err != nil {
				t.Fatal(err)
			}
			if err := k.TakePage(&packed.Objects, shared, page); err != nil {
				t.Fatalf("%s: %s: %v", s.name, k.Resource, err)
			}
			sameObjects(t, s.name, k.Objects(&packed.Objects), k.Objects(&s.snap.Objects))
		}
		for i, p := range packed.Objects.Pods {
			if len(p.Status.Conditions) < len(s.snap.Objects.Pods[i].Status.Conditions) {
				slimmed++
			}
		}
		packed.Objects.Slim()
		if got, want := fullReport(t, &packed), fullReport(t, s.snap); got != want {
			t.Errorf("%s: the report differs\n--- whole\n%s\n--- packed\n%s", s.name, want, got)
		}
	}
	if slimmed < 50 {
		t.Errorf("%d pods were slimmed, so the test tells little", slimmed)
	}
}

// sameObjects holds that nothing is lost but what a slim pod leaves out.
func sameObjects(t *testing.T, scene string, got, want []snapshot.Object) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d objects, want %d", scene, len(got), len(want))
	}
	for i := range got {
		if g, ok := got[i].(*corev1.Pod); ok && g.Status.Phase == corev1.PodRunning && g.Status.PodIP == "" { // a recorded pod may be slim already
			w := want[i].(*corev1.Pod)
			if g.Name != w.Name || g.Spec.NodeName != w.Spec.NodeName || len(g.Spec.Containers) != len(w.Spec.Containers) || !maps.Equal(g.Labels, w.Labels) ||
				g.Status.ContainerStatuses[0].ImageID != w.Status.ContainerStatuses[0].ImageID {
				t.Errorf("%s: slim pod %s lost too much", scene, w.Name)
			}
			continue
		}
		if !apiequality.Semantic.DeepEqual(got[i], want[i]) {
			t.Errorf("%s: %T %s differs:\n%+v\n%+v", scene, got[i], want[i].GetName(), got[i], want[i])
		}
	}
}

// fullReport is the report on all workloads of a snapshot, in full.
func fullReport(t *testing.T, snap *snapshot.Snapshot) string {
	t.Helper()
	r, err := diagnose.Judge(cause.BuiltIn, snap, diagnose.Scope{All: true})
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := json.NewEncoder(&b).Encode(r); err != nil {
		t.Fatal(err)
	}
	if err := r.WriteText(&b, report.TextOptions{Evidence: true}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func protobufList(t *testing.T, k *snapshot.Kind, objects []snapshot.Object) []byte {
	t.Helper()
	list := k.NewList()
	items := make([]runtime.Object, len(objects))
	for i, o := range objects {
		items[i] = o
	}
	if err := meta.SetList(list, items); err != nil {
		t.Fatal(err)
	}
	info, _ := runtime.SerializerInfoForMediaType(scheme.Codecs.SupportedMediaTypes(), runtime.ContentTypeProtobuf)
	data, err := runtime.Encode(scheme.Codecs.EncoderForVersion(info.Serializer, k.GroupVersion()), list)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
