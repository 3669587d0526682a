package cause

func credentialCauses() []Cause { return nil }
