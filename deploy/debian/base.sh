# shellcheck shell=bash disable=SC2317,SC2034  # called by name; used by those who source this
# The bare Debian that the tests of packages and services install into; they source this after cross/lib.sh.

# bare_debian FOLDER: makes it once, with both service managers. Status 77, and why, where it cannot be had.
bare_debian() {
  local mirror release log
  [ "$(id -u)" = 0 ] || { echo "needs root for a system of its own"; return "$UNAVAILABLE"; }
  [ ! -e "$1/made" ] || return 0
  apt debootstrap || { echo "debootstrap cannot be had here"; return "$UNAVAILABLE"; }
  # The mirror and the release this machine itself installs from.
  mirror=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null | sed -n 's/^deb \(\[[^]]*\] \)\?\([^ ]*\) .*/\2/p; s/^URIs: *\([^ ]*\).*/\1/p' | head -n 1)
  release=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
  rm -rf "$1"
  log=$(mktemp)
  if ! debootstrap --variant=minbase --include=systemd,systemd-sysv,dbus,openrc "$release" "$1" "$mirror" >"$log" 2>&1; then
    tail -3 "$log"
    rm -rf "$1" "$log"
    echo "no bare Debian can be had here"
    return "$UNAVAILABLE"
  fi
  rm -f "$log"
  # What would set up the kernel, which is the machine's own.
  ln -sf /dev/null "$1/etc/systemd/system/systemd-sysctl.service"
  ln -sf /dev/null "$1/etc/systemd/system/systemd-modules-load.service"
  touch "$1/made"
}

# good NAME STATUS [TEXT]: prints the line of a case.
good() {
  if [ "$2" = 0 ]; then echo "ok   $1"; else echo "FAIL $1: ${3:-}"; FAILED=1; fi
}

# until_true COMMAND…: whether it holds within a while.
until_true() {
  local attempt
  # shellcheck disable=SC2034  # it only counts
  for attempt in $(seq 200); do
    "$@" >/dev/null 2>&1 && return
    sleep 0.2
  done
  return 1
}

# enter BASE OPTION… COMMAND: runs it in a container that stands on that Debian and leaves it as it is, with a network of its own. Sets
# NAME, WORK, PID and URL, where siskin listens as shipped; `inside` and `ask` reach it. Status 77, and why, where it cannot be had.
enter() {
  local base=$1
  shift
  apt podman runc curl util-linux || { echo "podman cannot be had here"; return "$UNAVAILABLE"; }
  ENGINE=(podman --runtime runc --cgroup-manager cgroupfs)
  NAME=siskin-debian-$$
  WORK=$(mktemp -d)
  URL=http://127.0.0.1:8000
  trap leave EXIT
  # Without a daemon nobody raises our own limits for the container.
  if ! "${ENGINE[@]}" run --detach --name "$NAME" --network none --ulimit nofile=20000:20000 --ulimit nproc=10000:10000 \
    "${@:1:$#-1}" --rootfs "$base:O" /bin/bash -c "${!#}" >"$WORK/run" 2>&1; then
    echo "a container cannot be started here: $(tail -1 "$WORK/run")"
    return "$UNAVAILABLE"
  fi
  PID=$("${ENGINE[@]}" inspect --format '{{.State.Pid}}' "$NAME")
}
leave() {
  "${ENGINE[@]}" rm --force --time 2 "$NAME" >/dev/null 2>&1
  rm -rf "$WORK"
}
inside() { timeout 60 "${ENGINE[@]}" exec "$NAME" "$@"; }
# put FILE PATH: copies it there.
put() { "${ENGINE[@]}" cp "$1" "$NAME:$2"; }
# ask ARGUMENT…: curl in the container's network.
ask() { nsenter --net="/proc/$PID/ns/net" curl --silent --show-error --fail --max-time 10 "$@"; }
healthy() { ask "$URL/health"; }
# has_tool NAME, lacks_tool NAME: whether it is offered.
has_tool() { grep -q "\"name\":\"$1\"" <<<"$(ask "$URL/api/mcp/v1/tools")"; }
lacks_tool() { healthy >/dev/null && ! has_tool "$1"; }
# configure LINE…: the shipped configuration and these lines.
configure() {
  cp "$ROOT/deploy/debian/base.toml" "$WORK/base.toml"
  printf '%s\n' "$@" >>"$WORK/base.toml"
  put "$WORK/base.toml" /etc/siskin/base.toml
}

# next_version PACKAGE OUT: the same files under the next version.
next_version() {
  local files
  files=$(mktemp -d)
  dpkg-deb -R "$1" "$files/package"
  sed -i 's/^Version: .*/&+next/' "$files/package/DEBIAN/control"
  dpkg-deb --root-owner-group --build "$files/package" "$2" >/dev/null
  rm -rf "$files"
}

HELLO='{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}'

# open_session CURL…: opens a session by that command, which knows how to reach siskin, at `URL`, and prints its id.
open_session() {
  "$@" --dump-header - --output /dev/null "$URL/mcp" -H 'Content-Type: application/json' -H 'Accept: application/json, text/event-stream' -d "$HELLO" |
    tr -d '\r' | sed -n 's/^mcp-session-id: //Ip'
}

# session_status ID CURL…: the status of a ping in that session.
session_status() {
  local id=$1
  shift
  "$@" --output /dev/null --write-out '%{http_code}' "$URL/mcp" -H 'Content-Type: application/json' -H 'Accept: application/json, text/event-stream' \
    -H "Mcp-Session-Id: $id" -H 'MCP-Protocol-Version: 2025-11-25' -d '{"jsonrpc":"2.0","id":2,"method":"ping"}'
}
