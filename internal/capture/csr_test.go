package capture

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// TestSigningRequests reads requests for certificates only while a node is
// silent, and names the right that is missing.
func TestSigningRequests(t *testing.T) {
	const path = "/apis/certificates.k8s.io/v1/certificatesigningrequests"
	s := newServer(t)
	n := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "n1"}, Status: corev1.NodeStatus{Conditions: []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue}}}}
	s.add("nodes", n)
	s.text[path] = `{"kind":"CertificateSigningRequestList","apiVersion":"certificates.k8s.io/v1","metadata":{},"items":[{"apiVersion":"certificates.k8s.io/v1","kind":"CertificateSigningRequest","metadata":{"name":"csr-1"},"spec":{"username":"system:node:n1"}}]}`
	if take(t, s, Options{}); len(s.requests("certificatesigningrequests")) != 0 {
		t.Error("asked though every node reports")
	}
	n.Status.Conditions[0].Status = corev1.ConditionUnknown
	snap, _ := take(t, s, Options{})
	if len(snap.Objects.Others) != 1 || snap.Objects.Others[0].GetName() != "csr-1" {
		t.Errorf("others = %v", snap.Objects.Others)
	}
	s.fail[path] = 403
	snap, _ = take(t, s, Options{})
	if g, ok := snap.GapFor("certificatesigningrequests", ""); !ok || g.Settle == "" {
		t.Errorf("gap = %+v", g)
	}
}
