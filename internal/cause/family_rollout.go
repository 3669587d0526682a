package cause

func rolloutCauses() []Cause { return nil }
