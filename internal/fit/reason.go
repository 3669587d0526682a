package fit

import "strings"

// marks tie the scheduler's texts, old and new, to a check. The first that is
// contained in a reason decides, so the special ones stand before the general.
var marks = []struct {
	text  string
	check Check
}{
	{"Too many pods", Slots},
	{"Insufficient ", Resources},
	{"taint", Taint},
	{"were unschedulable", Cordoned},
	{"didn't match the requested node name", NodeName},
	{"didn't satisfy plugin", Subset},
	{"node affinity/selector", NodeAffinity},
	{"didn't match node selector", NodeAffinity}, // before 1.22
	{"scheduler-enforced node affinity", NodeAffinity},
	{"pod affinity terms conflict", NodeAffinity},
	{"free ports", HostPort},
	{"unbound immediate PersistentVolumeClaims", UnboundPVC},
	{"didn't find available persistent volumes to bind", NoPV},
	{"volume node affinity conflict", VolumeNode},
	{"didn't match PersistentVolume's node affinity", VolumeNode},
	{"did not have enough free storage", StorageCapacity},
	{"bound to non-existent", LostPVC},
	{"no available volume zone", VolumeZone},
	{"exceed max volume count", VolumeCount},
	{"CSI driver is not installed", CSIDriver},
	{"ReadWriteOncePod access mode", RWOP},
	{"no available disk", DiskConflict},
	{"topology spread constraints (missing required label)", SpreadLabel},
	{"topology spread constraints", Spread},
	{"satisfy existing pods anti-affinity", ExistingAnti},
	{"pod anti-affinity rules", AntiAffinity},
	{"pod affinity rules", PodAffinity},
	{"pod affinity/anti-affinity", AntiAffinity}, // before 1.22
	{"device binding", DRABinding},
	{"cannot allocate all claims", DRA},
	{"resourceclaim not available", DRA},
	{"resourceclaim in use", DRAMissing},
	{"device class", DRAMissing},
	{"resourceclaim", DRAMissing},
	{"waiting for scheduling gates", Gates},
	{"minCount", Gang},
	{"pod group", Gang},
	{"match Pod's required features", Features},
	{"waiting for the preemption", Preempting},
	{"terminating pod on the nominated node", Preempting},
	{"waiting for ephemeral volume controller", MissingPVC},
}

// Check names the check a printed reason belongs to; Unknown for the text of an
// extender or an out-of-tree plugin.
func (r Reason) Check() Check { return checkOf(r.Text) }

// PreFilterCheck names the check behind the PreFilter message, empty when the
// message holds none.
func (e FitError) PreFilterCheck() Check {
	if e.PreFilter == "" {
		return ""
	}
	return checkOf(e.PreFilter)
}

func checkOf(text string) Check {
	if strings.HasPrefix(text, "persistentvolumeclaim ") {
		switch {
		case strings.HasSuffix(text, "not found"):
			return MissingPVC
		case strings.Contains(text, "is being deleted"), strings.Contains(text, "non-existent"), strings.Contains(text, "Lost"), strings.Contains(text, "lost"):
			return LostPVC
		}
	}
	if strings.HasPrefix(text, "persistentvolume ") && strings.HasSuffix(text, "not found") {
		return LostPVC // VolumeZone's word for a claim bound to a volume that is gone
	}
	for _, m := range marks {
		if strings.Contains(text, m.text) {
			return m.check
		}
	}
	return Unknown
}

// Resource is the resource of an "Insufficient x" reason, else empty.
func (r Reason) Resource() string {
	if name, ok := strings.CutPrefix(r.Text, "Insufficient "); ok {
		return name
	}
	return ""
}

// TaintText is the key and value an old scheduler printed, as "key: value";
// empty since 1.35.
func (r Reason) TaintText() string {
	i := strings.IndexByte(r.Text, '{')
	j := strings.LastIndexByte(r.Text, '}')
	if r.Check() != Taint || i < 0 || j < i {
		return ""
	}
	return r.Text[i+1 : j]
}

// NotHelpful is on how many nodes preemption could change nothing: the node
// fails a check for good, or the request exceeds the whole node. ok is false
// when the message has no such clause.
func (e FitError) NotHelpful() (nodes int, ok bool) {
	inner, parsed := ParseFitError(e.Preemption)
	if !parsed {
		return 0, false
	}
	for _, r := range inner.Reasons {
		if strings.HasPrefix(r.Text, "Preemption is not helpful") {
			return r.Count, true
		}
	}
	return 0, len(inner.Reasons) > 0
}
