package rules_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/unjam-dev/unjam/internal/cause"
	"github.com/unjam-dev/unjam/internal/rules"
)

// good is a complete rule; bad files are made of it by changing lines.
const good = `apiVersion: unjam.dev/v1alpha1
kind: Rules
rules:
  - code: acme-frozen
    family: admission
    class: terminal
    title: Frozen namespace
    match:
      - on: refusal
        message: 'namespace (?P<place>\S+) is frozen'
        when: workload.desired > 0
        vars:
          team: namespaceObject.labels["team"]
    confidence: likely
    summary: "{place} is frozen, says team {team}"
    key: "freeze of {place}"
    explains: [quota-exceeded]
    rivals:
      - cause: vap-denied
        settledBy: kubectl get validatingadmissionpolicies
    means: The namespace takes no changes.
    verify:
      - text: Read the label of {namespace}.
        command: kubectl get namespace {namespace} --show-labels
    fix:
      - text: Ask team {team} to lift the freeze.
        command: kubectl label namespace {namespace} frozen-
        undo: kubectl label namespace {namespace} frozen=true
        approver: platform team
        when: [team]
`

func load(text string) (*rules.Rules, error) {
	return rules.Load(cause.BuiltIn, rules.File{Name: "r.yaml", Data: []byte(text)})
}

func TestLoadGood(t *testing.T) {
	r, err := load(good)
	if err != nil {
		t.Fatal(err)
	}
	c := r.Causes()[0]
	if r.Len() != 1 || c.Code != "acme-frozen" || c.Family != cause.Admission || c.Class != cause.Terminal || c.Rule != "r.yaml:4" || len(c.Playbook.Mend) != 1 || len(r.Warnings) != 0 {
		t.Errorf("%+v, warnings %v", c, r.Warnings)
	}
}

