package cause_test

var volumeCases = []testCase{}
