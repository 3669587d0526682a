package cause

// crashCauses are containers that start and die.
func crashCauses() []Cause {
	return []Cause{
		{Code: "poststart-hook", Family: Crash, Class: Terminal, Title: "postStart hook fails and gets the container killed",
			Playbook: playbookPostStart, Detect: sighted(crashSightings, "poststart-hook")},
		{Code: "oomkilled", Family: Crash, Class: Terminal, Title: "container uses more memory than its limit",
			Playbook: playbookOOM, Detect: sighted(crashSightings, "oomkilled")},
		{Code: "exec-format-error", Family: Crash, Class: Terminal, Title: "program of the image is of a format the node cannot run",
			Playbook: playbookFormat, Detect: sighted(both(startErrorSightings, crashSightings), "exec-format-error")},
		{Code: "exit-126-127", Family: Crash, Class: Terminal, Title: "shell cannot find or execute the command",
			Playbook: playbookShell, Detect: sighted(crashSightings, "exit-126-127")},
		{Code: "exit-2-usage", Family: Crash, Class: Terminal, Title: "program panics or does not know its arguments",
			Playbook: playbookUsage, Detect: sighted(crashSightings, "exit-2-usage")},
		{Code: "dependency-unavailable", Family: Crash, Class: SelfHealing, Title: "something the program needs does not answer",
			Playbook: playbookDependency, Detect: sighted(both(crashSightings, notReadySightings), "dependency-unavailable")},
		{Code: "init-container-failing", Family: Crash, Class: Terminal, Title: "init container fails",
			Playbook: playbookInitFails, Detect: sighted(crashSightings, "init-container-failing")},
		{Code: "exit-139-segv", Family: Crash, Class: Terminal, Title: "program crashes with a segmentation fault",
			Playbook: playbookSegv, Detect: sighted(crashSightings, "exit-139-segv")},
		{Code: "exit-134-abort", Family: Crash, Class: Terminal, Title: "program aborts",
			Playbook: playbookAbort, Detect: sighted(crashSightings, "exit-134-abort")},
		{Code: "exit-0-completed-loop", Family: Crash, Class: Terminal, Title: "program ends successfully where it should keep running",
			Playbook: playbookCompleted, Detect: sighted(crashSightings, "exit-0-completed-loop")},
		{Code: "crashloop-app-error", Family: Crash, Class: Terminal, Title: "program ends with an error of its own",
			Playbook: playbookAppError, Detect: sighted(crashSightings, "crashloop-app-error")},
		{Code: "exit-128-plus-n", Family: Crash, Class: Terminal, Title: "program is ended by a signal",
			Playbook: playbookSignal, Detect: sighted(crashSightings, "exit-128-plus-n")},
		{Code: "exit-137-not-oom", Family: Crash, Class: SelfHealing, Title: "container is killed, and not for its memory limit",
			Playbook: playbookKilled, Detect: sighted(crashSightings, "exit-137-not-oom")},
		{Code: "exit-143-sigterm", Family: Crash, Class: SelfHealing, Title: "container is asked to end",
			Playbook: playbookTerminated, Detect: sighted(crashSightings, "exit-143-sigterm")},
		{Code: "container-status-unknown", Family: Crash, Class: SelfHealing, Title: "runtime lost track of the container",
			Playbook: playbookLostStatus, Detect: sighted(crashSightings, "container-status-unknown")},
	}
}

