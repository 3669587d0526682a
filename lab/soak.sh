#!/usr/bin/env bash
# Plays rollouts on real nodes that recover by themselves or are merely slow, and
# counts how often unjam calls one of them stalled. `make soak` runs it after
# building bin/unjam. ROLLOUTS and SEED choose how many and which; OUT receives
# soak.jsonl, the table and a bundle of each false doom. Arguments go to labsoak:
# lab/soak.sh -only 'registry-.*' plays some kinds only.
. "$(dirname "$0")/common.sh"
out=${OUT:-$PWD/soak-out}
go build -o "$work/" ./cmd/lab ./cmd/labsoak
# Two nodes for everybody, two whose power is cut, and kwok for nodes that join.
up soak real --count 4 --sim 1
mkdir -p "$out"
status=0
"$work/labsoak" -lab soak -unjam "$unjam" -out "$out" -rollouts "${ROLLOUTS:-220}" -seed "${SEED:-1}" "$@" | tee "$out/table.txt" || status=$?
down soak
exit $status
