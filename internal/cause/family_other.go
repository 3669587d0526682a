package cause

// otherCauses hold what is left when no cause is known.
func otherCauses() []Cause {
	return []Cause{
		{Code: "unknown", Family: Other, Class: Terminal, Title: "Failure without a known cause",
			Playbook: unknownPlaybook, Detect: detectUnknown},
	}
}
