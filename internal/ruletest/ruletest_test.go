package ruletest_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/unjam-dev/unjam/internal/cause"
	"github.com/unjam-dev/unjam/internal/rules"
	"github.com/unjam-dev/unjam/internal/ruletest"
	"github.com/unjam-dev/unjam/internal/snapshot"
)

// TestExamples runs the unit tests of the documented examples.
func TestExamples(t *testing.T) {
	paths, _ := filepath.Glob("../../docs/rules/*_test.yaml")
	if len(paths) < 3 {
		t.Fatalf("%d files of tests", len(paths))
	}
	for _, p := range paths {
		suite, err := ruletest.Parse(p, read(t, p))
		if err != nil {
			t.Fatal(err)
		}
		var files []rules.File
		for _, r := range suite.Rules {
			name := filepath.Join(filepath.Dir(p), r)
			files = append(files, rules.File{Name: name, Data: read(t, name)})
		}
		own, err := rules.Load(cause.BuiltIn, files...)
		if err != nil {
			t.Fatal(err)
		}
		causes, err := own.Extend(cause.BuiltIn)
		if err != nil {
			t.Fatal(err)
		}
		covered := map[string]bool{}
		for _, r := range suite.Run(causes, nil) {
			if !r.Pass {
				t.Errorf("%s:%d: %s: %v %s", r.File, r.Line, r.Name, r.Diff, r.Error)
			}
		}
		for _, test := range suite.Tests {
			for _, x := range test.Expect {
				covered[x.Cause] = true
			}
		}
		for _, c := range own.Causes() {
			if !covered[c.Code] {
				t.Errorf("%s: no test fires %s", p, c.Code)
			}
		}
	}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

const head = "apiVersion: unjam.dev/v1alpha1\nkind: RulesTest\nrules: [r.yaml]\ntests:\n"

func TestParseFaults(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{head + "  - {name: a, text: x, expect: none, expct: 1}\n", `t.yaml:5:38: tests[0]: unknown field "expct"; did you mean "expect"?`},
		{head + "  - {name: a, text: x}\n", `t.yaml:5:5: tests[0]: "expect" is missing`},
		{head + "  - {name: a, text: x, bundle: b.tgz, expect: none}\n", `t.yaml:5:5: tests[0]: needs exactly one of objects, bundle and text`},
		{head + "  - {name: a, text: x, expect: []}\n", `t.yaml:5:32: tests[0].expect: holds no cause; write none where nothing must be found`},
		{head + "  - {name: a, text: x, expect: [{cause: b, state: stuck}]}\n", `t.yaml:5:51: tests[0].expect[0].state: unknown state "stuck"; choose one of stalled, unknown, recovering, slow, waiting, progressing, healthy`},
		{head + "  - {name: a, text: x, now: today, expect: none}\n", `t.yaml:5:29: tests[0].now: "today" is not a time such as 2026-01-02T10:10:00Z`},
		{head + "  []\n", `t.yaml: the file holds no test`},
		{strings.Replace(head, "RulesTest", "Rules", 1) + "  - {name: a, text: x, expect: none}\n", `t.yaml:2:7: kind: unknown kind "Rules"; choose one of RulesTest`},
	} {
		_, err := ruletest.Parse("t.yaml", []byte(c.text))
		if fmt.Sprint(err) != c.want {
			t.Errorf("got  %v\nwant %s", err, c.want)
		}
	}
}

func TestDiffIsExact(t *testing.T) {
	text := "LAST SEEN   TYPE      REASON    OBJECT      MESSAGE\n5s          Warning   Failed    pod/web     Failed to pull image \"reg.local:5000/web:v9\": rpc error: code = NotFound desc = failed to pull and unpack image \"reg.local:5000/web:v9\": failed to resolve image: reg.local:5000/web:v9: not found\n"
	indent := "      " + strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n      ")
	for _, c := range []struct {
		expect string
		want   []string // prefixes
	}{
		{"expect: none", []string{"+ "}},
		{"expect: [{cause: acme-x}]", []string{"- acme-x", "+ "}},
	} {
		suite, err := ruletest.Parse("t.yaml", []byte(head+"  - name: a\n    text: |\n"+indent+"\n    "+c.expect+"\n"))
		if err != nil {
			t.Fatal(err)
		}
		r := suite.Run(cause.BuiltIn, func(string) (*snapshot.Snapshot, error) { return nil, nil })[0]
		if r.Pass || len(r.Diff) != len(c.want) {
			t.Errorf("%s: %+v", c.expect, r)
			continue
		}
		for i, p := range c.want {
			if !strings.HasPrefix(r.Diff[i], p) {
				t.Errorf("%s: %q, want %q…", c.expect, r.Diff[i], p)
			}
		}
	}
}

// TestOpenFails: a bundle that cannot be read fails its test only.
func TestOpenFails(t *testing.T) {
	suite, err := ruletest.Parse("t.yaml", []byte(head+"  - {name: a, bundle: no.tgz, expect: none}\n  - {name: b, text: all is well, expect: none}\n"))
	if err != nil {
		t.Fatal(err)
	}
	got := suite.Run(cause.BuiltIn, func(p string) (*snapshot.Snapshot, error) { return nil, fmt.Errorf("no %s", p) })
	if got[0].Pass || got[0].Error != "no no.tgz" || !got[1].Pass {
		t.Errorf("%+v", got)
	}
}

func FuzzParse(f *testing.F) {
	paths, _ := filepath.Glob("../../docs/rules/*_test.yaml")
	for _, p := range paths {
		data, err := os.ReadFile(p)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 1<<16 {
			return
		}
		if _, err := ruletest.Parse("t.yaml", data); err != nil && err.Error() == "" {
			t.Error("a fault without words")
		}
	})
}
