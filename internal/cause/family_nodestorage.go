package cause

func nodeStorageCauses() []Cause { return nil }
