package cause_test

var nodeHealthCases = []testCase{}
