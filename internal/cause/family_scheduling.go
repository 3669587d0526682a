package cause

func schedulingCauses() []Cause { return nil }
