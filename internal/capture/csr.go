package capture

import (
	"context"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/unjam-dev/unjam/internal/snapshot"
)

// signingRequests reads requests for certificates, and only while some node is
// silent: its kubelet may be asking in vain for the one it logs in with.
func (c *capture) signingRequests(ctx context.Context) {
	silent := slices.ContainsFunc(c.snap.Objects.Nodes, func(n *corev1.Node) bool {
		return slices.ContainsFunc(n.Status.Conditions, func(c corev1.NodeCondition) bool {
			return c.Type == corev1.NodeReady && c.Status == corev1.ConditionUnknown
		})
	})
	if silent {
		c.listExtra(ctx, &snapshot.Kind{Group: "certificates.k8s.io", Versions: []string{"v1"}, Resource: "certificatesigningrequests"})
	}
}
