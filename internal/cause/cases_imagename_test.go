package cause_test

var imageNameCases = []testCase{}
