package rules

import (
	"fmt"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/ext"
)

// environments holds the CEL environment of each subject that is in use.
// Making one takes about a millisecond, so that none is made before a rule
// needs it.
type environments struct {
	base *cel.Env
	of   map[string]*cel.Env
}

// common are the variables that every subject has.
var common = []struct {
	name string
	typ  *types.Type
	doc  string
}{
	{"message", types.StringType, "the text that the message pattern was matched against; empty when the subject has none"},
	{"groups", types.NewMapType(types.StringType, types.StringType), "what the named groups of the message pattern matched"},
	{"now", types.TimestampType, "when the snapshot was taken; ages are counted from it"},
}

func (e *environments) env(s *subject) (*cel.Env, error) {
	if env, ok := e.of[s.name]; ok {
		return env, nil
	}
	if e.base == nil {
		p, err := newProvider()
		if err != nil {
			return nil, err
		}
		options := []cel.EnvOption{cel.CustomTypeProvider(p), cel.CustomTypeAdapter(p.Registry), ext.Strings(ext.StringsVersion(0)), cel.DefaultUTCTimeZone(true),
			cel.CrossTypeNumericComparisons(true), cel.EagerlyValidateDeclarations(true), cel.ParserRecursionLimit(32), cel.ParserExpressionSizeLimit(maxExpression)}
		for _, v := range common {
			options = append(options, cel.Variable(v.name, v.typ))
		}
		if e.base, err = cel.NewEnv(options...); err != nil {
			return nil, fmt.Errorf("the expressions' environment: %w", err)
		}
		e.of = map[string]*cel.Env{}
	}
	var options []cel.EnvOption
	for _, v := range s.variables() {
		options = append(options, cel.Variable(v.name, v.of.cel))
	}
	env, err := e.base.Extend(options...)
	if err != nil {
		return nil, fmt.Errorf("the expressions' environment: %w", err)
	}
	e.of[s.name] = env
	return env, nil
}
