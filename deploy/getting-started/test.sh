#!/usr/bin/env bash
# Each way of deploy/README.md to begin, from a clean folder: what it says to type or to paste is read from there and from the files it
# names, and run. A line per case.
# Usage: test.sh [SISKIN]   default: a debug build. SISKIN_STARTED_LIBRARY=0 leaves out the library, which compiles a crate for minutes.
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=../../tests/clients/lib.sh
. "$HERE/../../tests/clients/lib.sh"
# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "$HERE/../lib.sh"
begin deploy/getting-started

need curl curl
need jq jq
need python3 python3
debug_siskin "${1:-}"
HELLO='{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}'
GUIDE=$ROOT/deploy/README.md

# --- a Raspberry Pi with systemd: the unit's own command, with the configuration that the package puts in its place -------------------
mkdir -p "$SCRATCH/pi/etc" "$SCRATCH/pi/state"
cp "$ROOT/deploy/debian/base.toml" "$SCRATCH/pi/etc/"
read -ra command <<<"$(sed -n "s|^ExecStart=/usr/bin/siskin|$SISKIN|p" "$ROOT/deploy/systemd/siskin.service" | sed "s|/etc/siskin|$SCRATCH/pi/etc|")"
check "pi: the installed configuration is sound" "$SISKIN" check --config-dir "$SCRATCH/pi/etc"
start_siskin "$SCRATCH/pi.log" env -i "PATH=$PATH" "APP_STATE__FILE=$SCRATCH/pi/state/sessions" APP_SERVER__PORT=0 "${command[@]}"
health() { curl --silent --show-error --fail --max-time 10 "http://127.0.0.1:$PORT/health"; }
check "pi: the unit's command answers" health
stop_server "$SERVER_PID"
ended() { [ "$EXIT_STATUS" = 0 ] && [ -e "$SCRATCH/pi/state/sessions" ]; }
check "pi: it ends with status 0 and leaves its sessions" ended

