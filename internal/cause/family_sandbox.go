package cause

func sandboxCauses() []Cause { return nil }
