package cause

func pullQueueCauses() []Cause { return nil }
