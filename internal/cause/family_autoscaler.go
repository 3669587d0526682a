package cause

func autoscalerCauses() []Cause { return nil }
