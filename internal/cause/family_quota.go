package cause

func quotaCauses() []Cause { return nil }

// refusalKind is the sort of refusal, to tell whether two messages are alike.
func refusalKind(message string) string { return message }
