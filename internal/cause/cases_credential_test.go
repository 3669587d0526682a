package cause_test

var credentialCases = []testCase{}
