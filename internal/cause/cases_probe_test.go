package cause_test

var probeCases = []testCase{}
