package capture

import (
	"context"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"k8s.io/apimachinery/pkg/runtime"

	"github.com/unjam-dev/unjam/internal/snapshot"
)

// Bounds on the calls of a capture of all namespaces, where failures may be in
// hundreds of them.
const (
	maxNamed      = 4 // objects of one kind read whole, by name
	maxNamespaces = 6 // namespaces listed where a cluster-wide list is forbidden
)

// noHelm leaves out the release records of Helm, up to 1 MiB each, which no
// pod refers to.
const noHelm = "type!=helm.sh/release.v1"

// secrets reads Secrets only when a failure depends on some. In one namespace
// that is one list. Over all namespaces it is the names of all, as metadata,
// and the content of those few that must be judged; values are dropped as soon
// as they are decoded either way.
func (c *capture) secrets(ctx context.Context, n need) {
	c.named(ctx, snapshot.KindOfResource("secrets"), n, n.secretsExist, n.secrets, noHelm,
		func(m *metav1.PartialObjectMetadata) {
			o := &c.snap.Objects
			o.Secrets = append(o.Secrets, &snapshot.SecretShape{Namespace: m.Namespace, Name: m.Name, UID: string(m.UID), Version: m.ResourceVersion, Created: m.CreationTimestamp.UTC(), KeysUnknown: true})
		})
}

// configMaps does the same for ConfigMaps.
func (c *capture) configMaps(ctx context.Context, n need) {
	c.named(ctx, snapshot.KindOfResource("configmaps"), n, n.configMapsExist, n.configMaps, "",
		func(m *metav1.PartialObjectMetadata) {
			o := &c.snap.Objects
			o.ConfigMaps = append(o.ConfigMaps, &snapshot.ConfigMapShape{Namespace: m.Namespace, Name: m.Name, UID: string(m.UID), Version: m.ResourceVersion, Created: m.CreationTimestamp.UTC(), KeysUnknown: true})
		})
}

func (c *capture) named(ctx context.Context, k *snapshot.Kind, n need, exist bool, whole map[name]bool, selector string, add func(*metav1.PartialObjectMetadata)) {
	switch {
	case !exist:
		c.gap(snapshot.Gap{Resource: k.Resource, Reason: snapshot.GapNotNeeded, Detail: "nothing seen waits for one"})
	case c.opt.Namespace != "":
		c.list(ctx, k, c.opt.Namespace, selector)
	default:
		c.namedEverywhere(ctx, k, n, whole, selector, add)
	}
}

func (c *capture) namedEverywhere(ctx context.Context, k *snapshot.Kind, n need, whole map[name]bool, selector string, add func(*metav1.PartialObjectMetadata)) {
	if err := c.metadata(ctx, k, selector, add); err != nil {
		// A Role may allow in some namespaces what no ClusterRole allows in all.
		spaces := n.namespaces(whole)
		read := []string{}
		for _, ns := range spaces[:min(len(spaces), maxNamespaces)] {
			if c.pages(ctx, k, ns, selector) == nil {
				read = append(read, ns)
			}
		}
		g := gapOf(k, "list", "", "", err)
		g.Except = read
		c.gap(g)
		return
	}
	left := maxNamed
	found := map[name]bool{}
	if k.Resource == "secrets" && len(whole) > maxNamed {
		found = c.pullSecrets(ctx, k, whole)
	}
	for id := range sorted(whole) {
		if found[id] {
			continue
		}
		if left == 0 {
			c.gap(snapshot.Gap{Resource: k.Resource, Reason: snapshot.GapTruncated, Namespace: id.namespace, Name: id.name,
				Detail: fmt.Sprintf("only %d were read whole", maxNamed), Settle: "unjam why -n " + id.namespace})
			continue
		}
		left--
		c.whole(ctx, k, id)
	}
}

// pullSecrets reads one page of the cluster's pull secrets in one call, where
// many must be judged, and keeps the wanted ones. What it does not find has
// another type or is on a later page, and is left to be read by name.
func (c *capture) pullSecrets(ctx context.Context, k *snapshot.Kind, wanted map[name]bool) map[name]bool {
	ctx, cancel := context.WithTimeout(ctx, c.opt.ListTimeout)
	defer cancel()
	list := &corev1.SecretList{}
	opt := metav1.ListOptions{Limit: c.opt.PageSize, FieldSelector: "type=" + string(corev1.SecretTypeDockerConfigJson)}
	found := map[name]bool{}
	if c.client.page(ctx, k, "", opt, list) != nil {
		return found
	}
	list.Items = slices.DeleteFunc(list.Items, func(s corev1.Secret) bool { return !wanted[name{s.Namespace, s.Name}] })
	for i := range list.Items {
		found[name{list.Items[i].Namespace, list.Items[i].Name}] = true
	}
	k.Take(&c.snap.Objects, list) // Tidy keeps these copies, as they came later
	return found
}

// whole reads one object by name in place of its bare name.
func (c *capture) whole(ctx context.Context, k *snapshot.Kind, id name) {
	ctx, cancel := context.WithTimeout(ctx, c.opt.ListTimeout)
	defer cancel()
	var list runtime.Object
	var err error
	if k.Resource == "secrets" {
		s := &corev1.Secret{}
		err = c.client.get(ctx, k, id.namespace, id.name, s)
		list = &corev1.SecretList{Items: []corev1.Secret{*s}}
	} else {
		m := &corev1.ConfigMap{}
		err = c.client.get(ctx, k, id.namespace, id.name, m)
		list = &corev1.ConfigMapList{Items: []corev1.ConfigMap{*m}}
	}
	switch {
	case isNotFound(err): // the list of names says so too
	case err != nil:
		c.gap(gapOf(k, "get", id.namespace, id.name, err))
	default:
		k.Take(&c.snap.Objects, list) // Tidy keeps this copy, as it came later
	}
}

// metadata lists the names of all objects of a kind without their content.
func (c *capture) metadata(ctx context.Context, k *snapshot.Kind, selector string, add func(*metav1.PartialObjectMetadata)) error {
	ctx, cancel := context.WithTimeout(ctx, c.opt.ListTimeout)
	defer cancel()
	opt := metav1.ListOptions{Limit: c.opt.PageSize, FieldSelector: selector}
	for {
		list := &metav1.PartialObjectMetadataList{}
		if err := c.client.metadataPage(ctx, k, opt, list); err != nil {
			return err
		}
		for i := range list.Items {
			add(&list.Items[i])
		}
		if opt.Continue = list.Continue; opt.Continue == "" {
			c.mu.Lock()
			c.read++
			c.mu.Unlock()
			return nil
		}
	}
}
