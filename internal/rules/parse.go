package rules

import (
	"cmp"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/unjam-dev/unjam/internal/cause"
	"github.com/unjam-dev/unjam/internal/strictyaml"
)

// The fields of a file, a rule and its parts.
var (
	fileFields   = []string{"apiVersion", "kind", "rules"}
	ruleFields   = []string{"code", "family", "class", "title", "settle", "match", "confidence", "summary", "key", "explains", "rivals", "means", "verify", "fix"}
	ruleRequired = []string{"code", "family", "class", "title", "match", "summary", "means", "fix"}
	matchFields  = []string{"on", "message", "when", "vars"}
	stepFields   = []string{"text", "command", "undo", "approver", "when"}
	rivalFields  = []string{"cause", "settledBy"}
)

// Load reads and checks files of rules that are to stand beside the causes of
// base. Every fault of every file is reported at once, as Errors.
func Load(base cause.Set, files ...File) (*Rules, error) {
	l := &loader{base: base, envs: &environments{}}
	for _, f := range files {
		d := &strictyaml.Document{File: f.Name, MaxBytes: MaxFile}
		for _, root := range d.Decode(f.Data) {
			l.file(root)
		}
		l.docs = append(l.docs, d)
	}
	l.crossCheck()
	var all []strictyaml.Problem
	for _, d := range l.docs {
		all = append(all, d.Problems()...)
	}
	if len(all) > 0 {
		return nil, strictyaml.Errors(strictyaml.Sorted(all))
	}
	out := &Rules{list: l.rules, Warnings: strictyaml.Sorted(l.warnings)}
	slices.SortStableFunc(out.list, func(a, b *rule) int { return cmp.Compare(a.Code, b.Code) })
	for _, r := range out.list {
		r.bind()
	}
	return out, nil
}

// loader collects rules over all files.
type loader struct {
	base     cause.Set
	envs     *environments
	docs     []*strictyaml.Document
	rules    []*rule
	refs     []reference
	warnings []strictyaml.Problem
}

// reference is a code that must exist once all files are read.
type reference struct {
	at   strictyaml.Item
	code string
}

func (l *loader) file(n strictyaml.Item) {
	f := n.Fields(fileFields, fileFields)
	if v, ok := f["apiVersion"]; ok && v.Node.Value != APIVersion {
		v.Fail("must be %s, not %q", APIVersion, strictyaml.Short(v.Node.Value))
	}
	if v, ok := f["kind"]; ok && v.Node.Value != Kind {
		v.Fail("must be %s, not %q", Kind, strictyaml.Short(v.Node.Value))
	}
	v, ok := f["rules"]
	if !ok {
		return
	}
	for _, e := range v.Elements(MaxRules) {
		if len(l.rules) >= MaxRules {
			e.Fail("there are more than %d rules", MaxRules)
			return
		}
		if r := l.rule(e); r != nil {
			l.rules = append(l.rules, r)
		}
	}
}

var codePattern = regexp.MustCompile(`^[a-z][a-z0-9]*(?:-[a-z0-9]+)+$`)

// rule reads one rule. It is returned with its faults reported, so that others
// can refer to its code; nil when it has none.
func (l *loader) rule(n strictyaml.Item) *rule {
	f := n.Fields(ruleFields, ruleRequired)
	r := &rule{at: n, confidence: cause.Likely}
	if v, ok := f["code"]; ok {
		r.Code, _ = v.Text(63)
		switch {
		case r.Code == "":
		case !codePattern.MatchString(r.Code):
			v.Fail("%q is not a code: lower-case words of letters and digits joined by dashes, at least two, for example acme-image-unsigned", strictyaml.Short(r.Code))
		case l.base.ByCode(r.Code) != nil:
			v.Fail("%q is a cause of unjam itself; choose another code, best with your company's name in front", r.Code)
		}
		r.at = v
	}
	if v, ok := f["family"]; ok {
		s, _ := v.Choice("family", names(cause.Families))
		r.Family = cause.Family(s)
	}
	if v, ok := f["class"]; ok {
		s, _ := v.Choice("class", names([]cause.Class{cause.Terminal, cause.SelfHealing, cause.Waiting, cause.Symptom}))
		r.Class = cause.Class(s)
	}
	if v, ok := f["confidence"]; ok {
		if s, ok := v.Choice("confidence", names([]cause.Confidence{cause.Certain, cause.Likely, cause.Possible})); ok {
			r.confidence = cause.Confidence(s)
		}
	}
	if v, ok := f["settle"]; ok {
		r.Settle = settle(v, r.Class)
	}
	if v, ok := f["title"]; ok {
		r.Title, _ = v.Text(maxSentence)
	}
	sure, maybe := l.match(f["match"], r)
	if v, ok := f["summary"]; ok {
		r.summary = template(v, maxSentence, sure, "in every alternative of match")
		r.summary = strings.TrimRight(r.summary, ".")
	}
	if v, ok := f["key"]; ok {
		r.key = template(v, maxSentence, sure, "in every alternative of match")
	}
	if v, ok := f["means"]; ok {
		r.Playbook.Means = template(v, maxProse, maybe, "")
	}
	if v, ok := f["verify"]; ok {
		r.Playbook.Verify = steps(v, maybe, false)
	}
	if v, ok := f["fix"]; ok {
		r.Playbook.Mend = steps(v, maybe, true)
		if len(v.Node.Content) == 0 {
			v.Fail("holds no step; say at least whom to ask")
		}
	}
	l.relations(f, r)
	r.Rule = fmt.Sprintf("%s:%d", path.Base(n.Doc.File), n.Node.Line)
	if r.Code == "" {
		return nil
	}
	return r
}

