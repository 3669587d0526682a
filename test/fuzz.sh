#!/usr/bin/env bash
# Fuzzes every parser for FUZZTIME each (default 30s): the bundle decoder, the
# Secret shapes, pull errors, scheduler messages, pasted text, rules and
# their tests.
set -euo pipefail
cd "$(dirname "$0")/.."
go list ./internal/... | while read -r pkg; do
	for target in $(go test -list '^Fuzz' "$pkg" | grep '^Fuzz' || true); do
		echo "== $pkg $target"
		go test -run '^$' -fuzz "^$target\$" -fuzztime "${FUZZTIME:-30s}" "$pkg"
	done
done
