package script

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestGlobCrossesSlashes(t *testing.T) {
	for _, c := range []struct {
		pattern, text string
		want          bool
	}{
		{"", "anything", true},
		{"registry.lab:5000/*", "registry.lab:5000/shop/web:v1", true},
		{"*:nope", "registry.lab:5000/shop/web:nope", true},
		{"shop/web:v1", "shop/web:v2", false},
		{"[", "x", false},
	} {
		if got := Glob(c.pattern, c.text); got != c.want {
			t.Errorf("Glob(%q, %q) = %v", c.pattern, c.text, got)
		}
	}
}

func TestParseTakesListAndObject(t *testing.T) {
	list, err := Parse([]byte(`[{"image":"a","delay":"5s","times":2,"code":"NotFound","error":"x {{.Image}}"}]`))
	if err != nil || len(list.Pulls) != 1 || time.Duration(list.Pulls[0].Delay) != 5*time.Second {
		t.Fatalf("list form: %+v, %v", list, err)
	}
	if _, err := Parse([]byte(`{"pulls":[{"imgae":"a"}]}`)); err == nil {
		t.Error("a misspelt key was accepted")
	}
	if _, err := Parse([]byte(`{"pulls":[{"image":"a","delay":5}]}`)); err == nil {
		t.Error("a bare number was accepted as a duration")
	}
}

func TestPlayerCountsAndReloads(t *testing.T) {
	file := filepath.Join(t.TempDir(), "script.json")
	p := NewPlayer(file)
	if got := p.Pull("a"); got.Error != "" {
		t.Fatalf("without a file: %+v", got)
	}
	first := Script{Pulls: []Pull{{Image: "a*", Error: "no {{.Image}}", Times: 1}, {Image: "a*", Error: "second"}}}
	if err := first.Save(file); err != nil {
		t.Fatal(err)
	}
	if got := p.Pull("a:1"); got.Error != "no a:1" {
		t.Errorf("first pull: %+v", got)
	}
	if got := p.Pull("a:1"); got.Error != "second" {
		t.Errorf("an entry that is used up must give way: %+v", got)
	}
	if err := os.WriteFile(file, []byte("{broken"), 0o644); err != nil {
		t.Fatal(err)
	}
	if got := p.Pull("a:1"); got.Error != "second" || p.Err() == nil {
		t.Errorf("a broken file must leave the former script in use: %+v, %v", got, p.Err())
	}
	if err := (Script{}).Save(file); err != nil {
		t.Fatal(err)
	}
	if got := p.Pull("a:1"); got.Error != "" || p.Err() != nil {
		t.Errorf("after the fault is lifted: %+v, %v", got, p.Err())
	}
}

func TestProbeHealth(t *testing.T) {
	c := Container{Probes: []Probe{{Match: "/ready", HealthyAfter: After(time.Second)}, {Match: "/live"}}}
	ready, ok := c.For("/ready")
	if !ok || ready.Healthy(0) || !ready.Healthy(time.Second) {
		t.Errorf("/ready: %+v %v", ready, ok)
	}
	if live, ok := c.For("/live"); !ok || live.Healthy(time.Hour) {
		t.Error("a probe without healthyAfter passed")
	}
	if _, ok := c.For("/other"); ok {
		t.Error("an unmatched probe was scripted")
	}
}
