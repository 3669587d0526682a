#!/usr/bin/env bash
# Measures `unjam why` beside a raw paged protobuf LIST of the same kinds.
#
# usage: test/bench-why.sh [nodes] [pods] [rounds]     (default 1000 10000 5; needs a built lab, see lab/README.md)
#
# A lab without kubelets and controllers gets a fleet by labload: one Deployment
# in a hundred is in trouble. Every round measures, one after the other, the raw
# list of all kinds that `why -A` reads, `why -A`, and `why` of one workload. The
# raw list uses the same page size and as many calls at once. RSS is the peak.
set -eu
nodes=${1:-1000}
pods=${2:-10000}
rounds=${3:-5}
cd "$(dirname "$0")/.."
out=$(mktemp -d)
(cd lab && go build -o "$out/" ./cmd/lab ./cmd/labraw ./cmd/labload)
go build -o "$out/unjam" ./cmd/unjam
stop() { (cd lab && "$out/lab" down --name bench-why >/dev/null 2>&1) || true; rm -rf "$out"; }
trap stop EXIT
(cd lab && "$out/lab" up --name bench-why --nodes none --still >"$out/up")
eval "$(grep '^export' "$out/up")"
(cd lab && "$out/lab" exec --name bench-why -- "$out/labload" --nodes "$nodes" --pods "$pods")
sleep "$((5 + pods / 5000))" # until the API server's caches have taken it in

paths="/api/v1/events /api/v1/pods /apis/apps/v1/replicasets /api/v1/nodes /api/v1/namespaces /apis/apps/v1/deployments /apis/apps/v1/statefulsets
/apis/apps/v1/daemonsets /apis/apps/v1/controllerrevisions /apis/batch/v1/jobs /api/v1/serviceaccounts /api/v1/resourcequotas /api/v1/limitranges
/api/v1/persistentvolumeclaims /api/v1/persistentvolumes /apis/storage.k8s.io/v1/storageclasses /apis/storage.k8s.io/v1/csinodes
/apis/storage.k8s.io/v1/volumeattachments /apis/scheduling.k8s.io/v1/priorityclasses /apis/node.k8s.io/v1/runtimeclasses /apis/policy/v1/poddisruptionbudgets
/apis/autoscaling/v2/horizontalpodautoscalers /apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases /apis/coordination.k8s.io/v1/namespaces/kube-system/leases
/apis/discovery.k8s.io/v1/endpointslices /apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations
/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations"

measured() { # label command...: the program's own line, then wall, CPU and RSS
  local label=$1; shift
  /usr/bin/time -o "$out/time" -f "%e s wall, %U+%S s CPU, %M KB RSS" "$@" >"$out/stdout" 2>"$out/stderr" || true
  echo "$label: $(grep -h 'API requests' "$out/stdout" "$out/stderr" || echo failed: "$(head -1 "$out/stderr")"); $(tail -1 "$out/time")"
  sed -n 's/^\([0-9.]*\) s wall.*/\1/p' "$out/time" >>"$out/$label"
}
for _ in $(seq "$rounds"); do
  # shellcheck disable=SC2086
  measured list "$out/labraw" $paths
  measured why-all "$out/unjam" why -A --explain-evidence
  grep -E '^[0-9]+ stalled' "$out/stdout" || true
  measured why-one "$out/unjam" why -n team-001 deploy/app-00050 --explain-evidence
done
median() { sort -n "$1" | awk '{v[NR]=$1} END {print v[int((NR+1)/2)]}'; }
echo "median of $rounds, load $(cut -d' ' -f1 /proc/loadavg): list $(median "$out/list") s, why -A $(median "$out/why-all") s, ratio $(awk -v a="$(median "$out/why-all")" -v b="$(median "$out/list")" 'BEGIN {printf "%.2f", a/b}'), one workload $(median "$out/why-one") s"
