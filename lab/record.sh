#!/usr/bin/env bash
# Plays scenarios on real nodes and saves what unjam saw in bundle.tgz beside
# each, then refreshes the copies that `unjam demo` replays. Without arguments
# all scenarios; else patterns of names or families. `make record` runs it.
. "$(dirname "$0")/common.sh"
build_tools
up record real
status=0
play() {
	"$work/labscenario" record --root ../test/scenarios --unjam "$unjam" --parallel 60 --spacing 1s --again --brief "$@" || status=$?
}
if [ $# -gt 0 ]; then
	play "$@"
else
	# Where a pod waits for a node, the bundle holds the pods of all nodes: these
	# are recorded last, on nodes that are empty again.
	rest=$(cd ../test/scenarios && printf '%s\n' */ | tr -d / | grep -vx -e scheduling -e volumes)
	# shellcheck disable=SC2086
	play $rest
	play scheduling volumes
fi
down record

for copy in ../internal/demo/bundles/*.tgz; do
	name=$(basename "$copy" .tgz)
	cp ../test/scenarios/*/"$name"/bundle.tgz "$copy"
done
exit $status
