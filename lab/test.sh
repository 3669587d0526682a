#!/usr/bin/env bash
# Tests on a real Kubernetes: the lab's own tests, then every scenario on hollow
# nodes and, where the machine can, on real ones. `make test-lab` runs it after
# building bin/unjam. What fails is counted at the end; nothing stops early.
# With arguments, names or families of scenarios, only these are played.
. "$(dirname "$0")/common.sh"
failed=()
patterns=("$@")

# part NAME COMMAND... runs one part and notes its failure.
part() {
	local name=$1
	shift
	say "$name"
	"$@" || failed+=("$name")
}

scenarios() {
	local nodes=$1
	shift
	# Power is cut on nodes of their own, below: with every scenario kept, nodes are
	# at their limit of pods and a lost one would take the others' along.
	local power=()
	[ ${#patterns[@]} = 0 ] || power=(--lab "test-$nodes")
	part "scenarios on $nodes nodes" "$work/labscenario" run --root ../test/scenarios --nodes "$nodes" ${power[@]+"${power[@]}"} \
		--unjam "$unjam" --parallel 60 --spacing 1s --keep --again --brief ${patterns[@]+"${patterns[@]}"}
	[ ${#patterns[@]} = 0 ] || return 0 # the checks look at many scenarios
	part "checks on $nodes nodes" "$work/labcheck" --unjam "$unjam" "$@"
}

if [ ${#patterns[@]} = 0 ]; then
	part "go vet" go vet ./...
	part "the lab's own tests" go test -timeout 40m ./...
	part "package fit against the scheduler's plugins" go -C oracle test -timeout 20m ./...
fi
build_tools

say "hollow nodes"
up test-hollow hollow --count 2
scenarios hollow
down test-hollow

if [ ${#patterns[@]} = 0 ]; then
	say "a fleet of 1,000 nodes and 10,000 pods"
	up test-fleet none --still
	part "fill the fleet" "$work/lab" exec --name test-fleet -- "$work/labload" --nodes 1000 --pods 10000
	part "checks on the fleet" "$work/labcheck" --unjam "$unjam" fleet
	down test-fleet
fi

if [ "${CI:-}" = true ] && [ "$(id -u)" = 0 ] && [ "$(uname)" = Linux ]; then
	able=true # there, not being able is a failure
else
	able=$("$work/lab" able --nodes real 2>&1) && able=true
fi
if [ "$able" = true ]; then
	say "real nodes"
	up test-real real
	scenarios real budget system rights
	down test-real
	if [ ${#patterns[@]} = 0 ]; then
		say "real nodes that pull one image at a time"
		up test-serial real --serialize-pulls
		part "scenarios with serial pulls" "$work/labscenario" run --root ../test/scenarios --serial --unjam "$unjam" --again --brief
		down test-serial
		say "real nodes of which one loses its power"
		up test-power real
		part "scenarios that cut power" "$work/labscenario" run --root ../test/scenarios --power --lab test-power --unjam "$unjam" --again --brief
		down test-power
	fi
else
	say "no scenarios on real nodes: $able"
fi

if [ ${#failed[@]} -gt 0 ]; then
	say "failed: $(printf '%s; ' "${failed[@]}")"
	exit 1
fi
say "the lab's tests pass"
