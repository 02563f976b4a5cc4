#!/usr/bin/env bash
# Writes cross/order.txt anew: which functions a start runs, so that the linker puts them side by side. Names are the same on all machines.
# Usage: order.sh   Needs valgrind. To be run when a start has come to run other code; `benches/footprint/run.sh` shows what it gives.
set -euo pipefail
# shellcheck source=cross/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$ROOT"
apt python3 valgrind binutils
TARGET=x86_64-unknown-linux-musl
SISKIN_NAMES=1 cross/build.sh "$TARGET"
python3 cross/order.py "target/$TARGET/release/siskin"
# With its names it must not be shipped.
cross/build.sh "$TARGET"
