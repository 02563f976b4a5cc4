#!/usr/bin/env bash
# What siskin weighs on each machine with each set of features, beside what it may weigh and what README.md says.
# Usage: size.sh [--built] [--write] [TARGET…]   default: every row of cross/targets, built as needed
#        size.sh --largest TARGET [--edge]        the crates and functions that take most of one binary
#   --built  weighs what was built before, by this script or by build.sh, and builds nothing
#   --write  puts the figures into README.md
# Status 0: all within budget, README.md right within 2 %; 1: not so; 77: nothing to weigh.
set -uo pipefail
# shellcheck source=cross/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$ROOT" || exit 1
apt python3 || exit 1

BUILD=1 WRITE=()
while [[ ${1:-} == --* ]]; do
  case $1 in
    --built) BUILD=; shift ;;
    --write) WRITE=(--write); shift ;;
    --largest)
      apt binutils || exit 1
      [ "$(field "$2" 2)" = rustup ] || { echo "\`$2\` is linked by zig, which gives no names; ask for another machine"; exit 2; }
      # Once more, with names; what was linked without them is put back, or it would be shipped with them.
      binary=target/$2/release/siskin
      [ "${3:-}" != --edge ] || binary=target/$2/minimal/siskin
      [ ! -e "$binary" ] || cp -p "$binary" "$binary.stripped"
      SISKIN_NAMES=1 cross/build.sh ${3:+"$3"} "$2" || exit
      python3 cross/largest.py "$binary"
      status=$?
      [ ! -e "$binary.stripped" ] || mv "$binary.stripped" "$binary"
      exit "$status"
      ;;
    *) sed -n '2,7s/^# //p' "$0"; exit 2 ;;
  esac
done
WANTED=("$@")
[ $# != 0 ] || mapfile -t WANTED < <(targets)

# One folder for all sets: cargo keeps the last one only.
WEIGHED=target/size
mkdir -p "$WEIGHED"
for triple in "${WANTED[@]}"; do
  if [ -n "$BUILD" ]; then
    for set in none edge default; do
      flags=()
      profile=release
      case $set in
        none) flags=(--no-default-features) ;;
        edge) flags=(--edge) profile=minimal ;;
      esac
      cross/build.sh "${flags[@]}" "$triple" && cp -p "target/$triple/$profile/siskin" "$WEIGHED/$triple.$set"
    done
  else
    # What build.sh left; that of no features is known from here alone.
    [ ! -x "target/$triple/release/siskin" ] || [ "target/$triple/release/siskin" -ef "$WEIGHED/$triple.none" ] ||
      cp -p "target/$triple/release/siskin" "$WEIGHED/$triple.default"
    [ ! -x "target/$triple/minimal/siskin" ] || cp -p "target/$triple/minimal/siskin" "$WEIGHED/$triple.edge"
  fi
done
exec python3 cross/size.py "${WRITE[@]}" "$WEIGHED" "${WANTED[@]}"
