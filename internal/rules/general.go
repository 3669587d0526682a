package rules

// general are the built-in causes that only repeat what somebody else's
// software said: a company that knows the words says it better. A rule's
// finding replaces one of these where it rests on the same evidence and covers
// the same pods, without naming it in explains.
var general = []string{
	"admission-webhook-denied", "vap-denied", "image-policy-webhook", "replicaset-create-error",
	"forbidden-403", "anonymous-denied", "bad-credentials", "private-or-nonexistent", "registry-5xx", "registry-unavailable-crio", "rate-limit-other",
	"image-verifier-blocked", "signature-validation-failed",
	"create-container-error", "sandbox-failed-runtime", "cni-setup-failed", "mount-failed", "attach-failed", "provisioning-failed", "failed-kill-pod",
	"crashloop-app-error", "init-container-failing", "dependency-unavailable", "exit-0-completed-loop", "exit-2-usage", "exit-126-127", "exit-128-plus-n",
	"exit-134-abort", "exit-137-not-oom", "exit-139-segv", "exit-143-sigterm",
	"scheduler-extender", "readiness-gate", "ca-not-reacting", "ca-no-fit", "karpenter-no-fit",
}
