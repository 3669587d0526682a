package scenario

import (
	"fmt"
	"strings"
	"testing"
)

func TestJudge(t *testing.T) {
	report := func(state, primary, rest string) string {
		return fmt.Sprintf(`{"kind":"Report","verdicts":[
			{"workload":{"kind":"Deployment","namespace":"s","name":"other"},"state":"healthy"},
			{"workload":{"kind":"Deployment","namespace":"s","name":"web"},"state":%q,"primary":%s%s}]}`, state, primary, rest)
	}
	for _, tc := range []struct {
		name   string
		expect Expect
		report string
		want   string // empty: holds
	}{
		{"holds", Expect{State: "stalled", Cause: "a"}, report("stalled", `{"cause":"a"}`, ""), ""},
		{"other state", Expect{State: "stalled", Cause: "a"}, report("waiting", `{"cause":"a"}`, ""), "state waiting, want stalled"},
		{"second state", Expect{State: "slow", AlsoStates: []string{"progressing"}}, report("progressing", "null", ""), ""},
		{"other cause", Expect{State: "stalled", Cause: "a"}, report("stalled", `{"cause":"b"}`, ""), "cause b, want a"},
		{"no cause", Expect{State: "stalled", Cause: "a"}, report("stalled", "null", ""), "cause none, want a"},
		{"cause on a healthy one", Expect{State: "healthy"}, report("healthy", `{"cause":"b"}`, ""), "cause b, want none"},
		{"allowed cause on a slow one", Expect{State: "slow", AlsoAllowed: []string{"b"}}, report("slow", `{"cause":"b"}`, ""), ""},
		{"less precise", Expect{State: "stalled", Cause: "a", Acceptable: []string{"b"}}, report("stalled", `{"cause":"b"}`, ""), ""},
		{"allowed is not acceptable", Expect{State: "stalled", Cause: "a", AlsoAllowed: []string{"b"}}, report("stalled", `{"cause":"b"}`, ""), "cause b, want a"},
		{"rival named", Expect{State: "stalled", Cause: "a", Rivals: []string{"b"}}, report("stalled", `{"cause":"a","rivals":[{"cause":"b"}]}`, ""), ""},
		{"rival forgotten", Expect{State: "stalled", Cause: "a", Rivals: []string{"b"}}, report("stalled", `{"cause":"a"}`, ""), "rival b is not named"},
		{"rival is primary", Expect{State: "stalled", Cause: "a", Acceptable: []string{"b"}, Rivals: []string{"b"}}, report("stalled", `{"cause":"b"}`, ""), "rival a is not named"},
		{"extra", Expect{State: "stalled", Cause: "a"}, report("stalled", `{"cause":"a"}`, `,"contributing":[{"cause":"c"}]`), "extra finding c"},
		{"extra allowed", Expect{State: "stalled", Cause: "a", AlsoAllowed: []string{"c"}}, report("stalled", `{"cause":"a"}`, `,"contributing":[{"cause":"c"}]`), ""},
		{"contributing missing", Expect{State: "stalled", Cause: "a", Contributing: []string{"c"}}, report("stalled", `{"cause":"a"}`, ""), "contributing c is missing"},
		{"no verdict", Expect{State: "healthy"}, `{"verdicts":[]}`, "no verdict on deployment/web"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tc.expect.Workload = "deployment/web"
			r, err := ParseReport([]byte(tc.report))
			if err != nil {
				t.Fatal(err)
			}
			got := strings.Join(Scenario{Name: "s", Expect: tc.expect}.Judge(r), "; ")
			if tc.want == "" && got != "" || !strings.Contains(got, tc.want) {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
	if _, err := ParseReport([]byte("no connection")); err == nil {
		t.Error("text is taken for a report")
	}
}

func TestTable(t *testing.T) {
	var b strings.Builder
	passed, err := WriteTable(&b, []Result{
		{Scenario: Scenario{Name: "bad"}, Wrong: []string{"state x, want y"}},
		{Scenario: Scenario{Name: "good"}, State: "healthy"},
		{Scenario: Scenario{Name: "broken"}, Err: fmt.Errorf("two\nlines")},
	}, false)
	if err != nil || passed != 1 {
		t.Fatalf("passed %d, %v", passed, err)
	}
	out := b.String()
	if strings.Index(out, "good") > strings.Index(out, "bad") || !strings.Contains(out, "two; lines") || !strings.Contains(out, "1 of 3") {
		t.Errorf("got\n%s", out)
	}
	b.Reset()
	if passed, err = WriteTable(&b, []Result{
		{Scenario: Scenario{Name: "good"}, State: "healthy"},
		{Scenario: Scenario{Name: "late"}, State: "healthy", First: []string{"state progressing"}},
	}, true); err != nil || passed != 2 {
		t.Fatalf("brief: passed %d, %v", passed, err)
	}
	if out := b.String(); strings.Contains(out, "good") || !strings.Contains(out, "first: state progressing") || !strings.Contains(out, "2 of 2") {
		t.Errorf("brief: got\n%s", out)
	}
}
