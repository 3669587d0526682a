package snapshot

import (
	"reflect"
	"testing"

	corev1 "k8s.io/api/core/v1"
)

// Each row of Kinds must fill exactly one field of Objects, and each field but
// Others and Neighbours must have a row.
func TestKindsCoverObjects(t *testing.T) {
	rowOf := map[string]string{}
	for _, k := range Kinds {
		o := &Objects{}
		if _, err := k.decode(o, []byte(`{"metadata":{"name":"x","namespace":"ns"}}`)); err != nil {
			t.Fatalf("%s: %v", k.Kind, err)
		}
		v := reflect.ValueOf(*o)
		for i := range v.NumField() {
			if v.Field(i).Len() == 0 {
				continue
			}
			field := v.Type().Field(i).Name
			if was, dup := rowOf[field]; dup {
				t.Errorf("field %s is filled by %s and by %s", field, was, k.Kind)
			}
			rowOf[field] = k.Kind
			if elem := v.Field(i).Type().Elem().Elem().Name(); elem != k.Kind && elem != k.Kind+"Shape" {
				t.Errorf("row %s fills a slice of %s", k.Kind, elem)
			}
		}
		list := reflect.TypeOf(k.NewList()).Elem().Name()
		if list != k.Kind+"List" {
			t.Errorf("row %s lists a %s", k.Kind, list)
		}
		if n := k.Take(&Objects{}, k.NewList()); n != 0 {
			t.Errorf("row %s takes %d items of an empty list", k.Kind, n)
		}
	}
	typ := reflect.TypeOf(Objects{})
	for i := range typ.NumField() {
		if name := typ.Field(i).Name; name != "Others" && name != "Neighbours" && rowOf[name] == "" {
			t.Errorf("no row of Kinds fills Objects.%s", name)
		}
	}
}

func TestKindFor(t *testing.T) {
	for _, c := range []struct{ apiVersion, kind, resource string }{
		{"v1", "Pod", "pods"},
		{"apps/v1", "Deployment", "deployments"},
		{"autoscaling/v1", "HorizontalPodAutoscaler", "horizontalpodautoscalers"},
		{"autoscaling/v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers"},
		{"apps/v1beta1", "Deployment", ""},
		{"serving.knative.dev/v1", "Pod", ""},
		{"", "Pod", ""},
	} {
		got := ""
		if k := KindFor(c.apiVersion, c.kind); k != nil {
			got = k.Resource
		}
		if got != c.resource {
			t.Errorf("KindFor(%q, %q) = %q, want %q", c.apiVersion, c.kind, got, c.resource)
		}
	}
}

func TestTakeTrims(t *testing.T) {
	list := &corev1.PodList{Items: []corev1.Pod{{}, {}}}
	list.Items[0].Annotations = map[string]string{lastApplied: "{}", "keep": "me"}
	list.Items[1].Annotations = map[string]string{lastApplied: "{}"}
	var o Objects
	if n := KindOfResource("pods").Take(&o, list); n != 2 || len(o.Pods) != 2 {
		t.Fatalf("took %d, holds %d", n, len(o.Pods))
	}
	if got := o.Pods[0].Annotations; len(got) != 1 || got["keep"] != "me" {
		t.Errorf("annotations = %v", got)
	}
	if o.Pods[1].Annotations != nil {
		t.Errorf("annotations = %v, want nil", o.Pods[1].Annotations)
	}
}

func TestTidyKeepsTheLiveAndTheLatest(t *testing.T) {
	decode := func(docs ...string) []*corev1.Pod {
		var o Objects
		k := KindOfResource("pods")
		for _, d := range docs {
			if _, err := k.decode(&o, []byte(d)); err != nil {
				t.Fatal(err)
			}
		}
		s := &Snapshot{Objects: o}
		s.Tidy()
		return s.Objects.Pods
	}
	const (
		manifest = `{"metadata":{"name":"a","namespace":"n","labels":{"is":"manifest"}}}`
		old      = `{"metadata":{"name":"a","namespace":"n","uid":"1","resourceVersion":"9","creationTimestamp":"2026-01-01T00:00:00Z","labels":{"is":"old"}}}`
		newer    = `{"metadata":{"name":"a","namespace":"n","uid":"1","resourceVersion":"10","creationTimestamp":"2026-01-01T00:00:00Z","labels":{"is":"newer"}}}`
		reborn   = `{"metadata":{"name":"a","namespace":"n","uid":"2","resourceVersion":"2","creationTimestamp":"2026-01-02T00:00:00Z","labels":{"is":"reborn"}}}`
	)
	for _, c := range []struct {
		want string
		docs []string
	}{
		{"old", []string{manifest, old}}, {"old", []string{old, manifest}},
		{"newer", []string{old, newer}}, {"newer", []string{newer, old}},
		{"reborn", []string{reborn, newer}}, {"reborn", []string{newer, reborn}},
	} {
		got := decode(c.docs...)
		if len(got) != 1 || got[0].Labels["is"] != c.want {
			t.Errorf("kept %v, want %s", got, c.want)
		}
	}
}
