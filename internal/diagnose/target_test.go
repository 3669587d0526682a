package diagnose

import (
	"errors"
	"strings"
	"testing"

	"github.com/unjam-dev/unjam/internal/cause"
	"github.com/unjam-dev/unjam/internal/snapshot"
)

func TestParseTargets(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string // "" for an error
	}{
		{nil, "[]"}, {[]string{"deploy/web"}, "[deployment/web]"}, {[]string{"deploy", "web", "api"}, "[deployment/web deployment/api]"},
		{[]string{"deployments.apps/web", "sts/db"}, "[deployment/web statefulset/db]"}, {[]string{"web"}, "[web]"}, {[]string{"web", "api"}, "[web api]"},
		{[]string{"PODS/web-1"}, "[pod/web-1]"},
		{[]string{"deploy", "sts/db"}, ""}, {[]string{"deploy/"}, ""}, {[]string{"service/web"}, ""},
	} {
		targets, err := ParseTargets(c.args)
		var names []string
		for _, target := range targets {
			names = append(names, target.String())
		}
		if got := "[" + strings.Join(names, " ") + "]"; (err != nil) != (c.want == "") || err == nil && got != c.want {
			t.Errorf("%q: %s, %v; want %s", c.args, got, err, c.want)
		}
	}
}

const twoWorkloads = `apiVersion: v1
kind: List
items:
- {apiVersion: apps/v1, kind: Deployment, metadata: {name: web, namespace: shop, uid: d}, spec: {replicas: 1, selector: {matchLabels: {app: web}}}}
- {apiVersion: apps/v1, kind: ReplicaSet, metadata: {name: web-7d9, namespace: shop, uid: r, ownerReferences: [{apiVersion: apps/v1, kind: Deployment, name: web, uid: d, controller: true}]}, spec: {replicas: 1}}
- {apiVersion: v1, kind: Pod, metadata: {name: web-7d9-abcde, namespace: shop, uid: p, ownerReferences: [{apiVersion: apps/v1, kind: ReplicaSet, name: web-7d9, uid: r, controller: true}]}, status: {phase: Pending}}
- {apiVersion: apps/v1, kind: StatefulSet, metadata: {name: web, namespace: bi, uid: s}, spec: {replicas: 1}}
`

func TestTargets(t *testing.T) {
	snap, err := snapshot.Decode("text", strings.NewReader(twoWorkloads), snapshot.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		namespace, target string
		want              string // workloads, or the beginning of the error
	}{
		{"", "deploy/web", "Deployment/web"}, {"", "rs/web-7d9", "Deployment/web"}, {"", "pod/web-7d9-abcde", "Deployment/web"},
		{"bi", "web", "StatefulSet/web"}, {"", "web", "StatefulSet/web Deployment/web"},
		{"shop", "deploy/wbe", `deployment/wbe was not found in namespace "shop"; did you mean deployment/web?`},
		{"", "deploy/zzzzzzzz", "deployment/zzzzzzzz was not found in any namespace; list what is there with: kubectl get deploy,sts,ds,job -A"},
		{"bi", "deploy/zzzzzzzz", `deployment/zzzzzzzz was not found in namespace "bi"; list what is there with: kubectl get deploy,sts,ds,job -n bi`},
	} {
		targets, err := ParseTargets([]string{c.target})
		if err != nil {
			t.Fatal(err)
		}
		r, err := Judge(cause.BuiltIn, snap, Scope{Namespace: c.namespace, Targets: targets})
		if err != nil {
			var missing *NotFoundError
			if !errors.As(err, &missing) || err.Error() != c.want {
				t.Errorf("%s in %q: %v, want %s", c.target, c.namespace, err, c.want)
			}
			continue
		}
		var got []string
		for _, v := range r.Verdicts {
			got = append(got, v.Workload.Kind+"/"+v.Workload.Name)
		}
		for _, name := range strings.Fields(c.want) {
			if len(got) != len(strings.Fields(c.want)) || !strings.Contains(strings.Join(got, " "), name) {
				t.Errorf("%s in %q: %v, want %s", c.target, c.namespace, got, c.want)
			}
		}
	}
}

func TestTargetOfUnreadKind(t *testing.T) {
	snap := &snapshot.Snapshot{Gaps: []snapshot.Gap{{Resource: "deployments", Namespace: "shop", Reason: snapshot.GapForbidden, Detail: "no list"}}}
	_, err := Judge(cause.BuiltIn, snap, Scope{Namespace: "shop", Targets: []Target{{Kind: "Deployment", Name: "web"}}})
	if err == nil || !strings.Contains(err.Error(), "deployments could not be read") {
		t.Errorf("error %v, want one that names the gap", err)
	}
}

func TestDistance(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"web", "web", 0}, {"web", "wbe", 2}, {"", "abc", 3}, {"kitten", "sitting", 3}, {strings.Repeat("a", 254), "a", 253}} {
		if got := closeness(c.a, c.b); got != c.want {
			t.Errorf("closeness(%q, %q) = %d, want %d", c.a, c.b, got, c.want)
		}
	}
}
