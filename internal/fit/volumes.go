package fit

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/component-helpers/scheduling/corev1/nodeaffinity"
)

// podVolume is a claim of the pod with what it is bound to.
type podVolume struct {
	claim     *corev1.PersistentVolumeClaim
	pv        *corev1.PersistentVolume // nil when not bound or not seen
	class     *storagev1.StorageClass  // of an unbound claim; nil when not seen
	ephemeral bool
	holder    *corev1.Pod // another pod that uses a ReadWriteOncePod claim
}

func (c *Cluster) podVolumes(pod *corev1.Pod) []podVolume {
	var out []podVolume
	for i := range pod.Spec.Volumes {
		v := &pod.Spec.Volumes[i]
		name, ok := claimName(pod, v)
		if !ok {
			continue
		}
		if claim := c.pvcs[objectName{pod.Namespace, name}]; claim != nil {
			out = append(out, podVolume{claim: claim, pv: c.pvs[claim.Spec.VolumeName], class: c.classes[className(claim)], ephemeral: v.Ephemeral != nil})
		}
	}
	return out
}

// ClaimNames are the claims a pod mounts, those of generic ephemeral volumes
// under the name the controller gives them.
func ClaimNames(pod *corev1.Pod) []string {
	var out []string
	for i := range pod.Spec.Volumes {
		if name, ok := claimName(pod, &pod.Spec.Volumes[i]); ok {
			out = append(out, name)
		}
	}
	return out
}

func claimName(pod *corev1.Pod, v *corev1.Volume) (string, bool) {
	switch {
	case v.PersistentVolumeClaim != nil:
		return v.PersistentVolumeClaim.ClaimName, true
	case v.Ephemeral != nil:
		return pod.Name + "-" + v.Name, true
	}
	return "", false
}

// className is the storage class of a claim, by field or by the old annotation.
func className(claim *corev1.PersistentVolumeClaim) string {
	if name, ok := claim.Annotations[corev1.BetaStorageClassAnnotation]; ok {
		return name
	}
	if claim.Spec.StorageClassName != nil {
		return *claim.Spec.StorageClassName
	}
	return ""
}

// claimState is a failure that holds on every node, because a claim is not
// ready (volumebinding, PreFilter). Kinds that were not seen prove nothing.
func (t *trial) claimState() []Failure {
	c, pod := t.c, t.pod
	var late []Failure
	names := ClaimNames(pod)
	for _, name := range names {
		if c.pvcs[objectName{pod.Namespace, name}] == nil && c.seen("persistentvolumeclaims", pod.Namespace) {
			return []Failure{{Check: MissingPVC, Object: name, Detail: "claim " + name + " does not exist"}}
		}
	}
	for _, name := range names {
		claim := c.pvcs[objectName{pod.Namespace, name}]
		switch {
		case claim == nil: // not seen
		case claim.Status.Phase == corev1.ClaimLost:
			return []Failure{{Check: LostPVC, Object: name, Detail: fmt.Sprintf("claim %s has lost its volume %s", name, claim.Spec.VolumeName)}}
		case claim.DeletionTimestamp != nil:
			return []Failure{{Check: LostPVC, Object: name, Detail: "claim " + name + " is being deleted"}}
		case bound(claim):
			if c.pvs[claim.Spec.VolumeName] == nil && c.seen("persistentvolumes", "") {
				late = append(late, Failure{Check: LostPVC, Object: name, Detail: fmt.Sprintf("volume %s of claim %s does not exist", claim.Spec.VolumeName, name)})
			}
		case !c.delayed(claim):
			if c.seen("storageclasses", "") {
				late = append([]Failure{{Check: UnboundPVC, Object: name, Detail: "claim " + name + " is not bound"}}, late...)
			}
		}
	}
	return late[:min(len(late), 1)]
}

func bound(claim *corev1.PersistentVolumeClaim) bool {
	return claim.Spec.VolumeName != "" && (claim.Status.Phase == corev1.ClaimBound || metav1.HasAnnotation(claim.ObjectMeta, "pv.kubernetes.io/bind-completed"))
}

// delayed claims are bound when the pod is placed.
func (c *Cluster) delayed(claim *corev1.PersistentVolumeClaim) bool {
	class := c.classes[className(claim)]
	return claim.Spec.VolumeName == "" && class != nil && class.VolumeBindingMode != nil && *class.VolumeBindingMode == storagev1.VolumeBindingWaitForFirstConsumer
}

func (t *trial) volumeChecks(s *nodeState, node *corev1.Node) []Failure {
	if len(t.pod.Spec.Volumes) == 0 {
		return nil
	}
	var out []Failure
	if f, ok := t.diskConflict(s); ok {
		out = append(out, f)
	} else if i := slices.IndexFunc(t.volumes, func(v podVolume) bool { return v.holder != nil }); i >= 0 {
		v := t.volumes[i]
		out = append(out, Failure{Check: RWOP, Object: v.claim.Name, Holders: []*corev1.Pod{v.holder},
			Detail: fmt.Sprintf("claim %s is in use by %s/%s", v.claim.Name, v.holder.Namespace, v.holder.Name)})
	}
	if f, ok := t.volumeCount(s); ok {
		out = append(out, f)
	}
	for _, v := range t.volumes {
		if v.pv == nil || !bound(v.claim) || v.pv.Spec.NodeAffinity == nil || v.pv.Spec.NodeAffinity.Required == nil {
			continue
		}
		required := v.pv.Spec.NodeAffinity.Required
		if ok, err := nodeaffinity.NewLazyErrorNodeSelector(required).Match(node); !ok || err != nil {
			out = append(out, Failure{Check: VolumeNode, Object: v.claim.Name, Detail: fmt.Sprintf("volume %s of claim %s is bound to %s", v.pv.Name, v.claim.Name, where(required))})
			break
		}
	}
	if f, ok := t.bindable(node); !ok {
		out = append(out, f)
	}
	for _, v := range t.volumes {
		if v.pv == nil || v.ephemeral {
			continue
		}
		if zone, bad := wrongZone(v.pv, node); bad {
			out = append(out, Failure{Check: VolumeZone, Object: v.claim.Name, Detail: fmt.Sprintf("volume %s of claim %s is in zone %s", v.pv.Name, v.claim.Name, zone)})
			break
		}
	}
	return out
}