// TestLoadBad holds every kind of fault to its exact words and place.
func TestLoadBad(t *testing.T) {
	for _, c := range []struct {
		name     string
		old, new string // replaced in good
		want     string // one fault per line
	}{
		{"not yaml", "kind: Rules", "kind: [", "r.yaml:3: not YAML: did not find expected node content"},
		{"wrong document", "kind: Rules", "kind: Report", `r.yaml:2:7: kind: must be Rules, not "Report"`},
		{"wrong version", "unjam.dev/v1alpha1", "v1", `r.yaml:1:13: apiVersion: must be unjam.dev/v1alpha1, not "v1"`},
		{"unknown field", "    title: Frozen", "    titel: Frozen", "r.yaml:4:5: rules[0]: \"title\" is missing\nr.yaml:7:5: rules[0]: unknown field \"titel\"; did you mean \"title\"?"},
		{"field twice", "    title: Frozen namespace", "    title: Frozen namespace\n    title: again", `r.yaml:8:5: rules[0]: the field "title" is given twice`},
		{"bad code", "acme-frozen", "AcmeFrozen", `r.yaml:4:11: rules[0].code: "AcmeFrozen" is not a code: lower-case words of letters and digits joined by dashes, at least two, for example acme-image-unsigned`},
		{"one word", "acme-frozen", "frozen", `r.yaml:4:11: rules[0].code: "frozen" is not a code: lower-case words of letters and digits joined by dashes, at least two, for example acme-image-unsigned`},
		{"built-in code", "acme-frozen", "tag-not-found", `r.yaml:4:11: rules[0].code: "tag-not-found" is a cause of unjam itself; choose another code, best with your company's name in front`},
		{"family", "family: admission", "family: admision", `r.yaml:5:13: rules[0].family: unknown family "admision"; did you mean "admission"?; choose one of ` + strings.Join(families(), ", ")},
		{"class", "class: terminal", "class: fatal", `r.yaml:6:12: rules[0].class: unknown class "fatal"; choose one of terminal, self-healing, waiting, symptom`},
		{"number", "title: Frozen namespace", "title: 12", `r.yaml:7:12: rules[0].title: must be a text; put 12 in quotes`},
		{"empty", "title: Frozen namespace", `title: ""`, `r.yaml:7:12: rules[0].title: is empty`},
		{"evidence", "on: refusal", "on: refusals", `r.yaml:9:13: rules[0].match[0].on: unknown evidence "refusals"; did you mean "refusal"?; choose one of refusal, event, pull-error, container-death, log, condition, pod, workload`},
		{"regular expression", `is frozen'`, `is (frozen'`, "r.yaml:10:18: rules[0].match[0].message: missing closing ): `namespace (?P<place>\\S+) is (frozen`"},
		{"expensive pattern", `is frozen'`, `is (frozen{500}){20}'`, "r.yaml:10:18: rules[0].match[0].message: invalid repeat count: `{20}`"},
		{"empty pattern", `'namespace (?P<place>\S+) is frozen'`, `'(?P<place>x)?'`, "r.yaml:10:18: rules[0].match[0].message: matches every text, also an empty one"},
		{"misspelt variable", "when: workload.desired", "when: worklaod.desired", "r.yaml:11:15: rules[0].match[0].when: undeclared reference to 'worklaod'; on: refusal knows workload, namespaceObject, refusal, message, groups, now"},
		{"variable of other evidence", "when: workload.desired > 0", "when: pod.name == 'a'", "r.yaml:11:15: rules[0].match[0].when: undeclared reference to 'pod'; on: refusal knows workload, namespaceObject, refusal, message, groups, now"},
		{"misspelt field", "when: workload.desired", "when: workload.desird", "r.yaml:11:23: rules[0].match[0].when: undefined field 'desird'"},
		{"types", "when: workload.desired > 0", "when: workload.desired > '0'", "r.yaml:11:32: rules[0].match[0].when: found no matching overload for '_>_' applied to '(int, string)'"},
		{"not a bool", "when: workload.desired > 0", "when: workload.desired", "r.yaml:11:15: rules[0].match[0].when: must give a bool, but gives a int"},
		{"syntax, literal block", "when: workload.desired > 0", "when: |\n          workload.desired > 0 &&\n            workload.nam == 'a'", "r.yaml:13:21: rules[0].match[0].when: undefined field 'nam'"},
		{"folded block", "when: workload.desired > 0", "when: >-\n          workload.desired > 0\n          && workload.nam == 'a'", "r.yaml:13:22: rules[0].match[0].when: undefined field 'nam'"},
		{"double quotes", "when: workload.desired > 0", `when: "workload.name == \"a\" && workload.nam == 'b'"`, "r.yaml:11:50: rules[0].match[0].when: undefined field 'nam'"},
		{"single quotes", "when: workload.desired > 0", `when: 'workload.name == ''a'' && workload.nam == "b"'`, "r.yaml:11:50: rules[0].match[0].when: undefined field 'nam'"},
		{"plain text over lines", "when: workload.desired > 0", "when: workload.desired > 0\n          && workload.nam == 'a'", "r.yaml:12:22: rules[0].match[0].when: undefined field 'nam'"},
		{"nothing to hold", "        message: 'namespace (?P<place>\\S+) is frozen'\n        when: workload.desired > 0\n", "", "r.yaml:9:9: rules[0].match[0]: needs a message, a when, or both: without one it holds for everything"},
		{"message where none is", "on: refusal", "on: workload", `r.yaml:10:18: rules[0].match[0].message: workload has no message; say what must hold with when`},
		{"name taken", "(?P<place>", "(?P<namespace>", "r.yaml:10:18: rules[0].match[0].message: the name \"namespace\" is filled already; choose another"},
		{"nothing fills it", "{place} is frozen", "{plaice} is frozen", "r.yaml:15:14: rules[0].summary: {plaice}: it is not filled in every alternative of match; did you mean {place}?; known are kind, name, namespace, place, team, workload"},
		{"step", "Ask team {team}", "Ask team {teem}", "r.yaml:26:15: rules[0].fix[0].text: {teem}: nothing fills it; did you mean {team}?; known are kind, name, namespace, place, team, workload"},
		{"condition of a step", "when: [team]", `when: ["!teem"]`, "r.yaml:30:16: rules[0].fix[0].when[0]: {teem}: nothing fills it; did you mean {team}?; known are kind, name, namespace, place, team, workload"},
		{"means missing", "    means: The namespace takes no changes.\n", "", `r.yaml:4:5: rules[0]: "means" is missing`},
		{"undo missing", "        undo: kubectl label namespace {namespace} frozen=true\n", "", `r.yaml:26:9: rules[0].fix[0]: "undo" is missing: say how the command is taken back, or that nothing need be`},
		{"unknown cause", "[quota-exceeded]", "[quota-exceded]", `r.yaml:17:16: rules[0].explains[0]: there is no cause "quota-exceded"; did you mean "quota-exceeded"?`},
		{"certain with rivals", "confidence: likely", "confidence: certain", "r.yaml:19:7: rules[0].rivals: what is certain has no rivals; leave them out or say confidence: likely"},
		{"settle", "class: terminal", "class: self-healing\n    settle: 5 minutes", `r.yaml:7:13: rules[0].settle: "5 minutes" is not a duration between 1s and 24h0m0s, for example 5m`},
		{"settle of what does not", "class: terminal", "class: terminal\n    settle: 5m", `r.yaml:7:13: rules[0].settle: only a self-healing cause settles`},
		{"alias", "title: Frozen namespace", "title: &a Frozen", `r.yaml:7:12: rules[0].title: anchors and aliases are not read; write the value out`},
		{"explains itself", "[quota-exceeded]", "[acme-frozen]", "r.yaml:4:11: rules[0].code: explains itself: acme-frozen explains acme-frozen"},
		{"costly", "when: workload.desired > 0", "when: " + strings.Repeat("workload.images.all(a, ", 6) + "a != ''" + strings.Repeat(")", 6), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			text := strings.Replace(good, c.old, c.new, 1)
			if text == good {
				t.Fatal("the file was not changed")
			}
			r, err := load(text)
			if c.want == "" {
				if err != nil || len(r.Warnings) != 1 || !strings.Contains(r.Warnings[0].String(), "r.yaml:11:15: rules[0].match[0].when: may cost up to ") {
					t.Errorf("want a warning, got %v, %v", err, r)
				}
				return
			}
			if err == nil {
				t.Fatal("no fault found")
			}
			if err.Error() != c.want {
				t.Errorf("got:\n%v\nwant:\n%s", err, c.want)
			}
		})
	}
}

