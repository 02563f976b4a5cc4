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
# The shell stands in for an init: it reaps what others leave, without which a stop would wait for a dead process for ever.
enter "$BASE" 'while :; do sleep 1; done' || exit
FAILED=0
log() { inside tail -n 15 /var/log/siskin.log; }

# What the guide says to do, and what OpenRC would have made had it started the machine.
inside bash -c 'useradd --system siskin && mkdir -p /etc/siskin /etc/conf.d \
  /run/openrc/{daemons,exclusive,failed,hotplugged,inactive,options,scheduled,started,starting,stopping,tmp,wasinactive} && touch /run/openrc/softlevel'
put "$BINARY" /usr/bin/siskin
put "$HERE/siskin" /etc/init.d/siskin
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
inside rc-service siskin reload >"$WORK/out" 2>&1 && until_true lacks_tool net_check
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
