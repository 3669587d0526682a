package cause_test

var sandboxCases = []testCase{}
