package cause_test

var networkCases = []testCase{}
