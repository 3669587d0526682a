package keyring

import "testing"

// The table restates what the kubelet's own keyring answers.
func TestKeyMatches(t *testing.T) {
	tests := []struct {
		key, name string
		want      bool
	}{
		{"docker.io", "docker.io/library/nginx", true},
		{"https://docker.io", "docker.io/library/nginx", true},
		{"https://docker.io/v1/", "docker.io/acme/web", true},
		{"index.docker.io", "docker.io/acme/web", true},
		{"https://index.docker.io/v1/", "docker.io/acme/web", true},
		{"https://index.docker.io/v2/", "docker.io/acme/web", true},
		{"https://index.docker.io/v1", "docker.io/acme/web", false},
		{"registry-1.docker.io", "docker.io/acme/web", false},
		{"hub.docker.com", "docker.io/acme/web", false},
		{"registry.hub.docker.com", "docker.io/acme/web", false},
		{"index.docker.io", "ghcr.io/acme/web", false},
		{"ghcr.io", "ghcr.io/acme/web", true},
		{"http://ghcr.io", "ghcr.io/acme/web", true},
		{"https://ghcr.io/v2/", "ghcr.io/acme/web", true},
		{"https://ghcr.io/v2", "ghcr.io/acme/web", false},
		{"GHCR.io", "ghcr.io/acme/web", false},
		{"ghcr.io:443", "ghcr.io/acme/web", false},
		{"registry.lab:5001", "registry.lab:5001/shop/web", true},
		{"registry.lab", "registry.lab:5001/shop/web", false},
		{"registry.lab:5002", "registry.lab:5001/shop/web", false},
		{"ghcr.io/acme", "ghcr.io/acme/web", true},
		{"ghcr.io/acme", "ghcr.io/acme-corp/web", true},
		{"ghcr.io/acme", "ghcr.io/other/web", false},
		{"ghcr.io/acme/web:v1", "ghcr.io/acme/web", false},
		{"*.dkr.ecr.us-east-1.amazonaws.com", "123.dkr.ecr.us-east-1.amazonaws.com/web", true},
		{"*.example.com", "a.b.example.com/web", false},
		{"*.example.com", "a.example.com/web", true},
		{"[", "ghcr.io/acme/web", false},
		{"", "ghcr.io/acme/web", false},
		{"%zz", "ghcr.io/acme/web", false},
	}
	for _, tt := range tests {
		if got := Matches(tt.key, tt.name); got != tt.want {
			t.Errorf("Matches(%q, %q) = %v", tt.key, tt.name, got)
		}
		if _, near := NearMiss(tt.key, tt.name); tt.want && !near && tt.key[0] != '*' {
			t.Errorf("NearMiss(%q, %q): a match is not near", tt.key, tt.name)
		}
	}
}

func TestNearMiss(t *testing.T) {
	for key, want := range map[string]bool{"registry-1.docker.io": true, "https://index.docker.io/v1": true, "quay.io": false} {
		if _, ok := NearMiss(key, "docker.io/acme/web"); ok != want {
			t.Errorf("NearMiss(%q) = %v", key, ok)
		}
	}
	for key, want := range map[string]bool{"registry.lab": true, "registry.lab:443": true, "Registry.lab:5001": true, "other.lab:5001": false} {
		if _, ok := NearMiss(key, "registry.lab:5001/shop/web"); ok != want {
			t.Errorf("NearMiss(%q) = %v", key, ok)
		}
	}
}
