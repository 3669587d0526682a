package rules

import (
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	"github.com/unjam-dev/unjam/internal/strictyaml"
)

// match reads a rule's alternatives. It returns the placeholders that all of
// them fill and those that at least one fills, nil when that cannot be told.
func (l *loader) match(n strictyaml.Item, r *rule) (sure, maybe []string) {
	if n.Node == nil {
		return nil, nil
	}
	list := n.Elements(maxAlternative)
	if len(list) == 0 {
		if len(n.Doc.Problems()) == 0 || n.Node.Content != nil && len(n.Node.Content) == 0 {
			n.Fail("holds no alternative")
		}
		return nil, nil
	}
	broken := false
	for i, e := range list {
		a, filled := l.alternative(e)
		if a == nil {
			broken = true
			continue
		}
		r.alternative = append(r.alternative, a)
		maybe = append(maybe, filled...)
		if i == 0 {
			sure = filled
		} else {
			sure = slices.DeleteFunc(slices.Clone(sure), func(s string) bool { return !slices.Contains(filled, s) })
		}
	}
	if broken {
		return nil, nil
	}
	slices.Sort(sure)
	slices.Sort(maybe)
	return sure, slices.Compact(maybe)
}

// alternative reads one entry of match with the placeholders that it fills; nil
// after a fault.
func (l *loader) alternative(n strictyaml.Item) (*alternative, []string) {
	f := n.Fields(matchFields, []string{"on"})
	on, ok := f["on"]
	if !ok {
		return nil, nil
	}
	name, ok := on.Choice("evidence", subjectNames())
	if !ok {
		return nil, nil
	}
	a := &alternative{on: subjectOf(name)}
	filled := a.on.placeholders()
	fine := true
	if v, ok := f["message"]; ok {
		a.pattern, a.weight = pattern(v, a.on)
		fine = fine && a.pattern != nil
		if a.pattern != nil {
			for _, g := range a.pattern.SubexpNames() {
				if g != "" {
					fine = newName(v, g, filled) && fine
					filled = append(filled, g)
				}
			}
		}
	}
	if v, ok := f["when"]; ok {
		a.when = l.expression(v, a.on, types.BoolType)
		fine = fine && a.when != nil
	}
	if v, ok := f["vars"]; ok {
		for _, name := range v.Keys(maxNames) {
			if !placeholder.MatchString("{" + name + "}") {
				v.Fail("%q is not a name: letters, digits, - and _", strictyaml.Short(name))
				continue
			}
			fine = newName(v, name, filled) && fine
			filled = append(filled, name)
		}
		for name, e := range v.Fields(v.Keys(maxNames), nil) {
			p := l.expression(e, a.on, types.StringType)
			fine = fine && p != nil
			a.vars = append(a.vars, computed{name, p})
		}
		slices.SortFunc(a.vars, func(x, y computed) int { return strings.Compare(x.name, y.name) })
	}
	if f["message"].Node == nil && f["when"].Node == nil {
		n.Fail("needs a message, a when, or both: without one it holds for everything")
		fine = false
	}
	if !fine {
		return nil, nil
	}
	return a, filled
}

// newName refuses a name that unjam fills itself: a message must not decide
// which workload or pod a command is about.
func newName(n strictyaml.Item, name string, filled []string) bool {
	if slices.Contains(filled, name) {
		n.Fail("the name %q is filled already; choose another", name)
		return false
	}
	return true
}

// pattern reads a regular expression and counts its instructions.
func pattern(n strictyaml.Item, on *subject) (*regexp.Regexp, int) {
	if on.text == "" {
		n.Fail("%s has no message; say what must hold with when", on.name)
		return nil, 0
	}
	s, ok := n.Text(maxPattern)
	if !ok {
		return nil, 0
	}
	tree, err := syntax.Parse(s, syntax.Perl)
	if err != nil {
		n.Fail("%s", strings.TrimPrefix(err.Error(), "error parsing regexp: "))
		return nil, 0
	}
	prog, err := syntax.Compile(tree.Simplify())
	if err != nil {
		n.Fail("%v", err)
		return nil, 0
	}
	if len(prog.Inst) > maxProgram {
		n.Fail("is too costly: it has %d instructions when compiled, at most %d are allowed; repeat less with {n,m}", len(prog.Inst), maxProgram)
		return nil, 0
	}
	re, err := regexp.Compile(s)
	if err != nil {
		n.Fail("%v", err)
		return nil, 0
	}
	if re.MatchString("") {
		n.Fail("matches every text, also an empty one")
		return nil, 0
	}
	return re, len(prog.Inst)
}

// expression compiles a CEL expression of a type, each fault at its place.
func (l *loader) expression(n strictyaml.Item, on *subject, want *types.Type) cel.Program {
	s, ok := n.Text(maxExpression)
	if !ok {
		return nil
	}
	env, err := l.envs.env(on)
	if err != nil {
		n.Fail("%v", err)
		return nil
	}
	ast, issues := env.Compile(s)
	if issues.Err() != nil {
		for _, e := range issues.Errors() {
			line, column := n.Place(e.Location.Line(), e.Location.Column()+1)
			n.Doc.Report(line, column, "%s: %s", n.Path, celText(e.Message, on))
		}
		return nil
	}
	if got := ast.OutputType(); !got.IsExactType(want) {
		n.Fail("must give a %s, but gives a %s", want, got)
		return nil
	}
	if !l.affordable(n, env, ast) {
		return nil
	}
	prog, err := env.Program(ast, cel.CostLimit(costOnce), cel.CostTracking(actual{}), cel.EvalOptions(cel.OptOptimize))
	if err != nil {
		n.Fail("%v", err)
		return nil
	}
	return prog
}

// celText is a message of the compiler in the file's words.
func celText(s string, on *subject) string {
	s = strings.ReplaceAll(s, " (in container '')", "")
	if strings.HasPrefix(s, "undeclared reference to '") {
		var names []string
		for _, v := range on.variables() {
			names = append(names, v.name)
		}
		for _, v := range common {
			names = append(names, v.name)
		}
		s += "; on: " + on.name + " knows " + strings.Join(names, ", ")
	}
	if utf8.RuneCountInString(s) > 300 {
		s = string([]rune(s)[:300]) + "…"
	}
	return s
}