// relations reads what a rule says of other causes.
func (l *loader) relations(f map[string]strictyaml.Item, r *rule) {
	if v, ok := f["explains"]; ok {
		for _, e := range v.Elements(maxNames) {
			if code, ok := e.Text(63); ok {
				r.explains = append(r.explains, code)
				l.refs = append(l.refs, reference{e, code})
			}
		}
	}
	v, ok := f["rivals"]
	if !ok {
		return
	}
	for _, e := range v.Elements(maxNames) {
		g := e.Fields(rivalFields, rivalFields)
		var rival cause.Rival
		if c, ok := g["cause"]; ok {
			if rival.Cause, ok = c.Text(63); ok {
				l.refs = append(l.refs, reference{c, rival.Cause})
			}
		}
		if c, ok := g["settledBy"]; ok {
			rival.SettledBy, _ = c.Text(maxSentence)
		}
		r.rivals = append(r.rivals, rival)
	}
	if r.confidence == cause.Certain && len(r.rivals) > 0 {
		v.Fail("what is certain has no rivals; leave them out or say confidence: likely")
	}
}

func settle(n strictyaml.Item, class cause.Class) time.Duration {
	s, ok := n.Text(20)
	if !ok {
		return 0
	}
	d, err := time.ParseDuration(s)
	switch {
	case err != nil || d <= 0 || d > maxSettle:
		n.Fail("%q is not a duration between 1s and %s, for example 5m", strictyaml.Short(s), maxSettle)
	case class != "" && class != cause.SelfHealing:
		n.Fail("only a self-healing cause settles")
	}
	return d
}

// steps reads verify, or fix when mend is true.
func steps(n strictyaml.Item, known []string, mend bool) []cause.Step {
	var out []cause.Step
	for _, e := range n.Elements(maxSteps) {
		allowed := stepFields
		if !mend {
			allowed = []string{"text", "command", "when"}
		}
		f := e.Fields(allowed, []string{"text"})
		var s cause.Step
		if v, ok := f["text"]; ok {
			s.Text = template(v, maxSentence, known, "")
		}
		if v, ok := f["command"]; ok {
			s.Command = template(v, maxProse, known, "")
		}
		if v, ok := f["undo"]; ok {
			s.Undo = template(v, maxProse, known, "")
		}
		if v, ok := f["approver"]; ok {
			s.Approver, _ = v.Text(80)
		}
		if v, ok := f["when"]; ok {
			for _, w := range v.Elements(maxNames) {
				if name, ok := w.Text(64); ok {
					s.When = append(s.When, name)
					knows(w, strings.TrimPrefix(name, "!"), known, "")
				}
			}
		}
		if _, given := f["command"]; given && mend {
			if _, ok := f["undo"]; !ok {
				e.Fail("%q is missing: say how the command is taken back, or that nothing need be", "undo")
			}
		}
		out = append(out, s)
	}
	return out
}

// names are the values of an enumeration as strings.
func names[T ~string](list []T) []string {
	var out []string
	for _, v := range list {
		out = append(out, string(v))
	}
	return out
}
