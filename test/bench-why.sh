#!/usr/bin/env bash
# Measures `unjam why -n NS` beside a raw paged protobuf LIST of the same kinds.
#
# usage: test/bench-why.sh [rounds]     (run in the repository; needs a built lab, see lab/README.md)
#
# A lab of 100 simulated nodes gets 1,000 pods that run and 20 that fit no node,
# all in one namespace. Every round measures both programs. RSS is the peak, in KB.
set -eu
rounds=${1:-5}
cd "$(dirname "$0")/.."
out=$(mktemp -d)
(cd lab && go build -o "$out/lab" ./cmd/lab && go build -o "$out/labraw" ./cmd/labraw)
go build -o "$out/unjam" ./cmd/unjam
stop() { (cd lab && "$out/lab" down --name bench-why >/dev/null 2>&1) || true; rm -rf "$out"; }
trap stop EXIT
(cd lab && "$out/lab" up --name bench-why --nodes none --sim 100 >"$out/up")
eval "$(grep '^export' "$out/up")"

kubectl create namespace bench >/dev/null
deployment() { # name replicas selector
  cat <<Y
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: $1, namespace: bench}
spec:
  replicas: $2
  selector: {matchLabels: {app: $1}}
  template:
    metadata: {labels: {app: $1}}
    spec:
      nodeSelector: $3
      tolerations: [{key: kwok.x-k8s.io/node, operator: Exists}]
      containers: [{name: app, image: "registry.example/$1:v1", resources: {requests: {cpu: 10m, memory: 16Mi}}}]
Y
}
{ deployment web 1000 "{}"; deployment stuck 20 "{disk: none}"; } | kubectl apply -f - >/dev/null
for _ in $(seq 150); do
  running=$(kubectl -n bench get pods --field-selector status.phase=Running -o name | wc -l)
  [ "$running" -ge 1000 ] && break
  sleep 2
done
echo "$running pods run, $(kubectl -n bench get pods --field-selector status.phase=Pending -o name | wc -l) are pending"

n=namespaces/bench
paths="/api/v1/$n/pods /api/v1/$n/events /api/v1/nodes /api/v1/namespaces/bench/serviceaccounts /api/v1/$n/resourcequotas /api/v1/$n/limitranges
/api/v1/$n/persistentvolumeclaims /api/v1/persistentvolumes /apis/apps/v1/$n/deployments /apis/apps/v1/$n/replicasets /apis/apps/v1/$n/statefulsets
/apis/apps/v1/$n/daemonsets /apis/apps/v1/$n/controllerrevisions /apis/batch/v1/$n/jobs /apis/storage.k8s.io/v1/storageclasses
/apis/storage.k8s.io/v1/csinodes /apis/storage.k8s.io/v1/volumeattachments /apis/scheduling.k8s.io/v1/priorityclasses /apis/node.k8s.io/v1/runtimeclasses
/apis/policy/v1/$n/poddisruptionbudgets /apis/autoscaling/v2/$n/horizontalpodautoscalers /apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases
/apis/discovery.k8s.io/v1/$n/endpointslices /apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations
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
  measured why "$out/unjam" why -n bench --explain-evidence
done
median() { sort -n "$1" | awk '{v[NR]=$1} END {print v[int((NR+1)/2)]}'; }
echo "median of $rounds: list $(median "$out/list") s, why $(median "$out/why") s, ratio $(awk -v a="$(median "$out/why")" -v b="$(median "$out/list")" 'BEGIN {printf "%.2f", a/b}')"
