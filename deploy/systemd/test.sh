#!/usr/bin/env bash
# Looks whether systemd understands the units and how far they close the service in, and starts siskin as systemd would: with the
# socket handed over, readiness told, the watchdog fed and the configuration read again. A line per case.
# Usage: test.sh [SISKIN]   default: a debug build. What only a running systemd can show is named and skipped.
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=../../tests/clients/lib.sh
. "$HERE/../../tests/clients/lib.sh"
# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "$HERE/../lib.sh"
begin deploy/systemd

need systemd-analyze systemd
need python3 python3
need sh dash
debug_siskin "${1:-}"
# The most a service may be exposed, in tenths; systemd calls 1.2 `OK`.
EXPOSURE_MAX=12

# The unit names an installed program, which is not to be had before the package is; all else is as shipped.
mkdir "$SCRATCH/units"
sed "s|^ExecStart=/usr/bin/siskin|ExecStart=$SISKIN|" "$HERE/siskin.service" >"$SCRATCH/units/siskin.service"
cp "$HERE/siskin.socket" "$SCRATCH/units/"
grep -q "^ExecStart=$SISKIN " "$SCRATCH/units/siskin.service" || die "siskin.service has no ExecStart=/usr/bin/siskin"

# clean COMMAND…: it succeeds and has nothing to say.
clean() {
  local said
  said=$("$@" 2>&1) || { echo "$said"; return 1; }
  # What this machine's own units lack is none of ours.
  ! grep -i siskin <<<"$said"
}
check "verify siskin.service" clean systemd-analyze verify --man=no "$SCRATCH/units/siskin.service"
check "verify siskin.socket" clean systemd-analyze verify --man=no "$SCRATCH/units/siskin.socket"
echo 'NoSuchKey=1' >"$SCRATCH/broken"
broken() {
  sed '/^\[Service\]/r '"$SCRATCH/broken" "$SCRATCH/units/siskin.service" >"$SCRATCH/units/broken.service"
  ! systemd-analyze verify --man=no "$SCRATCH/units/broken.service" 2>&1 | grep -q NoSuchKey
}
check "a key that is none is found" refuses broken

security() { systemd-analyze security --no-pager --offline=true --threshold="$1" "$SCRATCH/units/siskin.service"; }
exposure=$(security 100 2>/dev/null | sed -n 's/.*Overall exposure level.*: \([0-9.]*\).*/\1/p')
check "exposure ${exposure:-?}, at most $EXPOSURE_MAX tenths" security "$EXPOSURE_MAX"
check "less would not do" refuses security 1

cp -r "$ROOT/deploy/debian/base.toml" "$SCRATCH/base.toml"
check "as systemd starts, reloads and ends it" python3 "$HERE/activate.py" "$SISKIN" "$SCRATCH"

if [ -d /run/systemd/system ]; then
  skip "a systemd runs here, but installing the service is the package's: deploy/debian/test.sh"
else
  skip "no systemd runs here: the sandbox of the unit itself is checked by its score alone"
fi
verdict
