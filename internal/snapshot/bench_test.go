package snapshot

import (
	"bytes"
	"encoding/json"
	"fmt"
	"testing"

	"sigs.k8s.io/yaml"
)

// podList is what `kubectl get pods -o json` prints for n pods of an ordinary
// shape, about 2.5 kB each.
func podList(n int) []byte {
	var b bytes.Buffer
	b.WriteString(`{"apiVersion":"v1","items":[`)
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"apiVersion":"v1","kind":"Pod","metadata":{"creationTimestamp":"2026-11-22T10:17:38Z","generateName":"web-7c67dfb6b4-","labels":{"app":"web","pod-template-hash":"7c67dfb6b4"},"name":"web-7c67dfb6b4-%05d","namespace":"ns-%d",
"ownerReferences":[{"apiVersion":"apps/v1","blockOwnerDeletion":true,"controller":true,"kind":"ReplicaSet","name":"web-7c67dfb6b4","uid":"4ebe7ad9-3aab-4485-9d9e-748ca883533d"}],"resourceVersion":"6166","uid":"6de2faa5-ca10-47b6-a7d7-%012d"},
"spec":{"containers":[{"image":"registry.lab:5001/shop/web:v1","imagePullPolicy":"IfNotPresent","name":"app","resources":{"requests":{"cpu":"100m","memory":"128Mi"}},"terminationMessagePath":"/dev/termination-log","terminationMessagePolicy":"File",
"env":[{"name":"LOG_LEVEL","value":"debug"}],"volumeMounts":[{"mountPath":"/var/run/secrets/kubernetes.io/serviceaccount","name":"kube-api-access-tmhfb","readOnly":true}]}],"dnsPolicy":"ClusterFirst","enableServiceLinks":true,"nodeName":"node1","preemptionPolicy":"PreemptLowerPriority","priority":0,"restartPolicy":"Always","schedulerName":"default-scheduler","securityContext":{},"serviceAccount":"default","serviceAccountName":"default","terminationGracePeriodSeconds":30,
"tolerations":[{"effect":"NoExecute","key":"node.kubernetes.io/not-ready","operator":"Exists","tolerationSeconds":300},{"effect":"NoExecute","key":"node.kubernetes.io/unreachable","operator":"Exists","tolerationSeconds":300}],
"volumes":[{"name":"kube-api-access-tmhfb","projected":{"defaultMode":420,"sources":[{"serviceAccountToken":{"expirationSeconds":3607,"path":"token"}},{"configMap":{"items":[{"key":"ca.crt","path":"ca.crt"}],"name":"kube-root-ca.crt"}}]}}]},
"status":{"conditions":[{"lastTransitionTime":"2026-11-22T10:17:40Z","status":"True","type":"PodReadyToStartContainers"},{"lastTransitionTime":"2026-11-22T10:17:38Z","message":"containers with unready status: [app]","reason":"ContainersNotReady","status":"False","type":"Ready"}],
"containerStatuses":[{"image":"registry.lab:5001/shop/web:v1","imageID":"","lastState":{},"name":"app","ready":false,"restartCount":0,"started":false,"state":{"waiting":{"message":"Back-off pulling image \"registry.lab:5001/shop/web:v1\"","reason":"ImagePullBackOff"}}}],"hostIP":"10.88.0.2","phase":"Pending","podIP":"10.244.0.7","qosClass":"Burstable","startTime":"2026-11-22T10:17:38Z"}}`, i, i%80, i)
	}
	b.WriteString(`],"kind":"List","metadata":{"resourceVersion":""}}`)
	return b.Bytes()
}

func benchDecode(b *testing.B, data []byte, pods int) {
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		s, err := Decode("pods", bytes.NewReader(data), Limits{})
		if err != nil || len(s.Objects.Pods) != pods {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecodeJSON10kPods(b *testing.B) { benchDecode(b, podList(10_000), 10_000) }

func BenchmarkDecodeYAML1kPods(b *testing.B) {
	data, err := yaml.JSONToYAML(podList(1000))
	if err != nil {
		b.Fatal(err)
	}
	benchDecode(b, data, 1000)
}

func BenchmarkDecodeBundle10kPods(b *testing.B) {
	s, err := Decode("pods", bytes.NewReader(podList(10_000)), Limits{})
	if err != nil {
		b.Fatal(err)
	}
	var bundle bytes.Buffer
	if err := Encode(&bundle, s, ""); err != nil {
		b.Fatal(err)
	}
	benchDecode(b, bundle.Bytes(), 10_000)
}

func BenchmarkEncode10kPods(b *testing.B) {
	s, err := Decode("pods", bytes.NewReader(podList(10_000)), Limits{})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		var bundle bytes.Buffer
		if err := Encode(&bundle, s, ""); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRedact(b *testing.B) {
	msg := `Failed to pull image "registry.lab:5001/shop/web:v1": failed to authorize: failed to fetch oauth token: unexpected status from GET request to http://registry.lab:5008/token?scope=repository%3Aprivate%2Fweb%3Apull&service=lab: 401 Unauthorized`
	b.ReportAllocs()
	for b.Loop() {
		Redact(msg)
	}
}

func TestPodListIsJSON(t *testing.T) {
	if !json.Valid(podList(2)) {
		t.Fatal("the benchmark's input is not JSON")
	}
}
