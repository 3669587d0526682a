package cause

func nodeHealthCauses() []Cause { return nil }
