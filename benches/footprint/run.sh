#!/usr/bin/env bash
# Prints what siskin weighs beside what it may weigh: size on disk, memory, threads, start, wake-ups, packs.
# Usage: run.sh [BINARY]   BINARY is a release build of siskin (default: one is built, for this machine's musl target if rustup has it).
# SISKIN_FOOTPRINT_SESSIONS="1000 10000" says how many sessions are opened. The exit status is 1 if a figure is over its budget.
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
ROOT=$(cd "$HERE/../.." && pwd)

BINARY=${1:-}
if [ -z "$BINARY" ]; then
  TARGET=$(uname -m)-unknown-linux-musl
  if [ -d "$(rustc --print sysroot)/lib/rustlib/$TARGET" ]; then
    # As it is shipped.
    "$ROOT/cross/build.sh" "$TARGET"
    BINARY=$ROOT/target/$TARGET/release/siskin
  else
    echo "rustup has no $TARGET here; measuring a dynamic build, whose memory differs" >&2
    (cd "$ROOT" && cargo build --locked --release --bin siskin)
    BINARY=$ROOT/target/release/siskin
  fi
fi

# Each session holds one open file here and one in the server.
ulimit -S -n "$(ulimit -H -n)"
# shellcheck disable=SC2086  # a list of numbers
exec python3 "$HERE/measure.py" "$BINARY" ${SISKIN_FOOTPRINT_SESSIONS:-1000 10000}
