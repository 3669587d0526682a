package cause_test

var schedulingCases = []testCase{}
