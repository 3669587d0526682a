package report

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/unjam-dev/unjam/internal/cause"
	"github.com/unjam-dev/unjam/internal/snapshot"
)

// TestProbesNameCausesOfTheCatalogue reads the sources of the probe, whose
// packages must not know the catalogue.
func TestProbesNameCausesOfTheCatalogue(t *testing.T) {
	files, err := filepath.Glob("../probe/*.go")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	code := regexp.MustCompile(`(?:\bfail\(|\bwarn\(|\brival\(|\breturn |cause = |cause == |Cause: |n\.Cause, n\.Text(?:, n\.Blocks)? = |code := |code = )"([a-z0-9]+(?:-[a-z0-9]+)+)"`)
	n := 0
	for _, f := range files {
		if strings.HasSuffix(f, "_test.go") || strings.HasSuffix(f, "guard.go") {
			continue
		}
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range code.FindAllStringSubmatch(string(text), -1) {
			n++
			if cause.BuiltIn.ByCode(m[1]) == nil {
				t.Errorf("%s: %q is no cause of the catalogue", filepath.Base(f), m[1])
			}
		}
	}
	if n < 60 {
		t.Errorf("found only %d codes: the pattern no longer fits", n)
	}
}

func failedProbe() snapshot.Probe {
	return snapshot.Probe{
		Place: snapshot.ProbePlace{Kind: "here", Name: "laptop"}, Image: "registry.example.com/shop/web:1", Name: "registry.example.com/shop/web:1",
		At: time.Date(2026, 11, 25, 9, 0, 0, 0, time.UTC), TookMS: 412, As: snapshot.ProbeIdentity{Kind: "secret", Name: "shop/regcred"},
		Stages: []snapshot.ProbeStage{
			{Name: "reference", Status: snapshot.ProbeOK, Detail: "registry.example.com/shop/web:1"},
			{Name: "tls", Status: snapshot.ProbeWarning, TookMS: 35, Detail: "TLS 1.3, the certificate ends in 3 days"},
			{Name: "manifest", Status: snapshot.ProbeFailed, TookMS: 1200, Cause: "tag-not-found", Detail: "registry.example.com has the repository shop/web but not the tag 1",
				Rivals: []snapshot.ProbeRival{{Cause: "repo-not-found", SettledBy: "list the tags"}}},
			{Name: "platform", Status: snapshot.ProbeSkipped, Detail: "not reached"},
			{Name: "blob", Status: snapshot.ProbeSkipped, Detail: "not reached"},
			{Name: "rate-limit", Status: snapshot.ProbeWarning, Cause: "rate-limit-other", Detail: "3 of 100 pulls left\x1b[31m"},
		},
		Credentials: []snapshot.ProbeCredential{{Source: "shop/regcred", Credential: snapshot.Credential{HostKey: "registry.example.com", User: "AWS", Kind: "ecr", Expires: time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)}, Matches: true, Outcome: "accepted"}},
		DNS:         &snapshot.ProbeDNS{Host: "registry.example.com"},
		Near:        &snapshot.ProbeNear{TagCount: 3, Tags: []snapshot.ProbeTag{{Name: "v1", Digest: "sha256:aa"}, {Name: "v1.0", Digest: "sha256:aa"}, {Name: "1.1"}}},
	}
}

func TestProbeText(t *testing.T) {
	r := NewProbeReport(cause.BuiltIn, failedProbe())
	var text, md bytes.Buffer
	if err := r.WriteText(&text, TextOptions{Width: 100, Program: "unjam"}); err != nil {
		t.Fatal(err)
	}
	if err := r.WriteMarkdown(&md); err != nil {
		t.Fatal(err)
	}
	plain := regexp.MustCompile("\x1b\\[[0-9;]*m").ReplaceAllString(text.String(), "")
	for _, want := range []string{
		"FAILED at manifest: registry.example.com has the repository shop/web but not the tag 1\n  (tag-not-found)\n",
		"  reference    ok       0 ms", "  manifest     failed   1.2 s", "not reached: platform, blob", "3 of 100 pulls left", `\x1b[31m`,
		"shop/regcred (key registry.example.com, user AWS, ecr, expires 2026-11-25 12:00",
		"v1 = v1.0, 1.1", "repo-not-found; to settle it: list the tags", "unjam explain tag-not-found", "seen from this machine with the secret shop/regcred",
	} {
		if !strings.Contains(plain, want) {
			t.Errorf("text lacks %q:\n%s", want, plain)
		}
	}
	for _, want := range []string{"### FAILED at manifest: registry.example.com", "| manifest | failed | 1.2 s |", "- or `repo-not-found`"} {
		if !strings.Contains(md.String(), want) {
			t.Errorf("Markdown lacks %q:\n%s", want, md.String())
		}
	}
	if got := r.Code(); got != StallCode(cause.ImageName) {
		t.Errorf("exit code %d", got)
	}
	out, err := json.Marshal(r)
	if err != nil || !strings.Contains(string(out), `"kind":"ProbeReport"`) || !strings.Contains(string(out), `"cause":"tag-not-found"`) {
		t.Errorf("%v: %s", err, out)
	}
}

func TestProbeAnswers(t *testing.T) {
	p := failedProbe()
	p.Manifest = &snapshot.ProbeManifest{Wanted: []string{"linux/amd64"}, GETs: 2}
	for i := range p.Stages {
		if p.Stages[i].Status != snapshot.ProbeWarning {
			p.Stages[i].Status, p.Stages[i].Detail = snapshot.ProbeOK, ""
		}
	}
	r := NewProbeReport(cause.BuiltIn, p)
	if want := "registry.example.com/shop/web:1: pullable from this machine for linux/amd64 in 0.4 s"; r.Probes[0].Answer != want || r.Code() != ExitOK {
		t.Errorf("%q, exit %d", r.Probes[0].Answer, r.Code())
	}
	p.Stages[4].Status = snapshot.ProbeSkipped
	if got := NewProbeReport(cause.BuiltIn, p).Probes[0].Answer; !strings.Contains(got, "is there, seen from this machine") || !strings.Contains(got, "blob not looked at") {
		t.Error(got)
	}
	p.Stages[2].Status = snapshot.ProbeFailed
	p.Stages[2].Cause = ""
	if got := NewProbeReport(cause.BuiltIn, p).Code(); got != ExitStallOther {
		t.Errorf("no cause fits: exit %d", got)
	}
}
