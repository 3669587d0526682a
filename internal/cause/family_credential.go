package cause

import (
	"slices"

	"github.com/unjam-dev/unjam/internal/pullerror"
)

// A long file: it is a table, one entry per cause.

func credentialCauses() []Cause {
	return slices.Concat(pullSecretCauses(), refusalCauses(), providerCauses(), pluginCauses())
}

// pullSecretCauses are defects of the Secrets a pod names, or should name.
func pullSecretCauses() []Cause {
	recreate := []Step{createSecret, retryNow}
	return []Cause{
		{Code: "pull-secret-missing", Family: Credentials, Class: Terminal, Title: "Pull secret does not exist", Detect: pullCause("pull-secret-missing", append([]pullerror.Kind{pullerror.SecretMissing}, authKinds...)...),
			Playbook: Playbook{
				Means:  "The pod names a pull secret that is not in its namespace. The kubelet then asks the registry without a credential and is refused.",
				Verify: []Step{look("Look for the Secret.", "kubectl -n {namespace} get secret {secret}"), podSecrets},
				Mend:   append(slices.Clone(recreate), cure("app owner", "If the image is public, take the dangling name out of the pod template.", "kubectl -n {namespace} edit {workload}", "kubectl -n {namespace} rollout undo {workload}")),
			}},
		{Code: "pull-secret-wrong-namespace", Family: Credentials, Class: Terminal, Title: "Pull secret is in another namespace", Detect: pullCause("pull-secret-wrong-namespace", append([]pullerror.Kind{pullerror.SecretMissing}, authKinds...)...),
			Playbook: Playbook{
				Means:  "A Secret of the name exists, but in another namespace. Pods can use Secrets of their own namespace only.",
				Verify: []Step{look("Find it.", "kubectl get secret -A --field-selector metadata.name={secret}")},
				Mend: []Step{cure("namespace admin", "Copy it.", "kubectl -n {othernamespace} get secret {secret} -o json | jq '{apiVersion,kind,type,data,metadata:{name:.metadata.name}}' | kubectl -n {namespace} apply -f -", "kubectl -n {namespace} delete secret {secret}"),
					{Text: "Keep copies in step with a replicator (External Secrets, reflector).", Approver: "platform team"}, retryNow},
			}},
		{Code: "pull-secret-wrong-type", Family: Credentials, Class: Terminal, Title: "Pull secret has the wrong type", Detect: pullCause("pull-secret-wrong-type", authKinds...),
			Playbook: Playbook{
				Means:  "The kubelet reads pull secrets of two types only, each with its own key, and skips all others without a word. So the registry was asked without a credential.",
				Verify: []Step{secretType},
				Mend: []Step{cure("namespace admin", "Make a Secret of the right type under another name and name that in the pod.", "kubectl -n {namespace} create secret docker-registry {secret}-pull --docker-server={registry} --docker-username=USER --docker-password=PASSWORD", "kubectl -n {namespace} delete secret {secret}-pull"),
					addSecret},
			}},
		{Code: "pull-secret-malformed", Family: Credentials, Class: Terminal, Title: "Pull secret cannot be decoded", Detect: pullCause("pull-secret-malformed", append([]pullerror.Kind{pullerror.SecretMalformed}, authKinds...)...),
			Playbook: Playbook{
				Means:  "An entry of a pull secret is not base64 of user:password. One bad entry blocks every image of the pod, public ones too.",
				Verify: []Step{look("Find the entry without printing it.", "kubectl -n {namespace} get secret {secret} -o jsonpath='{.data.\\.dockerconfigjson}' | base64 -d | jq '.auths | map_values(.auth | (try (@base64d | test(\"^[^:]+:.\")) catch false))'"), podSecrets},
				Mend:   []Step{replaceSecret, waitRetry},
			}},
		{Code: "pull-secret-empty-auth", Family: Credentials, Class: Terminal, Title: "Pull secret holds no credential for the registry", Detect: pullCause("pull-secret-empty-auth", authKinds...),
			Playbook: Playbook{
				Means:  "The Secret has an entry for the registry, but no user and password in it. That happens when a desktop's config.json is uploaded: the credential itself stays in the desktop's own store.",
				Verify: []Step{look("See which fields the entries have.", "kubectl -n {namespace} get secret {secret} -o jsonpath='{.data.\\.dockerconfigjson}' | base64 -d | jq '[.auths | map_values(keys), keys]'")},
				Mend:   []Step{replaceSecret, retryNow},
			}},
		{Code: "pull-secret-wrong-host-key", Family: Credentials, Class: Terminal, Title: "Pull secret is for another host", Detect: pullCause("pull-secret-wrong-host-key", authKinds...),
			Playbook: Playbook{
				Means:  "None of the pod's pull secrets has a key that matches the image's registry, so no credential was sent. Host, port and path must match exactly; for Docker Hub the key is https://index.docker.io/v1/.",
				Verify: []Step{secretHosts},
				Mend:   []Step{replaceSecret, retryNow, setImage},
			}},
		{Code: "sa-pull-secret-not-applied", Family: Credentials, Class: Terminal, Title: "ServiceAccount's pull secret not in the pod", Detect: pullCause("sa-pull-secret-not-applied", authKinds...),
			Playbook: Playbook{
				Means:  "Pull secrets of a ServiceAccount are copied into a pod only when it is created, and only when the pod names none itself. This pod was made earlier, or names others.",
				Verify: []Step{podSecrets, look("See the account's list.", "kubectl -n {namespace} get serviceaccount {serviceaccount} -o jsonpath='{.imagePullSecrets}'")},
				Mend: []Step{cure("app owner", "Make the pods anew.", "kubectl -n {namespace} rollout restart {workload}", "kubectl -n {namespace} rollout undo {workload}"),
					addSecret},
			}},
	}
}

