package cause_test

var otherCases = []testCase{}
