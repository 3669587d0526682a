package cause

// Steps that several pull causes share.
var (
	retryNow = cure("app owner", "Once mended, have the pull tried at once instead of after the back-off.", "kubectl -n {namespace} delete pod {pod}",
		"nothing to take back: the controller makes a new pod")
	waitRetry = Step{Text: "Once mended, wait: the kubelet tries again by itself, every five minutes at the latest.", Approver: "app owner"}
	setImage  = cure("app owner", "Set an image that exists.", "kubectl -n {namespace} set image {workload} {container}=NEW_IMAGE",
		"kubectl -n {namespace} rollout undo {workload}")
	pauseRollout = cure("app owner", "Stop the rollout from adding more pulls.", "kubectl -n {namespace} rollout pause {workload}",
		"kubectl -n {namespace} rollout resume {workload}")

	seeEvents    = look("Read the pod's events in full.", "kubectl -n {namespace} get events --field-selector involvedObject.name={pod} -o custom-columns=T:.lastTimestamp,R:.reason,M:.message")
	listTheTags  = look("List the tags of the repository with an account that may read it.", "crane ls {registry}/{repository}")
	askManifest  = look("Ask the registry for the image from your own machine.", "crane digest {image}")
	nodeImages   = look("List the images on the node.", "kubectl debug node/{node} -it --image=busybox -- chroot /host crictl images")
	runtimeLog   = look("Read the runtime's log on the node.", "kubectl debug node/{node} -it --image=busybox -- chroot /host journalctl -u containerd --since -30min")
	kubeletLog   = look("Read the kubelet's log on the node.", "kubectl debug node/{node} -it --image=busybox -- chroot /host journalctl -u kubelet --since -30min")
	nodeDisk     = look("Look at free bytes and inodes on the node.", "kubectl debug node/{node} -it --image=busybox -- chroot /host df -h -i /var/lib/containerd /var/lib/kubelet")
	nodeFetch    = look("Ask the registry from the node itself.", "kubectl debug node/{node} -it --image=busybox -- chroot /host curl -sv -o /dev/null https://{host}/v2/")
	nodeLookup   = look("Look the name up with the node's own resolver.", "kubectl debug node/{node} -it --image=busybox -- chroot /host getent hosts {host}")
	seeCert      = look("Look at the certificate that is shown.", "openssl s_client -connect {host} -showcerts </dev/null | openssl x509 -noout -subject -issuer -dates -ext subjectAltName")
	podSecrets   = look("See which pull secrets the pod names.", "kubectl -n {namespace} get pod {pod} -o jsonpath='{.spec.imagePullSecrets}'")
	secretHosts  = look("See which hosts the Secret is for (no password is shown).", "kubectl -n {namespace} get secret {secret} -o jsonpath='{.data.\\.dockerconfigjson}' | base64 -d | jq '.auths | map_values(keys)'")
	secretType   = look("See the Secret's type and keys.", "kubectl -n {namespace} get secret {secret} -o json | jq '{type, keys: (.data | keys)}'")
	tryLogin     = look("Log in with the Secret's user and password.", "crane auth login {registry} -u USER -p PASSWORD")
	createSecret = cure("namespace admin", "Create a pull secret for the registry.", "kubectl -n {namespace} create secret docker-registry {secret} --docker-server={registry} --docker-username=USER --docker-password=PASSWORD",
		"kubectl -n {namespace} delete secret {secret}")
	replaceSecret = cure("namespace admin", "Put a working credential into the Secret (the kubelet reads it at the next try).",
		"kubectl -n {namespace} create secret docker-registry {secret} --docker-server={registry} --docker-username=USER --docker-password=PASSWORD --dry-run=client -o yaml | kubectl apply -f -",
		"apply the old Secret again; save it first with kubectl -n {namespace} get secret {secret} -o yaml")
	addSecret = cure("app owner", "Name a pull secret in the pod template.", "kubectl -n {namespace} patch {workload} --type=strategic -p '{\"spec\":{\"template\":{\"spec\":{\"imagePullSecrets\":[{\"name\":\"SECRET\"}]}}}}'",
		"kubectl -n {namespace} rollout undo {workload}")
)
