package cause

import "github.com/unjam-dev/unjam/internal/pullerror"

func contentCauses() []Cause {
	rebuild := Step{Text: "Build the image anew and push it.", Approver: "app owner"}
	archSelector := Step{Text: "Run it only on nodes of the processor it is built for.", Command: "kubectl -n {namespace} patch {workload} --type=strategic -p '{\"spec\":{\"template\":{\"spec\":{\"nodeSelector\":{\"kubernetes.io/arch\":\"{otherarch}\"}}}}}'",
		Undo: "kubectl -n {namespace} rollout undo {workload}", Approver: "app owner", When: []string{"otherarch"}}
	platforms := look("See which platforms the image has.", "crane manifest {image} | jq '.manifests[].platform'")
	return []Cause{
		{Code: "platform-mismatch", Family: Content, Class: Terminal, Title: "Image has no variant for the node's platform", Detect: pullCause("platform-mismatch", pullerror.PlatformMismatch),
			Playbook: Playbook{
				Means:  "The tag exists and lists images for several platforms, but none for this node's processor or operating system. The words \"not found\" in the error are about that list.",
				Verify: []Step{platforms, look("See the nodes' processors.", "kubectl get nodes -L kubernetes.io/arch,kubernetes.io/os")},
				Mend: []Step{archSelector, {Text: "Publish the image for the node's platform too (docker buildx build --platform).", Approver: "app owner"},
					cure("app owner", "Or keep the pods on nodes it is built for.", "kubectl -n {namespace} patch {workload} --type=strategic -p '{\"spec\":{\"template\":{\"spec\":{\"nodeSelector\":{\"kubernetes.io/arch\":\"ARCH\"}}}}}'", "kubectl -n {namespace} rollout undo {workload}"), rollBack},
			}},
		{Code: "wrong-arch-at-exec", Family: Content, Class: Terminal, Title: "Image built for another processor", Detect: either(wrongArch, pullCause("wrong-arch-at-exec", pullerror.ExecFormat)),
			Playbook: Playbook{
				Means:  "The image was pulled, since it names a single platform and nothing checks that, and its program is for another processor. A start script without its first line (#!) fails alike.",
				Verify: []Step{look("See what the image is built for.", "crane config {image} | jq '{architecture,os}'"), look("See the nodes' processors.", "kubectl get nodes -L kubernetes.io/arch")},
				Mend: []Step{archSelector, {Text: "Build the image for the node's processor (docker buildx build --platform).", Approver: "app owner"},
					cure("app owner", "Or keep the pods on nodes it is built for.", "kubectl -n {namespace} patch {workload} --type=strategic -p '{\"spec\":{\"template\":{\"spec\":{\"nodeSelector\":{\"kubernetes.io/arch\":\"ARCH\"}}}}}'", "kubectl -n {namespace} rollout undo {workload}"), rollBack},
			}},
		{Code: "schema1-manifest", Family: Content, Class: Terminal, Title: "Image in the retired schema 1 format", Detect: pullCause("schema1-manifest", pullerror.Schema1),
			Playbook: Playbook{
				Means:  "The image was pushed long ago in a format that newer runtimes refuse. Nodes with an older runtime still pull it, which makes it look like a fault of the node.",
				Verify: []Step{look("See the format.", "curl -sI -H 'Accept: application/vnd.docker.distribution.manifest.v2+json' https://{registry}/v2/{repository}/manifests/{tag} | grep -i content-type"), look("Compare runtimes.", "kubectl get nodes -o custom-columns=N:.metadata.name,R:.status.nodeInfo.containerRuntimeVersion")},
				Mend:   []Step{{Text: "Push it again in today's format (skopeo copy, or pull and push with an old engine).", Approver: "app owner"}, rollBack},
			}},
		{Code: "unexpected-media-type", Family: Content, Class: Terminal, Title: "What was served is not an image", Detect: pullCause("unexpected-media-type", pullerror.MediaType),
			Playbook: Playbook{
				Means:  "The answer was no image manifest: a web page from a login portal, proxy or wrong mirror, or an artifact (a chart, a signature) that cannot run.",
				Verify: []Step{look("See what is served.", "curl -sI https://{host}/v2/{repository}/manifests/{tag} | grep -i content-type"), nodeFetch},
				Mend:   []Step{{Text: "Mend the mirror's address or the way out of the node.", Approver: "platform team"}, setImage, rollBack},
			}},
		{Code: "manifest-too-large", Family: Content, Class: Terminal, Title: "Image manifest too large", Detect: pullCause("manifest-too-large", pullerror.ManifestTooLarge),
			Playbook: Playbook{
				Means:  "containerd refuses manifests above four megabytes. Attestations and annotations inflate them. The words \"not found\" in the error do not mean that it is missing.",
				Verify: []Step{look("Measure it.", "crane manifest {image} | wc -c")},
				Mend:   []Step{rollBack, rebuild},
			}},
		{Code: "layer-blob-missing", Family: Content, Class: Terminal, Title: "Part of the image missing in the registry", Detect: pullCause("layer-blob-missing", pullerror.BlobMissing),
			Playbook: Playbook{
				Means:  "The registry has the image's manifest but not all the layers it lists: an interrupted push, a clean-up that took too much, or a proxy registry that cannot reach its upstream.",
				Verify: []Step{look("Ask for all parts.", "crane validate --remote {image}")},
				Mend:   []Step{{Text: "Push the image again (it must be forced: clients skip layers they think are there).", Approver: "app owner"}, rollBack},
			}},
		{Code: "digest-mismatch", Family: Content, Class: SelfHealing, Title: "Downloaded bytes are not those promised", Detect: pullCause("digest-mismatch", pullerror.DigestMismatch, pullerror.SizeMismatch),
			Playbook: Playbook{
				Means:  "What arrived has another checksum than the manifest says. The same wrong sum everywhere means a damaged copy in the registry or a cache; different sums mean a fault on the way or in the node.",
				Verify: []Step{look("Check it from elsewhere.", "crane validate --remote {image}"), seeEvents},
				Mend:   []Step{{Text: "Purge the cache object or push the image again.", Approver: "registry owner"}, rollBack, waitRetry},
			}},
		{Code: "empty-body-digest", Family: Content, Class: SelfHealing, Title: "Registry sends an empty body", Detect: pullCause("empty-body-digest", pullerror.EmptyBody),
			Playbook: Playbook{
				Means:  "The checksum is that of nothing at all: the answer said all is well and carried no bytes. A proxy or mirror with a full disk does that.",
				Verify: []Step{look("Check it from elsewhere.", "crane validate --remote {image}"), nodeFetch},
				Mend:   []Step{{Text: "Purge and repair the proxy or mirror.", Approver: "platform team"}, waitRetry},
			}},
		{Code: "diffid-mismatch", Family: Content, Class: Terminal, Title: "Image's layers and configuration disagree", Detect: pullCause("diffid-mismatch", pullerror.DiffIDMismatch),
			Playbook: Playbook{
				Means:  "The layers arrived as pushed, but unpack to other contents than the image's configuration says. The build tool wrote an inconsistent image; it fails on every node.",
				Verify: []Step{look("Check the image.", "crane validate --remote {image}")},
				Mend:   []Step{rollBack, rebuild},
			}},
		{Code: "corrupt-layer-tar", Family: Content, Class: Terminal, Title: "Layer is not a readable archive", Detect: pullCause("corrupt-layer-tar", pullerror.CorruptTar),
			Playbook: Playbook{
				Means:  "A layer arrived as pushed and cannot be unpacked: a damaged archive, or a compression (zstd) that this runtime does not know or that the manifest names wrongly.",
				Verify: []Step{look("See how layers are packed.", "crane manifest {image} | jq '.layers[].mediaType'"), look("Check the image.", "crane validate --remote {image}")},
				Mend:   []Step{rollBack, rebuild},
			}},
		{Code: "too-many-layers", Family: Content, Class: Terminal, Title: "Image has too many layers", Detect: pullCause("too-many-layers", pullerror.TooManyLayers),
			Playbook: Playbook{
				Means:  "The runtime can stack only so many layers, and the image has more.",
				Verify: []Step{look("Count them.", "crane manifest {image} | jq '.layers | length'")},
				Mend:   []Step{rollBack, {Text: "Join steps of the build into fewer layers.", Approver: "app owner"}},
			}},
	}
}
