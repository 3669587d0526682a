package cause_test

var registryCases = []testCase{}
