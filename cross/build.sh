#!/usr/bin/env bash
# Builds the static release binary for other machines, without a container engine.
# Usage: build.sh [--example NAME] [--features LIST | --no-default-features | --edge] [TARGET…]   default: every row of cross/targets.
#        --example: that instead of the program, built and linked the same way.
# Prints `built TRIPLE PATH` for each. Status 0: all of them; 1: one failed; 77: one cannot be had on this machine, none failed.
# Where a container engine runs, `CROSS_CONFIG=cross/Cross.toml cross build --release --target TRIPLE` gives a larger one of the same source.
set -uo pipefail
# shellcheck source=cross/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$ROOT" || exit 1

FLAGS=() PROFILE=release EDGE= WHAT=(--bin siskin) MADE=siskin
while [[ ${1:-} == --* ]]; do
  case $1 in
    --example) WHAT=(--example "$2") MADE=examples/$2; shift 2 ;;
    --features) FLAGS+=(--no-default-features --features "$2"); shift 2 ;;
    --no-default-features) FLAGS+=(--no-default-features); shift ;;
    --edge) FLAGS+=(--no-default-features --features edge) PROFILE=minimal EDGE=1; shift ;;
    *) sed -n '2,6s/^# //p' "$0"; exit 2 ;;
  esac
done
WANTED=("$@")
[ $# != 0 ] || mapfile -t WANTED < <(targets)

# zig: zig as C compiler and linker, with cargo-zigbuild, in a folder of their own.
zig() {
  [ -x "$TOOLS/bin/cargo-zigbuild" ] && return
  apt python3-venv
  python3 -m venv "$TOOLS" &&
    "$TOOLS/bin/pip" install --quiet --disable-pip-version-check "ziglang==$ZIG" "cargo-zigbuild==$ZIGBUILD"
}

# sources: those of the standard library.
sources() {
  [ -d "$(rustc --print sysroot)/lib/rustlib/src/rust/library" ] || rustup component add rust-src ||
    { echo "rustup cannot get the sources of the standard library here"; return "$UNAVAILABLE"; }
}

# rustflags TRIPLE FLAG…: them, beside what .cargo/config.toml says. As a variable, they would stand in its place.
rustflags() {
  local triple=$1 list=
  shift
  [ $# = 0 ] || list=$(printf '"%s",' "${@//\"/\\\"}")
  printf 'target.%s.rustflags=[%s]' "$triple" "$list"
}

# remaps: the paths that panics name without what they begin with here: the same bytes from every machine, and fewer.
remaps() {
  local folder
  cargo fetch --quiet --locked || return
  for folder in "${CARGO_HOME:-$HOME/.cargo}"/registry/src/*/; do
    printf '%s\n' "--remap-path-prefix=${folder%/}=crates"
  done
  printf '%s\n' "--remap-path-prefix=$(rustc --print sysroot)/lib/rustlib/src/rust/library=rust"
}

build() {
  local triple=$1 argument flags=() std=("-Zbuild-std=std,panic_abort" -Zbuild-std-features=optimize_for_size)
  # What a profile cannot say: the standard library built for size as well. RUSTC_BOOTSTRAP: that is an option of the nightly
  # compiler, and this is how the stable one takes it.
  if sources; then
    export RUSTC_BOOTSTRAP=1
  elif [ -n "$EDGE" ] || [ "$(field "$triple" 2)" = std ]; then
    return "$UNAVAILABLE"
  else
    echo "rustup's own standard library will do for $triple, and makes it larger than it is shipped"
    std=()
  fi
  mapfile -t flags < <(remaps)
  # A panic is one instruction that nobody may run, without words and places: they were a twentieth of the binary. Where it was is
  # reported by its address (src/rt/sys.rs), which cross/where.sh looks up. It is an option of the nightly compiler too.
  # Derived `Debug` writes the name alone, which is all that messages take of it.
  [ ${#std[@]} = 0 ] || flags+=("-Zunstable-options" "-Cpanic=immediate-abort" "-Zfmt-debug=shallow")
  # What LLVM can do for size and does not do unasked: what stands at several places becomes a function of its own; blocks in an order
  # that wants fewer and shorter jumps; a short `match` is a row of comparisons instead of a table.
  for argument in enable-machine-outliner=always apply-ext-tsp-for-size min-jump-table-entries=8; do
    flags+=("-Cllvm-args=-$argument")
  done
  # Only without ring (src/sha256.rs), for tokens and what clients keep for us.
  flags+=('--cfg=sha2_backend="soft"' '--cfg=sha2_backend_soft="compact"')
  # The lines are stripped from what is shipped, but have to be there when it is compiled: LLVM makes slightly other code with them, and
  # where.sh needs the same. As flags, not by the profile, for cargo names what it builds by that, and those names are in the code's order.
  flags+=("-Cdebuginfo=line-tables-only")
  [ "${SISKIN_NAMES:-}" != lines ] || flags+=("-Cstrip=none")
  case $(field "$triple" 2) in
    rustup)
      [ -d "$(rustc --print sysroot)/lib/rustlib/$triple/lib" ] || rustup target add "$triple" ||
        { echo "rustup cannot get $triple here"; return "$UNAVAILABLE"; }
      case $triple in
        "$(uname -m)"-* | x86_64-*) ;;
        aarch64-*) apt gcc-aarch64-linux-gnu libc6-dev-arm64-cross || { echo "no C compiler for $triple here"; return "$UNAVAILABLE"; } ;;
      esac
      local wanted=(--quiet --locked --profile "$PROFILE" "${WHAT[@]}" --target "$triple" "${FLAGS[@]}" "${std[@]}"
        --config "$(rustflags "$triple" "${flags[@]}")")
      # With names for size.sh: only the program is linked anew, its libraries stay.
      if [ "${SISKIN_NAMES:-}" = 1 ]; then
        cargo rustc "${wanted[@]}" -- -Cstrip=none
      else
        cargo build "${wanted[@]}"
      fi
      ;;
    std)
      zig || { echo "zig cannot be had here"; return "$UNAVAILABLE"; }
      # link-self-contained: rustc would look for the start-up objects in its own folder, where this target has none; zig has them.
      flags+=("-Clink-self-contained=no")
      # Two bytes for most instructions instead of four. The older core has them too, but not for floating point.
      case $triple in
        armv7-*) flags+=("-Ctarget-feature=+crt-static,+thumb-mode") ;;
        *) flags+=("-Ctarget-feature=+crt-static") ;;
      esac
      # zigbuild adds to the variable what it needs, and knows of no `--config`.
      PATH=$TOOLS/bin:$PATH RUSTFLAGS="-Cforce-unwind-tables=no ${flags[*]}" \
        cargo zigbuild --quiet --locked --profile "$PROFILE" "${WHAT[@]}" --target "$triple" "${FLAGS[@]}" "${std[@]}"
      ;;
    *) return 1 ;;
  esac
}

STATUS=0
for triple in "${WANTED[@]}"; do
  (build "$triple" </dev/null)
  case $? in
    0) echo "built $triple target/$triple/$PROFILE/$MADE" ;;
    "$UNAVAILABLE") echo "unavailable $triple"; [ "$STATUS" = 1 ] || STATUS=$UNAVAILABLE ;;
    *) echo "FAILED $triple"; STATUS=1 ;;
  esac
done
exit "$STATUS"
