#!/usr/bin/env bash
# Boots a Debian with systemd in a container, installs the package, and lets systemd do all it does with the service: start it in its
# sandbox, reload it, restart it by the watchdog, hold its port, upgrade it, remove it. A line per case.
# Usage: booted.sh   the package is made of the musl build of this machine. Status 77 where no systemd can be booted.
# shellcheck disable=SC2317  # called by name
set -uo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=cross/lib.sh
. "$HERE/../../cross/lib.sh"
# shellcheck source=deploy/debian/base.sh
. "$HERE/../debian/base.sh"
cd "$ROOT" || exit 1
apt dpkg-dev || exit
BASE=$ROOT/.cache/debian
bare_debian "$BASE" || exit
PACKAGE=$(deploy/debian/build.sh amd64) || exit 1

FAILED=0
property() { inside systemctl show --property "$1" --value siskin.service; }
is_active() { [ "$(property ActiveState)" = active ]; }
journal() { inside journalctl --unit siskin --no-pager --lines 15 --output cat; }

# Privileged, for systemd makes name spaces and control groups of its own.
enter "$BASE" --privileged --systemd=always 'exec /lib/systemd/systemd' || exit
booted() { inside systemctl is-system-running 2>&1 | grep -qE 'running|degraded'; }
until_true booted || { echo "systemd does not come up in a container here: $("${ENGINE[@]}" logs "$NAME" 2>&1 | tail -1)"; exit "$UNAVAILABLE"; }

put "$PACKAGE" /siskin.deb
next_version "$PACKAGE" "$WORK/next.deb"
put "$WORK/next.deb" /next.deb

inside dpkg --install /siskin.deb >"$WORK/out" 2>&1
good "it installs" $? "$(cat "$WORK/out")"
# `Type=notify`: it is active when it has said that it is ready.
is_active
good "it is ready when the installation returns" $? "$(journal)"
inside systemctl is-enabled --quiet siskin.service
good "it starts with the machine" $?
healthy >"$WORK/out" 2>&1
good "/health answers" $? "$(cat "$WORK/out") $(journal)"
inside cat "/proc/$(property MainPID)/status" >"$WORK/status"
! grep -q '^Uid:	0	' "$WORK/status" && grep -q '^CapEff:	0*$' "$WORK/status" && grep -q '^CapBnd:	0*$' "$WORK/status" &&
  grep -q '^NoNewPrivs:	1$' "$WORK/status" && grep -q '^Seccomp:	2$' "$WORK/status"
good "it is nobody, without a right, behind a filter of system calls" $? "$(cat "$WORK/status")"
ask "$URL/api/mcp/v1/tools" | grep -o '"name":"device_[a-z_]*"' | cut -d'"' -f4 >"$WORK/tools"
seen=0
while read -r tool; do
  seen=$((seen + 1))
  ask "$URL/api/mcp/v1/call" -H 'Content-Type: application/json' \
    -d "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":\"$tool\",\"arguments\":{}}}" >"$WORK/out" 2>&1
  # shellcheck disable=SC2181  # the status of a redirected command
  [ $? = 0 ] && grep -q '"result"' "$WORK/out" && ! grep -q '"isError":true' "$WORK/out"
  good "the sandbox leaves $tool what it needs" $? "$(cat "$WORK/out")"
done <"$WORK/tools"
[ "$seen" -ge 5 ]
good "the tools about the machine are there" $? "$(cat "$WORK/tools")"

has_tool net_check
good "net_check is offered" $?
configure '[tools]' 'net_check = false'
inside systemctl reload siskin.service && until_true lacks_tool net_check
good "reload: a tool that was switched off is gone" $? "$(journal)"
configure '[no_such]'
inside systemctl reload siskin.service
said() { grep -q no_such <<<"$(journal)"; }
until_true said && lacks_tool net_check
good "reload: a configuration that cannot be is named, and changes nothing" $? "$(journal)"
configure

session=$(open_session ask)
[ -n "$session" ] && inside systemctl restart siskin.service && [ "$(session_status "$session" ask)" = 200 ]
good "restart: the session is still there" $? "$session $(journal)"

inside mkdir -p /etc/systemd/system/siskin.service.d
printf '[Service]\nWatchdogSec=2\n' >"$WORK/watchdog.conf"
put "$WORK/watchdog.conf" /etc/systemd/system/siskin.service.d/watchdog.conf
inside systemctl daemon-reload && inside systemctl restart siskin.service
main=$(property MainPID)
sleep 5
[ "$(property NRestarts)" = 0 ] && [ "$(property MainPID)" = "$main" ]
good "watchdog: one that lives is left alone for twice its time" $? "$(journal)"
inside sh -c "kill -STOP $main"
restarted() { [ "$(property NRestarts)" -ge 1 ] && is_active; }
until_true restarted && healthy >"$WORK/out"
good "watchdog: one that hangs is started anew" $? "$(journal)"
inside rm -r /etc/systemd/system/siskin.service.d

configure '[limits]' 'streams = "many"'
inside systemctl daemon-reload
! inside systemctl restart siskin.service >"$WORK/out" 2>&1 && [ "$(property ExecMainStatus)" = 78 ] && [ "$(property ActiveState)" = failed ]
good "a configuration that cannot be is not tried again" $? "$(journal)"
configure

inside systemctl reset-failed siskin.service
inside systemctl stop siskin.service
inside systemctl enable --now --quiet siskin.socket >"$WORK/out" 2>&1 && [ "$(property ActiveState)" = inactive ] && healthy >>"$WORK/out" 2>&1 && is_active
good "socket: the first client starts it" $? "$(cat "$WORK/out") $(journal)"
session=$(open_session ask)
# Anywhere between before and after; the socket is there all the time.
ask "$URL/health" >"$WORK/health" 2>&1 &
inside systemctl restart siskin.service
good "socket: it restarts" $? "$(journal)"
wait $!
good "socket: nobody is refused meanwhile" $? "$(cat "$WORK/health")"

configure '# mine'
inside dpkg --install /next.deb >"$WORK/out" 2>&1 && is_active && [ "$(session_status "$session" ask)" = 200 ]
good "upgrade: it runs, and has its sessions" $? "$(cat "$WORK/out") $(journal)"
inside grep -q '^# mine' /etc/siskin/base.toml
good "upgrade: the configuration is kept" $?

inside dpkg --remove siskin >"$WORK/out" 2>&1 && ! healthy >/dev/null 2>&1 && inside test ! -e /usr/bin/siskin -a -f /etc/siskin/base.toml
good "remove: nothing runs or listens, the configuration is kept" $? "$(cat "$WORK/out")"
inside dpkg --purge siskin >"$WORK/out" 2>&1
left=$(inside find /etc /usr /lib /var/lib -path /var/lib/dpkg -prune -o -name '*siskin*' -print 2>/dev/null)
[ -z "$left" ]
good "purge: nothing is left" $? "$left"
exit "$FAILED"