# --- a NAS with compose: the environment of the file, as a container would have it -----------------------------------------------------
if command -v docker-compose >/dev/null || need docker-compose docker-compose; then
  cp "$HERE/docker-compose.yml" "$SCRATCH/nas.yml"
  docker-compose --file "$SCRATCH/nas.yml" config >"$SCRATCH/nas.config" 2>"$SCRATCH/nas.err" || cat "$SCRATCH/nas.err"
  yaml=$(dirname "$(tool check-jsonschema)")/python
  mapfile -t variables < <("$yaml" -c '
import sys
from ruamel.yaml import YAML
for name, value in YAML(typ="safe").load(sys.stdin)["services"]["siskin"]["environment"].items(): print(f"{name}={value}")' <"$SCRATCH/nas.config")
  od -An -N32 -tx1 /dev/urandom | tr -d ' \n' >"$SCRATCH/api_token"
  TOKEN=$(cat "$SCRATCH/api_token")
  image=(APP_SERVER__HOST=0.0.0.0 APP_SERVER__PORT=0)
  start_server "$SCRATCH/nas.log" env -i "PATH=$PATH" "${image[@]}" "${variables[@]/\/run\/secrets/$SCRATCH}" "$SISKIN"
  up() { sed -n 's/^.*listening http [0-9.]*:\([0-9]*\).*$/\1/p' "$SCRATCH/nas.log" | head -n 1 | grep .; }
  wait_until 20 up >/dev/null || cat "$SCRATCH/nas.log"
  PORT=$(up)
  with_token() {
    curl --silent --show-error --fail --max-time 10 -H "Authorization: Bearer $TOKEN" "http://127.0.0.1:$PORT/api/mcp/v1/tools" | jq -e '.count > 0'
  }
  without_token() { [ "$(curl --silent --output /dev/null --write-out '%{http_code}' "http://127.0.0.1:$PORT/api/mcp/v1/tools")" = 401 ]; }
  check "nas: the token of the secret opens it" with_token
  check "nas: without it there is no way in" without_token
  stop_server "$SERVER_PID"
else
  skip "nas: no docker-compose here"
fi

# --- a desktop client over stdio: every block of JSON to paste, from both documents ----------------------------------------------------
python3 - "$ROOT/README.md" "$GUIDE" "$SCRATCH" <<'PY'
import json
import re
import sys

*documents, scratch = sys.argv[1:]
found = []
for document in documents:
    with open(document) as file:
        for block in re.findall(r"^```json\n(.*?)^```$", file.read(), re.MULTILINE | re.DOTALL):
            servers = json.loads(block)
            servers = servers.get("mcpServers") or servers.get("servers") or servers.get("context_servers") or {}
            found += [server for server in servers.values() if "command" in server]
for number, server in enumerate(found):
    with open(f"{scratch}/client-{number}.json", "w") as file:
        json.dump(server, file)
PY
# pasted FILE: what a client does with it, in a clean folder with no more than the SDKs hand on.
pasted() {
  local arguments variables
  [ "$(jq -r .command "$1")" = /usr/local/bin/siskin ] || { echo "another command: $(jq -r .command "$1")"; return 1; }
  mapfile -t arguments < <(jq -r '.args[]' "$1")
  mapfile -t variables < <(jq -r '.env // {} | to_entries[] | "\(.key)=\(.value)"' "$1")
  mkdir -p "$SCRATCH/desktop"
  (cd "$SCRATCH/desktop" && env -i "HOME=$SCRATCH/desktop" "PATH=$PATH" "${variables[@]}" "$SISKIN" "${arguments[@]}" <<<"$HELLO") 2>"$SCRATCH/desktop.log" |
    jq -e '.id == 1 and .result.serverInfo.name == "siskin"' || { cat "$SCRATCH/desktop.log"; return 1; }
}
blocks=("$SCRATCH"/client-*.json)
enough() { [ "${#blocks[@]}" -ge 4 ] || { echo "${#blocks[@]} blocks of JSON with a command"; return 1; }; }
check "desktop: the JSON to paste is there" enough
for block in "${blocks[@]}"; do
  check "desktop: $(basename "$block" .json) is answered over stdio" pasted "$block"
done

# --- cross from a laptop ---------------------------------------------------------------------------------------------------------------
targets() { diff <(sed -n 's/^\[target\.\([a-z0-9_-]*\)\(\.env\)\?\]$/\1/p' "$ROOT/cross/Cross.toml" | sort -u) <(awk '!/^#/ && NF { print $1 }' "$ROOT/cross/targets" | sort); }
check "cross: Cross.toml and cross/targets name the same machines" targets
named() { grep -q 'CROSS_CONFIG=cross/Cross.toml cross build --release --target' "$GUIDE" && grep -q 'cross/build.sh' "$GUIDE"; }
check "cross: both ways stand in the guide" named
skip "cross: \`cross\` pulls images, which this test does not; cross/build.sh is what the stage \`cross\` runs"

# --- a Rust program that uses the library ----------------------------------------------------------------------------------------------
if [ "${SISKIN_STARTED_LIBRARY:-1}" = 1 ]; then
  mkdir -p "$SCRATCH/hello/src"
  # The example of the guide, word for word.
  # shellcheck disable=SC2016  # those are backticks of Markdown
  sed -n '/^```rust$/,/^```$/p' "$GUIDE" | sed '/^```/d' >"$SCRATCH/hello/src/main.rs"
  # shellcheck disable=SC2016  # likewise
  sed -n '/^```toml$/,/^```$/p' "$GUIDE" | sed '/^```/d' | sed "s|/path/to/siskin|$ROOT|" >"$SCRATCH/hello/Cargo.toml"
  # The versions that this project is tested with, and what is built of them already.
  cp "$ROOT/Cargo.lock" "$SCRATCH/hello/Cargo.lock"
  lines() { [ "$(wc -l <"$SCRATCH/hello/src/main.rs")" -le 20 ] || { wc -l "$SCRATCH/hello/src/main.rs"; return 1; }; }
  check "library: the example has at most 20 lines" lines
  builds() { (cd "$SCRATCH/hello" && CARGO_PROFILE_DEV_DEBUG=0 cargo build --quiet --target-dir "$ROOT/target/getting-started"); }
  check "library: a crate with a path dependency builds" builds
  answers() {
    printf '%s\n' "$HELLO" '{"jsonrpc":"2.0","method":"notifications/initialized"}' \
      '{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"add","arguments":{"a":2,"b":0.5}}}' |
      "$ROOT/target/getting-started/debug/hello" | jq -se 'any(.[]; .id == 2 and .result.content[0].text == "2.5")'
  }
  check "library: it answers" answers
else
  skip "library: left out by SISKIN_STARTED_LIBRARY=0"
fi
verdict
