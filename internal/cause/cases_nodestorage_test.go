package cause_test

var nodeStorageCases = []testCase{}
