#!/usr/bin/env bash
# Drives the deployment guide's JavaScript, and a little Streamable HTTP, in headless Chromium on a page of another origin.
# Usage: browser.sh [BIN_DIR]   BIN_DIR holds `siskin` (default: target/release, else target/debug).
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$HERE/lib.sh"
begin tests/clients/browser

BIN_DIR=$(bin_dir "${1:-}")
[ -x "$BIN_DIR/siskin" ] || die "\`$BIN_DIR/siskin\` is missing; build it with: cargo build"
npm_packages "$HERE"
need chromium chromium

# The page's port comes first, for the server has to know the page's origin when it starts.
PAGE_PORT=$(free_port)
start_siskin "$SCRATCH/server.log" env "APP_SERVER__ALLOWED_ORIGINS=http://127.0.0.1:$PAGE_PORT" "$BIN_DIR/siskin" serve --port 0

status=0
CHROMIUM=$(command -v chromium) HOME=$SCRATCH timeout --kill-after=5 180 \
  "$NODE" "$HERE/browser.mjs" "http://127.0.0.1:$PORT" "$PAGE_PORT" </dev/null | tee "$SCRATCH/out" || status=$?
passed=$(grep -c '^ok ' "$SCRATCH/out" || true)
failed=$(grep -c '^FAIL ' "$SCRATCH/out" || true)
if [ "$status" != 0 ]; then
  tail -n 40 "$SCRATCH/server.log" | sed 's/^/server | /' >&2
fi
echo "$passed passed, $failed failed"
[ "$status" = 0 ] && [ "$failed" = 0 ] && [ "$passed" = 7 ]
