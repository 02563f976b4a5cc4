# shellcheck shell=bash
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
