package pullerror

// authRules are about refused credentials and refused access.
var authRules = []rule{
	has(NoBasicAuth, "no basic auth credentials"),
	is(AccessDenied, noStatusOr403, "insufficient_scope"),
	has(AccessDenied, "pull access denied"),
	has(AccessDenied, "requested access to the resource is denied"),
	at(StageToken, TokenUnauthorized, "invalid username/password"),
	at(StageToken, TokenUnauthorized, "incorrect username or password"),
	has(AuthScheme, "failed to find supported auth scheme"),
	has(AuthScheme, "no realm specified for token auth challenge"),
	has(AuthScheme, "missing realm in bearer auth challenge"),
	has(AuthScheme, "unsupported auth scheme"),
	has(Forbidden, "authorization token has expired"),
	has(Forbidden, "is not authorized to perform:"),
	has(Forbidden, "is not allowed access"),
	has(Forbidden, "denied: permission"),
	has(Forbidden, "denied on resource"),
	has(Forbidden, "do not have permission"),
	has(Forbidden, "error parsing http 403"),
	has(Unauthorized, "access to the requested resource is not authorized"),
	has(Unauthorized, "unauthorized to access repository"),
	at(StageToken, TokenEndpoint, "authorization server did not include a token"),
	at(StageToken, TokenEndpoint, "unable to decode token response"),
	at(StageToken, TokenEndpoint, "decoding bearer token"),
	at(StageToken, TokenEndpoint, "failed to decode token"),
}

func noStatusOr403(p *parser) bool { return p.e.Status == 0 || p.e.Status == 403 || p.e.Status == 401 }

// serviceRules are about the registry as a service; other statuses are read by
// kindOfStatus.
var serviceRules = []rule{
	has(RateLimited, "toomanyrequests"),
	has(RateLimited, "too many requests to registry"),
	has(RateLimited, "pull rate limit"),
	is(RateLimited, noStatus, "429 too many requests"),
	is(RateLimited, noStatus, "too many requests"),
	is(NotFound, notFound),
}
