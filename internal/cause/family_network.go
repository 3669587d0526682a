package cause

import (
	"slices"

	"github.com/unjam-dev/unjam/internal/pullerror"
)

// A long file: it is a table, one entry per cause.

func networkCauses() []Cause {
	return slices.Concat(dnsCauses(), connectionCauses(), proxyCauses(), tlsCauses(), mirrorCauses())
}

func dnsCauses() []Cause {
	seeResolver := look("See the node's resolver.", "kubectl debug node/{node} -it --image=busybox -- chroot /host cat /etc/resolv.conf")
	repair := []Step{{Text: "Repair the resolver the nodes use, or point them at one that works.", Approver: "platform team"}, waitRetry}
	return []Cause{
		{Code: "dns-nxdomain", Family: Network, Class: Terminal, Title: "Registry name does not exist in DNS", Detect: pullCause("dns-nxdomain", pullerror.DNSNotFound),
			Playbook: Playbook{
				Means:  "The resolver of the node answers that there is no such name. The host in the image is misspelt, or it lives in a private zone that the node's resolver does not serve.",
				Verify: []Step{nodeLookup, seeResolver, look("Read the image string.", "kubectl -n {namespace} get pod {pod} -o jsonpath='{.spec.containers[*].image}'")},
				Mend:   []Step{setImage, rollBack, {Text: "Or add the name to the zone the nodes ask, or link the private zone to their network.", Approver: "platform team"}},
			}},
		{Code: "dns-cluster-name-on-node", Family: Network, Class: Terminal, Title: "Registry named by a cluster-only name", Detect: pullCause("dns-cluster-name-on-node", pullerror.DNSNotFound),
			Playbook: Playbook{
				Means:  "The image's host is a Service name. Images are pulled by the node, whose resolver is not the cluster's DNS, so such names do not resolve there.",
				Verify: []Step{nodeLookup, look("See the Service.", "kubectl get svc -A | grep -i registry")},
				Mend:   []Step{setImage, {Text: "Give the registry a name that nodes resolve (load balancer, NodePort, or a mirror entry in hosts.toml to its ClusterIP).", Approver: "platform team"}},
			}},
		{Code: "dns-servfail", Family: Network, Class: SelfHealing, Title: "DNS server fails", Detect: pullCause("dns-servfail", pullerror.DNSServfail),
			Playbook: Playbook{
				Means:  "The resolver was reached and could not answer: its upstream is down, or the zone is broken. The name may well exist.",
				Verify: []Step{nodeLookup, look("Ask another resolver.", "nslookup {host} 1.1.1.1"), seeResolver},
				Mend:   repair,
			}},
		{Code: "dns-timeout", Family: Network, Class: SelfHealing, Title: "DNS server does not answer", Detect: pullCause("dns-timeout", pullerror.DNSTimeout, pullerror.DNSRefused),
			Playbook: Playbook{
				Means:  "The node's question to its resolver got no answer, so the registry was never asked. The resolver is down, UDP port 53 is blocked, or the node's connection table is full.",
				Verify: []Step{nodeLookup, seeResolver},
				Mend:   append([]Step{cordon}, repair...),
			}},
		{Code: "dns-resolver-misconfigured", Family: Network, Class: Terminal, Title: "Node uses a wrong resolver", Detect: pullCause("dns-resolver-misconfigured", pullerror.DNSNotFound),
			Playbook: Playbook{
				Means:  "This node's resolver says that the registry does not exist, while other nodes reach it. The node asks another resolver than they do, or one that serves other zones.",
				Verify: []Step{seeResolver, nodeLookup},
				Mend:   []Step{cordon, {Text: "Set the node's resolver as on the other nodes.", Approver: "node owner"}, retryNow},
			}},
	}
}

