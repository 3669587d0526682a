package cause

func ownershipCauses() []Cause { return nil }
