package cause_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/unjam-dev/unjam/internal/cause"
	"github.com/unjam-dev/unjam/internal/snapshot/snaptest"
)

// TestUnknownImageReadsWell: a pasted text or a bare status may not say which
// image it is; sentences then speak of "the image", once.
func TestUnknownImageReadsWell(t *testing.T) {
	const exec = `failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: exec: "/app": `
	for text, want := range map[string]string{
		exec + "stat /app: no such file or directory: unknown": "start-error-exec-not-found",
		exec + "permission denied: unknown":                    "start-error-exec-not-found",
		exec + "is a directory: unknown":                       "start-error-exec-not-found",
		"exec /app: exec format error":                         "exec-format-error",
	} {
		for _, image := range []string{"", "the image"} {
			all := findingsOf(func(b *snaptest.Builder) {
				p := startError(webPod(b), text)
				p.Obj.Spec.Containers[0].Image, p.Status("app").Image = image, image
			})
			at := slices.IndexFunc(all, func(f cause.Finding) bool { return f.Cause == want })
			if at < 0 {
				t.Errorf("%q: found %v, want %s", text, unexplained(all, nil), want)
				continue
			}
			if s := all[at].Summary; strings.Contains(s, "image the image") || strings.Contains(s, "image  ") || !strings.Contains(s, "the image") {
				t.Errorf("reads badly: %s", s)
			}
		}
	}
}