func connectionCauses() []Cause {
	path := []Step{{Text: "Open the way from the nodes to the host: firewall, NAT, security group, or a proxy for the runtime.", Approver: "platform team"}, waitRetry}
	return []Cause{
		{Code: "tcp-refused", Family: Network, Class: SelfHealing, Title: "Registry refuses connections", Detect: pullCause("tcp-refused", pullerror.TCPRefused),
			Playbook: Playbook{
				Means:  "The host exists and actively refuses: nothing listens on the port, or a firewall says no. Registries in restart look like this for a while.",
				Verify: []Step{nodeFetch, look("If it runs in a cluster, look at its pods.", "kubectl get pods -A -o wide | grep -i registry")},
				Mend:   []Step{{Text: "Start the registry, or correct the port in the image or mirror.", Approver: "registry owner"}, waitRetry, rollBack},
			}},
		{Code: "tcp-timeout", Family: Network, Class: SelfHealing, Title: "Registry does not answer", Detect: pullCause("tcp-timeout", pullerror.TCPTimeout, pullerror.RequestTimeout),
			Playbook: Playbook{
				Means:  "Packets to the registry get lost: no route out, a firewall that drops, or a proxy that is set in the shell but not for the runtime.",
				Verify: []Step{nodeFetch, look("See the runtime's proxy settings.", "kubectl debug node/{node} -it --image=busybox -- chroot /host systemctl show containerd -p Environment")},
				Mend:   path,
			}},
		{Code: "tcp-reset", Family: Network, Class: SelfHealing, Title: "Connection to the registry is reset", Detect: pullCause("tcp-reset", pullerror.TCPReset),
			Playbook: Playbook{
				Means:  "Something cuts the connection off: a filter that dislikes the name, a load balancer with a short idle time, a broken IPv6 path.",
				Verify: []Step{nodeFetch, look("Compare IPv4 and IPv6.", "kubectl debug node/{node} -it --image=busybox -- chroot /host curl -4sv -o /dev/null https://{host}/v2/")},
				Mend:   path,
			}},
		{Code: "no-route-or-no-ip-family", Family: Network, Class: Terminal, Title: "No route to the registry", Detect: pullCause("no-route-or-no-ip-family", pullerror.NoRoute),
			Playbook: Playbook{
				Means:  "The node has no way to the address at all: a missing route, a dead gateway, or an address of a family (IPv4, IPv6) that the node does not have.",
				Verify: []Step{look("See the node's routes.", "kubectl debug node/{node} -it --image=busybox -- chroot /host sh -c 'ip route; ip -6 route'"), nodeLookup},
				Mend:   []Step{{Text: "Add the route, or reach the registry by a family the node has (NAT64, dual stack, a mirror).", Approver: "platform team"}, cordon},
			}},
		{Code: "tls-handshake-timeout", Family: Network, Class: SelfHealing, Title: "TLS handshake with the registry times out", Detect: pullCause("tls-handshake-timeout", pullerror.HandshakeTime),
			Playbook: Playbook{
				Means:  "The connection opens, and then the answer to the TLS hello never comes. Large packets get lost (a tunnel with a smaller MTU), the registry is overloaded, or something inspects traffic.",
				Verify: []Step{nodeFetch, look("Try a large packet without fragmentation.", "kubectl debug node/{node} -it --image=busybox -- chroot /host ping -c2 -M do -s 1472 {host}")},
				Mend:   []Step{{Text: "Lower the MTU of the node's interface or clamp the TCP segment size; relieve the registry.", Approver: "platform team"}, cordon, waitRetry},
			}},
		{Code: "response-header-timeout", Family: Network, Class: SelfHealing, Title: "Registry takes the request and does not answer", Detect: pullCause("response-header-timeout", pullerror.HeaderTimeout),
			Playbook: Playbook{
				Means:  "The registry accepted the request and sent nothing back in time. A cache that fetches from upstream first, or a scanner in the way, looks like this.",
				Verify: []Step{look("Time the same request.", "curl -s -o /dev/null -w '%{time_starttransfer}\\n' https://{host}/v2/{repository}/manifests/{tag}")},
				Mend:   []Step{{Text: "Warm the cache or give the registry's backend more capacity.", Approver: "registry owner"}, waitRetry},
			}},
		{Code: "mid-transfer-eof", Family: Network, Class: SelfHealing, Title: "Download breaks off", Detect: pullCause("mid-transfer-eof", pullerror.TransferEOF),
			Playbook: Playbook{
				Means:  "The body of a layer ends before its announced length. At the same place each time it is a proxy's limit or a broken cache object; at random places it is the link.",
				Verify: []Step{seeEvents, look("Fetch it elsewhere and count.", "crane pull {image} /dev/null")},
				Mend:   []Step{{Text: "Purge the cache object or push the image again; lift the proxy's size or time limit.", Approver: "registry owner"}, waitRetry},
			}},
		{Code: "blob-cdn-blocked", Family: Network, Class: Terminal, Title: "Storage host of the registry cannot be reached", Detect: pullCause("blob-cdn-blocked", networkKinds...),
			Playbook: Playbook{
				Means:  "The registry itself answers and sends the node to another host for the layers. That host is blocked, which a test of the registry alone does not show.",
				Verify: []Step{nodeFetch},
				Mend:   path,
			}},
		{Code: "blob-cdn-403", Family: Network, Class: Terminal, Title: "Storage host of the registry refuses layers", Detect: pullCause("blob-cdn-403", authKinds...),
			Playbook: Playbook{
				Means:  "The registry let the pull through, and the storage behind it said no: an endpoint policy that does not list the registry's buckets, or a proxy that keeps signed addresses too long.",
				Verify: []Step{seeEvents, look("On AWS, read the S3 endpoint's policy.", "aws ec2 describe-vpc-endpoints --query 'VpcEndpoints[].{s:ServiceName,p:PolicyDocument}'")},
				Mend:   []Step{{Text: "Allow the registry's storage in the endpoint policy, or stop the proxy from caching redirects.", Approver: "platform team"}, waitRetry},
			}},
		{Code: "token-realm-unreachable", Family: Network, Class: Terminal, Title: "Registry's token service cannot be reached", Detect: pullCause("token-realm-unreachable", networkKinds...),
			Playbook: Playbook{
				Means:  "The registry sends the node to another host for a token, and that host cannot be reached. An allow-list often holds the registry and forgets its login service.",
				Verify: []Step{look("See where the registry sends for tokens.", "curl -si https://{registry}/v2/ | grep -i www-authenticate"), nodeFetch},
				Mend:   path,
			}},
	}
}

