#!/usr/bin/env bash
# Measures siskin beside other MCP servers in one run: the servers on one core, the load on another, rounds interleaved.
# Usage: run.sh [--quick] [--rounds N] [ROW…]   rows are listed by `compare.py --rows`; all of them unless some are named.
# Rows measured before stay in the result, so that a run can be taken up again row by row.
# SISKIN_COMPARE_OUT is where results go (default: benches/compare/results).
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
ROOT=$(cd "$HERE/../.." && pwd)
# shellcheck source-path=SCRIPTDIR source=../../tests/clients/lib.sh
. "$ROOT/tests/clients/lib.sh"
begin benches/compare
PEERS=$HERE/peers
# What is built here is compared, so nobody's flags belong into it.
unset RUSTFLAGS

need cargo cargo
need python3 python3
need taskset util-linux

# A peer that cannot be installed is left out, and the result says why.
MISSING=$SCRATCH/missing
: >"$MISSING"
optional() {
  local names=$1 log=$SCRATCH/install.log
  shift
  ("$@") >"$log" 2>&1 && return
  tail -n 20 "$log" >&2
  echo "$names could not be installed: $(tail -n 1 "$log")" >&2
  printf '%s\t%s\n' "$names" "could not be installed: $(tail -n 1 "$log")" >>"$MISSING"
}

build_rmcp() {
  cd "$PEERS/rmcp"
  cargo build --quiet --locked --release
  cargo build --quiet --locked --profile small
}

install_nginx() {
  need nginx nginx-light
}

echo "building siskin and the load" >&2
TARGET=$(uname -m)-unknown-linux-musl
# As they are shipped.
"$ROOT/cross/build.sh" "$TARGET" >&2
"$ROOT/cross/build.sh" --example compare "$TARGET" >&2
(cd "$HERE/load" && cargo build --quiet --locked --release)
echo "installing the peers" >&2
optional "rmcp-json rmcp-sse rmcp-small-json rmcp-small-sse" build_rmcp
optional "typescript supergateway" npm_packages "$PEERS"
optional "python-mcp fastmcp" python_packages "$PEERS"
optional "mcp-proxy" python_packages "$PEERS/mcp-proxy"
optional "nginx" install_nginx

# Each idle stream is an open file here and one in the server.
ulimit -S -n "$(ulimit -H -n)"
python3 "$HERE/compare.py" --target "$TARGET" --missing "$MISSING" --scratch "$SCRATCH" \
  --out "${SISKIN_COMPARE_OUT:-$HERE/results}" "$@"
