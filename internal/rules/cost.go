package rules

import (
	"fmt"
	"unicode/utf8"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/checker"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/unjam-dev/unjam/internal/strictyaml"
)

// What an estimate takes for the size of what the facts hold.
const (
	usualText = 1024 // characters of one text
	usualList = 64   // entries of one list or map
)

// affordable estimates what the expression costs. One that cannot be paid even
// at best is a fault; one that may not be at worst is a warning.
func (l *loader) affordable(n strictyaml.Item, env *cel.Env, ast *cel.Ast) bool {
	est, err := env.EstimateCost(ast, sizes{})
	switch {
	case err != nil:
		n.Fail("its cost cannot be estimated: %v", err)
		return false
	case est.Min > costOnce:
		n.Fail("costs at least %d, more than the limit of %d per evaluation", est.Min, costOnce)
		return false
	case est.Max > costOnce:
		l.warnings = append(l.warnings, strictyaml.Problem{File: n.Doc.File, Line: n.Node.Line, Column: n.Node.Column,
			Text: fmt.Sprintf("%s: may cost up to %d with long texts and lists; the limit per evaluation is %d", n.Path, est.Max, costOnce)})
	}
	return true
}

// sizes tells the estimator how large facts usually are.
type sizes struct{}

// EstimateSize implements checker.CostEstimator.
func (sizes) EstimateSize(e checker.AstNode) *checker.SizeEstimate {
	switch e.Type().Kind() {
	case types.StringKind:
		return &checker.SizeEstimate{Min: 0, Max: usualText}
	case types.ListKind, types.MapKind:
		return &checker.SizeEstimate{Min: 0, Max: usualList}
	}
	return nil
}

// EstimateCallCost implements checker.CostEstimator: the string functions read
// their text once.
func (sizes) EstimateCallCost(function, _ string, target *checker.AstNode, _ []checker.AstNode) *checker.CallEstimate {
	if !reads[function] || target == nil {
		return nil
	}
	size := checker.SizeEstimate{Max: usualText}
	if s := (*target).ComputedSize(); s != nil {
		size = *s
	}
	cost := size.MultiplyByCostFactor(0.1).Add(checker.CostEstimate{Min: 1, Max: 1})
	return &checker.CallEstimate{CostEstimate: cost, ResultSize: &size}
}

// reads are the functions of CEL's string extension, whose cost CEL itself
// takes for one step.
var reads = map[string]bool{"charAt": true, "indexOf": true, "lastIndexOf": true, "lowerAscii": true, "upperAscii": true, "replace": true, "split": true,
	"substring": true, "trim": true, "join": true}

// actual counts what the string functions cost: all text that goes in and comes out.
type actual struct{}

// CallCost implements interpreter.ActualCostEstimator.
func (actual) CallCost(function, _ string, args []ref.Val, result ref.Val) *uint64 {
	if !reads[function] {
		return nil
	}
	cost := uint64(1) + weigh(result)/10
	for _, a := range args {
		cost += weigh(a) / 10
	}
	return &cost
}

func weigh(v ref.Val) uint64 {
	switch x := v.Value().(type) {
	case string:
		return uint64(utf8.RuneCountInString(x))
	case []string:
		n := 0
		for _, s := range x {
			n += 10 + len(s)
		}
		return uint64(n)
	}
	return 1
}
