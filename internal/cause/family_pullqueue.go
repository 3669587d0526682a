package cause

import (
	"slices"

	"github.com/unjam-dev/unjam/internal/pullerror"
)

func pullQueueCauses() []Cause {
	configz := look("See the kubelet's pull settings.", "kubectl get --raw /api/v1/nodes/{node}/proxy/configz | jq '.kubeletconfig | {serializeImagePulls,maxParallelImagePulls,registryPullQPS,registryBurst}'")
	onNode := look("See which pulls are open on the node.", "kubectl get events -A --field-selector reason=Pulling -o wide | grep {node}")
	parallel := Step{Text: "Let the kubelet pull in parallel: serializeImagePulls false and maxParallelImagePulls to match disk and network.", Approver: "platform team"}
	prewarm := Step{Text: "Bring the image onto nodes before the rollout, or use a cache near them.", Approver: "platform team"}
	reach := slices.Concat(networkKinds, serviceKinds)
	return []Cause{
		{Code: "pull-qps-exceeded", Family: PullQueue, Class: SelfHealing, Title: "Kubelet's own pull limit reached", Detect: pullCause("pull-qps-exceeded", pullerror.PullQPS),
			Playbook: Playbook{Means: "The kubelet limits how many pulls it starts per second, and many pods started at once on this node. No registry was asked; the next try mostly succeeds.",
				Verify: []Step{configz, onNode}, Mend: []Step{waitRetry, {Text: "Raise registryPullQPS and registryBurst, or lower maxParallelImagePulls.", Approver: "platform team"}}}},
		{Code: "ingest-locked", Family: PullQueue, Class: SelfHealing, Title: "Layer locked by another pull", Detect: nodeCause("ingest-locked", pullerror.IngestLocked),
			Playbook: Playbook{Means: "Another pull on the node is fetching the same layer and holds its lock. It ends with that pull; after an hour the lock was leaked.",
				Verify: []Step{onNode, runtimeLog}, Mend: []Step{waitRetry, cure("node owner", "After an hour, restart the runtime.", "kubectl debug node/{node} -it --image=busybox -- chroot /host systemctl restart containerd", "nothing to take back")}}},
		{Code: "pull-progress-timeout", Family: PullQueue, Class: SelfHealing, Title: "Pull gave up for lack of progress", Detect: nodeCause("pull-progress-timeout", pullerror.Cancelled, pullerror.ProgressTimeout),
			Playbook: Playbook{Means: "The runtime stops a pull when no data arrives for some minutes; the pod sees only that it was cancelled. A slow link or proxy, or a very slow disk during unpacking, does it.",
				Verify: []Step{runtimeLog, seeEvents}, Mend: []Step{waitRetry, {Text: "Mend the link or proxy; raise image_pull_progress_timeout in containerd's settings.", Approver: "node owner"}}}},
		{Code: "pull-hangs-drip", Family: PullQueue, Class: SelfHealing, Settle: slowerSettle, Title: "Pull hangs", Detect: hangingPull,
			Playbook: Playbook{Means: "The pull began long ago and says nothing. The kubelet sets no limit, and a trickle of bytes keeps the runtime's own from firing. With one pull at a time it holds up every other image on the node.",
				Verify: []Step{onNode, runtimeLog}, Mend: []Step{cordon, cure("node owner", "Restart the runtime to break it off (running containers go on).", "kubectl debug node/{node} -it --image=busybox -- chroot /host systemctl restart containerd", "nothing to take back")}}},
		{Code: "serial-pull-queue", Family: PullQueue, Class: SelfHealing, Settle: queueSettle, Title: "Pull waits behind another image", Detect: queued("serial-pull-queue"),
			Playbook: Playbook{Means: "By default the kubelet pulls one image at a time. This one was announced and waits until an earlier, longer pull on the node ends.",
				Verify: []Step{configz, onNode}, Mend: []Step{waitRetry, parallel, prewarm}}},
		{Code: "parallel-cap-queue", Family: PullQueue, Class: SelfHealing, Settle: queueSettle, Title: "All parallel pulls of the node taken", Detect: queued("parallel-cap-queue"),
			Playbook: Playbook{Means: "The kubelet pulls several images at once up to a limit, and as many are under way.",
				Verify: []Step{configz, onNode}, Mend: []Step{waitRetry, {Text: "Raise maxParallelImagePulls as far as disk and network allow.", Approver: "platform team"}}}},
		{Code: "slow-transfer", Family: PullQueue, Class: SelfHealing, Settle: slowerSettle, Title: "Slow transfer from the registry", Detect: slowPull("slow-transfer"),
			Playbook: Playbook{Means: "The image comes, but slowly: few bytes a second from this registry to this node. Distance, a throttled way out, or a busy registry.",
				Verify: []Step{onNode, look("Compare with earlier pulls.", "kubectl get events -A --field-selector reason=Pulled | grep 'Successfully pulled'")}, Mend: []Step{waitRetry, {Text: "Use a registry or pull-through cache in the same region.", Approver: "platform team"}, prewarm}}},
		{Code: "slow-unpack", Family: PullQueue, Class: SelfHealing, Settle: slowerSettle, Title: "Slow unpacking on the node", Detect: slowPull("slow-unpack"),
			Playbook: Playbook{Means: "Images of every registry take long on this node and not on others: unpacking is bound to one processor per layer and to the disk.",
				Verify: []Step{look("Watch disk and processor during the pull.", "kubectl debug node/{node} -it --image=busybox -- chroot /host top -b -n1"), onNode}, Mend: []Step{waitRetry, {Text: "Give nodes a faster disk; pack layers with zstd; avoid single giant layers.", Approver: "platform team"}}}},
		{Code: "image-too-large", Family: PullQueue, Class: SelfHealing, Settle: slowerSettle, Title: "Image is very large", Detect: slowPull("image-too-large"),
			Playbook: Playbook{Means: "The transfer runs at an ordinary speed, and the image is so large that it takes long.",
				Verify: []Step{look("See the largest layers.", "crane manifest {image} | jq '[.layers[].size] | sort | reverse | .[:5]'")}, Mend: []Step{waitRetry, {Text: "Build a smaller image, and keep models and data out of it.", Approver: "app owner"}, prewarm}}},
		{Code: "thundering-herd", Family: PullQueue, Class: SelfHealing, Title: "Many nodes pull one image at once", Detect: herd,
			Playbook: Playbook{Means: "A rollout made many nodes ask for the same image in the same minute, and the registry turned some away. They come through one after the other.",
				Verify: []Step{seeEvents, onNode}, Mend: []Step{pauseRollout, {Text: "Lower maxSurge and maxUnavailable, or stagger the rollout.", Approver: "app owner"}, prewarm}}},
		{Code: "policy-always-needs-registry", Family: PullQueue, Class: Terminal, Title: "Image present, policy Always asks the registry", Detect: pullCause("policy-always-needs-registry", reach...),
			Playbook: Playbook{Means: "The node holds the image, but the pull policy Always (set, or the default for the tag latest) asks the registry at every start, and the registry cannot be asked now.",
				Verify: []Step{nodeImages, look("See the policy.", "kubectl -n {namespace} get pod {pod} -o jsonpath='{.spec.containers[*].imagePullPolicy}'")},
				Mend: []Step{cure("app owner", "Use the copy that is there.", "kubectl -n {namespace} patch {workload} --type=strategic -p '{\"spec\":{\"template\":{\"spec\":{\"containers\":[{\"name\":\"{container}\",\"imagePullPolicy\":\"IfNotPresent\"}]}}}}'", "kubectl -n {namespace} rollout undo {workload}"),
					{Text: "Pin a tag or digest, so that IfNotPresent is safe.", Approver: "app owner"}}}},
		{Code: "credential-recheck-repull", Family: Credentials, Class: Terminal, Title: "Image present, kubelet wants proof of the right to it", Detect: pullCause("credential-recheck-repull", slices.Concat(reach, authKinds)...),
			Playbook: Playbook{Means: "The node holds the image, pulled with another credential. Newer kubelets (1.35 on) let a pod use it only after the registry has confirmed the pod's own right, and that request fails.",
				Verify: []Step{nodeImages, podSecrets, look("See the kubelet's rule.", "kubectl get --raw /api/v1/nodes/{node}/proxy/configz | jq .kubeletconfig.imagePullCredentialsVerificationPolicy")},
				Mend:   []Step{addSecret, {Text: "Or list the image in preloadedImagesVerificationAllowlist of the kubelets.", Approver: "platform team"}}}},
		{Code: "not-pulling-yet", Family: PullQueue, Class: Symptom, Title: "Pull has not begun", Detect: notPulling,
			Playbook: Playbook{Means: "The pod is on its node, and the pull was not announced yet: sandbox, network, volumes or an init container come first.",
				Verify: []Step{seeEvents, look("See the pod's conditions.", "kubectl -n {namespace} get pod {pod} -o jsonpath='{.status.conditions}'")}, Mend: []Step{{Text: "Look at the earlier stage: FailedMount, FailedCreatePodSandBox or NetworkNotReady in its events.", Approver: "app owner"}}}},
		{Code: "backoff-wait", Family: PullQueue, Class: Symptom, Title: "Pull waits for its next try", Detect: pullCause("backoff-wait", pullerror.Unknown, pullerror.BackOffOnly, pullerror.HTTPStatus),
			Playbook: Playbook{Means: "The pull failed and the kubelet waits before it tries again, up to five minutes. That is a state; the cause stood in an earlier event, or its words are not known.",
				Verify: []Step{seeEvents, askManifest}, Mend: []Step{retryNow, rollBack}}},
	}
}
