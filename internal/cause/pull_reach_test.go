package cause

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/unjam-dev/unjam/internal/facts"
	"github.com/unjam-dev/unjam/internal/keyring"
	"github.com/unjam-dev/unjam/internal/pullerror"
	"github.com/unjam-dev/unjam/internal/snapshot/snaptest"
)

// TestPullReach drives every kind of pull error through the judges for several
// registries, hosts and answers. What a judge names must be let through by the
// cause's own list of kinds, and every trouble must be named by something.
func TestPullReach(t *testing.T) {
	kinds := slices.Concat(authKinds, notFoundKinds, networkKinds, serviceKinds, slices.Sorted(maps.Keys(plainCauses)), []pullerror.Kind{
		pullerror.Unknown, pullerror.BackOffOnly, pullerror.HTTPStatus, pullerror.SecretMalformed, pullerror.SecretMissing, pullerror.InvalidName,
		pullerror.ShortName, pullerror.NeverPull, pullerror.TLSUnknownCA, pullerror.TLSExpired, pullerror.TLSNotYetValid, pullerror.TLSValidity, pullerror.TLSName,
		pullerror.TLSCNOnly, pullerror.HTTPResponse, pullerror.TLSHandshake, pullerror.Cancelled, pullerror.ProgressTimeout, pullerror.RuntimeRestarted,
		pullerror.DigestMismatch, pullerror.EmptyBody, pullerror.SizeMismatch, pullerror.PlatformMismatch, pullerror.MediaType, pullerror.BlobMissing,
		pullerror.DiskFull, pullerror.InodesFull, pullerror.QuotaExceeded})
	images := []string{"registry.lab:5000/shop/web:v1", "web", "docker.io/bitnami/kafka:1", "1.dkr.ecr.eu-west-1.amazonaws.com/web:v1", "public.ecr.aws/x/y:v1",
		"acme.azurecr.io/web:v1", "quay.io/a/b:v1", "ghcr.io/a/b:v1", "registry.gitlab.com/a/b:v1", "europe-west3-docker.pkg.dev/a/b/c:v1", "localhost:5000/web:v1",
		"registry.lab:5000/shop/web@sha256:0123012301230123012301230123012301230123012301230123012301230123", ""}
	targets := []pullerror.Target{pullerror.TargetUnknown, pullerror.TargetRegistry, pullerror.TargetToken, pullerror.TargetMirror, pullerror.TargetCDN}
	sent := []pullerror.Credential{pullerror.CredentialUnknown, pullerror.CredentialSent, pullerror.CredentialNone}
	for _, image := range images {
		b := snaptest.New()
		b.Node("n1")
		b.Deployment("web", image, 1).Pod("n1").PullFails("x")
		f := facts.Build(b.Snap)
		for _, kind := range kinds {
			for _, target := range targets {
				for _, cred := range sent {
					w := *f.Workloads[0] // its own pointer, so that nothing is remembered
					p := w.Pods[0].Containers[0].Pull
					p.Err = pullerror.Error{Kind: kind, Target: target, Credential: cred, URLHost: "host.example:5000", URL: "https://host.example:5000/v2/", Status: 403, Runtime: pullerror.Containerd, Text: "words"}
					p.Errs = []facts.PullErr{{Err: p.Err, Receipt: p.Receipt}}
					checkReach(t, fmt.Sprintf("%s %s %s %s", image, kind, target, cred), f, &w)
				}
			}
		}
	}
}

func checkReach(t *testing.T, name string, f *facts.Facts, w *facts.Workload) {
	t.Helper()
	judged := pullFindings(f, w)
	if len(judged) == 0 {
		t.Errorf("%s: nothing is said", name)
	}
	for _, fd := range judged {
		c := BuiltIn.ByCode(fd.Cause)
		if c == nil {
			t.Errorf("%s: %s is not in the catalogue", name, fd.Cause)
			continue
		}
		if !slices.ContainsFunc(c.Detect(f, w), func(x Finding) bool { return x.Cause == fd.Cause }) {
			t.Errorf("%s: %s is judged and not let through", name, fd.Cause)
		}
		if fd.Confidence == Certain && len(fd.Rivals) > 0 || fd.Summary == "" || len(fd.Evidence) == 0 {
			t.Errorf("%s: %s is certain with rivals, or says or proves nothing", name, fd.Cause)
		}
		for _, r := range fd.Rivals {
			if BuiltIn.ByCode(r.Cause) == nil || r.Cause == fd.Cause || r.SettledBy == "" {
				t.Errorf("%s: %s has rival %+v", name, fd.Cause, r)
			}
		}
	}
}

func FuzzNameFault(f *testing.F) {
	for _, s := range []string{"", "/", ":", "a:", "A/b", "x.io/A:v1", "https://a/b", "a//b", "@", "a@b:c/d"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if nameFault(s) == "" {
			t.Error("no words")
		}
		certificateTimes(s)
		secretNames(s)
		keyring.Matches(s, "registry.lab:5000/shop/web")
		keyring.NearMiss(s, "registry.lab:5000/shop/web")
		letters(s, "v1")
	})
}
