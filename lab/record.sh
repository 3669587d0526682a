#!/usr/bin/env bash
# Plays scenarios on real nodes and saves what unjam saw in bundle.tgz beside
# each, then refreshes the copies that `unjam demo` replays. Without arguments
# all scenarios; else patterns of names or families. `make record` runs it.
# RUNTIME=1.6 records those that pull and start under containerd 1.6 instead, in
# bundle-containerd-1.6.tgz.
. "$(dirname "$0")/common.sh"
build_tools
status=0
runtime=${RUNTIME:-}

# play LAB [FLAGS...] -- [PATTERNS...]
play() {
	local name=$1
	shift
	"$work/labscenario" record --root ../test/scenarios --unjam "$unjam" --lab "$name" --parallel 60 --spacing 1s --again --brief "$@" || status=$?
}

if [ -n "$runtime" ]; then
	up record real --containerd "$runtime"
	[ $# -gt 0 ] || set -- network registry credentials content image-name start-config crash drip slow-pull slow-pull-running
	play record --runtime "containerd-$runtime" "$@"
	down record
	exit $status
fi

up record real
if [ $# -gt 0 ]; then
	play record "$@"
else
	# Where a pod waits for a node, the bundle holds the pods of all nodes: these
	# are recorded last, on nodes that are empty again. A fleet is about them, too.
	rest=$(cd ../test/scenarios && printf '%s\n' */ | tr -d / | grep -vx -e scheduling -e volumes -e fleet)
	# shellcheck disable=SC2086
	play record $rest
	play record scheduling volumes
	play record fleet
fi
down record
if [ $# = 0 ]; then
	up record real --serialize-pulls
	play record --serial
	down record
fi

for copy in ../internal/demo/bundles/*.tgz; do
	name=$(basename "$copy" .tgz)
	cp ../test/scenarios/*/"$name"/bundle.tgz "$copy"
done
exit $status
