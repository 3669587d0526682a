package fit

import (
	"cmp"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/component-helpers/scheduling/corev1/nodeaffinity"
)

// noProvisioner is the provisioner of classes whose volumes people make.
const noProvisioner = "kubernetes.io/no-provisioner"

// selectedNode is where the scheduler already asked for a volume.
const selectedNode = "volume.kubernetes.io/selected-node"

// bindable looks for volumes on the node for the claims that are bound when the
// pod is placed: one that is there, or one that can be made
// (pkg/scheduler/framework/plugins/volumebinding/binder.go, FindPodVolumes).
func (t *trial) bindable(node *corev1.Node) (Failure, bool) {
	var match, provision []podVolume
	for _, v := range t.volumes {
		if bound(v.claim) || !t.c.delayed(v.claim) {
			continue
		}
		at, asked := v.claim.Annotations[selectedNode]
		switch {
		case asked && at != node.Name:
			return Failure{Check: NoPV, Object: v.claim.Name, Detail: fmt.Sprintf("the volume of claim %s is being made on %s", v.claim.Name, at)}, false
		case asked:
			provision = append(provision, v)
		default:
			match = append(match, v)
		}
	}
	// The smallest claim first takes the smallest volume.
	slices.SortStableFunc(match, func(a, b podVolume) int { return cmp.Compare(claimSize(a.claim), claimSize(b.claim)) })
	taken := map[string]bool{}
	for _, v := range match {
		if pv := t.c.matchVolume(v.claim, node, taken); pv != nil {
			taken[pv.Name] = true
		} else {
			provision = append(provision, v)
		}
	}
	for _, v := range provision {
		switch {
		case v.class.Provisioner == "", v.class.Provisioner == noProvisioner:
			if !t.c.seen("persistentvolumes", "") {
				continue
			}
			return Failure{Check: NoPV, Object: v.claim.Name, Detail: fmt.Sprintf("no free volume of class %s for claim %s", v.class.Name, v.claim.Name)}, false
		case !allowedTopology(v.class.AllowedTopologies, node):
			return Failure{Check: NoPV, Object: v.claim.Name, Detail: fmt.Sprintf("class %s of claim %s makes no volumes there", v.class.Name, v.claim.Name)}, false
		case !t.c.capacityFor(v, node):
			return Failure{Check: StorageCapacity, Object: v.claim.Name, Detail: fmt.Sprintf("the storage pool has no room for claim %s", v.claim.Name)}, false
		}
	}
	return Failure{}, true
}

func claimSize(c *corev1.PersistentVolumeClaim) int64 {
	q := c.Spec.Resources.Requests[corev1.ResourceStorage]
	return q.Value()
}

// matchVolume is the smallest free volume that the claim could take on the node
// (k8s.io/component-helpers/storage/volume, FindMatchingVolume).
func (c *Cluster) matchVolume(claim *corev1.PersistentVolumeClaim, node *corev1.Node, taken map[string]bool) *corev1.PersistentVolume {
	sel := labels.Everything()
	if claim.Spec.Selector != nil {
		s, err := metav1.LabelSelectorAsSelector(claim.Spec.Selector)
		if err != nil {
			return nil
		}
		sel = s
	}
	var best *corev1.PersistentVolume
	size := int64(0)
	for _, pv := range c.byClass[className(claim)] {
		capacity := pv.Spec.Capacity[corev1.ResourceStorage]
		if taken[pv.Name] || pv.DeletionTimestamp != nil || capacity.Value() < claimSize(claim) || mode(pv.Spec.VolumeMode) != mode(claim.Spec.VolumeMode) ||
			attributes(pv.Spec.VolumeAttributesClassName) != attributes(claim.Spec.VolumeAttributesClassName) {
			continue
		}
		here := true
		if a := pv.Spec.NodeAffinity; a != nil && a.Required != nil {
			ok, err := nodeaffinity.NewLazyErrorNodeSelector(a.Required).Match(node)
			here = ok && err == nil
		}
		if ref := pv.Spec.ClaimRef; ref != nil {
			if ref.Name != claim.Name || ref.Namespace != claim.Namespace || ref.UID != "" && ref.UID != claim.UID {
				continue
			}
			if !here {
				return nil // this volume is the claim's, and it is elsewhere
			}
			return pv
		}
		if !here || pv.Status.Phase != corev1.VolumeAvailable || !sel.Matches(labels.Set(pv.Labels)) ||
			slices.ContainsFunc(claim.Spec.AccessModes, func(m corev1.PersistentVolumeAccessMode) bool {
				return !slices.Contains(pv.Spec.AccessModes, m)
			}) {
			continue
		}
		if best == nil || capacity.Value() < size {
			best, size = pv, capacity.Value()
		}
	}
	return best
}

func mode(m *corev1.PersistentVolumeMode) corev1.PersistentVolumeMode {
	if m == nil {
		return corev1.PersistentVolumeFilesystem
	}
	return *m
}

func attributes(name *string) string {
	if name == nil {
		return ""
	}
	return *name
}

func allowedTopology(terms []corev1.TopologySelectorTerm, node *corev1.Node) bool {
	return len(terms) == 0 || slices.ContainsFunc(terms, func(t corev1.TopologySelectorTerm) bool {
		return len(t.MatchLabelExpressions) > 0 && !slices.ContainsFunc(t.MatchLabelExpressions, func(r corev1.TopologySelectorLabelRequirement) bool {
			v, ok := node.Labels[r.Key]
			return !ok || !slices.Contains(r.Values, v)
		})
	})
}

// capacityFor is false when the driver publishes how much room its pools have,
// and none that the node can reach has enough.
func (c *Cluster) capacityFor(v podVolume, node *corev1.Node) bool {
	i := slices.IndexFunc(c.opt.CSIDrivers, func(d *storagev1.CSIDriver) bool { return d.Name == v.class.Provisioner })
	if i < 0 || c.opt.CSIDrivers[i].Spec.StorageCapacity == nil || !*c.opt.CSIDrivers[i].Spec.StorageCapacity || claimSize(v.claim) == 0 {
		return true
	}
	return slices.ContainsFunc(c.opt.Capacities, func(x *storagev1.CSIStorageCapacity) bool {
		limit := x.Capacity
		if x.MaximumVolumeSize != nil {
			limit = x.MaximumVolumeSize
		}
		if x.StorageClassName != v.class.Name || limit == nil || limit.Value() < claimSize(v.claim) || x.NodeTopology == nil {
			return false
		}
		sel, err := metav1.LabelSelectorAsSelector(x.NodeTopology)
		return err == nil && sel.Matches(labels.Set(node.Labels))
	})
}
