package plan

import (
	"slices"
	"strings"
	"testing"

	"github.com/unjam-dev/unjam/internal/cause"
)

func TestFillText(t *testing.T) {
	vars := map[string]string{"name": "web", "ns-1": "shop", "empty": ""}
	for _, c := range []struct{ in, want string }{
		{"set {name} in {ns-1}", "set web in shop"},
		{"{unknown} and {empty}", "<unknown> and <empty>"},
		{"{name}{name}", "webweb"},
		{`jsonpath='{.spec.template}' {1a} { name } {}`, `jsonpath='{.spec.template}' {1a} { name } {}`},
		{"", ""},
	} {
		if got := fillText(c.in, vars); got != c.want {
			t.Errorf("%q became %q, want %q", c.in, got, c.want)
		}
	}
	if got := Reference("kubectl -n {namespace} get pod"); got != "kubectl -n <namespace> get pod" {
		t.Errorf("Reference gave %q", got)
	}
}

// Values reach a shell by paste: any that is more than a word leaves the
// command out.
func TestFillCommandIsSafeToPaste(t *testing.T) {
	const command = "kubectl -n {namespace} get pod {pod}"
	for _, v := range []string{
		"$(x)", "`x`", "a b", "a\tb", "a\nb", "a\r", "a'b", `a"b`, "a;b", "a|b", "a&b", "a>b", "a<b", "a*b", "a?b", "a[b]", "a{b}", "a\\b",
		"a!b", "a#b", "~", "a$b", "a(b", "a)b", "a^b", "", "a\x00b", "\x1b[31m", "ä", "a\u00a0b", "a\u202eb", "[redacted]",
	} {
		if got := fillCommand(command, map[string]string{"namespace": "shop", "pod": v}); got != "" {
			t.Errorf("value %q gave %q", v, got)
		}
	}
	for _, v := range []string{"web-0", "a.b_c", "registry.lab:5001/shop/web:v1", "web@sha256:0123", "app=web,tier=x", "50%", "a+b"} {
		if got, want := fillCommand(command, map[string]string{"namespace": "shop", "pod": v}), "kubectl -n shop get pod "+v; got != want {
			t.Errorf("value %q gave %q", v, got)
		}
	}
	if got := fillCommand("kubectl get nodes", nil); got != "kubectl get nodes" {
		t.Errorf("a command without placeholders became %q", got)
	}
	if got := fillCommand(command, map[string]string{"namespace": "shop"}); got != "" {
		t.Errorf("an unknown name gave %q", got)
	}
}

// A value that begins with a dash is an option to the command that it is
// pasted into.
func TestFillCommandTakesNoOptions(t *testing.T) {
	for _, v := range []string{"-o=x", "--kubeconfig=/tmp/x", "-"} {
		if got := fillCommand("kubectl delete pod {pod}", map[string]string{"pod": v}); got != "" {
			t.Errorf("value %q gave %q", v, got)
		}
	}
	if got := fillCommand("kubectl set image deploy/web app=web:{tag}", map[string]string{"tag": "-x"}); got == "" {
		t.Error("a dash inside a word is no option")
	}
}

func TestFillUndo(t *testing.T) {
	vars := map[string]string{"name": "web"}
	for _, c := range []struct {
		in   string
		vars map[string]string
		want string
	}{
		{"kubectl rollout undo deploy/{name}", vars, "kubectl rollout undo deploy/web"},
		{"kubectl rollout undo deploy/{name}", nil, ""},
		{"kubectl rollout undo deploy/{name}", map[string]string{"name": "$(x)"}, ""},
		{"set {name} back", vars, "set web back"},
		{"set {name} back", nil, "set <name> back"},
		{"oc adm policy remove -z {name}", map[string]string{"name": "$(x)"}, ""},
		{"", vars, ""},
	} {
		if got := fillUndo(c.in, c.vars); got != c.want {
			t.Errorf("%q with %v became %q, want %q", c.in, c.vars, got, c.want)
		}
	}
}

func TestApplies(t *testing.T) {
	vars := map[string]string{"secret": "regcred", "none": ""}
	for _, c := range []struct {
		when []string
		want bool
	}{
		{nil, true}, {[]string{"secret"}, true}, {[]string{"other"}, false}, {[]string{"none"}, false},
		{[]string{"!secret"}, false}, {[]string{"!other"}, true}, {[]string{"!none"}, true},
		{[]string{"secret", "!other"}, true}, {[]string{"secret", "other"}, false},
	} {
		if got := applies(cause.Step{When: c.when}, vars); got != c.want {
			t.Errorf("When %v: %v, want %v", c.when, got, c.want)
		}
	}
}

func TestUnknownCauseHasNoSteps(t *testing.T) {
	fd := cause.Finding{Cause: "no-such-cause"}
	if Fixes(cause.BuiltIn, fd) != nil || Checks(cause.BuiltIn, fd) != nil {
		t.Error("steps of an unknown cause")
	}
}

// TestStepsOfEveryCause fills every playbook with plain and with hostile names:
// plain ones leave no placeholder, hostile ones reach no command.
func TestStepsOfEveryCause(t *testing.T) {
	for c := range cause.BuiltIn.All() {
		for i, s := range slices.Concat(c.Playbook.Verify, c.Playbook.Mend) {
			plain, hostile := map[string]string{}, map[string]string{}
			for _, m := range placeholder.FindAllStringSubmatch(s.Text+s.Command+s.Undo, -1) {
				plain[m[1]], hostile[m[1]] = "x", "$(touch pwned)"
			}
			if got := fillCommand(s.Command, plain); s.Command != "" && (got == "" || placeholder.MatchString(got)) {
				t.Errorf("%s step %d: %q became %q", c.Code, i, s.Command, got)
			}
			if got := fillUndo(s.Undo, plain); s.Undo != "" && (got == "" || placeholder.MatchString(got)) {
				t.Errorf("%s step %d: undo %q became %q", c.Code, i, s.Undo, got)
			}
			undo := fillUndo(s.Undo, hostile)
			if !isCommand(s.Undo) && strings.Contains(s.Undo, "--") {
				t.Errorf("%s step %d: the undo %q looks like a command that isCommand does not know", c.Code, i, s.Undo)
			}
			if isCommand(undo) && strings.Contains(undo, "pwned") || strings.Contains(fillCommand(s.Command, hostile), "pwned") {
				t.Errorf("%s step %d: a hostile name reaches a command", c.Code, i)
			}
		}
	}
}

// A step keeps its text where its command must be left out.
func TestHostileNameKeepsTheText(t *testing.T) {
	const code = "tag-not-found"
	vars := map[string]string{"namespace": "shop", "workload": "deployment/web", "container": "$(x)", "image": "a b", "repository": "a;b", "registry": "r"}
	fixes := Fixes(cause.BuiltIn, cause.Finding{Cause: code, Vars: vars})
	if len(fixes) == 0 {
		t.Fatal("no fix")
	}
	for _, f := range fixes {
		if f.Text == "" {
			t.Error("a fix without text")
		}
		if strings.Contains(f.Command+f.Undo, "$(x)") || strings.Contains(f.Command, "a;b") {
			t.Errorf("%q, undo %q", f.Command, f.Undo)
		}
	}
}
