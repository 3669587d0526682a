package cause

func crashCauses() []Cause { return nil }
