package cause

func imageNameCauses() []Cause { return nil }
