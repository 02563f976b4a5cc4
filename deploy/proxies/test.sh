#!/usr/bin/env bash
# Puts siskin behind nginx, Caddy, HAProxy and Traefik with the shipped configurations, and three of them behind nginx, one of which
# is killed. A line per case.
# Usage: test.sh [SISKIN] [PART…]   PART is nginx, caddy, haproxy, traefik, aws or scale (default: all). A debug build will do (default).
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=../../tests/clients/lib.sh
. "$HERE/../../tests/clients/lib.sh"
# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "$HERE/../lib.sh"
begin deploy/proxies

need python3 python3
need openssl openssl
# Debian starts what it installs; these are to run from here alone.
for name in nginx caddy haproxy; do
  command -v "$name" >/dev/null || { need "$name" "$name" && { service "$name" stop >/dev/null 2>&1 || true; }; }
done
traefik=$(tool traefik) || traefik=
siskin=
[ ! -x "${1:-}" ] || { siskin=$1; shift; }
debug_siskin "$siskin"
python3 "$HERE/cases.py" "$ROOT" "$SISKIN" "$traefik" "$@"
