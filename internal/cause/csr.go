package cause

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/unjam-dev/unjam/internal/facts"
)

// csrPatience is how long a kubelet's request for a certificate may lie before
// it is clear that nobody approves it; the approving controller takes seconds.
const csrPatience = 2 * time.Minute

// clientSigner signs the certificate by which a kubelet logs in (kubernetes
// staging/src/k8s.io/api/certificates/v1/types.go, KubeAPIServerClientKubeletSignerName).
const clientSigner = "kubernetes.io/kube-apiserver-client-kubelet"

// signingRequest is a kubelet's request for its client certificate that is not
// granted.
type signingRequest struct {
	name, state, message string
	made                 time.Time
}

// signingKey remembers the open requests of all nodes.
type signingKey struct{}

// signingRequests are the newest open requests for client certificates, by node.
func signingRequests(f *facts.Facts) map[string]signingRequest {
	return facts.Once(f, signingKey{}, func() map[string]signingRequest {
		newest := map[string]signingRequest{}
		for _, u := range f.Snap.Objects.Others {
			if u.GetKind() != "CertificateSigningRequest" {
				continue
			}
			signer, _, _ := unstructured.NestedString(u.Object, "spec", "signerName")
			node := requestingNode(u)
			if signer != clientSigner || node == "" {
				continue
			}
			r := signingRequest{name: u.GetName(), state: "Pending", made: u.GetCreationTimestamp().Time}
			list, _, _ := unstructured.NestedSlice(u.Object, "status", "conditions")
			for _, c := range list {
				m, _ := c.(map[string]any)
				if typ, _ := m["type"].(string); typ == "Approved" || typ == "Denied" || typ == "Failed" {
					r.state = typ
					r.message, _ = m["message"].(string)
				}
			}
			if old, ok := newest[node]; !ok || r.made.After(old.made) {
				newest[node] = r
			}
		}
		return newest
	})
}

// nodeUser is the name by which a kubelet logs in.
const nodeUser = "system:node:"

// requestingNode is the node for which a certificate is asked: the user itself
// when it renews, the subject of the request when it starts from a bootstrap
// token or is new.
func requestingNode(u *unstructured.Unstructured) string {
	user, _, _ := unstructured.NestedString(u.Object, "spec", "username")
	if node, ok := strings.CutPrefix(user, nodeUser); ok {
		return node
	}
	text, _, _ := unstructured.NestedString(u.Object, "spec", "request")
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return ""
	}
	block, _ := pem.Decode(raw)
	if block == nil {
		return ""
	}
	req, err := x509.ParseCertificateRequest(block.Bytes)
	if err != nil {
		return ""
	}
	node, ok := strings.CutPrefix(req.Subject.CommonName, nodeUser)
	if !ok {
		return ""
	}
	return node
}

// certificateTrouble sees a node that is silent while its kubelet asks in vain
// for the certificate it needs to speak.
func certificateTrouble(f *facts.Facts, n *corev1.Node) (nodeTrouble, bool) {
	ready := nodeCondition(n, corev1.NodeReady)
	if ready.Status != corev1.ConditionUnknown {
		return nodeTrouble{}, false
	}
	r, ok := signingRequests(f)[n.Name]
	if !ok || r.state == "Approved" || r.state == "Pending" && f.Now.Sub(r.made) < csrPatience || r.made.Before(ready.LastHeartbeatTime.Time.Add(-time.Hour)) {
		return nodeTrouble{}, false
	}
	word := map[string]string{"Pending": "nobody has approved it", "Denied": "it was denied", "Failed": "it could not be signed"}[r.state]
	t := nodeTrouble{code: "kubelet-cert-or-auth", confidence: Certain, hits: anyPod, since: ready.LastTransitionTime.Time,
		explains: append([]string{"node-notready-unknown"}, lostEffects...),
		summary:  fmt.Sprintf("node %s is silent because its kubelet has no certificate to log in with: it asked for one %s ago (%s) and %s", n.Name, age(f.Now.Sub(r.made)), r.name, word),
		proof: Evidence{Text: "the kubelet's request for a client certificate", Receipt: facts.Receipt{Kind: "CertificateSigningRequest", Name: r.name, Field: "status.conditions",
			Time: r.made, Text: strings.TrimSpace(r.state + " " + quote(r.message))}}}
	t.vars = map[string]string{"csr": r.name}
	return t, true
}

var playbookKubeletCert = Playbook{
	Means: "A kubelet logs in to the API server with a certificate that it renews by itself. This node's has run out or is not accepted, and the request for a new one is not granted, so the node can neither report nor be given work. Its pods may still run, unseen.",
	Verify: []Step{
		look("List the requests and their state.", "kubectl get csr --sort-by=.metadata.creationTimestamp"),
		look("Read what is asked for, and by whom, before you trust it.", "kubectl describe csr {csr}"),
		look("On the node, read the kubelet's words and its clock.", "journalctl -u kubelet --since=-10min | grep -i -e x509 -e unauthorized; date -u"),
	},
	Mend: []Step{
		{Text: "Approve the request, once you are sure that this node made it.", Command: "kubectl certificate approve {csr}", Undo: "delete the node's certificate under /var/lib/kubelet/pki and restart its kubelet; a certificate that was issued is valid until it ends", Approver: "platform team", When: []string{"csr"}},
		{Text: "Repair what approves such requests: the controller manager, or the cloud's approver.", Approver: "platform team"},
		{Text: "If the clock of the node is wrong, set it and restart the kubelet.", Approver: "node owner"},
	},
}
