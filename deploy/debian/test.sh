#!/usr/bin/env bash
# Installs the package in a fresh Debian of its own (debootstrap into a folder), starts what it installed, upgrades it with a changed
# configuration and an open session, removes and purges it. A line per case.
# Usage: test.sh [ROOT]   ROOT keeps the bare system for the next run. Status 77 where there is no root or no debootstrap.
set -uo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=cross/lib.sh
. "$HERE/../../cross/lib.sh"
cd "$ROOT" || exit 1
[ "$(id -u)" = 0 ] || { echo "needs root for a chroot"; exit "$UNAVAILABLE"; }
apt debootstrap curl dpkg-dev || { echo "debootstrap cannot be had here"; exit "$UNAVAILABLE"; }

BASE=${1:-$ROOT/.cache/debian}
WORK=$(mktemp -d)
FAILED=0 SERVER=
# shellcheck disable=SC2317  # called by trap
cleanup() {
  [ -z "$SERVER" ] || kill "$SERVER" 2>/dev/null
  umount "$WORK/system/proc" 2>/dev/null
  rm -rf --one-file-system "$WORK"
}
trap cleanup EXIT

good() {
  if [ "$2" = 0 ]; then echo "ok   $1"; else echo "FAIL $1: ${3:-}"; FAILED=1; fi
}
inside() { chroot "$WORK/system" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive "$@"; }

if [ ! -x "$BASE/usr/bin/dpkg" ]; then
  # The mirror and the release this machine itself installs from.
  mirror=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null | sed -n 's/^deb \(\[[^]]*\] \)\?\([^ ]*\) .*/\2/p; s/^URIs: *\([^ ]*\).*/\1/p' | head -n 1)
  release=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
  rm -rf "$BASE"
  debootstrap --variant=minbase "$release" "$BASE" "$mirror" >"$WORK/debootstrap" 2>&1 ||
    { tail -3 "$WORK/debootstrap"; echo "no bare Debian can be had here"; rm -rf "$BASE"; exit "$UNAVAILABLE"; }
fi
cp -a "$BASE" "$WORK/system"
mount -t proc proc "$WORK/system/proc" 2>/dev/null || echo "--   /proc cannot be mounted here: the tools about the machine see less"

package=$(deploy/debian/build.sh amd64) || exit 1
good "two builds of one commit are the same" "$(cp "$package" "$WORK/first.deb"; deploy/debian/build.sh amd64 >/dev/null; cmp -s "$package" "$WORK/first.deb"; echo $?)"
# The upgrade: the same files under the next version.
dpkg-deb -R "$package" "$WORK/next"
sed -i 's/^Version: .*/&+next/' "$WORK/next/DEBIAN/control"
dpkg-deb --root-owner-group --build "$WORK/next" "$WORK/system/next.deb" >/dev/null
cp "$package" "$WORK/system/siskin.deb"

# start: what the unit would start, as nobody, on a free port, with the state where the unit has it.
start() {
  # `exec`, so that the process in the background is siskin itself, which the signals below are for.
  (
    exec chroot "$WORK/system" /usr/bin/env -i PATH=/usr/bin setpriv --reuid=65534 --regid=65534 --clear-groups \
      env APP_SERVER__PORT=0 APP_STATE__FILE=/var/lib/siskin/state siskin serve --config-dir /etc/siskin
  ) >/dev/null 2>"$WORK/log" </dev/null &
  SERVER=$!
  local attempt
  for attempt in $(seq 100); do
    PORT=$(sed -n 's/^.*listening http [0-9.]*:\([0-9]*\).*$/\1/p' "$WORK/log" | head -n 1)
    [ -z "$PORT" ] || return 0
    sleep 0.1
  done
  echo "no start after $attempt looks"
  return 1
}
stop() { kill "$SERVER"; wait "$SERVER"; local status=$?; SERVER=; return "$status"; }

inside dpkg --install /siskin.deb >"$WORK/out" 2>&1
good "it installs without a dependency" $? "$(cat "$WORK/out")"
inside siskin check --config-dir /etc/siskin >"$WORK/out" 2>&1
good "the configuration it installs is sound" $? "$(cat "$WORK/out")"
inside test -f /lib/systemd/system/siskin.service -a -f /usr/share/man/man1/siskin.1.gz -a -f /usr/share/bash-completion/completions/siskin
good "unit, man page and completions are there" $?
install -d -o 65534 -g 65534 -m 700 "$WORK/system/var/lib/siskin"
start
good "it starts" $? "$(cat "$WORK/log")"
session=$(curl --silent --max-time 10 --dump-header - --output /dev/null "http://127.0.0.1:$PORT/mcp" -H 'Content-Type: application/json' \
  -H 'Accept: application/json, text/event-stream' -d '{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}' |
  tr -d '\r' | sed -n 's/^mcp-session-id: //Ip')
[ -n "$session" ]
good "a session is opened" $?
stop
good "SIGTERM ends it with status 0" $? "$(cat "$WORK/log")"

echo '# mine' >>"$WORK/system/etc/siskin/base.toml"
inside dpkg --install /next.deb >"$WORK/out" 2>&1
good "it upgrades" $? "$(cat "$WORK/out")"
grep -q '^# mine' "$WORK/system/etc/siskin/base.toml"
good "the upgrade keeps the configuration" $?
start
good "it starts again" $? "$(cat "$WORK/log")"
status=$(curl --silent --max-time 10 --output /dev/null --write-out '%{http_code}' "http://127.0.0.1:$PORT/mcp" -H 'Content-Type: application/json' \
  -H 'Accept: application/json, text/event-stream' -H "Mcp-Session-Id: $session" -H 'MCP-Protocol-Version: 2025-11-25' -d '{"jsonrpc":"2.0","id":2,"method":"ping"}')
[ "$status" = 200 ]
good "the upgrade keeps the session" $? "$status"
stop

inside dpkg --remove siskin >"$WORK/out" 2>&1
good "it is removed" $? "$(cat "$WORK/out")"
inside test ! -e /usr/bin/siskin -a -f /etc/siskin/base.toml
good "removing keeps the configuration" $?
inside dpkg --purge siskin >"$WORK/out" 2>&1
good "it is purged" $? "$(cat "$WORK/out")"
left=$(cd "$WORK/system" && find etc usr lib var/lib -path var/lib/dpkg -prune -o -name '*siskin*' -print 2>/dev/null)
[ -z "$left" ]
good "purging leaves nothing" $? "$left"
exit "$FAILED"
