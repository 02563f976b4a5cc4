#!/usr/bin/env bash
# Makes Debian packages of the static binaries that cross/build.sh built, with dpkg-deb alone.
# Usage: build.sh [ARCH…]   amd64, arm64, armhf; default: each whose binary is there. Prints each package's path.
# armhf carries the ARMv6 binary, which runs on every Raspberry Pi; Debian's own armhf begins with ARMv7.
# SOURCE_DATE_EPOCH gives the times of the files in it; default: the commit's.
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
ROOT=$(cd "$HERE/../.." && pwd)
cd "$ROOT"
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || echo 0)}
VERSION=$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml | head -n 1)
OUT=$ROOT/target/debian

triple() {
  case $1 in
    amd64) echo x86_64-unknown-linux-musl ;;
    arm64) echo aarch64-unknown-linux-musl ;;
    armhf) echo arm-unknown-linux-musleabihf ;;
    *) echo "\`$1\` is not one of amd64, arm64, armhf" >&2; return 1 ;;
  esac
}

# package ARCH
package() {
  local binary root size
  binary=target/$(triple "$1")/release/siskin
  [ -x "$binary" ] || { echo "there is no $binary; build it with cross/build.sh $(triple "$1")" >&2; return 1; }
  root=$(mktemp -d)
  install -D -m 755 "$binary" "$root/usr/bin/siskin"
  install -D -m 644 deploy/systemd/siskin.service "$root/lib/systemd/system/siskin.service"
  install -D -m 644 deploy/systemd/siskin.socket "$root/lib/systemd/system/siskin.socket"
  install -D -m 644 deploy/completions/siskin.bash "$root/usr/share/bash-completion/completions/siskin"
  install -D -m 644 deploy/completions/_siskin "$root/usr/share/zsh/vendor-completions/_siskin"
  install -D -m 644 deploy/completions/siskin.fish "$root/usr/share/fish/vendor_completions.d/siskin.fish"
  install -D -m 644 deploy/man/siskin.1 "$root/usr/share/man/man1/siskin.1"
  gzip -9n "$root/usr/share/man/man1/siskin.1"
  install -D -m 644 config/README.md "$root/usr/share/doc/siskin/README.md"
  install -D -m 644 config/siskin.example.toml "$root/usr/share/doc/siskin/siskin.example.toml"
  {
    printf 'siskin, copyright the authors of siskin, under the MIT licence below or, as you like, under the\n'
    printf 'Apache licence 2.0, in /usr/share/common-licenses/Apache-2.0 on a Debian system.\n\n'
    cat LICENSE-MIT
  } >"$root/usr/share/doc/siskin/copyright"
  install -D -m 644 deploy/debian/base.toml "$root/etc/siskin/base.toml"
  install -d "$root/etc/siskin/packs" "$root/DEBIAN"
  install -m 755 deploy/debian/{postinst,prerm,postrm} "$root/DEBIAN/"
  echo /etc/siskin/base.toml >"$root/DEBIAN/conffiles"
  size=$(du -sk --exclude=DEBIAN "$root" | cut -f1)
  cat >"$root/DEBIAN/control" <<EOF
Package: siskin
Version: $VERSION
Architecture: $1
Maintainer: the authors of siskin
Section: net
Priority: optional
Installed-Size: $size
Suggests: ca-certificates
Description: MCP server for small machines
 Serves the Model Context Protocol over HTTP, event streams and standard input
 and output, in every revision at once, from one static binary in about 2 MB of
 memory. Offers facts about the machine, and tools for the services of a
 household declared in configuration files.
EOF
  find "$root" -exec touch --no-dereference --date "@$SOURCE_DATE_EPOCH" {} +
  mkdir -p "$OUT"
  dpkg-deb --root-owner-group -Zxz --build "$root" "$OUT/siskin_${VERSION}_$1.deb" >/dev/null
  rm -rf "$root"
  echo "$OUT/siskin_${VERSION}_$1.deb"
}

WANTED=("$@")
if [ $# = 0 ]; then
  for arch in amd64 arm64 armhf; do
    [ ! -x "target/$(triple "$arch")/release/siskin" ] || WANTED+=("$arch")
  done
fi
for arch in "${WANTED[@]}"; do
  package "$arch"
done
