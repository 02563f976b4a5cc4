#!/usr/bin/env bash
# Counts the instructions of six fixed transcripts and fails when one has grown by more than 3 % beyond what is recorded.
# Usage: run.sh [--record] [BINARY]   BINARY is a release build of examples/everything (default: one is built).
# --record writes the counts to counts.json, which belongs into the commit that changed them.
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
ROOT=$(cd "$HERE/../.." && pwd)
# shellcheck source-path=SCRIPTDIR source=../../tests/clients/lib.sh
. "$ROOT/tests/clients/lib.sh"
begin benches/instructions

RECORD=()
if [ "${1:-}" = --record ]; then
  RECORD=(--record)
  shift
fi
need python3 python3
need valgrind valgrind
BINARY=${1:-}
if [ -z "$BINARY" ]; then
  (cd "$ROOT" && cargo build --quiet --locked --release --example everything)
  BINARY=$ROOT/target/release/examples/everything
fi
python3 "$HERE/count.py" "${RECORD[@]}" "$BINARY"
