package cause_test

var ownershipCases = []testCase{}