func proxyCauses() []Cause {
	unit := look("See the runtime's proxy settings.", "kubectl debug node/{node} -it --image=busybox -- chroot /host systemctl show containerd -p Environment")
	fix := Step{Text: "Correct HTTP_PROXY, HTTPS_PROXY and NO_PROXY in the runtime's unit and restart it.", Approver: "node owner"}
	return []Cause{
		{Code: "proxy-unreachable", Family: Network, Class: Terminal, Title: "Proxy for pulls cannot be reached", Detect: pullCause("proxy-unreachable", pullerror.ProxyDown),
			Playbook: Playbook{Means: "The runtime is told to use a proxy, and the proxy does not answer. An address of 127.0.0.1 was copied from another machine.",
				Verify: []Step{unit}, Mend: []Step{fix, cordon, waitRetry}}},
		{Code: "proxy-connect-denied", Family: Network, Class: Terminal, Title: "Proxy refuses the registry", Detect: pullCause("proxy-connect-denied", pullerror.ProxyDenied),
			Playbook: Playbook{Means: "The proxy itself, not the registry, answered no to the connection: its rules, its own login, or an internal host that should not go through it.",
				Verify: []Step{unit}, Mend: []Step{{Text: "Allow the host in the proxy, give it a login, or add the host to NO_PROXY of the runtime.", Approver: "platform team"}, waitRetry}}},
		{Code: "proxy-misconfigured", Family: Network, Class: Terminal, Title: "Proxy setting of the runtime is not usable", Detect: pullCause("proxy-misconfigured", pullerror.ProxyConfig),
			Playbook: Playbook{Means: "The proxy's URL in the runtime's unit is malformed or names the wrong scheme. Settings in a shell or for the kubelet do not count for pulls.",
				Verify: []Step{unit}, Mend: []Step{fix, cordon, waitRetry}}},
	}
}

