package cause_test

var rolloutCases = []testCase{}
