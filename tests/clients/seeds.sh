#!/usr/bin/env bash
# The examples of the two deployment guides siskin replaces, run as they stand against a siskin.
# Usage: seeds.sh [BIN_DIR]   BIN_DIR holds `siskin` (default: target/release, else target/debug).
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$HERE/lib.sh"
begin tests/clients/seeds

SISKIN=$(bin_dir "${1:-}")/siskin
[ -x "$SISKIN" ] || die "\`$SISKIN\` is missing; build it with: cargo build"
python_packages "$HERE"
need curl curl
need jq jq

TOKEN=sk-mcp-prod-0123456789abcdef
RESULTS=$SCRATCH/results
: >"$RESULTS"

# check GUIDE CASE COMMAND…: one printed line; what the command said is the reason.
check() {
  local guide=$1 name=$2 said
  shift 2
  if said=$("$@" 2>&1); then
    echo "ok   $guide  $name"
  else
    echo "FAIL $guide  $name  $(tr '\n' ' ' <<<"$said" | cut -c 1-300)"
  fi | tee -a "$RESULTS"
}

# A caller of the axinova API: bearer token, JSON, ten seconds, status 200 or a failure that says which.
api() {
  local path=$1
  shift
  curl --silent --show-error --max-time 10 --fail-with-body -H "Authorization: Bearer $TOKEN" "$@" "http://localhost:$PORT$path"
}

rpc() {
  api "$1" -X POST -H 'Content-Type: application/json' -d "$2"
}

# holds FILTER: reads JSON from stdin and is true if the filter is; else it shows the JSON.
holds() {
  local json
  json=$(cat)
  jq -e "$@" <<<"$json" >/dev/null || { echo "$json"; return 1; }
}

# shows TEXT PATTERN…: whether every pattern has its line; else it shows the text.
shows() {
  local text=$1 pattern
  shift
  for pattern in "$@"; do
    grep -qi "$pattern" <<<"$text" || { echo "no \`$pattern\` in: $text"; return 1; }
  done
}

# stream FILE [QUERY]: an event stream into FILE, as `curl -N` shows it; ends with the script.
stream() {
  start_server "$1.err" curl --silent --show-error --no-buffer --max-time 120 -H "Authorization: Bearer $TOKEN" \
    --output "$1" "http://localhost:$PORT/api/mcp/v1/sse${2:-}"
}

# heard FILE EVENT: the data of the first event of that name, as curl has written it so far.
heard() {
  [ -e "$1" ] && tr -d '\r' <"$1" | awk -v event="$2" '
    /^event: / { name = substr($0, 8) }
    /^data: /  { if (name == event) { print substr($0, 7); found = 1; exit } }
    /^$/       { name = "" }
    END        { exit !found }'
}

# hears FILE EVENT SECONDS FILTER: waits for the event and holds its data against the filter.
hears() {
  wait_until "$3" heard "$1" "$2" >/dev/null || { echo "no \`$2\` within $3 s: $(cat "$1" 2>/dev/null)"; return 1; }
  heard "$1" "$2" | holds "$4"
}

# ---------------------------------------------------------------------------------------------------------------------------
# The guide of the AWS documentation server: HTTP+SSE, no token.

healthcheck() {
  local head
  # The stream stays open, so curl leaves at its time limit, with status 28, having shown what it got.
  head=$(curl --silent --include --max-time 2 -H 'Accept: text/event-stream' "http://localhost:$PORT$1" || [ $? = 28 ])
  shows "$head" '^HTTP/1.1 200' '^content-type: text/event-stream' '^event: endpoint' "^data: .*$2"
}

start_siskin "$SCRATCH/aws.log" "$SISKIN" serve --port 0
check aws-guide healthcheck-curl healthcheck /sse/ /messages/
timeout --kill-after=5 60 "$PYTHON" "$HERE/seeds.py" "http://localhost:$PORT" </dev/null >"$SCRATCH/python.out" 2>"$SCRATCH/python.err" || true
tee -a "$RESULTS" <"$SCRATCH/python.out"
[ "$(wc -l <"$SCRATCH/python.out")" = 3 ] || {
  cat "$SCRATCH/python.err" >&2
  echo "FAIL aws-guide  python-example  $(wc -l <"$SCRATCH/python.out") of 3 cases ran" | tee -a "$RESULTS"
}
stop_server "$SERVER_PID"

start_siskin "$SCRATCH/paths.log" env FASTMCP_TRANSPORT=sse FASTMCP_SSE_PATH=/events/ FASTMCP_MESSAGE_PATH=/post/ FASTMCP_LOG_LEVEL=INFO \
  "$SISKIN" serve --port 0
check aws-guide paths-from-environment healthcheck /events/ /post/
stop_server "$SERVER_PID"

