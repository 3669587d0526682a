package cause_test

var contentCases = []testCase{}
