package fit

import (
	"fmt"
)

// volumeCount compares the CSI volumes on a node with the driver's limit
// (CSINode.spec.drivers[].allocatable.count). Volumes the pod shares with pods
// already there cost nothing; attached volumes that no pod uses do
// (pkg/scheduler/framework/plugins/nodevolumelimits/csi.go).
func (t *trial) volumeCount(s *nodeState) (Failure, bool) {
	csi := t.c.csi[s.node.Name]
	if csi == nil || len(t.volumes) == 0 {
		return Failure{}, false
	}
	for _, d := range csi.Spec.Drivers {
		if d.Allocatable == nil || d.Allocatable.Count == nil {
			continue
		}
		added := map[string]bool{}
		for _, v := range t.volumes {
			if h := handle(v, d.Name); h != "" {
				added[h] = true
			}
		}
		if len(added) == 0 {
			continue
		}
		used := map[string]bool{}
		for _, p := range t.podsOn(s) {
			for _, v := range t.c.podVolumes(p) {
				if h := handle(v, d.Name); h != "" {
					used[h] = true
					delete(added, h)
				}
			}
		}
		for _, pv := range t.c.attached[attachment{s.node.Name, d.Name}] {
			used[pv] = true // also when the pod brings it
		}
		if limit := int(*d.Allocatable.Count); len(added) > 0 && len(used)+len(added) > limit {
			return Failure{Check: VolumeCount, Object: d.Name, Need: int64(len(added)), Free: int64(max(limit-len(used), 0)), Total: int64(limit),
				Detail: fmt.Sprintf("holds %d volumes of %s, its limit is %d", len(used), d.Name, limit)}, true
		}
	}
	return Failure{}, false
}

// handle identifies a volume of the driver; a claim that is not bound yet
// counts as a volume to be made. Empty for volumes of other drivers.
func handle(v podVolume, driver string) string {
	switch {
	case v.pv != nil && v.pv.Spec.CSI != nil && v.pv.Spec.CSI.Driver == driver:
		return v.pv.Spec.CSI.VolumeHandle
	case v.pv == nil && v.class != nil && v.class.Provisioner == driver:
		return "to be made for " + v.claim.Namespace + "/" + v.claim.Name
	}
	return ""
}

// attachment names a driver on a node.
type attachment struct{ node, driver string }

func (c *Cluster) indexAttached() {
	c.attached = map[attachment][]string{}
	for _, a := range c.opt.Attachments {
		if a.Spec.Source.PersistentVolumeName == nil {
			continue
		}
		if pv := c.pvs[*a.Spec.Source.PersistentVolumeName]; pv != nil && pv.Spec.CSI != nil {
			k := attachment{a.Spec.NodeName, a.Spec.Attacher}
			c.attached[k] = append(c.attached[k], pv.Spec.CSI.VolumeHandle)
		}
	}
}
