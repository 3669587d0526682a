package capture

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	apidiscovery "k8s.io/api/apidiscovery/v2"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/unjam-dev/unjam/internal/snapshot"
)

// extra is a kind of another project, read untyped where the server has it.
type extra struct {
	group, version, resource string
	namespaced               bool
}

// extraKinds are the custom resources that causes know about.
var extraKinds = []extra{
	{"argoproj.io", "v1alpha1", "rollouts", true},
	{"argoproj.io", "v1alpha1", "analysisruns", true},
	{"karpenter.sh", "v1", "nodeclaims", false},
	{"karpenter.sh", "v1", "nodepools", false},
}

// aggregated asks for all groups, versions and resources in one answer, which
// servers give since 1.27 (KEP-3352); older ones answer with the groups alone.
const aggregated = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json"

// extras reads the custom resources that the server serves: one discovery
// call, and one list for each kind it knows.
func (c *capture) extras(ctx context.Context) {
	served, err := c.served(ctx)
	for _, x := range extraKinds {
		k := &snapshot.Kind{Group: x.group, Versions: []string{x.version}, Resource: x.resource, Namespaced: x.namespaced}
		if err != nil {
			c.gap(gapOf(k, "list", "", "", fmt.Errorf("discovery: %w", err)))
			continue
		}
		if served(x) {
			c.listExtra(ctx, k)
		}
	}
}

func (c *capture) served(ctx context.Context) (func(extra) bool, error) {
	ctx, cancel := context.WithTimeout(ctx, c.opt.ListTimeout)
	defer cancel()
	raw, err := c.client.raw(ctx, "/apis", aggregated, nil)
	if err != nil {
		return nil, err
	}
	var doc struct {
		Items  []apidiscovery.APIGroupDiscovery `json:"items"`
		Groups []metav1.APIGroup                `json:"groups"`
	}
	if err := json.Unmarshal(raw, &doc); err != nil {
		return nil, err
	}
	return func(x extra) bool {
		if slices.ContainsFunc(doc.Groups, func(g metav1.APIGroup) bool {
			return g.Name == x.group && slices.ContainsFunc(g.Versions, func(v metav1.GroupVersionForDiscovery) bool { return v.Version == x.version })
		}) {
			return true
		}
		return slices.ContainsFunc(doc.Items, func(g apidiscovery.APIGroupDiscovery) bool {
			return g.Name == x.group && slices.ContainsFunc(g.Versions, func(v apidiscovery.APIVersionDiscovery) bool {
				return v.Version == x.version && slices.ContainsFunc(v.Resources, func(r apidiscovery.APIResourceDiscovery) bool { return r.Resource == x.resource })
			})
		})
	}, nil
}

func (c *capture) listExtra(ctx context.Context, k *snapshot.Kind) {
	ctx, cancel := context.WithTimeout(ctx, c.opt.ListTimeout)
	defer cancel()
	namespace := c.scope(k)
	path := "/apis/" + k.Group + "/" + k.Versions[0]
	if namespace != "" {
		path += "/namespaces/" + namespace
	}
	params := map[string]string{"limit": strconv.FormatInt(c.opt.PageSize, 10)}
	for {
		list := &unstructured.UnstructuredList{}
		raw, err := c.client.raw(ctx, path+"/"+k.Resource, mimeJSON, params)
		if err == nil {
			err = list.UnmarshalJSON(raw)
		}
		if err != nil {
			// The group without this resource is an old server's way to say no.
			if !isNotFound(err) {
				c.gap(gapOf(k, "list", namespace, "", err))
			}
			return
		}
		c.mu.Lock()
		for i := range list.Items {
			c.snap.Objects.AddOther(&list.Items[i])
		}
		c.mu.Unlock()
		next := list.GetContinue()
		if next == "" || next == params["continue"] {
			return
		}
		params["continue"] = next
	}
}
