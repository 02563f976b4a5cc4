#!/usr/bin/env bash
# Lets OpenRC start, check, reload and stop the service by the shipped script, in a Debian of its own in a container. A line per case.
# Usage: test.sh   takes the musl build of this machine. Status 77 where no container can be had.
# shellcheck disable=SC2317  # called by name
set -uo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=cross/lib.sh
. "$HERE/../../cross/lib.sh"
# shellcheck source=deploy/debian/base.sh
. "$HERE/../debian/base.sh"
cd "$ROOT" || exit 1
BASE=$ROOT/.cache/debian
BINARY=target/$(uname -m)-unknown-linux-musl/release/siskin
[ -x "$BINARY" ] || { echo "there is no $BINARY; build it with cross/build.sh"; exit 1; }
bare_debian "$BASE" || exit
apt podman runc curl util-linux || { echo "podman cannot be had here"; exit "$UNAVAILABLE"; }

ENGINE=(podman --runtime runc --cgroup-manager cgroupfs)
NAME=siskin-openrc-$$
WORK=$(mktemp -d)
FAILED=0
URL=http://127.0.0.1:8000
cleanup() {
  "${ENGINE[@]}" rm --force --time 2 "$NAME" >/dev/null 2>&1
  rm -rf "$WORK"
}
trap cleanup EXIT

good() {
  if [ "$2" = 0 ]; then echo "ok   $1"; else echo "FAIL $1: ${3:-}"; FAILED=1; fi
}
inside() { timeout 60 "${ENGINE[@]}" exec "$NAME" "$@"; }
ask() { nsenter --net="/proc/$PID/ns/net" curl --silent --show-error --fail --max-time 10 "$@"; }
until_true() {
  local attempt
  # shellcheck disable=SC2034  # it only counts
  for attempt in $(seq 100); do
    "$@" >/dev/null 2>&1 && return
    sleep 0.2
  done
  return 1
}
log() { inside tail -n 15 /var/log/siskin.log; }
healthy() { ask "$URL/health"; }
configure() {
  cp "$HERE/../debian/base.toml" "$WORK/base.toml"
  printf '%s\n' "$@" >>"$WORK/base.toml"
  "${ENGINE[@]}" cp "$WORK/base.toml" "$NAME:/etc/siskin/base.toml"
}

# The shell stands in for an init: it reaps what others leave, without which a stop would wait for a dead process for ever.
if ! "${ENGINE[@]}" run --detach --name "$NAME" --network none --ulimit nofile=20000:20000 --ulimit nproc=10000:10000 \
  --rootfs "$BASE:O" /bin/bash -c 'while :; do sleep 1; done' >"$WORK/run" 2>&1; then
  echo "a container cannot be started here: $(tail -1 "$WORK/run")"
  exit "$UNAVAILABLE"
fi
PID=$("${ENGINE[@]}" inspect --format '{{.State.Pid}}' "$NAME")
# What the guide says to do, and what OpenRC would have made had it started the machine.
inside bash -c 'useradd --system siskin && mkdir -p /etc/siskin /etc/conf.d \
  /run/openrc/{daemons,exclusive,failed,hotplugged,inactive,options,scheduled,started,starting,stopping,tmp,wasinactive} && touch /run/openrc/softlevel'
"${ENGINE[@]}" cp "$BINARY" "$NAME:/usr/bin/siskin"
"${ENGINE[@]}" cp "$HERE/siskin" "$NAME:/etc/init.d/siskin"
configure

inside rc-service siskin start >"$WORK/out" 2>&1 && until_true healthy
good "start: /health answers" $? "$(cat "$WORK/out") $(log)"
inside rc-service siskin status >"$WORK/out" 2>&1
good "status: started" $? "$(cat "$WORK/out")"
# By the name that the kernel has: the supervisor's arguments hold this one too.
main() { inside sh -c 'grep -lx siskin /proc/[0-9]*/comm | sed s,/comm,,'; }
[ "$(inside stat --format %U "$(main)")" = siskin ]
good "it runs as siskin" $? "$(main)"
session=$(open_session ask)
[ -n "$session" ] && inside rc-service siskin restart >"$WORK/out" 2>&1 && until_true healthy && [ "$(session_status "$session" ask)" = 200 ]
good "restart: the session is still there" $? "$(cat "$WORK/out") $(log)"
before=$(main)
renewed() { [ "$(main)" != "$before" ] && healthy; }
inside sh -c "kill -KILL ${before##*/}"
good "supervisor: one that was killed is started anew" "$(until_true renewed; echo $?)" "$(log)"
configure '[tools]' 'net_check = false'
lacks_net_check() { ! ask "$URL/api/mcp/v1/tools" | grep -q '"name":"net_check"'; }
inside rc-service siskin reload >"$WORK/out" 2>&1 && until_true lacks_net_check && healthy >/dev/null
good "reload: a tool that was switched off is gone" $? "$(cat "$WORK/out") $(log)"
configure '[no_such]'
! inside rc-service siskin reload >"$WORK/out" 2>&1 && grep -q no_such "$WORK/out" && healthy >/dev/null
good "reload: a configuration that cannot be is named, and it runs on" $? "$(cat "$WORK/out")"
inside rc-service siskin stop >"$WORK/out" 2>&1 && ! healthy >/dev/null 2>&1
good "stop: nobody listens" $? "$(cat "$WORK/out") $(log)"
inside grep -q 'stopped$' /var/log/siskin.log
good "stop: by itself, not killed" $? "$(log)"
! inside rc-service siskin start >"$WORK/out" 2>&1 && grep -q no_such "$WORK/out"
good "start: a configuration that cannot be is named, and nothing started" $? "$(cat "$WORK/out")"
exit "$FAILED"
