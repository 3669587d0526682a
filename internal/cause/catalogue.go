package cause

// BuiltIn is every cause that unjam itself knows, in judging order. One
// function per family file, no registry.
var BuiltIn = mustSet(join(
	quotaCauses(), admissionCauses(), // no pod without these
	schedulingCauses(), autoscalerCauses(), volumeCauses(),
	startConfigCauses(), sandboxCauses(),
	credentialCauses(), imageNameCauses(), registryCauses(), networkCauses(), contentCauses(), nodeStorageCauses(), pullQueueCauses(),
	crashCauses(), probeCauses(),
	nodeHealthCauses(), rolloutCauses(), ownershipCauses(), otherCauses(),
))

func join(groups ...[]Cause) []Cause {
	var out []Cause
	for _, g := range groups {
		out = append(out, g...)
	}
	return out
}

// mustSet is NewSet for the table above, in which an error is one of ours.
func mustSet(list []Cause) Set {
	s, err := NewSet(list...)
	if err != nil {
		panic(err)
	}
	return s
}
