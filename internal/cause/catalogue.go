package cause

// Catalogue is every cause in judging order: among findings that are equally
// firm, the earlier one wins. One function per family file, no registry.
var Catalogue = join(
	quotaCauses(), admissionCauses(), // no pod without these
	schedulingCauses(), autoscalerCauses(), volumeCauses(),
	startConfigCauses(), sandboxCauses(),
	credentialCauses(), imageNameCauses(), registryCauses(), networkCauses(), contentCauses(), nodeStorageCauses(), pullQueueCauses(),
	crashCauses(), probeCauses(),
	nodeHealthCauses(), rolloutCauses(), ownershipCauses(), otherCauses(),
)

// ByCode returns the cause of a code, nil when there is none.
func ByCode(code string) *Cause {
	for i := range Catalogue {
		if Catalogue[i].Code == code {
			return &Catalogue[i]
		}
	}
	return nil
}

func join(groups ...[]Cause) []Cause {
	var out []Cause
	for _, g := range groups {
		out = append(out, g...)
	}
	return out
}
