package cause

import "github.com/unjam-dev/unjam/internal/pullerror"

func imageNameCauses() []Cause {
	notFound := append([]pullerror.Kind{}, notFoundKinds...)
	absent := append(notFound, authKinds...)
	return []Cause{
		{Code: "invalid-image-name", Family: ImageName, Class: Terminal, Title: "Malformed image name",
			Detect: pullCause("invalid-image-name", pullerror.InvalidName),
			Playbook: Playbook{
				Means:  "The kubelet cannot read the image string as a name, so no registry was asked. Mostly a template variable was empty, or the repository holds capital letters.",
				Verify: []Step{look("Read the image string as the pod has it.", "kubectl -n {namespace} get pod {pod} -o jsonpath='{.spec.containers[*].image}'")},
				Mend:   []Step{rollBack, setImage},
			}},
		{Code: "crio-short-name-enforced", Family: ImageName, Class: Terminal, Title: "Short image name refused by CRI-O",
			Detect: pullCause("crio-short-name-enforced", pullerror.ShortName),
			Playbook: Playbook{
				Means:  "The image names no registry. CRI-O on this node does not guess one: it has several to choose from, or none, and is set to refuse.",
				Verify: []Step{look("See the node's short-name settings.", "kubectl debug node/{node} -it --image=busybox -- chroot /host grep -rE 'short-name-mode|unqualified' /etc/containers")},
				Mend: []Step{cure("app owner", "Write the name in full.", "kubectl -n {namespace} set image {workload} {container}=docker.io/{repository}:{tag}", "kubectl -n {namespace} rollout undo {workload}"),
					{Text: "Or leave one unqualified-search registry on the nodes.", Approver: "platform team"}},
			}},
		{Code: "crio-unqualified-search-wrong-registry", Family: ImageName, Class: Terminal, Title: "Short image name completed with the wrong registry",
			Detect: pullCause("crio-unqualified-search-wrong-registry", absent...),
			Playbook: Playbook{
				Means:  "The image names no registry, and CRI-O tries those of its search list in turn. It shows only what the last one answered; what Docker Hub said is hidden.",
				Verify: []Step{look("See the node's search list.", "kubectl debug node/{node} -it --image=busybox -- chroot /host grep -r unqualified-search /etc/containers")},
				Mend: []Step{cure("app owner", "Write the name in full.", "kubectl -n {namespace} set image {workload} {container}=docker.io/{repository}:{tag}", "kubectl -n {namespace} rollout undo {workload}"),
					{Text: "Take registries that are not meant out of the search list.", Approver: "platform team"}},
			}},
		{Code: "never-policy-image-absent", Family: ImageName, Class: Terminal, Title: "Image absent and policy Never",
			Detect: pullCause("never-policy-image-absent", pullerror.NeverPull),
			Playbook: Playbook{
				Means:  "The container's pull policy is Never and the node does not hold the image under exactly that name, so it can never start there.",
				Verify: []Step{nodeImages, look("See the policy.", "kubectl -n {namespace} get pod {pod} -o jsonpath='{.spec.containers[*].imagePullPolicy}'")},
				Mend: []Step{cure("app owner", "Let the kubelet pull it.", "kubectl -n {namespace} patch {workload} --type=strategic -p '{\"spec\":{\"template\":{\"spec\":{\"containers\":[{\"name\":\"{container}\",\"imagePullPolicy\":\"IfNotPresent\"}]}}}}'", "kubectl -n {namespace} rollout undo {workload}"),
					{Text: "Or load the image on every node the pod may run on.", Approver: "node owner"}, rollBack},
			}},
		{Code: "tag-not-found", Family: ImageName, Class: Terminal, Title: "Image tag does not exist",
			Detect: pullCause("tag-not-found", notFoundKinds...),
			Playbook: Playbook{
				Means:  "The registry was reached and has no image under this tag. The build did not push it yet, pushed it under another name, a retention rule deleted it, or the tag is misspelt.",
				Verify: []Step{listTheTags, look("See what the old revision ran.", "kubectl -n {namespace} rollout history {workload}")},
				Mend: []Step{rollBack,
					{Text: "Use the tag that is known to exist.", Command: "kubectl -n {namespace} set image {workload} {container}={registry}/{repository}:{othertag}", Undo: "kubectl -n {namespace} rollout undo {workload}", Approver: "app owner", When: []string{"othertag"}},
					{Text: "Push the tag, if it should exist; the kubelet finds it at its next try.", Approver: "app owner"}},
			}},
		{Code: "repo-not-found", Family: ImageName, Class: Terminal, Title: "Image repository does not exist",
			Detect: pullCause("repo-not-found", notFoundKinds...),
			Playbook: Playbook{
				Means:  "The registry was reached and knows no repository of this name. A part of the path is misspelt, or project, region or account are not those the image was pushed to.",
				Verify: []Step{listTheTags, look("Compare with the image that ran before.", "kubectl -n {namespace} rollout history {workload}")},
				Mend:   []Step{rollBack, setImage},
			}},
		{Code: "digest-not-found", Family: ImageName, Class: Terminal, Title: "Image digest does not exist",
			Detect: pullCause("digest-not-found", append([]pullerror.Kind{pullerror.DigestMismatch}, notFoundKinds...)...),
			Playbook: Playbook{
				Means:  "The image is named by digest and the registry no longer has, or never had, that digest in this repository. Retention rules delete untagged digests, and copying an image to another registry can change its digest.",
				Verify: []Step{listTheTags, askManifest},
				Mend:   []Step{rollBack, setImage, {Text: "Keep digests that run from the registry's retention rules.", Approver: "registry owner"}},
			}},
		{Code: "image-moved-or-retired", Family: ImageName, Class: Terminal, Title: "Image moved or retired by its publisher",
			Detect: pullCause("image-moved-or-retired", absent...),
			Playbook: Playbook{
				Means:  "The publisher has taken the image from this place. Nodes that hold a copy keep running it; every new node fails.",
				Verify: []Step{askManifest, listTheTags},
				Mend: []Step{{Text: "Use the successor.", Command: "kubectl -n {namespace} set image {workload} {container}={successor}:{tag}", Undo: "kubectl -n {namespace} rollout undo {workload}", Approver: "app owner", When: []string{"successor"}},
					setImage, {Text: "Keep a copy of what you run in a registry of your own.", Approver: "platform team"}},
			}},
		{Code: "image-only-local", Family: ImageName, Class: Terminal, Title: "Image exists only in a local store",
			Detect: pullCause("image-only-local", absent...),
			Playbook: Playbook{
				Means:  "The image was built or loaded on one machine and never pushed. The kubelet of another node, or of the same node with policy Always, asks a registry that has never seen it.",
				Verify: []Step{nodeImages, askManifest},
				Mend: []Step{{Text: "Push the image to a registry that the nodes can read and name it in full.", Approver: "app owner"},
					cure("app owner", "On a cluster of one machine: use the copy that is there.", "kubectl -n {namespace} patch {workload} --type=strategic -p '{\"spec\":{\"template\":{\"spec\":{\"containers\":[{\"name\":\"{container}\",\"imagePullPolicy\":\"IfNotPresent\"}]}}}}'", "kubectl -n {namespace} rollout undo {workload}")},
			}},
		{Code: "registry-localhost-reference", Family: ImageName, Class: Terminal, Title: "Image reference names localhost",
			Detect: pullCause("registry-localhost-reference", pullerror.TCPRefused, pullerror.TCPTimeout, pullerror.NoRoute),
			Playbook: Playbook{
				Means:  "The image is asked of localhost. Pulls are made by the node, so that is the node itself, not your machine and not the pod; nothing serves images there.",
				Verify: []Step{look("See what listens on the node.", "kubectl debug node/{node} -it --image=busybox -- chroot /host ss -ltn"), look("Read the image string.", "kubectl -n {namespace} get pod {pod} -o jsonpath='{.spec.containers[*].image}'")},
				Mend:   []Step{setImage, rollBack, {Text: "Or run a registry or mirror on that port of every node.", Approver: "platform team"}},
			}},
		{Code: "image-volume-pull-failed", Family: ImageName, Class: Terminal, Title: "Image of an image volume cannot be pulled",
			Detect: volumePulls,
			Playbook: Playbook{
				Means:  "The container's own image is fine. A volume of the pod is itself an image, and that one cannot be pulled; the kubelet shows its error on every container that mounts it.",
				Verify: []Step{look("Read the references of image volumes.", "kubectl -n {namespace} get pod {pod} -o jsonpath='{.spec.volumes[*].image.reference}'"), askManifest},
				Mend:   []Step{{Text: "Mend the volume's reference as for any image: name, tag, credential.", Approver: "app owner"}, rollBack},
			}},
		{Code: "registry-blocked-by-config", Family: ImageName, Class: Terminal, Title: "Registry blocked by the runtime's configuration",
			Detect: pullCause("registry-blocked-by-config", pullerror.RegistryBlocked),
			Playbook: Playbook{
				Means:  "The nodes are configured to refuse this registry; it was never asked. On OpenShift the cluster's image policy writes this setting.",
				Verify: []Step{look("See the setting on the node.", "kubectl debug node/{node} -it --image=busybox -- chroot /host grep -rn -B3 'blocked' /etc/containers"), look("On OpenShift, see the cluster's policy.", "kubectl get image.config.openshift.io cluster -o yaml")},
				Mend:   []Step{rollBack, setImage, {Text: "Or allow the registry in the cluster's image policy.", Approver: "security"}},
			}},
		{Code: "signature-validation-failed", Family: ImageName, Class: Terminal, Title: "Image signature not accepted",
			Detect: pullCause("signature-validation-failed", pullerror.SignatureInvalid),
			Playbook: Playbook{
				Means:  "The image was found, but the node's signature policy asks for a signature that it does not carry or does not trust.",
				Verify: []Step{look("See what signatures the image has.", "cosign tree {image}"), look("Read the policy on the node.", "kubectl debug node/{node} -it --image=busybox -- chroot /host cat /etc/containers/policy.json")},
				Mend:   []Step{rollBack, {Text: "Sign the image and push the signature.", Approver: "app owner"}, {Text: "Or correct scope or identity in the policy.", Approver: "security"}},
			}},
		{Code: "image-verifier-blocked", Family: ImageName, Class: Terminal, Title: "Image blocked by a verifier",
			Detect: pullCause("image-verifier-blocked", pullerror.VerifierBlocked),
			Playbook: Playbook{
				Means:  "containerd asks a verifier plugin before it uses an image, and the plugin said no or failed itself. The text says which.",
				Verify: []Step{seeEvents, look("Find the verifiers on the node.", "kubectl debug node/{node} -it --image=busybox -- chroot /host ls -l /opt/containerd/image-verifier/bin")},
				Mend:   []Step{rollBack, {Text: "Give the image what the verifier asks for, or repair the verifier.", Approver: "security"}},
			}},
	}
}
