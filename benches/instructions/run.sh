#!/usr/bin/env bash
# Counts the instructions of six fixed transcripts and fails when one has grown by more than 3 % beyond what is recorded.
# Usage: run.sh [--record] [BINARY]   BINARY is examples/everything, built as siskin is shipped (default: cross/build.sh builds it).
# Status 77: it cannot be built so here, and counts of another build would say nothing.
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
  TARGET=$(uname -m)-unknown-linux-musl
  "$ROOT/cross/build.sh" --example everything "$TARGET"
  if [ ! -d "$(rustc --print sysroot)/lib/rustlib/src/rust/library" ]; then
    echo "skipped: the counts are those of a build with a standard library built for size, whose sources are not here"
    exit 77
  fi
  BINARY=$ROOT/target/$TARGET/release/examples/everything
fi
python3 "$HERE/count.py" "${RECORD[@]}" "$BINARY"