var (
	playbookPostStart = Playbook{
		Means:  "The container starts, its postStart hook fails, and the kubelet kills the container for it. The exit code belongs to the kill, not to the program, so the program's log will look harmless.",
		Verify: []Step{look("See the hook.", "kubectl -n {namespace} get pod {pod} -o jsonpath='{.spec.containers[?(@.name==\"{container}\")].lifecycle.postStart}'"), readEvents, readLog},
		Mend:   []Step{rollBack, cure("app owner", "Correct the hook: its command must be in the image and must succeed; or move its work into the program or an init container.", "kubectl -n {namespace} edit {workload}", "kubectl -n {namespace} rollout undo {workload}")}}
	playbookOOM = Playbook{
		Means: "The kernel killed the container because it went over its own memory limit. At start-up that repeats every time; under load it comes with the load. Other containers and the node are not concerned.",
		Verify: []Step{
			look("See the limit and the last end.", "kubectl -n {namespace} describe pod {pod}"),
			look("See what pods that run use.", "kubectl -n {namespace} top pod --containers"), readLog,
		},
		Mend: []Step{
			cure("app owner", "Raise the memory limit (and the request with it) above what the program needs at its peak.", "kubectl -n {namespace} set resources {workload} -c {container} --limits=memory=512Mi --requests=memory=512Mi", "kubectl -n {namespace} rollout undo {workload}"),
			cure("app owner", "Make the program's own limit (JVM heap, GOMEMLIMIT, Node's old space) fit below the container's.", "", ""), rollBack,
		}}
	playbookFormat = Playbook{
		Means: "The kernel of the node cannot run the program: the image is built for another processor, or its entrypoint is a script without a #! line. A new pull does not help; the same image fails on every node of this kind.",
		Verify: []Step{
			look("See the processor of the node.", "kubectl get node {node} -o jsonpath='{.status.nodeInfo.architecture}'"),
			look("See what the image is built for.", "crane config {image} | jq -r '.os + \"/\" + .architecture'"), readLog,
		},
		Mend: []Step{
			rollBack, cure("app owner", "Build the image for the node's processor (or for several), or give the script its #! line.", "", ""),
			cure("app owner", "Until then keep the pods on nodes of the image's processor with a nodeSelector kubernetes.io/arch.", "kubectl -n {namespace} edit {workload}", "kubectl -n {namespace} rollout undo {workload}"),
		}}
	playbookShell = Playbook{
		Means:  "The container runs a shell, and the shell does not find the command (127) or may not execute it (126). The command's path, the image's contents or a file's mode bits are wrong.",
		Verify: []Step{readLog, look("See the command.", "kubectl -n {namespace} get pod {pod} -o jsonpath='{.spec.containers[?(@.name==\"{container}\")].command}{.spec.containers[?(@.name==\"{container}\")].args}'")},
		Mend:   []Step{rollBack, cure("app owner", "Correct the path in the command, or build the image with the file and its x bit.", "kubectl -n {namespace} edit {workload}", "kubectl -n {namespace} rollout undo {workload}")}}
	playbookUsage = Playbook{
		Means:  "The program ends with code 2 and says why: a Go panic, or an argument that it does not know. New flags with an old image, or the reverse, do that.",
		Verify: []Step{readLog, look("See the arguments.", "kubectl -n {namespace} get pod {pod} -o jsonpath='{.spec.containers[?(@.name==\"{container}\")].args}'")},
		Mend:   []Step{rollBack, cure("app owner", "Correct the arguments, or use the image that knows them.", "kubectl -n {namespace} edit {workload}", "kubectl -n {namespace} rollout undo {workload}")}}
	playbookDependency = Playbook{
		Means: "The program's log says that a database, service or name it needs does not answer. When that comes back, the pod recovers at its next start. When only the new release fails, its address or network policy is wrong rather than the thing itself.",
		Verify: []Step{
			readLog, look("See whether the service it names has endpoints.", "kubectl get endpointslices -A | grep -i -- {dependency}"),
			look("See whether a policy forbids the way.", "kubectl -n {namespace} get networkpolicies"),
		},
		Mend: []Step{cure("service owner", "Bring the dependency back, or open the way to it.", "", ""), cure("app owner", "Correct the address in the release's configuration.", "", ""), rollBack}}
	playbookInitFails = Playbook{
		Means:  "An init container ends with an error. The kubelet runs it again and again, and the pod's other containers do not start before it has succeeded. Their state (PodInitializing) is only its effect.",
		Verify: []Step{look("Read the init container's log.", "kubectl -n {namespace} logs {pod} -c {container} --previous --tail=50"), look("See how it ended.", "kubectl -n {namespace} get pod {pod} -o jsonpath='{.status.initContainerStatuses}'")},
		Mend:   []Step{cure("app owner", "Mend what its log names (a migration, a permission, a missing file).", "", ""), rollBack}}
	playbookSegv = Playbook{
		Means:  "The program touched memory that is not its own and the kernel ended it. Native libraries, a musl image with glibc binaries, or a processor feature that the node lacks are the usual reasons.",
		Verify: []Step{readLog, look("See whether it depends on the node.", "kubectl -n {namespace} get pods -o wide")},
		Mend:   []Step{rollBack, cure("app owner", "Build against the image's own libraries and a processor that all nodes offer.", "", "")}}
	playbookAbort = Playbook{
		Means:  "The program ended itself with abort: a failed assertion, a fatal error of the JVM, or memory that could not be had. Its log says which.",
		Verify: []Step{readLog}, Mend: []Step{rollBack, cure("app owner", "Mend what the log names.", "", "")}}
	playbookCompleted = Playbook{
		Means:  "The program does its work and ends without an error, and the workload's kind starts again whatever ends. Either the program puts itself in the background, or its work is a task and belongs in a Job.",
		Verify: []Step{readLog, look("See the command.", "kubectl -n {namespace} get pod {pod} -o jsonpath='{.spec.containers[?(@.name==\"{container}\")].command}{.spec.containers[?(@.name==\"{container}\")].args}'")},
		Mend:   []Step{cure("app owner", "Run the program in the foreground.", "kubectl -n {namespace} edit {workload}", "kubectl -n {namespace} rollout undo {workload}"), cure("app owner", "If it is a task, make it a Job or CronJob.", "", ""), rollBack}}
	playbookAppError = Playbook{
		Means: "The program starts and ends with an error code of its own. The kubelet did not kill it and memory was not short, so the reason is in its log. The kubelet starts it again after 10 s, 20 s, and so on up to 5 minutes.",
		Verify: []Step{
			readLog, look("Compare with the previous revision: what changed?", "kubectl -n {namespace} rollout history {workload}"),
			look("See whether all new pods fail alike.", "kubectl -n {namespace} get pods -o wide"),
		},
		Mend: []Step{rollBack, cure("app owner", "Mend what the last log lines name, in the program or its configuration.", "", "")}}
	playbookSignal = Playbook{
		Means:  "The program was ended by a signal, which the exit code less 128 names. The kubelet did not send it, so it came from the kernel (illegal instruction, bus error), from within the container, or from the node.",
		Verify: []Step{readLog, look("Look for the same moment in the node's kernel log.", "kubectl describe node {node}")},
		Mend:   []Step{rollBack, cure("app owner", "Find who sends the signal: an illegal instruction (132) means a processor feature the node lacks.", "", "")}}
	playbookKilled = Playbook{
		Means: "The container was killed outright (SIGKILL). The runtime does not say that memory was short, and no kill by the kubelet is on record: either its event is gone, or the node's kernel did it for lack of memory on the whole node.",
		Verify: []Step{
			look("Look for a kill by the kubelet.", "kubectl -n {namespace} get events --field-selector involvedObject.name={pod},reason=Killing"),
			look("Look for memory shortage of the whole node.", "kubectl get events -A --field-selector involvedObject.kind=Node,reason=SystemOOM"),
		},
		Mend: []Step{cure("app owner", "If a probe did it, give the probe more time; if the program ignored SIGTERM, let it handle it.", "", ""), cordon, rollBack}}
	playbookTerminated = Playbook{
		Means:  "The process ended on SIGTERM, as a program should when it is asked to. Somebody asked: a probe's kill whose event is gone, a supervisor in the container, or an agent on the node.",
		Verify: []Step{look("Look for who asked.", "kubectl -n {namespace} get events --field-selector involvedObject.name={pod}"), readLog},
		Mend:   []Step{cure("app owner", "Find the sender; there is nothing to mend in the exit itself.", "", ""), rollBack}}
	playbookLostStatus = Playbook{
		Means:  "The kubelet or the runtime does not know how the container ended: the node was rebooted, the runtime restarted, or the pod was evicted. The code 137 or 255 is made up and says nothing about memory.",
		Verify: []Step{readNode, look("See whether other pods of the node restarted at the same time.", "kubectl get pods -A -o wide --field-selector spec.nodeName={node}")},
		Mend:   []Step{cure("node owner", "Nothing for the pod: it starts again. Find out what happened to the node.", "", ""), cordon}}
)
