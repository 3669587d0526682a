package cause_test

var autoscalerCases = []testCase{}
