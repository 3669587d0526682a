package cause

import "time"

// startSettle is how long a program that runs may take to become Ready before it
// is a stall: nothing tells a slow start from one that never ends, and starts of
// two minutes and more are common.
const startSettle = 170 * time.Second

// probeCauses are containers that run and do not count as Ready, or are killed
// for it.
func probeCauses() []Cause {
	return []Cause{
		{Code: "startup-probe-failed", Family: Probes, Class: Terminal, Title: "startup probe gets the container killed",
			Playbook: playbookStartupProbe, Detect: killedOrDoomed("startup-probe-failed")},
		{Code: "liveness-kill", Family: Probes, Class: Terminal, Title: "liveness probe gets the container killed",
			Playbook: playbookLiveness, Detect: killedOrDoomed("liveness-kill")},
		{Code: "readiness-http-status", Family: Probes, Class: SelfHealing, Settle: startSettle, Title: "readiness probe is answered with an error status",
			Playbook: playbookHTTPStatus, Detect: sighted(notReadySightings, "readiness-http-status")},
		{Code: "readiness-conn-refused", Family: Probes, Class: SelfHealing, Settle: startSettle, Title: "nothing usable listens where the readiness probe asks",
			Playbook: playbookRefused, Detect: sighted(notReadySightings, "readiness-conn-refused")},
		{Code: "readiness-timeout", Family: Probes, Class: SelfHealing, Settle: startSettle, Title: "readiness probe gets no answer in time",
			Playbook: playbookProbeTimeout, Detect: sighted(notReadySightings, "readiness-timeout")},
		{Code: "probe-exec", Family: Probes, Class: SelfHealing, Settle: startSettle, Title: "readiness command fails",
			Playbook: playbookProbeExec, Detect: sighted(notReadySightings, "probe-exec")},
		{Code: "probe-grpc", Family: Probes, Class: SelfHealing, Settle: startSettle, Title: "gRPC readiness probe fails",
			Playbook: playbookProbeGRPC, Detect: sighted(notReadySightings, "probe-grpc")},
		{Code: "readiness-gate", Family: Probes, Class: SelfHealing, Title: "readiness gate is not set",
			Playbook: playbookGate, Detect: sighted(gateSightings, "readiness-gate")},
		{Code: "sidecar-blocks-start", Family: Probes, Class: SelfHealing, Settle: 5 * time.Minute, Title: "sidecar has not started and holds up the pod",
			Playbook: playbookSidecar, Detect: sighted(notReadySightings, "sidecar-blocks-start")},
		{Code: "init-container-waiting", Family: Probes, Class: SelfHealing, Settle: 5 * time.Minute, Title: "init container runs and does not end",
			Playbook: playbookInitWaits, Detect: sighted(initSightings, "init-container-waiting")},
		{Code: "ready-flapping", Family: Probes, Class: SelfHealing, Title: "container becomes Ready and dies again",
			Playbook: playbookFlapping, Detect: sighted(flapSightings, "ready-flapping")},
		{Code: "min-ready-seconds", Family: Probes, Class: Waiting, Title: "pods are Ready and have to stay so for a while",
			Playbook: playbookMinReady, Detect: sighted(minReadySightings, "min-ready-seconds")},
		{Code: "slow-start", Family: Probes, Class: Symptom, Title: "container is still starting",
			Playbook: playbookSlowStart, Detect: sighted(notReadySightings, "slow-start")},
		{Code: "resize-infeasible", Family: Probes, Class: Symptom, Title: "node can never grant the pod's in-place resize",
			Playbook: playbookResize, Detect: sighted(resizeSightings, "resize-infeasible")},
		{Code: "resize-deferred", Family: Probes, Class: Symptom, Title: "pod's in-place resize waits for room on the node",
			Playbook: playbookResize, Detect: sighted(resizeSightings, "resize-deferred")},
		{Code: "probe-warning-noise", Family: Probes, Class: Symptom, Title: "kubelet warns about a probe that passes",
			Playbook: playbookProbeWarning, Detect: sighted(noiseSightings, "probe-warning-noise")},
	}
}

