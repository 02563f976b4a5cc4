#!/usr/bin/env bash
# Says of the aarch64 binary what can be had without an ARM machine: its size, that it answers, and instructions per call.
# Usage: arm.sh [BINARY]   BINARY is an aarch64 build of the example `compare` (default: one is built).
# Debian's qemu-user has no plugins, so instructions are counted by letting it log each one: slow, exact, the kernel's not in it.
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
ROOT=$(cd "$HERE/../.." && pwd)
# shellcheck source-path=SCRIPTDIR source=../../tests/clients/lib.sh
. "$ROOT/tests/clients/lib.sh"
begin benches/compare/arm

need python3 python3
need qemu-aarch64-static qemu-user-static
BINARY=${1:-}
if [ -z "$BINARY" ]; then
  TARGET=aarch64-unknown-linux-musl
  # As it is shipped.
  "$ROOT/cross/build.sh" --example compare "$TARGET" >&2
  BINARY=$ROOT/target/$TARGET/release/examples/compare
fi
python3 "$HERE/arm.py" "$BINARY" "${SISKIN_COMPARE_OUT:-$HERE/results}"