func tlsCauses() []Cause {
	reissue := []Step{{Text: "Give the registry a certificate that fits.", Approver: "registry owner"}, waitRetry}
	hosts := look("See what the node is told about this host.", "kubectl debug node/{node} -it --image=busybox -- chroot /host sh -c 'ls -R /etc/containerd/certs.d; cat /etc/containerd/certs.d/*/hosts.toml'")
	return []Cause{
		{Code: "tls-unknown-ca", Family: Network, Class: Terminal, Title: "Registry's certificate not trusted", Detect: pullCause("tls-unknown-ca", pullerror.TLSUnknownCA),
			Playbook: Playbook{
				Means:  "The node knows no authority that signed the certificate: it is private or self-signed, the server leaves out the chain, or a proxy shows its own. Docker's certificate folder does not count for containerd.",
				Verify: []Step{seeCert, hosts},
				Mend: []Step{{Text: "Serve the full chain, if the authority is a public one.", Approver: "registry owner"},
					{Text: "Or give the nodes the authority's certificate: ca in /etc/containerd/certs.d/HOST/hosts.toml.", Approver: "node owner"}, waitRetry},
			}},
		{Code: "tls-expired", Family: Network, Class: Terminal, Title: "Registry's certificate expired", Detect: pullCause("tls-expired", pullerror.TLSExpired, pullerror.TLSValidity, pullerror.TLSNotYetValid),
			Playbook: Playbook{
				Means:  "The certificate's time is over, so every node refuses it.",
				Verify: []Step{seeCert},
				Mend:   []Step{{Text: "Renew the certificate.", Approver: "registry owner"}, waitRetry},
			}},
		{Code: "tls-not-yet-valid-clock-skew", Family: Network, Class: Terminal, Title: "Certificate not yet valid, or wrong clock", Detect: pullCause("tls-not-yet-valid-clock-skew", pullerror.TLSExpired, pullerror.TLSValidity, pullerror.TLSNotYetValid),
			Playbook: Playbook{
				Means:  "By the node's clock the certificate's time has not begun, or the clock is far off. On one node only it is the clock; on all it is the certificate.",
				Verify: []Step{look("Compare the node's clock.", "kubectl debug node/{node} -it --image=busybox -- chroot /host sh -c 'date -u; timedatectl'"), seeCert},
				Mend:   []Step{cordon, {Text: "Set the clock right (chrony, NTP), or wait for or reissue the certificate.", Approver: "node owner"}, waitRetry},
			}},
		{Code: "tls-name-mismatch", Family: Network, Class: Terminal, Title: "Registry's certificate is for another name", Detect: pullCause("tls-name-mismatch", pullerror.TLSName),
			Playbook: Playbook{
				Means:  "Whoever answered shows a certificate for other names. The names tell who it was: an ingress with its default certificate, a captive portal, a wildcard DNS entry.",
				Verify: []Step{seeCert, nodeLookup},
				Mend:   append([]Step{setImage}, reissue...),
			}},
		{Code: "tls-cn-only", Family: Network, Class: Terminal, Title: "Registry's certificate lacks subject alternative names", Detect: pullCause("tls-cn-only", pullerror.TLSCNOnly),
			Playbook: Playbook{Means: "The certificate names its host in the common name only; today's clients read subject alternative names.",
				Verify: []Step{seeCert}, Mend: reissue}},
		{Code: "tls-http-response", Family: Network, Class: Terminal, Title: "Registry speaks plain HTTP", Detect: pullCause("tls-http-response", pullerror.HTTPResponse),
			Playbook: Playbook{
				Means:  "The node asks with HTTPS and the registry answers in plain HTTP. Skipping certificate checks does not change that.",
				Verify: []Step{look("Ask in plain HTTP.", "curl -si http://{host}/v2/ | head -1"), hosts},
				Mend: []Step{{Text: "Give the registry TLS.", Approver: "registry owner"},
					{Text: "Or declare it as http:// in /etc/containerd/certs.d/HOST/hosts.toml of every node (no restart needed).", Approver: "node owner"}, waitRetry},
			}},
		{Code: "http-request-to-https", Family: Network, Class: Terminal, Title: "HTTPS registry asked in plain HTTP", Detect: pullCause("http-request-to-https", pullerror.HTTPToHTTPS, pullerror.HTTPStatus),
			Playbook: Playbook{Means: "The node is told to use plain HTTP for a host that speaks HTTPS.",
				Verify: []Step{hosts}, Mend: []Step{{Text: "Write https:// in hosts.toml or registries.conf of the nodes.", Approver: "node owner"}, waitRetry}}},
		{Code: "tls-handshake-failure", Family: Network, Class: Terminal, Title: "Registry breaks off the TLS handshake", Detect: pullCause("tls-handshake-failure", pullerror.TLSHandshake),
			Playbook: Playbook{
				Means:  "The server ended the handshake itself: no TLS version or cipher in common, a name it does not serve, or a client certificate it wants and did not get.",
				Verify: []Step{look("See what the server offers.", "openssl s_client -connect {host} </dev/null")},
				Mend:   []Step{{Text: "Align TLS versions and ciphers, or give the nodes the client certificate in hosts.toml.", Approver: "registry owner"}, waitRetry},
			}},
		{Code: "tls-config-file-bad", Family: Network, Class: Terminal, Title: "Certificate file of the node cannot be read", Detect: pullCause("tls-config-file-bad", pullerror.TLSConfigBroken),
			Playbook: Playbook{Means: "The node's settings for this host name a certificate or key file that is missing or damaged.",
				Verify: []Step{hosts}, Mend: []Step{cordon, {Text: "Put the file in place or take its line out of hosts.toml.", Approver: "node owner"}, waitRetry}}},
	}
}

