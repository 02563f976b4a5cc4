#!/usr/bin/env bash
# The TypeScript and Python clients with a bearer token, and led by a 401 through OAuth to a small authorization server.
# Usage: auth.sh [BIN_DIR]   BIN_DIR holds `siskin` (default: target/release, else target/debug).
# SISKIN_CASE_SECONDS bounds each case (default: 20).
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$HERE/lib.sh"
begin tests/clients/auth

SISKIN=$(bin_dir "${1:-}")/siskin
[ -x "$SISKIN" ] || die "\`$SISKIN\` is missing; build it with: cargo build"
npm_packages "$HERE"
python_packages "$HERE"
need curl curl
need jq jq

RESULTS=$SCRATCH/results
: >"$RESULTS"
report() {
  echo "$*" | tee -a "$RESULTS"
}

start_on_free_port "$SCRATCH/issuer.log" "$NODE" "$HERE/auth_server.mjs" '{PORT}'
ISSUER=http://127.0.0.1:$PORT
SECRET=secret-of-siskin-tests

# A token as an operator makes it: shown once, its hash in the configuration.
"$SISKIN" token new --name laptop >"$SCRATCH/token"
TOKEN=$(sed -n 's/^\(siskin_[0-9a-f]*\)$/\1/p' "$SCRATCH/token")
{
  printf '[auth]\njwt_issuer = "%s"\njwt_jwks_url = "%s/keys"\n[tools]\nwake_on_lan = true\n' "$ISSUER" "$ISSUER"
  sed -n '/^\[\[auth.tokens\]\]$/,$p' "$SCRATCH/token"
} >"$SCRATCH/siskin.toml"
if [ -n "$TOKEN" ] && ! grep -q "$TOKEN" "$SCRATCH/siskin.toml"; then
  report "ok   siskin  token-new  only-its-hash-is-kept"
else
  report "FAIL siskin  token-new  only-its-hash-is-kept"
fi

start_on_free_port "$SCRATCH/server.log" "$SISKIN" --config "$SCRATCH/siskin.toml" \
  --set 'server.port={PORT}' --set 'auth.resource=http://127.0.0.1:{PORT}/mcp' serve
TARGET=http://127.0.0.1:$PORT/mcp

# run_client CASES WAY LABEL COMMAND…: runs one client, demands one line per case of it.
run_client() {
  local cases=$1 label=$2 status=0 lines
  shift 2
  HOME=$SCRATCH timeout --kill-after=5 120 "$@" </dev/null >"$SCRATCH/out" 2>"$SCRATCH/err" || status=$?
  grep -E '^(ok  |FAIL) ' "$SCRATCH/out" | tee -a "$RESULTS" || true
  lines=$(grep -cE '^(ok  |FAIL) ' "$SCRATCH/out" || true)
  [ "$lines" = "$cases" ] || report "FAIL $label  all-cases  $lines of $cases ran, status $status"
  if grep -q '^FAIL ' "$SCRATCH/out" || [ "$status" != 0 ]; then
    tail -n 40 "$SCRATCH/err" | sed 's/^/     | /' >&2
  fi
}

# every_way SCOPES LABEL COMMAND…: one client in one mode, by each way in; SCOPES are those it should ask for.
every_way() {
  local scopes=$1 label=$2 before asked expected
  shift 2
  run_client 4 "$label" "$@" "$TARGET" "$ISSUER" bearer "$TOKEN"
  run_client 1 "$label" "$@" "$TARGET" "$ISSUER" refused bearer "${TOKEN}0"
  before=$(wc -l <"$SCRATCH/issuer.log")
  run_client 4 "$label" "$@" "$TARGET" "$ISSUER" oauth writer "$SECRET"
  run_client 4 "$label" "$@" "$TARGET" "$ISSUER" oauth reader "$SECRET"
  # They asked for a token for this server, with the scopes the challenge named.
  asked=$(tail -n "+$((before + 1))" "$SCRATCH/issuer.log" | sort -u)
  expected=$(printf 'issued %s\n' "reader $TARGET$scopes" "writer $TARGET$scopes")
  if [ "$asked" = "$expected" ]; then
    report "ok   $label  oauth  asked-for-this-server"
  else
    report "FAIL $label  oauth  asked-for-this-server  $(tr '\n' ';' <<<"$asked")"
  fi
  run_client 1 "$label" "$@" "$TARGET" "$ISSUER" refused oauth writer wrong
}

# The older SDK's provider asks for no scopes but those it was made with.
every_way '' ts-sdk "$NODE" "$HERE/auth_client.mjs" sdk legacy
for mode in legacy auto; do
  every_way ' read write' ts-client "$NODE" "$HERE/auth_client.mjs" client "$mode"
  every_way ' read write' python-mcp "$PYTHON" "$HERE/auth_client.py" "$mode"
done

# No token is in the log.
if grep -q 'eyJ\|siskin_' "$SCRATCH/server.log"; then
  report "FAIL siskin  http  no-token-in-the-log"
else
  report "ok   siskin  http  no-token-in-the-log"
fi
stop_server "$SERVER_PID"
if [ "$EXIT_STATUS" = 0 ]; then
  report "ok   siskin  http  stops-on-sigterm"
else
  report "FAIL siskin  http  stops-on-sigterm  status $EXIT_STATUS"
fi

passed=$(grep -c '^ok ' "$RESULTS" || true)
failed=$(grep -c '^FAIL ' "$RESULTS" || true)
if [ "$failed" != 0 ]; then
  tail -n 40 "$SCRATCH/server.log" | sed 's/^/server | /' >&2
fi
echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" != 0 ]
