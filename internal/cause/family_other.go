package cause

func otherCauses() []Cause { return nil }
