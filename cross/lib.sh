# What build.sh, size.sh and smoke.sh share; they source it.
# shellcheck shell=bash disable=SC2034  # used by those
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
TABLE=$ROOT/cross/targets
TOOLS=$ROOT/.cache/cross
ZIG=0.13.0
ZIGBUILD=0.24.0
export CARGO_TERM_COLOR=never CARGO_TERM_PROGRESS_WHEN=never DEBIAN_FRONTEND=noninteractive
# The status of what could not be had here, beside 0 for done and 1 for failed.
UNAVAILABLE=77

# targets: every triple of the table.
targets() {
  awk '!/^#/ && NF { print $1 }' "$TABLE"
}

# field TRIPLE N: the Nth field of a row of the table.
field() {
  awk -v triple="$1" -v n="$2" '!/^#/ && $1 == triple { print $n; found = 1 } END { exit !found }' "$TABLE" ||
    { echo "\`$1\` is not in cross/targets" >&2; return 1; }
}

# runner TRIPLE: the command in front of the binary; empty where this machine runs it itself.
runner() {
  case $1 in
    "$(uname -m)"-*) ;;
    *) field "$1" 3 | tr + ' ' ;;
  esac
}

# apt PACKAGE…: installs what is missing, where there is an apt-get and somebody who may.
apt() {
  local missing=() package sudo=()
  for package in "$@"; do
    dpkg -s "$package" >/dev/null 2>&1 || missing+=("$package")
  done
  [ ${#missing[@]} != 0 ] || return 0
  command -v apt-get >/dev/null 2>&1 || { echo "there is no apt-get to install ${missing[*]} with" >&2; return 1; }
  [ "$(id -u)" = 0 ] || sudo=(sudo -n)
  "${sudo[@]}" apt-get -o DPkg::Lock::Timeout=300 install -y -q --no-install-recommends "${missing[@]}" >/dev/null 2>&1 && return
  "${sudo[@]}" apt-get -o DPkg::Lock::Timeout=300 update -q >/dev/null 2>&1
  "${sudo[@]}" apt-get -o DPkg::Lock::Timeout=300 install -y -q --no-install-recommends "${missing[@]}" >/dev/null
}
