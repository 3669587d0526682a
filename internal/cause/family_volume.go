package cause

func volumeCauses() []Cause { return nil }