# ---------------------------------------------------------------------------------------------------------------------------
# The guide of the axinova server: plain JSON-RPC and the event stream, with a bearer token.

start_siskin "$SCRATCH/axinova.log" env "APP_SERVER__API_TOKEN=$TOKEN" "$SISKIN" serve --port 0

# Opened first, for the guide's `ping` comes only every 30 s.
stream "$SCRATCH/all"
stream "$SCRATCH/build" '?events=build,deploy'
stream "$SCRATCH/other" '?events=other'

check axinova-guide sse-connected hears "$SCRATCH/all" connected 10 '.clientId | type == "string" and length > 0'

tools_listed() { api /api/mcp/v1/tools | holds '(.tools | length) == .count and .count > 0 and all(.tools[]; .name and .inputSchema)'; }
check axinova-guide tools tools_listed

# Any tool that can do without arguments stands in for the guide's `grafana_list_dashboards`.
TOOL=$(api /api/mcp/v1/tools 2>/dev/null | jq -r '[.tools[] | select((.inputSchema.required // []) == [])][0].name // "none"' || echo none)
LIST='{"jsonrpc": "2.0", "id": 1, "method": "tools/list"}'
CALL='{"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "'$TOOL'", "arguments": {}}}'

lists() { rpc "$1" "$LIST" | holds '.jsonrpc == "2.0" and .id == 1 and (.result.tools | length) > 0'; }
calls() { rpc "$1" "$CALL" | holds '.jsonrpc == "2.0" and .id == 1 and .result.isError != true and (.result.content[0].text | length) > 0'; }
for path in /api/mcp/v1/sse/rpc /api/mcp/v1/call; do
  check axinova-guide "tools/list on $path" lists "$path"
  check axinova-guide "tools/call on $path" calls "$path"
done

unknown_method() { rpc /api/mcp/v1/call '{"jsonrpc": "2.0", "id": "a", "method": "no/such"}' | holds '.id == "a" and .error.code == -32601'; }
check axinova-guide unknown-method unknown_method

# refused METHOD PATH HEADER…: 401 with a challenge, and nothing of the answer.
refused() {
  local method=$1 path=$2 head
  shift 2
  head=$(curl --silent --include --max-time 5 -X "$method" -H 'Content-Type: application/json' -d "$LIST" "$@" "http://localhost:$PORT$path")
  ! grep -q '"tools"' <<<"$head" || { echo "$head"; return 1; }
  shows "$head" '^HTTP/1.1 401' '^www-authenticate: bearer'
}
for route in 'POST /api/mcp/v1/call' 'GET /api/mcp/v1/tools' 'GET /api/mcp/v1/sse' 'POST /api/mcp/v1/sse/rpc' 'POST /api/mcp/v1/events'; do
  check axinova-guide "no token on ${route#* }" refused "${route% *}" "${route#* }"
  check axinova-guide "wrong token on ${route#* }" refused "${route% *}" "${route#* }" -H "Authorization: Bearer ${TOKEN}0"
done

# All three streams have to be open before something is published.
check axinova-guide filtered-stream-connected hears "$SCRATCH/build" connected 10 '.clientId'
check axinova-guide other-stream-connected hears "$SCRATCH/other" connected 10 '.clientId'

published() { rpc /api/mcp/v1/events "$1" >/dev/null; }
check axinova-guide publish published '{"event": "build", "data": {"state": "done", "n": 1}}'
check axinova-guide publish-another published '{"event": "other", "data": {"n": 2}}'
check axinova-guide unfiltered-stream-hears hears "$SCRATCH/all" build 10 '.state == "done" and .n == 1'
check axinova-guide filtered-stream-hears hears "$SCRATCH/build" build 10 '.state == "done" and .n == 1'
check axinova-guide other-stream-hears hears "$SCRATCH/other" other 10 '.n == 2'

# Events keep their order, so whoever has heard the second would have heard the first.
deaf() { if heard "$1" "$2"; then echo "\`$2\` came through the filter"; return 1; fi; }
check axinova-guide filter-holds-back deaf "$SCRATCH/other" build

check axinova-guide sse-ping hears "$SCRATCH/all" ping 40 '.timestamp | type == "number" and . > 1000000000'

metric() { api /metrics | grep -E "$1"; }
check axinova-guide metrics-connections metric '^mcp_sse_connections_active 3(\.0)?$'
check axinova-guide metrics-events metric '^mcp_sse_events_sent_total\{event_type="ping"\} [1-9]'

passed=$(grep -c '^ok ' "$RESULTS" || true)
failed=$(grep -c '^FAIL ' "$RESULTS" || true)
if [ "$failed" != 0 ]; then
  tail -n 20 "$SCRATCH"/{aws,paths,axinova}.log >&2
fi
echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" != 0 ]
