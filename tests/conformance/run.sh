#!/usr/bin/env bash
# Runs the official MCP conformance suite, two versions of it, against siskin's fixture.
# Usage: run.sh [BINARY]   BINARY takes a port and serves `/mcp` there (default: target/release/examples/everything, else debug).
# SISKIN_CONFORMANCE_URL=http://localhost:PORT/mcp judges a server that is already running instead.
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=../clients/lib.sh
. "$HERE/../clients/lib.sh"
begin tests/conformance

npm_packages "$HERE"

if [ -n "${SISKIN_CONFORMANCE_URL:-}" ]; then
  URL=$SISKIN_CONFORMANCE_URL
else
  FIXTURE=${1:-$(bin_dir "")/examples/everything}
  FIXTURE=$(realpath "$FIXTURE")
  [ -x "$FIXTURE" ] || die "\`$FIXTURE\` is missing; build it with: cargo build --example everything"
  start_on_free_port "$SCRATCH/server.log" "$FIXTURE" '{PORT}'
  # By name, for the suite's rebinding scenario takes nothing but localhost.
  URL=http://localhost:$PORT/mcp
fi

FAILED_RUNS=0

# judge SCENARIOS VERSION SELECTOR…: one run of the suite. SCENARIOS is how many the pinned version has for that selector, so that
# a run which stopped half-way cannot pass.
judge() {
  local scenarios=$1 version=$2 out=$SCRATCH/out started=$SECONDS status=0
  shift 2
  rm -rf "$out"
  # The suite bounds each scenario; this bounds the suite.
  timeout --kill-after=5 600 "$NODE" "$HERE/.cache/node_modules/conformance-${version%.*}/dist/index.js" server \
    --url "$URL" --output-dir "$out" "$@" </dev/null >"$SCRATCH/suite.log" 2>&1 || status=$?
  "$NODE" "$HERE/report.mjs" "$out" "$scenarios" "conformance ${version} $*" "$((SECONDS - started))" "$status" || {
    FAILED_RUNS=$((FAILED_RUNS + 1))
    [ -d "$out" ] || tail -n 20 "$SCRATCH/suite.log" >&2
  }
}

judge 33 0.2.0 --requirements 2025-11-25
judge 50 0.2.0 --requirements 2026-07-28
judge 65 0.2.0 --suite all
judge 27 0.2.0 --suite all --spec-version 2025-06-18
judge 1 0.2.0 --suite all --spec-version 2025-03-26
judge 32 0.1.16 --suite all

if [ "$FAILED_RUNS" != 0 ] && [ -e "$SCRATCH/server.log" ]; then
  tail -n 20 "$SCRATCH/server.log" | sed 's/^/server | /' >&2
fi
echo "$((6 - FAILED_RUNS)) of 6 runs without a failed check"
[ "$FAILED_RUNS" = 0 ]
