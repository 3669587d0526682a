// Package rules reads causes that users write in YAML and turns them into
// causes like the built-in ones.
//
// A rule has a cause's fields and says how to see it: which evidence to look at
// ("on"), what its message must be (an RE2 expression whose named groups fill
// the playbook), and what must hold of the workload, pod, container or node (a
// CEL expression over typed variables). Everything is checked when the file is
// read, each fault with its line and column. Evaluation is pure and bounded by
// cost, never by the clock, so that one bundle gives one verdict on any machine.
package rules

// APIVersion and Kind mark a file of rules.
const (
	APIVersion = "unjam.dev/v1alpha1"
	Kind       = "Rules"
)

// What a file may hold. The limits are far above what people write and keep a
// hostile file from costing more than a moment.
const (
	MaxFile        = 1 << 20 // bytes of one file
	MaxRules       = 500     // rules of all files together
	maxAlternative = 16      // entries of one match
	maxSteps       = 20      // entries of verify or fix
	maxNames       = 64      // entries of explains, rivals, vars, when
	maxPattern     = 500     // characters of a message pattern
	maxProgram     = 1000    // instructions of a compiled pattern
	maxExpression  = 2000    // characters of a CEL expression
	maxSentence    = 500     // characters of a title, summary or key
	maxProse       = 4000    // characters of any other text
	maxProblems    = 100     // faults listed before giving up
)

// What an evaluation may cost, in units of CEL: roughly one step each.
const (
	// costOnce bounds one evaluation of one expression; Kubernetes gives an
	// admission expression ten times that.
	costOnce = 100_000
	// costWorkload bounds one rule on one workload, matching of messages included.
	costWorkload = 5_000_000
)

// maxMessage is how much of a message is matched: its head and its tail.
const maxMessage = 8 << 10
