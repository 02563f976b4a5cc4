#!/usr/bin/env bash
# Runs the public MCP clients against siskin's fixture, over every transport each of them has.
# Usage: run.sh [BIN_DIR] [CLIENT…]   BIN_DIR holds `examples/everything` (default: target/release, else target/debug);
#        CLIENT is python-mcp, fastmcp, ts-client, ts-sdk, rmcp or inspector (default: all).
# SISKIN_CASE_SECONDS bounds each case (default: 20).
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$HERE/lib.sh"
begin tests/clients

BIN_DIR=$(bin_dir "${1:-}")
[ $# = 0 ] || shift
WANTED=("$@")
FIXTURE=$BIN_DIR/examples/everything
[ -x "$FIXTURE" ] || die "\`$FIXTURE\` is missing; build it with: cargo build --example everything"

npm_packages "$HERE"
python_packages "$HERE"

for client in "${WANTED[@]}"; do
  [[ " python-mcp fastmcp ts-client ts-sdk rmcp inspector " == *" $client "* ]] || die "client \`$client\` is unknown"
done

wanted() {
  [ ${#WANTED[@]} = 0 ] || [[ " ${WANTED[*]} " == *" $1 "* ]]
}

if wanted rmcp; then
  need cargo cargo
  CARGO_TARGET_DIR=$HERE/.cache/rmcp-target
  cargo build --quiet --locked --manifest-path "$HERE/rmcp/Cargo.toml" --target-dir "$CARGO_TARGET_DIR"
  RMCP=$CARGO_TARGET_DIR/debug/siskin-rmcp-client
fi

# The stdio server stands under a shell that notes how it ended: one that a client had to kill leaves a start without an exit.
STDIO_LOG=$SCRATCH/stdio.log
STDIO_SERVER=$SCRATCH/stdio-server
cat >"$STDIO_SERVER" <<EOF
#!/bin/sh
exec 3<&0
"$FIXTURE" --stdio <&3 3<&- &
echo "start \$!" >>"$STDIO_LOG"
wait \$!
echo "exit \$?" >>"$STDIO_LOG"
EOF
chmod +x "$STDIO_SERVER"

start_on_free_port "$SCRATCH/server.log" "$FIXTURE" '{PORT}'
BASE=http://127.0.0.1:$PORT

RESULTS=$SCRATCH/results
: >"$RESULTS"

report() {
  echo "$*" | tee -a "$RESULTS"
}

# run_client CASES TRANSPORT MODE LABEL COMMAND…: runs one client over one transport, demands one line per case of it.
run_client() {
  local cases=$1 transport=$2 mode=$3 label=$4 status=0 target lines
  shift 4
  case $transport in
    stdio) target=$STDIO_SERVER ;;
    http+sse) target=$BASE/sse/ ;;
    streamable-http) target=$BASE/mcp ;;
  esac
  : >"$STDIO_LOG"
  # The clients write caches into the home folder; the scratch folder takes them.
  HOME=$SCRATCH timeout --kill-after=5 180 "$@" "$transport" "$mode" "$target" \
    </dev/null >"$SCRATCH/out" 2>"$SCRATCH/err" || status=$?
  grep -E '^(ok  |FAIL) ' "$SCRATCH/out" | tee -a "$RESULTS" || true
  lines=$(grep -cE '^(ok  |FAIL) ' "$SCRATCH/out" || true)
  [ "$lines" = "$cases" ] || report "FAIL $label  $transport $mode  all-cases  $lines of $cases ran, status $status"
  if grep -q '^FAIL ' "$SCRATCH/out" || [ "$status" != 0 ]; then
    tail -n 40 "$SCRATCH/err" | sed 's/^/     | /' >&2
  fi
  [ "$transport" = stdio ] || return 0
  # The TypeScript client probes on a second process and kills it; that one's shell has no exit to tell.
  local killed=0
  [[ $label == ts-client && $mode != legacy ]] && killed=1
  if wait_until 10 stdio_servers_ended "$killed" && ! grep -q '^exit [^0]' "$STDIO_LOG"; then
    report "ok   $label  $transport $mode  server-left-by-itself"
  else
    report "FAIL $label  $transport $mode  server-left-by-itself  $(tr '\n' ' ' <"$STDIO_LOG")"
  fi
}

# stdio_servers_ended KILLED: every server started is gone, and all but KILLED of them said how.
stdio_servers_ended() {
  local word pid starts=0 exits=0
  while read -r word pid; do
    case $word in
      start) starts=$((starts + 1)); gone "$pid" || return 1 ;;
      exit) exits=$((exits + 1)) ;;
    esac
  done <"$STDIO_LOG"
  [ "$exits" != 0 ] && [ $((starts - exits)) -le "$1" ]
}

# both_eras LABEL COMMAND…: a client that can be told how to negotiate, over stdio and Streamable HTTP.
both_eras() {
  local mode
  for mode in legacy auto 2026-07-28; do
    run_client 7 stdio "$mode" "$@"
    run_client 7 streamable-http "$mode" "$@"
  done
}

# every_transport LABEL COMMAND…: the same, and over HTTP+SSE, where `auto` may find either era.
every_transport() {
  both_eras "$@"
  run_client 7 http+sse legacy "$@"
  run_client 7 http+sse any "$@"
}

if wanted python-mcp; then
  every_transport python-mcp "$PYTHON" "$HERE/python_client.py" mcp
fi
if wanted fastmcp; then
  every_transport fastmcp "$PYTHON" "$HERE/python_client.py" fastmcp
fi
if wanted ts-client; then
  every_transport ts-client "$NODE" "$HERE/js_client.mjs" client
fi
if wanted ts-sdk; then
  for transport in stdio streamable-http http+sse; do
    run_client 7 "$transport" legacy ts-sdk "$NODE" "$HERE/js_client.mjs" sdk
  done
fi
if wanted rmcp; then
  both_eras rmcp "$RMCP"
fi
if wanted inspector; then
  for era in legacy auto modern; do
    run_client 5 stdio "$era" inspector-cli "$NODE" "$HERE/inspector.mjs"
    run_client 5 streamable-http "$era" inspector-cli "$NODE" "$HERE/inspector.mjs"
  done
  run_client 5 http+sse legacy inspector-cli "$NODE" "$HERE/inspector.mjs"
fi

# After all these guests the server has to be as it was.
if "$NODE" -e "fetch('$BASE/health', { signal: AbortSignal.timeout(10000) }).then(r => process.exit(r.ok ? 0 : 1), () => process.exit(1))"; then
  report "ok   siskin  http  healthy-afterwards"
else
  report "FAIL siskin  http  healthy-afterwards"
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
