package rules

import (
	"regexp"
	"time"

	"github.com/google/cel-go/cel"

	"github.com/unjam-dev/unjam/internal/cause"
	"github.com/unjam-dev/unjam/internal/strictyaml"
)

// File is one file of rules: its name, for messages, and its content.
type File struct {
	Name string
	Data []byte
}

// rule is one cause of a user.
type rule struct {
	cause.Cause // Detect and Gaps are set last
	at          strictyaml.Item
	alternative []*alternative
	confidence  cause.Confidence
	summary     string
	key         string
	explains    []string
	rivals      []cause.Rival
}

// alternative is one entry of a rule's match.
type alternative struct {
	on      *subject
	pattern *regexp.Regexp // nil when the message does not matter
	// weight is the number of instructions of the pattern.
	weight int
	when   cel.Program // nil when it always holds
	vars   []computed
}

// computed is a placeholder that an expression fills.
type computed struct {
	name string
	expr cel.Program
}

// Rules are checked rules, ready to judge.
type Rules struct {
	list []*rule
	// Warnings are what is allowed and probably not meant.
	Warnings []strictyaml.Problem
}

// Len is the number of rules.
func (r *Rules) Len() int { return len(r.list) }

// Causes are the rules as causes, in the order of their codes: the order of
// files and of rules in them means nothing.
func (r *Rules) Causes() []cause.Cause {
	var out []cause.Cause
	for _, x := range r.list {
		out = append(out, x.Cause)
	}
	return out
}

// durations that settle may have.
const maxSettle = 24 * time.Hour
