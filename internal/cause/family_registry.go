package cause

func registryCauses() []Cause { return nil }
