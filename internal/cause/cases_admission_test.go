package cause_test

var admissionCases = []testCase{}