// where writes a volume's node affinity in a few words.
func where(s *corev1.NodeSelector) string {
	var parts []string
	for _, t := range s.NodeSelectorTerms {
		for _, r := range slices.Concat(t.MatchExpressions, t.MatchFields) {
			parts = append(parts, fmt.Sprintf("%s %s", r.Key, strings.Join(r.Values, " or ")))
		}
	}
	return strings.Join(parts, ", ")
}

var zoneLabels = []string{corev1.LabelFailureDomainBetaZone, corev1.LabelFailureDomainBetaRegion, corev1.LabelTopologyZone, corev1.LabelTopologyRegion}

// stable is the present name of an old zone label.
func stable(label string) string {
	switch label {
	case corev1.LabelFailureDomainBetaZone:
		return corev1.LabelTopologyZone
	case corev1.LabelFailureDomainBetaRegion:
		return corev1.LabelTopologyRegion
	}
	return label
}

// wrongZone reads the zone and region labels of volumes from before node
// affinity (pkg/scheduler/framework/plugins/volumezone). A node without any such
// label is in the only zone there is.
func wrongZone(pv *corev1.PersistentVolume, node *corev1.Node) (string, bool) {
	if !slices.ContainsFunc(zoneLabels, func(k string) bool { return hasLabel(node, k) }) {
		return "", false
	}
	for _, k := range zoneLabels {
		zones, ok := pv.Labels[k]
		if !ok {
			continue
		}
		have, known := node.Labels[k]
		if !known {
			have, known = node.Labels[stable(k)]
		}
		if !known || !slices.Contains(strings.Split(zones, "__"), have) {
			return zones, true
		}
	}
	return "", false
}

// rwopHolder is another pod that uses a ReadWriteOncePod claim.
func (t *trial) rwopHolder(v podVolume) *corev1.Pod {
	if v.ephemeral || !oncePod(v.claim) {
		return nil
	}
	return t.c.userOf(v.claim.Namespace, v.claim.Name, t.gone)
}

func oncePod(claim *corev1.PersistentVolumeClaim) bool {
	return slices.Contains(claim.Spec.AccessModes, corev1.ReadWriteOncePod)
}

func (c *Cluster) userOf(namespace, claim string, but map[*corev1.Pod]bool) *corev1.Pod {
	for _, s := range c.states {
		for _, p := range s.pods {
			if !but[p] && p.Namespace == namespace && slices.Contains(ClaimNames(p), claim) {
				return p
			}
		}
	}
	return nil
}

// diskConflict is a disk of an old kind that a pod of the node has for itself
// (pkg/scheduler/framework/plugins/volumerestrictions).
func (t *trial) diskConflict(s *nodeState) (Failure, bool) {
	for i := range t.pod.Spec.Volumes {
		v := &t.pod.Spec.Volumes[i]
		if v.GCEPersistentDisk == nil && v.AWSElasticBlockStore == nil && v.RBD == nil && v.ISCSI == nil {
			continue
		}
		for _, p := range s.pods {
			if t.gone[p] {
				continue
			}
			for j := range p.Spec.Volumes {
				if sameDisk(v, &p.Spec.Volumes[j]) {
					return Failure{Check: DiskConflict, Object: v.Name, Holders: []*corev1.Pod{p}, Detail: fmt.Sprintf("the disk of volume %s is in use by %s/%s", v.Name, p.Namespace, p.Name)}, true
				}
			}
		}
	}
	return Failure{}, false
}

// sameDisk is true when two volumes are one disk that may not be shared.
func sameDisk(a, b *corev1.Volume) bool {
	switch {
	case a.GCEPersistentDisk != nil && b.GCEPersistentDisk != nil:
		return a.GCEPersistentDisk.PDName == b.GCEPersistentDisk.PDName && !(a.GCEPersistentDisk.ReadOnly && b.GCEPersistentDisk.ReadOnly)
	case a.AWSElasticBlockStore != nil && b.AWSElasticBlockStore != nil:
		return a.AWSElasticBlockStore.VolumeID == b.AWSElasticBlockStore.VolumeID
	case a.ISCSI != nil && b.ISCSI != nil:
		return a.ISCSI.IQN == b.ISCSI.IQN && !(a.ISCSI.ReadOnly && b.ISCSI.ReadOnly)
	case a.RBD != nil && b.RBD != nil:
		return a.RBD.RBDPool == b.RBD.RBDPool && a.RBD.RBDImage == b.RBD.RBDImage && !(a.RBD.ReadOnly && b.RBD.ReadOnly) &&
			slices.ContainsFunc(a.RBD.CephMonitors, func(m string) bool { return slices.Contains(b.RBD.CephMonitors, m) })
	}
	return false
}
