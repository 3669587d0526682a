package soak

import "testing"

// TestConclude counts what a record holds: dooms only where nobody acts, named
// and right only while there is trouble, nothing after completion.
func TestConclude(t *testing.T) {
	spans := func() []Span {
		return []Span{
			{From: 0, To: 2, Moments: 2, State: "progressing"},
			{From: 4, To: 20, Moments: 9, State: "recovering", Cause: "tcp-refused"},
			{From: 22, To: 30, Moments: 5, State: "stalled", Cause: "tcp-refused"},
			{From: 32, To: 36, Moments: 3, State: "recovering", Cause: "dns-timeout"},
			{From: 38, To: 44, Moments: 4, State: "healthy", Done: true},
		}
	}
	for class, doom := range map[Class]bool{Heals: true, Slow: true, Node: true, Deadline: false, Acted: false} {
		r := Record{Class: class, Causes: []string{"tcp-refused"}, Signal: 3, Completed: 37, Steps: []Step{{At: 21, What: "lifted"}}, Spans: spans()}
		r.conclude()
		if r.Doom != doom || r.Moments != 19 || r.Stalled != 5 || r.AfterAct != 5 || r.Named != 4 || r.Trouble != 17 || r.Right != 14 || r.Wrong != 3 || !r.HealthyAtEnd {
			t.Errorf("%s: %+v", class, r)
		}
	}
	open := Record{Class: Heals, Spans: spans()[:3]}
	open.conclude()
	if open.Doom {
		t.Error("a rollout that never completed is no false doom")
	}
}

// TestPlan: a seed decides the plan, every kind is in it, and no class that must
// not be doomed is missing.
func TestPlan(t *testing.T) {
	a, b, c := Plan(1, 200, nil), Plan(1, 200, nil), Plan(2, 200, nil)
	same := func(x, y []Planned) bool {
		for i := range x {
			if x[i].Kind() != y[i].Kind() {
				return false
			}
		}
		return len(x) == len(y)
	}
	if !same(a, b) || same(a, c) {
		t.Error("the seed does not decide the plan")
	}
	seen, classes := map[string]bool{}, map[Class]int{}
	for _, p := range a {
		seen[p.Kind()] = true
		classes[p.kind.class]++
	}
	for _, k := range KindNames() {
		if !seen[k] {
			t.Errorf("kind %s is not played", k)
		}
	}
	if n := classes[Heals] + classes[Slow] + classes[Node]; n < 150 || classes[Acted] == 0 {
		t.Errorf("%v", classes)
	}
}
