#!/usr/bin/env bash
# Names the place in the source at which a static binary said it ended: `siskin 0.1.0 ends by a bug of its own, at 0x…`.
# Usage: where.sh [--features LIST | --no-default-features | --edge] TARGET ADDRESS   in the commit that the binary was built from.
# Builds it once more, with names and lines, and compares its code with target/TARGET's, if that is there. The function, then each line
# that was inlined there, the innermost first. Status 0: found; 1: not; 77: zig links for TARGET, and gives no names.
set -uo pipefail
# shellcheck source=cross/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$ROOT" || exit 1

FLAGS=() PROFILE=release
while [[ ${1:-} == --* ]]; do
  case $1 in
    --features) FLAGS+=("$1" "$2"); shift 2 ;;
    --edge) PROFILE=minimal; FLAGS+=("$1"); shift ;;
    *) FLAGS+=("$1"); shift ;;
  esac
done
[ $# = 2 ] || { sed -n '2,5s/^# //p' "$0"; exit 2; }
[ "$(field "$1" 2)" = rustup ] || { echo "\`$1\` is linked by zig, which gives no names"; exit "$UNAVAILABLE"; }
apt python3 binutils || exit 1
ADDR2LINE=addr2line
[ "${1%%-*}" = "$(uname -m)" ] || ADDR2LINE=${1%%-*}-linux-gnu-addr2line
NAMED=target/where
SISKIN_NAMES=lines CARGO_TARGET_DIR=$NAMED cross/build.sh "${FLAGS[@]}" "$1" >&2 || exit
SHIPPED=()
[ ! -x "target/$1/$PROFILE/siskin" ] || SHIPPED=("target/$1/$PROFILE/siskin")
python3 cross/where.py "$NAMED/$1/$PROFILE/siskin" "$2" "$ADDR2LINE" "${SHIPPED[@]}"
