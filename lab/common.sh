# Shared by test.sh and record.sh, which source it. Labs get a name of their own,
# so that they do not touch one that somebody works with.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
unjam=$PWD/../bin/unjam
work=$(mktemp -d)
labs=()

say() { printf '%s  %s\n' "$(date +%H:%M:%S)" "$*" >&2; }

finish() {
	for name in ${labs[@]+"${labs[@]}"}; do
		"$work/lab" down --name "$name" || true
	done
	rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT TERM

build_tools() {
	go build -o "$work/" ./cmd/lab ./cmd/labscenario ./cmd/labcheck ./cmd/labload
}

# up NAME NODES [FLAGS...] starts a lab and points KUBECONFIG and the fault
# control at it.
up() {
	local name=$1 nodes=$2
	shift 2
	labs+=("$name")
	"$work/lab" up --name "$name" --nodes "$nodes" "$@" >"$work/env"
	# shellcheck disable=SC1091
	. "$work/env"
	if [ "$nodes" = hollow ]; then
		cp ../test/scenarios/hollow.json "$(dirname "$KUBECONFIG")/script.json"
	fi
}

down() {
	"$work/lab" down --name "$1"
	labs=()
}
