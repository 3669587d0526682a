package near

import (
	"slices"
	"testing"
)

func TestNearNames(t *testing.T) {
	have := []string{"app-config", "web-config-v1", "db", "redis", "kube-root-ca.crt", "APP_CONFIG"}
	for want, near := range map[string][]string{
		"app-confg":     {"app-config", "APP_CONFIG"},
		"app.config":    {"app-config", "APP_CONFIG"},
		"web-config-v2": {"web-config-v1"},
		"web-config":    {"web-config-v1"},
		"dc":            nil, // too short for a slip of the pen to mean anything
		"payments":      nil,
	} {
		if got := Names(want, have); !slices.Equal(got, near) {
			t.Errorf("near %q = %v, want %v", want, got, near)
		}
	}
}
