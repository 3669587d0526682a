package pullerror

import "testing"

func TestImageIn(t *testing.T) {
	for text, want := range map[string]string{
		`Failed to pull image "shop/web:v1": boom`:                                                                 "shop/web:v1",
		`Back-off pulling image "shop/web:v1"`:                                                                     "shop/web:v1",
		`Container image "shop/web:v1" is not present with pull policy of Never`:                                   "shop/web:v1",
		`failed to resolve reference "docker.io/shop/web:v1": not found`:                                           "docker.io/shop/web:v1",
		`err="failed to \"StartContainer\" for \"web\" with ErrImagePull: \"Back-off pulling image \\\"a:1\\\"\""`: "a:1",
		`reading manifest v1 in quay.io/acme/web: manifest unknown`:                                                "quay.io/acme/web:v1",
		`initializing source docker://quay.io/acme/web:v1: boom`:                                                   "quay.io/acme/web:v1",
		`manifest for nginx:nope not found: manifest unknown`:                                                      "nginx:nope",
		`pull access denied for acme/web, repository does not exist`:                                               "acme/web",
		`image pull failed for a/b:1 because the registry is unavailable: x`:                                       "a/b:1",
		`Failed to inspect image "": boom`:                                                                         "",
		`dial tcp 10.0.0.1:443: i/o timeout`:                                                                       "",
	} {
		if got := ImageIn(text); got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}

func TestLooks(t *testing.T) {
	for text, want := range map[string]bool{
		`Failed to pull image "shop/web:v1": boom`:                             true,
		`Error: ErrImagePull`:                                                  true,
		`Head "https://r.example/v2/a/manifests/v1": EOF`:                      true,
		`pinging container registry quay.io: EOF`:                              true,
		`0/3 nodes are available: 3 Insufficient cpu.`:                         false,
		`Back-off restarting failed container web in pod web-0`:                false,
		`Readiness probe failed: Get "http://10.0.0.1:8080/v2/health": EOF`:    false,
		`MountVolume.SetUp failed for volume "data" : connection refused`:      false,
		`Error: secret "db" not found`:                                         false,
		`failed to setup network for sandbox "x": plugin type="calico" failed`: false,
	} {
		if got := Looks(text); got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
}