// refusalCauses are refusals as the registry words them.
func refusalCauses() []Cause {
	return []Cause{
		{Code: "bad-credentials", Family: Credentials, Class: Terminal, Title: "Registry refuses the credential", Detect: pullCause("bad-credentials", authKinds...),
			Playbook: Playbook{
				Means:  "A credential was sent and the registry does not accept it: wrong or changed password, revoked or expired token, a stray line break, or an account that needs an access token instead of its password.",
				Verify: []Step{secretHosts, tryLogin},
				Mend:   []Step{replaceSecret, waitRetry},
			}},
		{Code: "private-or-nonexistent", Family: Credentials, Class: Terminal, Title: "Repository is private or does not exist", Detect: pullCause("private-or-nonexistent", authKinds...),
			Playbook: Playbook{
				Means:  "The registry refuses to tell whether the repository exists. Either it is private and the pod has no right to it, or the name is wrong.",
				Verify: []Step{podSecrets, listTheTags, look("See what the old revision ran.", "kubectl -n {namespace} rollout history {workload}")},
				Mend: []Step{{Text: "Name the secret that matches in the pod template.", Command: "kubectl -n {namespace} patch {workload} --type=strategic -p '{\"spec\":{\"template\":{\"spec\":{\"imagePullSecrets\":[{\"name\":\"{secret}\"}]}}}}'", Undo: "kubectl -n {namespace} rollout undo {workload}", Approver: "app owner", When: []string{"secret"}},
					cure("namespace admin", "If it is private: make a pull secret.", "kubectl -n {namespace} create secret docker-registry pull-{name} --docker-server={registry} --docker-username=USER --docker-password=PASSWORD", "kubectl -n {namespace} delete secret pull-{name}"),
					addSecret, setImage, rollBack},
			}},
		{Code: "anonymous-denied", Family: Credentials, Class: Terminal, Title: "Registry refuses pulls without a credential", Detect: pullCause("anonymous-denied", authKinds...),
			Playbook: Playbook{
				Means:  "No credential matched the registry, so none was sent, and the registry does not serve this image to everybody.",
				Verify: []Step{podSecrets, look("See the pull secrets of the namespace.", "kubectl -n {namespace} get secret --field-selector type=kubernetes.io/dockerconfigjson")},
				Mend: []Step{cure("namespace admin", "Make a pull secret.", "kubectl -n {namespace} create secret docker-registry pull-{name} --docker-server={registry} --docker-username=USER --docker-password=PASSWORD", "kubectl -n {namespace} delete secret pull-{name}"),
					addSecret, {Text: "Or make the package public.", Approver: "registry owner"}},
			}},
		{Code: "forbidden-403", Family: Credentials, Class: Terminal, Title: "Registry forbids the pull (403)", Detect: pullCause("forbidden-403", authKinds...),
			Playbook: Playbook{
				Means:  "The registry understood who asks and says no. The reason is in the body: an expired token, a missing right, an address that is not let in, a scan policy.",
				Verify: []Step{look("Read the body of the answer.", "curl -s https://{host}/v2/{repository}/manifests/{tag}"), podSecrets},
				Mend:   []Step{{Text: "Do what the body says: renew the token, grant the right, let the address in.", Approver: "registry owner"}, rollBack, retryNow},
			}},
		{Code: "stale-credential-breaks-public-pull", Family: Credentials, Class: Terminal, Title: "Stale credential blocks a public image", Detect: pullCause("stale-credential-breaks-public-pull", authKinds...),
			Playbook: Playbook{
				Means:  "The image could be pulled by anyone, but a credential that matches its host is sent and refused. The kubelet never tries again without it.",
				Verify: []Step{look("Ask without a credential.", "DOCKER_CONFIG=/nonexistent crane digest {image}"), secretHosts},
				Mend: []Step{replaceSecret,
					cure("app owner", "Or take the secret out of the pod template.", "kubectl -n {namespace} edit {workload}", "kubectl -n {namespace} rollout undo {workload}")},
			}},
		{Code: "mixed-credential-errors", Family: Credentials, Class: Terminal, Title: "Several credentials, several refusals", Detect: pullCause("mixed-credential-errors", authKinds...),
			Playbook: Playbook{
				Means:  "The kubelet had more than one credential for the registry and tried them all; the message lists each refusal. Only the one that should work matters.",
				Verify: []Step{podSecrets, seeEvents},
				Mend:   []Step{{Text: "Mend the credential that should work and take the others away.", Approver: "namespace admin"}, retryNow},
			}},
	}
}

