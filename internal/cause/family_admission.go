package cause

func admissionCauses() []Cause { return nil }
