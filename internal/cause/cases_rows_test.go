package cause_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/unjam-dev/unjam/internal/cause"
	"github.com/unjam-dev/unjam/internal/snapshot/snaptest"
)

// csr adds a kubelet's request for a client certificate of node n1.
func csr(b *snaptest.Builder, user, request, state string, age time.Duration) {
	status := map[string]any{}
	if state != "" {
		status["conditions"] = []any{map[string]any{"type": state, "status": "True", "message": "not on the list"}}
	}
	b.Snap.Objects.Others = append(b.Snap.Objects.Others, &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "certificates.k8s.io/v1", "kind": "CertificateSigningRequest",
		"metadata": map[string]any{"name": "csr-7xk2p", "creationTimestamp": snaptest.Now.Add(-age).Format(time.RFC3339)},
		"spec":     map[string]any{"signerName": "kubernetes.io/kube-apiserver-client-kubelet", "username": user, "request": request},
		"status":   status}})
}

// signed is a request whose subject is the node, as one that starts from a
// bootstrap token makes it.
func signed(node string) string {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{Subject: pkix.Name{CommonName: "system:node:" + node, Organization: []string{"system:nodes"}}}, key)
	if err != nil {
		panic(err)
	}
	return base64.StdEncoding.EncodeToString(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der}))
}

// onlyRevision is a Deployment at a later revision without any former one.
func onlyRevision(b *snaptest.Builder, number string) *snaptest.Set {
	b.Node("n1")
	s := web(b)
	s.Deployment.Annotations["deployment.kubernetes.io/revision"] = number
	s.ReplicaSet.Annotations["deployment.kubernetes.io/revision"] = number
	return s
}

// helm marks the Deployment as part of a release that may miss a pod, with two
// of three pods Ready.
func helm(b *snaptest.Builder, unavailable int) *snaptest.Set {
	b.Node("n1")
	s := b.Deployment("web", "registry.example.com/shop/web:v1", 3)
	s.Deployment.Labels = map[string]string{"app.kubernetes.io/managed-by": "Helm"}
	s.Deployment.Annotations["meta.helm.sh/release-name"] = "shop"
	zero, u := intstr.FromInt32(1), intstr.FromInt(unavailable)
	s.Deployment.Spec.Strategy = appsv1.DeploymentStrategy{Type: appsv1.RollingUpdateDeploymentStrategyType, RollingUpdate: &appsv1.RollingUpdateDeployment{MaxSurge: &zero, MaxUnavailable: &u}}
	s.Pod("n1").Ready()
	s.Pod("n1").Ready()
	s.Pod("n1").Running()
	s.Deployment.Status.ReadyReplicas, s.Deployment.Status.AvailableReplicas, s.Deployment.Status.UnavailableReplicas = 2, 2, 1
	return s
}

var rowCases = []testCase{
	{code: "kubelet-cert-or-auth", name: "renewal not approved", confidence: cause.Certain, build: func(b *snaptest.Builder) {
		wasReady(onNode(b, lostNode))
		csr(b, "system:node:n1", "", "", 9*time.Minute)
	}},
	{code: "kubelet-cert-or-auth", name: "bootstrap request denied", build: func(b *snaptest.Builder) {
		wasReady(onNode(b, lostNode))
		csr(b, "system:bootstrap:abcdef", signed("n1"), "Denied", 9*time.Minute)
	}},
	{code: "kubelet-cert-or-auth", name: "approved, the node is silent for another reason", near: true, want: []string{"node-notready-unknown"}, build: func(b *snaptest.Builder) {
		wasReady(onNode(b, lostNode))
		csr(b, "system:node:n1", "", "Approved", 9*time.Minute)
	}},
	{code: "kubelet-cert-or-auth", name: "another node's request", near: true, want: []string{"node-notready-unknown"}, build: func(b *snaptest.Builder) {
		wasReady(onNode(b, lostNode))
		csr(b, "system:node:n2", "", "", 9*time.Minute)
	}},
	{code: "kubelet-cert-or-auth", name: "made just now", near: true, want: []string{"node-notready-unknown"}, build: func(b *snaptest.Builder) {
		wasReady(onNode(b, lostNode))
		csr(b, "system:node:n1", "", "", 20*time.Second)
	}},
	{code: "kubelet-cert-or-auth", name: "node reports", near: true, build: func(b *snaptest.Builder) {
		b.Node("n1")
		s := web(b)
		s.Pod("n1").Ready()
		s.Healthy()
		csr(b, "system:node:n1", "", "", 9*time.Minute)
	}},

	{code: "rollback-impossible", name: "no history kept", want: []string{"crashloop-app-error", "rollback-impossible"}, confidence: cause.Certain, build: func(b *snaptest.Builder) {
		s := onlyRevision(b, "5")
		none := int32(0)
		s.Deployment.Spec.RevisionHistoryLimit = &none
		logOf(b, s.Pod("n1").Crashes(1, "Error", 5), "app", "fatal: bye")
	}},
	{code: "rollback-impossible", name: "first revision", near: true, want: []string{"crashloop-app-error"}, build: func(b *snaptest.Builder) {
		logOf(b, onlyRevision(b, "1").Pod("n1").Crashes(1, "Error", 5), "app", "fatal: bye")
	}},
	{code: "rollback-impossible", name: "a former revision is there", near: true, want: []string{"crashloop-app-error"}, build: func(b *snaptest.Builder) {
		s := onlyRevision(b, "2")
		s.Old("registry.example.com/shop/web:v0", "n1", 1)
		logOf(b, s.Pod("n1").Crashes(1, "Error", 5), "app", "fatal: bye")
	}},
	{code: "rollback-impossible", name: "ReplicaSets not read", near: true, want: []string{"crashloop-app-error"}, build: func(b *snaptest.Builder) {
		logOf(b, onlyRevision(b, "5").Pod("n1").Crashes(1, "Error", 5), "app", "fatal: bye")
		unread("replicasets")(b)
	}},
	{code: "rollback-impossible", name: "all is well", near: true, build: func(b *snaptest.Builder) {
		s := onlyRevision(b, "5")
		s.Pod("n1").Ready()
		s.Healthy()
	}},

	{code: "tool-disagreement", name: "helm 3 is content with two of three", build: func(b *snaptest.Builder) { helm(b, 1) }},
	{code: "tool-disagreement", name: "release with OnDelete", want: []string{"statefulset-ondelete", "tool-disagreement"}, build: func(b *snaptest.Builder) {
		s, _ := set(b, 3, 2)
		s.Spec.UpdateStrategy = appsv1.StatefulSetUpdateStrategy{Type: appsv1.OnDeleteStatefulSetStrategyType}
		s.Labels, s.Annotations = map[string]string{"app.kubernetes.io/managed-by": "Helm"}, map[string]string{"meta.helm.sh/release-name": "shop"}
	}},
	{code: "tool-disagreement", name: "every pod must be there", near: true, build: func(b *snaptest.Builder) { helm(b, 0) }},
	{code: "tool-disagreement", name: "nobody's release", near: true, build: func(b *snaptest.Builder) { helm(b, 1).Deployment.Labels = nil }},
	{code: "tool-disagreement", name: "under way", near: true, build: func(b *snaptest.Builder) {
		s := helm(b, 1)
		s.Deployment.CreationTimestamp, s.ReplicaSet.CreationTimestamp = snaptest.Ago(time.Minute), metav1.NewTime(snaptest.Now.Add(-time.Minute))
	}},
}
