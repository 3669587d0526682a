package capture

import (
	"context"
	"encoding/json"
	"errors"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/version"
)

// version is the first call: it opens the connection that the others share and
// tells a dead server or a refused login in one timeout instead of many. Any
// user may read /version; where a proxy forbids it, the version stays unknown.
func (c *capture) version(parent context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(parent, c.opt.ConnectTimeout)
	defer cancel()
	raw, err := c.client.raw(ctx, "/version", mimeJSON, nil)
	if err != nil {
		if parent.Err() != nil {
			return "", parent.Err()
		}
		var status apierrors.APIStatus
		if errors.As(err, &status) && !apierrors.IsUnauthorized(err) && status.Status().Code != 0 && status.Status().Code < 500 {
			return "", nil
		}
		return "", c.serverError(err)
	}
	var v version.Info
	if err := json.Unmarshal(raw, &v); err != nil || v.GitVersion == "" {
		return "", c.serverError(errors.New("the answer to /version does not come from a Kubernetes API server"))
	}
	return v.GitVersion, nil
}
