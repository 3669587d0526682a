package cause_test

import (
	"github.com/unjam-dev/unjam/internal/cause"
)

var otherCases = []testCase{
	{code: "unknown", name: "a plug-in's own words", confidence: cause.Possible, build: refused(`pods "web-x" is forbidden: the moon is in the wrong quarter`)},
	{code: "unknown", name: "no reason at all", build: refused("")},
	{code: "unknown", name: "a known refusal", near: true, want: []string{"serviceaccount-missing"}, build: refused(noAccount)},
}