func families() []string {
	var out []string
	for _, f := range cause.Families {
		out = append(out, string(f))
	}
	return out
}

func TestFilesAreCheckedTogether(t *testing.T) {
	other := strings.NewReplacer("acme-frozen", "acme-thawing", "[quota-exceeded]", "[acme-frozen]").Replace(good)
	both := func(b string) error {
		_, err := rules.Load(cause.BuiltIn, rules.File{Name: "a.yaml", Data: []byte(good)}, rules.File{Name: "b.yaml", Data: []byte(b)})
		return err
	}
	if err := both(other); err != nil {
		t.Errorf("a rule may name a cause of another file: %v", err)
	}
	if err := both(good); err == nil || err.Error() != `b.yaml:4:11: rules[0].code: the code "acme-frozen" is used already at a.yaml:4` {
		t.Errorf("code given twice: %v", err)
	}
	circle := strings.Replace(good, "[quota-exceeded]", "[acme-thawing]", 1)
	_, err := rules.Load(cause.BuiltIn, rules.File{Name: "a.yaml", Data: []byte(circle)}, rules.File{Name: "b.yaml", Data: []byte(other)})
	if err == nil || !strings.Contains(err.Error(), "explains itself: acme-frozen explains acme-thawing explains acme-frozen") {
		t.Errorf("circle: %v", err)
	}
}

func TestAllFaultsAtOnce(t *testing.T) {
	text := strings.NewReplacer("family: admission", "family: x", "class: terminal", "class: y", "workload.desired", "workload.no").Replace(good)
	_, err := load(text)
	if got := strings.Count(fmt.Sprint(err), "\n") + 1; got != 3 {
		t.Errorf("%d faults, want 3:\n%v", got, err)
	}
}

func TestLimitsOfFiles(t *testing.T) {
	if _, err := load(good + "#" + strings.Repeat(" ", rules.MaxFile)); err == nil || err.Error() != "r.yaml: the file is larger than 1048576 bytes" {
		t.Errorf("large file: %.100v", err)
	}
	var many strings.Builder
	head, body, _ := strings.Cut(good, "  - code")
	many.WriteString(head)
	for i := range rules.MaxRules + 1 {
		many.WriteString("  - code" + strings.Replace(body, "acme-frozen", fmt.Sprintf("acme-frozen-%d", i), 1))
	}
	if _, err := load(many.String()); err == nil || !strings.Contains(err.Error(), "has more than 500 entries") {
		t.Errorf("many rules: %.100v", err)
	}
	if _, err := load(strings.Replace(good, "is frozen'", strings.Repeat("x", 600)+"'", 1)); err == nil || !strings.Contains(err.Error(), "is longer than 500 characters") {
		t.Errorf("long pattern: %.100v", err)
	}
	if _, err := load(strings.Replace(good, "is frozen'", `(is frozen){120}'`, 1)); err == nil || !strings.Contains(err.Error(), "is too costly") {
		t.Errorf("costly pattern: %.100v", err)
	}
}

// TestExamples holds the documented examples to be free of faults and warnings.
func TestExamples(t *testing.T) {
	paths, _ := filepath.Glob("../../docs/rules/*.yaml")
	paths = slices.DeleteFunc(paths, func(p string) bool { return strings.HasSuffix(p, "_test.yaml") })
	if len(paths) == 0 {
		t.Fatal("no examples")
	}
	for _, p := range paths {
		data, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		r, err := rules.Load(cause.BuiltIn, rules.File{Name: p, Data: data})
		if err != nil || len(r.Warnings) > 0 {
			t.Errorf("%v %v", err, r)
		}
	}
}
