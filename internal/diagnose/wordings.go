package diagnose

// wordings are tried in order; longer and more special words come first.
var wordings = []wording{}

// reasons are bare words: reasons of events, states and conditions.
var reasons = map[string]string{}
