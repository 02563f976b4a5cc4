# shellcheck shell=bash
# What the tests of this folder share beside tests/clients/lib.sh, which they source first: Python tools by name, a siskin, lines.
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# The tools of PyPI, exactly as tested.
TOOLS=$ROOT/.cache/deploy
# Exit status of a test that cannot be run here, as everywhere in this project.
# shellcheck disable=SC2034  # used by those who source this
UNAVAILABLE=77
PASSED=0
FAILED=0

# tool NAME: installs what deploy/requirements.txt pins, once, and says where the command is. Status 77 without Python or its registry.
tool() {
  if [ ! -x "$TOOLS/bin/$1" ] || stale "$TOOLS/stamp" "$ROOT/deploy/requirements.txt"; then
    need python3 python3
    rm -rf "$TOOLS"
    mkdir -p "$(dirname "$TOOLS")"
    python3 -c 'import ensurepip' 2>/dev/null || need_python_venv
    if ! python3 -m venv "$TOOLS" >"$SCRATCH/venv.log" 2>&1 ||
      ! "$TOOLS/bin/pip" install --quiet --disable-pip-version-check --no-input -r "$ROOT/deploy/requirements.txt" >"$SCRATCH/pip.log" 2>&1; then
      cat "$SCRATCH"/{venv,pip}.log >&2
      return "$UNAVAILABLE"
    fi
    stamp "$TOOLS/stamp" "$ROOT/deploy/requirements.txt"
  fi
  echo "$TOOLS/bin/$1"
}

# debug_siskin: builds what `cargo test` builds, unless a binary is given; sets SISKIN. The scripts here try configurations, for which
# any build will do.
debug_siskin() {
  SISKIN=${1:-}
  if [ -z "$SISKIN" ]; then
    SISKIN=$ROOT/target/debug/siskin
    (cd "$ROOT" && cargo build --quiet --locked --bin siskin)
  fi
  SISKIN=$(realpath "$SISKIN")
  [ -x "$SISKIN" ] || die "there is no \`$SISKIN\`"
}

# check NAME COMMAND…: one line; what the command said is the reason of a failure.
check() {
  local name=$1 said status=0
  shift
  said=$("$@" 2>&1) || status=$?
  if [ "$status" = 0 ]; then
    PASSED=$((PASSED + 1))
    echo "ok   $name"
  else
    FAILED=$((FAILED + 1))
    echo "FAIL $name  $(tr '\n' ' ' <<<"$said" | cut -c 1-600)"
  fi
}

# refuses COMMAND…: whether it fails.
refuses() {
  if "$@"; then
    echo "it was taken"
    return 1
  fi
}

# skip TEXT: one line for what cannot be tried here.
skip() {
  echo "--   $*"
}

# verdict: the closing line, and its status.
verdict() {
  echo "$PASSED passed, $FAILED failed"
  [ "$FAILED" = 0 ] && [ "$PASSED" != 0 ]
}
