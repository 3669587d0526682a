package cause

func startConfigCauses() []Cause { return nil }
