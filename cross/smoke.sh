#!/usr/bin/env bash
# Runs the static binaries that build.sh made, under QEMU's user emulation where they are not this machine's: version, start, /health,
# initialise and a tool call over /mcp, an event stream, an HTTPS call to a local TLS server, SIGTERM. A line per case.
# Usage: smoke.sh [TARGET…]   default: every row of cross/targets that was built. Status 0: all good; 1: a case failed; 77: nothing to run.
set -uo pipefail
# shellcheck source=cross/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$ROOT" || exit 1

WANTED=("$@")
[ $# != 0 ] || mapfile -t WANTED < <(targets)
apt python3 openssl || exit 1

STATUS=77
for triple in "${WANTED[@]}"; do
  binary=target/$triple/release/siskin
  [ -x "$binary" ] || { echo "--   $triple was not built"; continue; }
  read -ra emulator <<<"$(runner "$triple")"
  if [ ${#emulator[@]} != 0 ] && ! apt qemu-user-static; then
    echo "--   $triple cannot be run here: no qemu-user-static"
    continue
  fi
  [ "$STATUS" != 77 ] || STATUS=0
  python3 cross/smoke.py "$triple" "$binary" "${emulator[@]}" || STATUS=1
done
exit "$STATUS"
