package cause

func networkCauses() []Cause { return nil }
