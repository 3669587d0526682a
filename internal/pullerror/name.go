package pullerror

// nameRules are about the reference itself and about the decisions before any
// request. They come first, because they may quote any text as a name.
var nameRules = []rule{
	at(StageName, ShortName, "short name mode is enforcing"),
	at(StageName, ShortName, "short-name", "did not resolve to an alias"),
	at(StageName, ShortName, "short-name resolution enforced"),
	at(StageName, ShortName, "short name mode", "ambiguous"),
	at(StageName, InvalidName, "invalid reference format"),
	at(StageName, InvalidName, "repository name must not be more than"),
	at(StageName, InvalidName, "repository name must be lowercase"),
	at(StageName, InvalidName, "repository name must be canonical"),
	at(StageName, InvalidName, "couldn't parse image"),
	at(StageName, InvalidName, "failed to parse image reference"),
	at(StageName, InvalidName, "failed to apply default image tag"),
	at(StageName, InvalidName, "invalid image name"),
	at(StageName, InvalidName, "invalid tag format"),
	at(StageName, InvalidName, "invalid repository name"),
	at(StageName, InvalidName, "invalid checksum digest"),
	at(StageName, InvalidName, "unsupported digest algorithm"),
	at(StageName, InvalidName, "cannot specify 64-byte hexadecimal strings"),
	is(InvalidName, whole("invalidimagename")),
	at(StageLocal, NeverPull, "is not present with pull policy of never"),
	is(NeverPull, whole("errimageneverpull")),
	is(BackOffOnly, whole("errimagepull")),
	is(BackOffOnly, whole("imagepullbackoff")),
	is(InspectFailed, whole("imageinspecterror")),
	has(BackOffOnly, "is waiting to start: trying and failing to pull image"),
	is(BackOffOnly, func(p *parser) bool {
		return p.words == "back-off pulling image ~" || p.words == "back-off pulling image ~."
	}),
}

// whole is the condition that the text is one word and no more.
func whole(word string) func(*parser) bool {
	return func(p *parser) bool { return p.words == word }
}