func mirrorCauses() []Cause {
	hosts := look("See the node's mirror settings.", "kubectl debug node/{node} -it --image=busybox -- chroot /host sh -c 'cat /etc/containerd/certs.d/*/hosts.toml'")
	drop := cure("node owner", "Take the mirror out of the settings until it works (no restart needed).", "kubectl debug node/{node} -it --image=busybox -- chroot /host mv /etc/containerd/certs.d/{upstream} /etc/containerd/certs.d/{upstream}.off",
		"kubectl debug node/{node} -it --image=busybox -- chroot /host mv /etc/containerd/certs.d/{upstream}.off /etc/containerd/certs.d/{upstream}")
	return []Cause{
		{Code: "mirror-error-masks-upstream", Family: Network, Class: SelfHealing, Title: "Mirror fails and hides the registry's answer", Detect: pullCause("mirror-error-masks-upstream", mirrorKinds...),
			Playbook: Playbook{
				Means:  "The node asks a mirror first, and its error is the one shown. The registry behind it may be well, or have an error of its own that nobody sees.",
				Verify: []Step{hosts, look("Ask the registry itself.", "crane digest {image}")},
				Mend:   []Step{{Text: "Repair the mirror.", Approver: "platform team"}, drop, waitRetry},
			}},
		{Code: "mirror-no-blob-fallback", Family: Network, Class: SelfHealing, Title: "Mirror fails for layers and nothing stands in", Detect: pullCause("mirror-no-blob-fallback", mirrorKinds...),
			Playbook: Playbook{
				Means:  "The mirror gave the manifest and then fails for the layers. The runtime does not turn to the registry: it is not in the node's list, or the mirror's answer had already begun.",
				Verify: []Step{hosts},
				Mend:   []Step{{Text: "Purge the mirror's cache or repair it; list the registry itself as last host.", Approver: "platform team"}, drop, waitRetry},
			}},
		{Code: "mirror-config-ignored", Family: Network, Class: Terminal, Title: "Mirror settings are not used", Detect: either(ignoredMirror, pullCause("mirror-config-ignored", pullerror.MirrorConfig)),
			Playbook: Playbook{
				Means:  "Other nodes reach this registry through a mirror; this one goes to the registry itself and fails. Its hosts.toml does not parse, lies in a folder of the wrong name, or config_path is not set.",
				Verify: []Step{hosts, runtimeLog},
				Mend:   []Step{cordon, {Text: "Bring the node's mirror settings in line with the others.", Approver: "node owner"}, waitRetry},
			}},
	}
}