var (
	editProbe     = cure("app owner", "Correct the probe in the workload.", "kubectl -n {namespace} edit {workload}", "kubectl -n {namespace} rollout undo {workload}")
	seeProbes     = look("See the probes as configured and what they found.", "kubectl -n {namespace} describe pod {pod}")
	readCurrent   = look("Read the log of the running container.", "kubectl -n {namespace} logs {pod} -c {container} --tail=50")
	seeListen     = look("See on which addresses the process listens.", "kubectl -n {namespace} exec {pod} -c {container} -- cat /proc/net/tcp /proc/net/tcp6")
	throttleCheck = look("See whether the container uses up its CPU limit.", "kubectl -n {namespace} top pod {pod} --containers")

	playbookStartupProbe = Playbook{
		Means:  "The startup probe did not pass within its number of tries, and the kubelet killed the container for it. The exit code belongs to the kill. Either the program needs longer to start than the probe allows, or the probe asks the wrong place.",
		Verify: []Step{seeProbes, readLog, seeListen},
		Mend:   []Step{cure("app owner", "If it only starts slowly, raise failureThreshold so that failureThreshold × periodSeconds covers the slowest start.", "kubectl -n {namespace} edit {workload}", "kubectl -n {namespace} rollout undo {workload}"), editProbe, rollBack}}
	playbookLiveness = Playbook{
		Means:  "The container runs, but its liveness probe fails, and the kubelet kills and restarts it. The exit code (often 2, 137 or 143) belongs to the kill, not to the program. Usually the program needs longer than the probe waits, or the probe asks something that depends on others.",
		Verify: []Step{seeProbes, readLog, throttleCheck},
		Mend: []Step{
			cure("app owner", "If it starts slowly, add a startupProbe or raise initialDelaySeconds; if it answers slowly, raise timeoutSeconds (1 s when unset).", "kubectl -n {namespace} edit {workload}", "kubectl -n {namespace} rollout undo {workload}"),
			cure("app owner", "Let the liveness probe ask only whether the process itself works, not its dependencies.", "", ""), rollBack,
		}}
	playbookHTTPStatus = Playbook{
		Means:  "The program answers its readiness probe, with a status that means no. 404 is a wrong path, 401 and 403 ask for a sign-in that the kubelet cannot give, 5xx is the program's own word that it cannot serve yet, often for want of a dependency.",
		Verify: []Step{seeProbes, readCurrent, look("Ask the way the probe does.", "kubectl -n {namespace} exec {pod} -c {container} -- wget -qO- http://127.0.0.1:{port}{path}")},
		Mend:   []Step{cure("app owner", "Mend what the program says it lacks.", "", ""), editProbe, rollBack}}
	playbookRefused = Playbook{
		Means:  "The kubelet cannot get an answer on the port that the readiness probe asks. The program is still starting, listens on another port, or listens only on 127.0.0.1, where the kubelet cannot reach it.",
		Verify: []Step{seeProbes, readCurrent, seeListen},
		Mend:   []Step{editProbe, cure("app owner", "Let the program listen on the probe's port and on all addresses.", "", ""), rollBack}}
	playbookProbeTimeout = Playbook{
		Means:  "The readiness probe's request is not answered within its timeout, which is one second when unset. The program is too busy or throttled, or the way from the node to the pod is cut by a network policy or fault.",
		Verify: []Step{seeProbes, throttleCheck, look("See whether a policy forbids the node's requests.", "kubectl -n {namespace} get networkpolicies")},
		Mend:   []Step{cure("app owner", "Raise timeoutSeconds, or the CPU limit where it is used up.", "kubectl -n {namespace} edit {workload}", "kubectl -n {namespace} rollout undo {workload}"), rollBack}}
	playbookProbeExec = Playbook{
		Means:  "The readiness probe runs a command in the container, and the command fails, does not end in time, or is not in the image. A probe that cannot be carried out counts neither way, so the pod stays as it is.",
		Verify: []Step{seeProbes, look("Run the command yourself.", "kubectl -n {namespace} exec {pod} -c {container} -- {command}")},
		Mend:   []Step{editProbe, cure("app owner", "Put the command into the image, or use an HTTP or TCP probe.", "", ""), rollBack}}
	playbookProbeGRPC = Playbook{
		Means:  "The readiness probe asks the gRPC health service. The program does not offer it, or answers that it does not serve.",
		Verify: []Step{seeProbes, readCurrent},
		Mend:   []Step{cure("app owner", "Register grpc.health.v1.Health in the program and set it to SERVING once it serves.", "", ""), editProbe, rollBack}}
	playbookGate = Playbook{
		Means:  "All containers are Ready, and the pod also waits for a condition that a controller outside it sets (a readiness gate), usually that a load balancer sees the pod as healthy. The program is not at fault.",
		Verify: []Step{look("See the gate's condition and its reason.", "kubectl -n {namespace} get pod {pod} -o jsonpath='{.status.conditions}'"), look("See whether the controller runs: {controller}.", "kubectl get pods -A")},
		Mend:   []Step{cure("platform team", "Repair the controller, or the load balancer's health check and its way to the pod.", "", ""), cure("app owner", "Take the gate out of the template if nobody is to set it.", "kubectl -n {namespace} edit {workload}", "kubectl -n {namespace} rollout undo {workload}")}}
	playbookSidecar = Playbook{
		Means:  "A sidecar (an init container that keeps running) has to pass its startup probe before the containers after it may start, and it has not. The other containers have not even been created.",
		Verify: []Step{seeProbes, readCurrent},
		Mend:   []Step{cure("app owner", "Mend the sidecar or its startup probe.", "kubectl -n {namespace} edit {workload}", "kubectl -n {namespace} rollout undo {workload}"), rollBack}}
	playbookInitWaits = Playbook{
		Means:  "An init container runs and does not end; the pod's other containers start only after it. Such containers often wait for a database, a migration lock or a name.",
		Verify: []Step{look("Read what it waits for.", "kubectl -n {namespace} logs {pod} -c {container} --tail=50")},
		Mend:   []Step{cure("service owner", "Provide what it waits for.", "", ""), rollBack}}
	playbookFlapping = Playbook{
		Means:  "The container becomes Ready and dies soon after, again and again. Each time it is Ready the rollout seems to move, so the progress deadline may never pass.",
		Verify: []Step{readLog, look("Watch the pods for a minute.", "kubectl -n {namespace} get pods -w")},
		Mend:   []Step{rollBack, cure("app owner", "Set minReadySeconds so that a pod has to last before it counts.", "kubectl -n {namespace} edit {workload}", "kubectl -n {namespace} rollout undo {workload}")}}
	playbookMinReady = Playbook{
		Means:  "The new pods are Ready, and the workload asks that they stay so for a time (minReadySeconds) before they count. This is progress: the time left is known.",
		Verify: []Step{look("See the time asked for.", "kubectl -n {namespace} get {workload} -o jsonpath='{.spec.minReadySeconds}'")},
		Mend:   []Step{cure("app owner", "Wait. A shorter minReadySeconds would speed the next rollout up.", "", "")}}
	playbookSlowStart = Playbook{
		Means:  "The container runs and has not become Ready yet, and nothing seen says that it will not. Slow starts come from cold caches, big heaps and tight CPU limits.",
		Verify: []Step{readCurrent, throttleCheck},
		Mend:   []Step{cure("app owner", "Wait; then look at what its log waits for. A startupProbe keeps the liveness probe from killing a slow start.", "", "")}}
	playbookResize = Playbook{
		Means:  "Someone changed the resources of the running pod, and the node cannot grant the change now or ever. The pod goes on with what it has; the resize is not why it is not Ready.",
		Verify: []Step{look("See the kubelet's word.", "kubectl -n {namespace} get pod {pod} -o jsonpath='{.status.conditions}'"), readNode},
		Mend:   []Step{cure("app owner", "Replace the pod so that the scheduler finds a node with room.", "kubectl -n {namespace} delete pod {pod}", "nothing to undo: the controller replaces the pod")}}
	playbookProbeWarning = Playbook{
		Means:  "A probe is answered with a redirect to another host. The kubelet does not follow it and counts the probe as passed, with a warning.",
		Verify: []Step{seeProbes},
		Mend:   []Step{cure("app owner", "Nothing has to be done; let the probe ask a path that does not redirect.", "", "")}}
)
