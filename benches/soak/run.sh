#!/usr/bin/env bash
# Mixed traffic over every transport, with faults, for a while; prints what came of it. The exit status is 1 if an answer was lost or
# wrong, if memory grew, if a file, session, thread or child was left behind, or if the server panicked or did not end well.
# Usage: run.sh [SECONDS [BINARY [SEED]]]   60 seconds, a release build (one is made), and a seed of the day, which is printed, unless said
#        otherwise. The same seed sends the same kinds of traffic, though not in the same order: that is up to the machine.
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
ROOT=$(cd "$HERE/../.." && pwd)
BINARY=${2:-}
if [ -z "$BINARY" ]; then
  (cd "$ROOT" && cargo build --quiet --locked --release --bin siskin)
  BINARY=$ROOT/target/release/siskin
fi
# Connections that are cut leave ports and files for a moment.
ulimit -S -n "$(ulimit -H -n)"
exec python3 "$HERE/soak.py" "$(realpath "$BINARY")" "${1:-60}" "${3:-$(date +%Y%m%d)}"
