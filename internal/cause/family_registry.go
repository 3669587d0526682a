package cause

import "github.com/unjam-dev/unjam/internal/pullerror"

func registryCauses() []Cause {
	spread := []Step{pauseRollout, {Text: "Pull through a cache of your own, and pin tags with policy IfNotPresent.", Approver: "platform team"}, waitRetry}
	return []Cause{
		{Code: "rate-limit-dockerhub-anonymous", Family: Registry, Class: SelfHealing, Title: "Docker Hub limit without login reached",
			Detect: pullCause("rate-limit-dockerhub-anonymous", pullerror.RateLimited),
			Playbook: Playbook{
				Means:  "Docker Hub counts pulls without a login by address, 100 in six hours, and all nodes behind one NAT share the count. It frees up slowly and unevenly.",
				Verify: []Step{podSecrets, look("Read what is left, from the node's address.", "kubectl debug node/{node} -it --image=busybox -- chroot /host sh -c 'T=$(curl -s \"https://auth.docker.io/token?service=registry.docker.io&scope=repository:ratelimitpreview/test:pull\" | sed \"s/.*\\\"token\\\":\\\"//;s/\\\".*//\"); curl -sI -H \"Authorization: Bearer $T\" https://registry-1.docker.io/v2/ratelimitpreview/test/manifests/latest | grep -i ratelimit'")},
				Mend:   append([]Step{addSecret}, spread...),
			}},
		{Code: "rate-limit-dockerhub-authenticated", Family: Registry, Class: SelfHealing, Title: "Docker Hub limit of the account reached",
			Detect: pullCause("rate-limit-dockerhub-authenticated", pullerror.RateLimited),
			Playbook: Playbook{
				Means:  "The credential was accepted, and the account has used up its pulls (200 in six hours for a free one). Everything that logs in with the account waits.",
				Verify: []Step{secretHosts, seeEvents},
				Mend:   append([]Step{replaceSecret, {Text: "Use an account of a paid plan for the cluster.", Approver: "platform team"}}, spread...),
			}},
		{Code: "rate-limit-ecr-public", Family: Registry, Class: SelfHealing, Title: "ECR Public rate reached",
			Detect: pullCause("rate-limit-ecr-public", pullerror.RateLimited),
			Playbook: Playbook{
				Means:  "ECR Public allows about one request per second without a login. The limit clears within seconds, so only many pulls at once keep meeting it.",
				Verify: []Step{seeEvents},
				Mend:   append([]Step{waitRetry}, spread[:2]...),
			}},
		{Code: "rate-limit-other", Family: Registry, Class: SelfHealing, Title: "Registry limits the rate of pulls",
			Detect: pullCause("rate-limit-other", pullerror.RateLimited),
			Playbook: Playbook{
				Means:  "The registry or a mirror answers 429: too many requests for now. It heals when fewer nodes ask at once or the quota refills.",
				Verify: []Step{seeEvents, look("See what the registry says about when to come back.", "curl -sI https://{host}/v2/{repository}/manifests/{tag} | grep -i -E 'retry-after|ratelimit'")},
				Mend:   spread,
			}},
		{Code: "registry-5xx", Family: Registry, Class: SelfHealing, Title: "Registry answers with a server error",
			Detect: pullCause("registry-5xx", pullerror.ServerError, pullerror.HTTPStatus),
			Playbook: Playbook{
				Means:  "The registry, or a gateway before it, was reached and failed by itself. Image and credential are not to blame; the kubelet keeps trying.",
				Verify: []Step{look("Ask again, and for another image of the registry.", "curl -si https://{host}/v2/ | head -1"), look("If it runs in a cluster, look at its pods.", "kubectl get pods -A -o wide | grep -i registry")},
				Mend:   []Step{{Text: "Repair the registry or its gateway, or wait for its operator (see the vendor's status page).", Approver: "registry owner"}, rollBack, waitRetry},
			}},
		{Code: "token-endpoint-failed", Family: Registry, Class: SelfHealing, Title: "Registry's token service fails",
			Detect: pullCause("token-endpoint-failed", pullerror.TokenEndpoint, pullerror.ServerError),
			Playbook: Playbook{
				Means:  "Before a pull the node fetches a token from the registry's login service. That service was reached and failed, or sent something that is no token.",
				Verify: []Step{look("Find the token service and ask it.", "curl -si https://{registry}/v2/ | grep -i www-authenticate")},
				Mend:   []Step{{Text: "Repair the token service, or wait for its operator.", Approver: "registry owner"}, waitRetry},
			}},
		{Code: "registry-unavailable-crio", Family: Registry, Class: SelfHealing, Title: "Registry unavailable (CRI-O)",
			Detect: pullCause("registry-unavailable-crio", pullerror.RegistryDown, pullerror.TCPRefused, pullerror.TCPTimeout),
			Playbook: Playbook{
				Means:  "CRI-O could not open a connection to the registry: it is down, listens on another port, or a firewall refuses.",
				Verify: []Step{nodeFetch},
				Mend:   []Step{{Text: "Start the registry, or open the way to it.", Approver: "registry owner"}, waitRetry},
			}},
		{Code: "auth-scheme-unsupported", Family: Registry, Class: Terminal, Title: "Registry asks for an unknown kind of login",
			Detect: pullCause("auth-scheme-unsupported", pullerror.AuthScheme),
			Playbook: Playbook{
				Means:  "The registry, or a proxy before it, asks for a login that container runtimes do not speak (NTLM, a web page) or sends a challenge without its address.",
				Verify: []Step{look("Print the challenge.", "curl -si https://{host}/v2/ | grep -i www-authenticate")},
				Mend:   []Step{{Text: "Have the registry or its reverse proxy send a Basic or Bearer challenge with a realm.", Approver: "registry owner"}},
			}},
	}
}