// providerCauses are refusals that one registry product words its own way.
func providerCauses() []Cause {
	ecrLogin := cure("namespace admin", "Bridge twelve hours with a fresh token.", "kubectl -n {namespace} create secret docker-registry ecr-{name} --docker-server={registry} --docker-username=AWS --docker-password=\"$(aws ecr get-login-password)\"", "kubectl -n {namespace} delete secret ecr-{name}")
	return []Cause{
		{Code: "ecr-no-basic-auth", Family: Credentials, Class: Terminal, Title: "ECR asked without a credential", Detect: pullCause("ecr-no-basic-auth", authKinds...),
			Playbook: Playbook{
				Means:  "ECR serves nobody without a login, and neither the pod nor the node gave one. On AWS the node's kubelet gets it from a plugin and the instance's role; one of the two is missing.",
				Verify: []Step{kubeletLog, look("See the node role's policies.", "aws iam list-attached-role-policies --role-name NODE_ROLE"), look("Compare account and region in the image.", "kubectl -n {namespace} get pod {pod} -o jsonpath='{.spec.containers[*].image}'")},
				Mend:   []Step{ecrLogin, addSecret, {Text: "Set up ecr-credential-provider and AmazonEC2ContainerRegistryPullOnly on the nodes.", Approver: "platform team"}},
			}},
		{Code: "ecr-token-expired", Family: Credentials, Class: Terminal, Title: "ECR token expired", Detect: pullCause("ecr-token-expired", authKinds...),
			Playbook: Playbook{
				Means:  "ECR logins live twelve hours, and the one in the pull secret is older. Pods that run go on; every new pull fails until the Secret is renewed.",
				Verify: []Step{look("See how old the Secret is.", "kubectl -n {namespace} get secret {secret} -o jsonpath='{.metadata.creationTimestamp}'")},
				Mend: []Step{cure("namespace admin", "Renew the token.", "kubectl -n {namespace} create secret docker-registry {secret} --docker-server={registry} --docker-username=AWS --docker-password=\"$(aws ecr get-login-password)\" --dry-run=client -o yaml | kubectl apply -f -", "nothing to take back: the old token is dead"),
					{Text: "Renew it by machine (External Secrets, a CronJob), or let the node's plugin log in.", Approver: "platform team"}, waitRetry},
			}},
		{Code: "ecr-iam-denied", Family: Credentials, Class: Terminal, Title: "AWS identity may not pull from ECR", Detect: pullCause("ecr-iam-denied", authKinds...),
			Playbook: Playbook{
				Means:  "The login is valid, but its AWS identity lacks a right on this repository. The body of the answer names identity, action and resource.",
				Verify: []Step{seeEvents, look("Read the repository's policy.", "aws ecr get-repository-policy --repository-name {repository}")},
				Mend:   []Step{{Text: "Allow ecr:BatchGetImage, ecr:GetDownloadUrlForLayer and ecr:BatchCheckLayerAvailability to the identity or in the repository's policy.", Approver: "security"}, retryNow},
			}},
		{Code: "gar-permission-denied", Family: Credentials, Class: Terminal, Title: "Google identity may not read the repository", Detect: pullCause("gar-permission-denied", authKinds...),
			Playbook: Playbook{
				Means:  "Artifact Registry was asked by an identity without the reader role, or for a repository that does not exist; it answers both alike. Pulls use the node's service account, not the pod's.",
				Verify: []Step{look("See the node pool's service account and scopes.", "gcloud container node-pools list --cluster CLUSTER --format='table(name,config.serviceAccount,config.oauthScopes)'"), askManifest},
				Mend:   []Step{{Text: "Grant roles/artifactregistry.reader on the repository's project to the node's service account.", Approver: "security"}, retryNow, rollBack},
			}},
		{Code: "acr-unauthorized", Family: Credentials, Class: Terminal, Title: "Azure registry refuses the identity", Detect: pullCause("acr-unauthorized", authKinds...),
			Playbook: Playbook{
				Means:  "Azure's registry does not accept the node's identity for this image: no AcrPull right, an expired service principal, or a right that has not arrived yet on a new node. An absent tag can give the same answer.",
				Verify: []Step{look("Check the path from the cluster to the registry.", "az aks check-acr --resource-group GROUP --name CLUSTER --acr {registry}")},
				Mend:   []Step{{Text: "Attach the registry to the cluster (az aks update --attach-acr) or renew the service principal.", Approver: "platform team"}, waitRetry},
			}},
		{Code: "acr-firewall", Family: Credentials, Class: Terminal, Title: "Azure registry's firewall refuses the address", Detect: pullCause("acr-firewall", authKinds...),
			Playbook: Playbook{
				Means:  "The registry lets certain addresses in, and the node's is not among them. With a private endpoint it means that DNS gave the node the public address.",
				Verify: []Step{nodeLookup, look("See the registry's network rules.", "az acr network-rule list --name {registry}")},
				Mend:   []Step{{Text: "Allow the egress address, or link the private DNS zone to the nodes' network.", Approver: "platform team"}, waitRetry},
			}},
		{Code: "quay-unauthorized", Family: Credentials, Class: Terminal, Title: "Quay refuses the repository", Detect: pullCause("quay-unauthorized", authKinds...),
			Playbook: Playbook{
				Means:  "Quay gives one answer for a private repository and for one that does not exist.",
				Verify: []Step{look("Ask Quay whether it is public.", "curl -s -o /dev/null -w '%{http_code}\\n' https://quay.io/api/v1/repository/{repository}")},
				Mend:   []Step{setImage, addSecret, rollBack},
			}},
		{Code: "harbor-unauthorized", Family: Credentials, Class: Terminal, Title: "Harbor refuses the repository", Detect: pullCause("harbor-unauthorized", authKinds...),
			Playbook: Playbook{
				Means:  "Harbor does not let this account pull from the project: it is no member, the robot account expired, or a shell ate the $ of its name.",
				Verify: []Step{look("See the user name in the Secret.", "kubectl -n {namespace} get secret {secret} -o jsonpath='{.data.\\.dockerconfigjson}' | base64 -d | jq '.auths | map_values(.username)'"), tryLogin},
				Mend:   []Step{replaceSecret, {Text: "Give the robot account the right to pull in the project.", Approver: "registry owner"}, retryNow},
			}},
		{Code: "gitlab-registry-denied", Family: Credentials, Class: Terminal, Title: "GitLab registry refuses the token", Detect: pullCause("gitlab-registry-denied", authKinds...),
			Playbook: Playbook{
				Means:  "GitLab's token service refuses the credential. A job's own token dies with the job; deploy tokens can be revoked, expire, or lack read_registry.",
				Verify: []Step{look("See the user name in the Secret.", "kubectl -n {namespace} get secret {secret} -o jsonpath='{.data.\\.dockerconfigjson}' | base64 -d | jq '.auths | map_values(.username)'")},
				Mend:   []Step{{Text: "Make a deploy token with read_registry.", Approver: "app owner"}, replaceSecret, waitRetry},
			}},
	}
}

