package cause

func contentCauses() []Cause { return nil }
