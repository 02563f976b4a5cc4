#!/usr/bin/env bash
# Builds the static binary of what is committed in another folder, and compares it with the one built here: they must be the same bytes.
# Usage: reproduce.sh [TARGET [FOLDER]]   default: this machine's musl target, and a folder that is thrown away.
set -euo pipefail
# shellcheck source=cross/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$ROOT"
TRIPLE=${1:-$(uname -m)-unknown-linux-musl}
FOLDER=${2:-}
if [ -z "$FOLDER" ]; then
  FOLDER=$(mktemp -d)
  trap 'rm -rf "$FOLDER"' EXIT
fi
# What cargo reads must be committed, or the two are not of one source.
[ -z "$(git status --porcelain -- Cargo.toml Cargo.lock build.rs .cargo src config cross)" ] || { echo "there are changes that are not committed"; exit 1; }
[ -d "$FOLDER/.git" ] || git clone --quiet "$ROOT" "$FOLDER"
git -C "$FOLDER" fetch --quiet "$ROOT" HEAD
git -C "$FOLDER" checkout --quiet --detach FETCH_HEAD
cross/build.sh "$TRIPLE"
"$FOLDER/cross/build.sh" "$TRIPLE"
sha256sum "target/$TRIPLE/release/siskin" "$FOLDER/target/$TRIPLE/release/siskin"
cmp "target/$TRIPLE/release/siskin" "$FOLDER/target/$TRIPLE/release/siskin"
echo "ok   $TRIPLE: two builds in two folders are the same"
