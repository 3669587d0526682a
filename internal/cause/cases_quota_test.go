package cause_test

var quotaCases = []testCase{}
