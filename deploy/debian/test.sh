#!/usr/bin/env bash
# Installs the package in a fresh Debian of its own (debootstrap into a folder) where no service manager runs, starts what it installed,
# upgrades it with a changed configuration and an open session, removes and purges it. With systemd running, all this once more is
# ../systemd/booted.sh. A line per case.
# Usage: test.sh [ROOT]   ROOT keeps the bare system for the next run. Status 77 where there is no root or no debootstrap.
set -uo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=cross/lib.sh
. "$HERE/../../cross/lib.sh"
# shellcheck source=deploy/debian/base.sh
. "$HERE/base.sh"
cd "$ROOT" || exit 1
BASE=${1:-$ROOT/.cache/debian}
bare_debian "$BASE" || exit
apt curl dpkg-dev || { echo "curl or dpkg-dev cannot be had here"; exit "$UNAVAILABLE"; }
WORK=$(mktemp -d)
FAILED=0 SERVER=
# shellcheck disable=SC2317  # called by trap
cleanup() {
  [ -z "$SERVER" ] || kill "$SERVER" 2>/dev/null
  umount "$WORK/system/proc" 2>/dev/null
  rm -rf --one-file-system "$WORK"
}
trap cleanup EXIT

# Not in a container: where there is none to be had, a package can still be tried.
inside() { chroot "$WORK/system" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive "$@"; }

cp -a "$BASE" "$WORK/system"
mount -t proc proc "$WORK/system/proc" 2>/dev/null || echo "--   /proc cannot be mounted here: the tools about the machine see less"

package=$(deploy/debian/build.sh amd64) || exit 1
good "two builds of one commit are the same" "$(cp "$package" "$WORK/first.deb"; deploy/debian/build.sh amd64 >/dev/null; cmp -s "$package" "$WORK/first.deb"; echo $?)"
next_version "$package" "$WORK/system/next.deb"
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
    URL=http://127.0.0.1:$PORT
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
session=$(open_session curl --silent --max-time 10)
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
status=$(session_status "$session" curl --silent --max-time 10)
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

# The packages for other machines, as far as built: what they hold runs, under an emulator, with the configuration they bring.
for arch in arm64 armhf; do
  triple=aarch64-unknown-linux-musl
  [ "$arch" = arm64 ] || triple=arm-unknown-linux-musleabihf
  [ -x "target/$triple/release/siskin" ] || { echo "--   $arch: $triple was not built"; continue; }
  read -ra emulator <<<"$(runner "$triple")"
  [ ${#emulator[@]} = 0 ] || apt qemu-user-static || { echo "--   $arch: no emulator here"; continue; }
  package=$(deploy/debian/build.sh "$arch") && mkdir "$WORK/$arch" && dpkg-deb -x "$package" "$WORK/$arch" &&
    [ "$(dpkg-deb --field "$package" Architecture)" = "$arch" ] &&
    "${emulator[@]}" "$WORK/$arch/usr/bin/siskin" check --config-dir "$WORK/$arch/etc/siskin" >"$WORK/out" 2>&1
  good "$arch: the package is built, and its siskin takes its configuration" $? "$(cat "$WORK/out")"
done
exit "$FAILED"
