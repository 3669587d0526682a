package facts

import "testing"

func TestParseImage(t *testing.T) {
	const digest = "sha256:0123012301230123012301230123012301230123012301230123012301230123"
	tests := map[string]Image{
		"nginx":                         {Registry: "docker.io", Repository: "library/nginx", Tag: "latest"},
		"acme/web:v1":                   {Registry: "docker.io", Repository: "acme/web", Tag: "v1"},
		"docker.io/acme/web:v1":         {Registry: "docker.io", Repository: "acme/web", Tag: "v1", Named: true},
		"localhost/web":                 {Registry: "localhost", Repository: "web", Tag: "latest", Named: true},
		"host:5000/app":                 {Registry: "host:5000", Repository: "app", Tag: "latest", Named: true},
		"ghcr.io/acme/web@" + digest:    {Registry: "ghcr.io", Repository: "acme/web", Digest: digest, Named: true},
		"ghcr.io/acme/web:v1@" + digest: {Registry: "ghcr.io", Repository: "acme/web", Tag: "v1", Digest: digest, Named: true},
	}
	for s, want := range tests {
		if got, ok := ParseImage(s); !ok || got != want {
			t.Errorf("ParseImage(%q) = %+v, %v, want %+v", s, got, ok, want)
		}
	}
	for _, s := range []string{"", "acme/Web", "a:", "https://a/b", "a b"} {
		if got, ok := ParseImage(s); ok {
			t.Errorf("ParseImage(%q) = %+v, want none", s, got)
		}
	}
}
