package facts

import (
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// Pods are found by their owner however their references repeat, mix or lack UIDs.
func TestPodsByOwner(t *testing.T) {
	yes := true
	ref := func(name, uid string) []metav1.OwnerReference {
		return []metav1.OwnerReference{{Kind: "ReplicaSet", Name: name, UID: types.UID(uid), Controller: &yes}}
	}
	one := ref("a", "1")
	for name, c := range map[string]struct {
		refs       [][]metav1.OwnerReference
		byUID, byN string // pods found of UID 1, and of the name "a" under a UID that is not there
	}{
		"shared":             {[][]metav1.OwnerReference{one, one, one}, "[0 1 2]", "[0 1 2]"},
		"parted":             {[][]metav1.OwnerReference{one, nil, ref("b", "2"), one}, "[0 3]", "[0 3]"},
		"one name, two UIDs": {[][]metav1.OwnerReference{ref("a", "1"), ref("a", "2"), one}, "[0 2]", "[0 1 2]"},
		"one UID, two names": {[][]metav1.OwnerReference{ref("b", "1"), ref("a", "1")}, "[0 1]", "[1]"},
		"no UID":             {[][]metav1.OwnerReference{ref("a", ""), ref("b", ""), ref("a", "")}, "[0 2]", "[0 2]"},
		"not the controller": {[][]metav1.OwnerReference{{{Kind: "ReplicaSet", Name: "a", UID: "1"}}, one}, "[1]", "[1]"},
	} {
		t.Run(name, func(t *testing.T) {
			var pods []*Pod
			for i, r := range c.refs {
				pods = append(pods, &Pod{Obj: &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprint(i), Namespace: "shop", OwnerReferences: r}}})
			}
			find := podsByOwner(pods)
			for uid, want := range map[string]string{"1": c.byUID, "9": c.byN} {
				names := []string{}
				for _, p := range find("ReplicaSet", &metav1.ObjectMeta{Namespace: "shop", Name: "a", UID: types.UID(uid)}) {
					names = append(names, p.Name())
				}
				if got := fmt.Sprint(names); got != want {
					t.Errorf("UID %s: %s, want %s", uid, got, want)
				}
			}
		})
	}
}
