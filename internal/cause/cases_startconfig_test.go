package cause_test

var startConfigCases = []testCase{}
