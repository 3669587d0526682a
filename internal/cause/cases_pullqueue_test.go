package cause_test

var pullQueueCases = []testCase{}
