package rules

import (
	"errors"
	"fmt"
	"strings"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/interpreter"

	"github.com/unjam-dev/unjam/internal/cause"
	"github.com/unjam-dev/unjam/internal/facts"
	"github.com/unjam-dev/unjam/internal/snapshot"
	"github.com/unjam-dev/unjam/internal/verdict"
)

// Extend returns the causes of base with the rules ahead of them: of findings
// that are equally firm, that of the rule written for the case comes first.
func (r *Rules) Extend(base cause.Set) (cause.Set, error) { return base.With(r.Causes()...) }

// bind makes the rule a cause.
func (r *rule) bind() {
	r.Detect = func(f *facts.Facts, w *facts.Workload) []cause.Finding { return r.judge(f, w).found }
	r.Gaps = func(f *facts.Facts, w *facts.Workload) []snapshot.Gap { return r.judge(f, w).gaps }
}

// outcome is what a rule says of one workload.
type outcome struct {
	found []cause.Finding
	gaps  []snapshot.Gap
}

type ruleOn struct {
	r *rule
	w *facts.Workload
}

func (r *rule) judge(f *facts.Facts, w *facts.Workload) outcome {
	return facts.Once(f, ruleOn{r, w}, func() outcome {
		// Nothing is wrong with a rollout that is complete, whatever old events
		// and conditions still say.
		if done, _ := verdict.Complete(w); done {
			return outcome{}
		}
		t := trial{rule: r, scene: sceneOf(f, w)}
		for i, a := range r.alternative {
			for _, s := range t.scene.sights(a.on) {
				if !t.try(i, a, s) {
					return t.outcome()
				}
			}
		}
		return t.outcome()
	})
}

// trial is one rule at work on one workload.
type trial struct {
	rule    *rule
	scene   *scene
	spent   uint64
	groups  []*group
	stopped string // why it stopped early
}

func (t *trial) outcome() outcome {
	var out outcome
	for _, g := range t.groups {
		out.found = append(out.found, g.finding(t.rule))
	}
	if t.stopped != "" {
		out.gaps = []snapshot.Gap{{Resource: "rule " + t.rule.Code, Namespace: t.scene.w.Namespace, Name: t.scene.w.Ref(), Reason: snapshot.GapStopped,
			Detail: t.stopped + " (" + t.rule.Rule + ")", Settle: "a change of the rule"}}
	}
	return out
}

// try holds one piece of evidence against one alternative. It answers false
// when the rule must stop.
func (t *trial) try(i int, a *alternative, s sight) bool {
	groups := map[string]string{}
	if a.pattern != nil {
		t.spent += 1 + uint64(len(s.text)*a.weight/256)
		m := a.pattern.FindStringSubmatch(s.text)
		if m == nil {
			return t.afford()
		}
		for j, name := range a.pattern.SubexpNames() {
			if name != "" && m[j] != "" {
				groups[name] = word(m[j])
			}
		}
	}
	var given map[string]any
	eval := func(p cel.Program) (ref.Val, bool) {
		if given == nil {
			given = t.activation(a.on, s, groups)
		}
		v, details, err := p.Eval(given)
		if c := details.ActualCost(); c != nil {
			t.spent += *c
		}
		return t.checked(v, err)
	}
	if a.when != nil {
		v, ok := eval(a.when)
		if !ok {
			return t.afford()
		}
		if v != types.True {
			return t.afford()
		}
	}
	vars := t.vars(s, groups)
	for _, c := range a.vars {
		if v, ok := eval(c.expr); ok {
			if text, ok := v.Value().(string); ok && text != "" {
				vars[c.name] = word(text)
			}
		}
	}
	if t.stopped == "" {
		t.add(i, a, s, vars)
	}
	return t.afford()
}

// afford reports whether the rule may go on.
func (t *trial) afford() bool {
	if t.stopped == "" && t.spent > costWorkload {
		t.stopped = fmt.Sprintf("cost limit of %d for one workload", costWorkload)
	}
	return t.stopped == ""
}

// checked judges the end of an evaluation. A key that a map does not hold, or
// an index past a list's end, means that the rule does not hold here: labels
// are often absent. Any other failure stops the rule.
func (t *trial) checked(v ref.Val, err error) (ref.Val, bool) {
	if err == nil {
		return v, true
	}
	var cancelled interpreter.EvalCancelledError
	switch text := err.Error(); {
	case errors.As(err, &cancelled):
		t.stopped = fmt.Sprintf("cost limit of %d for one evaluation", costOnce)
	case strings.HasPrefix(text, "no such key"), strings.HasPrefix(text, "index out of bounds"):
	default:
		t.stopped = word(text)
	}
	return nil, false
}

// activation are the variables of one evaluation.
func (t *trial) activation(on *subject, s sight, groups map[string]string) map[string]any {
	out := map[string]any{"message": s.text, "groups": groups, "now": t.scene.f.Now,
		"workload": &value{workloadType, t.scene.w}, "namespaceObject": &value{namespaceType, t.scene.ns}}
	if on.own != nil {
		out[on.own.name] = &value{on.own.of, s.own}
	}
	if on.pod {
		p, n := noPod, node{}
		if s.pod != nil {
			p, n = s.pod, node{s.pod.NodeName(), s.pod.Node}
		}
		out["pod"], out["node"] = &value{podType, p}, &value{nodeType, n}
	}
	if on.container {
		out["container"] = &value{containerType, s.container}
	}
	return out
}

// vars are the placeholders that one piece of evidence fills.
func (t *trial) vars(s sight, groups map[string]string) map[string]string {
	vars := cause.Vars(t.scene.w, s.pod, s.container)
	if s.container != nil {
		img := t.scene.f.Image(s.container.Image)
		for k, v := range map[string]string{"registry": img.Registry, "repository": img.Name(), "tag": img.Tag} {
			if img.Registry != "" && v != "" {
				vars[k] = v
			}
		}
	}
	for _, more := range []map[string]string{s.vars, groups} {
		for k, v := range more {
			if v != "" {
				vars[k] = v
			}
		}
	}
	return vars
}
