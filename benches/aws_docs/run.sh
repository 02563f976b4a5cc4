#!/usr/bin/env bash
# Reads a documentation page of 200 KB with siskin and with the Python server whose answers it reproduces, in one run, and prints how
# many times as fast it is. Without process start; siskin's share includes the HTTP it needs to get the page.
# Usage: run.sh [BINARY]   BINARY is a release build of siskin (default: one is built). The Python server comes from PyPI by name, into
# a cache beside this file. The exit status is 1 if the answers differ or siskin is not 20 times as fast.
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
ROOT=$(cd "$HERE/../.." && pwd)
# shellcheck source-path=SCRIPTDIR source=../../tests/clients/lib.sh
. "$ROOT/tests/clients/lib.sh"
begin benches/aws_docs

BINARY=${1:-}
if [ -z "$BINARY" ]; then
  (cd "$ROOT" && cargo build --quiet --locked --release --bin siskin)
  BINARY=$ROOT/target/release/siskin
fi
python_packages "$HERE"
"$PYTHON" "$HERE/measure.py" "$(realpath "$BINARY")" "$PYTHON" "$ROOT/tests/fixtures/aws-docs/093-large-page-200kb/page.html"
