package capture

import (
	"context"
	"errors"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestConfigMapFiles(t *testing.T) {
	s := newServer(t)
	s.add("configmaps", &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "ops", Name: "unjam"}, Data: map[string]string{"b.yaml": "b", "a.yaml": "a"}})
	got, err := ConfigMapFiles(context.Background(), s.config(), "ops", "unjam")
	if err != nil || len(got) != 2 || got[0] != (TextFile{"a.yaml", "a"}) || got[1] != (TextFile{"b.yaml", "b"}) {
		t.Fatalf("%v %v", got, err)
	}
	if n := len(s.requests("")); n != 1 {
		t.Errorf("%d requests for one ConfigMap", n)
	}

	var missing *ConfigMapError
	if _, err := ConfigMapFiles(context.Background(), s.config(), "ops", "none"); !errors.As(err, &missing) || missing.Error() != "there is no ConfigMap none in namespace ops" {
		t.Errorf("absent: %v", err)
	}
	s.fail["/api/v1/namespaces/ops/configmaps/unjam"] = 403
	if _, err := ConfigMapFiles(context.Background(), s.config(), "ops", "unjam"); !errors.As(err, &missing) || !missing.Forbidden || !strings.Contains(err.Error(), "grant the right to get configmaps in namespace ops") {
		t.Errorf("forbidden: %v", err)
	}
	var login *LoginError
	s.fail["/api/v1/namespaces/ops/configmaps/unjam"] = 401
	if _, err := ConfigMapFiles(context.Background(), s.config(), "ops", "unjam"); !errors.As(err, &login) {
		t.Errorf("login refused: %v", err)
	}
	s.Close()
	var gone *UnreachableError
	if _, err := ConfigMapFiles(context.Background(), s.config(), "ops", "unjam"); !errors.As(err, &gone) {
		t.Errorf("no server: %v", err)
	}
}
