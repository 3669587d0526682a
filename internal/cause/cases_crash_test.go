package cause_test

var crashCases = []testCase{}
