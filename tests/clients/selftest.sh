#!/usr/bin/env bash
# Shows that `run.sh` can fail: runs it against `peer.py`, a stand-in for siskin's fixture, whole and with one defect at a time.
# Usage: selftest.sh [CLIENT…]   as for run.sh (default: one client of each implementation).
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$HERE/lib.sh"
begin tests/clients/selftest

CLIENTS=("$@")
[ ${#CLIENTS[@]} != 0 ] || CLIENTS=(python-mcp ts-sdk rmcp)
python_packages "$HERE"

mkdir -p "$SCRATCH/bin/examples"

# run_with DEFECT OUT: run.sh against the stand-in with that defect. It stands in the script itself, for most clients hand a stdio
# server only a few variables of their environment.
run_with() {
  cat >"$SCRATCH/bin/examples/everything" <<EOF
#!/bin/sh
PEER_BREAK=$1 exec "$PYTHON" "$HERE/peer.py" "\$@"
EOF
  chmod +x "$SCRATCH/bin/examples/everything"
  SISKIN_CASE_SECONDS=5 "$HERE/run.sh" "$SCRATCH/bin" "${CLIENTS[@]}" >"$2" 2>"$SCRATCH/err"
}

# count VERDICT CASE FILE: how many lines of that case have that verdict.
count() {
  grep -cE "^$1 .*  $2(  |$)" "$3" || true
}

# breaks DEFECT CASE: with the defect that case fails for every client over every transport, and no other fails.
breaks() {
  local status=0 out=$SCRATCH/out failures
  run_with "$1" "$out" || status=$?
  failures=$(grep -c '^FAIL ' "$out" || true)
  if [ "$status" = 1 ] && [ "$failures" = "$(count FAIL "$2" "$out")" ] && [ "$failures" = "$(count 'ok  ' "$2" "$SCRATCH/whole")" ]; then
    echo "ok   defect \`$1\`: $failures failures, all of $2"
    return
  fi
  echo "FAIL defect \`$1\`: status $status, $failures failures, $(count FAIL "$2" "$out") of $2"
  cat "$out" "$SCRATCH/err"
  BROKEN=1
}

run_with '' "$SCRATCH/whole" || {
  cat "$SCRATCH/whole" "$SCRATCH/err"
  die "the stand-in fails without a defect"
}
echo "ok   no defect: $(grep -E "^[0-9]+ passed" "$SCRATCH/whole")"

BROKEN=0
breaks progress call-with-progress
breaks update subscribe-and-receive
breaks resource read-resource
breaks prompt get-prompt
breaks exit server-left-by-itself
[ "$BROKEN" = 0 ]
