#!/usr/bin/env bash
# Builds the fuzz targets and runs each for a while. Stable Rust is enough, and cargo-fuzz is not needed: the coverage that libFuzzer
# steers by is an LLVM pass, and the code is safe, so that a sanitizer would have little to find.
# Usage: run.sh [SECONDS [TARGET…]]   30 seconds each, and all targets, unless said otherwise. What is found stays in fuzz/artifacts;
#        seeds are in fuzz/seeds, what fuzzing learns is added to fuzz/corpus, which git ignores.
# SISKIN_FUZZ_SEED: where chance begins; another place in every run, unless said otherwise.
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$HERE"
SECONDS_EACH=${1:-30}
[ $# = 0 ] || shift
TARGETS=("$@")
if [ ${#TARGETS[@]} = 0 ]; then
  for target in fuzz_targets/*.rs; do
    TARGETS+=("$(basename "$target" .rs)")
  done
fi

FLAGS="--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters"
FLAGS+=" -Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares"
HOST=$(rustc -vV | sed -n 's/^host: //p')
# With a target named, build scripts and macros go without the instrumentation.
RUSTFLAGS=$FLAGS cargo build --locked --release --target "$HOST" --target-dir target

# fuzz TARGET: one line for it, and what it said where it failed.
fuzz() {
  local target=$1 log=artifacts/$1/log status=0
  mkdir -p "corpus/$target" "artifacts/$target"
  # `-timeout` is for one input; a target that hangs is a finding as well.
  "target/$HOST/release/$target" -seed="${SISKIN_FUZZ_SEED:-0}" -max_total_time="$SECONDS_EACH" -timeout=10 -max_len=4096 -rss_limit_mb=1024 \
    -artifact_prefix="artifacts/$target/" "corpus/$target" "seeds/$target" >"$log" 2>&1 </dev/null || status=$?
  if [ "$status" = 0 ]; then
    printf 'ok   fuzz %-11s %s\n' "$target" "$(grep -a '^Done ' "$log")"
  else
    printf 'FAIL fuzz %-11s status %s\n' "$target" "$status"
    tail -n 40 "$log" | sed 's/^/     | /'
  fi
  return "$status"
}

# As many at once as there are processors.
JOBS=$(nproc)
failed=() waited=()
for at in "${!TARGETS[@]}"; do
  fuzz "${TARGETS[at]}" &
  waited+=($!)
  [ "$at" -lt $((JOBS - 1)) ] || wait "${waited[at - JOBS + 1]}" || failed+=("${TARGETS[at - JOBS + 1]}")
done
for ((at = ${#TARGETS[@]} < JOBS ? 0 : ${#TARGETS[@]} - JOBS + 1; at < ${#TARGETS[@]}; at++)); do
  wait "${waited[at]}" || failed+=("${TARGETS[at]}")
done
[ ${#failed[@]} = 0 ] || { echo "failed: ${failed[*]}"; exit 1; }