// pluginCauses are about the node's own credentials and the kubelet's records.
func pluginCauses() []Cause {
	bridge := []Step{addSecret, {Text: "Repair the plugin's set-up on the nodes and restart the kubelet.", Approver: "node owner"}}
	pluginFlags := look("See how the kubelet is told to get credentials.", "kubectl debug node/{node} -it --image=busybox -- chroot /host sh -c 'ps ax | grep -o -- --image-credential-provider[^ ]*'")
	return []Cause{
		{Code: "credential-plugin-failed", Family: Credentials, Class: Terminal, Title: "Kubelet credential plugin fails", Detect: pullCause("credential-plugin-failed", pullerror.CredentialPlugin),
			Playbook: Playbook{
				Means:  "The kubelet runs a plugin to log in to this registry, and the plugin failed. The pod sees only that it was refused without a credential.",
				Verify: []Step{kubeletLog, pluginFlags},
				Mend:   bridge,
			}},
		{Code: "credential-plugin-not-configured", Family: Credentials, Class: Terminal, Title: "Kubelet has no credential plugin for the registry", Detect: pullCause("credential-plugin-not-configured", authKinds...),
			Playbook: Playbook{
				Means:  "Newer kubelets no longer know cloud registries by themselves and need a plugin with a pattern that covers the host. This node has none for it, often since an upgrade.",
				Verify: []Step{pluginFlags, look("Compare kubelet versions.", "kubectl get nodes -o custom-columns=N:.metadata.name,V:.status.nodeInfo.kubeletVersion")},
				Mend:   bridge,
			}},
		{Code: "credential-plugin-sa-token", Family: Credentials, Class: Terminal, Title: "Credential plugin gets no ServiceAccount token", Detect: pluginToken,
			Playbook: Playbook{
				Means:  "The credential plugin works with a token of the pod's ServiceAccount, and the kubelet could not get one, or the account lacks the annotation the plugin asks for.",
				Verify: []Step{kubeletLog, look("See the account's annotations.", "kubectl -n {namespace} get serviceaccount {serviceaccount} -o jsonpath='{.metadata.annotations}'")},
				Mend: []Step{cure("namespace admin", "Set the annotation that the plugin's configuration requires.", "kubectl -n {namespace} annotate serviceaccount {serviceaccount} KEY=VALUE", "kubectl -n {namespace} annotate serviceaccount {serviceaccount} KEY-"),
					{Text: "Or allow nodes to request tokens of the account.", Approver: "platform team"}},
			}},
		{Code: "never-policy-no-credential", Family: Credentials, Class: Terminal, Title: "Image present but not for this pod (policy Never)", Detect: pullCause("never-policy-no-credential", pullerror.NeverPull),
			Playbook: Playbook{
				Means:  "The image is on the node, pulled for a pod with another credential. The kubelet hides it from pods that cannot show that credential, and policy Never forbids to ask the registry.",
				Verify: []Step{nodeImages, podSecrets},
				Mend:   []Step{addSecret, {Text: "Or allow the image in imagePullCredentialsVerificationPolicy of the kubelet.", Approver: "platform team"}},
			}},
		{Code: "pull-record-io-failed", Family: Credentials, Class: Terminal, Title: "Kubelet cannot keep its pull records", Detect: pullCause("pull-record-io-failed", pullerror.PullRecordFailed, pullerror.RecordCheckFailed),
			Playbook: Playbook{
				Means:  "Before each pull the kubelet writes down whose credential it uses. Its own disk is full, read-only or damaged, so it does not pull.",
				Verify: []Step{nodeDisk, kubeletLog},
				Mend:   []Step{cordon, {Text: "Free space on the kubelet's file system or mount it writable again.", Approver: "node owner"}},
			}},
	}
}
