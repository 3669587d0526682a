package fit

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/component-helpers/scheduling/corev1/nodeaffinity"
)

// podVolume is a claim of the pod with the volume bound to it.
type podVolume struct {
	claim  *corev1.PersistentVolumeClaim
	pv     *corev1.PersistentVolume // nil when not bound or not seen
	holder *corev1.Pod              // another pod that uses a ReadWriteOncePod claim
}

func (c *Cluster) podVolumes(pod *corev1.Pod) []podVolume {
	var out []podVolume
	for _, name := range ClaimNames(pod) {
		if claim := c.pvcs[objectName{pod.Namespace, name}]; claim != nil {
			out = append(out, podVolume{claim: claim, pv: c.pvs[claim.Spec.VolumeName]})
		}
	}
	return out
}

// ClaimNames are the claims a pod mounts, those of generic ephemeral volumes
// under the name the controller gives them.
func ClaimNames(pod *corev1.Pod) []string {
	var out []string
	for _, v := range pod.Spec.Volumes {
		switch {
		case v.PersistentVolumeClaim != nil:
			out = append(out, v.PersistentVolumeClaim.ClaimName)
		case v.Ephemeral != nil:
			out = append(out, pod.Name+"-"+v.Name)
		}
	}
	return out
}

func (t *trial) volumeChecks(s *nodeState, node *corev1.Node) []Failure {
	var out []Failure
	for _, v := range t.volumes {
		if p := v.holder; p != nil {
			out = append(out, Failure{Check: RWOP, Object: v.claim.Name, Holders: []*corev1.Pod{p},
				Detail: fmt.Sprintf("claim %s is in use by %s/%s", v.claim.Name, p.Namespace, p.Name)})
			break
		}
	}
	if f, ok := t.volumeCount(s); ok {
		out = append(out, f)
	}
	for _, v := range t.volumes {
		if v.pv == nil {
			continue
		}
		if a := v.pv.Spec.NodeAffinity; a != nil && a.Required != nil {
			if ok, err := nodeaffinity.NewLazyErrorNodeSelector(a.Required).Match(node); !ok || err != nil {
				out = append(out, Failure{Check: VolumeNode, Object: v.claim.Name, Detail: fmt.Sprintf("volume %s of claim %s is bound to %s", v.pv.Name, v.claim.Name, where(a.Required))})
				break
			}
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
		for _, r := range append(t.MatchExpressions, t.MatchFields...) {
			parts = append(parts, fmt.Sprintf("%s %s", r.Key, strings.Join(r.Values, " or ")))
		}
	}
	return strings.Join(parts, ", ")
}

// wrongZone reads the zone labels of volumes from before node affinity
// (pkg/scheduler/framework/plugins/volumezone).
func wrongZone(pv *corev1.PersistentVolume, node *corev1.Node) (string, bool) {
	for _, k := range []string{corev1.LabelTopologyZone, corev1.LabelFailureDomainBetaZone} {
		zone, ok := pv.Labels[k]
		have, known := node.Labels[k]
		if !ok || !known {
			continue
		}
		match := false
		for z := range strings.SplitSeq(zone, "__") {
			match = match || z == have
		}
		if !match {
			return zone, true
		}
	}
	return "", false
}

// rwopHolder is another pod that uses a ReadWriteOncePod claim.
func (t *trial) rwopHolder(claim *corev1.PersistentVolumeClaim) *corev1.Pod {
	only := false
	for _, m := range claim.Spec.AccessModes {
		only = only || m == corev1.ReadWriteOncePod
	}
	if !only {
		return nil
	}
	return t.c.userOf(claim.Namespace, claim.Name, t.gone)
}

func (c *Cluster) userOf(namespace, claim string, but map[*corev1.Pod]bool) *corev1.Pod {
	for _, s := range c.states {
		for _, p := range s.pods {
			if but[p] || p.Namespace != namespace {
				continue
			}
			for _, name := range ClaimNames(p) {
				if name == claim {
					return p
				}
			}
		}
	}
	return nil
}

// volumeCount compares the CSI volumes on a node with the driver's limit
// (CSINode.spec.drivers[].allocatable.count). Volumes the pod shares with pods
// already there cost nothing.
func (t *trial) volumeCount(s *nodeState) (Failure, bool) {
	csi := t.c.csi[s.node.Name]
	if csi == nil || len(t.volumes) == 0 {
		return Failure{}, false
	}
	for _, d := range csi.Spec.Drivers {
		if d.Allocatable == nil || d.Allocatable.Count == nil {
			continue
		}
		used, added := map[string]bool{}, 0
		for _, p := range t.podsOn(s) {
			for _, v := range t.c.podVolumes(p) {
				if h := handle(v.pv, d.Name); h != "" {
					used[h] = true
				}
			}
		}
		for _, v := range t.volumes {
			if h := handle(v.pv, d.Name); h != "" && !used[h] {
				added++
			}
		}
		if limit := int(*d.Allocatable.Count); added > 0 && len(used)+added > limit {
			return Failure{Check: VolumeCount, Object: d.Name, Need: int64(added), Free: int64(max(limit-len(used), 0)), Total: int64(limit),
				Detail: fmt.Sprintf("holds %d volumes of %s, its limit is %d", len(used), d.Name, limit)}, true
		}
	}
	return Failure{}, false
}

func handle(pv *corev1.PersistentVolume, driver string) string {
	if pv == nil || pv.Spec.CSI == nil || pv.Spec.CSI.Driver != driver {
		return ""
	}
	return pv.Spec.CSI.VolumeHandle
}
